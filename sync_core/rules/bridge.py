"""The variance bridge: from what Dynamics adds up to, step by step, to what Xero adds up to. One currency at a time. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from sync_core.model import ControlTotal
from sync_core.rules.reasons import UNEXPLAINED, Reason


@dataclass(frozen=True, slots=True)
class BridgeStep:
    """One reason's part of the way. ``amount`` is added to ``before`` and gives ``after``; ``explained`` is False for what has
    no known reason.
    """

    reason: Reason
    amount: Decimal
    before: Decimal
    after: Decimal
    explained: bool


@dataclass(frozen=True, slots=True)
class VarianceBridge:
    """``crm`` plus the amounts of all ``steps`` is ``xero``, to the cent. Large steps come first, the unexplained last."""

    currency: str
    crm: Decimal
    xero: Decimal
    steps: tuple[BridgeStep, ...]


def variance_bridge(total: ControlTotal) -> VarianceBridge:
    """The bridge of one control total. A difference is Dynamics minus Xero, so on the way to Xero its sign is turned."""
    parts = [(Reason(reason), -amount) for reason, amount in total.by_reason.items() if amount]
    parts.sort(key=lambda part: (part[0] in UNEXPLAINED, -abs(part[1]), part[0]))
    return VarianceBridge(total.currency, total.crm, total.xero, tuple(_steps(total.crm, parts)))


def _steps(start: Decimal, parts: Iterable[tuple[Reason, Decimal]]) -> Iterable[BridgeStep]:
    for reason, amount in parts:
        yield BridgeStep(reason, amount, start, start + amount, reason not in UNEXPLAINED)
        start += amount
