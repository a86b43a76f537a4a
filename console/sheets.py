"""How each kind of document is laid out when both sides stand beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from console.texts import MATCH_WORDS, amount, day, lower_first
from console.widgets import Column, left, right
from sync_core.model import MatchStatus, Side
from sync_core.service import Case, CaseStatus


@dataclass(frozen=True, slots=True)
class Sheet:
    """``amounts``: which amounts stand on either side, as (field, heading). ``number`` is how its number is called."""

    entity: str
    title: str
    singular: str
    plural: str
    number: str
    amounts: tuple[tuple[str, str], ...]


INVOICES = Sheet(
    "invoices",
    "Invoices",
    "invoice",
    "invoices",
    "Number",
    (("total", "total"), ("due", "due")),
)
PAYMENTS = Sheet("payments", "Payments", "payment", "payments", "Reference", (("total", "amount"),))
CREDIT_NOTES = Sheet(
    "credit_notes", "Credit notes", "credit note", "credit notes", "Number", (("total", "total"), ("due", "remaining"))
)
SHEETS = (INVOICES, PAYMENTS, CREDIT_NOTES)


def headings(sheet: Sheet) -> dict[str, tuple[str, str, Column]]:
    """Per column its group, its heading and its form: left Dynamics, right Xero, the difference in the middle."""
    sides = {
        side: {f"{side}_{field}": (f"{side.label} ", heading, right(heading, width=76)) for field, heading in sheet.amounts}
        for side in Side
    }
    return {
        "status": ("", "Status and reason", left("Status and reason", width=176)),
        "number": ("", sheet.number, left(sheet.number, width=72)),
        "contact": ("", "Contact", left("Contact", width=116)),
        "date": ("", "Date", left("Date", width=84)),
        "currency": ("", "Cur.", left("Cur.", width=42)),
        **sides[Side.CRM],
        "difference": ("Dynamics − Xero", "difference", right("difference", width=102)),
        **sides[Side.XERO],
        "age": ("Work", "open", right("open", width=44, help="Days since the difference was first seen")),
        "who": ("Work", "with", left("with", width=62, help="Who has it, and how the work on it stands")),
    }


def frame(sheet: Sheet, rows: Sequence[Mapping[str, object]]) -> tuple[pd.DataFrame, dict[Any, Column]]:
    """The rows as text under two lines of headings, and the form of each column by its position (0 is the hidden index)."""
    columns = headings(sheet)
    lines = [line(sheet, row) for row in rows]
    over = pd.MultiIndex.from_tuples([(group, heading) for group, heading, _ in columns.values()])
    cells = pd.DataFrame([[each[name] for name in columns] for each in lines], columns=over)
    return cells, {at: form for at, (_, _, form) in enumerate(columns.values(), start=1)}


def status_and_reason(row: Mapping[str, object]) -> str:
    """The shape of the status, with the reason where there is one: it says more than the name of the status."""
    words = MATCH_WORDS[MatchStatus(str(row["status"]))]
    return f"{words.split(' ')[0]} {lower_first(str(row['words']))}" if row["words"] else words


def _age(days: object) -> str:
    return "" if days is None else f"{days} d"


def _work(case: object) -> str:
    """Who has the case of a row; "done" or "set aside" where nobody has to look any more."""
    if not isinstance(case, Case):
        return ""
    settled = {CaseStatus.RESOLVED: "done", CaseStatus.IGNORED: "set aside"}.get(case.status, "")
    return case.assignee or settled


def line(sheet: Sheet, row: Mapping[str, object]) -> dict[str, str]:
    """One row as text. Amounts are written out exactly; what one side does not have is blank."""
    currency = str(row["currency"] or "")
    sums = [f"{side}_{field}" for side in ("crm", "xero") for field, _ in sheet.amounts]
    return {
        "status": status_and_reason(row),
        "number": str(row["number"] or ""),
        "contact": str(row["contact"] or ""),
        "date": day(row["crm_date"] or row["xero_date"]),  # type: ignore[arg-type]  # dates in the cache's table
        "currency": currency,
        "difference": amount(row["difference"], currency),  # type: ignore[arg-type]  # decimals in the cache's table
        "age": _age(row.get("open_days")),
        "who": _work(row.get("case")),
    } | {name: amount(row[name], currency) for name in sums}  # type: ignore[arg-type]  # the same
