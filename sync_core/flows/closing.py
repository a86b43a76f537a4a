"""What changed in a period since it was prepared, field by field, out of the cache's history; and Xero's lock dates."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

from sync_core.flows.workspace import Workspace
from sync_core.model import Side
from sync_core.rules.closing import LateChange, LockDates, SignOff, field_changes
from sync_core.rules.dates import parse_xero_date
from sync_core.rules.declaration import Entity
from sync_core.rules.entities import entity as registered
from sync_core.rules.mapping import loads
from sync_core.rules.reconcile import FAMILIES
from sync_core.store import periods
from sync_core.store.closes import HeldRecord
from sync_core.store.shelf import canonical_json
from sync_core.store.versions import Version, versions

_LABELS = {
    "number": "Number",
    "title": "Name",
    "contact": "Contact",
    "currency": "Currency",
    "doc_date": "Date",
    "due_date": "Due date",
    "reference": "Reference",
    "kind": "Kind",
    "state": "Status",
    "gone": "Record",
    "total": "Total",
    "total_tax": "Tax",
    "amount_paid": "Paid",
    "amount_credited": "Credited",
    "amount_due": "Due",
}


def lock_dates(workspace: Workspace) -> LockDates:
    """Xero's lock dates as they were last read."""
    organisation = workspace.surroundings.organisation
    return LockDates(*(_day(organisation.get(name)) for name in ("PeriodLockDate", "EndOfYearLockDate")))


def late_changes(workspace: Workspace, sign_off: SignOff) -> Iterator[LateChange]:
    """Every field that changed in the period since it was prepared, documents that came later included."""
    for name in FAMILIES:
        known: list[tuple[Side, str]] = []
        for held in workspace.state.close_records(sign_off.number, name):
            known += [(record.side, record.id) for record in held]
            changed = periods.moved(workspace.cache, name, held)
            for side in Side:
                yield from _changed(workspace, sign_off, [record for record in changed if record.side is side])
        yield from _came_later(workspace, sign_off, name, known)


def _changed(workspace: Workspace, sign_off: SignOff, held: Sequence[HeldRecord]) -> Iterator[LateChange]:
    if not held:
        return
    name, side = held[0].entity, held[0].side
    kept = versions(workspace.cache, name, side, [record.id for record in held], sign_off.prepared_at)
    for record in held:
        history = kept.get(record.id, [])
        if history and history[0].hash != record.hash:
            yield from _against_held(workspace, record, history[0])
        yield from _steps(workspace, registered(name), record, history)


def _steps(workspace: Workspace, entity: Entity, record: HeldRecord, history: Sequence[Version]) -> Iterator[LateChange]:
    number = str(record.held.get("number") or record.held.get("title") or record.id)
    for before, after in pairwise(history):
        was, now = loads(entity, before.fields), loads(entity, after.fields)
        ids = {str(value) for fields in (was, now) for value in fields.values() if isinstance(value, str)}
        called = periods.names(workspace.cache, ids)
        for change in field_changes(entity, was, now, lambda id_, called=called: called.get(id_, id_)):  # type: ignore[misc]
            told = (change.label, change.before, change.after)
            yield LateChange(entity.name, record.side, record.id, number, *told, after.since, after.run)
        if before.gone != after.gone:
            told = ("Record", before.gone or "there", after.gone or "there")
            yield LateChange(entity.name, record.side, record.id, number, *told, after.since, after.run)


def _against_held(workspace: Workspace, record: HeldRecord, now: Version) -> Iterator[LateChange]:
    """The old version is lost with an old cache: what the sign-off itself kept is compared."""
    here = periods.held_now(workspace.cache, record.entity, record.side, record.id)
    number = str(record.held.get("number") or record.held.get("title") or record.id)
    for name, label in _LABELS.items():
        before, after = record.held.get(name), json.loads(canonical_json(here.get(name)))
        if before != after:
            told = (label, str(before or ""), str(after or ""))
            yield LateChange(record.entity, record.side, record.id, number, *told, now.since, now.run)


def _came_later(workspace: Workspace, sign_off: SignOff, name: str, known: Sequence[tuple[Side, str]]) -> Iterator[LateChange]:
    for side, row_id in periods.came_later(workspace.cache, name, sign_off.starts, sign_off.ends, known):
        first = versions(workspace.cache, name, side, [row_id], sign_off.prepared_at)[row_id][0]
        here = periods.held_now(workspace.cache, name, side, row_id)
        number = str(here.get("number") or here.get("title") or row_id)
        yield LateChange(name, side, row_id, number, "Record", "not in the period", "in the period", first.since, first.run)


def _day(text: Any) -> date | None:
    return parse_xero_date(str(text)) if text else None
