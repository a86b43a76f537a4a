"""What Xero does not name among its changes is seen all the same: once a day each list is read from its beginning."""

from __future__ import annotations

import pytest

from tests.flows.shop import act, at_rest, rows, sell, sync
from tests.scenarios.books import Books

DAY = 86_400


def due_in_dynamics(books: Books) -> dict[str, str]:
    return {r["invoicenumber"]: str(r["duedate"]) for r in rows(books, "dataverse.invoice")}


def test_a_due_date_that_xero_changes_without_a_word_comes_over_within_a_day(books):
    sell(books, "INV-1", "INV-2")
    for number in ("INV-1", "INV-2"):
        sync(books)
        books.sandbox.advance(3_600)
        act(books, "payment in Xero", {"invoice": number, "amount": 10})
    sync(books)
    act(books, "set in Xero", {"invoice": "INV-1", "due": "2027-01-31"})
    sync(books)
    assert due_in_dynamics(books) == {"INV-1": "2026-12-20", "INV-2": "2026-12-20"}
    books.sandbox.advance(DAY)
    assert sync(books).summary.counts["updated"] == 1
    assert due_in_dynamics(books) == {"INV-1": "2027-01-31", "INV-2": "2026-12-20"}
    at_rest(books)


def whole_listings(books: Books) -> int:
    """How many whole lists of invoices one sync asks Dynamics for."""
    since = books.logged
    assert sync(books).summary.counts["updated"] == 0
    asked = [e for e in books.sandbox.log() if e.number > since and (e.system, e.method) == ("dataverse", "GET")]
    return sum(e.path.endswith("/invoices") and "deltatoken" not in e.query for e in asked)


@pytest.mark.soak
def test_it_is_once_a_day_and_in_between_only_changes_are_asked_for(books):
    first, second = whole_listings(books), whole_listings(books)
    books.sandbox.advance(DAY)
    assert (first, second, whole_listings(books), whole_listings(books)) == (0, 0, 1, 0)
