"""Pages of a long list. The address keeps which one is shown; a filter that changes begins at the first one again."""

from __future__ import annotations

import streamlit as st

from console import opened

LONGEST = 10
"""Digits of a page number; one of more was never written by Tieout."""


def pages_of(total: int, rows: int) -> int:
    """On how many pages ``total`` rows stand when each holds ``rows``."""
    return -(-total // rows)


def asked(name: str) -> int:
    """The page that the address asks for under ``name``, from 1 on, whether there are so many or not."""
    told = st.query_params.get(name, "1")
    return max(1, int(told)) if told.isdecimal() and len(told) < LONGEST else 1


def page(name: str, pages: int) -> int:
    """The page that the address asks for under ``name``, within those there are; from 1 on."""
    return max(1, min(asked(name), pages))


def first(name: str) -> None:
    """Begin at the first page again."""
    st.query_params.pop(name, None)


def turn(name: str, pages: int, row: str = "") -> None:
    """What turns the pages, nothing where there is only one. ``row`` is what the address calls the row that is open."""
    if pages < 2:
        return
    current = page(name, pages)
    key = f"{name}_{pages}_{current}"

    def turned() -> None:
        st.query_params[name] = str(st.session_state[key])
        opened.shut(row)

    st.pagination(pages, default=current, key=key, on_change=turned)
