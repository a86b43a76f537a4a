"""What needs a person, by cause: what happened, why, what to do, and the button that tries again."""

from __future__ import annotations

import streamlit as st

from console import actions, nav, record_resync, resync
from console.door import service
from console.frame import reader_zone
from console.problems import Group, groups, titles
from console.sheets import SHEETS
from console.texts import STATUS_WORDS, count, lower_first, plain, when, zone_name
from console.widgets import left, table
from sync_core.service import Scope, data_flows

SHOWN = 100
SIDE_BY_SIDE = {sheet.entity for sheet in SHEETS}
zone = reader_zone()
flows = {flow.entity: flow for flow in data_flows()}
COLUMNS = {
    "record": left("Record", width="medium"),
    "side": left("System", width="small"),
    "remark": left("Remark"),
    "attempt": left("Last attempt", width=130),
    "synced": left("Last synced", width=130),
}


def draw(group: Group) -> None:
    number, flow = len(group.records), flows[group.entity]
    name = flow.singular if number == 1 else lower_first(flow.label)
    named = titles(group)
    st.subheader(f"{STATUS_WORDS[group.status]} · {number:,} {plain(name)}")
    st.text(group.cause)
    if number == 1:
        record = group.records[0]
        st.caption(
            f"{plain(named.get(record.id, record.id))} in {record.side.label} · last attempt {when(record.last_attempt, zone)}"
        )
    else:
        rows = (
            {
                "record": named.get(record.id, record.id),
                "side": record.side.label,
                "remark": record.remark,
                "attempt": when(record.last_attempt, zone),
                "synced": when(record.last_synced, zone),
            }
            for record in group.records[:SHOWN]
        )
        table(rows, COLUMNS, f"The {number} {name}")
    _detail(group)
    first = group.records[0].id
    with st.container(horizontal=True):
        key = f"{group.entity}_{group.status}_{first}"
        if number == 1:
            record_resync.button("Try again…", group.entity, [first], named.get(first, name), key)
        elif st.button(f"Try all {number:,} again…", key=f"retry_{key}"):
            only = {group.entity: frozenset(record.id for record in group.records)}
            resync.show(actions.preview(Scope(only=only), f"{number:,} {name}"))
        if number == 1 and group.entity in SIDE_BY_SIDE and first in named and st.button("See both sides", key=f"see_{first}"):
            st.switch_page(nav.file_of(group.entity), query_params={f"{group.entity}_search": named[first]})


def _detail(group: Group) -> None:
    raw = next((record.detail for record in group.records if record.detail), "")
    if raw:
        with st.expander("Raw answer of the system"):
            st.text(raw)


st.title("Problems")
found, more = groups()
if found:
    total = sum(len(group.records) for group in found)
    st.text(f"{count(total, 'record needs', 'records need')} a person, for {count(len(found), 'cause')}.")
    if more:
        st.text("There are more; only the first thousands were looked at.")
    for each in found:
        draw(each)
    st.caption(f"Times are in {plain(zone_name(zone))}.")
elif service().overview().runs:
    st.text("Nothing needs a person.")
else:
    st.text("Nothing has been synced yet, so nothing can be said.")
