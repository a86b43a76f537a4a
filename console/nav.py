"""The pages, their groups and their files. A page added here needs no other change."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

PAGES = Path(__file__).parents[1] / "pages"

GROUPS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "Today": (
        ("overview", "Overview", "Does everything tie out, how old are the data, what ran and what runs next."),
        ("problems", "Problems", "What needs a person, grouped by cause, with what to do about it."),
        ("worklist", "Worklist", "Every open difference by money at risk and age, and what changed since yesterday."),
        ("resync", "Resync", "Look at what a sync would do, then have exactly that done."),
    ),
    "Tie out": (
        ("invoices", "Invoices", "Every invoice of both systems side by side, with the difference named."),
        ("payments", "Payments", "Payments, prepayments, overpayments and refunds side by side."),
        ("credit_notes", "Credit notes", "Credit notes of both systems side by side."),
        ("close", "Close", "Periods: prepared by one, signed by another, and what changed in them since."),
    ),
    "Records & rules": (
        ("contacts", "Contacts", "Customers and suppliers of both systems: types, Xero details and links."),
        ("master_data", "Master data", "Tax rates, ledger accounts, products, themes and currencies."),
        ("match", "Match", "Records that could belong together: link them, or keep them apart."),
        ("mapping", "Mapping", "Which field goes where, what is sent at all, and what each relationship type is in Xero."),
        ("runs", "Runs", "Each sync that ran: what it did, how many calls it made, what it was told."),
        ("schedule", "Schedule", "When the next sync comes by itself, and which were missed."),
        ("connections", "Connections", "Whether both systems and both databases answer, and the settings in use."),
    ),
}


def file_of(name: str) -> Path:
    return PAGES / f"{name}.py"


def navigation(*, shown: bool = True) -> Any:
    """The page that is asked for. Not ``shown``: the list of pages is left out."""
    return st.navigation(
        {
            group: [
                st.Page(file_of(name), title=title, url_path=name, help=help_text, default=name == "overview")
                for name, title, help_text in pages
            ]
            for group, pages in GROUPS.items()
        },
        position="sidebar" if shown else "hidden",
        expanded=True,
    )
