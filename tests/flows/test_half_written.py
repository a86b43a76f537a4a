"""Lines that reach Dynamics only in part are no conflict: nobody there changed them, and the rest is still brought."""

from __future__ import annotations

import pytest

from sync_core.systems.dataverse import Dataverse
from tests.flows.killed import killed_at
from tests.flows.shop import act, at_rest, remark, rows, sync
from tests.scenarios.books import Books
from tests.scenarios.people import People

WALK = {"text": "Guided walk", "price": 100, "account": 200, "tax rate": "OUTPUT2"}
MAP = {"Description": "Map", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200", "TaxType": "OUTPUT2"}
BEYOND = 100_000_000_001
"""Pieces, more than a line in Dynamics can hold."""


@pytest.fixture
def alone(monkeypatch):
    """Dynamics takes one line at a time, as where it knows no batches."""
    monkeypatch.setattr(Dataverse, "batch_size_for", lambda *_: 1)


@pytest.fixture
def sold(books: Books) -> Books:
    act(books, "invoice in Dynamics", {"number": "INV-1", "customer": "Kahu Guiding Co", "lines": [WALK]})
    sync(books)
    books.sandbox.advance(60)
    return books


def change(books: Books, *lines: dict[str, object]) -> None:
    """An accountant makes the walk dearer and adds lines."""
    with People(books.sandbox) as people:
        (invoice,) = rows(books, "xero.Invoices")
        dearer = {"LineItemID": invoice["LineItems"][0]["LineItemID"], "UnitAmount": 120, "TaxAmount": 18}
        people.xero("POST", f"Invoices/{invoice['InvoiceID']}", {"LineItems": [dearer, *lines]})


def amounts(books: Books) -> list[float]:
    return sorted(float(line["extendedamount"]) for line in rows(books, "dataverse.invoicedetail"))


@pytest.mark.parametrize(("point", "nth", "there"), [("lines answered", 1, [138.0]), ("lines marked as sending", 2, [138.0])])
def test_a_death_between_two_lines_leaves_no_conflict(alone, sold, point, nth, there):
    change(sold, MAP)
    killed_at(sold, point, nth)
    assert amounts(sold) == there
    sold.sandbox.advance(600)
    sync(sold)
    assert remark(sold, "INV-1")[0] == "Success"
    assert amounts(sold) == [11.5, 138.0]
    at_rest(sold)


@pytest.mark.parametrize("point", [pytest.param("lines marked as sending", marks=pytest.mark.soak), "lines answered"])
def test_a_death_around_all_lines_sent_at_once_leaves_no_conflict(sold, point):
    change(sold, MAP)
    killed_at(sold, point)
    sold.sandbox.advance(600)
    sync(sold)
    assert remark(sold, "INV-1")[0] == "Success"
    assert amounts(sold) == [11.5, 138.0]
    at_rest(sold)


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "status"])
def test_a_system_that_stops_answering_between_two_lines_leaves_no_conflict(alone, sold, kind):
    change(sold, MAP)
    fault = sold.sandbox.fault(kind, system="dataverse", method="PATCH", path="/invoicedetails", after=1, times=1)
    sync(sold)
    assert fault.fired == 1
    sold.sandbox.advance(600)
    sync(sold)
    assert remark(sold, "INV-1")[0] == "Success"
    assert amounts(sold) == [11.5, 138.0]
    at_rest(sold)


def test_a_persons_change_in_between_stays_a_conflict(alone, sold):
    change(sold, MAP)
    killed_at(sold, "lines answered")
    act(sold, "line in Dynamics", {"invoice": "INV-1", "line": 1, "price": 130})
    sold.sandbox.advance(600)
    sync(sold)
    assert remark(sold, "INV-1")[0] == "Conflict"
    assert amounts(sold) == [148.0]


def test_one_line_that_dynamics_refuses_fails_by_its_own_reason_until_it_is_mended(sold):
    change(sold, MAP, {**MAP, "Description": "Pin", "Quantity": BEYOND, "UnitAmount": "0.0001"})
    sync(sold)
    status, why = remark(sold, "INV-1")
    assert status == "Failed"
    before = sold.logged
    sync(sold)
    assert remark(sold, "INV-1") == (status, why)
    assert [e.path for e in sold.writes(before)] == []
    with People(sold.sandbox) as people:
        (invoice,) = rows(sold, "xero.Invoices")
        kept = [{"LineItemID": line["LineItemID"]} for line in invoice["LineItems"][:2]]
        people.xero("POST", f"Invoices/{invoice['InvoiceID']}", {"LineItems": kept})
    sync(sold)
    assert remark(sold, "INV-1")[0] == "Success"
    assert amounts(sold) == [11.5, 138.0]
    at_rest(sold)
