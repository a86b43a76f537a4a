"""Which writes without an answer reached their system after all: looked up before anything is sent again (I1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
SEVERAL = "several records hold its tag"
LINKED_OTHERWISE = "its record is linked with another one"


def was_refused(earlier: Intent) -> bool:
    """Whether a write that came to nothing was turned down as such, so that the same one would be again."""
    return not earlier.reason.startswith((NOT_SENT, NEVER_ARRIVED))


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What a look-up found: by intent id the record that its write made, and the intents that several records could be of."""

    found: Mapping[str, str] = field(default_factory=dict)
    unclear: frozenset[str] = frozenset()


def find_arrived(workspace: Workspace, entity: Entity, intents: Sequence[Intent], run: str) -> Arrivals:
    """Pulls what changed and looks for the tag of each create.

    An update is not looked for: the pull brings what stands there now, and comparing again decides whether it is due still.
    Several hits are several claims: none is taken for the answer, and matching keeps the record from being sent again until
    a person has linked the right one. A single hit is taken; it has no agreed image, so that compare overwrites nothing in
    it and parks what differs (contact, date, amounts) for a person.
    """
    asked = {(i.side, i.table) for i in intents}
    # Members of groups are in no list of changes; whoever writes them reads the group again first.
    for stream in (*entity.crm, *entity.children, *entity.xero):
        if (stream.side, stream.table) in asked:
            pull_stream(workspace, carrier(stream), run)
    refresh(workspace, entity, run)
    creates = [i for i in intents if i.verb is Verb.CREATE]
    made = [i for i in creates if i.side is Side.CRM]
    there = records.names(workspace.cache, entity.name, Side.CRM, [i.crm_id or "" for i in made])
    own = {i.id: i.crm_id or "" for i in made if i.crm_id in there}
    sent = [i for i in creates if i.side is Side.XERO]
    there_now = _by_tag(workspace, entity, sent) if entity.tag else _by_likeness(workspace, entity, sent)
    return replace(there_now, found={**own, **there_now.found})


def _by_tag(workspace: Workspace, entity: Entity, intents: Sequence[Intent]) -> Arrivals:
    hits = records.with_values(workspace.cache, entity.name, Side.XERO, entity.tag, [i.tag for i in intents])
    # What another record is linked to with the same tag is not what this one made: two invoices may have one number.
    taken = records.partners(workspace.cache, entity.name, Side.XERO, {hit for some in hits.values() for hit in some})
    free = {i.id: [h for h in hits.get(i.tag, ()) if taken.get(h) in (None, i.crm_id)] for i in intents}
    unclear = frozenset(intent for intent, some in free.items() if len(some) > 1)
    return Arrivals({intent: some[0] for intent, some in free.items() if len(some) == 1}, unclear)


def _by_likeness(workspace: Workspace, entity: Entity, intents: Sequence[Intent]) -> Arrivals:
    alike = _alike(workspace, entity) if intents else {}
    return Arrivals({i.id: alike[i.crm_id or ""] for i in intents if (i.crm_id or "") in alike})


def may_still_arrive(entity: Entity, intent: Intent, now: datetime) -> bool:
    """Whether a create without an answer may turn up yet where nothing would refuse a second one: it is not sent again."""
    if intent.verb is not Verb.CREATE or intent.side is not Side.XERO or intent.first_sent_at is None:
        return False
    return entity.stream_of(intent.side, intent.table).unguarded and now < intent.first_sent_at + ARRIVES_WITHIN


def _alike(workspace: Workspace, entity: Entity) -> dict[str, str]:
    def partner(side: Side, name: str, row_id: str) -> str | None:
        return records.partners(workspace.cache, name, side, [row_id]).get(row_id)

    return dict(alike_pairs(workspace.cache, reading(workspace.cache), entity, partner))
