"""Native row -> canonical fields. What a declaration says is worked out once per entity, side and table, not once per row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from sync_core.errors import Rejected
from sync_core.model import Native, Record, Side, Value
from sync_core.rules.dates import parse_xero_date
from sync_core.rules.declaration import At, Entity, Field, Kind
from sync_core.rules.paths import picker, plain_name
from sync_core.rules.tags import id_in, words_of
from sync_core.rules.whole_amounts import on_lines

PLACES = {
    Kind.MONEY: Decimal("0.0001"),
    Kind.QUANTITY: Decimal("0.00001"),
    Kind.RATE: Decimal("0.000001"),
    Kind.COUNT: Decimal(1),
}
LARGEST = Decimal(999999999999999)
_FLOATING = Decimal("0.0000001")
"""How far off a number may be that went through a binary fraction on its way: 30.299999999999997 is 30.3."""
_QUOTED = 40
"""Characters of a value that a refusal quotes."""
Reader = Callable[[Native, "Context"], Value]
_MANY = 16_384
"""Amounts and dates whose reading is remembered: a company's rows hold the same few thousand again and again."""


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


@dataclass(frozen=True, slots=True)
class _Column:
    """One field as it is read from one table; ``read`` is None for lines."""

    spec: Field
    read: Reader | None


@dataclass(frozen=True, slots=True)
class _Layout:
    """All fields that one table holds of an entity. Keeps its entity alive, so that no other one can have the same identity."""

    entity: Entity
    columns: tuple[_Column, ...]
    line: tuple[_Column, ...]


ENDED = ("DELETED", "VOIDED")
"""States of a document in Xero that is no longer one."""
_LINES_LEFT_OUT = "Lines: Xero sent a total without the lines that it is made of, so nothing was changed. Sync again."
_LAYOUTS: dict[tuple[int, Side, str], _Layout] = {}


def read(
    entity: Entity, side: Side, table: str, native: Native, context: Context, children: Iterable[Native] = ()
) -> dict[str, Value]:
    """The canonical fields of one row. Raises Rejected naming the field when a value cannot be understood."""
    layout = _LAYOUTS.get((id(entity), side, table)) or _laid_out(entity, side, table)
    fields: dict[str, Value] = {}
    for column in layout.columns:
        if column.read is None:
            fields[column.spec.name] = _lines(layout, side, native, context, children)
            continue
        try:
            fields[column.spec.name] = column.read(native, context)
        except (ValueError, InvalidOperation) as error:
            raise _not_understood(column.spec, side, error) from None
    return fields


def _not_understood(spec: Field, side: Side, error: Exception) -> Rejected:
    return Rejected(
        f"{spec.label}: {side.label} holds a value that cannot be understood ({error}). Correct it there and sync again.",
        field=spec.name,
    )


def _laid_out(entity: Entity, side: Side, table: str) -> _Layout:
    def columns(specs: Iterable[Field], of: str) -> tuple[_Column, ...]:
        return tuple(_Column(s, _reader(s, at, side, of)) for s in specs if (at := s.at(side)) is not None)

    layout = _Layout(entity, columns(entity.fields, table), columns(entity.lines, ""))
    _LAYOUTS[id(entity), side, table] = layout
    return layout


def _reader(spec: Field, at: At, side: Side, table: str) -> Reader | None:
    if spec.kind is Kind.LINES:
        return None
    path = at.path_in(table)
    return _READERS[spec.kind](spec, at, side, path) if path else _nothing


def _nothing(_native: Native, _context: Context) -> Value:
    return None


def _text(_spec: Field, _at: At, _side: Side, path: str) -> Reader:
    name, pick = plain_name(path), picker(path)

    def text(native: Native, _context: Context) -> Value:
        value = pick(native)
        return (str(value).strip() or None) if value is not None else None

    def own(native: Native, _context: Context) -> Value:
        value = native.get(name)
        return (str(value).strip() or None) if value is not None else None

    return own if name else text


def _phone(spec: Field, at: At, side: Side, path: str) -> Reader:
    if side is Side.CRM:
        return _text(spec, at, side, path)
    pick = picker(path.rpartition(".")[0])

    def phone(native: Native, _context: Context) -> Value:
        found = pick(native) or {}
        parts = (found.get(k) for k in ("PhoneCountryCode", "PhoneAreaCode", "PhoneNumber"))
        return " ".join(str(p).strip() for p in parts if p) or None

    return phone


def _number(spec: Field, _at: At, _side: Side, path: str) -> Reader:
    name, pick, kind = plain_name(path), picker(path), spec.kind
    if name:
        return lambda native, _context: number(native.get(name), kind)
    return lambda native, _context: number(pick(native), kind)


def number(value: Any, kind: Kind) -> Decimal | None:
    """``value`` as an exact number of the kind's places, without trailing zeros. Raises ValueError when it is none."""
    if value is None or value == "":
        return None
    return _exact(value if isinstance(value, str | int | Decimal) else str(value), kind)


