"""What people decide about pairs: taking one apart, making it again, and keeping one side's value. Each act is audited."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync_core.errors import Rejected
from sync_core.model import RunStatus, RunSummary, Side, Status
from sync_core.service.syncing import _said
from tests.flows.shop import act, sell, sync
from tests.scenarios.books import Books


def pair(books: Books) -> tuple[str, str]:
    with books.open() as service:
        (link,) = service._workspace.state.all_links("invoices")
        return link.crm_id, link.xero_id


@pytest.fixture
def sold(books: Books) -> Books:
    sell(books, "INV-1")
    sync(books)
    return books


def test_a_pair_taken_apart_stays_apart_until_a_person_links_it_again(sold):
    crm_id, xero_id = pair(sold)
    with sold.open() as service:
        service.unlink("invoices", crm_id, xero_id, who="Ana")
        at_once = service.status_of("invoices", Side.CRM, crm_id)
        told = Status.QUEUED, "Ana took its link apart. The next sync looks at it by itself."
        assert (at_once.status, at_once.remark) == told
        service.undo(who="Ana")
        service.sync()
        assert service.status_of("invoices", Side.CRM, crm_id).status is Status.SUCCESS
        service.unlink("invoices", crm_id, xero_id, who="Ana")
        service.sync()
        assert service.status_of("invoices", Side.CRM, crm_id).status is not Status.SUCCESS
        service.link("invoices", crm_id, xero_id, who="Ana")
        service.sync()
        assert service.status_of("invoices", Side.CRM, crm_id).status is Status.SUCCESS
        acts = [entry.act for entry in service._workspace.state.audit(10)]
    assert acts[:4] == ["link", "unlink", "undo unlink", "unlink"]


def test_what_people_took_apart_ties_out_by_no_pass_until_they_link_it_again(sold):
    """Number, Xero id, contact, amount and day would all bring the two together again."""
    crm_id, xero_id = pair(sold)

    def told(service) -> dict[str, str]:
        return {row["row_id"]: row["status"] for row in service.reconciliation_rows("invoices").to_pylist()}

    with sold.open() as service:
        assert told(service) == {f"crm:{crm_id}": "Matched"}
        service.unlink("invoices", crm_id, xero_id, who="Ana")
        assert told(service) == {f"crm:{crm_id}": "Missing in Xero", f"xero:{xero_id}": "Missing in CRM"}
        service.link("invoices", crm_id, xero_id, who="Ana")
        assert told(service) == {f"crm:{crm_id}": "Matched"}


def test_two_records_that_are_not_linked_cannot_be_taken_apart(sold):
    crm_id, _ = pair(sold)
    with sold.open() as service, pytest.raises(Rejected, match="not linked"):
        service.unlink("invoices", crm_id, "nobody", who="Ana")


def test_a_person_keeps_one_sides_value(sold):
    crm_id, _ = pair(sold)
    act(sold, "set in Dynamics", {"invoice": "INV-1", "due": "2027-01-31"})
    act(sold, "set in Xero", {"invoice": "INV-1", "due": "2027-02-28"})
    with sold.open() as service:
        service.sync()
        assert service.status_of("invoices", Side.CRM, crm_id).status is Status.CONFLICT
        service.resolve("invoices", crm_id, {"due_date": Side.XERO}, who="Ana")
        service.sync()
        detail = service.reconciliation_detail("invoices", f"crm:{crm_id}")
    assert next(line for line in detail.fields if line.name == "due_date").crm == "2027-02-28"


@pytest.mark.parametrize("before", [False, True], ids=["decided before any conflict", "decided on another value"])
def test_a_decision_does_not_cover_a_value_that_was_typed_afterwards(sold, before):
    crm_id, _ = pair(sold)
    if before:
        act(sold, "set in Dynamics", {"invoice": "INV-1", "due": "2027-01-30"})
        act(sold, "set in Xero", {"invoice": "INV-1", "due": "2027-02-27"})
    with sold.open() as service:
        service.sync()
        service.resolve("invoices", crm_id, {"due_date": Side.XERO}, who="Ana")
    act(sold, "set in Dynamics", {"invoice": "INV-1", "due": "2027-01-31"})
    act(sold, "set in Xero", {"invoice": "INV-1", "due": "2027-02-28"})
    with sold.open() as service:
        service.sync()
        assert service.status_of("invoices", Side.CRM, crm_id).status is Status.CONFLICT
        service.resolve("invoices", crm_id, {"due_date": Side.XERO}, who="Ana")
        service.sync()
        assert service.status_of("invoices", Side.CRM, crm_id).status is Status.SUCCESS


def test_a_value_that_cannot_be_written_there_is_refused_by_name(sold):
    crm_id, _ = pair(sold)
    with sold.open() as service, pytest.raises(Rejected, match="cannot be written to Dynamics"):
        service.resolve("invoices", crm_id, {"number": Side.XERO}, who="Ana")


def test_history_says_in_plain_words_which_values_stay(sold):
    crm_id, _ = pair(sold)
    with sold.open() as service:
        service.resolve("invoices", crm_id, {"due_date": Side.XERO}, who="Ana")
        words = [event.words for event in service.history("invoices", crm_id, None)]
    assert "decided what stays: Due date of Xero" in words


def test_history_does_not_claim_what_a_person_linked(sold):
    crm_id, xero_id = pair(sold)
    with sold.open() as service:
        service.unlink("invoices", crm_id, xero_id, who="Ana")
        service.link("invoices", crm_id, xero_id, who="Ana")
        told = {event.words: event.who for event in service.history("invoices", crm_id, xero_id)}
    assert told["linked by hand"] == "a person"


def test_what_came_of_a_partial_run_says_also_what_went_well(sold):
    now = sold.clock.now()
    counts = {"created": 2, "unchanged": 5, "conflict": 1, "failed": 1}
    run = RunSummary(
        "r1", RunStatus.PARTIAL, now, now, "Ana", "everything", counts, {}, "1 failed; the remark of each says why."
    )
    assert _said(run) == "2 created, 1 in conflict. 1 failed; the remark of each says why."
    assert _said(replace(run, counts={"unchanged": 5, "failed": 1})) == "1 failed; the remark of each says why."
    assert _said(replace(run, status=RunStatus.SUCCESS, message="")) == "2 created, 1 in conflict, 1 failed."
