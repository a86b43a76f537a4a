"""Three-way comparison of a linked pair, field by field, against what each side held when they last agreed.

Pure: two records and two agreed images in, a :class:`Verdict` out. Both sides' values are brought to one form first
(references as the Dynamics id, text cut to what the other side can hold), so that what a system cannot hold is no change.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sync_core.model import Record, Side, Value
from sync_core.rules.declaration import Entity, Field, Kind, Owner
from sync_core.rules.mapping import Fields, content_hash

LINE_DESCRIPTION = 850
"""Characters that an invoice line in Dynamics can hold; Xero holds more."""

Translate = Callable[[Side, str, str], str | None]
"""(side the id belongs to, entity referred to, id) -> the id of its linked partner on the other side."""


@dataclass(frozen=True, slots=True)
class Clash:
    """One field that both sides hold differently and nobody may decide alone. ``base``: the agreed value, if there was one."""

    field: str
    base: Value
    crm: Value
    xero: Value


@dataclass(frozen=True, slots=True)
class Verdict:
    """What compare says of a pair: what to write to which side (canonical values of the other side), and what is parked."""

    to_crm: Mapping[str, Value] = field(default_factory=dict)
    to_xero: Mapping[str, Value] = field(default_factory=dict)
    clashes: tuple[Clash, ...] = ()

    @property
    def settled(self) -> bool:
        return not (self.to_crm or self.to_xero or self.clashes)

    def changes(self, side: Side) -> Mapping[str, Value]:
        return self.to_crm if side is Side.CRM else self.to_xero


def compare(
    entity: Entity, crm: Record, xero: Record, agreed_crm: Fields | None, agreed_xero: Fields | None, translate: Translate
) -> Verdict:
    """Decide a linked pair. ``agreed_*`` are the sides' own agreed images, None when there are none."""
    to_crm: dict[str, Value] = {}
    to_xero: dict[str, Value] = {}
    clashes: list[Clash] = []
    for spec in entity.fields:
        if not spec.to or spec.crm is None or spec.xero is None:
            continue
        decision = _decide(spec, crm, xero, agreed_crm, agreed_xero, translate)
        if decision is Side.CRM:
            to_crm[spec.name] = xero.fields.get(spec.name)
        elif decision is Side.XERO:
            to_xero[spec.name] = crm.fields.get(spec.name)
        elif decision == "clash":
            base = (agreed_crm or {}).get(spec.name)
            clashes.append(Clash(spec.name, base, crm.fields.get(spec.name), xero.fields.get(spec.name)))
    return Verdict(to_crm, to_xero, tuple(clashes))


@dataclass(frozen=True, slots=True)
class Kept:
    """What a person decided of one field: the side whose value stays. ``over``: :func:`print_of` the value that is given up.

    It holds for that value alone: one that somebody typed afterwards was never looked at.
    """

    side: Side
    over: str

    def covers(self, clash: Clash) -> bool:
        return self.over == print_of(clash.xero if self.side is Side.CRM else clash.crm)


def print_of(value: Value) -> str:
    """What tells one value from another."""
    return content_hash({"value": value})


def resolved(entity: Entity, verdict: Verdict, keep: Mapping[str, Kept]) -> Verdict:
    """``verdict`` with the clashes that a person decided turned into writes."""
    to_crm, to_xero = dict(verdict.to_crm), dict(verdict.to_xero)
    clashes = []
    for clash in verdict.clashes:
        decided = keep.get(clash.field)
        side = decided.side if decided is not None and decided.covers(clash) else None
        if side is Side.CRM and Side.XERO in entity.field(clash.field).to:
            to_xero[clash.field] = clash.crm
        elif side is Side.XERO and Side.CRM in entity.field(clash.field).to:
            to_crm[clash.field] = clash.xero
        else:
            clashes.append(clash)
    return Verdict(to_crm, to_xero, tuple(clashes))