# Typed: 1 and True are equal, but only one of them is a number.
@lru_cache(_MANY, typed=True)
def _exact(value: str | Decimal, kind: Kind) -> Decimal:
    try:
        amount = value if isinstance(value, Decimal) else Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError(f"{str(value)[:_QUOTED]} is not a number") from None
    if not amount.is_finite() or abs(amount) > LARGEST:
        raise ValueError(f"{value} is not an amount that can be kept")
    rounded = amount.quantize(PLACES[kind], ROUND_HALF_UP)
    if kind is Kind.MONEY and abs(rounded - amount) > _FLOATING:
        raise ValueError(f"{value} has more than 4 decimals")
    return plain(rounded)


def plain(value: Decimal) -> Decimal:
    """The same amount without trailing zeros, and without an exponent."""
    short = value.normalize()
    return short.quantize(Decimal(1)) if short == short.to_integral_value() else short


def _date(_spec: Field, _at: At, side: Side, path: str) -> Reader:
    pick = picker(path)
    if side is Side.XERO:
        beside = f"{path}String"

        def in_xero(native: Native, _context: Context) -> Value:
            text = native.get(beside) or pick(native)
            return _xero_day(str(text)) if text else None

        return in_xero

    def in_dynamics(native: Native, context: Context) -> Value:
        text = pick(native)
        return dynamics_date(str(text), context.zone) if text else None

    return in_dynamics


_xero_day = lru_cache(_MANY)(parse_xero_date)


@lru_cache(_MANY)
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


def _flag(_spec: Field, at: At, _side: Side, path: str) -> Reader:
    pick, values = picker(path), dict(at.values)
    return lambda native, _context: bool(values.get(pick(native), False))


def _reference(_spec: Field, at: At, _side: Side, path: str) -> Reader:
    picks = tuple(picker(p) for p in dict.fromkeys((path, *(p for _, p in at.tables))))

    def reference(native: Native, _context: Context) -> Value:
        return next((str(v).lower() for pick in picks if (v := pick(native)) is not None), None)

    return reference


def _code(_spec: Field, _at: At, side: Side, path: str) -> Reader:
    pick = picker(path)

    def code(native: Native, context: Context) -> Value:
        value = pick(native)
        if value is None:
            return None
        return context.codes.get(str(value).lower(), str(value)) if side is Side.CRM else str(value)

    return code


def _words(_spec: Field, _at: At, _side: Side, path: str) -> Reader:
    picks = tuple(picker(alternative) for alternative in path.split("|"))

    def words(native: Native, _context: Context) -> Value:
        texts = (pick(native) for pick in picks)
        return next((found for text in texts if text is not None and (found := words_of(str(text)))), None)

    return words


def _tag(_spec: Field, _at: At, side: Side, path: str) -> Reader:
    pick = picker(path)

    def tag(native: Native, _context: Context) -> Value:
        value = pick(native)
        return None if value is None else str(value).lower() if side is Side.CRM else id_in(str(value))

    return tag


def _bank(_spec: Field, _at: At, _side: Side, path: str) -> Reader:
    pick = picker(path)

    def bank(native: Native, context: Context) -> Value:
        value = pick(native)
        return None if value is None else context.banks.get(str(value).strip().lower(), str(value).strip())

    return bank


_READERS: dict[Kind, Callable[[Field, At, Side, str], Reader]] = {
    Kind.TEXT: _text,
    Kind.NAME: _text,
    Kind.EMAIL: _text,
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


def _lines(layout: _Layout, side: Side, native: Native, context: Context, children: Iterable[Native]) -> tuple[Any, ...]:
    if side is Side.CRM:
        rows = sorted(children, key=lambda r: (r.get("lineitemnumber") or 0, str(r.get("invoicedetailid"))))
    else:
        rows = native.get("LineItems") or []
        if not rows and number(native.get("Total"), Kind.MONEY) and native.get("Status") not in ENDED:
            raise Rejected(_LINES_LEFT_OUT, field="lines")
    inclusive, whole = native.get("LineAmountTypes") == "Inclusive", layout.entity.whole
    lines = []
    for row in rows:
        line = _of_line(layout.line, side, row, context)
        line["net"] = _net(side, native, row, line)
        if inclusive:
            line["unit_price"] = None
        lines.append(line)
    return tuple(on_lines(lines, native, whole) if side is Side.CRM and whole else lines)


def _of_line(columns: tuple[_Column, ...], side: Side, row: Native, context: Context) -> dict[str, Any]:
    line: dict[str, Any] = {}
    for column in columns:
        try:
            line[column.spec.name] = column.read(row, context) if column.read is not None else None
        except (ValueError, InvalidOperation) as error:
            raise _not_understood(column.spec, side, error) from None
    return line


def _net(side: Side, native: Native, row: Native, line: Mapping[str, Any]) -> Decimal | None:
    """The line's amount before tax, after its discount."""
    if side is Side.CRM:
        whole = number(row.get("extendedamount"), Kind.MONEY)
        return None if whole is None else plain(whole - (line["tax"] or Decimal(0)))
    amount = number(row.get("LineAmount"), Kind.MONEY)
    if amount is None or native.get("LineAmountTypes") != "Inclusive":
        return amount
    return plain(amount - (line["tax"] or Decimal(0)))


def ended_in_xero(record: Record) -> str:
    """How a document of Xero ended, in small letters: "deleted", "voided", "" when it stands."""
    state = record.fields.get("state") or record.fields.get("status")
    return str(state).lower() if state in ENDED else ""
