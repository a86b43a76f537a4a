"""Records as people look them up: where each stands, what it holds, and what it could be linked with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sync_core.flows.choices import APART, apart_key, read_choices
from sync_core.flows.groups import read_type_map
from sync_core.model import RecordStatus, RunSummary, Side, Status
from sync_core.rules.declaration import Entity, Kind
from sync_core.rules.entities import entity
from sync_core.rules.mapping import loads
from sync_core.rules.remarks import spoken
from sync_core.service.desk import Desk, known
from sync_core.store import master_data, periods, records, register
from sync_core.store.register import Asked

ACTIVE = "ACTIVE"
_SHARED = {"same_contact": "same contact", "same_total": "same amount", "near": "dates at most a week apart"}


@dataclass(frozen=True, slots=True)
class RecordLine:
    """One record or pair. ``cells``: its fields as text by name, of the side that owns the entity. ``type`` only for contacts.

    ``state`` is "in use" or what became of it: "archived in Xero". ``used`` says who still holds the code of an archived one.
    """

    entity: str
    row_id: str
    crm_id: str | None
    xero_id: str | None
    name: str
    table: str
    state: str
    status: Status
    standing: RecordStatus | None
    cells: Mapping[str, str]
    type: str = ""
    used: str = ""


@dataclass(frozen=True, slots=True)
class RecordList:
    """One screen of lines. ``counts`` are of everything that the search leaves; ``columns`` name and label of the cells."""

    lines: tuple[RecordLine, ...]
    counts: Mapping[Status, int]
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record of the other side that could be the same. ``score`` 0 to 100; ``reasons`` in words."""

    id: str
    name: str
    score: int
    reasons: tuple[str, ...]
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Apart:
    """Two records that a person keeps apart, and what they are called."""

    entity: str
    crm_id: str
    xero_id: str
    crm_name: str
    xero_name: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a person or a run did with a record."""

    at: datetime
    who: str
    words: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A record that a run was the last to look at: what people call it, and how it stands since."""

    name: str
    standing: RecordStatus


