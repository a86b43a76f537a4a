"""Every intended write is durable before its call and ends with one outcome."""

from __future__ import annotations

import pytest
from durable import MINUTE, NOON, another_process, intent, link, status

from sync_core.errors import Busy, Rejected
from sync_core.model import IntentStatus, Side, Status

I = IntentStatus  # noqa: E741 - the tables below read better


@pytest.fixture
def lease(state):
    return state.acquire("run-1", 5 * MINUTE)


def settle(state, number, what, remote_id=None, reason="", **more):
    state.settle([(f"i{number}", what, remote_id, reason)], **more)


def test_intents_come_back_as_planned_and_in_order(state):
    planned = [intent(n) for n in (3, 1, 2)]
    state.plan_intents(planned)
    assert state.unsettled() == state.intents("run-1") == planned
    assert state.intents("run-2") == []


def test_sending_carries_time_and_fence(state, lease):
    state.plan_intents([intent(1, fence=0), intent(2)])
    state.mark_sending(["i1"], NOON, lease)
    sent, waiting = state.unsettled()
    assert (sent.status, sent.first_sent_at, sent.fence) == (I.SENDING, NOON, lease.fence)
    assert waiting.status is I.PLANNED


def test_a_run_that_lost_its_lease_sends_nothing(state, lease, state_clock):
    state.plan_intents([intent(1)])
    state_clock.pass_(6 * MINUTE)
    state.acquire("run-2", MINUTE)
    with pytest.raises(Busy, match="run-2 took over"):
        state.mark_sending(["i1"], NOON, lease)
    assert state.unsettled()[0].status is I.PLANNED


def test_a_run_that_lost_its_lease_leaves_the_outcome_to_its_successor(state, lease, state_clock):
    state.plan_intents([intent(1)])
    state.mark_sending(["i1"], NOON, lease)
    state_clock.pass_(6 * MINUTE)
    state.acquire("run-2", MINUTE)
    with pytest.raises(Busy):
        settle(state, 1, I.APPLIED, links=[link(1, 1)], lease=lease)
    assert (state.link_counts(), state.unsettled()[0].status) == ({}, I.SENDING)


@pytest.mark.parametrize("outcome", [I.APPLIED, I.ADOPTED, I.REJECTED, I.CONFLICT, I.NEEDS_REVIEW])
def test_what_has_its_outcome_is_neither_sent_nor_planned_again(state, lease, outcome):
    state.plan_intents([intent(1), intent(2)])
    settle(state, 1, outcome)
    with pytest.raises(Rejected, match=f"i1 is {outcome} already"):
        state.mark_sending(["i2", "i1"], NOON, lease)
    with pytest.raises(Rejected, match=f"i1 is {outcome} already"):
        state.plan_intents([intent(1, attempt=2)])
    assert [left.status for left in state.unsettled()] == [I.PLANNED]


def test_what_is_being_sent_is_not_sent_twice(state, lease):
    state.plan_intents([intent(1)])
    state.mark_sending(["i1"], NOON, lease)
    with pytest.raises(Rejected, match="i1 is sending already"):
        state.mark_sending(["i1"], NOON, lease)


def test_a_lost_answer_keeps_the_first_sending_until_it_gets_a_new_key(state, lease):
    state.plan_intents([intent(1)])
    state.mark_sending(["i1"], NOON, lease)
    assert state.sending_to_unknown() == 1
    state.mark_sending(["i1"], NOON + MINUTE, lease)
    assert state.unsettled()[0].first_sent_at == NOON
    state.sending_to_unknown()
    state.plan_intents([intent(1, attempt=2, key="fresh")])
    again = state.unsettled()[0]
    assert (again.status, again.key, again.attempt, again.first_sent_at) == (I.PLANNED, "fresh", 2, None)


def test_outcome_link_and_status_are_kept_in_one(state, lease):
    state.plan_intents([intent(1), intent(2)])
    state.mark_sending(["i1", "i2"], NOON, lease)
    refused = ("i2", I.REJECTED, None, "The account code 999 is not valid.")
    state.settle([("i1", I.APPLIED, "x1", ""), refused], [link(1, 1)], [status(1)], lease)
    assert state.unsettled() == []
    assert [(i.status, i.remote_id, i.reason) for i in state.intents("run-1")] == [(I.APPLIED, "x1", ""), refused[1:]]
    assert state.link_counts() == {"invoice": 1}
    assert state.status_counts() == {"invoice": {Status.SUCCESS: 1}}
    assert state.count_by_status("run-1") == {I.APPLIED: 1, I.REJECTED: 1}


