"""Opening an organisation, and what is done without its cache."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import structlog

from sync_core.errors import Retryable
from sync_core.flows.schedule import Done
from sync_core.flows.surroundings import Surroundings
from sync_core.flows.workspace import Step, Workspace, no_step
from sync_core.model import Side
from sync_core.service.answers import AuditReport
from sync_core.service.coding import Coding
from sync_core.service.connecting import XERO_SIGN_IN
from sync_core.service.desk import RunningRun
from sync_core.service.filing import Filing
from sync_core.service.listing import Listing
from sync_core.service.pairing import Pairing
from sync_core.service.previewing import Previewing
from sync_core.service.questions import answered, is_question
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


@contextmanager
def state_alone(settings: Settings, clock: Clock) -> Iterator[State]:
    """The state of an organisation without its cache, which another process may have."""
    secret = settings.secret_key.get_secret_value() or None
    state = open_state(settings.state_address, settings.organisation, secret, settings.data_dir, now=clock.now)
    try:
        yield state
    finally:
        state.close()


def audit_report(settings: Settings | None = None) -> AuditReport:
    """Go through the whole audit trail of the organisation; needs the state only, and changes nothing."""
    with state_alone(settings if settings is not None else load_settings(), SystemClock()) as state:
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
