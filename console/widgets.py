"""Pieces that several pages draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from console import opened
from console.texts import amount, count, plain, reason_words
from sync_core.model import ControlTotal

Width = Literal["small", "medium", "large"] | int
Height = Literal["auto", "content", "stretch"] | int
Column = Any
"""One of Streamlit's column configurations."""
WHOLE = 25
"""Tables of so many rows are shown without a scroll bar of their own."""
FEW, HIGHEST = 15, 579
"""Lists of so many rows are shown whole; more scroll within so many pixels, which cut a row in two, as there is more."""
WIDTHS = {"small": 75, "medium": 200, "large": 400}
"""Streamlit's words for widths, in pixels; a column that names none grows to the widest."""
LETTER, MARGINS = 6.0, 16
"""How much room a letter takes in a grid on average, and what a cell keeps free, in pixels."""


def right(label: str, *, width: Width = "small", help: str | None = None) -> Column:  # noqa: A002  # Streamlit's word
    """A column of amounts: text, because numbers would pass through floats, and set to the right."""
    return st.column_config.TextColumn(label, alignment="right", width=width, help=help)


def left(label: str, *, width: Width | None = None, help: str | None = None) -> Column:  # noqa: A002  # Streamlit's word
    return st.column_config.TextColumn(label, width=width, help=help)


def table(
    rows: Iterable[Mapping[str, object]],
    columns: Mapping[str, Column],
    alt: str,
    *,
    width: Literal["stretch", "content"] = "stretch",
    name: str = "",
) -> None:
    """A quiet table that is only looked at. Cells are text, never Markdown.

    Where a text does not fit into its column, rows can be selected, and the selected one is written out below. ``name``
    tells the table from others on the page that may say the same.
    """
    data = list(rows)
    cells = {column: [row.get(column, "") for row in data] for column in columns}
    shape: dict[str, Any] = {
        "column_config": dict(columns),
        "hide_index": True,
        "alt": alt,
        "width": width,
        "height": "content" if len(data) <= WHOLE else "auto",
    }
    if not any(cut_off(row, columns) for row in data):
        st.dataframe(cells, **shape)
        return
    key = selection_key(name or alt, [str(row) for row in data])
    event = st.dataframe(cells, **shape, key=key, on_select="rerun", selection_mode="single-row")
    chosen = [data[at] for at in event.selection.rows if at < len(data)]
    if chosen:
        write_out(chosen[0], columns)
    else:
        st.caption("Select a row to read what does not fit into it.")


def cut_off(row: Mapping[str, object], columns: Mapping[str, Column]) -> dict[str, str]:
    """The texts of a row that do not fit into their columns, by the heading of their column."""
    texts = {column: str(row.get(column) or "") for column in columns}
    return {str(columns[c]["label"]): text for c, text in texts.items() if len(text) * LETTER > _room(columns[c])}


def write_out(row: Mapping[str, object], columns: Mapping[str, Column]) -> None:
    """Below a grid, all of what the grid can only show the beginning of."""
    for heading, text in cut_off(row, columns).items():
        st.text(f"{heading}: {text}")


def _room(column: Column) -> int:
    width = column["width"]
    return WIDTHS.get(width or "large", width) - MARGINS


def filled(columns: Mapping[str, Column], rows: Sequence[Mapping[str, object]], *names: str) -> dict[str, Column]:
    """``columns`` without those of ``names`` that no row says anything in."""
    return {name: form for name, form in columns.items() if name not in names or any(row.get(name) for row in rows)}


def pick(
    name: str,
    rows: Sequence[Mapping[str, object]],
    columns: Mapping[str, Column],
    ids: Sequence[str],
    alt: str,
    *,
    height: Height = "auto",
    whole: bool = False,
    address: str = "",
    alone: bool = False,
) -> str | None:
    """A table of which one row can be selected; answers with its id. ``whole``: what does not fit is written out below.

    ``address``: the word under which the address keeps which one that is, "" where it does not. ``alone``: the only row
    needs no click.
    """
    first = opened.first(address, ids, alone=alone) if address else None
    chosen = _grid("single-row", name, rows, columns, ids, alt, height, first)
    if whole and chosen:
        write_out(rows[ids.index(chosen[0])], columns)
    return next(iter(opened.keep(address, ids, chosen) if address else chosen), None)


