"""What was done with a record, by people and by runs, and the run that last touched it."""

from __future__ import annotations

import streamlit as st

from console import nav
from console.door import service
from console.frame import reader_zone
from console.texts import when
from console.widgets import left, table


def draw(entity: str, crm_id: str | None, xero_id: str | None, run: str) -> None:
    """The latest first; nothing for a record that nobody and no run has touched. ``run`` is the id of the last one."""
    events = service().history(entity, crm_id, xero_id)
    if not events:
        return
    zone = reader_zone()
    st.markdown("**History**")
    table(
        ({"at": when(event.at, zone), "who": event.who, "words": event.words} for event in events),
        {"at": left("When", width=124), "who": left("Who", width=136), "words": left("What", width=630)},
        "What was done with this record",
    )
    if run:
        st.page_link(nav.file_of("runs"), label=f"The run that last touched it, {run} →", query_params={"run": run})
