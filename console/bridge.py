"""From Dynamics' total to Xero's, step by step: one bar per reason. Amounts are exact in the words; bars only draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import altair as alt
import streamlit as st

from console.texts import amount, plain
from sync_core.model import ControlTotal

HIGH = 30
ROOM = Decimal("0.18")
"""So much of the widest step is left free at either end, where the words stand."""
COLOURS = {"total": "#1f4e8c", "step": "#c77a2a"}


@dataclass(frozen=True, slots=True)
class Step:
    """One bar: from ``start`` to ``end``. ``words`` is its amount, with its sign."""

    label: str
    start: Decimal
    end: Decimal
    words: str
    total: bool = False


def steps(total: ControlTotal) -> list[Step]:
    """Both totals, and between them every reason, the largest first. They add up to the cent."""
    made = [Step("Dynamics", total.crm, total.crm, amount(total.crm, total.currency), total=True)]
    at = total.crm
    for reason, part in sorted(total.by_reason.items(), key=lambda item: -abs(item[1])):
        words = amount(-part, total.currency)
        made.append(Step(reason, at, at - part, words if part > 0 else f"+{words}"))
        at -= part
    return [*made, Step("Xero", total.xero, total.xero, amount(total.xero, total.currency), total=True)]


def draw(totals: Sequence[ControlTotal]) -> None:
    """A chart for each currency whose sides differ; nothing where there is none."""
    for total in totals:
        if total.by_reason:
            st.markdown(f"**{plain(total.currency or 'Without a currency')}: from Dynamics to Xero**")
            st.altair_chart(_chart(steps(total)), alt=_told(total))
            if total.unexplained:
                st.warning(f"Unexplained: {amount(total.unexplained, total.currency)}.")


def _told(total: ControlTotal) -> str:
    return f"Bridge from Dynamics {amount(total.crm, total.currency)} to Xero {amount(total.xero, total.currency)}"


def _chart(made: Sequence[Step]) -> alt.LayerChart:
    low = min(min(step.start, step.end) for step in made)
    high = max(max(step.start, step.end) for step in made)
    room = (high - low) * ROOM or Decimal(1)
    floor, top = low - room, high + room
    rows = [
        {
            "at": at,
            "label": step.label,
            "from": float(floor if step.total else min(step.start, step.end)),
            "to": float(max(step.start, step.end)),
            "words": step.words,
            "kind": "total" if step.total else "step",
        }
        for at, step in enumerate(made)
    ]
    scale = alt.Scale(domain=[float(floor), float(top)], nice=False, zero=False)
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("label:N", sort=[step.label for step in made], title=None, axis=alt.Axis(labelLimit=220, ticks=False)),
    )
    bars = base.mark_bar(height=14).encode(
        x=alt.X("from:Q", scale=scale, title=None, axis=None),
        x2="to:Q",
        color=alt.Color("kind:N", legend=None, scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values()))),
        tooltip=[alt.Tooltip("label:N", title="Step"), alt.Tooltip("words:N", title="Amount")],
    )
    words = base.mark_text(align="left", dx=6).encode(x=alt.X("to:Q", scale=scale), text="words:N")
    return alt.layer(bars, words).properties(height=HIGH * len(made)).configure_view(strokeWidth=0)
