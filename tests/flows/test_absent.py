"""What was deleted while the cache was lost is in no listing; only the link remembers it (I19)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flows.shop import act, at_rest, remark, rows, sell, sync
from tests.scenarios.books import Books
from tests.scenarios.people import People


def blind(books: Books, *acts: tuple[str, Any]) -> None:
    """The cache is lost, and before it is filled anew people do this."""
    books.forget("cache-")
    for name, given in acts:
        act(books, name, given)
    sync(books)


@pytest.fixture
def credited(books: Books) -> Books:
    sell(books, "INV-1")
    sync(books)
    line = {"text": "Back", "price": 20}
    act(books, "credit note in Xero", {"number": "CN-1", "contact": "Kahu Guiding Co", "lines": [line]})
    act(books, "allocate in Xero", {"credit note": "CN-1", "to": "INV-1", "amount": 23})
    sync(books)
    return books


def test_an_allocation_taken_back_in_xero_is_taken_back_in_dynamics(credited):
    blind(credited, ("unallocate in Xero", {"credit note": "CN-1", "from": "INV-1"}))
    (copy,) = rows(credited, "dataverse.tie_allocation")
    assert (copy["tie_status"], str(copy["tie_amount"])) == ("DELETED", "23.00")
    at_rest(credited)


def test_a_copy_deleted_in_dynamics_is_made_again(credited):
    (gone,) = rows(credited, "dataverse.tie_allocation")
    with People(credited.sandbox) as people:
        credited.forget("cache-")
        people.crm("DELETE", f"tie_allocations({gone['tie_allocationid']})")
    sync(credited)
    (again,) = rows(credited, "dataverse.tie_allocation")
    assert (again["tie_allocationid"], again["tie_amount"]) == (gone["tie_allocationid"], gone["tie_amount"])
    at_rest(credited)


def test_an_invoice_deleted_in_dynamics_is_said_to_be_missing_there(books):
    sell(books, "INV-1", "INV-2")
    sync(books)
    blind(books, ("delete in Dynamics", {"invoice": "INV-1"}))
    status, why = remark(books, "INV-1")
    assert (status, "is deleted in Dynamics but still stands in Xero" in why) == ("Missing in CRM", True)
    assert remark(books, "INV-2")[0] == "Success"
    at_rest(books)


def test_a_product_deleted_in_xero_is_said_to_be_missing_there(books):
    books.forget("cache-")
    (tent,) = (r for r in rows(books, "xero.Items") if r["Code"] == "TENT")
    with People(books.sandbox) as people:
        people.xero("DELETE", f"Items/{tent['ItemID']}")
    sync(books)
    assert remark(books, "Two-person tent", "products")[0] == "Missing in Xero"
    at_rest(books)


def test_a_listing_that_left_a_record_out_is_no_deletion(books):
    sell(books, "INV-1", "INV-2")
    sync(books)
    books.forget("cache-")
    fault = books.sandbox.fault("short_listing", system="dataverse", method="GET", path="/invoices$")
    sync(books)
    assert fault.fired == 1
    assert {remark(books, n)[0] for n in ("INV-1", "INV-2")} == {"Success"}
    at_rest(books)


def test_an_invoice_deleted_in_dynamics_before_it_came_to_xero_waits_for_nothing(books):
    line = {"text": "Guided walk", "price": 100, "tax": 15}
    act(books, "invoice in Dynamics", {"number": "INV-1", "customer": "Kahu Guiding Co", "lines": [line]})
    sync(books)
    assert remark(books, "INV-1")[0] == "Blocked"
    act(books, "delete in Dynamics", {"invoice": "INV-1"})
    sync(books)
    assert remark(books, "INV-1") == ("Excluded", "It was deleted in Dynamics before it came to Xero, so it is not copied.")
    at_rest(books)


def test_an_allocation_whose_invoice_was_deleted_in_dynamics_waits_for_it(books):
    sell(books, "INV-1")
    sync(books)
    act(
        books, "credit note in Xero", {"number": "CN-1", "contact": "Kahu Guiding Co", "lines": [{"text": "Back", "price": 20}]}
    )
    act(books, "allocate in Xero", {"credit note": "CN-1", "to": "INV-1", "amount": 10})
    sync(books)
    act(books, "delete in Dynamics", {"invoice": "INV-1"})
    assert str(sync(books).summary.status) == "success"
    (allocation,) = rows(books, "dataverse.tie_allocation")
    with books.open() as service:
        (told,) = service.statuses("allocations")
    assert (told.id, str(told.status)) == (allocation["tie_allocationid"], "Blocked")
    assert "INV-1" in told.remark
    at_rest(books)


def test_a_refund_comes_with_its_advance_in_one_run(books):
    """The advance has to be there first: both are new, and of one kind."""
    act(books, "prepayment in Xero", {"contact": "Kahu Guiding Co", "amount": 50, "reference": "P-1"})
    act(books, "refund in Xero", {"prepayment": "P-1", "amount": 20, "reference": "R-1"})
    result = sync(books)
    assert (str(result.summary.status), result.summary.counts["failed"]) == ("success", 0)
    assert sorted(row["tie_reference"] for row in rows(books, "dataverse.tie_payment")) == ["P-1", "R-1"]
    at_rest(books)
