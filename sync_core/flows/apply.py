"""Carry out decisions: intent, call, outcome, in batches of one kind. The only place that writes to a system.

Order of each batch (reliability.md section 2): intents committed, marked as sending under the lease, the call, then the
answered rows and new agreed images into the cache, then outcome, link and status into the state in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

import structlog

from sync_core.errors import Configure, Rejected, Retryable, Stale, TieoutError, Unknown
from sync_core.flows.bodies import BodyMaker, twin_id
from sync_core.flows.decide import Decider, record_from
from sync_core.flows.ledger import RunLedger
from sync_core.flows.pull import pull_stream, refresh
from sync_core.flows.surroundings import context_of
from sync_core.flows.workspace import Workspace
from sync_core.model import Intent, IntentStatus, Link, Native, Record, RecordStatus, Side, Verb
from sync_core.rules import remarks
from sync_core.rules.compare import blank, image
from sync_core.rules.declaration import Entity, Field, Stream
from sync_core.rules.eligibility import Books
from sync_core.rules.mapping import Fields, content_hash, dumps, loads
from sync_core.rules.plan import Decision
from sync_core.store import records, rows
from sync_core.store.leases import Lease
from sync_core.systems.base import Receipt, System, Write

NOT_SENT = "not sent: "
NEVER_ARRIVED = "never arrived"
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """One element on its way: what was decided, where it goes, and the body that carries it."""

    decision: Decision
    source: Record
    target: Record | None
    stream: Stream
    verb: Verb
    body: Native
    intent: Intent

    @property
    def side(self) -> Side:
        return self.stream.side

    def write(self) -> Write:
        row_id = self.intent.crm_id if self.side is Side.CRM else self.intent.xero_id
        version = self.target.version if self.target is not None and self.side is Side.CRM else None
        return Write(self.stream, self.verb, self.body, self.intent.key, row_id, version)


class Applier:
    """Applies decisions of a run. ``attempted`` are records that were tried and not taken; they wait for the next run."""

    def __init__(self, workspace: Workspace, run: str, lease: Lease, books: Books, decider: Decider, ledger: RunLedger) -> None:
        self._workspace = workspace
        self._cache, self._state = workspace.cache, workspace.state
        self._run, self._lease, self._books = run, lease, books
        self._decider, self._ledger = decider, ledger
        self.attempted: set[tuple[tuple[str, Side, str], Side]] = set()
        self._lost_once: set[tuple[tuple[str, Side, str], Side]] = set()

    def apply(self, entity: Entity, decisions: Sequence[Decision]) -> int:
        """Send everything that ``decisions`` write; returns how many elements a system took."""
        context = context_of(self._workspace)
        maker = BodyMaker(entity, context, self._books, self._decider.translate, self._table_of)
        taken = 0
        groups = self._groups(entity, decisions)
        for (side, table, verb), some in groups.items():
            stream = entity.stream_of(side, table)
            refused = self._state.rejections(entity.name, side)
            fresh = self._reread(entity, stream, some) if verb is Verb.UPDATE and side is Side.XERO else some
            for batch in records.chunks(fresh, batch_size(self._workspace.systems[side], stream)):
                jobs = self._jobs(entity, maker, stream, verb, batch, refused)
                taken += self._send(entity, jobs) if jobs else 0
        return taken

    def _groups(self, entity: Entity, decisions: Iterable[Decision]) -> dict[tuple[Side, str, Verb], list[Decision]]:
        groups: dict[tuple[Side, str, Verb], list[Decision]] = {}
        for decision in decisions:
            for side, verb in decision.writes:
                if (decision.key, side) not in self.attempted:
                    groups.setdefault((side, self._table(entity, decision, side, verb), verb), []).append(decision)
        return groups

    def _table(self, entity: Entity, decision: Decision, side: Side, verb: Verb) -> str:
        if verb is Verb.CREATE:
            return entity.streams(side)[0].table
        row_id = decision.crm_id if side is Side.CRM else decision.xero_id
        return self._table_of(entity.name, row_id or "") if side is Side.CRM else self._xero_table(entity, row_id or "")

    def _xero_table(self, entity: Entity, row_id: str) -> str:
        return records.tables_of(self._cache, entity.name, Side.XERO, [row_id])[row_id]

    def _table_of(self, entity: str, crm_id: str) -> str:
        return records.tables_of(self._cache, entity, Side.CRM, [crm_id])[crm_id]

    def _reread(self, entity: Entity, stream: Stream, decisions: list[Decision]) -> list[Decision]:
        """Xero has no guard against lost updates, so look once more just before writing; what moved is decided again."""
        ids = [d.xero_id for d in decisions if d.xero_id]
        before = {i: r["version"] for i, r in records.records(self._cache, entity.name, Side.XERO, ids).items()}
        pull_stream(self._workspace, stream, self._run)
        refresh(self._workspace, entity, self._run)
        after = {i: r["version"] for i, r in records.records(self._cache, entity.name, Side.XERO, ids).items()}
        return [d for d in decisions if d.xero_id and before.get(d.xero_id) == after.get(d.xero_id)]

    def _jobs(
        self,
        entity: Entity,
        maker: BodyMaker,
        stream: Stream,
        verb: Verb,
        decisions: Sequence[Decision],
        refused: dict[tuple[str, str], Intent],
    ) -> list[Job]:
        found = {
            side: records.records(self._cache, entity.name, side, [i for d in decisions if (i := _id(d, side))])
            for side in Side
        }
        jobs, failed = [], []
        for decision in decisions:
            pair = {
                s: record_from(entity, s, i, found[s][i]) for s in Side if (i := _id(decision, s)) is not None and i in found[s]
            }
            try:
                job = self._job(entity, maker, stream, verb, decision, pair)
            except Rejected as error:
                failed.append(self._failed(decision, stream.side, error))
                continue
            earlier = refused.get((decision.key[2], job.intent.body_hash))
            if earlier is not None and not earlier.reason.startswith((NOT_SENT, NEVER_ARRIVED)):
                self._same_refusal(decision, stream.side)
                continue
            jobs.append(job)
        self._ledger.keep(failed)
        return jobs

    def _job(
        self, entity: Entity, maker: BodyMaker, stream: Stream, verb: Verb, decision: Decision, pair: dict[Side, Record]
    ) -> Job:
        side = stream.side
        source, target = pair[side.other], pair.get(side)
        if verb is Verb.CREATE:
            body = maker.create(source, side, stream.table)
        else:
            assert target is not None  # noqa: S101  # an update has both records: the decision was made from them
            body = maker.update(target, decision.changes[side])
            if side is Side.XERO:
                body = {stream.key: target.id, **body}
        crm_id, xero_id = decision.crm_id, decision.xero_id
        if verb is Verb.CREATE and side is Side.CRM:
            crm_id = twin_id(self._workspace.organisation, entity.name, source.id)
        tag = str(_tag(entity, source) if verb is Verb.CREATE else target.id if target else "")
        intent = Intent(
            id=str(uuid4()),
            run=self._run,
            fence=self._lease.fence,
            entity=entity.name,
            side=side,
            table=stream.table,
            verb=verb,
            crm_id=crm_id,
            xero_id=xero_id,
            tag=tag,
            key=str(uuid4()),
            body_hash=content_hash(body),
            attempt=1,
            status=IntentStatus.PLANNED,
            planned_at=self._workspace.clock.now(),
        )
        return Job(decision, source, target, stream, verb, body, intent)

    def _send(self, entity: Entity, jobs: list[Job]) -> int:
        """One batch from intent to outcome. Raises what stops the run (Retryable, Configure, Busy); Unknown is resolved here."""
        step, system = self._workspace.step, self._workspace.systems[jobs[0].side]
        self._lease = self._state.renew(self._lease)
        self._state.plan_intents([j.intent for j in jobs])
        step("intents planned")
        self._state.mark_sending([j.intent.id for j in jobs], self._workspace.clock.now(), self._lease)
        step("marked as sending")
        try:
            receipts = system.write([j.write() for j in jobs])
        except Unknown as error:
            return self._lost(entity, jobs, error)
        except (Retryable, Configure) as error:
            self._state.settle([(j.intent.id, IntentStatus.REJECTED, None, f"{NOT_SENT}{error.message}") for j in jobs])
            raise
        step("answered")
        answers = list(zip(jobs, receipts, strict=True))
        lost = [j for j, r in answers if isinstance(r.error, Unknown)]
        taken = self._take(entity, [(j, r) for j, r in answers if not isinstance(r.error, Unknown)])
        return taken + (self._lost(entity, lost, Unknown("The answer for single elements was lost.")) if lost else 0)

    def _take(self, entity: Entity, answers: list[tuple[Job, Receipt]]) -> int:
        answers = [self._already_there(job, receipt) for job, receipt in answers]
        good = [(j, r) for j, r in answers if r.error is None and r.native is not None and r.id]
        self._keep_rows(entity, jobs=good)
        self._workspace.step("answers kept")
        links = [self._link(j, r.id or "") for j, r in good if j.verb is Verb.CREATE]
        records.set_partners(self._cache, links)
        self._agree(entity, good)
        self._workspace.step("agreed images kept")
        outcomes, statuses = [], []
        for job, receipt in answers:
            outcome, status = self._outcome(job, receipt)
            outcomes.append(outcome)
            statuses.extend(status)
        self._state.settle(outcomes, links, statuses, self._lease)
        self._workspace.step("settled")
        return len(good)

    def _already_there(self, job: Job, receipt: Receipt) -> tuple[Job, Receipt]:
        """A row of ours that an earlier, unanswered attempt made: its id is ours by construction, so it is adopted."""
        if (
            isinstance(receipt.error, Rejected)
            and receipt.error.code == "exists"
            and job.side is Side.CRM
            and job.intent.crm_id
        ):
            native = self._workspace.systems[Side.CRM].get(job.stream, job.intent.crm_id)
            if native is not None:
                return job, Receipt(job.intent.crm_id, native)
        return job, receipt

    def _keep_rows(self, entity: Entity, jobs: list[tuple[Job, Receipt]]) -> None:
        if jobs:
            with self._cache.transaction() as transaction:
                rows.keep_rows(transaction, jobs[0][0].stream, [r.native for _, r in jobs if r.native is not None], self._run)
            refresh(self._workspace, entity, self._run)

    def _link(self, job: Job, remote_id: str) -> Link:
        crm, xero = (remote_id, job.source.id) if job.side is Side.CRM else (job.source.id, remote_id)
        return Link(job.decision.entity, crm.lower(), xero, "created", self._workspace.clock.now())

    def _agree(self, entity: Entity, good: list[tuple[Job, Receipt]]) -> None:
        """Both sides' new images: the answer's words for the written side, what was read for the other."""
        images: list[dict[str, str]] = []
        for job, receipt in good:
            if len(job.decision.writes) > 1:
                continue
            answered = self._answered(entity, job.side, receipt.id or "")
            if answered is None:
                continue
            before = self._images_before(entity, job)
            open_fields = [*job.decision.open_fields]
            if job.verb is Verb.CREATE:
                open_fields += [s.name for s in entity.fields if _to_fill(s, job.source)]
            source_image = image(job.source, open_fields, before.get(job.source.side))
            target_image = image(answered, open_fields, before.get(job.side))
            images += [
                image_row(job.source, source_image, answered.id, self._run),
                image_row(answered, target_image, job.source.id, self._run),
            ]
        records.agree(self._cache, images)

    def _images_before(self, entity: Entity, job: Job) -> dict[Side, Fields]:
        found: dict[Side, Fields] = {}
        for record in (job.source, job.target):
            row = records.records(self._cache, entity.name, record.side, [record.id]).get(record.id) if record else None
            if record and row and row["agreed"]:
                found[record.side] = loads(entity, row["agreed"])
        return found

    def _answered(self, entity: Entity, side: Side, row_id: str) -> Record | None:
        row_id = row_id.lower() if side is Side.CRM else row_id
        row = records.records(self._cache, entity.name, side, [row_id]).get(row_id)
        return record_from(entity, side, row_id, row) if row else None

    def _outcome(self, job: Job, receipt: Receipt) -> tuple[tuple[str, IntentStatus, str | None, str], list[RecordStatus]]:
        if receipt.error is None:
            noted = [self._ledger.status_of(job.decision, self._workspace.clock.now(), wrote=True)]
            return (job.intent.id, IntentStatus.APPLIED, receipt.id, ""), noted if self._ledger.done(job.decision) else []
        if isinstance(receipt.error, Stale):
            self._moved(job)
            return (job.intent.id, IntentStatus.CONFLICT, None, receipt.error.message), []
        sent = "" if isinstance(receipt.error, Rejected) else NOT_SENT
        outcome = (job.intent.id, IntentStatus.REJECTED, None, f"{sent}{receipt.error.message}")
        return outcome, [self._failed(job.decision, job.side, receipt.error)]

    def _moved(self, job: Job) -> None:
        """Somebody changed the row since it was read: read it again, so that the next round decides on what stands there."""
        row_id = job.intent.crm_id if job.side is Side.CRM else job.intent.xero_id
        native = self._workspace.systems[job.side].get(job.stream, row_id or "")
        if native is None:
            rows.bury(self._cache, job.stream, [row_id or ""], self._run)
        else:
            with self._cache.transaction() as transaction:
                rows.keep_rows(transaction, job.stream, [native], self._run)

    def _failed(self, decision: Decision, side: Side, error: TieoutError) -> RecordStatus:
        self.attempted.add((decision.key, side))
        now = self._workspace.clock.now()
        return self._ledger.failure(decision, remarks.refused(side, error.message), "refused", now, error.detail)

    def _same_refusal(self, decision: Decision, side: Side) -> None:
        """Refused before and unchanged since: it stays Failed with its remark, and is not sent again."""
        self.attempted.add((decision.key, side))
        self._ledger.failure(decision, "", "", self._workspace.clock.now())

    def _lost(self, entity: Entity, jobs: list[Job], error: Unknown) -> int:
        """The answer was lost: ask what stands there now, adopt what arrived, leave the rest for a new attempt."""
        log.warning("answer lost, looking up", entity=entity.name, elements=len(jobs), reason=error.message, run=self._run)
        self._state.settle([(j.intent.id, IntentStatus.UNKNOWN, None, error.message) for j in jobs])
        self._workspace.step("answer lost")
        found = find_arrived(self._workspace, entity, [j.intent for j in jobs], self._run)
        arrived = [(j, found[j.intent.id]) for j in jobs if j.intent.id in found]
        missing = [j for j in jobs if j.intent.id not in found]
        self._state.settle([(j.intent.id, IntentStatus.REJECTED, None, NEVER_ARRIVED) for j in missing])
        for job in jobs:
            self._bump(job)
        return self._adopt(arrived)

    def _bump(self, job: Job) -> None:
        """An element whose answer was lost twice in a run waits for the next one."""
        key = (job.decision.key, job.side)
        if key in self._lost_once:
            self.attempted.add(key)
        self._lost_once.add(key)

    def _adopt(self, arrived: list[tuple[Job, str]]) -> int:
        creates = [(j, i) for j, i in arrived if j.verb is Verb.CREATE]
        links = [replace(self._link(j, i), matched_by="its tag, after a lost answer") for j, i in creates]
        records.set_partners(self._cache, links)
        statuses = [self._ledger.status_of(j.decision, self._workspace.clock.now(), wrote=True) for j, _ in arrived]
        for job, _ in arrived:
            self._ledger.done(job.decision)
        self._state.settle([(j.intent.id, IntentStatus.ADOPTED, i, "") for j, i in arrived], links, statuses, self._lease)
        return len(arrived)


def _to_fill(spec: Field, source: Record) -> bool:
    """Whether a field of a record that just got its twin is still to be filled from it (the twin's id, above all)."""
    return source.side in spec.to and blank(source.fields.get(spec.name))


def batch_size(system: System, stream: Stream) -> int:
    """Elements of ``stream`` per call: the system's own, or one where the system takes one."""
    sizes = getattr(system, "batch_size_for", None)
    return int(sizes(stream)) if sizes is not None else system.batch_size


def image_row(record: Record, fields: Fields, partner: str, run: str) -> dict[str, str]:
    """An agreed image as the cache keeps it."""
    digest = f"{content_hash(fields)}{record.gone}"
    return {
        "entity": record.entity,
        "side": str(record.side),
        "id": record.id,
        "partner": partner,
        "hash": digest,
        "fields": dumps(fields).decode(),
        "run": run,
    }


def find_arrived(workspace: Workspace, entity: Entity, intents: Sequence[Intent], run: str) -> dict[str, str]:
    """Which of these writes reached their system after all: intent id -> the record's id there.

    Pulls what changed in the stream and looks for the tag (a create) or the intended values (an update).
    """
    found: dict[str, str] = {}
    for table in {i.table for i in intents}:
        some = [i for i in intents if i.table == table]
        side = some[0].side
        stream = entity.stream_of(side, table)
        pull_stream(workspace, stream, run)
        refresh(workspace, entity, run)
        for intent in some:
            row_id = _arrived(workspace, entity, intent)
            if row_id is not None:
                found[intent.id] = row_id
    return found


def _arrived(workspace: Workspace, entity: Entity, intent: Intent) -> str | None:
    if intent.verb is not Verb.CREATE:
        return None
    if intent.side is Side.CRM:
        found = records.records(workspace.cache, entity.name, Side.CRM, [intent.crm_id or ""])
        return intent.crm_id if found else None
    field = tag_field(entity)
    ids = workspace.cache.query(
        "SELECT id FROM record WHERE entity = ? AND side = 'xero' AND gone = '' "
        "AND lower(json_extract_string(fields, ?)) = lower(?)",
        entity.name,
        f"$.{field}",
        intent.tag,
    )
    hits = ids.column("id").to_pylist()
    return str(hits[0]) if len(hits) == 1 else None


def tag_field(entity: Entity) -> str:
    """The canonical field whose Xero place is the stream's tag: the number of an invoice, the Dynamics id of a contact."""
    tag = entity.xero[0].tag
    return next((f.name for f in entity.fields if f.xero is not None and f.xero.path == tag), "")


def _tag(entity: Entity, source: Record) -> str:
    field = tag_field(entity) if source.side is Side.CRM else ""
    return str(source.fields.get(field) or source.id)


def _id(decision: Decision, side: Side) -> str | None:
    return decision.crm_id if side is Side.CRM else decision.xero_id
