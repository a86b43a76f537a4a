"""Read both systems again, live, and compare linked pairs field by field (R11); what came of it is kept in the state.

Writes to neither system, and trusts nothing that was cached.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sync_core.flows.by_key import read_by_key
from sync_core.flows.decide import record_from
from sync_core.flows.pull import own_streams, pull_stream, refresh
from sync_core.flows.workspace import Workspace
from sync_core.model import FieldDifference, Record, Side, Verification
from sync_core.rules import remarks
from sync_core.rules.compare import Translate, same
from sync_core.rules.declaration import Entity, Field, Kind
from sync_core.rules.mapping import content_hash
from sync_core.store import records


def verify(workspace: Workspace, entity: Entity, run: str, only: frozenset[str] | None = None) -> Iterator[Verification]:
    """Every linked pair of ``entity``, or those with an id (of either side) in ``only``. Each result is kept."""
    links = [k for k in workspace.state.all_links(entity.name) if only is None or k.crm_id in only or k.xero_id in only]
    if only is None:
        _read_everything(workspace, entity, run)
    else:
        for side in Side:
            for link in links:
                read_by_key(workspace, entity, side, link.crm_id if side is Side.CRM else link.xero_id, run)
    refresh(workspace, entity, run)
    for chunk in records.chunks(links, 2000):
        crm = records.records(workspace.cache, entity.name, Side.CRM, [k.crm_id for k in chunk])
        xero = records.records(workspace.cache, entity.name, Side.XERO, [k.xero_id for k in chunk])
        at, made = workspace.clock.now(), []
        for link in chunk:
            left = record_from(entity, Side.CRM, link.crm_id, crm[link.crm_id]) if link.crm_id in crm else None
            right = record_from(entity, Side.XERO, link.xero_id, xero[link.xero_id]) if link.xero_id in xero else None
            made.append(replace(_compared(workspace, entity, link.crm_id, link.xero_id, left, right), at=at, run=run))
        workspace.state.keep_verifications(made)
        yield from made


def _read_everything(workspace: Workspace, entity: Entity, run: str) -> None:
    for stream in own_streams(entity):
        pull_stream(workspace, stream, run, full=True)


def _compared(
    workspace: Workspace, entity: Entity, crm_id: str, xero_id: str, crm: Record | None, xero: Record | None
) -> Verification:
    missing = ", ".join(side.label for side, record in ((Side.CRM, crm), (Side.XERO, xero)) if _absent(entity, side, record))
    if crm is None or xero is None or missing:
        title = next((str(r.fields.get(entity.title) or "") for r in (crm, xero) if r is not None), "")
        left, right = (content_hash(r.fields) if r is not None else "" for r in (crm, xero))
        return Verification(entity.name, crm_id, xero_id, title, (), missing, "", left, right)
    differences = tuple(
        FieldDifference(spec.label, _spoken(workspace, spec, crm), _spoken(workspace, spec, xero))
        for spec in entity.fields
        if spec.to
        and not spec.once
        and not spec.hidden
        and not same(spec, crm.fields.get(spec.name), xero.fields.get(spec.name), _translate(workspace))
    )
    left, right = content_hash(crm.fields), content_hash(xero.fields)
    title, both = str(crm.fields.get(entity.title) or ""), content_hash({"crm": left, "xero": right})
    return Verification(entity.name, crm_id, xero_id, title, differences, "", both, left, right)


def _absent(entity: Entity, side: Side, record: Record | None) -> bool:
    """A row that was taken out of another one, such as an allocation, reads as deleted: the other side must say so too."""
    return record is None or (record.gone == "deleted" and not entity.stream_of(side, record.table).within)


def _spoken(workspace: Workspace, spec: Field, record: Record) -> str:
    value = record.fields.get(spec.name)
    if spec.kind is Kind.REF and isinstance(value, str):
        found = records.typed(workspace.cache, spec.entity, record.side, [value]).get(value)
        return remarks.spoken(found["title"]) if found else remarks.spoken(value)
    return remarks.spoken(value)


def _translate(workspace: Workspace) -> Translate:
    def partner(side: Side, name: str, row_id: str) -> str | None:
        return records.partners(workspace.cache, name, side, [row_id]).get(row_id)

    return partner
