"""Slips of the pen and of set-up, and what a person may insist on."""

from __future__ import annotations

from sync_core.model import RunStatus
from sync_core.service import Scope
from tests.flows.shop import act, rows, sell, sync
from tests.scenarios.books import Books


def test_a_record_that_neither_system_has_is_named(books: Books):
    sell(books, "INV-1")
    with books.open() as service:
        summary = service.sync(Scope(only={"invoices": frozenset({"no-such-id"})})).summary
    assert summary.status is RunStatus.CONFIGURE
    assert "no-such-id" in summary.message


def test_an_invoice_without_a_due_date_is_due_on_its_day(books: Books):
    sell(books, "INV-1")
    act(books, "set in Dynamics", {"invoice": "INV-1", "due": None})
    sync(books)
    (invoice,) = rows(books, "xero.Invoices")
    assert invoice["DueDate"] == invoice["Date"]
