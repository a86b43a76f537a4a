"""Syncs that nobody presses: a schedule that only asks, and a runner that does what was asked, one request at a time.

The schedule never works itself. It puts a request into the state whose key is made from the time slot, so that two
schedulers ask once, and whoever owns the cache takes it. Slots are counted from a fixed instant in UTC: clocks that change
for summer neither repeat nor skip one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from sync_core.errors import Configure, Rejected, TieoutError
from sync_core.flows.scope import Scope
from sync_core.model import RunStatus, RunSummary
from sync_core.store.requests import Request, RequestStatus

BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
MISFIRE_GRACE = timedelta(minutes=5)
PAUSED = "schedule.paused"
MINUTES = "schedule.minutes"
LONGEST = 7 * 24 * 60
RUNNER = "runner"
SCHEDULE = "schedule"
SYNC = "sync"
NOTICE = "a notice from Xero"
NOTICES_APART = timedelta(minutes=5)
"""How long after the end of a run a notice may bring the next one: each costs a look at every list, of 5,000 calls a day."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """``next_run`` is UTC, None while paused or when nothing is running that could fire. ``minutes`` lie between two runs.

    ``trouble`` says why the sync that was asked for last failed, "" when it did not, or when a later one went well.
    """

    next_run: datetime | None
    paused: bool
    minutes: int
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a request: the run that answered it, "" when none began, and a sentence."""

    run: str
    message: str
    failed: bool = False


class Queue(Protocol):
    """What the runner needs of the state."""

    def next_request(self, holder: str = ...) -> Request | None: ...
    def finish_request(self, request_id: int, message: str, *, run: str = ..., failed: bool = ...) -> None: ...
    def requeue_claimed(self, holder: str) -> int: ...


class Desk(Protocol):
    """What the schedule needs of the state."""

    def enqueue(self, kind: str, args: dict[str, Any], dedupe_key: str | None, at: datetime) -> int: ...
    def request(self, request_id: int) -> Request | None: ...
    def runs(self, limit: int) -> list[RunSummary]: ...
    def mapping(self, key: str) -> str | None: ...
    def set_mapping(self, key: str, value: str, who: str, at: datetime) -> None: ...


