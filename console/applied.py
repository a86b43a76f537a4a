"""Payments and allocations in the full view of a row: what is paid and used, with which record, on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import streamlit as st

from console.texts import XERO_TYPES, amount, count, day, money, plain, state_words
from console.widgets import filled, left, right, table
from sync_core.service import Applied, RowDetail


def draw(found: RowDetail) -> None:
    """What was paid and credited on a document or used of it, and the batch that a payment is part of."""
    if found.applied:
        st.markdown("**Payments and allocations**")
        _pieces(found, found.applied, "With" if found.entity == "invoices" else "On")
    _together(found)


def _together(found: RowDetail) -> None:
    """The payments of one deposit, so that it can be found on the bank's statement."""
    if not found.together:
        return
    currency = str(found.row["currency"] or "")
    whole = max(
        sum((each.crm or Decimal(0)) for each in found.together), sum((each.xero or Decimal(0)) for each in found.together)
    )
    st.markdown(f"**One batch payment**, {count(len(found.together), 'payment')}, {plain(money(whole, currency))} in all")
    _pieces(found, found.together, "For")


def _pieces(found: RowDetail, pieces: Sequence[Applied], other: str) -> None:
    """Payments and allocations on both sides; ``other`` heads what each is with or for."""
    currency = str(found.row["currency"] or "")
    columns = {
        "kind": left("Kind", width=150),
        "document": left(other, width=170),
        "date": left("Date", width=90),
        "reference": left("Reference", width=150),
        "crm": right("Dynamics", width=110),
        "xero": right("Xero", width=110),
        "state": left("Status", width=100),
    }
    rows = [
        {
            "kind": XERO_TYPES.get(each.kind, each.kind.lower()),
            "document": each.document,
            "date": day(each.date),
            "reference": each.reference,
            "crm": amount(each.crm, currency),
            "xero": amount(each.xero, currency),
            "state": state_words(each.state),
        }
        for each in pieces
    ]
    shown = filled(columns, rows, "document", "reference", "state")
    table(rows, shown, "Payments and allocations on both sides", width="content")
