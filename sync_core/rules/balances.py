"""One document and the many that it is spread over: its total, how much of it is used, and what is open. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Balance:
    """One side of it, in positive amounts. ``told`` is what that system itself says is open, None where it says nothing."""

    total: Decimal
    applied: Decimal
    open: Decimal
    told: Decimal | None = None

    @property
    def agrees(self) -> bool:
        """Whether the pieces account for what the system says is open."""
        return self.told is None or self.told == self.open


def balance(total: Decimal, applied: Iterable[Decimal], told: Decimal | None = None) -> Balance:
    """What is open of ``total`` after ``applied``. ``total`` and ``told`` may be signed as in the rows."""
    whole, used = abs(total), sum(applied, Decimal(0))
    return Balance(whole, used, whole - used, None if told is None else abs(told))
