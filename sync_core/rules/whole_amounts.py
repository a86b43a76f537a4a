"""A discount or freight on a whole Dynamics document, brought down to its lines: Xero has neither on a document.

The discount is spread in proportion to the lines' amounts, freight becomes a line of its own. Dynamics holds tax as an amount
per line, which neither of them moves; so the lines add up to the total that the document has in Dynamics, to the cent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from sync_core.model import Native, Value
from sync_core.rules.declaration import WholeAmounts

CENT = Decimal("0.01")
ZERO = Decimal(0)
HUNDRED = Decimal(100)
FREIGHT = "Freight"
"""What the line is called in Xero."""
FIELDS = ("header_discount", "header_discount_percentage", "freight")
Line = dict[str, Any]


def has_whole_amounts(fields: Mapping[str, Value]) -> bool:
    """Whether a discount or freight stands on the whole document."""
    return any(fields.get(name) for name in FIELDS)


def on_lines(lines: Sequence[Line], native: Native, columns: WholeAmounts) -> list[Line]:
    """``lines`` with their shares of the discount taken off ``net`` and added to ``discount``, and a line for the freight."""
    nets = [line["net"] for line in lines]
    discount = _discount([n or ZERO for n in nets], native, columns)
    shares = spread(discount, [n or ZERO for n in nets]) if discount else [ZERO] * len(lines)
    made = [_reduced(line, share) for line, share in zip(lines, shares, strict=True)]
    freight = _amount(native, columns.freight)
    return [*made, _freight(freight, lines)] if freight else made


def _amount(native: Native, column: str) -> Decimal:
    value = native.get(column)
    return ZERO if value in (None, "") else Decimal(str(value))


def _discount(nets: Sequence[Decimal], native: Native, columns: WholeAmounts) -> Decimal:
    """As Dynamics rounded it itself, where its own sums are of these lines; else worked out anew."""
    fixed, percentage = _amount(native, columns.discount), _amount(native, columns.percentage)
    if not (fixed or percentage):
        return ZERO
    summed = sum(nets, ZERO)
    if native.get(columns.less_discount) is not None and _amount(native, columns.lines) == summed:
        return summed - _amount(native, columns.less_discount)
    return fixed + (summed * percentage / HUNDRED).quantize(CENT, ROUND_HALF_UP)


def spread(discount: Decimal, nets: Sequence[Decimal]) -> list[Decimal]:
    """Shares of ``discount`` in proportion to the amounts above zero, adding up to it exactly.

    Each is rounded down to the cent; the cents left over go one by one to the lines that lost most by that, so no line is
    reduced below zero as long as the discount is not larger than all of them.
    """
    shared = [max(net, ZERO) for net in nets]
    whole = sum(shared, ZERO)
    if not whole:
        return [discount if not n else ZERO for n in range(len(nets))]
    exact = [discount * net / whole for net in shared]
    shares = [share.quantize(CENT, ROUND_FLOOR) for share in exact]
    left = discount - sum(shares, ZERO)
    for n in sorted(range(len(nets)), key=lambda n: (shares[n] - exact[n], -shared[n], n)):
        part = min(CENT, left)
        shares[n] += part
        left -= part
    return shares


def _reduced(line: Line, share: Decimal) -> Line:
    if not share or line["net"] is None:
        return line
    return {**line, "net": _plain(line["net"] - share), "discount": _plain((line.get("discount") or ZERO) + share)}


def _freight(amount: Decimal, lines: Sequence[Line]) -> Line:
    blank: Line = dict.fromkeys(lines[0]) if lines else {}
    amount = _plain(amount)
    figures = {"quantity": Decimal(1), "unit_price": amount, "net": amount, "tax": ZERO, "discount": ZERO}
    return {**blank, "description": FREIGHT, **figures, "freight": True}


def _plain(value: Decimal) -> Decimal:
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()
