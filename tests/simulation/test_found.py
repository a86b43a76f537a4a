"""The shortest schedules that once broke a promise, kept so that none does again."""

from __future__ import annotations

import pytest

from tests.simulation.arena import Arena
from tests.simulation.drawing import Op
from tests.simulation.schedules import Report, play, settle

FOUND = {
    "an invoice deleted in Dynamics while the cache was lost, and credited in Xero": (
        Op("invoice_in_dynamics", 2723389015),
        Op("sync", 169499168),
        Op("cache_lost", 1664239351),
        Op("credit_in_xero", 692841119),
        Op("invoice_deleted_in_dynamics", 2536590597),
    ),
    "a Dynamics listing that leaves out the second of two invoices": (
        Op("invoice_in_dynamics", 3509356401),
        Op("somebody_edits_meanwhile", 3213020258),
        Op("fault", 4026019170),
        Op("invoice_in_dynamics", 567462790),
        Op("sync", 3338013815),
    ),
}


@pytest.mark.parametrize("ops", FOUND.values(), ids=FOUND)
def test_it_stays_whole(playground: Arena, ops: tuple[Op, ...]) -> None:
    assert play(playground, 0, ops).breaches == []


def test_what_was_changed_before_both_ended_comes_over_when_both_come_back(playground: Arena) -> None:
    arena, report = playground, Report(0, [])
    arena.begin()
    row = next(r for r in arena.rows("dataverse.account") if r["name"] == "Mere Motors")
    crm, xero = f"accounts({row['accountid']})", f"Contacts/{row['tie_xeroid']}"
    with arena.people() as people:
        people.crm("PATCH", crm, {"emailaddress1": "new@mere.example"})
        people.crm("PATCH", crm, {"statecode": 1, "statuscode": 2})
        people.xero("POST", xero, {"ContactStatus": "ARCHIVED"})
    arena.sync()
    arena.sandbox.advance(60)
    with arena.people() as people:
        people.crm("PATCH", crm, {"statecode": 0, "statuscode": 1})
        people.xero("POST", xero, {"ContactStatus": "ACTIVE"})
    settle(arena, report)
    arena.leave()
    assert report.breaches == []
    assert (arena.kernel.collection("xero.Contacts").get(row["tie_xeroid"]) or {})["EmailAddress"] == "new@mere.example"
