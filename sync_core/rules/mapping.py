"""Native row <-> canonical fields, driven by the registry.

Canonical values: text is stripped and None when blank; numbers are ``Decimal`` without trailing zeros; dates are plain;
references and ids are lower-case text of the own side; codes (currency, product, ledger account, tax rate) are the codes
that both systems know, looked up for Dynamics through :class:`Context`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson

from sync_core.model import Lookup, Native, Record, Side, Value
from sync_core.rules.declaration import At, Entity, Field, Kind
from sync_core.rules.paths import pick, put, shares_element
from sync_core.rules.reading import PLACES, Context, dynamics_date, number, read
from sync_core.rules.tags import with_id

__all__ = [
    "Context", "Fields", "accepted", "content_hash", "dumps", "dynamics_date", "gone", "loads", "number", "read", "record_of",
    "sealed", "write",
]  # fmt: skip

CENT = Decimal("0.01")
Fields = Mapping[str, Value]


def gone(entity: Entity, side: Side, native: Native) -> str:
    """How a record that no longer counts as alive is called ("voided", "archived", ...), "" when it is alive."""
    for where, rule in entity.gone:
        if where is side:
            value = pick(native, rule.path)
            if value == rule.value or (rule.value is ... and value is not None):
                return rule.means
    return ""


def accepted(entity: Entity, side: Side, native: Native) -> bool:
    """Whether a row is the entity's business at all."""
    return all(str(pick(native, path)) in values for where, path, values in entity.accept if where is side)


def lines_of(fields: Fields) -> tuple[Mapping[str, Any], ...]:
    """The lines of a document in canonical fields, () for a record without any."""
    value = fields.get("lines")
    return value if isinstance(value, tuple) else ()


def content_hash(fields: Fields) -> str:
    """The same for the same canonical fields, whatever order or spelling they arrived in."""
    return hashlib.blake2b(dumps(fields), digest_size=16).hexdigest()


def sealed(fields: Fields) -> tuple[str, str]:
    """The :func:`content_hash` and the canonical JSON that it is of, at the price of one spelling."""
    text = dumps(fields)
    return hashlib.blake2b(text, digest_size=16).hexdigest(), text.decode()


def dumps(fields: Any) -> bytes:
    """Canonical JSON: sorted keys, numbers that are money as text, dates as ISO."""
    return orjson.dumps(fields, default=str, option=orjson.OPT_SORT_KEYS)


_DECIMALS = frozenset(PLACES)
_LINE_NET = "net"


@dataclass(frozen=True, slots=True)
class _Revival:
    """The fields of an entity that JSON spells otherwise than we hold them; the others need no look."""

    entity: Entity
    numbers: tuple[str, ...]
    dates: tuple[str, ...]
    lines: tuple[str, ...]
    line_numbers: tuple[str, ...]


_REVIVALS: dict[int, _Revival] = {}
"""By the entity's identity; each keeps its entity alive, so that no other one can have the same."""


def _revival(entity: Entity) -> _Revival:
    known = _REVIVALS.get(id(entity))
    if known is None:
        known = _Revival(
            entity,
            tuple(f.name for f in entity.fields if f.kind in _DECIMALS),
            tuple(f.name for f in entity.fields if f.kind is Kind.DATE),
            tuple(f.name for f in entity.fields if f.kind is Kind.LINES),
            (*(f.name for f in entity.lines if f.kind in _DECIMALS), _LINE_NET),
        )
        _REVIVALS[id(entity)] = known
    return known


def loads(entity: Entity, text: str | bytes) -> dict[str, Value]:
    """Canonical fields back from :func:`dumps`."""
    fields: dict[str, Any] = orjson.loads(text)
    revival = _revival(entity)
    for name in revival.numbers:
        if (value := fields.get(name)) is not None:
            fields[name] = Decimal(value)
    for name in revival.dates:
        if (value := fields.get(name)) is not None:
            fields[name] = date.fromisoformat(value)
    for name in revival.lines:
        if (value := fields.get(name)) is not None:
            fields[name] = tuple(_revived_line(line, revival.line_numbers) for line in value)
    return fields


