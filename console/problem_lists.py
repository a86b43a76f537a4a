"""What needs nobody any more: rows that people set aside, and those that were solved since the day began."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from console import casework
from console.frame import reader_zone
from console.problems import MOST, titles
from console.texts import amount, count, day, lower_first, when
from console.widgets import Column, left, pick_some, right, selection_key, table
from sync_core.model import Side
from sync_core.service import Case, Movement, data_flows


def aside(cases: Sequence[Case]) -> None:
    """Every row that is set aside now; the selected ones can be opened again."""
    if not cases:
        st.text("Nothing is set aside.")
        return
    more = f" The latest {MOST:,} are shown." if len(cases) > MOST else ""
    st.text(f"{count(len(cases), 'row is', 'rows are')} set aside. Each opens by itself when either side changes.{more}")
    cases = cases[:MOST]
    columns: dict[str, Column] = {
        "kind": left("Kind", width=110),
        "record": left("Record", width=170),
        "until": left("Until", width=110),
        "who": left("Set aside by", width=130),
        "at": left("When", width=124),
        "reason": left("Reason", width=400),
    }
    rows, ids = _lines(cases), [f"{case.entity}|{case.row_id}" for case in cases]
    picked = pick_some("aside", rows, columns, ids, "Rows that are set aside")
    by_entity: dict[str, list[str]] = {}
    for each in picked:
        entity, _, row = each.partition("|")
        by_entity.setdefault(entity, []).append(row)
    for entity, some in by_entity.items():
        held = next(case for case in cases if case.row_id == some[0]) if len(some) == 1 else None
        casework.acts(entity, some, f"{entity}_{selection_key('aside', some)}", held)
    if not by_entity:
        st.caption("Select rows to open them again.")


def _lines(cases: Sequence[Case]) -> list[dict[str, str]]:
    zone, labels = reader_zone(), {flow.entity: flow.label for flow in data_flows()}
    named = _named(cases)
    return [
        {
            "kind": labels.get(case.entity, case.entity),
            "record": named.get(case.row_id, case.row_id),
            "until": day(case.expires) or "for good",
            "who": case.changed_by,
            "at": when(case.changed_at, zone),
            "reason": case.reason,
        }
        for case in cases
    ]


def _named(cases: Sequence[Case]) -> dict[str, str]:
    """What people call the rows, by row id."""
    named: dict[str, str] = {}
    for entity in {case.entity for case in cases}:
        keys = [case.key for case in cases if case.entity == entity]
        sides = [(Side.CRM, key.crm_id) if key.crm_id else (Side.XERO, str(key.xero_id)) for key in keys]
        found = titles(entity, sides)
        named |= {key.row_id: found[row_id] for key, (_, row_id) in zip(keys, sides, strict=True) if row_id in found}
    return named


def solved(movements: Sequence[Movement], done: Sequence[Case]) -> None:
    """Differences that are gone since the day began, and rows whose work people called done."""
    if not movements and not done:
        st.text("Nothing was solved today yet.")
        return
    labels = {flow.entity: flow.label for flow in data_flows()}
    gone = [
        {
            "kind": labels.get(each.difference.entity, each.difference.entity),
            "number": each.difference.number,
            "contact": each.difference.contact,
            "before": lower_first(each.before.words or each.before.status) if each.before else "",
            "difference": amount(each.difference.difference, each.difference.currency),
            "currency": each.difference.currency,
        }
        for each in movements
    ]
    if gone:
        st.markdown(f"**Ties out now**, {count(len(gone), 'difference')}")
        columns: dict[str, Column] = {
            "kind": left("Kind", width=110),
            "number": left("Number", width=110),
            "contact": left("Contact", width=210),
            "before": left("What it was", width=380),
            "difference": right("Difference", width=110),
            "currency": left("Cur.", width=50),
        }
        table(gone, columns, "Differences that were solved today")
    if done:
        st.markdown(f"**Called done**, {count(len(done), 'row')}")
        columns = {
            "kind": left("Kind", width=110),
            "record": left("Record", width=170),
            "who": left("By", width=130),
            "at": left("When", width=124),
            "reason": left("What was done", width=450),
        }
        table(_lines(done), columns, "Rows whose work was called done today")
