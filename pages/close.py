"""Closing: lock dates, periods prepared by one person and signed by another, and what changed in them since."""

from __future__ import annotations

import streamlit as st

from console import closing
from console.door import service
from console.frame import never_synced

st.title("Close")
if service().data_age().xero is None:
    never_synced()
    st.text("A period can be prepared once both systems were read.")
else:
    closing.locks()
    closing.prepare()
    st.markdown("**Periods**")
    period = closing.periods()
    if period is not None:
        closing.one(period)
    else:
        st.caption("A period is prepared by one person and signed by another. Select one to see its figures.")
