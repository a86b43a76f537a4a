"""Which records of both systems are the same although neither names the other: by what they say, each used once. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from sync_core.model import Record
from sync_core.rules.compare import Translate, blank, same
from sync_core.rules.declaration import Entity


def pairs(entity: Entity, crm: Sequence[Record], xero: Sequence[Record], translate: Translate) -> list[tuple[str, str]]:
    """(Dynamics id, Xero id) of records that agree in every field of ``alike`` that Dynamics filled in.

    The most telling records choose first. Several that say exactly the same are interchangeable, so any will do.
    """
    spare = sorted(xero, key=lambda r: r.id)
    found = []
    for record in sorted(crm, key=lambda r: (-len(_told(entity, r)), r.id)):
        names = _told(entity, record)
        twin = next((other for other in spare if names and _alike(entity, names, record, other, translate)), None)
        if twin is not None:
            spare.remove(twin)
            found.append((record.id, twin.id))
    return found


def _told(entity: Entity, record: Record) -> list[str]:
    return [name for name in entity.alike if not blank(record.fields.get(name))]


def _alike(entity: Entity, names: Sequence[str], crm: Record, xero: Record, translate: Translate) -> bool:
    return all(same(entity.field(n), crm.fields.get(n), xero.fields.get(n), translate, strict=True) for n in names)
