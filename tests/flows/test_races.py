"""A person changes a record in the moment between Tieout's look and its write."""

from __future__ import annotations

import pytest

from sync_core.errors import Busy
from sync_core.flows.bodies import twin_id
from tests.flows.shop import act, at_rest, numbers, remark, rows, sell, sync
from tests.scenarios.people import People


def test_a_row_that_moved_meanwhile_is_read_again_and_decided_once_more_in_the_same_run(books):
    act(books, "customer in Dynamics", {"name": "Pohara Boats", "city": "Takaka"})
    with books.open() as service:
        service.sync()
    act(books, "set in Xero", {"contact": "Pohara Boats", "email": "new@pohara.example"})
    raced: list[str] = []

    def step(name: str) -> None:
        if name == "marked as sending" and not raced:
            raced.append(name)
            with People(books.sandbox) as people:
                people.act("set in Dynamics", {"customer": "Pohara Boats", "city": "Pohara"})

    with books.open(step) as service:
        result = service.sync()
    assert raced
    assert result.summary.status == "success"
    kept = next(r for r in rows(books, "dataverse.account") if r["name"] == "Pohara Boats")
    assert (kept.get("emailaddress1"), kept["address1_city"]) == ("new@pohara.example", "Pohara")
    (twin,) = (r for r in rows(books, "xero.Contacts") if r["Name"] == "Pohara Boats")
    assert twin["Addresses"]["POBOX"]["City"] == "Pohara"
    at_rest(books)


def test_a_new_row_whose_earlier_attempt_arrives_late_is_compared_before_it_is_called_agreed(books):
    """The attempt that got no answer carried what Xero held then; somebody has changed that since."""
    act(books, "contact in Xero", {"name": "Tarn Tours", "email": "new@tarn.example"})
    (twin,) = (r for r in rows(books, "xero.Contacts") if r["Name"] == "Tarn Tours")
    late: list[str] = []

    def step(name: str) -> None:
        if name == "intents planned" and not late:
            late.append(twin_id(service._workspace.organisation, "contacts", twin["ContactID"]))
            with People(books.sandbox) as people:
                people.crm("PATCH", f"accounts({late[0]})", {"name": "Tarn Tours", "emailaddress1": "old@tarn.example"})

    with books.open(step) as service:
        service.sync()
    with books.open() as service:
        service.sync()
        statuses = [s for s in service.statuses("contacts") if s.id == late[0]]
    (row,) = (r for r in rows(books, "dataverse.account") if r["name"] == "Tarn Tours")
    assert row["accountid"] == late[0]
    said = [s.status for s in statuses]
    assert row["emailaddress1"] == "new@tarn.example" or said == ["Conflict"]
    at_rest(books)


def test_a_pair_that_is_about_to_be_made_cannot_be_linked_otherwise_meanwhile(books):
    """Or the record would be made in Xero and linked with another one."""
    sell(books, "INV-1")
    invoice = rows(books, "dataverse.invoice")[0]["invoiceid"]
    refused: list[str] = []

    def step(name: str) -> None:
        if name == "intents planned" and not refused:
            with pytest.raises(Busy) as stopped:
                service.link("invoices", invoice, "11111111-1111-4111-8111-111111111111", who="Ana")
            refused.append(stopped.value.message)

    with books.open(step) as service:
        assert service.sync().summary.status == "success"
    assert "Wait until it is done, then try again." in refused[0]
    at_rest(books)


def test_what_was_refused_over_a_period_locked_meanwhile_goes_once_it_is_open_again(books):
    sell(books, "INV-1")
    locked: list[str] = []
    (organisation,) = rows(books, "xero.Organisations")

    def lock(day: str | None) -> None:
        books.sandbox.edit("xero", "Organisations", organisation["OrganisationID"], PeriodLockDate=day)

    def step(name: str) -> None:
        if name == "marked as sending" and not locked:
            locked.append(name)
            lock("2026-12-31")

    with books.open(step) as service:
        service.sync()
    assert remark(books, "INV-1")[0] == "Failed"
    assert "lock date" in remark(books, "INV-1")[1]
    sync(books)
    assert remark(books, "INV-1")[0] == "Skipped"
    lock(None)
    sync(books)
    assert remark(books, "INV-1")[0] == "Success"
    assert numbers(books) == ["INV-1"]
    at_rest(books)


def test_what_is_refused_again_is_not_sent_in_every_run(books):
    """A refusal is remembered again as soon as the record stands as refused and waits for nothing else."""
    sell(books, "INV-1")
    body, json = '{"Elements":[{"ValidationErrors":[{"Message":"No"}]}]}', {"content-type": "application/json"}
    whole = {"status": 400, "body": body, "headers": json, "times": None}
    fault = books.sandbox.fault("status", system="xero", method="PUT", path="/Invoices$", **whole)
    for _ in range(3):
        sync(books)
    assert fault.fired == 1
    assert remark(books, "INV-1")[0] == "Failed"
