"""As of when the reconciliation is looked at: now, when a run had finished, or at the end of a day."""

from __future__ import annotations

from datetime import date

import streamlit as st

from console.door import service
from console.frame import reader_zone
from console.texts import when
from sync_core.model import RunStatus

NOW, OTHER = "", "another day"
RUNS = 20


def choose(entity: str) -> str:
    """What is chosen, as :func:`console.filters.moment` understands it; "" is now. It stands in the address."""
    name = f"{entity}_as_of"
    asked = st.query_params.get(name, NOW)
    labels = _labels()
    if asked and asked not in labels:
        labels[asked] = f"End of {asked}"
    key = f"{name}_{asked}"

    def chosen() -> None:
        picked = st.session_state[key]
        if picked in (None, NOW):
            st.query_params.pop(name, None)
        else:
            st.query_params[name] = picked

    st.selectbox(
        "As of",
        list(labels),
        index=list(labels).index(asked) if asked in labels else 0,
        format_func=lambda value: labels.get(value, value),
        key=key,
        on_change=chosen,
        width=214,
    )
    return _other_day(name) if asked == OTHER else asked


def _labels() -> dict[str, str]:
    zone = reader_zone()
    ended = [run for run in service().runs(RUNS) if run.status in (RunStatus.SUCCESS, RunStatus.PARTIAL, RunStatus.PREVIEW)]
    ends = {each.ends.isoformat(): f"End of {each.ends.isoformat()}, period {each.label}" for each in service().sign_offs()}
    runs = {run.run: f"Run of {when(run.finished, zone)}" for run in ended[1:] if run.finished}
    return {NOW: "Now", **ends, **runs, OTHER: "The end of another day…"}


def _other_day(name: str) -> str:
    """The day itself takes the place of "another day" in the address once it is chosen."""
    key = f"{name}_day"

    def chosen() -> None:
        picked = st.session_state[key]
        if isinstance(picked, date):
            st.query_params[name] = picked.isoformat()

    st.date_input("Day", None, key=key, format="YYYY-MM-DD", on_change=chosen, width=150)
    return NOW
