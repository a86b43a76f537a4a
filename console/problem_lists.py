"""What needs nobody any more: rows that people set aside, and those that were solved since the day began."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from console import casework, movements
from console.frame import reader_zone
from console.problems import MOST, titles
from console.texts import count, day, when
from console.widgets import Column, left, pick_some, table
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
    columns = _columns("Set aside by", "Reason", until=True)
    rows, ids = _lines(cases), [f"{case.entity}|{case.row_id}" for case in cases]
    picked = pick_some("aside", rows, columns, ids, "Rows that are set aside")
    casework.acts_on("aside", picked, dict(zip(ids, cases, strict=True)))
    if not picked:
        st.caption("Select rows to open them again.")


def _columns(who: str, reason: str, *, until: bool) -> dict[str, Column]:
    """What stands of a case in a list; ``who`` and ``reason`` are what those two are called there."""
    return {
        "kind": left("Kind", width=110),
        "record": left("Record", width=170),
        **({"until": left("Until", width=110)} if until else {}),
        "who": left(who, width=130),
        "at": left("When", width=124),
        "reason": left(reason, width=430),
    }


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


def solved(found: Sequence[Movement], done: Sequence[Case]) -> None:
    """Differences that are gone since the day began, and rows whose work people called done."""
    if not found and not done:
        st.text("Nothing was solved today yet.")
        return
    if found:
        st.markdown(f"**Ties out now**, {count(len(found), 'difference')}")
        movements.draw(found, movements.SOLVED, "Differences that were solved today")
    if done:
        st.markdown(f"**Called done**, {count(len(done), 'row')}")
        table(_lines(done), _columns("By", "What was done", until=False), "Rows whose work was called done today")
