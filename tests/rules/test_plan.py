"""The plan: what it writes, what it is bound to, and what it is expected to come to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync_core.model import Outcome, Side, Status, Verb
from sync_core.rules.compare import Clash
from sync_core.rules.plan import Act, Decision, Plan, calls_for, plan_view

CRM, XERO = Side.CRM, Side.XERO
NEW = Decision("contacts", Act.CREATE, "c1", None, Status.SUCCESS, "Created.", target=XERO)
CHANGED = Decision("invoices", Act.UPDATE, "c2", "x2", Status.SUCCESS, "Brought.", changes={XERO: {"due_date": "2026-12-01"}})
BOTH_WAYS = replace(CHANGED, crm_id="c3", xero_id="x3", changes={XERO: {"due_date": "d"}, CRM: {"settled": True}})
PARKED = Decision("invoices", Act.PARK, "c4", None, Status.BLOCKED, "Waits.")
BACK = Decision("payments", Act.CREATE, None, "x5", Status.SUCCESS, "Created.", target=CRM)
ALL = (NEW, CHANGED, BOTH_WAYS, PARKED, BACK)


def plan(*decisions, organisation="org"):
    return Plan(organisation, decisions)


def test_only_creates_and_updates_write():
    assert plan(*ALL).writes() == {
        ("contacts", XERO, Verb.CREATE): 1,
        ("invoices", XERO, Verb.UPDATE): 2,
        ("invoices", CRM, Verb.UPDATE): 1,
        ("payments", CRM, Verb.CREATE): 1,
    }


def test_the_hash_is_of_what_is_written_in_whatever_order():
    assert plan(*ALL).hash == plan(*reversed(ALL)).hash
    assert plan(*ALL).hash == plan(*ALL, replace(PARKED, crm_id="c9")).hash


@pytest.mark.parametrize(
    "other",
    [
        plan(*ALL[:-1]),
        plan(NEW, replace(CHANGED, changes={XERO: {"due_date": "2026-12-02"}}), *ALL[2:]),
        plan(NEW, replace(CHANGED, changes={CRM: {"due_date": "2026-12-01"}}), *ALL[2:]),
        plan(*ALL, organisation="another"),
    ],
    ids=["one less", "another value", "another side", "another organisation"],
)
def test_anything_else_that_would_be_written_is_another_plan(other):
    assert other.hash != plan(*ALL).hash


def test_a_record_answers_for_its_pair_in_dynamics_where_there_is_one():
    assert CHANGED.key == ("invoices", CRM, "c2")
    assert BACK.key == ("payments", XERO, "x5")


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        (NEW, Outcome.CREATED),
        (CHANGED, Outcome.UPDATED),
        (PARKED, Outcome.BLOCKED),
        (replace(CHANGED, act=Act.ADOPT, changes={}), Outcome.UNCHANGED),
        (replace(CHANGED, status=Status.CONFLICT, clashes=(Clash("f", 1, 2, 3),)), Outcome.CONFLICT),
        (replace(PARKED, status=Status.NEEDS_REVIEW), Outcome.CONFLICT),
        (replace(PARKED, status=Status.EXCLUDED), Outcome.SKIPPED),
        (replace(PARKED, status=Status.MISSING_IN_CRM), Outcome.SKIPPED),
        (replace(PARKED, status=Status.FAILED), Outcome.FAILED),
    ],
)
def test_what_a_decision_counts_as(decision, expected):
    assert decision.outcome is expected


def test_every_decision_counts_once():
    assert sum(plan(*ALL).outcomes().values()) == len(ALL)


def test_calls_are_the_fewest_that_the_writes_need():
    writes = {("contacts", XERO, Verb.CREATE): 101, ("invoices", XERO, Verb.UPDATE): 1, ("payments", CRM, Verb.CREATE): 1000}
    assert calls_for(writes.items(), {XERO: 50, CRM: 100}) == {XERO: 4, CRM: 10}


def test_the_view_of_a_plan_adds_up():
    view = plan_view(plan(*ALL), {CRM: 100, XERO: 50}, ["Too many."])
    assert (view["writes"], view["calls"], view["stopped"]) == (5, 4, ["Too many."])
    assert sum(row["count"] for row in view["by_entity"]) == view["writes"]
