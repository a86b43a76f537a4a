"""The schedule asks once per slot; the runner answers one request at a time. Clocks stand still, nothing sleeps."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from sync_core.errors import Busy, Configure
from sync_core.flows.schedule import Done, Runner, Schedule, slot
from sync_core.model import RunStatus, RunSummary
from sync_core.store.requests import RequestStatus
from sync_core.store.state import open_state

NOON = datetime(2026, 11, 20, 12, 4, tzinfo=UTC)


class Clock:
    at = NOON

    def __call__(self):
        return self.at


@pytest.fixture
def still():
    return Clock()


@pytest.fixture
def open_desk(tmp_path, still):
    opened = []

    def opener(organisation="org"):
        opened.append(open_state(f"sqlite:///{tmp_path / 'state.sqlite'}", organisation, "key", tmp_path, now=still))
        return opened[-1]

    yield opener
    for each in opened:
        each.close()


@pytest.fixture
def desk(open_desk):
    return open_desk()


@pytest.fixture
def schedule(desk, still):
    made = Schedule(desk, "org", 15, still)
    yield made
    made.stop()


def finished(desk, at, status=RunStatus.SUCCESS):
    desk.finish_run(RunSummary("r1", status, at, at, "schedule", "everything", {}, {}))


def answered(desk):
    Runner(desk, lambda _request: Done("r1", "Done.")).work_off()


@pytest.mark.parametrize(("at", "begins"), [("12:04", "12:00"), ("12:00", "12:00"), ("12:14:59", "12:00"), ("12:15", "12:15")])
def test_slots_are_counted_in_utc(at, begins):
    assert slot(datetime.fromisoformat(f"2026-11-20T{at}Z"), 15) == datetime.fromisoformat(f"2026-11-20T{begins}Z")


def test_a_clock_change_neither_repeats_nor_skips_a_slot():
    from zoneinfo import ZoneInfo

    london = ZoneInfo("Europe/London")
    first = datetime(2026, 10, 25, 1, 30, tzinfo=london, fold=0)
    second = datetime(2026, 10, 25, 1, 30, tzinfo=london, fold=1)
    assert slot(second, 15) - slot(first, 15) == timedelta(hours=1)


def test_two_schedulers_ask_once_per_slot(open_desk, still):
    one, two = (Schedule(open_desk(), "org", 15, still) for _ in range(2))
    assert one.fire() == two.fire()
    still.at += timedelta(minutes=15)
    answered(open_desk())
    assert two.fire() is not None


def test_it_does_not_pile_up_behind_a_long_run(desk, schedule, still):
    assert schedule.fire() is not None
    still.at += timedelta(minutes=15)
    assert schedule.fire() is None
    answered(desk)
    assert schedule.fire() is not None


def test_a_start_after_a_missed_slot_catches_up_once(desk, schedule, still):
    finished(desk, NOON - timedelta(hours=3))
    schedule.start()
    assert desk.next_request().args == {"who": "schedule"}
    assert desk.next_request() is None


def test_a_first_start_syncs_at_once(desk, schedule):
    schedule.start()
    assert desk.next_request() is not None


@pytest.mark.parametrize("status", [RunStatus.SUCCESS, RunStatus.PARTIAL])
def test_a_start_soon_after_a_run_waits_for_its_slot(desk, schedule, status):
    finished(desk, NOON - timedelta(minutes=4), status)
    schedule.start()
    assert desk.next_request() is None


def test_a_failed_run_is_caught_up(desk, schedule):
    finished(desk, NOON - timedelta(minutes=4), RunStatus.FAILED)
    schedule.start()
    assert desk.next_request() is not None


def test_the_next_run_is_the_next_slot(schedule):
    schedule.start()
    view = schedule.view()
    assert (view.minutes, view.paused) == (15, False)
    assert view.next_run is not None
    assert slot(view.next_run, 15) == view.next_run


def test_paused_it_asks_for_nothing_and_says_so_after_a_restart(open_desk, still):
    Schedule(open_desk(), "org", 15, still).pause("A. Kaur")
    again = Schedule(open_desk(), "org", 15, still)
    assert again.fire() is None
    assert (again.view().paused, again.view().next_run) == (True, None)
    again.resume("A. Kaur")
    assert again.fire() is not None


def test_resuming_catches_up(desk, schedule):
    schedule.pause("A. Kaur")
    schedule.start()
    assert desk.next_request() is None
    schedule.resume("A. Kaur")
    assert desk.next_request() is not None


def test_an_interval_below_a_minute_is_refused(desk, still):
    with pytest.raises(Configure, match="TIEOUT_SYNC_MINUTES"):
        Schedule(desk, "org", 0, still)


def test_the_runner_answers_in_order_and_keeps_what_came_of_it(desk):
    first, second = (desk.enqueue("sync", {"n": n}, None, NOON) for n in (1, 2))
    runner = Runner(desk, lambda request: Done(f"run-{request.args['n']}", "Nothing changed."))
    assert runner.work_off()
    assert runner.work_off()
    assert not runner.work_off()
    assert [desk.request(i).run for i in (first, second)] == ["run-1", "run-2"]
    assert desk.request(first).status is RequestStatus.DONE


@pytest.mark.parametrize(
    ("error", "said"),
    [(Busy("Another run holds it."), "Another run holds it."), (ZeroDivisionError("/secret/path"), "not foreseen")],
)
def test_a_request_that_fails_says_so_and_ends_nothing(desk, error, said):
    def work(_request):
        raise error

    asked = desk.enqueue("sync", {}, None, NOON)
    assert Runner(desk, work).work_off()
    assert desk.request(asked).status is RequestStatus.FAILED
    assert said in desk.request(asked).message
    assert "secret" not in desk.request(asked).message


def test_the_thread_takes_what_a_killed_one_left_and_stops(desk):
    asked = desk.enqueue("sync", {}, None, NOON)
    assert desk.next_request("runner").id == asked
    worked = threading.Event()

    def work(_request):
        worked.set()
        return Done("r1", "Done.")

    runner = Runner(desk, work)
    runner.start()
    assert worked.wait(10)
    assert runner.stop()
    assert desk.request(asked).status is RequestStatus.DONE


def test_requests_never_overlap(desk):
    now, most = [], []

    def work(request):
        now.append(request.id)
        most.append(len(now))
        now.remove(request.id)
        return Done("r", "Done.")

    ids = [desk.enqueue("sync", {}, None, NOON) for _ in range(5)]
    runner = Runner(desk, work, poll=timedelta(milliseconds=5))
    runner.start()
    while desk.request(ids[-1]).finished_at is None:
        threading.Event().wait(0.005)
    assert runner.stop()
    assert max(most) == 1


def test_it_says_why_the_last_sync_failed_until_one_goes_well(desk, schedule, still):
    schedule.fire()
    Runner(desk, lambda _request: Done("", "Xero does not answer.", failed=True)).work_off()
    assert schedule.view().trouble == "Xero does not answer."
    still.at += timedelta(minutes=15)
    schedule.fire()
    answered(desk)
    assert schedule.view().trouble == ""


@pytest.mark.parametrize(("scope", "gone"), [("everything", True), ("invoices", False)])
def test_a_persons_sync_of_everything_that_went_well_ends_the_trouble(desk, schedule, still, scope, gone):
    schedule.fire()
    Runner(desk, lambda _request: Done("", "Xero does not answer.", failed=True)).work_off()
    begun = desk.request(1).finished_at + timedelta(seconds=1)
    desk.finish_run(RunSummary("r2", RunStatus.SUCCESS, begun, begun, "console", scope, {}, {}))
    assert (schedule.view().trouble == "") is gone


def test_a_notice_brings_a_sync_at_once_where_the_last_one_is_a_while_ago(desk, schedule, still):
    finished(desk, NOON - timedelta(minutes=6))
    assert schedule.hear() == NOON
    assert desk.next_request().args == {"who": "a notice from Xero"}


def test_notices_that_come_together_twice_or_out_of_order_are_answered_by_one_sync(desk, schedule):
    for _ in range(20):
        schedule.hear()
    assert desk.next_request() is not None
    assert desk.next_request() is None


def test_a_notice_soon_after_a_run_waits_so_that_the_days_calls_last(desk, schedule, still):
    finished(desk, NOON - timedelta(minutes=2))
    schedule.start()
    assert schedule.hear() == NOON + timedelta(minutes=3)
    assert desk.next_request() is None
    still.at += timedelta(minutes=3)
    schedule.hear()
    assert desk.next_request() is not None


def test_a_notice_while_paused_waits_for_the_person_who_paused(desk, schedule):
    schedule.pause("Mere")
    assert schedule.hear() is None
    assert desk.next_request() is None
