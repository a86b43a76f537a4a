"""Decisions of one kind made into jobs: bodies and intents, ready to be sent; a batch costs a handful of questions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from sync_core.errors import Rejected, Stale
from sync_core.flows.around import carried
from sync_core.flows.bodies import BodyMaker, twin_id
from sync_core.flows.decide import reading, record_from
from sync_core.flows.partners import Partners, references
from sync_core.flows.workspace import Workspace
from sync_core.model import Intent, IntentStatus, Native, Record, Side, Verb
from sync_core.rules.declaration import Entity, Stream
from sync_core.rules.entities import carried_by
from sync_core.rules.mapping import content_hash, loads
from sync_core.rules.plan import Decision
from sync_core.store import records, rows
from sync_core.store.leases import Lease
from sync_core.systems.base import Write

Found = dict[str, tuple[Record, str | None, str]]
"""Records by id, each with its agreed image and its hash."""


@dataclass(frozen=True, slots=True)
class Job:
    """One element on its way: what was decided, where it goes, and the body that carries it.

    ``before``: both sides' agreed images, as the cache keeps them.
    """

    decision: Decision
    source: Record
    target: Record | None
    stream: Stream
    verb: Verb
    body: Native
    intent: Intent
    before: Mapping[Side, str]

    @property
    def side(self) -> Side:
        return self.stream.side

    @property
    def target_id(self) -> str | None:
        return self.intent.crm_id if self.side is Side.CRM else self.intent.xero_id

    def write(self) -> Write:
        version = self.target.version if self.target is not None and self.side is Side.CRM else None
        if self.parent_id is not None:
            inner = {name: value for name, value in self.body.items() if name != self.stream.parent_key}
            return Write(self.stream, self.verb, inner, self.intent.key, self.parent_id)
        return Write(self.stream, self.verb, self.body, self.intent.key, self.target_id, version)

    @property
    def parent_id(self) -> str | None:
        """The record that a new one is made inside of, None for one that stands by itself."""
        inside = self.stream.within and self.verb is Verb.CREATE
        return str(self.body[self.stream.parent_key]) if inside else None


class JobMaker:
    """Makes the jobs of one entity in one round."""

    def __init__(self, workspace: Workspace, entity: Entity, run: str, lease: Lease, partners: Partners) -> None:
        self._workspace, self._entity, self._run, self._lease = workspace, entity, run, lease
        self._partners = partners
        self._tables: dict[tuple[Side, str, str], str] = {}
        self._rows: dict[str, Native] = {}
        around = workspace.surroundings
        self._bodies = BodyMaker(entity, around.context, around.books, partners.of, self._table_of)

    def make(self, stream: Stream, verb: Verb, decisions: Sequence[Decision]) -> list[Job | tuple[Decision, Rejected]]:
        """One job per decision, in order, or the decision with why it cannot be sent.

        Stale: either side moved after it was decided on. (A new record is made from what stands there now.)
        """
        found = {side: self._found(side, decisions) for side in Side}
        self._partners.meet(self._entity, stream.side.other, (r for r, _, _ in found[stream.side.other].values()))
        if stream.side is Side.CRM:
            self._fetch_tables([r for r, _, _ in found[Side.XERO].values()])
        ids = [d.xero_id for d in decisions if d.xero_id] if stream.side is Side.XERO and verb is Verb.UPDATE else []
        self._rows = {i: row for i, (row, _, _) in rows.native_rows(self._workspace.cache, stream, ids).items()}
        return [self._made(stream, verb, d, found) for d in decisions]

    def _found(self, side: Side, decisions: Sequence[Decision]) -> Found:
        """Records as they stand now, each with its agreed image."""
        ids = [i for d in decisions if (i := id_on(d, side)) is not None]
        some = records.with_images(self._workspace.cache, self._entity.name, side, ids)
        return {i: (record_from(self._entity, side, i, row), row["agreed"], row["hash"]) for i, row in some.items()}

    def _made(
        self, stream: Stream, verb: Verb, decision: Decision, found: Mapping[Side, Found]
    ) -> Job | tuple[Decision, Rejected]:
        both = {s: found[s][i] for s in Side if (i := id_on(decision, s)) is not None and i in found[s]}
        pair = {side: record for side, (record, _, _) in both.items()}
        before = {side: agreed for side, (_, agreed, _) in both.items() if agreed}
        if verb is Verb.UPDATE and _moved_since(decision, stream.side, both):
            return decision, Stale("The record moved since it was decided on.")
        try:
            body = self._body(stream, verb, decision, pair, before)
        except Rejected as error:
            return decision, error
        intent = self._intent(stream, verb, decision, pair[stream.side.other], body)
        return Job(decision, pair[stream.side.other], pair.get(stream.side), stream, verb, body, intent, before)

    def _body(
        self, stream: Stream, verb: Verb, decision: Decision, pair: Mapping[Side, Record], before: Mapping[Side, str]
    ) -> Native:
        if verb is Verb.CREATE:
            source = pair[stream.side.other]
            body = self._bodies.create(source, stream.side, stream.table)
            return body | self._carried(source) if stream.side is Side.XERO else body
        target = pair[stream.side]
        text = before.get(stream.side.other)
        agreed = loads(self._entity, text) if text else {}
        body = self._bodies.update(target, decision.changes[stream.side], self._rows.get(target.id, {}), agreed)
        return {stream.key: target.id, **body} if stream.side is Side.XERO else body

    def _carried(self, source: Record) -> Native:
        """The records that go to Xero inside this one, under the array that holds them there."""
        found: Native = {}
        cache, around = self._workspace.cache, self._workspace.surroundings
        for child in carried_by(self._entity.name):
            bodies = BodyMaker(child, around.context, around.books, self._partners.of, self._table_of)
            some = carried(cache, reading(cache), self._entity, [source.id]).get(source.id, [])
            own = [r for r in some if r.entity == child.name]
            found[child.xero[0].within] = [bodies.create(r, Side.XERO, child.xero[0].table) for r in own]
        return found

    def _intent(self, stream: Stream, verb: Verb, decision: Decision, source: Record, body: Native) -> Intent:
        crm_id, xero_id = decision.crm_id, decision.xero_id
        if verb is Verb.CREATE and stream.side is Side.CRM:
            crm_id = decision.crm_id or twin_id(self._workspace.organisation, self._entity.name, source.id)
        return Intent(
            id=str(uuid4()),
            run=self._run,
            fence=self._lease.fence,
            entity=self._entity.name,
            side=stream.side,
            table=stream.table,
            verb=verb,
            crm_id=crm_id,
            xero_id=xero_id,
            tag=tag_of(self._entity, source) if verb is Verb.CREATE else str(id_on(decision, stream.side)),
            key=str(uuid4()),
            body_hash=content_hash(body),
            attempt=1,
            status=IntentStatus.PLANNED,
            planned_at=self._workspace.clock.now(),
        )

    def _fetch_tables(self, some: Iterable[Record]) -> None:
        """The tables of everything that these Xero records refer to, in one question per entity."""
        for name, ids in references(self._entity, some).items():
            partners = {p for i in ids if (p := self._partners.of(Side.XERO, name, i)) is not None}
            found = records.tables_of(self._workspace.cache, name, Side.CRM, partners, standing=True)
            self._tables.update({(Side.CRM, name, i): table for i, table in found.items()})

    def _table_of(self, side: Side, entity: str, row_id: str) -> str:
        key = side, entity, row_id
        if key not in self._tables:
            found = records.tables_of(self._workspace.cache, entity, side, [row_id], standing=True)
            self._tables |= {(side, entity, i): table for i, table in found.items()}
        return self._tables.get(key, "")


def id_on(decision: Decision, side: Side) -> str | None:
    return decision.crm_id if side is Side.CRM else decision.xero_id


def _moved_since(decision: Decision, side: Side, both: Mapping[Side, tuple[Record, str | None, str]]) -> bool:
    """Whether a change to ``side`` was decided on other records than now stand there.

    What is written on both sides was moved by the first write itself: then what is carried must still stand at its source.
    """
    if not decision.seen:
        return False
    if len(decision.writes) == 1:
        return any(digest != decision.seen[s] for s, (_, _, digest) in both.items())
    source = both[side.other][0].fields
    carried = decision.changes[side].items()
    return both[side][2] != decision.seen[side] or any(source.get(name) != value for name, value in carried)


def tag_of(entity: Entity, source: Record) -> str:
    """What a new record can be found again by on the other side."""
    field = entity.tag if source.side is Side.CRM else ""
    return str(source.fields.get(field) or source.id)
