"""Linked records of which the cache holds one side only: the other one went away while no cache was there to see it.

A lost cache is filled anew from what stands (I19). What was deleted meanwhile is in no listing, and an allocation that was
taken back leaves no trace in Xero at all; only the link remembers it. It is looked for by its id (I6): what a listing left
out comes in, and what is not there stands in the cache as deleted, so that it is decided like any other deletion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import structlog

from sync_core.flows.decide import DELETED, reading
from sync_core.flows.partners import Partners
from sync_core.flows.pull import ASKED_ONE_BY_ONE, refresh
from sync_core.flows.workspace import Workspace
from sync_core.model import Link, Record, Side, Value
from sync_core.rules.declaration import Entity, Field, Kind, Stream
from sync_core.rules.mapping import sealed
from sync_core.store import open_work, records, rows

log = structlog.get_logger(__name__)


def look_for_absent(workspace: Workspace, entities: Sequence[Entity], run: str) -> None:
    """Look for what linked records are linked to and the cache does not hold, a few of each kind in a run."""
    for entity in entities:
        for side in Side:
            absent = _absent(workspace, entity, side)
            if absent:
                log.info("linked records are in no list", entity=entity.name, side=str(side), records=len(absent), run=run)
                _look(workspace, entity, side, absent, run)


def _absent(workspace: Workspace, entity: Entity, side: Side) -> dict[str, str]:
    """By id the records to look for, and whom they are linked to; not those whose row stands there and cannot be read."""
    absent = open_work.absent(workspace.cache, entity.name, side)
    known = {i for s in entity.streams(side) if absent for i in rows.native_rows(workspace.cache, s, absent)}
    return dict([(i, twin) for i, twin in sorted(absent.items()) if i not in known][:ASKED_ONE_BY_ONE])


def _look(workspace: Workspace, entity: Entity, side: Side, absent: dict[str, str], run: str) -> None:
    twins = reading(workspace.cache)(entity, side.other, list(absent.values()))
    partners = Partners(workspace.cache)
    gone = []
    for row_id, twin_id in absent.items():
        twin = twins[twin_id]
        there = [stream for stream in entity.streams(side) if not stream.within and _found(workspace, stream, row_id, run)]
        missing = () if there else _missing_from(workspace, entity, side, twin, partners)
        gone += [_as_it_was(entity, twin, row_id, stream, partners) for stream in missing[:1]]
    refresh(workspace, entity, run)
    links = workspace.state.links(entity.name, side, list(absent))
    made = [_row(entity, record, run, links.get(record.id)) for record in gone]
    records.merge_records(workspace.cache, made, at=workspace.clock.now())


def _found(workspace: Workspace, stream: Stream, row_id: str, run: str) -> bool:
    native = workspace.systems[stream.side].get(stream, row_id)
    if native is not None:
        with workspace.cache.transaction() as transaction:
            rows.keep_rows(transaction, stream, [native], run)
    return native is not None


def _missing_from(workspace: Workspace, entity: Entity, side: Side, twin: Record, partners: Partners) -> tuple[Stream, ...]:
    """Where the record is missing for certain: in its table, or in the row that held it, when that row is known."""
    streams = entity.streams(side)
    return tuple(s for s in streams if not s.within or _holder_known(workspace, entity, s, twin, partners))


def _holder_known(workspace: Workspace, entity: Entity, stream: Stream, twin: Record, partners: Partners) -> bool:
    for spec in entity.fields:
        if spec.kind is Kind.REF and _place(spec, stream) == stream.parent_key:
            holder = _translated(spec, twin, partners)
            tables = records.tables_of(workspace.cache, spec.entity, stream.side, [str(holder)]) if holder else {}
            return stream.table in tables.values()
    return False


def _as_it_was(entity: Entity, twin: Record, row_id: str, stream: Stream, partners: Partners) -> Record:
    """The deleted record, which nobody can read any more, as its twin shows it: so nothing but its end is brought over."""
    fields = {spec.name: _translated(spec, twin, partners) for spec in entity.fields}
    if stream.within:
        fields |= {spec.name: "DELETED" for spec in entity.fields if _place(spec, stream) == "Status"}
    return replace(
        twin, side=stream.side, id=row_id, table=stream.table, version="gone", fields=fields, gone=DELETED, modified=None
    )


def _translated(spec: Field, twin: Record, partners: Partners) -> Value:
    value = twin.fields.get(spec.name)
    return partners.of(twin.side, spec.entity, value) if spec.kind is Kind.REF and isinstance(value, str) else value


def _place(spec: Field, stream: Stream) -> str:
    place = spec.crm if stream.side is Side.CRM else spec.xero
    return place.path_in(stream.table) if place is not None else ""


def _row(entity: Entity, record: Record, run: str, link: Link | None) -> dict[str, object]:
    return records.as_row(record, entity.title, *sealed(record.fields), run, link)
