"""Two records beside each other: which fields differ and who moved, and which lines belong together. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sync_core.model import Side, Value
from sync_core.rules.compare import Translate, same
from sync_core.rules.declaration import Entity, Field, Kind
from sync_core.rules.line_pairs import partners
from sync_core.rules.reconcile import CRM_INVOICE_STATES, grouped_text

Fields = Mapping[str, Value]
NameOf = Callable[[str], str]
"""An id of either side -> what people call that record."""

_SHOWN_THOUGH_HIDDEN = ("total", "total_tax", "state")
_OPTIONAL = ("product", "account_code", "tax_type")  # blank in Dynamics means that Tieout fills it in for Xero


@dataclass(frozen=True, slots=True)
class FieldLine:
    """One field of both records as text. ``agreed`` is what they held when they last agreed; ``verdict`` says who moved."""

    name: str
    label: str
    crm: str
    agreed: str
    xero: str
    verdict: str

    @property
    def same(self) -> bool:
        return self.verdict in ("same", "not kept in step")


@dataclass(frozen=True, slots=True)
class LinePair:
    """Two lines that belong together, or one that stands alone; values as text by field name. ``differing`` are labels."""

    crm: Mapping[str, str] | None
    xero: Mapping[str, str] | None
    differing: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        return self.crm is not None and self.xero is not None and not self.differing


@dataclass(frozen=True, slots=True)
class Pair:
    """What is compared: the canonical fields of both records (None: not there), and what each held when they last agreed."""

    entity: Entity
    crm: Fields | None
    xero: Fields | None
    agreed_crm: Fields | None = None
    agreed_xero: Fields | None = None


def field_lines(pair: Pair, translate: Translate, name_of: NameOf) -> tuple[FieldLine, ...]:
    """Every field that has a place on both sides, differing ones first, else in the registry's order."""
    shown = [
        _field_line(spec, pair, translate, name_of)
        for spec in pair.entity.fields
        if spec.crm and spec.xero and (not spec.hidden or spec.name in _SHOWN_THOUGH_HIDDEN)
    ]
    return tuple(sorted(shown, key=lambda line: line.same))


def _field_line(spec: Field, pair: Pair, translate: Translate, name_of: NameOf) -> FieldLine:
    crm, xero = ((fields or {}).get(spec.name) for fields in (pair.crm, pair.xero))
    held = [(image or {}).get(spec.name) for image in (pair.agreed_crm, pair.agreed_xero)]
    currency = str((pair.crm or pair.xero or {}).get("currency") or "")
    texts = [_text(spec, value, currency, name_of) for value in (crm, held[0] if held[0] is not None else held[1], xero)]
    if pair.entity.name == "invoices" and spec.name == "state":
        texts = [CRM_INVOICE_STATES.get(text, text) for text in texts]
    return FieldLine(spec.name, spec.label, texts[0], texts[1], texts[2], _verdict(spec, pair, translate))


def _verdict(spec: Field, pair: Pair, translate: Translate) -> str:
    if pair.crm is None or pair.xero is None:
        return "only in Xero" if pair.crm is None else "only in Dynamics"
    crm, xero = pair.crm.get(spec.name), pair.xero.get(spec.name)
    if _agree(spec, pair.entity, crm, xero, translate):
        return "same"
    if spec.once:
        return "not kept in step"
    moved = [
        image is not None and spec.name in image and image[spec.name] != value
        for image, value in ((pair.agreed_crm, crm), (pair.agreed_xero, xero))
    ]
    if all(moved):
        return "changed on both sides"
    side = next((side for side, changed in zip(Side, moved, strict=True) if changed), None)
    return f"changed in {side.label}" if side else "differs"


def _agree(spec: Field, entity: Entity, crm: Value, xero: Value, translate: Translate) -> bool:
    if entity.name == "invoices" and spec.name == "state":
        return _settlement(crm) == _settlement(xero)
    return same(spec, crm, xero, translate, strict=True)


def _settlement(state: Value) -> str:
    return {"2": "paid", "PAID": "paid", "3": "void", "VOIDED": "void", "DELETED": "void"}.get(str(state), "open")


def _text(spec: Field, value: Value, currency: str, name_of: NameOf) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, Decimal):
        return grouped_text(value, currency) if spec.kind is Kind.MONEY else f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return f"{len(value)} line" + ("" if len(value) == 1 else "s")
    return name_of(str(value)) if spec.kind is Kind.REF else str(value)


def pair_lines(entity: Entity, crm: Sequence[Mapping[str, Any]], xero: Sequence[Mapping[str, Any]]) -> tuple[LinePair, ...]:
    """Lines of both sides aligned: those that are most alike first, each used once; lone ones stand in their own order."""
    twins = partners(crm, xero)
    pairs = [_line_pair(entity, line, None if (n := twins.get(i)) is None else xero[n]) for i, line in enumerate(crm)]
    taken = set(twins.values())
    return (*pairs, *(_line_pair(entity, None, line) for n, line in enumerate(xero) if n not in taken))


def _line_pair(entity: Entity, crm: Mapping[str, Any] | None, xero: Mapping[str, Any] | None) -> LinePair:
    differing: tuple[str, ...] = ()
    if crm is not None and xero is not None:
        labels = [(spec.name, spec.label) for spec in entity.lines if not spec.hidden] + [("net", "Amount before tax")]
        differing = tuple(label for name, label in labels if _line_differs(name, crm.get(name), xero.get(name)))
    return LinePair(crm and _line_texts(crm), xero and _line_texts(xero), differing)


def _line_differs(name: str, crm: Any, xero: Any) -> bool:
    if crm is None and name in _OPTIONAL:
        return False
    if isinstance(crm, Decimal) or isinstance(xero, Decimal):
        return (crm or Decimal(0)) != (xero or Decimal(0))
    return " ".join(str(crm or "").split()) != " ".join(str(xero or "").split())


def _line_texts(line: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: f"{value:f}" if isinstance(value, Decimal) else str(value) for name, value in line.items() if value is not None
    }
