"""Xero's arithmetic: per line, rounded to cents, then summed. Pure functions over Decimal.

Results are remembered: a company sells the same things at the same prices over and over. Source: Xero's
"Rounding in Xero" (25.06, 25.61 and 25.63 at 15 % give 11.44 of tax, not 11.45).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from sync_core.sandbox.kernel import Row

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
HUNDRED = Decimal(100)
ONE = Decimal(1)
MOST = Decimal("9999999999.99")
REMEMBERED = 65_536


def cents(amount: Decimal) -> Decimal:
    """Rounded to two decimals, halves away from zero."""
    return amount.quantize(CENT, ROUND_HALF_UP)


@lru_cache(maxsize=REMEMBERED)
def places(amount: Decimal, decimals: int) -> Decimal:
    """Rounded to ``decimals`` decimals, halves away from zero."""
    return amount.quantize(ONE.scaleb(-decimals), ROUND_HALF_UP)


@lru_cache(maxsize=REMEMBERED)
def line_amount(quantity: Decimal, unit: Decimal, rate: Decimal | None, discount: Decimal | None) -> Decimal:
    """Quantity times unit price, less a discount in percent or as an amount."""
    gross = quantity * unit
    if rate:
        gross = gross * (HUNDRED - rate) / HUNDRED
    elif discount:
        gross -= discount
    return cents(gross)


@lru_cache(maxsize=REMEMBERED)
def tax_on(amount: Decimal, rate: Decimal, mode: str) -> Decimal:
    """The tax of one line amount at ``rate`` percent; ``mode`` is Exclusive, Inclusive or NoTax."""
    if mode == "NoTax" or not rate:
        return ZERO
    if mode == "Inclusive":
        return cents(amount * rate / (HUNDRED + rate))
    return cents(amount * rate / HUNDRED)


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of a document. ``discount`` is what its lines were reduced by."""

    sub_total: Decimal
    tax: Decimal
    total: Decimal
    discount: Decimal


def totals(lines: Iterable[Row], mode: str) -> Totals:
    """Sum the lines of a document."""
    amount = tax = discount = ZERO
    for line in lines:
        amount += line["LineAmount"]
        tax += line["TaxAmount"]
        if line.get("DiscountRate") or line.get("DiscountAmount"):
            discount += cents(line["Quantity"] * line["UnitAmount"]) - line["LineAmount"]
    if mode == "Inclusive":
        return Totals(amount - tax, tax, amount, discount)
    return Totals(amount, tax, amount + tax, discount)


def to_base(amount: Decimal, rate: Decimal) -> Decimal:
    """A foreign amount in the base currency; ``rate`` is foreign units per unit of base."""
    return cents(amount / rate)
