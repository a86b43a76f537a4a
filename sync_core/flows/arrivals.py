"""Which writes without an answer reached their system after all: looked up before anything is sent again (I1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    untagged = [i for i in intents if i.verb is Verb.CREATE and i.side is Side.XERO]
    alike = _alike(workspace, entity) if untagged else {}
    for intent in intents:
        row_id = _arrived(workspace, entity, intent, alike) if intent.verb is Verb.CREATE else None
        if row_id is not None:
            found[intent.id] = row_id
    return found


def may_still_arrive(entity: Entity, intent: Intent, now: datetime) -> bool:
    """Whether a create without an answer may turn up yet where nothing would refuse a second one: it is not sent again."""
    if intent.verb is not Verb.CREATE or intent.side is not Side.XERO or intent.first_sent_at is None:
        return False
    return entity.stream_of(intent.side, intent.table).unguarded and now < intent.first_sent_at + ARRIVES_WITHIN


def _alike(workspace: Workspace, entity: Entity) -> dict[str, str]:
    def partner(side: Side, name: str, row_id: str) -> str | None:
        return records.partners(workspace.cache, name, side, [row_id]).get(row_id)

    return dict(alike_pairs(workspace.cache, reading(workspace.cache), entity, partner))


def _arrived(workspace: Workspace, entity: Entity, intent: Intent, alike: Mapping[str, str]) -> str | None:
    if intent.side is Side.CRM:
        crm_id = intent.crm_id or ""
        return crm_id if records.records(workspace.cache, entity.name, Side.CRM, [crm_id]) else None
    if not entity.tag:
        return alike.get(intent.crm_id or "")
    hits = records.with_value(workspace.cache, entity.name, Side.XERO, entity.tag, intent.tag)
    # What another record is linked to with the same tag is not what this one made: two invoices may have one number.
    taken = records.partners(workspace.cache, entity.name, Side.XERO, hits)
    return hits[0] if len(hits) == 1 and taken.get(hits[0]) in (None, intent.crm_id) else None
