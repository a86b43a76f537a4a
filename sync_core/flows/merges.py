"""Merged records: the link follows the survivor, where the survivor has none of its own. Nothing is archived by itself."""

from __future__ import annotations

from sync_core.flows.linking import changing_links
from sync_core.flows.workspace import Workspace
from sync_core.model import Link, Side
from sync_core.rules.declaration import Entity
from sync_core.rules.entities import entity
from sync_core.rules.paths import pick
from sync_core.store import records, rows

SURVIVOR = {Side.CRM: "_masterid_value", Side.XERO: "MergedToContactID"}
"""Where each system names the record that a merged one went into."""


def follow_survivors(workspace: Workspace) -> int:
    """Move the links of merged records to their survivors; returns how many moved."""
    losers = records.merged(workspace.cache)
    return sum(_follow(workspace, entity(name), side, loser, partner) for name, side, loser, partner in losers)


def _follow(workspace: Workspace, of: Entity, side: Side, loser: str, partner: str) -> bool:
    table = records.tables_of(workspace.cache, of.name, side, [loser])[loser]
    native = rows.native_rows(workspace.cache, of.stream_of(side, table), [loser])[loser][0]
    value = pick(native, SURVIVOR[side])
    survivor = str(value).lower() if side is Side.CRM else str(value)
    standing = records.records(workspace.cache, of.name, side, [survivor]).get(survivor)
    if standing is None or standing["gone"] or standing["partner"] is not None:
        return False
    old = (loser, partner) if side is Side.CRM else (partner, loser)
    new = (survivor, partner) if side is Side.CRM else (partner, survivor)
    now = workspace.clock.now()
    link = Link(of.name, *new, "following a merge", now)
    subject = f"{of.name}:{partner}"
    with changing_links(workspace):
        with workspace.state.together():
            workspace.state.remove_link(of.name, *old)
            workspace.state.add_links([link])
            workspace.state.append_audit("Tieout", "follow merge", subject, {"link": old}, {"link": new}, now)
        workspace.step("merge followed")
        records.clear_partner(workspace.cache, of.name, side, loser, now)
        records.set_partners(workspace.cache, [link])
    return True
