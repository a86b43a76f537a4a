"""Runs, refused plans, overrides, mappings and the queue of requests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from durable import MINUTE, NOON, StillClock, summary

from sync_core.errors import Busy, Rejected
from sync_core.model import Calls, RunStatus, SlowCall
from sync_core.store.requests import RequestStatus


def test_a_run_is_told_as_it_was(state):
    state.start_run("run-1", "hand", "all", NOON)
    assert state.run("run-1").status is RunStatus.RUNNING
    slow = (SlowCall("GET", "/api.xro/2.0/Invoices", 1250, NOON),)
    done = summary("run-1", RunStatus.PARTIAL, calls={"xero": Calls(3, 2, slow)}, by_entity={"invoice": {"created": 2}})
    state.finish_run(done)
    assert state.run("run-1") == done
    assert state.run("run-1").calls["xero"].slowest == slow
    assert state.run("run-9") is None


def test_one_slot_runs_once(state):
    state.start_run("slot-1200", "schedule", "all", NOON)
    with pytest.raises(Busy, match="slot-1200 was started already"):
        state.start_run("slot-1200", "schedule", "all", NOON)


def test_runs_come_latest_first(state):
    for number, what in enumerate((RunStatus.SUCCESS, RunStatus.FAILED, RunStatus.BUSY)):
        state.finish_run(summary(f"run-{number}", what, NOON + number * MINUTE))
    assert [run.run for run in state.runs(2)] == ["run-2", "run-1"]
    assert state.last_success().run == "run-0"


def test_a_run_that_died_is_closed_by_the_next_holder(state):
    state.start_run("dead", "hand", "all", NOON)
    state.start_run("mine", "hand", "all", NOON)
    lease = state.acquire("mine", MINUTE)
    assert state.abandon_runs(lease, "The program ended before this run was done.") == ["dead"]
    assert (state.run("dead").status, state.run("mine").status) == (RunStatus.FAILED, RunStatus.RUNNING)


def test_a_refused_plan_is_kept_character_for_character(state):
    body = '{"total": 10.10,  "name": "Caf\\u00e9"}'
    state.save_plan("run-1", "abc", body)
    assert state.plan("abc") == body
    assert state.plan("abd") is None


def test_an_override_counts_once_and_for_its_plan_only(state):
    state.grant_override("abc", "too many changes", "kim", NOON)
    assert not state.take_override("abd")
    assert state.granted_rails("abc") == {"too many changes"}
    assert [state.take_override("abc"), state.take_override("abc")] == [True, False]


def test_one_of_many_takes_the_override(state):
    state.grant_override("abc", "too many changes", "kim", NOON)
    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(state.take_override, ["abc"] * 6)) == 1


def test_mappings_are_set_changed_and_listed_by_prefix(state):
    for key, value in (("type.b", "Vendor"), ("type.a", "Customer"), ("Type.c", "x"), ("type_a", "x")):
        state.set_mapping(key, value, "kim", NOON)
    state.set_mapping("type.a", "Employee", "kim", NOON)
    assert state.mapping("type.a") == "Employee"
    assert list(state.mappings("type.").items()) == [("type.a", "Employee"), ("type.b", "Vendor")]
    assert state.remove_mapping("type.a")
    assert state.mapping("type.a") is None


def test_requests_are_done_in_order_and_once(state, state_clock: StillClock):
    first = state.enqueue("sync", {"scope": "all"}, "slot-1", NOON)
    second = state.enqueue("verify", {"ids": ["1"]}, None, NOON)
    assert state.enqueue("sync", {"scope": "all"}, "slot-1", NOON) == first
    claimed = state.next_request("server")
    assert (claimed.id, claimed.args, claimed.claimed_by, claimed.claimed_at) == (first, {"scope": "all"}, "server", NOON)
    state_clock.pass_(MINUTE)
    state.finish_request(first, "2 created", run="run-1")
    assert state.next_request().id == second
    assert state.next_request() is None
    done = state.request(first)
    assert (done.status, done.run, done.finished_at) == (RequestStatus.DONE, "run-1", NOON + MINUTE)


def test_the_same_slot_is_not_done_again_after_it_was_done(state):
    first = state.enqueue("sync", {}, "slot-1", NOON)
    state.finish_request(state.next_request().id, "done")
    assert state.enqueue("sync", {}, "slot-1", NOON) == first
    assert state.next_request() is None


def test_a_request_goes_to_one_of_many(state):
    for number in range(4):
        state.enqueue("sync", {}, f"slot-{number}", NOON)
    with ThreadPoolExecutor(8) as pool:
        got = [request.id for request in pool.map(state.next_request, ["server"] * 8) if request]
    assert len(got) == len(set(got)) == 4


def test_what_a_dead_server_claimed_waits_again(state):
    request_id = state.enqueue("sync", {}, None, NOON)
    state.next_request("server")
    assert state.requeue_claimed("another") == 0
    assert state.requeue_claimed("server") == 1
    assert state.next_request("server").id == request_id


def test_organisations_do_not_see_each_others_runs_plans_and_settings(state, open_here):
    other = open_here("other")
    state.finish_run(summary("run-1", RunStatus.SUCCESS))
    state.save_plan("run-1", "abc", "{}")
    state.grant_override("abc", "too many changes", "kim", NOON)
    state.set_mapping("type.a", "Customer", "kim", NOON)
    request_id = state.enqueue("sync", {}, "slot-1", NOON)
    assert (other.runs(9), other.run("run-1"), other.last_success()) == ([], None, None)
    assert (other.plan("abc"), other.granted_rails("abc"), other.take_override("abc")) == (None, frozenset(), False)
    assert (other.mapping("type.a"), other.mappings(), other.remove_mapping("type.a")) == (None, {}, False)
    assert (other.next_request(), other.request(request_id)) == (None, None)
    assert state.next_request().id == request_id
    assert other.enqueue("sync", {}, "slot-1", NOON) != request_id


def test_an_unknown_request_is_refused(state):
    with pytest.raises(Rejected):
        state.finish_request(7, "done")
