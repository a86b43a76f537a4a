"""Aggregates over joined rows: counts, sums and the like, of all rows or of groups of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sync_core.sandbox.dataverse.fetch import refusals
from sync_core.sandbox.dataverse.fetch.joining import Joined, Scope, folded
from sync_core.sandbox.dataverse.fetch.model import ROWS, Attribute
from sync_core.sandbox.dataverse.fetch.outputs import Fold, Output
from sync_core.sandbox.dataverse.schema import Column
from sync_core.sandbox.dataverse.values import rounded

MOST_ROWS = 50_000
AVERAGE_DIGITS = 6
NUMERIC = ("Integer", "BigInt", "Decimal", "Money", "Double")
ORDERED = (*NUMERIC, "DateTime", "Picklist", "State", "Status")
PARTS: dict[str, Callable[[date], int]] = {
    "day": lambda at: at.day,
    "week": lambda at: int(at.strftime("%U")) + (date(at.year, 1, 1).isoweekday() != 7),
    "month": lambda at: at.month,
    "quarter": lambda at: (at.month + 2) // 3,
    "year": lambda at: at.year,
}


@dataclass(frozen=True, slots=True)
class Group:
    """One row of the answer: its values by alias, and the first joined row, for names and currencies."""

    values: dict[str, Any]
    sample: Joined | None


def aggregates(scope: Scope) -> list[Output]:
    """The columns of an aggregate query, in the order of the query."""
    return [_output(scope, alias, attribute) for alias, e in scope.entities.items() for attribute in e.attributes]


def _output(scope: Scope, entity: str, attribute: Attribute) -> Output:
    if not attribute.alias:
        raise refusals.no_alias()
    named = scope.tables[entity].primary_id if attribute.name == ROWS else attribute.name
    column = scope.column(entity, named)
    taken = Output(attribute.alias, column, scope.getter(entity, named), scope.places[entity])
    if attribute.grouped:
        return _grouped(taken, attribute.date_part)
    name = attribute.aggregate
    if not name:
        raise refusals.plain_attribute()
    if name == "count":
        return replace(taken, column=_whole(column), fold=len, counts_rows=True)
    if name == "countcolumn":
        return replace(taken, column=_whole(column), fold=_distinct if attribute.distinct else len)
    fold = FOLDS.get(name)
    if fold is None or column.type not in (ORDERED if name in ("min", "max") else NUMERIC):
        raise refusals.bad_argument(f"The aggregate '{name}' cannot be taken of the attribute '{column.logical}'.")
    if name == "avg" and column.type != "Integer":
        column = replace(column, type="Decimal", precision=AVERAGE_DIGITS)
    return replace(taken, column=column, fold=fold)


def _grouped(taken: Output, part: str) -> Output:
    if not part:
        return taken
    column, getter = taken.column, taken.getter
    if part not in PARTS or column.type != "DateTime":
        raise refusals.bad_argument(f"The dategrouping '{part}' cannot be taken of the attribute '{column.logical}'.")
    number = PARTS[part]

    def get(joined: Joined) -> Any:
        at = getter(joined)
        return None if at is None else number(at.date() if isinstance(at, datetime) else at)

    return replace(taken, column=_whole(column), getter=get)


def _whole(column: Column) -> Column:
    """What a count of a column is like."""
    return Column(column.schema, "Integer")


def _distinct(values: list[Any]) -> int:
    return len({folded(value) for value in values})


def _average(values: list[Any]) -> Any:
    """Of whole numbers a whole number, as the database computes it."""
    if not values:
        return None
    if all(isinstance(value, int) for value in values):
        total: int = sum(values)
        return int(Decimal(total) / len(values))
    return rounded(sum(values, Decimal(0)) / len(values), AVERAGE_DIGITS)


FOLDS: dict[str, Fold] = {
    "sum": lambda values: sum(values) if values else None,
    "avg": _average,
    "min": lambda values: min(values, default=None),
    "max": lambda values: max(values, default=None),
}


def group(columns: list[Output], rows: Iterable[Joined], limit: int) -> list[Group]:
    """The rows gathered under equal values; without anything to group by, one row of all, even of none.

    Raises:
        DataverseError: more rows than an aggregate may look at.
    """
    keys = [column for column in columns if column.fold is None]
    gathered: dict[tuple[Any, ...], list[Joined]] = {} if keys else {(): []}
    for number, joined in enumerate(rows, 1):
        if number > (min(limit, MOST_ROWS) or MOST_ROWS):
            raise refusals.too_many_rows()
        gathered.setdefault(tuple(folded(key.getter(joined)) for key in keys), []).append(joined)
    return [_group(columns, members) for members in gathered.values()]


def _group(columns: list[Output], members: list[Joined]) -> Group:
    values: dict[str, Any] = {}
    for column in columns:
        if column.fold is None:
            values[column.key] = column.getter(members[0])
        elif column.counts_rows:
            values[column.key] = len(members)
        else:
            values[column.key] = column.fold([v for m in members if (v := column.getter(m)) is not None])
    return Group(values, members[0] if members else None)
