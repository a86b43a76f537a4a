"""The one door: everything that the console, the command line and notebooks may ask of Tieout.

``open_service`` opens the cache, the state and both systems of the organisation in the settings. Verbs answer with frozen
values; errors are of ``sync_core.errors`` and their message is for people.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import structlog

from sync_core.errors import Configure, TieoutError
from sync_core.flows.run import Result, Scope, execute, new_run_id
from sync_core.flows.surroundings import organisation_of
from sync_core.flows.workspace import Step, Workspace, no_step
from sync_core.model import DataAge, RecordStatus, RunSummary, Side, Status
from sync_core.rules.entities import ENTITIES, entity
from sync_core.settings import Settings, load_settings
from sync_core.store.cache import open_cache
from sync_core.store.state import open_state
from sync_core.systems.base import Clock, Peer
from sync_core.systems.dataverse import Dataverse
from sync_core.systems.oauth import EntraTokens, XeroTokens
from sync_core.systems.provision import ProvisionReport, missing, provision
from sync_core.systems.xero import Xero

__all__ = ["Check", "Scope", "Service", "SystemClock", "load_settings", "open_service"]

XERO_SIGN_IN = "xero"


class SystemClock:
    """Real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's report."""

    name: str
    good: bool
    message: str


@dataclass(frozen=True, slots=True)
class Overview:
    """What the first page says: how many records stand how, per entity; how old the data is; the last runs."""

    statuses: dict[str, dict[Status, int]]
    age: DataAge
    runs: tuple[RunSummary, ...]
    demo: bool


class Service:
    """One organisation, open for business. Close it when done."""

    def __init__(self, settings: Settings, workspace: Workspace, dynamics: Dataverse, running: _RunningRun) -> None:
        self.settings = settings
        self._workspace = workspace
        self._dynamics = dynamics
        self._running = running
        self._one_run = threading.Lock()

    def close(self) -> None:
        self._workspace.close()

    def connect(self) -> dict[Side, Peer]:
        """Prove both connections; raises Configure or Retryable naming what is wrong. Nothing is written."""
        return {side: system.check() for side, system in self._workspace.systems.items()}

    def doctor(self) -> list[Check]:
        """Settings, connections, set-up and databases, one line each."""
        checks = [_checked("Settings", lambda: f"Data is kept in {self.settings.data_dir.resolve()}.")]
        for side, system in self._workspace.systems.items():
            checks.append(_checked(side.label, lambda s=system: f"Connected to {s.check().name}."))  # type: ignore[misc]
        checks.append(_checked("Dynamics set-up", self._set_up_sentence))
        checks.append(_checked("State", lambda: f"{self._workspace.state.check().database} database is whole."))
        checks.append(_checked("Cache", lambda: f"{self._workspace.cache.path.name} can be read."))
        return checks

    def _set_up_sentence(self) -> str:
        lacking = missing(self._dynamics.http)
        if lacking:
            raise Configure(
                f"{len(lacking)} pieces are missing in Dynamics, {lacking[0]} first. Run: python -m sync_core setup"
            )
        return "Tables, columns and keys are all there."

    def set_up(self, progress: Any = lambda _line: None) -> ProvisionReport:
        """Make Tieout's tables, columns and keys in Dynamics where they are missing."""
        self.connect()
        return provision(self._dynamics.http, self._workspace.clock, progress)

    def sync(self, scope: Scope = Scope(), *, trigger: str = "by hand", dry_run: bool = False, run: str = "") -> Result:  # noqa: B008  # frozen
        """One pass now, in this thread. Raises Busy when another run holds the organisation."""
        for name in (*scope.entities, *(scope.only or {})):
            _known(name)
        with self._one_run:
            self._running.id = run or new_run_id()
            try:
                self.connect()
                return execute(self._workspace, scope, run=self._running.id, trigger=trigger, dry_run=dry_run)
            finally:
                self._running.id = None

    @property
    def running(self) -> str | None:
        """The id of the run that this process is making, None when it makes none."""
        return self._running.id

    def overview(self) -> Overview:
        state = self._workspace.state
        return Overview(state.status_counts(), self.data_age(), tuple(state.runs(10)), self.settings.demo)

    def data_age(self) -> DataAge:
        """When each system was last pulled to its end."""
        table = self._workspace.cache.query(
            "SELECT split_part(stream, '.', 1) AS side, min(pulled_at) AS at FROM cursor GROUP BY 1"
        ).to_pylist()
        ages = {r["side"]: r["at"].replace(tzinfo=UTC) for r in table}
        return DataAge(ages.get("crm"), ages.get("xero"))

    def runs(self, limit: int = 50) -> list[RunSummary]:
        return self._workspace.state.runs(limit)

    def statuses(
        self, name: str | None = None, status: Status | None = None, *, limit: int = 100, offset: int = 0
    ) -> list[RecordStatus]:
        return self._workspace.state.find_statuses(name, status, limit, offset)

    def organisation_name(self) -> str:
        return str(organisation_of(self._workspace.cache).get("Name") or "")

    def query(self, sql: str, *params: Any) -> pa.Table:
        """Rows of one SELECT on the cache, for this room's own views."""
        return self._workspace.cache.query(sql, *params)


def _known(name: str) -> None:
    try:
        entity(name)
    except KeyError as error:
        raise Configure(str(error.args[0])) from None


def _checked(name: str, sentence: Any) -> Check:
    try:
        return Check(name, True, sentence())
    except TieoutError as error:
        return Check(name, False, error.message)


class _RunningRun:
    """The id of the run under way, for the clients' request headers."""

    id: str | None = None


@contextmanager
def open_service(settings: Settings | None = None, *, clock: Clock | None = None, step: Step = no_step) -> Iterator[Service]:
    """Open everything, and close it at the end. Raises Configure or Busy with one sentence; nothing is left open then."""
    chosen = settings if settings is not None else load_settings()
    chosen.require_connections()
    ticking = clock or SystemClock()
    _log_to_stderr()
    cache = open_cache(chosen.cache_path)
    try:
        state = open_state(
            chosen.state_address,
            chosen.organisation,
            chosen.secret_key.get_secret_value() or None,
            chosen.data_dir,
            now=ticking.now,
        )
    except BaseException:
        cache.close()
        raise
    running = _RunningRun()
    dynamics = Dataverse(chosen, ticking, EntraTokens(chosen, ticking), lambda: running.id)
    xero = Xero(chosen, ticking, XeroTokens(chosen, ticking, state.credential_store(XERO_SIGN_IN)), lambda: running.id)
    workspace = Workspace(chosen.organisation, cache, state, {Side.CRM: dynamics, Side.XERO: xero}, ticking, step)
    try:
        yield Service(chosen, workspace, dynamics, running)
    finally:
        workspace.close()


def _log_to_stderr() -> None:
    if not structlog.is_configured():
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))


def entities() -> list[tuple[str, str]]:
    """Every entity's name and label, parents first."""
    return [(e.name, e.label) for e in ENTITIES]


def default_data_dir() -> Path:
    return Path(".tieout")
