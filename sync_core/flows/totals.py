"""Totals read back after a write: each system prices a document by its own arithmetic, so only both answers together tell."""

from __future__ import annotations

from collections.abc import Sequence

from sync_core.flows.workspace import Workspace
from sync_core.model import Side
from sync_core.rules import remarks
from sync_core.rules.declaration import Entity
from sync_core.store import records


def totals_apart(workspace: Workspace, entity: Entity, pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """By Dynamics id, what to add to the remark of a document whose totals differ. ``pairs``: (Dynamics id, Xero id)."""
    if not pairs or not entity.lines:
        return {}
    crm = records.records(workspace.cache, entity.name, Side.CRM, [c for c, _ in pairs])
    xero = records.records(workspace.cache, entity.name, Side.XERO, [x for _, x in pairs])
    held = {c: (crm[c]["total"], xero[x]["total"]) for c, x in pairs if c in crm and x in xero}
    known = {c: both for c, both in held.items() if None not in both}
    return {c: remarks.totals_apart(entity, here, there) for c, (here, there) in known.items() if here != there}
