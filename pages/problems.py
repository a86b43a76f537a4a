"""What needs a person, by cause: what happened, why, what to do, and the button that tries again; then what is settled."""

from __future__ import annotations

import streamlit as st

from console import actions, casework, line_codes, opened, problem_lists, record_resync, resync
from console.door import service
from console.frame import never_synced, nothing_read, reader_zone
from console.permitted import held
from console.problems import KINDS, Desk, Group, Risks, at_risk, common, desk, grouped, risks, row_of, titles
from console.segments import segments
from console.sheets import SHEETS
from console.texts import STATUS_WORDS, count, lower_first, plain, when, zone_name
from console.widgets import filled, left, pick, right
from sync_core.model import RecordStatus, Side, Status
from sync_core.service import Scope, Service, data_flows

SHOWN = 100
ASIDE, SOLVED = "aside", "solved"
PAGES = {*(sheet.entity for sheet in SHEETS), "contacts"}
"""Entities whose records have a page of their own on which both sides stand."""
zone = reader_zone()
flows = {flow.entity: flow for flow in data_flows()}
COLUMNS = {
    "risk": right("At risk", width=110),
    "record": left("Record", width=170),
    "side": left("In", width=80),
    "attempt": left("Last attempt", width=124),
    "remark": left("Remark", width=400),
}


def called(entity: str, number: int) -> str:
    return flows[entity].singular if number == 1 else lower_first(flows[entity].label)


def draw(group: Group, known: Risks) -> None:
    number, first, name = len(group.records), group.records[0], called(group.entity, len(group.records))
    named = titles(group.entity, [(record.side, record.id) for record in group.records[:SHOWN]])
    key = f"{group.entity}_{group.status}_{first.id}"
    money = f" · {plain(group.risk.words)} at risk" if group.risk.words else ""
    st.subheader(f"{STATUS_WORDS[group.status]} · {number:,} {plain(name)}{money}")
    st.text(group.cause if number == 1 else common(first))
    picked = first if number == 1 else several(group, known, named, key)
    if number == 1:
        st.caption(
            f"{plain(named.get(first.id, first.id))} in {first.side.label} · last attempt {when(first.last_attempt, zone)}"
        )
    raw = next((record.detail for record in group.records if record.detail), "")
    if raw:
        with st.expander("Raw answer of the system"):
            st.text(raw)
    with st.container(horizontal=True, vertical_alignment="center"):
        if number == 1:
            record_resync.button("Try again…", group.entity, [first.id], named.get(first.id, name), key)
        elif st.button(f"Try all {number:,} again…", key=f"retry_{key}", **held(Service.enqueue_preview)):
            try_again(group.entity, group.records, f"{number:,} {name}")
        if picked is not None and group.entity in PAGES and picked.id in named:
            both_sides(picked, named[picked.id], f"see_{key}")
        words = "Work on it" if number == 1 else f"Work on these {number:,}"
        work = st.toggle(words, key=f"work_{key}")
        uncoded = first.reason == line_codes.CODED and st.toggle("Choose ledger account and tax rate", key=f"codes_{key}")
    record_resync.draw(key)
    if uncoded:
        ids = [record.id for record in group.records if record.side is Side.CRM]
        line_codes.draw(group.entity, ids, named.get(first.id, name) if number == 1 else f"{number:,} {name}", key)
    if work:
        casework.acts_or_why_not(group.entity, service().rows_among(group.entity, group.row_ids), f"problem_{key}")


def several(group: Group, known: Risks, named: dict[str, str], key: str) -> RecordStatus | None:
    shown = group.records[:SHOWN]
    rows = [
        {"record": named.get(record.id, record.id), "side": record.side.label, "remark": record.remark}
        | {"attempt": when(record.last_attempt, zone), "risk": at_risk([record], known).words}
        for record in shown
    ]
    name = called(group.entity, len(group.records))
    ids = [record.id for record in shown]
    picked = pick(
        f"group_{key}",
        rows,
        filled(COLUMNS, rows, "risk"),
        ids,
        f"{name} with this cause",
        height="content" if len(rows) <= SHOWN // 4 else "auto",
        whole=True,
    )
    if len(group.records) > SHOWN:
        st.caption(f"The first {SHOWN:,} of {len(group.records):,}. The buttons act on all of them.")
    return next((record for record in shown if record.id == picked), None)


def both_sides(record: RecordStatus, name: str, key: str) -> None:
    if st.button(f"See both sides of {plain(name)}", key=key):
        opened.go(record.entity, row_of(record), name)


def try_again(entity: str, records: tuple[RecordStatus, ...], label: str) -> None:
    only = {entity: frozenset(record.id for record in records)}
    resync.show(actions.preview(Scope(only=only), label))


def needing(found: Desk, chosen: str) -> None:
    """The groups of one status or of all, of one kind of record or of all."""
    kinds = [kind for kind in KINDS if chosen in ("", kind)]
    records = [record for kind in kinds for record in found.open[kind]]
    present = {record.entity for record in records}
    labels = {name: flow.label for name, flow in flows.items() if name in present}
    if len(labels) > 1:
        entity = segments("Kind", "kind", {"": "All kinds", **labels})
        records = [record for record in records if entity in ("", record.entity)]
    known = risks(records)
    made = grouped(records, known)
    if not made:
        st.text("Nothing needs a person." if not chosen else "Nothing stands like that.")
        return
    money = at_risk(records, known).words
    st.text(
        f"{count(len(records), 'record needs', 'records need')} a person, for {count(len(made), 'cause')}"
        f"{f': {money} at risk, the most money first' if money else ''}."
    )
    if found.more:
        st.text("There are more; only the first thousands were looked at.")
    if len({group.entity for group in made}) == 1 and len(made) > 1:
        entity, number = made[0].entity, len(records)
        ids = [row_id for group in made for row_id in group.row_ids]
        if st.toggle(f"Work on all {number:,} {called(entity, number)}", key=f"all_{chosen}_{entity}"):
            casework.acts_or_why_not(entity, service().rows_among(entity, ids), f"all_{chosen}_{entity}")
    for each in made:
        draw(each, known)


st.title("Problems")
found = desk()
if nothing_read() and not any(found.counts.values()):
    never_synced()
else:
    tabs = {"": f"Needs a person {sum(found.counts.values()):,}"}
    tabs |= {str(kind): f"{STATUS_WORDS[kind]} {found.counts[kind]:,}" for kind in KINDS}
    tabs |= {ASIDE: f"○ set aside {len(found.aside):,}", SOLVED: f"● solved today {len(found.solved) + len(found.done):,}"}
    tabs[str(Status.BLOCKED)] = f"■ blocked, waiting {found.counts[Status.BLOCKED]:,}"
    chosen = segments("Show", "show", tabs)
    if chosen == ASIDE:
        problem_lists.aside(found.aside)
    elif chosen == SOLVED:
        problem_lists.solved(found.solved, found.done)
    else:
        needing(found, chosen)
    st.caption(f"Times are in {plain(zone_name(zone))}.")
