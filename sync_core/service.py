"""The one door: everything that the console, the command line and notebooks may ask of Tieout.

``open_service`` opens the cache, the state and both systems of the organisation in the settings. Verbs answer with frozen
values; errors are of ``sync_core.errors`` and their message is for people.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import structlog

from sync_core.errors import Busy, Configure, Rejected, TieoutError
from sync_core.flows.choices import apart_key, keep_key
from sync_core.flows.groups import SWITCH, read_type_map, types_off
from sync_core.flows.run import Result, Scope, execute, new_run_id
from sync_core.flows.schedule import Done, Runner, Schedule, ScheduleView
from sync_core.flows.surroundings import Surroundings
from sync_core.flows.verify import Verification, verify
from sync_core.flows.workspace import Step, Workspace, no_step
from sync_core.model import DataAge, Link, Outcome, RecordStatus, RunStatus, RunSummary, Side, Status
from sync_core.rules.deep_links import link_for
from sync_core.rules.downloads import CsvFile, control_file
from sync_core.rules.entities import ENTITIES, entity
from sync_core.rules.plan import plan_view
from sync_core.rules.reconcile import Filters, Reconciliation, Sort, Terms, as_json
from sync_core.rules.types import ContactType, Relationship, TypeLine, TypeMapping, checked, type_key, type_lines
from sync_core.settings import Settings, load_settings
from sync_core.store import memberships, reconciliation, reconciliation_detail, records
from sync_core.store.cache import open_cache
from sync_core.store.requests import Request
from sync_core.store.state import open_state
from sync_core.systems.base import Clock, Peer, System
from sync_core.systems.dataverse import Dataverse
from sync_core.systems.oauth import EntraTokens, XeroTokens
from sync_core.systems.provision import ProvisionReport, missing, provision
from sync_core.systems.xero import Xero
from sync_core.views import LinePair, ReconciliationPage, RowDetail

__all__ = [
    "Check",
    "ContactType",
    "Download",
    "Filters",
    "Flow",
    "LinePair",
    "Overview",
    "Reconciliation",
    "ReconciliationPage",
    "Relationship",
    "RowDetail",
    "ScheduleView",
    "Scope",
    "Service",
    "Sort",
    "SystemClock",
    "TypeLine",
    "TypeMapping",
    "data_flows",
    "load_settings",
    "open_service",
]

XERO_SIGN_IN = "xero"
NO_FILTERS = Filters()
TAKEN_WITHIN = timedelta(seconds=10)


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

    organisation: str
    statuses: dict[str, dict[Status, int]]
    age: DataAge
    runs: tuple[RunSummary, ...]
    demo: bool


@dataclass(frozen=True, slots=True)
class Flow:
    """Which way the records of an entity go, as the registry declares it."""

    entity: str
    label: str
    to_crm: bool
    to_xero: bool
    singular: str = ""


@dataclass(frozen=True, slots=True)
class Download:
    """A file to be streamed, and the control file that goes beside it. Read ``chunks`` to the end before ``control``."""

    name: str
    chunks: CsvFile
    control_name: str
    control: Callable[[], str]


class Service:
    """One organisation, open for business. Close it when done."""

    def __init__(self, settings: Settings, workspace: Workspace, dynamics: Dataverse, running: _RunningRun) -> None:
        self.settings = settings
        self._workspace = workspace
        self._dynamics = dynamics
        self._running = running
        self._one_run = threading.Lock()
        self._schedule = Schedule(workspace.state, workspace.organisation, settings.sync_minutes, workspace.clock.now)
        self._runner: Runner | None = None

    def close(self) -> None:
        self.stop_background()
        self._workspace.close()

    def start_background(self) -> None:
        """Take requests off the queue, and ask for a sync on schedule, until the service is closed."""
        if self._runner is None:
            self._runner = Runner(self._workspace.state, self._perform)
            self._runner.start()
            self._schedule.start()

    def stop_background(self) -> None:
        """Ask for nothing more and wait for the run at hand."""
        self._schedule.stop()
        if self._runner is not None:
            self._runner.stop()

    def _perform(self, request: Request) -> Done:
        who = str(request.args.get("who") or "a request")
        summary = self.sync(Scope.of_json(request.args), trigger=who).summary
        went_well = summary.status in (RunStatus.SUCCESS, RunStatus.PARTIAL)
        return Done(summary.run, summary.message or _told(summary.counts), failed=not went_well)

    def schedule(self) -> ScheduleView:
        """When the next sync comes by itself."""
        return self._schedule.view()

    def pause(self, who: str) -> None:
        """No sync comes by itself until ``resume``; one that is under way goes on."""
        self._schedule.pause(who)

    def resume(self, who: str) -> None:
        self._schedule.resume(who)

    def connect(self) -> dict[Side, Peer]:
        """Prove both connections; raises Configure or Retryable naming what is wrong. Nothing is written."""
        return {side: system.check() for side, system in self._workspace.systems.items()}

    def doctor(self) -> list[Check]:
        """Settings, connections, set-up and databases, one line each."""
        checks = [_checked("Settings", lambda: f"Data is kept in {self.settings.data_dir.resolve()}.")]
        for side, system in self._workspace.systems.items():
            checks.append(_checked(side.label, lambda s=system: f"Connected to {s.check().name}."))
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
        return Overview(
            self.organisation_name(), state.status_counts(), self.data_age(), tuple(state.runs(10)), self.settings.demo
        )

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

    def reconciliation(
        self, name: str, filters: Filters = NO_FILTERS, *, limit: int = 100, offset: int = 0
    ) -> ReconciliationPage:
        """One screen of both sides side by side, with the sums of everything that the filters leave."""
        _known(name)
        return reconciliation.page(self._workspace.cache.query, name, filters, self._terms(), limit=limit, offset=offset)

    def reconciliation_rows(self, name: str, filters: Filters = NO_FILTERS, *, limit: int = 100, offset: int = 0) -> pa.Table:
        """The rows of one screen alone, for a caller that has their sums already."""
        _known(name)
        query = self._workspace.cache.query
        return reconciliation.rows(query, name, filters, self._terms(), limit=limit, offset=offset)

    def reconciliation_summary(self, name: str, filters: Filters = NO_FILTERS) -> Reconciliation:
        """Status counts and control totals of what the filters leave."""
        _known(name)
        return reconciliation.summary(self._workspace.cache.query, name, filters, self._terms())

    def reconciliation_detail(self, name: str, row_id: str) -> RowDetail:
        """Everything about one row. Raises Rejected when it is not there any more."""
        return reconciliation_detail.detail(self._workspace.cache.query, name, row_id, self._terms())

    def reconciliation_csv(self, name: str, filters: Filters = NO_FILTERS, *, excel: bool = True) -> Download:
        """What the filters leave, as CSV with its control file."""
        _known(name)
        query, terms = self._workspace.cache.query, self._terms()
        file = CsvFile(reconciliation.batches(query, name, filters, terms), bom=excel)
        last = self._workspace.state.runs(1)

        def control() -> str:
            result = reconciliation.summary(query, name, filters, terms)
            age = reconciliation.data_age(query, name)
            run = last[0].run if last else ""
            return control_file(
                file, result, filters, age, run=run, tolerance=terms.tolerance, made=self._workspace.clock.now()
            )

        return Download(f"{name}.csv", file, f"{name}.control.json", control)

    def resolve(self, name: str, crm_id: str, keep: Mapping[str, Side], *, who: str) -> None:
        """A person decides a conflict: per field, the side whose value stays. The next run of that record carries it out.

        Raises Rejected naming a field that cannot be written to the other side.
        """
        _known(name)
        declared, state, now = entity(name), self._workspace.state, self._workspace.clock.now()
        for field, side in keep.items():
            if side.other not in declared.field(field).to:
                label = declared.field(field).label
                raise Rejected(f"{label} cannot be written to {side.other.label}. Change it there by hand.", field=field)
        with state.together():
            state.set_mapping(keep_key(name, crm_id), json.dumps({f: str(s) for f, s in keep.items()}), who, now)
            state.append_audit(who, "resolve", f"{name}:{crm_id}", None, {f: str(s) for f, s in keep.items()}, now)

    def link(self, name: str, crm_id: str, xero_id: str, *, who: str) -> None:
        """A person makes a pair. Raises Rejected when either record is linked already."""
        _known(name)
        state, now = self._workspace.state, self._workspace.clock.now()
        made = Link(name, crm_id, xero_id, "a person", now)
        with state.together():
            state.add_links([made])
            state.remove_mapping(apart_key(name, crm_id, xero_id))
            state.append_audit(who, "link", f"{name}:{crm_id}", None, {"xero": xero_id}, now)
        records.set_partners(self._workspace.cache, [made])

    def unlink(self, name: str, crm_id: str, xero_id: str, *, who: str) -> None:
        """A person takes a pair apart; it is not matched again by itself. Raises Rejected when there is no such link."""
        _known(name)
        state, now = self._workspace.state, self._workspace.clock.now()
        with state.together():
            if not state.remove_link(name, crm_id, xero_id):
                raise Rejected("These two records are not linked. Reload the page.")
            state.set_mapping(apart_key(name, crm_id, xero_id), "yes", who, now)
            state.append_audit(who, "unlink", f"{name}:{crm_id}", {"xero": xero_id}, None, now)
        for side, row_id in ((Side.CRM, crm_id), (Side.XERO, xero_id)):
            records.clear_partner(self._workspace.cache, name, side, row_id)

    def type_mapping(self) -> TypeMapping:
        """What each relationship type of Dynamics is in Xero, and how many records hold it."""
        mapped, in_use = read_type_map(self._workspace), memberships.codes_in_use(self._workspace.cache)
        return TypeMapping(not types_off(self._workspace), type_lines(mapped, in_use))

    def set_type_mapping(self, table: str, code: str, kind: str | None, *, who: str) -> None:
        """What a relationship type is in Xero from the next run on; None goes back to the default. Raises Rejected."""
        state, now, key = self._workspace.state, self._workspace.clock.now(), type_key(table, code)
        chosen = checked(table, code, kind or ContactType.CONTACT)
        with state.together():
            before = state.mapping(key)
            if kind is None:
                state.remove_mapping(key)
            else:
                state.set_mapping(key, str(chosen), who, now)
            state.append_audit(who, "type mapping", f"{table}:{code}", {"type": before}, {"type": kind}, now)

    def switch_types(self, *, on: bool, who: str) -> None:
        """Whether relationship types are brought to Xero at all. Off, memberships stay as they are."""
        state, now = self._workspace.state, self._workspace.clock.now()
        with state.together():
            before = not types_off(self._workspace)
            state.set_mapping(SWITCH, "on" if on else "off", who, now)
            state.append_audit(who, "switch types", SWITCH, {"on": before}, {"on": on}, now)

    def relationship(self, crm_id: str) -> Relationship | None:
        """A contact's type beside Xero's own flags; None when Tieout has not met it yet."""
        return memberships.relationship(self._workspace.cache, read_type_map(self._workspace), crm_id)

    def reconciliation_json(self, name: str) -> dict[str, Any]:
        """What ``reconcile --json`` prints: rows, counts per status, and control totals as text."""
        return dict(as_json(self.reconciliation_summary(name)))

    def write_reconciliation(self, name: str, folder: Path) -> tuple[Path, Path]:
        """Write the CSV and its control file into ``folder``. Raises Configure when it cannot be written."""
        download = self.reconciliation_csv(name)
        paths = folder / download.name, folder / download.control_name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with paths[0].open("wb") as file:
                for chunk in download.chunks:
                    file.write(chunk)
            paths[1].write_text(download.control(), encoding="utf-8")
        except OSError as error:
            raise Configure(f"The folder {folder} cannot be written ({error.strerror}). Choose another one.") from None
        return paths

    def allow_plan(self, plan_hash: str, *, who: str) -> None:
        """Allow exactly this refused plan, once (a person looked at it). Raises Configure when no such plan is kept."""
        state, now = self._workspace.state, self._workspace.clock.now()
        kept = state.plan(plan_hash)
        if kept is None:
            raise Configure(f"There is no refused plan {plan_hash}. Copy the plan from the message of the refused run.")
        for rail in json.loads(kept)["rails"]:
            state.grant_override(plan_hash, rail, who, now)
        state.append_audit(who, "allow plan", plan_hash, None, json.loads(kept), now)

    def plan_view(self, result: Result) -> dict[str, Any]:
        """A plan as people and programs read it: what would be written, in about how many calls, and what stops it."""
        return plan_view(
            result.plan, {side: system.batch_size for side, system in self._workspace.systems.items()}, result.refusals
        )

    def _terms(self) -> Terms:
        texts = self._workspace.state.mappings("tolerance.")
        return Terms(tolerance={key.removeprefix("tolerance."): Decimal(text) for key, text in texts.items()})

    def verify(self, name: str, only: frozenset[str] | None = None) -> list[Verification]:
        """Read both systems again, live, and compare the linked pairs of an entity field by field."""
        _known(name)
        with self._one_run:
            return list(verify(self._workspace, entity(name), new_run_id(), only))

    def link_to(self, side: Side, name: str, row_id: str) -> str:
        """The address that opens a record in its own system, "" where there is none."""
        table = records.tables_of(self._workspace.cache, name, side, [row_id]).get(row_id, "")
        organisation = self._workspace.surroundings.organisation
        return link_for(side, table, row_id, base_url=self.settings.dynamics_url, organisation=organisation)

    def enqueue_sync(self, scope: Scope = Scope(), *, who: str, dedupe_key: str | None = None) -> int:  # noqa: B008  # frozen
        """Ask the process that owns the organisation for a run; answers with the request's id."""
        return self._workspace.state.enqueue("sync", scope.as_json() | {"who": who}, dedupe_key, self._workspace.clock.now())

    def request(self, request_id: int) -> Request | None:
        return self._workspace.state.request(request_id)

    def status_of(self, name: str, side: Side, row_id: str) -> RecordStatus | None:
        """Where one record stands, None when Tieout has not met it yet."""
        return self._workspace.state.statuses(name, side, [row_id]).get(row_id)

    def titles(self, name: str, side: Side, ids: list[str]) -> dict[str, str]:
        """What people call these records: their number, or their name. Ids that are not known are left out."""
        sql = (
            "SELECT id, coalesce(nullif(number, ''), title, '') AS name FROM record"
            " WHERE entity = $1 AND side = $2 AND list_contains($3::VARCHAR[], id)"
        )
        rows = self._workspace.cache.query(sql, name, side, ids).to_pylist()
        return {row["id"]: row["name"] for row in rows}

    def organisation_name(self) -> str:
        return str(self._workspace.surroundings.organisation.get("Name") or "")

    def query(self, sql: str, *params: Any) -> pa.Table:
        """Rows of one SELECT on the cache, for this room's own views."""
        return self._workspace.cache.query(sql, *params)


