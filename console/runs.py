"""Runs as lines of a table, and one of them in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo

import streamlit as st

from console import paging
from console.door import service
from console.texts import RUN_WORDS, STATUS_WORDS, count, lasting, scope_words, when
from console.widgets import Column, filled, left, right, table
from sync_core.model import Outcome, RunStatus, RunSummary

ON_A_PAGE = 25
WRITES = (Outcome.CREATED, Outcome.UPDATED)
LOOKED = (RunStatus.PREVIEW, RunStatus.REFUSED)
"""Ways for a run to end in which nothing was written."""
TROUBLE = (Outcome.BLOCKED, Outcome.CONFLICT, Outcome.FAILED)
COLUMNS: dict[str, Column] = {
    "status": left("Outcome", width=142),
    "started": left("Started", width=118),
    "trigger": left("Asked by", width=104),
    "scope": left("What", width=98),
    **{str(outcome): right(str(outcome).capitalize(), width=76 if outcome is Outcome.UNCHANGED else 58) for outcome in Outcome},
    "lasted": right("Took", width=48),
    "calls": right("Calls", width=50),
    "message": left("Message", width=240),
}
NOTHING = "0"
SYSTEMS = {"dynamics": "Dynamics", "xero": "Xero"}


def run_line(run: RunSummary, zone: tzinfo) -> dict[str, str]:
    """A run as text. What a preview or a stopped run would have done stands in brackets: none of it was done."""
    calls = sum(each.read + each.write for each in run.calls.values())
    return {
        "status": RUN_WORDS[run.status],
        "started": when(run.started, zone),
        "lasted": lasting(run.finished - run.started) if run.finished else "",
        "trigger": run.trigger,
        "scope": scope_words(run.scope),
        "calls": f"{calls:,}",
        "message": run.message,
    } | {str(outcome): _counted(run, run.counts.get(outcome, 0)) for outcome in Outcome}


def _counted(run: RunSummary, number: int) -> str:
    return f"({number:,})" if run.status in LOOKED and number else f"{number:,}"


def columns_of(rows: Sequence[Mapping[str, str]]) -> dict[str, Column]:
    """The columns that say something: without outcomes that no run came to, and without messages where there are none.

    Calls make room for the messages; a run that is opened says them per system.
    """
    never = {str(outcome) for outcome in Outcome if all(row[str(outcome)] == NOTHING for row in rows)}
    told = filled({name: form for name, form in COLUMNS.items() if name not in never}, rows, "message")
    return {name: form for name, form in told.items() if name != "calls" or "message" not in told}


def run_lines(runs: Sequence[RunSummary], zone: tzinfo) -> None:
    if runs:
        rows = [{**run_line(run, zone), "message": ""} for run in runs]
        table(rows, columns_of(rows), "Runs, the latest first")
        about_previews(runs)
    else:
        st.text("No run yet.")


def about_previews(runs: Sequence[RunSummary]) -> None:
    """What the brackets mean, where there are any."""
    if any(run.status in LOOKED and any(run.counts.values()) for run in runs):
        st.caption("In brackets stands what a preview or a stopped run would have done: neither writes anything.")


def quiet_line(runs: Sequence[RunSummary], zone: tzinfo) -> dict[str, str]:
    """Several runs that came to the same, as one line."""
    first = run_line(runs[0], zone)
    if len(runs) == 1:
        return first
    ended = "changed nothing" if changed_nothing(runs[0]) else "failed in the same way"
    said = f"{len(runs)} runs in a row {ended}, the first {when(runs[-1].started, zone)}"
    return first | {"message": f"{said}. {runs[0].message}" if runs[0].message else said}


def changed_nothing(run: RunSummary) -> bool:
    """Whether a run went well and neither wrote nor met anything that needs a look."""
    return run.status is RunStatus.SUCCESS and not any(run.counts.get(outcome, 0) for outcome in (*WRITES, *TROUBLE))


def reached_nobody(run: RunSummary) -> bool:
    """Whether a run ended before it looked at a record: a system could not be used."""
    return run.status in (RunStatus.FAILED, RunStatus.CONFIGURE) and not any(run.counts.values())


def folded(runs: Sequence[RunSummary]) -> list[RunSummary | list[RunSummary]]:
    """Neighbouring runs in which nothing changed, or that reached nobody for one reason, as one list each; all others alone."""
    lines: list[RunSummary | list[RunSummary]] = []
    for run in runs:
        before = lines[-1] if lines and isinstance(lines[-1], list) else None
        if not (changed_nothing(run) or reached_nobody(run)):
            lines.append(run)
        elif before is not None and _alike(before[-1], run):
            before.append(run)
        else:
            lines.append([run])
    return lines


def _alike(one: RunSummary, other: RunSummary) -> bool:
    return one.status is other.status and (changed_nothing(one) or one.message == other.message)


def outcomes(run: RunSummary, labels: dict[str, str]) -> None:
    """Entity by outcome: what a run did, or, of a preview or a stopped one, would have done."""
    columns = {"entity": left("Entity", width="medium")} | {str(o): right(str(o).capitalize()) for o in Outcome}
    rows = [
        {"entity": labels.get(name, name)} | {str(o): f"{counts.get(o, 0):,}" for o in Outcome}
        for name, counts in run.by_entity.items()
        if any(counts.values())
    ]
    looked = run.status in LOOKED
    if looked and rows:
        st.markdown("**What a sync would have done**")
    table(rows, columns, f"What the run {'would have done' if looked else 'did'}, per entity")


def slowest(run: RunSummary, zone: tzinfo) -> None:
    """The calls that took longest, behind an expander: how long each system itself took to answer."""
    made = [(SYSTEMS.get(name, name), call) for name, calls in run.calls.items() for call in calls.slowest]
    if not made:
        return
    rows = [
        {
            "took": f"{call.milliseconds:,} ms",
            "system": system,
            "call": f"{call.method} {call.path}",
            "at": when(call.at, zone),
        }
        for system, call in sorted(made, key=lambda each: -each[1].milliseconds)
    ]
    columns = {"took": right("Took", width=70), "system": left("System", width=90), "call": left("Call", width=500)}
    with st.expander("Slowest calls"):
        table(rows, columns | {"at": left("At", width=124)}, "The calls that took longest")


def records(run: RunSummary, labels: dict[str, str], zone: tzinfo) -> None:
    """The records of a run, those that need somebody first. Each stands with the last run that looked at it."""
    name = f"records_{run.run}"
    asked = paging.asked(name)
    found, number = service().run_records(run.run, limit=ON_A_PAGE, offset=ON_A_PAGE * (asked - 1))
    if not number:
        if run.status not in LOOKED:
            st.text("No record stands as this run left it: it changed none, or a later run looked at them again.")
        return
    pages = paging.pages_of(number, ON_A_PAGE)
    if asked > pages:
        found, _ = service().run_records(run.run, limit=ON_A_PAGE, offset=ON_A_PAGE * (pages - 1))
    st.markdown(f"**{count(number, 'record')} as this run left them**")
    columns: dict[str, Column] = {
        "status": left("Status", width=130),
        "entity": left("Entity", width=110),
        "name": left("Name", width=160),
        "side": left("In", width=80),
        "synced": left("Last synced", width=124),
        "remark": left("Remark", width=286),
    }
    rows = [
        {
            "status": STATUS_WORDS[each.standing.status],
            "entity": labels.get(each.standing.entity, each.standing.entity),
            "name": each.name,
            "side": each.standing.side.label,
            "synced": when(each.standing.last_synced, zone),
            "remark": each.standing.remark,
        }
        for each in found
    ]
    table(rows, columns, "Records as this run left them", name=name)
    paging.turn(name, pages)
