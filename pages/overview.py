"""Is it all right? One sentence, control totals, what flows where, how old it is, what ran and what runs next."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from console import actions, answers, nav, problems, resync
from console.diagram import flow_diagram
from console.door import service
from console.frame import nothing_read, reader_zone
from console.permitted import held
from console.runs import run_lines
from console.sheets import SHEETS
from console.standing import Mood, Tally, last_ended, standing
from console.texts import STATUS_WORDS, ago, count, every, lower_first, money, plain, when, zone_name
from console.widgets import control_totals, leading, left, right, table
from sync_core.model import RunStatus, Side, Status
from sync_core.service import Filters, Service, data_flows


def most_at_risk() -> None:
    """The five open differences with the most money in them."""
    rows = [
        {
            "risk": money(each.at_risk, each.currency),
            "number": each.number or each.contact,
            "why": lower_first(each.words or each.status),
        }
        for each in (item.difference for item in service().worklist(limit=5).items)
    ]
    if rows:
        columns = {"risk": right("At risk", width=116), "number": left("Number", width=96), "why": left("Why", width=380)}
        table(rows, columns, "The open differences with the most money at risk")


overview, schedule, now, zone = service().overview(), service().schedule(), datetime.now(UTC), reader_zone()
sums = {sheet: answers.summary(sheet.entity, Filters()) for sheet in SHEETS}
tallies = {sheet: Tally(sheet.entity, sheet.singular, s.statuses, s.totals) for sheet, s in sums.items()}
found = standing(
    list(tallies.values()),
    overview.age,
    overview.runs,
    minutes=schedule.minutes,
    paused=schedule.paused,
    now=now,
    trouble=schedule.trouble,
)

st.title("Overview")
st.subheader(plain(found.headline))
if found.detail:
    (st.caption if found.mood is Mood.GOOD else st.warning)(plain(found.detail))
ended = last_ended(overview.runs)
if ended is not None and ended.status is RunStatus.CONFIGURE:
    st.page_link(nav.file_of("connections"), label="Check the connections →")
with st.container(horizontal=True):
    for sheet, tally in tallies.items():
        if tally.open and st.button(f"Review the {tally.open:,} {sheet.plural}", key=f"review_{sheet.entity}"):
            st.switch_page(nav.file_of(sheet.entity), query_params={f"{sheet.entity}_status": "open"})
    resync.way_on(overview.runs, "look_at_plan")
    st.button(
        "Sync now",
        type=leading(),
        on_click=actions.sync_now,
        **held(Service.enqueue_sync, disabled=service().running is not None),
    )

if any(result.rows for result in sums.values()):
    st.markdown("**Control totals**")
    control_totals({sheet.title: result.totals for sheet, result in sums.items()})

waiting, fresh = st.columns([3, 2], gap="large")
with waiting:
    st.markdown("**Needs a person**")
    needing = problems.waiting()
    said = " · ".join(f"{STATUS_WORDS[status]} {number:,}" for status, number in needing.counts.items() if number)
    st.text(said or ("Nothing can be said before the first sync." if nothing_read() else "Nothing."))
    most_at_risk()
    if needing.aside:
        st.text(f"Set aside by people, and not counted here: {count(len(needing.aside), 'row')}.")
    with st.container(horizontal=True):
        if said or needing.aside:
            st.page_link(nav.file_of("problems"), label="Work the problems →")
        st.page_link(nav.file_of("worklist"), label="All open differences, by money at risk →")
with fresh:
    st.markdown("**Freshness and the next run**")
    for side, at in ((Side.CRM, overview.age.crm), (Side.XERO, overview.age.xero)):
        st.text(f"{side.label}: read {when(at, zone)} ({ago(at, now)})" if at else f"{side.label}: never read")
    if schedule.paused:
        st.text("The schedule is paused.")
        st.button("Resume the schedule", on_click=actions.resume, **held(Service.resume))
    else:
        coming = when(schedule.next_run, zone) if schedule.next_run else "when the console runs"
        st.text(f"Next sync: {coming}, {every(schedule.minutes)}")
        st.button("Pause the schedule", on_click=actions.pause, **held(Service.pause))
    st.caption(f"Times are in {plain(zone_name(zone))}.")

st.markdown("**What flows where**")
st.graphviz_chart(
    flow_diagram(data_flows(), overview.statuses, st.context.theme.type or "light"),
    width="stretch",
    alt="Entities between Dynamics and Xero, the ways they flow, and how many records stand how",
)
present = {status for counts in overview.statuses.values() for status, number in counts.items() if number}
st.caption(" · ".join(STATUS_WORDS[status] for status in Status if status in present))

st.markdown("**Last runs**")
run_lines(overview.runs[:5], zone)
