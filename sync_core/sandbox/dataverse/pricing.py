"""Sales' system pricing: how the amounts of invoice lines and of their invoice follow from what was entered.

The formulas are those of Microsoft's own simulator of this logic (Business Central's test codeunit 139192).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from sync_core.sandbox.dataverse.values import rounded

ZERO = Decimal(0)
HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class LineAmounts:
    """What the platform computes on a line."""

    base: Decimal
    extended: Decimal


@dataclass(frozen=True, slots=True)
class LineFigures:
    """What an invoice needs of a line."""

    base: Decimal
    discount: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class InvoiceAmounts:
    """What the platform computes on an invoice."""

    line_discount: Decimal
    lines: Decimal
    tax: Decimal
    discount: Decimal
    less_freight: Decimal
    total: Decimal


def price_line(
    price: Decimal,
    quantity: Decimal,
    *,
    volume_discount: Decimal = ZERO,
    discount: Decimal = ZERO,
    tax: Decimal = ZERO,
    digits: int = 2,
) -> LineAmounts:
    """A line's amounts. ``volume_discount`` is per unit, ``discount`` and ``tax`` are for the line."""
    base = rounded((price - volume_discount) * quantity, digits)
    return LineAmounts(base, base - discount + tax)


def price_invoice(
    lines: Iterable[LineFigures],
    *,
    discount: Decimal = ZERO,
    percentage: Decimal = ZERO,
    freight: Decimal = ZERO,
    digits: int = 2,
) -> InvoiceAmounts:
    """An invoice's amounts; ``discount`` and ``percentage`` are those of the header."""
    base = line_discount = tax = ZERO
    for line in lines:
        base += line.base
        line_discount += line.discount
        tax += line.tax
    items = base - line_discount
    off = discount + (rounded(items * percentage / HUNDRED, digits) if percentage else ZERO)
    less_freight = items - off
    total = less_freight + freight + tax
    return InvoiceAmounts(line_discount, items, tax, off + line_discount, less_freight, total)
