"""What a sync would do, for a person to look at before it is done: each record before and after, the cost, what is left out.

A preview is bound to a fingerprint of its plan and of the records that it would make anew: the sync that follows does exactly
this, or nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from sync_core.flows.workspace import Workspace
from sync_core.model import RunSummary, Side, Value
from sync_core.rules.declaration import Entity, Field, Kind
from sync_core.rules.entities import entity
from sync_core.rules.mapping import loads
from sync_core.rules.plan import Act, Decision, Plan, calls_for
from sync_core.rules.remarks import spoken
from sync_core.store import records
from sync_core.store.cache import Cache


@dataclass(frozen=True, slots=True)
class Change:
    """One field that would be written to ``side`` ("Dynamics", "Xero"), as text."""

    side: str
    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class PlannedRecord:
    """One record: what becomes of it and why. ``changes`` are empty where nothing is written."""

    entity: str
    title: str
    crm_id: str | None
    xero_id: str | None
    outcome: str
    remark: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """``counts``: records per outcome. ``writes``: (entity, side, verb, count). ``reads`` and ``calls``: calls per side.

    ``left_today``: calls that Xero still allows today, None when it has not said. ``more``: records that are not listed.
    ``stopped``: why nothing would be written at all.
    """

    run: str
    fingerprint: str
    plan: str
    made: datetime
    scope: str
    counts: Mapping[str, int]
    writes: tuple[tuple[str, str, str, int], ...]
    reads: Mapping[str, int]
    calls: Mapping[str, int]
    left_today: int | None
    written: tuple[PlannedRecord, ...]
    left: tuple[PlannedRecord, ...]
    more: int
    stopped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Records that would be written."""
        return sum(count for *_, count in self.writes)


def fingerprint(cache: Cache, plan: Plan) -> str:
    """The same as long as the same would be written: decisions, values, and what new records are made from."""
    digest = hashlib.blake2b(plan.hash.encode(), digest_size=16)
    for (name, side), ids in sorted(plan.tally.sources.items()):
        table = cache.query_with(
            "SELECT r.id, r.hash FROM record r JOIN incoming i ON i.id = r.id WHERE r.entity = ? AND r.side = ? ORDER BY r.id",
            pa.table({"id": pa.array(ids, pa.string())}),
            name,
            str(side),
        )
        for row in table.to_pylist():
            digest.update(f"{name}:{row['id']}:{row['hash']}\n".encode())
    return digest.hexdigest()


def preview(workspace: Workspace, plan: Plan, summary: RunSummary, stopped: Iterable[str], notes: Iterable[str]) -> Preview:
    """``plan`` as it stands now, ready to be shown."""
    tally = plan.tally
    calls = calls_for(plan.writes().items(), {side: system.batch_size for side, system in workspace.systems.items()})
    shown = [_Shown(workspace, d) for d in tally.written]
    return Preview(
        summary.run,
        fingerprint(workspace.cache, plan),
        plan.hash,
        workspace.clock.now(),
        summary.scope,
        {str(o): n for o, n in plan.outcomes().items()},
        tuple((e, str(s), str(v), n) for (e, s, v), n in sorted(plan.writes().items())),
        {name: made.read for name, made in summary.calls.items()},
        {("dynamics" if side is Side.CRM else "xero"): n for side, n in calls.items()},
        workspace.systems[Side.XERO].left_today,
        tuple(_record(each.decision, each.changes()) for each in shown),
        tuple(_record(d) for d in tally.left),
        tally.writing - len(tally.written) + tally.leaving - len(tally.left),
        tuple(stopped),
        tuple(notes),
    )


def _record(d: Decision, changes: Iterable[Change] = ()) -> PlannedRecord:
    return PlannedRecord(d.entity, d.title, d.crm_id, d.xero_id, str(d.outcome), d.remark, tuple(changes))


class _Shown:
    """One decision with the records that it is about."""

    def __init__(self, workspace: Workspace, decision: Decision) -> None:
        self.decision = decision
        self._cache = workspace.cache
        self._entity = entity(decision.entity)
        ids = {Side.CRM: decision.crm_id, Side.XERO: decision.xero_id}
        self._held = {side: _fields(workspace.cache, self._entity, side, row_id) for side, row_id in ids.items()}

    def changes(self) -> Iterable[Change]:
        if self.decision.act is Act.CREATE and self.decision.target is not None:
            target = self.decision.target
            source = self._held[target.other]
            for spec in self._entity.fields:
                if target in spec.to and not spec.hidden and source.get(spec.name) not in (None, "", ()):
                    yield Change(target.label, spec.label, "", self._text(spec, target.other, source[spec.name]))
            return
        for side, some in self.decision.changes.items():
            for name, value in some.items():
                spec = self._entity.field(name)
                if not spec.hidden:
                    before = self._text(spec, side, self._held[side].get(name))
                    yield Change(side.label, spec.label, before, self._text(spec, side.other, value))

    def _text(self, spec: Field, side: Side, value: Value) -> str:
        if value is None or value == "":
            return ""
        if spec.kind is Kind.REF and isinstance(value, str):
            found = records.typed(self._cache, spec.entity, side, [value]).get(value)
            return str(found["number"] or found["title"] or value) if found else value
        if spec.kind is Kind.LINES and isinstance(value, tuple):
            return "; ".join(_line(line) for line in value)
        return value if isinstance(value, str) else spoken(value)


def _line(line: Mapping[str, Any]) -> str:
    """ "2 x 45.00 Guided walk"."""
    sold = f"{line.get('quantity') or 0:f} x {line.get('unit_price') or 0:f}"
    return f"{sold} {line.get('description') or line.get('product') or ''}".strip()


def _fields(cache: Cache, declared: Entity, side: Side, row_id: str | None) -> dict[str, Value]:
    row = records.records(cache, declared.name, side, [row_id]).get(row_id) if row_id else None
    return loads(declared, row["fields"]) if row else {}


def as_json(made: Preview) -> dict[str, Any]:
    """As the state keeps it."""
    body = {name: getattr(made, name) for name in Preview.__slots__}
    lines = {name: [_line_json(r) for r in getattr(made, name)] for name in ("written", "left")}
    return body | lines | {"made": made.made.isoformat()}


def _line_json(r: PlannedRecord) -> dict[str, Any]:
    changes = [[c.side, c.field, c.before, c.after] for c in r.changes]
    return {name: getattr(r, name) for name in PlannedRecord.__slots__} | {"changes": changes}


def of_json(body: Mapping[str, Any]) -> Preview:
    lines = {
        name: tuple(PlannedRecord(**{**r, "changes": tuple(Change(*c) for c in r["changes"])}) for r in body[name])
        for name in ("written", "left")
    }
    several = {name: tuple(body[name]) for name in ("stopped", "notes")}
    writes = tuple((e, s, v, int(n)) for e, s, v, n in body["writes"])
    return Preview(**{**body, **lines, **several, "writes": writes, "made": datetime.fromisoformat(body["made"])})
