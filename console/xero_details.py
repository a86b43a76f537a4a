"""The Xero details section of a record, as Dynamics shows it too (R20)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from console.door import service
from console.frame import reader_zone
from console.texts import STATUS_WORDS, XERO_TYPES, listed, plain, when, zone_name
from console.widgets import left, table
from sync_core.model import RecordStatus


def draw(
    entity: str, row: Mapping[str, object], statuses: Sequence[RecordStatus], more: Mapping[str, str] | None = None
) -> None:
    """``row`` names both records by ``crm_id`` and ``xero_id``; ``more`` stands after what Xero itself calls the record."""
    crm_id, xero_id = (str(row[name]) if row[name] else None for name in ("crm_id", "xero_id"))
    found, zone = service().xero_details(entity, crm_id, xero_id), reader_zone()
    standing = found.standing
    lines = {
        "In Xero as": found.number if found.xero_id else "not in Xero yet",
        "Type": XERO_TYPES.get(found.type, found.type.lower()),
        "Status in Xero": found.state.lower(),
        **(more or {}),
        "Sync status": STATUS_WORDS[standing.status] if standing else "not looked at yet",
        "Last synced": when(standing.last_synced, zone) if standing else "never",
        "Last attempt": when(standing.last_attempt, zone) if standing else "never",
        "Xero id": found.xero_id,
        "Dynamics id": found.crm_id or "not in Dynamics",
    }
    st.markdown("**Xero details**")
    _remarks(statuses)
    rows = ({"what": what, "value": value} for what, value in lines.items() if value)
    table(rows, {"what": left("Detail", width=120), "value": left("Value", width=300)}, "Xero details of this record")
    st.caption(f"Times are in {plain(zone_name(zone))}.")


def _remarks(statuses: Sequence[RecordStatus]) -> None:
    """What the last sync said of either record, once where both say the same; the raw answer behind a fold (R14)."""
    said: dict[str, list[str]] = {}
    for status in statuses:
        said.setdefault(status.remark, []).append(status.side.label)
    for remark, sides in said.items():
        st.text(f"{listed(sides)}: {remark}" if len(said) > 1 else remark)
    for status in statuses:
        if status.detail:
            with st.expander(f"Raw answer of {status.side.label}"):
                st.text(status.detail)
