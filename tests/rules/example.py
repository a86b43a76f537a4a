"""A small entity of every kind of field, and records of it, for the tests of the rules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sync_core.model import Record, Side, Value
from sync_core.rules.declaration import At, Entity, Field, Kind, Owner, Stream

CRM, XERO = Side.CRM, Side.XERO
BOTH = frozenset(Side)
OWNERS = {
    "asked": Owner.ASK,
    "sales": Owner.CRM,
    "books": Owner.XERO,
    "newer": Owner.NEWER,
}


def _field(name: str, owner: Owner = Owner.ASK, **more: Any) -> Field:
    return Field(
        name, name.capitalize(), more.pop("kind", Kind.TEXT), At(name), At(name.upper()), more.pop("to", BOTH), owner, **more
    )


THING = Entity(
    "things",
    "Things",
    "thing",
    crm=(Stream(CRM, "thing", "thingid"),),
    xero=(Stream(XERO, "Things", "ThingID"),),
    fields=(
        *(_field(name, owner) for name, owner in OWNERS.items()),
        _field("outward", to=frozenset({XERO}), owner=Owner.CRM),
        _field("once", once=True),
        _field("phone", kind=Kind.PHONE),
        Field("short", "Short", Kind.TEXT, At("short", limit=5), At("SHORT", limit=10), BOTH),
        Field("friend", "Friend", Kind.REF, At("friend"), At("FRIEND"), BOTH, Owner.ASK, entity="things"),
        Field("quiet", "Quiet", Kind.TEXT, At("quiet"), At("QUIET")),
    ),
)


def crm(hour: int = 1, **fields: Value) -> Record:
    return Record(CRM, "things", "c1", "thing", "v1", fields, "", datetime(2026, 11, 20, hour, tzinfo=UTC))


def xero(hour: int = 2, **fields: Value) -> Record:
    return Record(XERO, "things", "x1", "Things", "v1", fields, "", datetime(2026, 11, 20, hour, tzinfo=UTC))


def linked(_side: Side, _entity: str, row_id: str) -> str | None:
    """The partner of c7 is x7, and so on."""
    return {"c": "x", "x": "c"}.get(row_id[:1], "?") + row_id[1:] if row_id else None
