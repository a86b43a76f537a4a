"""What stands around records that people made in Dynamics: the Xero records they refer to, and those that go with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from sync_core.flows.workspace import Workspace
from sync_core.model import Record, Side, Value, Verb
from sync_core.rules.compare import Translate
from sync_core.rules.declaration import Entity, Kind
from sync_core.rules.entities import carried_by, completing
from sync_core.rules.entities import entity as entity_called
from sync_core.rules.likeness import pairs
from sync_core.rules.outgoing import Around, left_of, settled_fields
from sync_core.rules.remarks import spoken
from sync_core.store import open_work, records
from sync_core.store.cache import Cache

ARRIVES_WITHIN = timedelta(minutes=5)
"""How long a request may be on its way after its answer was given up."""
Read = Callable[[Entity, Side, Sequence[str]], Mapping[str, Record]]
"""Cached records of an entity and side, by id."""


class Surveyor:
    """Looks around records, a chunk at a time, and remembers what was given away of open amounts in this pass."""

    def __init__(self, cache: Cache, read: Read, translate: Translate) -> None:
        self._cache, self._read, self._translate = cache, read, translate
        self._given: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        self._documents: dict[tuple[str, str], Record] = {}
        self._carried: Mapping[str, list[Record]] = {}
        self._others: Mapping[str, list[Record]] = {}

    def look(self, entity: Entity, some: Sequence[Record]) -> None:
        """Gather what stands around ``some`` in a handful of questions."""
        self._documents = {}
        wanted: dict[str, set[str]] = {}
        for record in some:
            for name, partner in self._partners(entity, record).items():
                wanted.setdefault(entity.field(name).entity, set()).add(partner)
        for name, ids in wanted.items():
            found = self._read(entity_called(name), Side.XERO, sorted(ids))
            self._documents.update({(name, i): r for i, r in found.items()})
        self._carried = carried(self._cache, self._read, entity, [r.id for r in some])
        asked = any(rule.test == "distinct" for rule in entity.rules)
        documents = sorted(set().union(*wanted.values())) if asked and wanted else []
        self._others = _on_documents(self._cache, self._read, entity, Side.XERO, documents, unlinked=False)

    def around(self, entity: Entity, record: Record) -> Around:
        """What stands around one of those that were looked at last."""
        partners = self._partners(entity, record)
        documents = {n: self._left(entity.field(n).entity, i) for n, i in partners.items() if self._seen(entity, n, i)}
        others = tuple(o for i in partners.values() for o in self._others.get(i, ()))
        return Around(documents, tuple(self._carried.get(record.id, ())), others)

    def give_away(self, entity: Entity, record: Record) -> None:
        """The record is going to Xero: what it takes of its documents is no longer open for others."""
        amount = record.fields.get("amount")
        for name, partner in self._partners(entity, record).items():
            if isinstance(amount, Decimal):
                self._given[entity.field(name).entity, partner] += amount

    def table_inside(self, entity: Entity, record: Record) -> str:
        """For what stands inside another record in Xero: the table of that record. "" for what stands by itself."""
        for stream in entity.xero:
            for spec in entity.fields if stream.within else ():
                value = record.fields.get(spec.name)
                if spec.kind is not Kind.REF or spec.xero is None or not isinstance(value, str):
                    continue
                partner = self._translate(record.side, spec.entity, value)
                holds = stream.parent_key in spec.xero.path.split("|")
                if (
                    partner
                    and holds
                    and records.tables_of(self._cache, spec.entity, Side.XERO, [partner]) == {partner: stream.table}
                ):
                    return stream.table
        return ""

    def _seen(self, entity: Entity, name: str, partner: str) -> bool:
        return (entity.field(name).entity, partner) in self._documents

    def _partners(self, entity: Entity, record: Record) -> dict[str, str]:
        found = {}
        for name in settled_fields(entity):
            value = record.fields.get(name)
            partner = self._translate(Side.CRM, entity.field(name).entity, value) if isinstance(value, str) else None
            if partner is not None:
                found[name] = partner
        return found

    def _left(self, entity: str, row_id: str) -> Record:
        document, given = self._documents[entity, row_id], self._given.get((entity, row_id))
        left = left_of(document)
        if not given or left is None:
            return document
        less: dict[str, Value] = {n: left - given for n in ("amount_due", "remaining") if document.fields.get(n) is not None}
        return replace(document, fields={**document.fields, **less})


def carried(cache: Cache, read: Read, entity: Entity, ids: Sequence[str]) -> Mapping[str, list[Record]]:
    """By id of a record of ``entity`` in Dynamics, the records that go to Xero inside it, in a stable order."""
    found: dict[str, list[Record]] = {}
    for child in carried_by(entity.name):
        for row_id, some in _on_documents(cache, read, child, Side.CRM, ids, unlinked=True).items():
            usable = [r for r in some if not r.fields.get("inactive")]
            found.setdefault(row_id, []).extend(sorted(usable, key=lambda r: (str(r.fields.get("name") or ""), r.id)))
    return found


def _on_documents(
    cache: Cache, read: Read, entity: Entity, side: Side, documents: Sequence[str], *, unlinked: bool
) -> Mapping[str, list[Record]]:
    by_document = records.on_documents(cache, entity.name, side, documents, unlinked=unlinked) if documents else {}
    found = read(entity, side, [i for ids in by_document.values() for i in ids])
    return {document: [found[i] for i in ids if i in found] for document, ids in by_document.items()}


def half_done(
    cache: Cache, read: Read, entity: Entity, on: frozenset[str], title_of: Callable[[str, str], str]
) -> dict[str, str]:
    """By Dynamics id, what people entered for a record of ``entity`` that is not in Xero yet, in words."""
    waiting: defaultdict[str, list[str]] = defaultdict(list)
    for child, name in completing(entity.name):
        if child.switch is None or child.switch.setting not in on:
            continue
        for record in read(child, Side.CRM, open_work.unlinked(cache, child.name, Side.CRM)).values():
            of = record.fields.get(name)
            if isinstance(of, str) and not (record.gone or record.fields.get("inactive") or record.fields.get("xero_id")):
                waiting[of].append(_part(child, record, title_of))
    words = {}
    for row_id, parts in waiting.items():
        words[row_id] = f"Not yet allocated in Xero: {', '.join(sorted(parts))}. It follows by itself once it can."
    return words


def _part(child: Entity, record: Record, title_of: Callable[[str, str], str]) -> str:
    invoice = next((f for f in child.fields if f.kind is Kind.REF and f.required), None)
    value = record.fields.get(invoice.name) if invoice is not None else None
    to = f" to {title_of(invoice.entity, value)}" if invoice is not None and isinstance(value, str) else ""
    return f"{spoken(record.fields.get('amount'))}{to}"


def alike_pairs(cache: Cache, read: Read, entity: Entity, translate: Translate) -> list[tuple[str, str]]:
    """Unlinked records of both sides that are the same by the fields of ``alike``, where no tag could say so."""
    if not entity.alike:
        return []
    mine = [r for r in read(entity, Side.CRM, open_work.unlinked(cache, entity.name, Side.CRM)).values() if _untold(r)]
    documents = {
        partner
        for record in mine
        for name in entity.alike
        if (spec := entity.field(name)).kind is Kind.REF
        and isinstance(value := record.fields.get(name), str)
        and (partner := translate(Side.CRM, spec.entity, value)) is not None
    }
    there = _on_documents(cache, read, entity, Side.XERO, sorted(documents), unlinked=True)
    theirs = {r.id: r for some in there.values() for r in some}
    return pairs(entity, mine, list(theirs.values()), translate)


def _untold(record: Record) -> bool:
    return not record.gone and not record.fields.get("xero_id")


def under_way(workspace: Workspace) -> dict[tuple[str, Side, str], datetime]:
    """Creates whose answer was lost and that may still arrive: when each was sent, by the record that it is of."""
    waiting = (i for i in workspace.state.unsettled() if i.verb is Verb.CREATE and i.side is Side.XERO and i.crm_id)
    return {(i.entity, Side.CRM, i.crm_id or ""): i.first_sent_at for i in waiting if i.first_sent_at is not None}
