"""Tieout's engine: keeps Microsoft Dynamics 365 (Dataverse) and Xero in step, and ties one out against the other.

Rooms, and who may import whom (tests/test_house.py reads the syntax trees and enforces it):

* ``rules/`` thinks: pure functions over values, no IO, no clock, no chance.
* ``systems/`` talks: the only HTTP.
* ``store/`` remembers: DuckDB cache (disposable) and SQL state (durable).
* ``flows/`` orders: pull, plan, apply, verify, schedule.
* ``sandbox/`` is both systems as HTTP servers; an independent witness that imports nothing of the engine.
* ``service`` is the one door for console, command line and notebooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sync_core.service.notebook import open_workspace

__all__ = ["open_workspace"]


def __getattr__(name: str) -> Any:
    """``open_workspace`` is loaded when it is first asked for: everything else would come with it."""
    if name != "open_workspace":
        raise AttributeError(f"module 'sync_core' has no attribute {name!r}")
    from sync_core.service.notebook import open_workspace

    return open_workspace
