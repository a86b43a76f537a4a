"""Pieces that several pages draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Literal

import streamlit as st

from console.texts import amount, count, plain
from sync_core.model import ControlTotal

Width = Literal["small", "medium", "large"] | int
Height = Literal["auto", "content", "stretch"] | int
Column = Any
"""One of Streamlit's column configurations."""
WHOLE = 25
"""Tables of so many rows are shown without a scroll bar of their own."""


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
) -> None:
    """A quiet table that is only looked at. Cells are text, never Markdown."""
    data = list(rows)
    st.dataframe(
        {name: [row.get(name, "") for row in data] for name in columns},
        column_config=dict(columns),
        hide_index=True,
        alt=alt,
        width=width,
        height="content" if len(data) <= WHOLE else "auto",
    )


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
) -> str | None:
    """A table of which one row can be selected; answers with its id."""
    event = st.dataframe(
        {column: [row.get(column, "") for row in rows] for column in columns},
        column_config=dict(columns),
        hide_index=True,
        key=selection_key(name, ids),
        on_select="rerun",
        selection_mode="single-row",
        alt=alt,
        height=height,
    )
    return selected(event, ids)


def selection_key(name: str, ids: Sequence[str]) -> str:
    """A selection is a position, so its key says in which rows: other rows begin with none selected."""
    return f"{name}_{sha256('|'.join(ids).encode()).hexdigest()[:12]}"


def selected(event: Any, ids: Sequence[str]) -> str | None:
    return next(iter(all_selected(event, ids)), None)


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
    words = " · ".join(f"{reason} {amount(value, total.currency)}" for reason, value in parts)
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
