"""One record costs a handful of calls, and is still decided on what both systems hold now."""

from __future__ import annotations

import pytest

from sync_core.flows.errand import LISTS_LIVE
from sync_core.flows.run import Result
from sync_core.model import Status
from sync_core.rules.entities import ORGANISATION
from sync_core.service import Scope
from tests.flows.shop import act, at_rest, numbers, remark, rows, sell, sync
from tests.scenarios.books import Books


@pytest.fixture
def sold(books: Books) -> Books:
    sell(books, "INV-1")
    sync(books)
    return books


def invoice(books: Books, number: str) -> str:
    return next(str(r["invoiceid"]) for r in rows(books, "dataverse.invoice") if r["invoicenumber"] == number)


def one(books: Books, row_id: str, entity: str = "invoices", *, dry: bool = False) -> tuple[Result, list[str]]:
    """A run for one record, and what it asked beside the proof of both connections."""
    before = books.logged
    with books.open() as service:
        result = service.sync(Scope(only={entity: frozenset({row_id})}), dry_run=dry)
    asked = [e.path.rsplit("/", 1)[-1].split("(")[0] for e in books.sandbox.log() if e.number > before and e.run is not None]
    proof = ("WhoAmI", "organizations", "connections", "Organisation", "EntityDefinitions")
    return result, [path for path in asked if path not in proof]


def test_a_preview_of_one_record_reads_it_its_lines_and_its_customer_on_both_sides(sold: Books):
    """29 lists would be read otherwise."""
    result, asked = one(sold, invoice(sold, "INV-1"), dry=True)
    twin, customer = rows(sold, "xero.Invoices")[0]["InvoiceID"], rows(sold, "xero.Contacts")[0]["ContactID"]
    assert asked == ["invoices", "invoicedetails", twin, "accounts", customer, "tie_xerodetails"]
    calls = result.summary.calls
    assert (calls["dynamics"].read, calls["xero"].read) == (5, 2)


def test_of_a_new_record_the_lists_of_its_kind_are_read_on_both_sides(sold: Books):
    sell(sold, "INV-2", "INV-3")
    result, asked = one(sold, invoice(sold, "INV-2"))
    assert result.summary.counts["created"] == 1
    assert {"invoices", "invoicedetails", "Invoices"} <= set(asked)
    assert len(asked) < 15
    assert numbers(sold) == ["INV-1", "INV-2"]
    sync(sold)
    assert numbers(sold) == ["INV-1", "INV-2", "INV-3"]


def test_what_changed_on_the_record_and_its_lines_is_seen_and_nothing_else_is_lost(sold: Books):
    sell(sold, "INV-2")
    sync(sold)
    act(sold, "set in Dynamics", {"invoice": "INV-1", "due": "2027-01-31"})
    act(sold, "set in Dynamics", {"invoice": "INV-2", "due": "2027-02-28"})
    result, _ = one(sold, invoice(sold, "INV-1"))
    assert result.summary.counts["updated"] == 1
    due = {r["InvoiceNumber"]: str(r["DueDate"])[:10] for r in rows(sold, "xero.Invoices")}
    assert due["INV-1"] == "2027-01-31"
    assert due["INV-2"] != "2027-02-28"
    sync(sold)  # the cursors did not pass what was not read
    assert {r["InvoiceNumber"]: str(r["DueDate"])[:10] for r in rows(sold, "xero.Invoices")}["INV-2"] == "2027-02-28"
    at_rest(sold)


def test_a_record_that_was_deleted_is_seen_to_be_gone(sold: Books):
    wanted = invoice(sold, "INV-1")
    act(sold, "delete in Dynamics", {"invoice": "INV-1"})
    since = sold.logged
    one(sold, wanted)
    assert remark(sold, "INV-1")[0] == Status.MISSING_IN_CRM
    assert [e for e in sold.writes(since) if e.system == "xero"] == []
    assert numbers(sold) == ["INV-1"]


def test_a_twin_that_came_since_is_found_and_no_second_one_made(sold: Books):
    act(sold, "customer in Dynamics", {"name": "Rata Rentals"})
    act(sold, "contact in Xero", {"name": "Rata Rentals"})
    wanted = next(str(r["accountid"]) for r in rows(sold, "dataverse.account") if r["name"] == "Rata Rentals")
    one(sold, wanted, "contacts")
    assert [r["Name"] for r in rows(sold, "xero.Contacts")].count("Rata Rentals") == 1


def test_lock_dates_are_those_of_now_and_lists_are_read_again_after_a_while(sold: Books):
    act(sold, "set in Dynamics", {"invoice": "INV-1", "due": "2027-01-31"})
    wanted, (organisation,) = invoice(sold, "INV-1"), rows(sold, "xero.Organisations")
    sold.sandbox.edit("xero", "Organisations", organisation[ORGANISATION.key], PeriodLockDate="2026-12-31")
    result, _ = one(sold, wanted, dry=True)
    assert "locked" in result.plan.tally.left[0].remark
    sold.sandbox.advance(LISTS_LIVE.total_seconds())
    _, asked = one(sold, wanted, dry=True)
    assert {"Accounts", "TaxRates", "Items", "products"} <= set(asked)


@pytest.mark.soak
def test_the_first_run_of_all_may_be_for_one_record(books: Books):
    books.begin_again(never_synced=True)
    sell(books, "INV-1", "INV-2")
    sync(books, scope=Scope(only={"contacts": frozenset({rows(books, "dataverse.account")[0]["accountid"]})}))
    sync(books)
    assert numbers(books) == ["INV-1", "INV-2"]
