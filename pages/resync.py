"""A sync that is looked at first: preview, agreement, result. The address keeps which one."""

from __future__ import annotations

import streamlit as st

from console import resync


def number(name: str) -> int | None:
    text = st.query_params.get(name, "")
    return int(text) if text.isdecimal() else None


st.title("Resync")
request, done = number("request"), number("done")
if request is None:
    resync.ask()
else:
    if done is None:
        resync.draw(request)
    else:
        resync.result(request, done)
    if st.button("Ask for another one"):
        st.query_params.clear()
        st.rerun()
