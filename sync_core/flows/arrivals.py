"""Which writes without an answer reached their system after all: looked up before anything is sent again (I1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sync_core.flows.around import ARRIVES_WITHIN, alike_pairs
from sync_core.flows.decide import reading
from sync_core.flows.pull import pull_stream, refresh
from sync_core.flows.workspace import Workspace
from sync_core.model import Intent, Side, Verb
from sync_core.rules.declaration import Entity
from sync_core.rules.entities import carrier
from sync_core.store import records

NOT_SENT = "not sent: "
NEVER_ARRIVED = "never arrived"


def find_arrived(workspace: Workspace, entity: Entity, intents: Sequence[Intent], run: str) -> dict[str, str]:
    """Intent id -> the record's id on its side. Pulls what changed and looks for the tag of each create.

    An update is not looked for: the pull brings what stands there now, and comparing again decides whether it is due still.
    """
    found: dict[str, str] = {}
    asked = {(i.side, i.table) for i in intents}
    # Members of groups are in no list of changes; whoever writes them reads the group again first.
    for stream in (*entity.crm, *entity.children, *entity.xero):
        if (stream.side, stream.table) in asked:
            pull_stream(workspace, carrier(stream), run)
    refresh(workspace, entity, run)
    creates = [i for i in intents if i.verb is Verb.CREATE]
    made = [i for i in creates if i.side is Side.CRM]
    there = records.names(workspace.cache, entity.name, Side.CRM, [i.crm_id or "" for i in made])
    found.update({i.id: i.crm_id or "" for i in made if i.crm_id in there})
    sent = [i for i in creates if i.side is Side.XERO]
    return found | (_by_tag(workspace, entity, sent) if entity.tag else _by_likeness(workspace, entity, sent))


def _by_tag(workspace: Workspace, entity: Entity, intents: Sequence[Intent]) -> dict[str, str]:
    """Several hits are several claims: none of them is taken for the answer."""
    hits = records.with_values(workspace.cache, entity.name, Side.XERO, entity.tag, [i.tag for i in intents])
    single = {i.id: hits[i.tag][0] for i in intents if len(hits.get(i.tag, ())) == 1}
    # What another record is linked to with the same tag is not what this one made: two invoices may have one number.
    taken = records.partners(workspace.cache, entity.name, Side.XERO, single.values())
    return {i.id: single[i.id] for i in intents if i.id in single and taken.get(single[i.id]) in (None, i.crm_id)}


def _by_likeness(workspace: Workspace, entity: Entity, intents: Sequence[Intent]) -> dict[str, str]:
    alike = _alike(workspace, entity) if intents else {}
    return {i.id: alike[i.crm_id or ""] for i in intents if (i.crm_id or "") in alike}


def may_still_arrive(entity: Entity, intent: Intent, now: datetime) -> bool:
    """Whether a create without an answer may turn up yet where nothing would refuse a second one: it is not sent again."""
    if intent.verb is not Verb.CREATE or intent.side is not Side.XERO or intent.first_sent_at is None:
        return False
    return entity.stream_of(intent.side, intent.table).unguarded and now < intent.first_sent_at + ARRIVES_WITHIN


def _alike(workspace: Workspace, entity: Entity) -> dict[str, str]:
    def partner(side: Side, name: str, row_id: str) -> str | None:
        return records.partners(workspace.cache, name, side, [row_id]).get(row_id)

    return dict(alike_pairs(workspace.cache, reading(workspace.cache), entity, partner))
