"""Every sync that ran, the latest first; those in which nothing changed fold into one line. A selected run opens below."""

from __future__ import annotations

import streamlit as st

from console import actions, resync
from console.door import service
from console.frame import reader_zone
from console.permitted import held
from console.runs import SYSTEMS, about_previews, columns_of, folded, outcomes, quiet_line, records, run_line, slowest
from console.texts import RUN_WORDS, plain, scope_words, when, zone_name
from console.widgets import empty, leading, list_height, pick
from sync_core.model import RunSummary
from sync_core.service import Service, data_flows

SHOWN = 200
zone = reader_zone()
labels = {flow.entity: flow.label for flow in data_flows()}


def draw(run: RunSummary, message: str) -> None:
    st.subheader(f"{RUN_WORDS[run.status]} · {when(run.started, zone)} · {plain(scope_words(run.scope))}")
    if message:
        st.text(message)
    resync.way_on(runs, f"look_at_{run.run}", run.run)
    calls = " · ".join(f"{SYSTEMS.get(k, k)} {c.read:,} reads, {c.write:,} writes" for k, c in run.calls.items())
    st.text(f"Run {run.run} · asked by: {run.trigger} · calls: {calls or 'none'}")
    outcomes(run, labels)
    records(run, labels, zone)
    slowest(run, zone)


st.title("Runs")
st.button(
    "Sync now", type=leading(), on_click=actions.sync_now, **held(Service.enqueue_sync, disabled=service().running is not None)
)
runs = service().runs(SHOWN)
if not runs:
    empty("Nothing ran yet.", "The first sync begins by itself, or with the button above.")
else:
    lines = folded(runs)
    latest = [each[0] if isinstance(each, list) else each for each in lines]
    rows = [quiet_line(each, zone) if isinstance(each, list) else run_line(each, zone) for each in lines]
    ids = [run.run for run in latest]
    picked = pick("runs", rows, columns_of(rows), ids, "Runs, the latest first", height=list_height(len(rows)), address="run")
    about_previews(runs)
    st.caption(f"Times are in {plain(zone_name(zone))}. Select a run to see what it did.")
    said = {run.run: row["message"] for run, row in zip(latest, rows, strict=True)}
    for run in runs:
        if run.run == picked:
            draw(run, said.get(run.run, run.message))
