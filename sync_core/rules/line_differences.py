"""Why the totals of two documents differ, traced to their lines: what each line contributes, in amounts and in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sync_core.rules.line_pairs import partners
from sync_core.rules.reasons import Reason

Line = Mapping[str, Any]
ZERO = Decimal(0)
CENT = Decimal("0.01")
TOLD = 3
"""Differing lines that are told one by one; the others are counted."""


@dataclass(frozen=True, slots=True)
class LineDifference:
    """What one line adds to the difference of the totals (Dynamics minus Xero), and how it is told."""

    reason: Reason
    amount: Decimal
    words: str


@dataclass(frozen=True, slots=True)
class Traced:
    """A difference of totals split by reason: ``parts`` add up to it. ``main`` is the reason of the largest part."""

    main: Reason
    parts: Mapping[Reason, Decimal]
    words: str


def trace(crm: Mapping[str, Any], xero: Mapping[str, Any], difference: Decimal, smallest: Decimal = CENT) -> Traced:
    """Split ``difference`` of two documents over their lines. ``smallest`` is the currency's smallest unit.

    What the lines do not account for is the discount or freight of the whole document where Dynamics holds one, else other.
    """
    found = list(line_differences(crm.get("lines") or (), xero.get("lines") or (), smallest))
    parts: dict[Reason, Decimal] = {}
    for each in found:
        parts[each.reason] = parts.get(each.reason, ZERO) + each.amount
    words = [each.words for each in found]
    rest = difference - sum(parts.values(), ZERO)
    if rest:
        whole = _on_the_whole(crm)
        reason = Reason.DISCOUNT if whole else Reason.OTHER
        parts[reason] = parts.get(reason, ZERO) + rest
        words += whole
    # A line that differs in words alone still names the reason of a pair whose totals are the same.
    main = max(parts, key=lambda reason: (abs(parts[reason]), reason is not Reason.OTHER), default=Reason.OTHER)
    return Traced(main, {reason: amount for reason, amount in parts.items() if amount}, _told(words))


def line_differences(crm: Sequence[Line], xero: Sequence[Line], smallest: Decimal = CENT) -> Iterator[LineDifference]:
    """What differs line by line, lines of Dynamics first and in their order."""
    pairs = partners(crm, xero)
    for place, line in enumerate(crm):
        if place in pairs:
            yield from _pair(place + 1, line, xero[pairs[place]], smallest)
        else:
            yield LineDifference(Reason.MISSING_LINE, _worth(line), f"line {_named(place + 1, line)} is only in Dynamics")
    taken = set(pairs.values())
    for place, line in enumerate(xero):
        if place not in taken:
            yield LineDifference(Reason.MISSING_LINE, -_worth(line), f"line {_named(place + 1, line)} is only in Xero")


_TELLING = ("net", "tax", "quantity", "description")
"""Two lines that are the same in these contribute nothing."""


def _pair(number: int, crm: Line, xero: Line, smallest: Decimal) -> Iterator[LineDifference]:
    if all(crm.get(name) == xero.get(name) for name in _TELLING):
        return
    net, tax = (_amount(crm, name) - _amount(xero, name) for name in ("net", "tax"))
    if net:
        reason, name = _cause(crm, xero)
        yield LineDifference(reason, net + tax, f"line {number}: {_against(name, crm, xero)}")
    elif tax:
        reason = Reason.TAX_ROUNDING if abs(tax) <= smallest else Reason.LINE_DIFFERS
        yield LineDifference(reason, tax, f"line {number}: {_against('tax', crm, xero)}")
    elif _amount(crm, "quantity") != _amount(xero, "quantity"):
        yield LineDifference(Reason.LINE_DIFFERS, ZERO, f"line {number}: {_against('quantity', crm, xero)}")
    elif _text(crm) != _text(xero):
        yield LineDifference(
            Reason.LINE_DIFFERS, ZERO, f"line {number}: \u201c{_text(crm)}\u201d against \u201c{_text(xero)}\u201d"
        )


def _cause(crm: Line, xero: Line) -> tuple[Reason, str]:
    """Why two lines come to other amounts before tax, and the field that shows it."""
    if _amount(crm, "quantity") != _amount(xero, "quantity"):
        return Reason.LINE_DIFFERS, "quantity"
    here, there = _amount(crm, "unit_price"), _amount(xero, "unit_price")
    if here == there or crm.get("unit_price") is None or xero.get("unit_price") is None:
        return Reason.DISCOUNT, "discount" if _amount(crm, "discount") != _amount(xero, "discount") else "net"
    return (Reason.PRICE_PRECISION if abs(here - there) < CENT else Reason.LINE_DIFFERS), "unit_price"


_WORDS = {"unit_price": "unit price", "net": "amount before tax"}


def _against(name: str, crm: Line, xero: Line) -> str:
    return f"{_WORDS.get(name, name)} {_amount(crm, name):f} against {_amount(xero, name):f}"


def _named(number: int, line: Line) -> str:
    what = _text(line) or str(line.get("product") or "")
    return f"{number} ({what})" if what else str(number)


def _text(line: Line) -> str:
    return " ".join(str(line.get("description") or "").split())[:60]


def _amount(line: Line, name: str) -> Decimal:
    value = line.get(name)
    return value if isinstance(value, Decimal) else ZERO


def _worth(line: Line) -> Decimal:
    return _amount(line, "net") + _amount(line, "tax")


def _on_the_whole(crm: Mapping[str, Any]) -> list[str]:
    """Discounts and freight of the whole document: Xero has no place for them."""
    names = {"header_discount": "discount", "header_discount_percentage": "discount in percent", "freight": "freight"}
    return [f"{words} {_amount(crm, name):f} on the whole document" for name, words in names.items() if crm.get(name)]


def _told(words: Iterable[str]) -> str:
    """The first few in full, the others counted."""
    each = list(words)
    more = len(each) - TOLD
    return "; ".join(each[:TOLD]) + (f"; and {more} more" if more > 0 else "")
