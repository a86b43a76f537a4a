"""Differences that are new, otherwise or solved since some instant, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from console.sheets import SHEETS
from console.texts import amount, lower_first
from console.widgets import Column, filled, left, right, table
from sync_core.service import Difference, Movement

TITLES = {sheet.entity: sheet.title for sheet in SHEETS}
COLUMNS: dict[str, Column] = {
    "moved": left("What", width=62),
    "kind": left("Kind", width=90),
    "number": left("Number", width=80),
    "contact": left("Contact", width=140),
    "before": left("Before", width=170),
    "now": left("Now", width=210),
    "difference": right("Difference", width=90),
    "currency": left("Cur.", width=44),
}
SOLVED = {name: form for name, form in COLUMNS.items() if name not in ("moved", "now")} | {
    "before": left("What it was", width=380)
}
"""Of differences that are all solved, so that none is anything now."""


def draw(found: Sequence[Movement], columns: dict[str, Column], alt: str) -> None:
    rows = [_line(each) for each in found]
    table(rows, filled(columns, rows, "before"), alt)


def _line(each: Movement) -> dict[str, str]:
    it = each.difference
    return {
        "moved": str(each.moved),
        "kind": TITLES.get(it.entity, it.entity),
        "number": it.number,
        "contact": it.contact,
        "before": _words(each.before, ""),
        "now": _words(each.now, "ties out"),
        "difference": amount(it.difference, it.currency),
        "currency": it.currency,
    }


def _words(it: Difference | None, otherwise: str) -> str:
    return lower_first(it.words or it.status) if it else otherwise
