"""A person chooses ledger accounts and tax rates for lines without: in Tieout, put on the lines in Dynamics."""

from __future__ import annotations

import pytest

from sync_core.errors import Busy, Rejected
from sync_core.flows.leasing import LEASE_LIVES
from sync_core.model import Side, Status
from sync_core.service import LineCodes
from tests.flows.shop import TENT, act, at_rest, numbers, remark, rows, sell, sync
from tests.scenarios.books import Books

SALES = LineCodes("200", "OUTPUT2")
STAND = {"text": "Hire of a stand", "price": 180}


@pytest.fixture
def waiting(books: Books) -> Books:
    """An invoice of a tent and of a line of free text without codes, which is held back."""
    sell(books, "INV-1", lines=[TENT, STAND])
    sync(books)
    return books


def the_line(service):
    (document,) = {r.id for r in service.statuses(status=Status.BLOCKED, limit=10)}
    (line,) = service.uncoded_lines("invoices", [document])
    return document, line


def test_what_was_chosen_stands_on_the_line_in_dynamics_and_the_invoice_goes(waiting):
    with waiting.open() as service:
        document, line = the_line(service)
        assert (line.position, line.description, line.account, line.tax) == (2, "Hire of a stand", "", "")
        assert service.code_lines("invoices", {document: {line.id: SALES}}, who="Ana") == 1
        assert service.uncoded_lines("invoices", [document]) == []
        service.sync()
        (entry,) = [e for e in service._workspace.state.audit(10) if e.act == "choose codes"]
    assert (entry.who, entry.subject, entry.after) == (
        "Ana",
        f"invoices:{document}",
        {line.id: {"account": "200", "tax": "OUTPUT2"}},
    )
    stands = next(r for r in rows(waiting, "dataverse.invoicedetail") if str(r["invoicedetailid"]) == line.id)
    assert stands["tie_ledgeraccountid"]
    assert stands["tie_taxrateid"]
    assert numbers(waiting) == ["INV-1"]
    at_rest(waiting)


def test_only_what_xero_has_in_use_can_be_chosen(waiting):
    with waiting.open() as service:
        document, line = the_line(service)
        offered = dict(service.code_choices().accounts)
        assert sorted(offered) == ["200", "205"]  # neither the cheque account nor what customers owe
        with pytest.raises(Rejected, match=r"Line 2 “Hire of a stand”: ledger account 999 is not in use in Xero"):
            service.code_lines("invoices", {document: {line.id: LineCodes("999", "OUTPUT2")}}, who="Ana")
        with pytest.raises(Rejected, match="does not wait for a ledger account any more"):
            service.code_lines("invoices", {document: {"another": SALES}}, who="Ana")
        assert not [e for e in service._workspace.state.audit(10) if e.act == "choose codes"]
    assert remark(waiting, "INV-1")[0] == "Blocked"


def test_a_line_that_moved_in_dynamics_meanwhile_is_left_alone(waiting):
    with waiting.open() as service:
        document, line = the_line(service)
        act(waiting, "line in Dynamics", {"invoice": "INV-1", "line": 2, "account": 205, "tax rate": "OUTPUT2"})
        with pytest.raises(Rejected, match=r"changed in Dynamics after .* No line was changed\. Sync, then choose again\."):
            service.code_lines("invoices", {document: {line.id: SALES}}, who="Ana")
        service.sync()
    (invoice,) = rows(waiting, "xero.Invoices")
    assert [item["AccountCode"] for item in invoice["LineItems"]] == ["200", "205"]
    at_rest(waiting)


def test_nothing_is_put_while_a_sync_is_running(waiting):
    with waiting.open() as service:
        document, line = the_line(service)
        service._workspace.state.acquire("another:1", LEASE_LIVES)
        with pytest.raises(Busy, match="another:1 has been syncing"):
            service.code_lines("invoices", {document: {line.id: SALES}}, who="Ana")


def test_a_lost_answer_does_no_harm(waiting):
    with waiting.open() as service:
        document, line = the_line(service)
        lost = waiting.sandbox.fault("drop_after", system="dataverse", method="PATCH", times=1)
        service.code_lines("invoices", {document: {line.id: SALES}}, who="Ana")
        assert lost.fired == 1
        assert service.uncoded_lines("invoices", [document]) == []
        service.sync()
        assert service.status_of("invoices", Side.CRM, document).status is Status.SUCCESS
    at_rest(waiting)
