"""What a run notes of each record: the better word stays, and little is remembered, since a company has many records."""

import tracemalloc
from uuid import uuid4

import pytest

from sync_core.flows.ledger import RunLedger
from sync_core.model import Outcome, Side, Status
from sync_core.rules.plan import Act, Decision

KEY = ("invoices", Side.CRM, "i1")


@pytest.fixture
def ledger():
    return RunLedger(None, "run")  # it asks the state nothing here


def decision(act, status=Status.SUCCESS, crm_id="i1"):
    return Decision("invoices", act, crm_id, "x1", status, "In step.")


@pytest.mark.parametrize("after", [Act.UPDATE, Act.ADOPT])
def test_a_record_that_was_made_stays_made(ledger, after):
    assert ledger.done(decision(Act.CREATE))
    assert not ledger.done(decision(after))
    assert ledger.outcome(KEY) is Outcome.CREATED
    assert ledger.counts("invoices") == {Outcome.CREATED: 1}


def test_a_new_status_of_a_record_that_was_made_is_worth_a_word(ledger):
    ledger.done(decision(Act.CREATE))
    assert ledger.done(decision(Act.ADOPT, Status.BLOCKED))
    assert ledger.outcome(KEY) is Outcome.CREATED


def test_what_is_parked_counts_and_is_stamped_only_when_asked(ledger):
    ledger.done(decision(Act.PARK, Status.CONFLICT))
    assert (ledger.outcome(KEY), list(ledger.stamped())) == (Outcome.CONFLICT, [])
    ledger.stamp([KEY])
    assert (ledger.outcome(KEY), list(ledger.stamped())) == (Outcome.CONFLICT, [KEY])


def test_what_is_only_stamped_came_to_nothing(ledger):
    ledger.stamp([KEY])
    assert not ledger
    ledger.note(KEY, Outcome.FAILED)
    assert ledger


def test_little_is_remembered_of_a_record(ledger):
    ids = [str(uuid4()) for _ in range(5_000)]
    tracemalloc.start()
    try:
        for row_id in ids:
            ledger.done(decision(Act.ADOPT, crm_id=row_id))
        assert tracemalloc.get_traced_memory()[0] < 60 * len(ids)
    finally:
        tracemalloc.stop()
