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
    asked = str(request)

    def agreed(doing: int) -> None:
        st.query_params.update({"request": asked, "done": str(doing)})

    if done is None:
        resync.draw(request, agreed)
    else:
        resync.result(request, done, agreed)
    if st.button("Ask for another one"):
        st.query_params.clear()
        st.rerun()