def _decide(
    spec: Field, crm: Record, xero: Record, agreed_crm: Fields | None, agreed_xero: Fields | None, translate: Translate
) -> Side | str | None:
    """The side to write to, "clash", or None when nothing is to be done."""
    here, there = crm.fields.get(spec.name), xero.fields.get(spec.name)
    if agreed_crm is None or agreed_xero is None or spec.name not in agreed_crm or spec.name not in agreed_xero:
        return None if same(spec, here, there, translate) else _without_image(spec, crm, xero, here, there)
    crm_moved = here != agreed_crm[spec.name]
    xero_moved = there != agreed_xero[spec.name]
    if not (crm_moved or xero_moved) or same(spec, here, there, translate, strict=True):
        return None
    if spec.once:
        return _fill(spec, here, there)
    if crm_moved and xero_moved:
        return None if same(spec, here, there, translate) else _owner_decides(spec, crm, xero)
    target = Side.XERO if crm_moved else Side.CRM
    return target if target in spec.to else _owner_decides(spec, crm, xero)


def _fill(spec: Field, here: Value, there: Value) -> Side | None:
    for side, value in ((Side.CRM, here), (Side.XERO, there)):
        if side in spec.to and blank(value):
            return side
    return None


def _without_image(spec: Field, crm: Record, xero: Record, here: Value, there: Value) -> Side | str | None:
    filled = _fill(spec, here, there)
    return filled if filled or spec.once else _owner_decides(spec, crm, xero)


def _owner_decides(spec: Field, crm: Record, xero: Record) -> Side | str:
    owner = spec.owner
    if owner is Owner.NEWER:
        owner = Owner.CRM if _instant(crm) > _instant(xero) else Owner.XERO
    target = {Owner.CRM: Side.XERO, Owner.XERO: Side.CRM}.get(owner)
    return target if target in spec.to else "clash"


def _instant(record: Record) -> float:
    return record.modified.timestamp() if record.modified else 0.0


def blank(value: Value) -> bool:
    return value is None or value is False or value == "" or value == ()


_CASELESS = (Kind.NAME, Kind.EMAIL)
"""Kinds whose upper and lower case mean the same where nobody has changed them since both agreed."""


def same(spec: Field, crm: Value, xero: Value, translate: Translate, *, strict: bool = False) -> bool:
    """Whether both sides mean the same, after what either cannot hold is set aside.

    ``strict``: lines must also agree in product and description; without it only quantities and amounts count, which is
    enough to adopt a pair that was made elsewhere.
    """
    if blank(crm) and blank(xero):
        return True
    if spec.kind is Kind.LINES:
        return line_keys(crm, strict=strict) == line_keys(xero, strict=strict)
    if spec.kind is Kind.REF:
        return isinstance(crm, str) and translate(Side.CRM, spec.entity, crm) == xero
    if spec.kind is Kind.PHONE:
        return _digits(crm) == _digits(xero)
    if isinstance(crm, str) and isinstance(xero, str):
        left, right = _held(spec, crm), _held(spec, xero)
        return left == right or (spec.kind in _CASELESS and not strict and left.casefold() == right.casefold())
    return crm == xero


def _held(spec: Field, text: str) -> str:
    limits = [at.limit for at in (spec.crm, spec.xero) if at is not None and at.limit]
    cut = text[: min(limits)] if limits else text
    return " ".join(cut.split())


def _digits(value: Value) -> str:
    return "".join(c for c in str(value or "") if c.isdigit()).lstrip("0")


def line_keys(lines: Any, *, strict: bool = False) -> list[tuple[Any, ...]]:
    """What makes lines equal across the systems, in any order: quantity, amount before tax, tax (and what they say)."""
    return sorted(_line_key(line, strict=strict) for line in lines or ())


def _line_key(line: Mapping[str, Any], *, strict: bool) -> tuple[Any, ...]:
    zero = Decimal(0)
    amounts = (line.get("quantity") or zero, line.get("net") or zero, line.get("tax") or zero)
    if not strict:
        return amounts
    described = " ".join(str(line.get("description") or "").split())[:LINE_DESCRIPTION]
    return (*amounts, line.get("product") or "", described)


def image(record: Record, open_fields: Collection[str], before: Fields | None) -> dict[str, Value]:
    """The new agreed image of ``record``'s side: all its fields, but open ones as they were before, or not at all.

    Leaving a clash or a change that could not be written out keeps the record visible to the next run, until it is decided.
    """
    fields = dict(record.fields)
    for name in open_fields:
        fields.pop(name, None)
        if before is not None and name in before:
            fields[name] = before[name]
    return fields
