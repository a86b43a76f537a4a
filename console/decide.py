"""A person decides a conflict: per field, the side whose value stays. The resync that follows carries it out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import streamlit as st

from console import actions
from console.door import service
from console.permitted import held
from console.sheets import Sheet
from console.texts import listed, plain
from sync_core.model import RecordStatus, Side, Status
from sync_core.service import LinePair, RowDetail, Service

SIDES = {side.label: side for side in Side}
FIGURES = frozenset({"Quantity", "Amount before tax", "Tax"})
"""What a verdict on a line calls the figures that have to agree."""
Stays = Mapping[str, Collection[Side]]


def draw(sheet: Sheet, found: RowDetail, statuses: Sequence[RecordStatus]) -> None:
    """Nothing when neither record is in conflict or there is no pair. Only values that can be written are offered."""
    row = found.row
    differing = {line.name: line.label for line in found.fields if not line.same and not only_words(line.name, found.lines)}
    in_conflict = any(status.status is Status.CONFLICT for status in statuses)
    if not (in_conflict and row["crm_id"] and row["xero_id"] and differing):
        return
    may_stay = service().may_stay(sheet.entity)
    offered = {name: label for name, label in differing.items() if may_stay.get(name)}
    st.markdown("**Which value stays**")
    with st.container(horizontal=True):
        for name, label in offered.items():
            sides = [side.label for side in Side if side in may_stay[name]]
            st.segmented_control(plain(label), sides, key=_key(row, name))
    for line in found.fields:
        if not line.same and only_words(line.name, found.lines):
            st.caption(
                plain(f"Not offered: {line.label}. Only their words differ, which each side keeps; change them by hand.")
            )
    for sentence in why_not(differing, may_stay):
        st.caption(plain(sentence))
    if offered:
        st.button(
            "Keep the chosen values",
            key=f"{sheet.entity}_keep_{row['row_id']}",
            **held(
                Service.resolve,
                disabled=not _chosen(row, offered),
                help="The chosen value is written to the other system by a resync of this record alone.",
            ),
            on_click=_keep,
            args=(sheet, row, tuple(offered)),
        )


def only_words(field: str, lines: Sequence[LinePair]) -> bool:
    """Whether the lines of both sides differ in no figure: a sync takes that for agreed, so there is nothing to decide."""
    return field == "lines" and all(not FIGURES.intersection(each.differing) and each.crm and each.xero for each in lines)


def why_not(differing: Mapping[str, str], may_stay: Stays) -> list[str]:
    """Why values of fields that differ (name -> label) are not offered; empty when all are."""
    said = []
    neither = [label for name, label in differing.items() if not may_stay.get(name)]
    if neither:
        said.append(
            f"Not offered: {listed(neither)}. Tieout writes this to neither system; where it is wrong, change it by hand."
        )
    for side in Side:
        alone = [label for name, label in differing.items() if set(may_stay.get(name, ())) == {side}]
        if alone:
            why = f"because Tieout does not write this field to {side.label}."
            said.append(f"{listed(alone)}: only the value of {side.label} can stay, {why}")
    return said


def _keep(sheet: Sheet, row: Mapping[str, object], names: Sequence[str]) -> None:
    """Reads what is chosen when the button is pressed, not what was chosen when it was drawn."""
    label = str(row["number"] or sheet.singular)
    actions.keep(sheet.entity, str(row["crm_id"]), str(row["xero_id"]), _chosen(row, names), label)


def _chosen(row: Mapping[str, object], names: Sequence[str] | Mapping[str, str]) -> dict[str, Side]:
    picked = {name: st.session_state.get(_key(row, name)) for name in names}
    return {name: SIDES[side] for name, side in picked.items() if side in SIDES}


def _key(row: Mapping[str, object], name: str) -> str:
    return f"keep_{row['row_id']}_{name}"
