"""What changed in a period since it was prepared, field by field, out of the cache's history; and Xero's lock dates."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

from sync_core.flows.workspace import Workspace
from sync_core.model import Side, Value
from sync_core.rules.closing import Changed, LateChange, LockDates, SignOff, field_changes
from sync_core.rules.dates import parse_xero_date
from sync_core.rules.declaration import Kind
from sync_core.rules.entities import entity as registered
from sync_core.rules.mapping import loads
from sync_core.rules.reconcile import FAMILIES, amount_text
from sync_core.store import periods
from sync_core.store.closes import HeldRecord
from sync_core.store.shelf import canonical_json
from sync_core.store.versions import Version, versions

_AT_ONCE = 10_000
"""Documents that are read together: each time costs a scan of the history, and each document some kilobytes."""
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
_AMOUNTS = frozenset(("total", "total_tax", "amount_paid", "amount_credited", "amount_due"))


@dataclass(frozen=True, slots=True)
class _Read:
    """A version, and its fields as values."""

    version: Version
    fields: Mapping[str, Value]


def lock_dates(workspace: Workspace) -> LockDates:
    """Xero's lock dates as they were last read."""
    organisation = workspace.surroundings.organisation
    return LockDates(*(_day(organisation.get(name)) for name in ("PeriodLockDate", "EndOfYearLockDate")))


def changed_since(workspace: Workspace, sign_off: SignOff) -> Sequence[Changed]:
    """Which documents of the period changed since it was prepared, or came later. Asked again only once a record moved."""
    return workspace.cache.remembered(("changed since", sign_off.number), lambda: _changed_since(workspace, sign_off))


def _changed_since(workspace: Workspace, sign_off: SignOff) -> Sequence[Changed]:
    found: list[Changed] = []
    sides = {str(side): side for side in Side}
    for name in FAMILIES:
        held = workspace.state.close_hashes(sign_off.number, name)
        table = periods.changed(workspace.cache, name, sign_off.starts, sign_off.ends, held)
        values = (table[column].to_pylist() for column in ("side", "id", "later"))
        found += [Changed(name, sides[side], row_id, later) for side, row_id, later in zip(*values, strict=True)]
    return found


def late_changes(workspace: Workspace, sign_off: SignOff, chosen: Sequence[Changed]) -> Iterator[LateChange]:
    """Field by field, what changed in these documents since the period was prepared."""
    for start in range(0, len(chosen), _AT_ONCE):
        some = chosen[start : start + _AT_ONCE]
        known = _Known(workspace, sign_off, some)
        for record in some:
            yield from known.came(record) if record.later else known.changes(record)


class _Known:
    """What is known of some documents, read together: one by one it would take a scan of the cache for each."""

    def __init__(self, workspace: Workspace, sign_off: SignOff, chosen: Sequence[Changed]) -> None:
        self._held: dict[tuple[str, Side, str], HeldRecord] = {}
        self._now: dict[tuple[str, Side, str], dict[str, Any]] = {}
        self._histories: dict[tuple[str, Side, str], list[_Read]] = {}
        ids: dict[tuple[str, Side], list[str]] = {}
        for each in chosen:
            ids.setdefault((each.entity, each.side), []).append(each.id)
        for (name, side), some in ids.items():
            held = workspace.state.close_records(sign_off.number, name, side, some)
            now = periods.held_now(workspace.cache, name, side, some)
            history = versions(workspace.cache, name, side, some, sign_off.prepared_at)
            self._held |= {(name, side, row_id): each for row_id, each in held.items()}
            self._now |= {(name, side, row_id): each for row_id, each in now.items()}
            self._histories |= {
                (name, side, row_id): [_Read(version, loads(registered(name), version.fields)) for version in each]
                for row_id, each in history.items()
            }
        self._names = periods.names(workspace.cache, self._named())

    def changes(self, record: Changed) -> Iterator[LateChange]:
        """The steps from what it held when the period was prepared to what it holds now."""
        held, history = self._held[record.key], self._histories.get(record.key, [])
        if not history:  # let go of by a run since it was found
            return
        number = str(held.held.get("number") or held.held.get("title") or record.id)
        if history[0].version.hash != held.hash:
            yield from self._against_held(record, held, number, history[0].version)
        for before, after in pairwise(history):
            yield from self._step(record, number, before, after)

    def came(self, record: Changed) -> Iterator[LateChange]:
        """A document that the period did not have."""
        here, history = self._now.get(record.key), self._histories.get(record.key, [])
        if here is None or not history:
            return
        first = history[0].version
        number = str(here.get("number") or here.get("title") or record.id)
        told = ("Record", "not in the period", "in the period")
        yield LateChange(*record.key, number, *told, first.since, first.run)

    def _step(self, record: Changed, number: str, before: _Read, after: _Read) -> Iterator[LateChange]:
        since, run = after.version.since, after.version.run
        for change in field_changes(registered(record.entity), before.fields, after.fields, self._name_of):
            told = (change.label, change.before, change.after)
            yield LateChange(*record.key, number, *told, since, run, change.money)
        if before.version.gone != after.version.gone:
            told = ("Record", before.version.gone or "there", after.version.gone or "there")
            yield LateChange(*record.key, number, *told, since, run)

    def _against_held(self, record: Changed, held: HeldRecord, number: str, now: Version) -> Iterator[LateChange]:
        """The old version is lost with an old cache: what the sign-off itself kept is compared."""
        here = self._now[record.key]
        for name, label in _LABELS.items():
            before, after = held.held.get(name), json.loads(canonical_json(here.get(name)))
            if before != after:
                money, currency = name in _AMOUNTS, str(here.get("currency") or "")
                was, is_now = (_amount(v, currency) if money else str(v or "") for v in (before, after))
                yield LateChange(*record.key, number, label, was, is_now, now.since, now.run, money)

    def _named(self) -> Iterator[str]:
        """Ids of other records that changed in a field: they are told by their names."""
        for (name, _, _), history in self._histories.items():
            links = [spec.name for spec in registered(name).fields if spec.kind is Kind.REF]
            for before, after in pairwise(history):
                for link in links:
                    if before.fields.get(link) != after.fields.get(link):
                        yield from (str(each.fields[link]) for each in (before, after) if each.fields.get(link))

    def _name_of(self, row_id: str) -> str:
        return self._names.get(row_id, row_id)


def _amount(value: Any, currency: str) -> str:
    return "" if value is None else amount_text(Decimal(str(value)), currency)


def _day(text: Any) -> date | None:
    return parse_xero_date(str(text)) if text else None
