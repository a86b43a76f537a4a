"""Merged records: the link follows the survivor, where the survivor has none of its own. Nothing is archived by itself."""

from __future__ import annotations

from uuid import uuid4

import structlog

from sync_core.flows.linking import changing_links
from sync_core.flows.pull import refresh
from sync_core.flows.workspace import Workspace
from sync_core.model import Link, Side, Verb
from sync_core.rules.declaration import Entity
from sync_core.rules.entities import entity
from sync_core.rules.paths import pick
from sync_core.store import records, rows
from sync_core.store.leases import Lease
from sync_core.systems.base import Write

SURVIVOR = {Side.CRM: "_masterid_value", Side.XERO: "MergedToContactID"}
"""Where each system names the record that a merged one went into."""
log = structlog.get_logger(__name__)


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


def let_go(workspace: Workspace, of: Entity, run: str, lease: Lease) -> Lease:
    """Have merged Dynamics records name no Xero record that went to their survivors: two rows cannot hold one id.

    The same write twice does no harm, so no intent goes before it. Where Dynamics does not take it, the survivor's own write is
    refused and says so. Returns the lease, renewed.
    """
    holders = records.merged_holders(workspace.cache, of.name)
    for table, row_id, version in holders:
        lease = workspace.state.renew(lease)
        stream = of.stream_of(Side.CRM, table)
        write = Write(stream, Verb.UPDATE, {stream.tag: None}, str(uuid4()), row_id, version)
        (receipt,) = workspace.systems[Side.CRM].write([write])
        if receipt.native is None:
            reason = receipt.error.message if receipt.error else ""
            log.warning("a merged record keeps its Xero id", id=row_id, reason=reason, run=run)
            continue
        workspace.step("merged record let go")
        with workspace.cache.transaction() as transaction:
            rows.keep_rows(transaction, stream, [receipt.native], run)
    if holders:
        refresh(workspace, of, run)
    return lease
