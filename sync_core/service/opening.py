"""Opening an organisation, and what is done without its cache."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from sync_core.errors import Busy, Retryable
from sync_core.flows.schedule import Done
from sync_core.flows.scope import Scope
from sync_core.flows.surroundings import Surroundings
from sync_core.flows.workspace import Step, Workspace, no_step
from sync_core.model import DataAge, RunSummary, Side
from sync_core.service.answers import AuditReport, Overview
from sync_core.service.coding import Coding
from sync_core.service.connecting import XERO_SIGN_IN
from sync_core.service.desk import RunningRun
from sync_core.service.filing import Filing
from sync_core.service.listing import Listing
from sync_core.service.pairing import Pairing
from sync_core.service.previewing import Previewing
from sync_core.service.questions import answer, answer_of, answered, is_question
from sync_core.service.ruling import Ruling
from sync_core.service.syncing import Syncing
from sync_core.settings import Settings, load_settings
from sync_core.store.audit import AuditEntry
from sync_core.store.cache_opening import open_cache
from sync_core.store.requests import Request
from sync_core.store.state import State, open_state
from sync_core.systems.base import Clock, System
from sync_core.systems.dataverse import Dataverse
from sync_core.systems.oauth import EntraTokens, XeroTokens
from sync_core.systems.xero import Xero

TAKEN_WITHIN = timedelta(seconds=10)
log = structlog.get_logger(__name__)


class SystemClock:
    """Real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Service(Syncing, Filing, Previewing, Pairing, Ruling, Coding, Listing):
    """One organisation, open for business. Close it when done."""

    def _perform(self, request: Request) -> Done:
        if is_question(request):
            return answered(self, request)
        done = super()._perform(request)
        self.note_differences(run=done.run)
        return done

    def close(self) -> None:
        self.stop_background()
        self.close_pasts()
        self._workspace.close()


@contextmanager
def open_service(settings: Settings | None = None, *, clock: Clock | None = None, step: Step = no_step) -> Iterator[Service]:
    """Open everything, and close it at the end. Raises Configure or Busy with one sentence; nothing is left open then."""
    chosen = settings if settings is not None else load_settings()
    chosen.require_connections()
    ticking = clock or SystemClock()
    _log_to_stderr()
    running = RunningRun()
    with ExitStack() as opened:
        cache = open_cache(chosen.cache_path)
        opened.callback(cache.close)
        secret = chosen.secret_key.get_secret_value() or None
        state = open_state(chosen.state_address, chosen.organisation, secret, chosen.data_dir, now=ticking.now)
        opened.callback(state.close)
        entra = EntraTokens(chosen, ticking)
        opened.callback(entra.close)
        sign_in = XeroTokens(chosen, ticking, state.credential_store(XERO_SIGN_IN))
        opened.callback(sign_in.close)
        dynamics = Dataverse(chosen, ticking, entra, lambda: running.id)
        opened.callback(dynamics.close)
        xero = Xero(chosen, ticking, sign_in, lambda: running.id)
        opened.callback(xero.close)
        systems: dict[Side, System] = {Side.CRM: dynamics, Side.XERO: xero}
        workspace = Workspace(chosen.organisation, cache, state, systems, ticking, Surroundings(cache, state), step)
        service = Service(chosen, workspace, dynamics, running, sign_in)
        opened.callback(service.close_pasts)
        opened.callback(service.stop_background)
        yield service


def follow_sync(settings: Settings, scope: Scope, *, who: str, clock: Clock | None = None) -> RunSummary:
    """Hand a sync to the process that owns the cache, and wait for what comes of it. Raises Busy when nobody takes it."""
    ticking = clock or SystemClock()
    with _state_alone(settings, ticking) as state:
        request = _handed_over(state, "sync", scope.as_json() | {"who": who}, ticking)
        summary = state.run(request.run) if request.run else None
        if summary is None:
            raise Busy(request.message)
        return summary


