"""Records that could belong together: the candidates with their reasons, and what a person says of them."""

from __future__ import annotations

import streamlit as st

from console import actions, linking
from console.door import service
from console.frame import never_synced, nothing_read, reader_zone
from console.permitted import held
from console.segments import segments
from console.texts import STATUS_WORDS, count, plain, when
from console.widgets import empty, left, pick
from sync_core.model import Status
from sync_core.service import Service, data_flows

WAITING = (Status.NEEDS_REVIEW, Status.MISSING_IN_CRM, Status.MISSING_IN_XERO)
SHOWN = 200
COLUMNS = {
    "status": left("Status", width=150),
    "name": left("Name", width=220),
    "side": left("System", width=90),
    "attempt": left("Last attempt", width=124),
    "remark": left("Remark", width=310),
}


def waiting() -> dict[str, int]:
    """How many records of each entity are unlinked or doubtful, those that have any."""
    found = service().overview().statuses
    return {name: n for name, by in found.items() if (n := sum(by.get(status, 0) for status in WAITING))}


def draw(name: str) -> None:
    found = service().record_list(name, WAITING, limit=SHOWN)
    rows = [
        {
            "status": STATUS_WORDS[line.status],
            "name": line.name,
            "side": "both" if line.crm_id and line.xero_id else "Dynamics" if line.crm_id else "Xero",
            "remark": line.standing.remark if line.standing else "",
            "attempt": when(line.standing.last_attempt if line.standing else None, reader_zone()),
        }
        for line in found.lines
    ]
    picked = pick(f"match_{name}", rows, COLUMNS, [line.row_id for line in found.lines], "Records without a clear partner")
    line = next((each for each in found.lines if each.row_id == picked), None)
    if line is None:
        st.caption("Select a record to see what it could belong to.")
        return
    st.subheader(plain(line.name))
    st.text(line.standing.remark if line.standing else "Not looked at yet.")
    linking.draw(name, line)


def apart() -> None:
    kept = service().kept_apart()
    if not kept:
        return
    st.markdown(f"**Kept apart by a person**, {count(len(kept), 'pair')}")
    for pair in kept:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(f"{labels[pair.entity]}: {pair.crm_name} in Dynamics and {pair.xero_name} in Xero")
            key = f"let_match_{pair.entity}_{pair.crm_id}_{pair.xero_id}"
            st.button(
                "Let them match",
                key=key,
                on_click=actions.let_match,
                args=(pair.entity, pair.crm_id, pair.xero_id),
                **held(Service.let_match),
            )


st.title("Match")
labels = {flow.entity: flow.label for flow in data_flows()}
numbers = waiting()
if numbers:
    draw(segments("Records", "entity", {name: f"{labels[name]} {numbers[name]:,}" for name in labels if name in numbers}))
elif not nothing_read():
    empty("Every record has its partner.", "Records that could belong to several, or to none, appear here.")
else:
    never_synced()
apart()