def test_a_clashing_link_keeps_nothing_of_a_settlement(state, lease):
    state.add_links([link(9, 1)])
    state.plan_intents([intent(1)])
    state.mark_sending(["i1"], NOON, lease)
    with pytest.raises(Rejected, match="c9 with x1"):
        settle(state, 1, I.APPLIED, "x1", links=[link(1, 1)], statuses=[status(1)])
    assert state.unsettled()[0].status is I.SENDING
    assert state.status_counts() == {}


def test_an_intent_that_was_never_planned_is_named(state, lease):
    with pytest.raises(Rejected, match="i7 was never planned"):
        settle(state, 7, I.APPLIED)
    with pytest.raises(Rejected, match="i7 was never planned"):
        state.mark_sending(["i7"], NOON, lease)


def test_a_later_settlement_without_an_id_keeps_the_known_one(state):
    state.plan_intents([intent(1)])
    settle(state, 1, I.NEEDS_REVIEW, "x1", "The amounts differ.")
    settle(state, 1, I.ADOPTED)
    assert state.intents("run-1")[0].remote_id == "x1"


def test_the_same_body_refused_before_is_found(state):
    state.plan_intents([intent(1), intent(2, crm_id=None, xero_id="x2")])
    for number in (1, 2):
        settle(state, number, I.REJECTED, reason="Xero refused it.")
    assert state.rejected("invoice", Side.XERO, "c1", "hash-1").reason == "Xero refused it."
    assert state.rejected("invoice", Side.XERO, "x2", "hash-2").id == "i2"
    for other in (("invoice", Side.XERO, "c1", "hash-2"), ("invoice", Side.CRM, "c1", "hash-1")):
        assert state.rejected(*other) is None
    assert set(state.rejections("invoice", Side.XERO)) == {("c1", "hash-1"), ("x2", "hash-2")}


@pytest.mark.parametrize(("later", "still"), [(I.APPLIED, False), (I.REJECTED, True), (None, True)])
def test_only_the_last_outcome_of_a_body_counts(state, later, still):
    state.plan_intents([intent(1), intent("1b", crm_id="c1", body_hash="hash-1")])
    settle(state, 1, I.REJECTED)
    if later:
        settle(state, "1b", later)
    assert (state.rejected("invoice", Side.XERO, "c1", "hash-1") is not None) is still
    assert bool(state.rejections("invoice", Side.XERO)) is still


def test_what_an_earlier_run_planned_and_never_sent_is_forgotten(state, lease, state_clock):
    state.plan_intents([intent(1), intent(2)])
    state.mark_sending(["i1"], NOON, lease)
    state_clock.pass_(6 * MINUTE)
    newer = state.acquire("run-2", MINUTE)
    state.plan_intents([intent(3, fence=newer.fence)])
    assert state.drop_planned(newer) == 1
    assert [left.id for left in state.unsettled()] == ["i1", "i3"]
    with pytest.raises(Busy):
        state.drop_planned(lease)


def test_organisations_share_ids_without_sharing_intents(state, open_here):
    other = open_here("other")
    state.plan_intents([intent(1)])
    other.plan_intents([intent(1, tag="other")])
    assert [left.tag for left in state.unsettled()] == ["INV-1"]
    settle(state, 1, I.APPLIED)
    assert [left.tag for left in other.unsettled()] == ["other"]
    assert other.sending_to_unknown() == 0


def test_a_kill_between_call_and_outcome_leaves_it_to_be_looked_up(state, state_url, tmp_path):
    code = (
        "from datetime import datetime\n"
        "lease = state.acquire('run-1', timedelta(hours=1))\nstate.plan_intents([intent(1)])\n"
        "state.mark_sending(['i1'], NOON, lease)\n"
        "with state.together():\n"
        "    state.settle([('i1', IntentStatus.APPLIED, 'x1', '')], [link(1, 1)], [status(1)])\n"
        "    say('not committed')\n    sys.stdin.readline()"
    )
    with another_process(state_url, tmp_path, code) as process:
        assert process.stdout.readline() == "not committed\n"
        process.kill()
    assert state.sending_to_unknown() == 1
    assert (state.unsettled()[0].status, state.link_counts(), state.status_counts()) == (I.UNKNOWN, {}, {})
