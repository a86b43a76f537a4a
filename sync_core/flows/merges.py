"""Merged records: the link follows the survivor, where the survivor has none of its own. Nothing is archived by itself."""

from __future__ import annotations

from sync_core.flows.linking import changing_links
from sync_core.flows.workspace import Workspace
from sync_core.model import Link, Side
from sync_core.rules.declaration import Entity
from sync_core.rules.paths import pick
from sync_core.store import records, rows

SURVIVOR = {Side.CRM: "_masterid_value", Side.XERO: "MergedToContactID"}
"""Where each system names the record that a merged one went into."""


def follow_survivors(workspace: Workspace, entity: Entity) -> int:
    """Move the links of merged records to their survivors; returns how many moved."""
    moved = 0
    for side, gone in entity.gone:
        if gone.means == "merged":
            moved += sum(
                _follow(workspace, entity, side, loser, partner) for loser, partner in _losers(workspace, entity, side)
            )
    return moved


def _losers(workspace: Workspace, entity: Entity, side: Side) -> list[tuple[str, str]]:
    table = workspace.cache.query(
        "SELECT id, partner FROM record WHERE entity = ? AND side = ? AND gone = 'merged' AND partner IS NOT NULL ORDER BY id",
        entity.name,
        str(side),
    )
    return list(zip(table["id"].to_pylist(), table["partner"].to_pylist(), strict=True))


def _follow(workspace: Workspace, entity: Entity, side: Side, loser: str, partner: str) -> bool:
    table = records.tables_of(workspace.cache, entity.name, side, [loser])[loser]
    native = rows.native_rows(workspace.cache, entity.stream_of(side, table), [loser])[loser][0]
    value = pick(native, SURVIVOR[side])
    survivor = str(value).lower() if side is Side.CRM else str(value)
    standing = records.records(workspace.cache, entity.name, side, [survivor]).get(survivor)
    if standing is None or standing["gone"] or standing["partner"] is not None:
        return False
    old = (loser, partner) if side is Side.CRM else (partner, loser)
    new = (survivor, partner) if side is Side.CRM else (partner, survivor)
    now = workspace.clock.now()
    link = Link(entity.name, *new, "following a merge", now)
    subject = f"{entity.name}:{partner}"
    with changing_links(workspace):
        with workspace.state.together():
            workspace.state.remove_link(entity.name, *old)
            workspace.state.add_links([link])
            workspace.state.append_audit("Tieout", "follow merge", subject, {"link": old}, {"link": new}, now)
        workspace.step("merge followed")
        records.clear_partner(workspace.cache, entity.name, side, loser, now)
        records.set_partners(workspace.cache, [link])
    return True