def ask(kind: str, args: Mapping[str, Any], *, settings: Settings | None = None, clock: Clock | None = None) -> dict[str, Any]:
    """The answer to a question (see ``questions``), by this process or by the one that has the cache.

    Raises TieoutError with what is wrong, Busy when another process has the cache and takes no requests.
    """
    chosen, ticking = settings if settings is not None else load_settings(), clock or SystemClock()
    opened = False
    try:
        with open_service(chosen, clock=ticking) as service:
            opened = True
            return answer(service, kind, args)
    except Busy:
        if opened:
            raise
    return ask_elsewhere(kind, args, chosen, ticking)


def ask_elsewhere(kind: str, args: Mapping[str, Any], settings: Settings, clock: Clock) -> dict[str, Any]:
    """The answer of the process that has the cache. Raises as :func:`ask`."""
    with _state_alone(settings, clock) as state:
        return answer_of(_handed_over(state, kind, args, clock))


def overview_of(settings: Settings | None = None, *, clock: Clock | None = None) -> Overview:
    """How the organisation stands, also while another process has its cache.

    How old the data are is told by the cache; without it, they are as old as the last sync that went well.
    """
    chosen = settings if settings is not None else load_settings()
    opened = False
    try:
        with open_service(chosen, clock=clock) as service:
            opened = True
            return service.overview()
    except Busy:
        if opened:
            raise
    with _state_alone(chosen, clock or SystemClock()) as state:
        last = state.last_success()
        age = DataAge(last.started, last.started) if last is not None else DataAge(None, None)
        return Overview("", state.status_counts(), age, tuple(state.runs(10)), chosen.demo)


@contextmanager
def _state_alone(settings: Settings, clock: Clock) -> Iterator[State]:
    """The state of an organisation whose cache another process has."""
    secret = settings.secret_key.get_secret_value() or None
    state = open_state(settings.state_address, settings.organisation, secret, settings.data_dir, now=clock.now)
    try:
        yield state
    finally:
        state.close()


def _handed_over(state: State, kind: str, args: Mapping[str, Any], clock: Clock) -> Request:
    """The request once the process that has the cache is done with it. Raises Busy when nobody takes it."""
    asked = state.enqueue(kind, args, None, clock.now())
    give_up = clock.now() + TAKEN_WITHIN
    while (request := state.request(asked)) is not None and request.finished_at is None:
        if request.claimed_at is None and clock.now() > give_up and not _at_work(state):
            state.finish_request(asked, "Nobody took it.", failed=True)
            raise Busy("Another Tieout process holds the cache but takes no requests. Wait until it is done, then try again.")
        clock.sleep(0.2)
    if request is None:
        raise Busy("The request was lost. Try again.")
    return request


def _at_work(state: State) -> bool:
    """Whether the process that has the cache takes requests and has one in hand: the next one's turn comes."""
    return state.current_lease() is not None and state.has_claimed()


def audit_report(settings: Settings | None = None) -> AuditReport:
    """Go through the whole audit trail of the organisation; needs the state only, and changes nothing."""
    with _state_alone(settings if settings is not None else load_settings(), SystemClock()) as state:
        broken, (entries, head) = tuple(state.verify_audit()), state.audit_head()
        return AuditReport(entries, head, broken, _told(state.audit_at(broken[0]), broken[0]) if broken else "")


def _told(entry: AuditEntry | None, position: int) -> str:
    if entry is None:
        return f"Entry {position} is missing."
    at = entry.at.strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"Entry {position} was changed, or what stood before it: {at}, {entry.who}, {entry.act}, {entry.subject}."


def run_worker(settings: Settings | None = None, *, stop: threading.Event | None = None) -> None:
    """Sync in the background until ``stop`` is set, or the process is told to end (SIGINT, SIGTERM).

    Raises Configure where a setting is wrong. A system that does not answer now is asked again by the next sync: a machine
    that starts before its network does needs nobody.
    """
    over = stop or threading.Event()
    if stop is None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: over.set())
    with open_service(settings) as service:
        try:
            service.connect()
        except Retryable as error:
            log.warning("a system does not answer yet", reason=error.message)
        service.start_background()
        over.wait()


def _log_to_stderr() -> None:
    if not structlog.is_configured():
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
