"""Runs and their summaries, the plans that a rail refused, and the one-shot permission to carry such a plan out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, update

from sync_core.errors import Busy
from sync_core.model import Calls, Outcome, RunStatus, RunSummary, SlowCall
from sync_core.store.leases import Lease, Leases
from sync_core.store.shelf import Row, Shelf, canonical_json
from sync_core.store.tables import overrides, plans, runs

_COLUMNS = [column for column in runs.c if column.name != "organisation"]


class Runs(Leases):
    def start_run(self, run: str, trigger: str, scope: str, started: datetime) -> None:
        """Raises Busy when that run was started before: two schedulers that fire for the same slot run it once."""
        summary = RunSummary(run, RunStatus.RUNNING, started, None, trigger, scope, dict.fromkeys(Outcome, 0), {})
        with self._write() as connection:
            statement = self._insert(runs).values(self._run_row(summary)).on_conflict_do_nothing()
            if connection.execute(statement.returning(runs.c.run)).one_or_none() is None:
                raise Busy(f"The run {run} was started already. Wait until it is done, or look at its result.")

    def finish_run(self, summary: RunSummary) -> None:
        """Keep the summary, also of a run that was never started because it was busy or refused."""
        statement = self._insert(runs).values(self._run_row(summary))
        changes = {c.name: statement.excluded[c.name] for c in _COLUMNS if c.name != "run"}
        with self._write() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["organisation", "run"], set_=changes))

    def abandon_runs(self, lease: Lease, message: str) -> list[str]:
        """Close as failed what still says that it is running: who holds the lease knows that nobody else is.

        Returns the ids. ``message`` is what the user reads. The run of the lease's own holder is left alone.
        """
        dead = runs.c.organisation == self._organisation, runs.c.status == RunStatus.RUNNING, runs.c.run != lease.holder
        values = {"status": RunStatus.FAILED, "finished": self._now(), "message": message}
        with self._write() as connection:
            self._hold_lease(connection, lease)
            return list(connection.scalars(update(runs).where(*dead).values(values).returning(runs.c.run)))

    def run(self, run_id: str) -> RunSummary | None:
        found = self._summaries(self._select_runs().where(runs.c.run == run_id))
        return found[0] if found else None

    def runs(self, limit: int) -> list[RunSummary]:
        """The latest first."""
        return self._summaries(self._select_runs().limit(limit))

    def last_success(self) -> RunSummary | None:
        found = self._summaries(self._select_runs().where(runs.c.status == RunStatus.SUCCESS).limit(1))
        return found[0] if found else None

    def _summaries(self, statement: Select[Any]) -> list[RunSummary]:
        with self._read() as connection:
            return [_summary(row._asdict()) for row in connection.execute(statement)]

    def _select_runs(self) -> Any:
        own = select(*_COLUMNS).where(runs.c.organisation == self._organisation)
        return own.order_by(runs.c.started.desc(), runs.c.run.desc())

    def _run_row(self, summary: RunSummary) -> dict[str, Any]:
        as_json = {"counts": summary.counts, "calls": _calls(summary.calls), "by_entity": summary.by_entity}
        plain = {c.name: getattr(summary, c.name) for c in _COLUMNS if c.name not in as_json}
        texts = {name: canonical_json(value) for name, value in as_json.items()}
        return {"organisation": self._organisation, **plain, **texts}


class Plans(Shelf):
    def save_plan(self, run: str, plan_hash: str, body: str) -> None:
        """Keep a refused plan (JSON, character for character) for a look and for an override."""
        row = {
            "organisation": self._organisation,
            "hash": plan_hash,
            "run": run,
            "body": body,
            "saved_at": self._now(),
        }
        statement = self._insert(plans).values(row)
        changes = {name: statement.excluded[name] for name in ("run", "body", "saved_at")}
        with self._write() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["organisation", "hash"], set_=changes))

    def plan(self, plan_hash: str) -> str | None:
        own = plans.c.organisation == self._organisation, plans.c.hash == plan_hash
        with self._read() as connection:
            return connection.scalar(select(plans.c.body).where(*own))

    def grant_override(self, plan_hash: str, rail: str, who: str, at: datetime) -> None:
        """Let the plan with this hash pass ``rail`` once."""
        row = {"organisation": self._organisation, "plan_hash": plan_hash, "rail": rail, "who": who, "granted_at": at}
        with self._write() as connection:
            connection.execute(overrides.insert().values(row))

    def granted_rails(self, plan_hash: str) -> frozenset[str]:
        """The rails that may be passed now; nothing is used up."""
        with self._read() as connection:
            return frozenset(connection.scalars(select(overrides.c.rail).where(*self._open_overrides(plan_hash))))

    def take_override(self, plan_hash: str) -> bool:
        """Use up every permission of this plan; True for the one caller who got there first."""
        with self._write() as connection:
            taken = update(overrides).where(*self._open_overrides(plan_hash)).values(taken_at=self._now())
            return connection.execute(taken).rowcount > 0

    def _open_overrides(self, plan_hash: str) -> tuple[Any, ...]:
        own = overrides.c.organisation == self._organisation
        return own, overrides.c.plan_hash == plan_hash, overrides.c.taken_at.is_(None)


def _calls(calls: Mapping[str, Calls]) -> dict[str, dict[str, Any]]:
    return {system: asdict(made) for system, made in calls.items()}


def _summary(row: Row) -> RunSummary:
    calls = {system: _made(made) for system, made in json.loads(row["calls"]).items()}
    texts = {"counts": json.loads(row["counts"]), "calls": calls, "by_entity": json.loads(row["by_entity"])}
    return RunSummary(**{**row, **texts, "status": RunStatus(row["status"])})


def _made(kept: Mapping[str, Any]) -> Calls:
    """Runs from before the slowest calls were kept have none."""
    slow = (SlowCall(**each | {"at": datetime.fromisoformat(each["at"])}) for each in kept.get("slowest", ()))
    return Calls(kept["read"], kept["write"], tuple(slow))
