"""When a sync comes by itself: the next one, how often, whether it is paused, what was missed and how it was caught up."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from console import actions
from console.door import service
from console.frame import reader_zone
from console.gaps import gaps
from console.permitted import held
from console.runs import run_lines
from console.texts import ago, every, plain, when, zone_name
from console.widgets import leading, left, right, table
from sync_core.model import RunStatus
from sync_core.service import Service

OFTEN = (1, 5, 15, 30, 60, 240, 1440)
LOOKED_AT = 500
zone, now = reader_zone(), datetime.now(UTC)
schedule = service().schedule()
runs = [run for run in service().runs(LOOKED_AT) if run.status is not RunStatus.PREVIEW]


def choose() -> None:
    actions.set_minutes(int(st.session_state[key]))


st.title("Schedule")
if schedule.paused:
    st.subheader("Paused: no sync comes by itself.")
elif schedule.next_run is None:
    st.subheader("No sync comes by itself while this console only looks.")
else:
    st.subheader(plain(f"The next sync begins {when(schedule.next_run, zone)}, {every(schedule.minutes)}."))
if schedule.trouble:
    st.warning(plain(f"The last scheduled sync failed: {schedule.trouble}"))

with st.container(horizontal=True, vertical_alignment="bottom"):
    options = sorted({*OFTEN, schedule.minutes})
    key = f"minutes_{schedule.minutes}"
    st.selectbox(
        "How often",
        options,
        index=options.index(schedule.minutes),
        format_func=lambda minutes: every(minutes).capitalize(),
        key=key,
        on_change=choose,
        **held(Service.set_minutes),
        width=220,
    )
    if schedule.paused:
        st.button(
            "Resume",
            type=leading(),
            on_click=actions.resume,
            **held(Service.resume, help="Goes on, and catches up once on what was missed."),
        )
    else:
        st.button("Pause", on_click=actions.pause, **held(Service.pause, help="A sync that is under way goes on."))
    st.button("Sync now", on_click=actions.sync_now, **held(Service.enqueue_sync, disabled=service().running is not None))
st.text("A sync that was missed, because the computer was off or the schedule paused, is caught up once.")

st.markdown("**Missed**")
found = gaps(runs, schedule.minutes, now)
if found:
    caught = next((gap for gap in found if gap.caught_up), None)
    if caught is not None:
        st.text(f"Last caught up {when(caught.until, zone)} ({ago(caught.until, now)}).")
    rows = (
        {
            "since": when(gap.since, zone),
            "until": when(gap.until, zone) if gap.caught_up else "now",
            "missed": f"{gap.missed:,}",
            "run": gap.caught_up or "not caught up yet",
        }
        for gap in found[:50]
    )
    columns = {
        "since": left("Last run before", width=140),
        "until": left("Caught up", width=140),
        "missed": right("Missed", width=80),
        "run": left("Run that caught up", width=180),
    }
    table(rows, columns, "Times in which no sync ran", width="content")
else:
    st.text(f"None since {when(runs[-1].started, zone)}." if runs else "Nothing ran yet.")

st.markdown("**Last runs by the schedule**")
run_lines([run for run in runs if run.trigger == "schedule"][:10], zone)
st.caption(f"Times are in {plain(zone_name(zone))}.")
