"""Which row of a grid stands open below it. The address keeps it, so that it can be sent on and reached without a mouse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from console import nav


def row_of(entity: str) -> str:
    """What the address calls the row of an entity that is open."""
    return f"{entity}_row"


def asked(name: str) -> str:
    """The id of the row that the address asks for under ``name``, "" for none."""
    return st.query_params.get(name, "")


def first(name: str, ids: Sequence[str], *, alone: bool = False) -> dict[str, Any] | None:
    """What is selected when the grid is drawn first: the row of the address, or the only one where ``alone`` says so."""
    at = [ids.index(asked(name))] if asked(name) in ids else [0] if alone and len(ids) == 1 else []
    return {"selection": {"rows": at}} if at else None


def keep(name: str, ids: Sequence[str], picked: Sequence[str]) -> list[str]:
    """What is open: ``picked`` in the grid of ``ids``, or else a row of the address that the grid does not hold.

    The address follows the grid.
    """
    if not picked and asked(name) and asked(name) not in ids:
        return [asked(name)]
    if len(picked) == 1:
        st.query_params[name] = picked[0]
    else:
        shut(name)
    return list(picked)


def shut(name: str) -> None:
    """Nothing is open any more."""
    st.query_params.pop(name, None)


def go(entity: str, row_id: str, called: str) -> None:
    """Go to the page of an entity, with one row open and few others: those that ``called`` is found in."""
    st.switch_page(nav.file_of(entity), query_params={row_of(entity): row_id, f"{entity}_search": called})
