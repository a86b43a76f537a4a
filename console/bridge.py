"""From Dynamics' total to Xero's, step by step: one bar per reason. Amounts are exact in the words; bars only draw them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import altair as alt
import streamlit as st

from console.texts import amount, plain, reason_words, signed
from sync_core.model import ControlTotal
from sync_core.service import VarianceBridge, variance_bridge

HIGH = 30
ROOM = Decimal("0.18")
"""So much of the widest step is left free at either end, where the words stand."""
COLOURS = {"total": "#1f4e8c", "step": "#c77a2a", "unexplained": "#8a8f98"}


def draw(totals: Sequence[ControlTotal]) -> None:
    """A chart for each currency whose sides differ; nothing where there is none."""
    for total in totals:
        bridge = variance_bridge(total)
        if bridge.steps:
            st.markdown(f"**{plain(bridge.currency or 'Without a currency')}: from Dynamics to Xero**")
            st.altair_chart(_chart(bridge), alt=_told(bridge))
            st.caption("The bars do not begin at zero, so that small steps can be seen. The amounts beside them are exact.")
            if total.unexplained:
                st.warning(f"Unexplained: {amount(total.unexplained, total.currency)}.")


def _told(bridge: VarianceBridge) -> str:
    crm, xero = (amount(value, bridge.currency) for value in (bridge.crm, bridge.xero))
    return f"Bridge from Dynamics {crm} to Xero {xero}"


def bars(bridge: VarianceBridge) -> list[dict[str, object]]:
    """What the chart is drawn from. Places are floats, as a chart knows no others; ``words`` hold the exact amounts."""
    floor, _ = _edges(bridge)
    return [
        {"label": label, "kind": kind, "words": words, "from": float(start), "to": float(end)}
        for label, kind, words, start, end in _placed(bridge, floor)
    ]


def _edges(bridge: VarianceBridge) -> tuple[Decimal, Decimal]:
    """Where the chart begins and ends, with room for the words."""
    reached = [bridge.crm, *(step.after for step in bridge.steps)]
    room = (max(reached) - min(reached)) * ROOM or Decimal(1)
    return min(reached) - room, max(reached) + room


def _placed(bridge: VarianceBridge, floor: Decimal) -> Iterator[tuple[str, str, str, Decimal, Decimal]]:
    """Both totals begin at the ``floor``, and each step where the one before it ended."""
    yield "Dynamics", "total", amount(bridge.crm, bridge.currency), floor, bridge.crm
    for step in bridge.steps:
        low, high = sorted((step.before, step.after))
        label, kind = (reason_words(step.reason), "step") if step.explained else (_unexplained(str(step.reason)), "unexplained")
        yield label, kind, signed(step.amount, bridge.currency), low, high
    yield "Xero", "total", amount(bridge.xero, bridge.currency), floor, bridge.xero


def _unexplained(reason: str) -> str:
    return f"unexplained ({reason})" if reason else "unexplained"


def _chart(bridge: VarianceBridge) -> alt.LayerChart:
    rows = bars(bridge)
    scale = alt.Scale(domain=[float(edge) for edge in _edges(bridge)], nice=False, zero=False)
    order = [row["label"] for row in rows]
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("label:N", sort=order, title=None, axis=alt.Axis(labelLimit=220, ticks=False)),
    )
    drawn = base.mark_bar(height=14).encode(
        x=alt.X("from:Q", scale=scale, title=None, axis=None),
        x2="to:Q",
        color=alt.Color("kind:N", legend=None, scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values()))),
        tooltip=[alt.Tooltip("label:N", title="Step"), alt.Tooltip("words:N", title="Amount")],
    )
    words = base.mark_text(align="left", dx=6).encode(x=alt.X("to:Q", scale=scale), text="words:N")
    return alt.layer(drawn, words).properties(height=HIGH * len(rows)).configure_view(strokeWidth=0)