def pick_some(
    name: str,
    rows: Sequence[Mapping[str, object]],
    columns: Mapping[str, Column],
    ids: Sequence[str],
    alt: str,
    *,
    height: Height = "auto",
) -> list[str]:
    """A table of which rows can be selected; answers with their ids. Of one alone, what does not fit is written out below."""
    chosen = _grid("multi-row", name, rows, columns, ids, alt, height)
    if len(chosen) == 1:
        write_out(rows[ids.index(chosen[0])], columns)
    return chosen


def _grid(
    mode: Literal["single-row", "multi-row"],
    name: str,
    rows: Sequence[Mapping[str, object]],
    columns: Mapping[str, Column],
    ids: Sequence[str],
    alt: str,
    height: Height,
    first: Any = None,
) -> list[str]:
    event = st.dataframe(
        {column: [row.get(column, "") for row in rows] for column in columns},
        column_config=dict(columns),
        hide_index=True,
        key=selection_key(name, ids),
        on_select="rerun",
        selection_mode=mode,
        selection_default=first,
        alt=alt,
        height=height,
    )
    return all_selected(event, ids)


def beside(first: int, second: int) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Two places of so many pixels, one below the other where the window is too narrow for both."""
    with st.container(horizontal=True, gap="medium"):
        return st.container(width=first), st.container(width=second)


def leading() -> Literal["primary", "secondary"]:
    """How the button is drawn that one comes to a page for: filled with the accent, but not on a dark page.

    There the accent is light enough to be read as letters, and Streamlit's white letters on it would not be.
    """
    return "secondary" if st.context.theme.type == "dark" else "primary"


def list_height(rows: int) -> Height:
    """How high a list is below which a selected row opens."""
    return "content" if rows <= FEW else HIGHEST


def selection_key(name: str, ids: Sequence[str]) -> str:
    """A selection is a position, so its key says in which rows: other rows begin with none selected."""
    return f"{name}_{sha256('|'.join(ids).encode()).hexdigest()[:12]}"


def all_selected(event: Any, ids: Sequence[str]) -> list[str]:
    return [ids[at] for at in event.selection.rows if at < len(ids)]


def control_totals(by_title: Mapping[str, Sequence[ControlTotal]]) -> None:
    """One line per kind of document and currency: both sides' sums, the difference, and how much of it is explained."""
    columns = {
        "title": left("Documents", width=100),
        "currency": left("Cur.", width=46),
        "crm_count": right("Count", width=56, help="Documents in Dynamics"),
        "crm": right("Dynamics", width=112),
        "difference": right("Difference", width=100, help="Dynamics minus Xero"),
        "xero": right("Xero", width=112),
        "xero_count": right("Count", width=56, help="Documents in Xero"),
        "explained": right("Explained", width=96),
        "unexplained": right("Unexplained", width=96),
    }
    if not any(by_title):
        del columns["title"]
    rows = [{"title": title} | _total(total) for title, totals in by_title.items() for total in totals]
    table(rows, columns, "Control totals per currency")
    for title, totals in by_title.items():
        for total in totals:
            if total.by_reason:
                st.caption(plain(_made_of(title, total)))


def _made_of(title: str, total: ControlTotal) -> str:
    """The reasons of a difference, the largest first, in one sentence that wraps."""
    parts = sorted(total.by_reason.items(), key=lambda item: -abs(item[1]))
    words = " · ".join(f"{reason_words(reason)} {amount(value, total.currency)}" for reason, value in parts)
    return f"{title or 'Difference'} in {total.currency or 'no currency'}: {words}"


def _total(total: ControlTotal) -> dict[str, str]:
    amounts = {
        name: amount(getattr(total, name), total.currency) for name in ("crm", "difference", "xero", "explained", "unexplained")
    }
    counts = {"crm_count": f"{total.crm_count:,}", "xero_count": f"{total.xero_count:,}"}
    return {"currency": total.currency} | counts | amounts


def empty(sentence: str, what_next: str) -> None:
    """Where there is nothing to draw: why, and what happens next."""
    st.subheader(plain(sentence))
    st.text(what_next)


def shown_of(shown: int, all_of_them: int, singular: str, plural: str) -> str:
    if shown == all_of_them:
        return count(shown, singular, plural)
    return f"{shown:,} of {count(all_of_them, singular, plural)}"