def _revived_line(line: dict[str, Any], numbers: tuple[str, ...]) -> dict[str, Any]:
    for name in numbers:
        if (value := line.get(name)) is not None:
            line[name] = Decimal(value)
    return line


def write(entity: Entity, side: Side, table: str, changes: Fields, whole: Fields, context: Context) -> Native:
    """The native body that sets ``changes`` on ``side``. ``whole`` is the record as it will be, for fields written together.

    References in ``changes`` are already ids of ``side``: text in Xero, :class:`Lookup` in Dynamics.
    """
    body: Native = {}
    names = set(changes)
    if side is Side.XERO:
        places = tuple((s.name, s.xero.path) for s in entity.fields if s.xero is not None)
        names |= {n for c in changes for n in _together(places, c)}
    for spec in entity.fields:
        at = spec.at(side)
        if spec.name in names and at is not None:
            value = changes[spec.name] if spec.name in changes else whole.get(spec.name)
            _WRITERS[side](body, spec, at, table, value, context)
    return body


@lru_cache(maxsize=2048)
def _together(places: tuple[tuple[str, str], ...], changed: str) -> tuple[str, ...]:
    """The fields that stand in the same element as a changed one."""
    path = dict(places).get(changed)
    return tuple(name for name, other in places if path is not None and shares_element(path, other))


def _write_xero(body: Native, spec: Field, at: At, table: str, value: Value, _context: Context) -> None:
    path = at.path_in(table)
    if isinstance(value, Lookup):
        path, value = at.path_in(value.table), value.id
    if not path or (value is None and spec.kind not in (Kind.TEXT, Kind.PHONE, Kind.EMAIL)):
        return
    if spec.kind is Kind.TAG:
        value = with_id(str(pick(body, path) or ""), str(value), at.limit)
    put(body, path, _xero_value(spec, at, value))
    if spec.kind is Kind.PHONE:
        for part in ("PhoneCountryCode", "PhoneAreaCode"):
            put(body, f"{path.rpartition('.')[0]}.{part}", "")


def _xero_value(spec: Field, at: At, value: Value) -> Any:
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    return value[: at.limit] if isinstance(value, str) and at.limit and spec.kind is not Kind.REF else value


def _write_crm(body: Native, spec: Field, at: At, table: str, value: Value, context: Context) -> None:
    if spec.kind is Kind.FLAG:
        body.update(_state_of(at, bool(value)))
    elif spec.kind is Kind.REF:
        _write_lookup(body, at, value)
    elif spec.kind is Kind.CURRENCY:
        currency = context.currency_ids.get(str(value))
        if currency:
            body["transactioncurrencyid"] = Lookup("transactioncurrency", currency)
    elif spec.kind is Kind.NAME and at.path_in(table) == "fullname":
        first, _, last = str(value or "").rpartition(" ")
        body.update({"firstname": first[:50] or None, "lastname": last[:50]})
    else:
        path = at.write or at.path_in(table)
        if path:
            body[path] = _crm_value(spec, at, value)


def _write_lookup(body: Native, at: At, value: Value) -> None:
    target = value if isinstance(value, Lookup) else None
    paths = dict(at.tables) or {target.table if target else "": at.path}
    for table, path in paths.items():
        column = path.removeprefix("_").removesuffix("_value")
        if target is not None and table == target.table:
            body[column] = target


def _state_of(at: At, value: bool) -> Native:
    yes, no = at.write.split("|")
    pairs = (pair.split("=") for pair in (yes if value else no).split(","))
    return {name: int(number_) for name, number_ in pairs}


def _crm_value(spec: Field, at: At, value: Value) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if spec.kind is Kind.COUNT and value is not None:
        return int(str(value))
    return value[: at.limit] if isinstance(value, str) and at.limit else value


_WRITERS = {Side.CRM: _write_crm, Side.XERO: _write_xero}


def record_of(
    entity: Entity, side: Side, table: str, native: Native, context: Context, *, version: str, children: Iterable[Native] = ()
) -> Record:
    """A canonical record from a native row."""
    stream = entity.stream_of(side, table)
    row_id = str(native[stream.key])
    fields = read(entity, side, table, native, context, children)
    return Record(
        side, entity.name, row_id.lower() if side is Side.CRM else row_id, table, version, fields, gone(entity, side, native)
    )
