"""One of a few, as a row of buttons. The address keeps what is chosen and not its label, as labels carry counts that move."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256

import streamlit as st


def segments(label: str, name: str, labels: Mapping[str, str], on_change: Callable[[], None] | None = None) -> str:
    """What is chosen of ``labels`` (value -> what people read), the first when the address says nothing that is there.

    ``name`` is the word in the address. ``on_change`` follows a click, before the page is drawn again.
    """
    first = next(iter(labels))
    asked = st.query_params.get(name, first)
    current = asked if asked in labels else first
    key = f"{name}_{sha256(f'{current}{labels}'.encode()).hexdigest()[:8]}"

    def chosen() -> None:
        picked = st.session_state[key]
        if picked in (None, first):
            st.query_params.pop(name, None)
        else:
            st.query_params[name] = picked
        if on_change is not None:
            on_change()

    st.segmented_control(
        label,
        list(labels),
        default=current,
        format_func=lambda value: labels.get(value, value),
        key=key,
        required=True,
        on_change=chosen,
    )
    return current