def follow_sync(settings: Settings, scope: Scope, *, who: str, clock: Clock | None = None) -> RunSummary:
    """Hand a sync to the process that owns the cache, and wait for what comes of it. Raises Busy when nobody takes it."""
    ticking = clock or SystemClock()
    secret = settings.secret_key.get_secret_value() or None
    state = open_state(settings.state_address, settings.organisation, secret, settings.data_dir, now=ticking.now)
    try:
        asked = state.enqueue("sync", scope.as_json() | {"who": who}, None, ticking.now())
        give_up = ticking.now() + TAKEN_WITHIN
        while (request := state.request(asked)) is not None and request.finished_at is None:
            if request.claimed_at is None and ticking.now() > give_up:
                state.finish_request(asked, "Nobody took it.", failed=True)
                raise Busy(
                    "Another Tieout process holds the cache but takes no requests. Wait until it is done, then try again."
                )
            ticking.sleep(0.2)
        summary = state.run(request.run) if request is not None and request.run else None
        if summary is None:
            raise Busy(request.message if request is not None else "The request was lost. Try again.")
        return summary
    finally:
        state.close()


def run_worker(settings: Settings | None = None, *, stop: threading.Event | None = None) -> None:
    """Sync in the background until ``stop`` is set, or the process is told to end (SIGINT, SIGTERM)."""
    over = stop or threading.Event()
    if stop is None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: over.set())
    with open_service(settings) as service:
        service.connect()
        service.start_background()
        over.wait()


def _told(counts: Mapping[str, int]) -> str:
    """What a run did, as a sentence."""
    parts = [f"{number:,} {outcome}" for outcome, number in counts.items() if number and outcome != Outcome.UNCHANGED]
    return f"{', '.join(parts)}." if parts else "Nothing had to change."


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
    running = _RunningRun()
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
        service = Service(chosen, workspace, dynamics, running)
        opened.callback(service.stop_background)
        yield service


def _log_to_stderr() -> None:
    if not structlog.is_configured():
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))


def data_flows() -> list[Flow]:
    """Every entity and the ways its records go, parents first."""
    ways = [(e, {s for f in e.fields if not f.hidden for s in f.to} | e.create_in) for e in ENTITIES]
    return [Flow(e.name, e.label, Side.CRM in sides, Side.XERO in sides, e.singular) for e, sides in ways]


def entities() -> list[tuple[str, str]]:
    """Every entity's name and label, parents first."""
    return [(e.name, e.label) for e in ENTITIES]
