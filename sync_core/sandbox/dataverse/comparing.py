"""Comparisons as the database makes them: text without case, nulls apart, and kinds that must fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.values import midnight

Getter = Callable[[Any], Any]
Test = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks and when, for conditions on the user and on spans of days."""

    user: str
    unit: str | None
    now: datetime


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
}


def compare_with(getter: Getter, operator: str, wanted: Any) -> Test:
    """A comparison as the database does it: text without case, nothing compares with null but ``eq`` and ``ne``."""
    if wanted is None:
        return (lambda row: getter(row) is None) if operator == "eq" else (lambda row: getter(row) is not None)
    compare = COMPARISONS[operator]
    unknown = operator == "ne"

    def test(row: Any) -> bool:
        value = getter(row)
        if value is None:
            return unknown
        if isinstance(value, str):
            return _same_kind(str, wanted) and compare(value.casefold(), wanted)
        return compare(*_aligned(value, wanted))

    return test


def compare_columns(getter: Getter, operator: str, other: Getter) -> Test:
    """Two columns of one row, of one type; a row in which either is empty does not match."""
    compare = COMPARISONS[operator]

    def test(row: Any) -> bool:
        left, right = getter(row), other(row)
        if left is None or right is None:
            return False
        if isinstance(left, str):
            return _same_kind(str, right) and compare(left.casefold(), right.casefold())
        exact = Decimal(right) if isinstance(right, int) and not isinstance(right, bool) else right
        return compare(*_aligned(left, exact))

    return test


def _same_kind(kind: type, wanted: Any) -> bool:
    if not isinstance(wanted, kind):
        raise errors.bad_query("A binary operator with incompatible types was detected.")
    return True


def _aligned(value: Any, wanted: Any) -> tuple[Any, Any]:
    """Bring a stored value and a literal to comparable kinds."""
    if isinstance(value, datetime) and isinstance(wanted, date) and not isinstance(wanted, datetime):
        return value, midnight(wanted)
    if isinstance(value, date) and not isinstance(value, datetime) and isinstance(wanted, datetime):
        return value, wanted.date()
    numeric = isinstance(value, int | Decimal) and not isinstance(value, bool)
    kinds_agree = isinstance(wanted, Decimal) if numeric else isinstance(wanted, type(value))
    if not kinds_agree:
        raise errors.bad_query("A binary operator with incompatible types was detected.")
    return value, wanted
