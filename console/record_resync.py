"""A resync of one record, previewed and agreed to below it: the page that it stands on is not left."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from console import actions, resync
from console.permitted import held
from sync_core.service import Scope, Service


def button(words: str, entity: str, ids: Collection[str], label: str, key: str) -> None:
    """Asks what a sync of just this record would write. ``ids`` are of either side, ``key`` is the page's word for it."""
    st.button(words, key=f"resync_{key}", on_click=_ask, args=(entity, ids, label, key), **held(Service.enqueue_preview))


def draw(key: str) -> None:
    """The preview with its one button, then what came of it; nothing before it was asked for."""
    asked = st.session_state.get(_kept(key))
    if asked is None:
        return
    request, done = asked

    def agreed(doing: int) -> None:
        st.session_state[_kept(key)] = request, doing

    with st.container(border=True):
        if done is None:
            resync.draw(request, agreed)
        else:
            resync.result(request, done, agreed)
        st.button("Close", key=f"close_{key}", on_click=st.session_state.pop, args=(_kept(key), None))


def _ask(entity: str, ids: Collection[str], label: str, key: str) -> None:
    request = actions.preview(Scope(only={entity: frozenset(ids)}), label)
    if request is not None:
        st.session_state[_kept(key)] = request, None


def _kept(key: str) -> str:
    return f"resync asked for {key}"
