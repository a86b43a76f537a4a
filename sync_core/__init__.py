"""Tieout's engine: keeps Microsoft Dynamics 365 (Dataverse) and Xero in step, and ties one out against the other.

Rooms, and who may import whom (tests/test_house.py reads the syntax trees and enforces it):

* ``rules/`` thinks: pure functions over values, no IO, no clock, no chance.
* ``systems/`` talks: the only HTTP.
* ``store/`` remembers: DuckDB cache (disposable) and SQL state (durable).
* ``flows/`` orders: pull, plan, apply, verify, schedule.
* ``sandbox/`` is both systems as HTTP servers; an independent witness that imports nothing of the engine.
* ``service`` is the one door for console, command line and notebooks.
"""
