"""The rows that Xero's reports are made of: a header, sections of lines, and lines of sums."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero.amounts import ZERO

Values = list[Decimal]


def money(amount: Decimal) -> str:
    return f"{amount:.2f}"


def long_date(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def short_date(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def header(*titles: str) -> Row:
    return {"RowType": "Header", "Cells": [{"Value": title} for title in titles]}


def line(texts: Iterable[str], attribute: tuple[str, str] | None = None, kind: str = "Row") -> Row:
    """One line; ``attribute`` is (name, value) of what it is about, such as an account."""
    cells: list[Row] = [{"Value": text} for text in texts]
    if attribute:
        cells = [{**cell, "Attributes": [{"Value": attribute[1], "Id": attribute[0]}]} for cell in cells]
    return {"RowType": kind, "Cells": cells}


def section(title: str, rows: list[Row]) -> Row:
    return {"RowType": "Section", "Title": title, "Rows": rows}


def sums(rows: Iterable[Values], width: int) -> Values:
    """Column by column."""
    total = [ZERO] * width
    for row in rows:
        total = [one + two for one, two in zip(total, row, strict=True)]
    return total


def less(values: Values, others: Values) -> Values:
    return [one - two for one, two in zip(values, others, strict=True)]


def summary(title: str, values: Values) -> Row:
    return line([title, *map(money, values)], kind="SummaryRow")


def amounts_section(title: str, named: dict[str, tuple[str, Values]], total: str, width: int) -> tuple[Row, Values]:
    """A section with one line for each account (id: name and ``width`` amounts) and their sum."""
    lines = [line([name, *map(money, values)], ("account", key)) for key, (name, values) in named.items()]
    added = sums((values for _, values in named.values()), width)
    return section(title, [*lines, summary(total, added)]), added
