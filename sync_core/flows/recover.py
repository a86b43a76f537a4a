"""What an earlier run left open: intents without an outcome. Nothing is sent again before it was looked up (I1, I9)."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from sync_core.flows.arrivals import LINKED_OTHERWISE, NEVER_ARRIVED, NOT_SENT, SEVERAL, find_arrived, may_still_arrive
from sync_core.flows.half_written import lines_sent, take_for_agreed
from sync_core.flows.linking import LINKS_LOADED, links_follow
from sync_core.flows.workspace import Workspace
from sync_core.model import Intent, IntentStatus, Link, RecordStatus, Side, Status, Verb
from sync_core.rules import remarks
from sync_core.rules.entities import entity
from sync_core.store import records
from sync_core.store.intents import Settlement
from sync_core.store.leases import Lease

log = structlog.get_logger(__name__)


def recover(workspace: Workspace, run: str, lease: Lease) -> int:
    """Settle every open intent of earlier runs; returns how many had arrived. Call it before anything is planned."""
    state = workspace.state
    state.sending_to_unknown()
    waiting = state.unsettled()
    never_sent = [i for i in waiting if i.status is IntentStatus.PLANNED]
    state.settle([(i.id, IntentStatus.REJECTED, None, f"{NOT_SENT}the run ended first") for i in never_sent], lease=lease)
    unknown = [i for i in waiting if i.status is IntentStatus.UNKNOWN]
    return sum(_settle(workspace, name, waiting, run, lease) for name in sorted({i.entity for i in unknown}))


def _settle(workspace: Workspace, name: str, waiting: list[Intent], run: str, lease: Lease) -> int:
    some = [i for i in waiting if i.entity == name and i.status is IntentStatus.UNKNOWN]
    arrivals, answered = find_arrived(workspace, entity(name), some, run), _answered(workspace, name, some)
    found, unclear = {**arrivals.found, **answered}, arrivals.unclear - answered.keys()
    log.info("looked up writes without an answer", entity=name, asked=len(some), arrived=len(found), run=run)
    made = {i.id: _link(workspace, i, found[i.id]) for i in some if i.id in found and i.verb is Verb.CREATE}
    overtaken = _linked_otherwise(workspace, name, made)
    if overtaken:
        workspace.cache.set_fact(LINKS_LOADED, "")  # what made them may have told the cache of links that do not hold
    made = {i: link for i, link in made.items() if i not in overtaken}
    statuses = [_status(workspace, i, made[i.id], run) for i in some if i.id in made] + _unsaid(workspace, name, some, run)
    now, declared = workspace.clock.now(), entity(name)
    taken = [i for i in some if i.id in found and i.id not in overtaken]
    outcomes: list[Settlement] = [(i.id, IntentStatus.ADOPTED, found[i.id], "") for i in taken]
    outcomes += [(i, IntentStatus.NEEDS_REVIEW, None, SEVERAL) for i in sorted(unclear)]
    outcomes += [(i, IntentStatus.NEEDS_REVIEW, found[i], LINKED_OTHERWISE) for i in sorted(overtaken)]
    missing = [i for i in some if i.id not in found and i.id not in unclear]
    outcomes += [(i.id, IntentStatus.REJECTED, None, NEVER_ARRIVED) for i in missing if not may_still_arrive(declared, i, now)]
    links = list(made.values())
    records.set_partners(workspace.cache, links)
    with links_follow(workspace):
        workspace.state.settle(outcomes, links, statuses, lease)
    take_for_agreed(workspace, declared, lines_sent(declared, (i for i in waiting if i.entity == name)), run)
    return len(found)


def _answered(workspace: Workspace, name: str, some: list[Intent]) -> dict[str, str]:
    """By intent the record that Xero answered with, where the run ended between the cache, which has the pair, and the state.

    It is this one, whatever became of it since: somebody may have voided it, and then no living record holds its tag.
    """
    sent = {i.crm_id: i.id for i in some if i.verb is Verb.CREATE and i.side is Side.XERO and i.crm_id}
    linked = workspace.state.links(name, Side.CRM, sorted(sent))
    pairs = records.partners(workspace.cache, name, Side.CRM, sent)
    return {sent[crm]: xero for crm, xero in pairs.items() if crm not in linked}


def _unsaid(workspace: Workspace, name: str, some: list[Intent], run: str) -> list[RecordStatus]:
    """A word for pairs that were changed for the first time by a run which could not say so: where both sides agree by now,
    nothing would be decided about them any more. What is still to be done overrides it.
    """
    ids = {i.crm_id for i in some if i.verb is Verb.UPDATE and i.crm_id and i.xero_id}
    known = workspace.state.statuses(name, Side.CRM, sorted(ids))
    remark, now = remarks.in_step(entity(name), ""), workspace.clock.now()
    return [RecordStatus(name, Side.CRM, i, Status.SUCCESS, "", remark, now, now, run) for i in sorted(ids) if i not in known]


def _status(workspace: Workspace, intent: Intent, link: Link, run: str) -> RecordStatus:
    """How a record stands that was made by a run which could not say so any more."""
    declared, now = entity(intent.entity), workspace.clock.now()
    row = records.records(workspace.cache, intent.entity, Side.CRM, [link.crm_id]).get(link.crm_id)
    remark = remarks.created(declared, intent.side, row["title"] if row else None)
    return RecordStatus(intent.entity, Side.CRM, link.crm_id, Status.SUCCESS, "", remark, now, now, run)


def _link(workspace: Workspace, intent: Intent, remote_id: str) -> Link:
    crm = remote_id if intent.side is Side.CRM else intent.crm_id
    xero = remote_id if intent.side is Side.XERO else intent.xero_id
    return Link(intent.entity, crm or "", xero or "", "its tag, after a lost answer", workspace.clock.now())


def _linked_otherwise(workspace: Workspace, name: str, made: Mapping[str, Link]) -> frozenset[str]:
    """Intents whose record, or what they made of it, was linked with another one meanwhile, by a person perhaps.

    Their links stay as they are: what was made stands alone, and is shown as a record that the other side does not have.
    """
    state, links = workspace.state, made.values()
    crm = state.links(name, Side.CRM, [link.crm_id for link in links])
    xero = state.links(name, Side.XERO, [link.xero_id for link in links])

    def parted(link: Link) -> bool:
        there = {k for k in (crm.get(link.crm_id), xero.get(link.xero_id)) if k is not None}
        return any((known.crm_id, known.xero_id) != (link.crm_id, link.xero_id) for known in there)

    return frozenset(intent for intent, link in made.items() if parted(link))