class Runner:
    """A thread that takes requests from ``queue`` in their order and answers each with ``work``, never two at once."""

    def __init__(self, queue: Queue, work: Callable[[Request], Done], *, poll: timedelta = timedelta(seconds=1)) -> None:
        self._queue, self._work, self._poll = queue, work, poll
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._live, name="tieout runner", daemon=True)

    def start(self) -> None:
        """Begin; what a former self had taken and not finished waits again first."""
        self._queue.requeue_claimed(RUNNER)
        self._thread.start()

    def stop(self, patience: timedelta = timedelta(seconds=30)) -> bool:
        """Take nothing new and wait for the request at hand. False when it was still at work after ``patience``."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(patience.total_seconds())
        return not self._thread.is_alive()

    def work_off(self) -> bool:
        """Answer the oldest request that waits. False when there is none."""
        request = self._queue.next_request(RUNNER)
        if request is None:
            return False
        done = self._answer(request)
        self._queue.finish_request(request.id, done.message, run=done.run, failed=done.failed)
        return True

    def _answer(self, request: Request) -> Done:
        try:
            return self._work(request)
        except TieoutError as error:
            return Done("", error.message, failed=True)
        except Exception:  # one request that fails in an unforeseen way must not end all later ones
            log.exception("request failed", request=request.id, kind=request.kind)
            return Done("", "It failed in a way that was not foreseen; the server's log says where.", failed=True)

    def _live(self) -> None:
        while not self._stopping.is_set():
            if not self._worked():
                self._stopping.wait(self._poll.total_seconds())

    def _worked(self) -> bool:
        try:
            return self.work_off()
        except TieoutError as error:
            log.warning("requests cannot be read", reason=error.message)
            return False


class Schedule:
    """Asks for a sync every ``minutes``. Whether it is paused stands in the state, so that it outlives a restart."""

    def __init__(self, desk: Desk, organisation: str, minutes: int, now: Callable[[], datetime]) -> None:
        if minutes < 1:
            raise Configure("The setting TIEOUT_SYNC_MINUTES is wrong: set at least one minute between two syncs.")
        self._desk, self._organisation, self._preset, self._now = desk, organisation, minutes, now
        self._asked: int | None = None
        self._scheduler = BackgroundScheduler(timezone=UTC)

    def start(self) -> None:
        """Fire from now on, and once at once when the last slot was missed or nothing was ever synced."""
        self._scheduler.add_job(
            self._on_time,
            self._trigger(),
            id=SYNC,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=int(MISFIRE_GRACE.total_seconds()),
        )
        self._scheduler.start()
        if self._is_due():
            self._on_time()

    @property
    def minutes(self) -> int:
        """Between two runs: what a person chose last, else the setting."""
        chosen = self._desk.mapping(MINUTES) or ""
        return int(chosen) if chosen.isdecimal() else self._preset

    def set_minutes(self, minutes: int, who: str) -> None:
        """Ask every so many minutes from now on. Raises Rejected for less than one and more than a week."""
        if not 1 <= minutes <= LONGEST:
            raise Rejected(f"Choose from 1 to {LONGEST:,} minutes between two syncs.", field="minutes")
        self._desk.set_mapping(MINUTES, str(minutes), who, self._now())
        if self._scheduler.running:
            self._scheduler.reschedule_job(SYNC, trigger=self._trigger())

    def _trigger(self) -> IntervalTrigger:
        return IntervalTrigger(minutes=self.minutes, start_date=BEGINNING, timezone=UTC)

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def _on_time(self) -> None:
        _asking(self.fire, "scheduled sync could not be asked for")

    def fire(self) -> int | None:
        """Ask for the sync of this slot. None when paused, or when what was asked before still waits or runs."""
        if self.paused or self._unanswered():
            return None
        at = self._now()
        key = f"{self._organisation}|{SYNC}|{slot(at, self.minutes):%Y-%m-%dT%H:%MZ}"
        self._asked = self._desk.enqueue(SYNC, {"who": SCHEDULE}, key, at)
        return self._asked

    def hear(self) -> datetime | None:
        """Something changed in a system: ask for a sync, at once or :data:`NOTICES_APART` after the last one ended.

        Returns when (UTC), None while paused. However many notices come meanwhile, one sync answers them.
        """
        if self.paused:
            return None
        now = self._now()
        due = max([now, *((r.finished or r.started) + NOTICES_APART for r in self._desk.runs(1))])
        if due <= now:
            self._desk.enqueue(SYNC, {"who": NOTICE}, f"{self._organisation}|notice|{now:%Y-%m-%dT%H:%MZ}", now)
        elif self._scheduler.running:
            at = datetime.now(UTC) + (due - now)
            self._scheduler.add_job(self._on_notice, DateTrigger(at), id=NOTICE, replace_existing=True, misfire_grace_time=None)
        return due

    def _on_notice(self) -> None:
        _asking(self.hear, "sync after a notice could not be asked for")

    @property
    def paused(self) -> bool:
        return self._desk.mapping(PAUSED) == "yes"

    def pause(self, who: str) -> None:
        """Ask for nothing until :meth:`resume`. A run that is under way goes on."""
        self._desk.set_mapping(PAUSED, "yes", who, self._now())

    def resume(self, who: str) -> None:
        """Go on, and catch up once on what was missed."""
        self._desk.set_mapping(PAUSED, "no", who, self._now())
        if self._scheduler.running and self._is_due():
            self.fire()

    def view(self) -> ScheduleView:
        paused = self.paused
        job = self._scheduler.get_job(SYNC) if self._scheduler.running else None
        return ScheduleView(None if paused or job is None else job.next_run_time, paused, self.minutes, self._trouble())

    def _is_due(self) -> bool:
        """Whether no run came to an end within the last interval."""
        since = self._now() - timedelta(minutes=self.minutes)
        ended = (r.finished for r in self._desk.runs(20) if r.status in (RunStatus.SUCCESS, RunStatus.PARTIAL))
        return not any(finished is not None and finished > since for finished in ended)

    def _trouble(self) -> str:
        before = self._before()
        if before is None or before.status is not RequestStatus.FAILED:
            return ""
        return "" if self._went_well_since(before) else before.message

    def _went_well_since(self, request: Request) -> bool:
        """Whether a person's sync of everything came to its end after that request failed: its reason is gone."""
        failed_at = request.finished_at or request.asked_at
        well = (r for r in self._desk.runs(20) if r.status in (RunStatus.SUCCESS, RunStatus.PARTIAL))
        return any(run.scope == Scope().label and run.started >= failed_at for run in well)

    def _before(self) -> Request | None:
        return None if self._asked is None else self._desk.request(self._asked)

    def _unanswered(self) -> bool:
        before = self._before()
        return before is not None and before.status in (RequestStatus.QUEUED, RequestStatus.CLAIMED)


def _asking(ask: Callable[[], object], otherwise: str) -> None:
    """Ask from the scheduler's thread, where nobody would hear of a failure: it is logged, and the next slot asks again."""
    try:
        ask()
    except TieoutError as error:
        log.warning(otherwise, reason=error.message)


def slot(at: datetime, minutes: int) -> datetime:
    """The beginning of the interval in which ``at`` (aware) lies; the same for every scheduler with those ``minutes``."""
    length = timedelta(minutes=minutes)
    return BEGINNING + (at.astimezone(UTC) - BEGINNING) // length * length
