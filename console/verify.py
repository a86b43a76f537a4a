"""Verify records: both systems are read again, live, and compared field by field."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import tzinfo

import streamlit as st

from console import actions
from console.door import service
from console.frame import reader_zone
from console.permitted import held
from console.texts import count, listed, plain, when, zone_name
from console.widgets import left, table
from sync_core.model import Side, Verification
from sync_core.service import Service


def button(entity: str, row_id: str, ids: Collection[str]) -> None:
    _button("Verify", "this record", f"{entity}_verify_{row_id}", (entity, ids, _key(entity, row_id)))


def these(entity: str, row_ids: Sequence[str], key: str) -> None:
    """The button for rows that are selected together."""
    ids = [row_id.partition(":")[2] for row_id in row_ids]
    _button("Verify these", "these records", f"verify_{key}", (entity, ids, _key(entity, key)))


def _button(label: str, what: str, key: str, args: tuple[str, Collection[str], str]) -> None:
    st.button(
        label,
        key=key,
        **held(
            Service.verify,
            help=f"Reads {what} in both systems now and compares every field. Nothing is written.",
            disabled=service().running is not None,
        ),
        on_click=actions.verify,
        args=args,
    )


def result(entity: str, row_id: str) -> None:
    """What the last verification in this session found, else in one line what the last one of all did; or nothing."""
    kept, zone = st.session_state.get(_key(entity, row_id)), reader_zone()
    if kept is None:
        _before(entity, row_id, zone)
        return
    at, found = kept
    read = f"Read in both systems {when(at, zone)} {zone_name(zone)}"
    for one in found:
        if one.missing:
            st.warning(f"{read}: it is not there any more in {one.missing}.")
        elif one.differences:
            st.warning(f"{read}: these fields differ.")
            rows = ({"field": d.field, "crm": d.crm, "xero": d.xero} for d in one.differences)
            columns = {"field": left("Field", width="medium"), "crm": left("Dynamics"), "xero": left("Xero")}
            table(rows, columns, "Fields that differ in the systems now")
        else:
            st.success(f"{read}: every field is the same. Fingerprint {one.hash[:12]}.")
    if not found:
        st.info("These two records are not linked, so there is nothing to compare.")


def _before(entity: str, row_id: str, zone: tzinfo) -> None:
    side, _, own = row_id.partition(":")
    last = service().last_verification(entity, Side(side), own)
    if last is None:
        return
    if last.missing:
        found = f"it was not there any more in {last.missing}"
    elif last.differences:
        found = f"{listed([d.field for d in last.differences])} differed"
    else:
        found = f"every field was the same, fingerprint {last.hash[:12]}"
    st.caption(plain(f"Last verified {when(last.at, zone)}: {found}."))


def of_these(entity: str, key: str) -> None:
    """What the last verification of these rows in this session found: how many agree, and field by field what differs."""
    kept = st.session_state.get(_key(entity, key))
    if kept is None:
        return
    at, found = kept
    zone = reader_zone()
    wrong = [one for one in found if not one.agrees]
    said = f"{count(len(found), 'pair')} read in both systems {when(at, zone)} {zone_name(zone)}"
    if not found:
        st.info("None of these is a linked pair, so there is nothing to compare.")
    elif not wrong:
        st.success(f"{said}: every field is the same.")
    else:
        st.warning(f"{said}: {count(len(wrong), 'pair differs', 'pairs differ')}.")
        columns = {"title": left("Record", width=140), "field": left("Field", width=160)}
        columns |= {"crm": left("Dynamics", width=280), "xero": left("Xero", width=280)}
        table(_differing(wrong), columns, "Fields that differ in the systems now", name=key)


def _differing(wrong: Sequence[Verification]) -> Iterator[dict[str, str]]:
    for one in wrong:
        if one.missing:
            yield {"title": one.title, "field": f"not there any more in {one.missing}"}
        for each in one.differences:
            yield {"title": one.title, "field": each.field, "crm": each.crm, "xero": each.xero}


def _key(entity: str, row_id: str) -> str:
    return f"verified {entity} {row_id}"
