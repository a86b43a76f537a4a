"""Calls are scarce: what a wave leaves over goes with the next one, so that only the last call of a kind is half filled."""

from __future__ import annotations

import pytest

from sync_core.systems.xero import Xero
from tests.flows.shop import at_rest, numbers, sell, sync
from tests.scenarios.books import Books

SEVEN = [f"INV-{n}" for n in range(1, 8)]


def test_batches_are_filled_across_waves(books: Books, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sync_core.flows.apply.WAVE", 3)
    monkeypatch.setattr(Xero, "batch_size", 2)
    monkeypatch.setattr(Xero, "batch_size_for", lambda *_: 2)
    sell(books, *SEVEN)
    before = books.logged
    sync(books)
    calls = [e for e in books.writes(before) if e.path.endswith("/Invoices")]
    # Wave by wave it would take five: two, one; two, one; one.
    assert (len(calls), numbers(books)) == (4, SEVEN)
    at_rest(books)
