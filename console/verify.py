"""Verify one record: both systems are read again, live, and compared field by field."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from console import actions
from console.door import service
from console.frame import reader_zone
from console.permitted import held
from console.texts import when, zone_name
from console.widgets import left, table
from sync_core.service import Service


def button(entity: str, row_id: str, ids: Collection[str]) -> None:
    st.button(
        "Verify",
        key=f"{entity}_verify_{row_id}",
        **held(
            Service.verify,
            help="Reads this record in both systems now and compares every field. Nothing is written.",
            disabled=service().running is not None,
        ),
        on_click=actions.verify,
        args=(entity, ids, _key(entity, row_id)),
    )


def result(entity: str, row_id: str) -> None:
    """What the last verification in this session found, nothing when there was none."""
    kept = st.session_state.get(_key(entity, row_id))
    if kept is None:
        return
    at, found = kept
    zone = reader_zone()
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


def _key(entity: str, row_id: str) -> str:
    return f"verified {entity} {row_id}"
