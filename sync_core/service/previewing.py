"""Syncs that a person looks at before they are done: what is asked for, the preview, the confirmed run, and how far it is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from sync_core.errors import Configure, Rejected
from sync_core.flows.preview import Preview, as_json, of_json, preview
from sync_core.flows.pull import streams_of
from sync_core.flows.run import Result
from sync_core.flows.scope import Scope
from sync_core.flows.workspace import Workspace
from sync_core.model import Side, Status
from sync_core.rules.entities import ENTITIES
from sync_core.rules.people import Role
from sync_core.rules.rails import refusals
from sync_core.rules.reconcile import Filters
from sync_core.service.desk import known
from sync_core.service.permission import needs
from sync_core.service.reconciling import Reconciling
from sync_core.store import reconciliation

PREVIEW = "preview"
MOST = 20_000
"""So many records at most go into one targeted sync; for more, a whole entity is quicker."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The run under way. ``read`` of ``lists`` were read; ``writes``: batches that were settled since.

    ``waits_until``: when Xero's limit of calls a minute lets it go on, None while it does not wait for that.
    """

    run: str
    read: int
    lists: int
    writes: int
    stopping: bool
    waits_until: datetime | None = None


def keep_preview(workspace: Workspace, result: Result) -> None:
    """Keep what a run would have done, for a look and for the rails that a person may allow once."""
    made = preview(workspace, result.plan, result.summary, result.refusals, result.notes)
    workspace.state.save_plan(made.run, _key(made.run), json.dumps(as_json(made)))
    held = refusals(result.plan)
    if held:
        body = {"rails": [r.rail for r in held], "messages": [r.message for r in held]}
        workspace.state.save_plan(made.run, made.plan, json.dumps(body))


def _key(run: str) -> str:
    return f"preview {run}"


class Previewing(Reconciling):
    """Asks the process that owns the cache; reads what it answered from the state."""

    @needs(Role.OPERATOR)
    def enqueue_preview(self, scope: Scope, *, who: str) -> int:
        """Ask what a sync of ``scope`` would do; answers with the request's id. Nothing is written to either system."""
        for name in (*scope.entities, *(scope.only or {})):
            known(name)
        args = scope.as_json() | {"who": who}
        return self._workspace.state.enqueue(PREVIEW, args, None, self._workspace.clock.now())

    def preview(self, run: str) -> Preview | None:
        """What the preview of that run found, None when there is none (any more)."""
        kept = self._workspace.state.plan(_key(run))
        return None if kept is None else of_json(json.loads(kept))

    @needs(Role.OPERATOR)
    def enqueue_agreed(self, scope: Scope, fingerprint: str, *, who: str) -> int:
        """Ask for exactly what the preview with this fingerprint showed. When it moved meanwhile nothing is written, and the
        request's run has a preview of its own.
        """
        agreed = replace(scope, plan=fingerprint)
        return self._workspace.state.enqueue("sync", agreed.as_json() | {"who": who}, None, self._workspace.clock.now())

    def scope_of_request(self, request_id: int) -> Scope:
        """What a request asked for. Raises Configure when it is not known."""
        request = self._workspace.state.request(request_id)
        if request is None:
            raise Configure("This preview is not known any more. Ask for a new one.")
        return replace(Scope.of_json(request.args), plan="")

    def scope_of_failed(self) -> Scope:
        """Every record whose last sync failed. Raises Rejected when there is none."""
        only: dict[str, set[str]] = {}
        for each in self._workspace.state.find_statuses(None, Status.FAILED, MOST):
            only.setdefault(each.entity, set()).add(each.id)
        return _scope(only, "No record failed, so there is nothing to try again.")

    def scope_of_filters(self, name: str, filters: Filters) -> Scope:
        """Every row that the filters leave. Raises Rejected when there is none, or too many."""
        known(name)
        terms = self._terms(name)
        table = reconciliation.rows(self._workspace.cache, name, filters, terms, limit=MOST + 1, offset=0)
        pairs = zip(table["crm_id"].to_pylist(), table["xero_id"].to_pylist(), strict=True)
        return _scope({name: {crm or xero for crm, xero in pairs}}, "No row is left by these filters.")

    def scope_of_dates(self, names: Iterable[str], since: date, until: date) -> Scope:
        """Records with a document date in the window, both days included. Raises Rejected when there is none, or too many."""
        chosen = list(names)
        for name in chosen:
            known(name)
        table = self._workspace.cache.query(
            "SELECT entity, id FROM record WHERE list_contains($1::VARCHAR[], entity) AND doc_date BETWEEN $2 AND $3 "
            "AND NOT (side = 'xero' AND partner IS NOT NULL) LIMIT $4",
            chosen,
            since,
            until,
            MOST + 1,
        )
        only: dict[str, set[str]] = {}
        for row in table.to_pylist():
            only.setdefault(row["entity"], set()).add(row["id"])
        return _scope(only, f"No document is dated from {since.isoformat()} to {until.isoformat()}.")

    def progress(self) -> Progress | None:
        """How far the run of this process is, None when it makes none."""
        running = self._running
        if running.id is None:
            return None
        passed = running.passed
        lists = len(tuple(streams_of(ENTITIES)))
        return Progress(
            running.id,
            min(passed["pulled"], lists),
            lists,
            passed["settled"] + passed["stamped"],
            bool(running.stopped_by),
            self._workspace.systems[Side.XERO].waits_until,
        )

    @needs(Role.OPERATOR)
    def stop_run(self, *, who: str) -> None:
        """End the run under way at its next point. What was written stays. Raises Rejected when none is running here."""
        if self._running.id is None:
            raise Rejected("No sync is running.")
        self._running.stopped_by = who


def _scope(only: Mapping[str, set[str]], none: str) -> Scope:
    total = sum(map(len, only.values()))
    if not total:
        raise Rejected(none)
    if total > MOST:
        raise Rejected(f"These are more than {MOST:,} records. Narrow the filters, or resync the whole entity.")
    return Scope(only={name: frozenset(ids) for name, ids in only.items() if ids})
