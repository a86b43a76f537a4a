"""What people do with differences: give them to somebody, say something, set them aside, call them done, take it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from console import actions
from console.door import service
from console.frame import reader_zone, say_what_came
from console.permitted import held
from console.texts import count, when
from console.widgets import leading, left, selection_key, table
from sync_core.service import Case, CaseAct, CaseStatus, Service, data_flows

DONE = "acts done"
"""Session state: how many acts were done, so that what one was typed into closes after it."""
MOST_AT_ONCE = 5_000
"""An act on so many rows, each with its line in the audit trail, is done within some seconds."""


def standing(case: Case | None) -> str:
    """A case in one line of plain words, "" when nobody did anything yet."""
    if case is None:
        return ""
    words = {CaseStatus.IGNORED: "set aside", CaseStatus.RESOLVED: "done"}.get(case.status, "open")
    until = f" until {case.expires.isoformat()}" if case.expires and case.status is CaseStatus.IGNORED else ""
    why = f": {case.reason}" if case.reason and case.status is not CaseStatus.OPEN else ""
    again = f" (opened again: {case.opened_again})" if case.opened_again else ""
    return f"{words}{until}{why}{again}"


def draw(entity: str, row_id: str) -> None:
    """The work on one row, and what was done so far."""
    case = service().case(entity, row_id)
    st.markdown("**Work**")
    if case is not None:
        st.text(f"{standing(case).capitalize()} · {case.assignee or 'nobody'} has it · last changed by {case.changed_by}")
    acts(entity, [row_id], row_id, case)
    _history(entity, row_id)


def acts(entity: str, row_ids: Sequence[str], key: str, case: Case | None = None) -> None:
    """The buttons for one row or many; each opens what it needs to know, and says on how many rows it acts."""
    many = f" ({count(len(row_ids), 'row')})" if len(row_ids) > 1 else ""
    key = f"{key}_{st.session_state.get(DONE, 0)}"
    with st.container(horizontal=True):
        with st.popover("Give to", key=f"give_{key}"):
            person = st.text_input("Person", value=case.assignee if case else "", key=f"person_{key}", placeholder="Name")
            _do(f"Give it{many}", f"give_it_{key}", lambda: actions.assign(entity, row_ids, person or ""))
        with st.popover("Comment", key=f"say_{key}"):
            said = st.text_area("Comment", key=f"said_{key}")
            _do(f"Keep it{many}", f"say_it_{key}", lambda: actions.comment(entity, row_ids, said or ""))
        with st.popover("Set aside", key=f"aside_{key}"):
            st.text("It opens again by itself when either side changes, or after the day that you name.")
            why = st.text_input("Reason", key=f"why_{key}")
            until = st.date_input("Until", None, key=f"until_{key}", format="YYYY-MM-DD")
            _do(f"Set it aside{many}", f"aside_it_{key}", lambda: actions.set_aside(entity, row_ids, why or "", until))
        with st.popover("Done", key=f"done_{key}"):
            how = st.text_input("What was done", key=f"how_{key}")
            _do(f"Call it done{many}", f"done_it_{key}", lambda: actions.call_done(entity, row_ids, how or ""))
        if len(row_ids) > 1 or (case is not None and case.status is not CaseStatus.OPEN):
            with st.popover("Open again", key=f"again_{key}"):
                reason = st.text_input("Reason", key=f"reason_{key}")
                _do(f"Open it again{many}", f"again_it_{key}", lambda: actions.open_again(entity, row_ids, reason or ""))
        take_back(key)
    say_what_came()


def take_back(key: str) -> None:
    """The button that undoes the last act of whoever looks."""
    st.button(
        "Take back",
        key=f"undo_{key}",
        on_click=actions.undo,
        **held(Service.undo, help="Takes back your last act, on all its rows."),
    )


def acts_on(name: str, picked: Sequence[str], cases: Mapping[str, Case | None]) -> None:
    """The buttons for rows of several entities, each named "entity|row" as in ``cases``. ``name`` is the grid's."""
    by_entity: dict[str, list[str]] = {}
    for each in picked:
        entity, _, row = each.partition("|")
        by_entity.setdefault(entity, []).append(row)
    labels = {flow.entity: flow.label for flow in data_flows()}
    for entity, rows in by_entity.items():
        st.markdown(f"**{labels.get(entity, entity)}: {count(len(rows), 'row')} selected**")
        acts(entity, rows, f"{entity}_{selection_key(name, rows)}", cases.get(picked[0]) if len(picked) == 1 else None)


def acts_or_why_not(entity: str, row_ids: Sequence[str], key: str) -> None:
    """The buttons for these rows, or why there are none."""
    if len(row_ids) > MOST_AT_ONCE:
        st.text(f"At most {MOST_AT_ONCE:,} rows are worked on at once. Narrow the list first.")
    elif row_ids:
        acts(entity, row_ids, key, service().case(entity, row_ids[0]) if len(row_ids) == 1 else None)
    else:
        st.text("None of these stands in the reconciliation by itself. Work on the record that it is matched with.")


def _do(label: str, key: str, act: Callable[[], None]) -> None:
    if st.button(label, key=key, type=leading(), **held(Service.comment)):
        act()
        if not st.session_state.pop(actions.REFUSED, False):
            st.session_state[DONE] = st.session_state.get(DONE, 0) + 1
            st.rerun()


def _history(entity: str, row_id: str) -> None:
    entries = service().case_history(entity, row_id)
    if not entries:
        return
    zone = reader_zone()
    rows = (
        {
            "at": when(entry.at, zone),
            "who": entry.who,
            "act": CaseAct(entry.act).words + (" (taken back)" if entry.undone_at else ""),
            "note": entry.note,
        }
        for entry in reversed(entries)
    )
    columns = {
        "at": left("When", width=130),
        "who": left("Who", width=140),
        "act": left("What", width=180),
        "note": left("Note", width=420),
    }
    table(rows, columns, f"What was done with this row, {count(len(entries), 'act')}", name=f"history {entity} {row_id}")
