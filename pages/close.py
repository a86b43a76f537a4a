"""Closing: lock dates, periods prepared by one person and signed by another, and what changed in them since."""

from __future__ import annotations

import streamlit as st

from console import closing
from console.door import service
from console.widgets import empty

st.title("Close")
if service().data_age().xero is None:
    empty(
        "Nothing has been synced yet.", "A period can be prepared once both systems were read. The first sync begins by itself."
    )
else:
    closing.locks()
    closing.prepare()
    st.markdown("**Periods**")
    period = closing.periods()
    if period is not None:
        closing.one(period)
    else:
        st.caption("A period is prepared by one person and signed by another. Select one to see its figures.")