class Listing(Desk):
    """Reads the cache and the state."""

    def run_records(self, run: str, *, limit: int = 100, offset: int = 0) -> tuple[list[RunRecord], int]:
        """Records that no later run looked at again, those that need somebody first; and how many there are of them."""
        found, number = self._workspace.state.statuses_of_run(run, limit, offset)
        names = periods.names(self._workspace.cache, (each.id for each in found))
        return [RunRecord(names.get(each.id, each.id), each) for each in found], number

    def record_list(
        self, name: str, statuses: Sequence[Status] = (), search: str = "", *, limit: int = 100, offset: int = 0
    ) -> RecordList:
        """Records of one entity by name, both sides of a pair in one line."""
        known(name)
        declared, asked = entity(name), Asked(name, statuses, search.strip())
        standings = self._workspace.state.standings(name)
        cache = self._workspace.cache
        rows = register.lines(cache, asked, standings, limit, offset)
        columns = tuple((f.name, f.label) for f in declared.fields if not f.hidden and f.kind is not Kind.LINES)
        return RecordList(tuple(self._lines(declared, rows)), register.counts(cache, asked, standings), columns)

    def record(self, name: str, row_id: str) -> RecordLine | None:
        """One line by its id ("crm:<id>" or "xero:<id>"), None when it is not there any more."""
        known(name)
        side, _, own = row_id.partition(":")
        rows = register.lines(self._workspace.cache, Asked(name, search=own), self._workspace.state.standings(name), 5, 0)
        found = [row for row in rows if row["side"] == side and row["id"] == own]
        return next(iter(self._lines(entity(name), found)), None)

    def kept_apart(self) -> list[Apart]:
        """Pairs that a person said are not the same, with what people call both."""
        pairs = sorted(read_choices(self._workspace.state.mappings(APART)).apart)
        named: dict[tuple[str, Side], dict[str, str]] = {}
        for name, side in {(pair[0], side) for pair in pairs for side in Side}:
            ids = [pair[1] if side is Side.CRM else pair[2] for pair in pairs if pair[0] == name]
            rows = records.typed(self._workspace.cache, name, side, ids)
            named[name, side] = {i: str(r["number"] or r["title"] or i) for i, r in rows.items()}
        return [Apart(n, c, x, named[n, Side.CRM].get(c, c), named[n, Side.XERO].get(x, x)) for n, c, x in pairs]

    def candidates(self, name: str, side: Side, row_id: str, search: str = "", *, limit: int = 8) -> list[Candidate]:
        """What an unlinked record could be linked with, the likeliest first. What a person kept apart is left out."""
        known(name)
        declared = entity(name)
        shared = [field for field, _ in declared.match] + [f.name for f in declared.fields if f.name in ("email", "phone")]
        rows = register.candidates(self._workspace.cache, name, side, row_id, shared, search.strip(), limit)
        names = self._referred(declared, [{f"{side.other}_fields": row["fields"]} for row in rows])
        apart = self._workspace.state.mappings(APART)
        kept = (r for r in rows if apart_key(name, *_ordered(side, row_id, r["id"])) not in apart)
        return [self._candidate(declared, row, names) for row in kept]

    def history(self, name: str, crm_id: str | None, xero_id: str | None, *, limit: int = 20) -> list[Event]:
        """What people did with a record, and the run that last touched it; the latest first."""
        state = self._workspace.state
        subjects = [f"{name}:{i}" for i in (crm_id, xero_id) if i]
        events = [Event(e.at, e.who, _told(entity(name), e.act, e.after)) for s in subjects for e in state.audit(limit, s)]
        link = state.links(name, Side.CRM, [crm_id]).get(crm_id) if crm_id else None
        if link is not None:
            who = BY_HAND if link.matched_by == BY_HAND else "Tieout"
            events.append(Event(link.linked_at, who, _linked(link.matched_by)))
        for side, row_id in ((Side.CRM, crm_id), (Side.XERO, xero_id)):
            standing = state.statuses(name, side, [row_id]).get(row_id) if row_id else None
            if standing is not None:
                run = state.run(standing.run)
                events.append(Event(standing.last_attempt, _asked_by(run), standing.remark))
        return sorted(events, key=lambda event: event.at, reverse=True)[:limit]

    def _lines(self, declared: Entity, rows: Sequence[Mapping[str, Any]]) -> list[RecordLine]:
        ids = {side: [r["id"] for r in rows if r["side"] == side] for side in Side}
        standing = {side: self._workspace.state.statuses(declared.name, side, ids[side]) for side in Side}
        types = read_type_map(self._workspace) if declared.name == "contacts" else None
        using = master_data.users(self._workspace.cache, declared.name)
        names = self._referred(declared, rows)
        made = []
        for row in rows:
            held = {side: loads(declared, row[f"{side}_fields"]) if row[f"{side}_fields"] else {} for side in Side}
            owned = held[Side.XERO] if Side.XERO not in declared.create_in and held[Side.XERO] else held[Side.CRM]
            state = _state(row, owned or held[Side.XERO])
            code = str(owned.get(master_data.code_field(declared.name)) or "")
            made.append(
                RecordLine(
                    declared.name,
                    f"{row['side']}:{row['id']}",
                    row["crm_id"],
                    row["xero_id"],
                    str(row["title"] or row["number"] or row["id"]),
                    row["native_table"],
                    state,
                    Status(row["status"]),
                    standing[Side(row["side"])].get(row["id"]),
                    _shown(held[Side.XERO], names) | {k: v for k, v in _shown(owned, names).items() if v},
                    str(types.of(row["native_table"], _code(held[Side.CRM]))) if types and row["crm_id"] else "",
                    _used(state, using.get(code)),
                )
            )
        return made

    def _referred(self, declared: Entity, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """What the records that these refer to are called, by id."""
        named: dict[str, str] = {}
        for spec in declared.fields:
            if spec.kind is not Kind.REF or not spec.entity:
                continue
            for side in Side:
                held = (loads(declared, text).get(spec.name) for r in rows if (text := r.get(f"{side}_fields")))
                ids = sorted({str(v) for v in held if v})
                found = records.typed(self._workspace.cache, spec.entity, side, ids) if ids else {}
                named |= {i: str(r["title"] or r["number"] or i) for i, r in found.items()}
        return named

    def _candidate(self, declared: Entity, row: Mapping[str, Any], names: Mapping[str, str]) -> Candidate:
        held = loads(declared, row["fields"])
        labels = dict(declared.match) | {f.name: f"same {f.label.lower()}" for f in declared.fields if not f.hidden}
        reasons = [labels[name] for name in dict.fromkeys(row["shared"])]
        if row["alike"] >= 0.85 and "name" not in row["shared"]:
            reasons.append("similar name")
        reasons += [words for name, words in _SHARED.items() if row[name]]
        cells = _shown(held, names)
        name = str(row["number"] or row["title"] or row["id"])
        return Candidate(row["id"], name, round(row["score"]), tuple(reasons), cells)


def _ordered(side: Side, row_id: str, other: str) -> tuple[str, str]:
    """The Dynamics id first."""
    return (row_id, other) if side is Side.CRM else (other, row_id)


def _state(row: Mapping[str, Any], held: Mapping[str, Any]) -> str:
    ended = [f"{row[f'{side}_gone']} in {side.label}" for side in Side if row[f"{side}_gone"]]
    if not ended and str(held.get("status") or ACTIVE) in ("ARCHIVED", "DELETED"):
        ended = [f"{str(held['status']).lower()} in Xero"]
    return ", ".join(ended) or "in use"


def _used(state: str, by: tuple[int, int] | None) -> str:
    """Who still holds an archived code; "" where it is in use or nobody does."""
    if state == "in use" or by is None:
        return ""
    products, invoices = by
    parts = [f"{n} {word}{'' if n == 1 else 's'}" for n, word in ((products, "product"), (invoices, "open invoice")) if n]
    return f"still on {' and '.join(parts)}" if parts else ""


def _shown(held: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str]:
    return {name: _cell(value, names) for name, value in held.items() if name != "lines"}


def _cell(value: Any, names: Mapping[str, str]) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        return names.get(value, value)
    return f"{value:f}" if isinstance(value, Decimal) else spoken(value)


def _code(held: Mapping[str, Any]) -> str | None:
    value = held.get("type")
    return str(value) if value else None


BY_HAND = "a person"
"""How a link says that it was made by hand; the work on the row says by whom."""


def _linked(matched_by: str) -> str:
    if matched_by == BY_HAND:
        return "linked by hand"
    return "linked when it was created" if matched_by == "created" else f"linked by {matched_by}"


def _asked_by(run: RunSummary | None) -> str:
    return f"sync, {run.trigger}" if run is not None else "sync"


def _told(of: Entity, act: str, after: Any) -> str:
    """An act of the audit trail as people read it."""
    if act == "resolve" and isinstance(after, dict):
        labels = {field.name: field.label for field in of.fields}
        kept = (f"{labels.get(name, name)} of {Side(side).label}" for name, side in after.items())
        return f"decided what stays: {', '.join(kept)}"
    more = ", ".join(f"{k}: {v}" for k, v in after.items()) if isinstance(after, dict) else ""
    return f"{act} ({more})" if more else act
