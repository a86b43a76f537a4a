"""Runs, now or by themselves; set-up and checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from sync_core.errors import Configure, TieoutError
from sync_core.flows.aftermath import settle_desk
from sync_core.flows.pull import streams_of
from sync_core.flows.run import Result, execute, new_run_id
from sync_core.flows.schedule import Done, Runner, Schedule, ScheduleView
from sync_core.flows.scope import Scope
from sync_core.flows.verify import verify
from sync_core.flows.workspace import Workspace
from sync_core.model import DataAge, Outcome, RunStatus, RunSummary, Side, Verification
from sync_core.rules.entities import ENTITIES, entity
from sync_core.rules.people import Role
from sync_core.rules.plan import plan_view
from sync_core.rules.rulebook import OFF, SWITCHES
from sync_core.service.answers import Check, Overview
from sync_core.service.desk import Desk, RunningRun, known
from sync_core.service.permission import needs
from sync_core.service.previewing import PREVIEW, keep_preview
from sync_core.settings import Settings
from sync_core.store import rows
from sync_core.store.requests import Request
from sync_core.systems.base import Peer
from sync_core.systems.dataverse import Dataverse
from sync_core.systems.oauth import XeroTokens
from sync_core.systems.provision import ProvisionReport, missing, provision
from sync_core.systems.xero_notices import is_signed, tells_of

_DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_NOTHING: Mapping[str, int] = {str(outcome): 0 for outcome in Outcome}


class Syncing(Desk):
    """The only part that calls the systems."""

    def __init__(
        self, settings: Settings, workspace: Workspace, dynamics: Dataverse, running: RunningRun, xero_sign_in: XeroTokens
    ) -> None:
        super().__init__(settings, workspace, running)
        self._dynamics, self._xero_sign_in = dynamics, xero_sign_in
        self._schedule = Schedule(workspace.state, workspace.organisation, settings.sync_minutes, workspace.clock.now)
        self._runner: Runner | None = None

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
        scope, run = Scope.of_json(request.args), new_run_id()
        try:
            result = self.sync(scope, trigger=who, dry_run=request.kind == PREVIEW, run=run)
        except TieoutError as error:
            if self._workspace.state.run(run) is None:
                raise
            return Done(run, error.message, failed=True)
        summary = result.summary
        looked = request.kind == PREVIEW and summary.status in (RunStatus.PREVIEW, RunStatus.REFUSED)
        if looked or (scope.plan and summary.status is RunStatus.REFUSED):
            keep_preview(self._workspace, result)
        went_well = looked or summary.status in (RunStatus.SUCCESS, RunStatus.PARTIAL)
        return Done(summary.run, _said(summary), failed=not went_well)

    def schedule(self) -> ScheduleView:
        """When the next sync comes by itself."""
        return self._schedule.view()

    @needs(Role.ADMIN)
    def pause(self, *, who: str) -> None:
        """No sync comes by itself until ``resume``; one that is under way goes on."""
        self._schedule.pause(who)

    @needs(Role.ADMIN)
    def set_minutes(self, minutes: int, *, who: str) -> None:
        """How many minutes lie between two syncs by themselves, from now on. Raises Rejected when it cannot be so many."""
        state, now, before = self._workspace.state, self._workspace.clock.now(), self._schedule.minutes
        with state.together():
            self._schedule.set_minutes(minutes, who)
            state.append_audit(who, "schedule", "minutes", {"minutes": before}, {"minutes": minutes}, now)

    @needs(Role.ADMIN)
    def resume(self, *, who: str) -> None:
        self._schedule.resume(who)

    def connect(self) -> dict[Side, Peer]:
        """Prove both connections; raises Configure or Retryable naming what is wrong. Nothing is written."""
        return {side: system.check() for side, system in self._workspace.systems.items()}

    def doctor(self) -> list[Check]:
        """Settings, connections, set-up and databases, one line each."""
        checks = [_checked("Settings", lambda: f"Data is kept in {self.settings.data_dir.resolve()}.")]
        for side, system in self._workspace.systems.items():
            way = f", signed in {self._xero_sign_in.way}" if side is Side.XERO else ""
            checks.append(_checked(side.label, lambda s=system, w=way: f"Connected to {s.check().name}{w}."))
        checks.append(_checked("Dynamics set-up", self._set_up_sentence))
        checks.append(_checked("State", self._state_sentence))
        checks.append(_checked("Cache", lambda: f"{self._workspace.cache.path.name} can be read."))
        return checks

    def _state_sentence(self) -> str:
        kept = self._workspace.state.check().database
        return f"The {_DATABASES.get(kept, kept)} database is whole."

    def _set_up_sentence(self) -> str:
        lacking = missing(self._dynamics.http)
        if lacking:
            raise Configure(
                f"{len(lacking)} pieces are missing in Dynamics, {lacking[0]} first. "
                "Set Dynamics up under Connections, or run: python -m sync_core setup"
            )
        return "Tables, columns and keys are all there."

    @needs(Role.ADMIN)
    def set_up(self, progress: Any = lambda _line: None) -> ProvisionReport:
        """Make Tieout's tables, columns and keys in Dynamics where they are missing."""
        self.connect()
        return provision(self._dynamics.http, self._workspace.clock, progress)

    @needs(Role.OPERATOR)
    def sync(self, scope: Scope = Scope(), *, trigger: str = "by hand", dry_run: bool = False, run: str = "") -> Result:  # noqa: B008  # frozen
        """One pass now, in this thread. Raises Busy when another run holds the organisation."""
        for name in (*scope.entities, *(scope.only or {})):
            known(name)
        with self._one_run:
            run, started = run or new_run_id(), self._workspace.clock.now()
            self._running.begin(run)
            try:
                peers = self._reached(RunSummary(run, RunStatus.FAILED, started, None, trigger, scope.label, _NOTHING, {}))
                return execute(self._watched(), scope, peers, run=run, trigger=trigger, dry_run=dry_run)
            finally:
                self._running.id = None

    def _reached(self, run: RunSummary) -> dict[Side, Peer]:
        """Both systems, proved. A run that ends here, before it read anything, is kept with why, as any other."""
        try:
            return self.connect()
        except TieoutError as error:
            status = RunStatus.CONFIGURE if isinstance(error, Configure) else RunStatus.FAILED
            ended = replace(run, status=status, finished=self._workspace.clock.now(), message=error.message)
            self._workspace.state.finish_run(ended)
            raise

    def _watched(self) -> Workspace:
        """The workspace with its points counted, so that a page can say how far the run is."""

        def step(name: str) -> None:
            self._workspace.step(name)
            self._running.step(name)

        off = {name: OFF for name in SWITCHES if self._workspace.state.mapping(name) == OFF}
        return replace(self._workspace, step=step, options={**self._workspace.options, **off})

    @property
    def running(self) -> str | None:
        """The id of the run that this process is making, None when it makes none."""
        return self._running.id

    @needs(Role.OPERATOR)
    def verify(self, name: str, only: frozenset[str] | None = None) -> list[Verification]:
        """Read both systems again, live, and compare the linked pairs of an entity field by field. Each result is kept."""
        known(name)
        with self._one_run:
            made = list(verify(self._workspace, entity(name), new_run_id(), only))
            settle_desk(self._workspace)
            return made

    def last_verification(self, name: str, side: Side, row_id: str) -> Verification | None:
        """What the last verification of a record found, and when; None when it was never verified."""
        return self._workspace.state.verifications(name, side, [row_id]).get(row_id)

    def failed_verifications(self, name: str | None = None) -> list[Verification]:
        """Pairs whose last verification found a difference, of one entity or of all, the latest first."""
        return self._workspace.state.failed_verifications(name)

    @needs(Role.OPERATOR)
    def enqueue_sync(self, scope: Scope = Scope(), *, who: str, dedupe_key: str | None = None) -> int:  # noqa: B008  # frozen
        """Ask the process that owns the organisation for a run; answers with the request's id."""
        return self._workspace.state.enqueue("sync", scope.as_json() | {"who": who}, dedupe_key, self._workspace.clock.now())

    @property
    def hears_xero(self) -> bool:
        """Whether Xero's notices can be told from forged ones: the setting TIEOUT_XERO_WEBHOOK_KEY is there."""
        return bool(self.settings.xero_webhook_key.get_secret_value())

    def hear_xero(self, body: bytes, signature: str) -> bool:
        """Take a notice of Xero's (a webhook): the next sync comes sooner. False when it is not signed by Xero."""
        key = self.settings.xero_webhook_key.get_secret_value()
        if not (key and is_signed(body, signature, key)):
            return False
        if tells_of(body, self.settings.xero_tenant_id):
            self._schedule.hear()
        return True

    def request(self, request_id: int) -> Request | None:
        return self._workspace.state.request(request_id)

    def runs(self, limit: int = 50) -> list[RunSummary]:
        return self._workspace.state.runs(limit)

    def plan_view(self, result: Result) -> dict[str, Any]:
        """A plan as people and programs read it: what would be written, in about how many calls, and what stops it."""
        return plan_view(
            result.plan, {side: system.batch_size for side, system in self._workspace.systems.items()}, result.refusals
        )

    def overview(self) -> Overview:
        state = self._workspace.state
        return Overview(
            self.organisation_name(), state.status_counts(), self.data_age(), tuple(state.runs(10)), self.settings.demo
        )

    def data_age(self) -> DataAge:
        """When each system was last pulled to its end; None for one of which a list was never read to its end."""
        pulled = rows.pulled_at(self._workspace.cache)
        needed = [s for s in streams_of(ENTITIES) if not s.optional]
        ages = {side: [pulled.get(s.name) for s in needed if s.side is side] for side in Side}
        crm, xero = (None if None in ages[side] else min(at for at in ages[side] if at) for side in Side)
        return DataAge(crm, xero)

    def organisation_name(self) -> str:
        return str(self._workspace.surroundings.organisation.get("Name") or "")

    def query(self, sql: str, *params: Any) -> pa.Table:
        """Rows of one SELECT on the cache, for this room's own views."""
        return self._workspace.cache.query(sql, *params)


def _said(run: RunSummary) -> str:
    """What came of a run, as a sentence or two: one in which some records failed also did others."""
    others = {outcome: number for outcome, number in run.counts.items() if outcome != Outcome.FAILED}
    if run.status is RunStatus.PARTIAL and sum(others.values()) > others.get(Outcome.UNCHANGED, 0):
        return f"{_told(others)} {run.message}".strip()
    return run.message or _told(run.counts)


def _told(counts: Mapping[str, int]) -> str:
    """What a run did, as a sentence."""
    words = {Outcome.CONFLICT: "in conflict"}
    parts = [
        f"{number:,} {words.get(Outcome(outcome), outcome)}"
        for outcome, number in counts.items()
        if number and outcome != Outcome.UNCHANGED
    ]
    return f"{', '.join(parts)}." if parts else "Nothing had to change."


def _checked(name: str, sentence: Any) -> Check:
    try:
        return Check(name, True, sentence())
    except TieoutError as error:
        return Check(name, False, error.message)
