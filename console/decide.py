"""A person decides a conflict: per field, the side whose value stays. The resync that follows carries it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from console import actions
from console.sheets import Sheet
from console.texts import plain
from sync_core.model import RecordStatus, Side, Status
from sync_core.service import RowDetail

SIDES = {side.label: side for side in Side}


def draw(sheet: Sheet, found: RowDetail, statuses: Sequence[RecordStatus]) -> None:
    """Nothing when neither record is in conflict or there is no pair."""
    row = found.row
    differing = {line.name: line.label for line in found.fields if not line.same}
    in_conflict = any(status.status is Status.CONFLICT for status in statuses)
    if not (in_conflict and row["crm_id"] and row["xero_id"] and differing):
        return
    st.markdown("**Which value stays**")
    with st.container(horizontal=True):
        for name, label in differing.items():
            st.segmented_control(plain(label), list(SIDES), key=_key(row, name))
    st.button(
        "Keep the chosen values",
        key=f"{sheet.entity}_keep_{row['row_id']}",
        disabled=not _chosen(row, differing),
        help="The chosen value is written to the other system by a resync of this record alone.",
        on_click=_keep,
        args=(sheet, row, tuple(differing)),
    )


def _keep(sheet: Sheet, row: Mapping[str, object], names: Sequence[str]) -> None:
    """Reads what is chosen when the button is pressed, not what was chosen when it was drawn."""
    label = str(row["number"] or sheet.singular)
    actions.keep(sheet.entity, str(row["crm_id"]), str(row["xero_id"]), _chosen(row, names), label)


def _chosen(row: Mapping[str, object], names: Sequence[str] | Mapping[str, str]) -> dict[str, Side]:
    picked = {name: st.session_state.get(_key(row, name)) for name in names}
    return {name: SIDES[side] for name, side in picked.items() if side in SIDES}


def _key(row: Mapping[str, object], name: str) -> str:
    return f"keep_{row['row_id']}_{name}"
