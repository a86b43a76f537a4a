"""Native row <-> canonical fields, driven by the registry.

Canonical values: text is stripped and None when blank; numbers are ``Decimal`` without trailing zeros; dates are plain;
references and ids are lower-case text of the own side; codes (currency, product, ledger account, tax rate) are the codes
that both systems know, looked up for Dynamics through :class:`Context`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import orjson

from sync_core.errors import Rejected
from sync_core.model import Lookup, Native, Record, Side, Value
from sync_core.rules.dates import parse_xero_date
from sync_core.rules.declaration import At, Entity, Field, Kind
from sync_core.rules.paths import pick, put, shares_element
from sync_core.rules.tags import id_in, with_id, words_of
from sync_core.rules.whole_amounts import on_lines

PLACES = {
    Kind.MONEY: Decimal("0.0001"),
    Kind.QUANTITY: Decimal("0.00001"),
    Kind.RATE: Decimal("0.000001"),
    Kind.COUNT: Decimal(1),
}
LARGEST = Decimal(999999999999999)
CENT = Decimal("0.01")
Fields = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Context:
    """What a row alone does not say.

    ``codes``: Dynamics id -> code, of currencies, products, ledger accounts and tax rates. ``currency_ids``: ISO code ->
    Dynamics id. ``ids``: "product CODE", "unit CODE" (the product's own), "account CODE", "tax TYPE" -> Dynamics id.
    ``banks``: code, name or id (lower case) of an account that takes payments -> its id in Xero.
    ``zone``: the organisation's time zone, in which its business dates are meant.
    """

    codes: Mapping[str, str] = field(default_factory=dict)
    currency_ids: Mapping[str, str] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    banks: Mapping[str, str] = field(default_factory=dict)
    zone: tzinfo = UTC


def read(
    entity: Entity, side: Side, table: str, native: Native, context: Context, children: Iterable[Native] = ()
) -> dict[str, Value]:
    """The canonical fields of one row. Raises Rejected naming the field when a value cannot be understood."""
    fields: dict[str, Value] = {}
    for spec in entity.fields:
        at = spec.at(side)
        if at is None:
            continue
        if spec.kind is Kind.LINES:
            fields[spec.name] = _lines(entity, side, native, context, children)
        else:
            fields[spec.name] = _value(spec, at, side, table, native, context)
    return fields


def _value(spec: Field, at: At, side: Side, table: str, native: Native, context: Context) -> Value:
    path = at.path_in(table)
    if not path:
        return None
    try:
        return _READERS[spec.kind](spec, at, side, path, native, context)
    except (ValueError, InvalidOperation) as error:
        raise Rejected(
            f"{spec.label}: {side.label} holds a value that cannot be understood ({error}). Correct it there and sync again.",
            field=spec.name,
        ) from None


def _text(_spec: Field, _at: At, _side: Side, path: str, native: Native, _context: Context) -> Value:
    value = pick(native, path)
    return (str(value).strip() or None) if value is not None else None


def _phone(_spec: Field, _at: At, side: Side, path: str, native: Native, _context: Context) -> Value:
    if side is Side.CRM:
        return _text(_spec, _at, side, path, native, _context)
    phone = pick(native, path.rpartition(".")[0]) or {}
    parts = (phone.get(k) for k in ("PhoneCountryCode", "PhoneAreaCode", "PhoneNumber"))
    return " ".join(str(p).strip() for p in parts if p) or None


def number(value: Any, kind: Kind) -> Decimal | None:
    """``value`` as an exact number of the kind's places, without trailing zeros. Raises ValueError when it is none."""
    if value is None or value == "":
        return None
    amount = value if isinstance(value, Decimal) else Decimal(str(value).strip())
    if not amount.is_finite() or abs(amount) > LARGEST:
        raise ValueError(f"{value} is not an amount that can be kept")
    rounded = amount.quantize(PLACES[kind], ROUND_HALF_UP)
    if kind is Kind.MONEY and rounded != amount:
        raise ValueError(f"{value} has more than 4 decimals")
    return _plain(rounded.normalize())


def _plain(value: Decimal) -> Decimal:
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value


def _number(spec: Field, _at: At, _side: Side, path: str, native: Native, _context: Context) -> Value:
    return number(pick(native, path), spec.kind)


def _date(_spec: Field, _at: At, side: Side, path: str, native: Native, context: Context) -> Value:
    if side is Side.XERO:
        text = native.get(f"{path}String") or pick(native, path)
        return parse_xero_date(str(text)) if text else None
    text = pick(native, path)
    return dynamics_date(str(text), context.zone) if text else None


def dynamics_date(text: str, zone: tzinfo) -> date:
    """A Dynamics date: date-only columns as they stand; an instant by the organisation's calendar.

    A whole UTC midnight or noon is a date that a program wrote, and stays that date.
    """
    if len(text) == 10:
        return date.fromisoformat(text)
    instant = datetime.fromisoformat(text)
    if (instant.hour, instant.minute, instant.second) in ((0, 0, 0), (12, 0, 0)):
        return instant.date()
    return instant.astimezone(zone).date()


def _flag(_spec: Field, at: At, _side: Side, path: str, native: Native, _context: Context) -> Value:
    return bool(dict(at.values).get(pick(native, path), False))


def _reference(_spec: Field, at: At, _side: Side, path: str, native: Native, _context: Context) -> Value:
    for candidate in (path, *(p for _, p in at.tables)):
        value = pick(native, candidate)
        if value is not None:
            return str(value).lower()
    return None


def _code(_spec: Field, _at: At, side: Side, path: str, native: Native, context: Context) -> Value:
    value = pick(native, path)
    if value is None:
        return None
    return context.codes.get(str(value).lower(), str(value)) if side is Side.CRM else str(value)


def _words(_spec: Field, _at: At, _side: Side, path: str, native: Native, _context: Context) -> Value:
    texts = (pick(native, alternative) for alternative in path.split("|"))
    return next((words for text in texts if text is not None and (words := words_of(str(text)))), None)


def _tag(_spec: Field, _at: At, side: Side, path: str, native: Native, _context: Context) -> Value:
    value = pick(native, path)
    return None if value is None else str(value).lower() if side is Side.CRM else id_in(str(value))


def _bank(_spec: Field, _at: At, _side: Side, path: str, native: Native, context: Context) -> Value:
    value = pick(native, path)
    return None if value is None else context.banks.get(str(value).strip().lower(), str(value).strip())


_READERS: dict[Kind, Callable[[Field, At, Side, str, Native, Context], Value]] = {
    Kind.TEXT: _text,
    Kind.NAME: _text,
    Kind.PHONE: _phone,
    Kind.MONEY: _number,
    Kind.QUANTITY: _number,
    Kind.RATE: _number,
    Kind.COUNT: _number,
    Kind.DATE: _date,
    Kind.FLAG: _flag,
    Kind.REF: _reference,
    Kind.CURRENCY: _code,
    Kind.CHOICE: _code,
    Kind.WORDS: _words,
    Kind.TAG: _tag,
    Kind.BANK: _bank,
}


def _lines(entity: Entity, side: Side, native: Native, context: Context, children: Iterable[Native]) -> tuple[Any, ...]:
    if side is Side.CRM:
        rows = sorted(children, key=lambda r: (r.get("lineitemnumber") or 0, str(r.get("invoicedetailid"))))
    else:
        rows = native.get("LineItems") or []
    lines = []
    for row in rows:
        line = {s.name: _value(s, at, side, "", row, context) for s in entity.lines if (at := s.at(side)) is not None}
        line["net"] = _net(side, native, row, line)
        if native.get("LineAmountTypes") == "Inclusive":
            line["unit_price"] = None
        lines.append(line)
    return tuple(on_lines(lines, native, entity.whole) if side is Side.CRM and entity.whole else lines)


def _net(side: Side, native: Native, row: Native, line: Mapping[str, Any]) -> Decimal | None:
    """The line's amount before tax, after its discount."""
    if side is Side.CRM:
        whole = number(row.get("extendedamount"), Kind.MONEY)
        return None if whole is None else _plain((whole - (line["tax"] or Decimal(0))).normalize())
    amount = number(row.get("LineAmount"), Kind.MONEY)
    if amount is None or native.get("LineAmountTypes") != "Inclusive":
        return amount
    return _plain((amount - (line["tax"] or Decimal(0))).normalize())


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


def content_hash(fields: Fields) -> str:
    """The same for the same canonical fields, whatever order or spelling they arrived in."""
    return hashlib.blake2b(dumps(fields), digest_size=16).hexdigest()


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
        names |= {s.name for s in entity.fields for c in changes if _together(entity, c, s)}
    for spec in entity.fields:
        at = spec.at(side)
        if spec.name in names and at is not None:
            value = changes[spec.name] if spec.name in changes else whole.get(spec.name)
            _WRITERS[side](body, spec, at, table, value, context)
    return body


def _together(entity: Entity, changed: str, spec: Field) -> bool:
    at, other = entity.field(changed).xero, spec.xero
    return at is not None and other is not None and shares_element(at.path, other.path)


def _write_xero(body: Native, spec: Field, at: At, table: str, value: Value, _context: Context) -> None:
    path = at.path_in(table)
    if isinstance(value, Lookup):
        path, value = at.path_in(value.table), value.id
    if not path or (value is None and spec.kind not in (Kind.TEXT, Kind.PHONE)):
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
