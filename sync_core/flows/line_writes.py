"""Xero lines brought to Dynamics: rows of their own there, so each line is a write of its own under its invoice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from uuid import uuid4

from sync_core.errors import Rejected, Stale, TieoutError
from sync_core.flows.arrivals import NEVER_ARRIVED, was_refused
from sync_core.flows.bodies import twin_id
from sync_core.flows.courier import Courier
from sync_core.flows.decide import record_from
from sync_core.flows.half_written import lines_sent, take_for_agreed
from sync_core.flows.pull import pull_stream, refresh
from sync_core.flows.workspace import Workspace
from sync_core.model import Intent, IntentStatus, Lookup, Native, Side, Verb
from sync_core.rules.declaration import Entity
from sync_core.rules.lines import LineWrite, dynamics_lines
from sync_core.rules.mapping import content_hash, lines_of
from sync_core.rules.plan import Decision
from sync_core.store import records, rows
from sync_core.store.intents import Settlement
from sync_core.store.leases import Lease
from sync_core.systems.base import Receipt, Write

DOCUMENTS = 500
"""Documents whose lines are on their way together, at most."""
VERBS = (Verb.DELETE, Verb.UPDATE, Verb.CREATE)
"""In which order the lines of a document are written."""


@dataclass(frozen=True, slots=True)
class LineJob:
    """One line of one invoice on its way to Dynamics."""

    decision: Decision
    element: Write
    intent: Intent

    def write(self) -> Write:
        return self.element


class LineWriter:
    """Sends the lines of decisions that bring lines to Dynamics; answers with what failed, per decision.

    ``insist``: what was refused before and did not change is sent once more. ``sent``: whether Dynamics was asked for anything.
    """

    def __init__(self, workspace: Workspace, entity: Entity, run: str, lease: Lease, *, insist: bool = False) -> None:
        self._workspace, self._entity, self._run, self._lease = workspace, entity, run, lease
        self._insist = insist
        self.sent = False
        self._courier = Courier(workspace, lease)
        self._stream = entity.children[0]

    def send(self, decisions: Sequence[Decision]) -> tuple[int, list[tuple[Decision, TieoutError]]]:
        """How many lines Dynamics took, and the decisions of which it refused one, or which moved since (Stale).

        Raises what stops the run.
        """
        taken, failed = 0, []
        for wave in records.chunks(decisions, DOCUMENTS):
            jobs, moved = self._jobs(wave)
            jobs, refused = self._apart(jobs)
            good, bad = self._send(jobs)
            taken += good
            failed += moved + refused + bad
            self._come_to_rest(jobs, whole=good == len(jobs))
        return taken, failed

    def put(self, chosen: Sequence[tuple[Decision, Sequence[LineWrite]]]) -> tuple[int, list[tuple[Decision, TieoutError]]]:
        """The same for changes that were chosen line by line."""
        came = self._send(self._as_jobs(chosen))
        refresh(self._workspace, self._entity, self._run)
        return came

    def _come_to_rest(self, jobs: Sequence[LineJob], *, whole: bool) -> None:
        refresh(self._workspace, self._entity, self._run)
        if not whole:
            take_for_agreed(self._workspace, self._entity, lines_sent(self._entity, (j.intent for j in jobs)), self._run)

    def _apart(self, jobs: list[LineJob]) -> tuple[list[LineJob], list[tuple[Decision, TieoutError]]]:
        """Documents of which a line was refused before and did not change since are not sent again: they fail as they did."""
        refused = {} if self._insist or not jobs else self._workspace.state.rejections(self._entity.name, Side.CRM)
        told: dict[str, tuple[Decision, TieoutError]] = {}
        for job in jobs:
            earlier = refused.get((job.decision.crm_id or "", job.intent.body_hash))
            if earlier is not None and was_refused(earlier):
                told.setdefault(job.decision.crm_id or "", (job.decision, Rejected(earlier.reason)))
        return [job for job in jobs if job.decision.crm_id not in told], list(told.values())

    def _jobs(self, decisions: Sequence[Decision]) -> tuple[list[LineJob], list[tuple[Decision, TieoutError]]]:
        """What makes the lines in Dynamics those of Xero, and the decisions whose lines moved since they were made."""
        cache, name = self._workspace.cache, self._entity.name
        crm = records.records(cache, name, Side.CRM, [d.crm_id or "" for d in decisions])
        xero = records.records(cache, name, Side.XERO, [d.xero_id or "" for d in decisions])
        ids = self._workspace.surroundings.context.ids
        chosen: list[tuple[Decision, Sequence[LineWrite]]] = []
        moved: list[tuple[Decision, TieoutError]] = []
        for decision in decisions:
            here, there = crm[decision.crm_id or ""], xero[decision.xero_id or ""]
            wanted = lines_of(record_from(self._entity, Side.XERO, there["id"], there).fields)
            # A header that goes with its lines was compared, and written, just before: its hash is another one now.
            same = here["hash"] == decision.seen[Side.CRM] or not without_lines(self._entity, decision)
            if not same or wanted != decision.changes[Side.CRM]["lines"]:
                moved.append((decision, Stale("The lines moved since they were decided on.")))
                continue
            existing = lines_of(record_from(self._entity, Side.CRM, here["id"], here).fields)
            chosen.append((decision, dynamics_lines(wanted, existing, ids)))
        return self._as_jobs(chosen), moved

    def _as_jobs(self, chosen: Sequence[tuple[Decision, Sequence[LineWrite]]]) -> list[LineJob]:
        """In the order of writing within each document. A line that somebody changes in between refuses (Stale)."""
        ids = [line.line_id for _, lines in chosen for line in lines if line.line_id]
        read = rows.native_rows(self._workspace.cache, self._stream, ids)
        versions = {i: version for i, (_, version, _) in read.items()}
        return [
            job
            for decision, lines in chosen
            for job in sorted((self._job(decision, line, versions.get(line.line_id or "")) for line in lines), key=_turn)
        ]

    def _job(self, decision: Decision, line: LineWrite, version: str | None) -> LineJob:
        verb = Verb.DELETE if line.body is None else Verb.UPDATE if line.line_id else Verb.CREATE
        row_id = line.line_id or twin_id(self._workspace.organisation, "line", line.xero_line_id)
        body: Native = dict(line.body or {})
        if verb is Verb.CREATE:
            body["invoiceid"] = Lookup(self._entity.crm[0].table, decision.crm_id or "")
        intent = Intent(
            id=str(uuid4()),
            run=self._run,
            fence=self._lease.fence,
            entity=self._entity.name,
            side=Side.CRM,
            table=self._stream.table,
            verb=Verb.UPDATE,
            crm_id=decision.crm_id,
            xero_id=decision.xero_id,
            tag=row_id,
            key=str(uuid4()),
            body_hash=content_hash(body),
            attempt=1,
            status=IntentStatus.PLANNED,
            planned_at=self._workspace.clock.now(),
        )
        return LineJob(decision, Write(self._stream, verb, body, intent.key, row_id, version), intent)

    def _send(self, jobs: list[LineJob]) -> tuple[int, list[tuple[Decision, TieoutError]]]:
        """What is taken off, changed and put on a document goes in one call: cut off in between, its lines would be half done,
        and nobody could tell that from a person's own change.
        """
        if not jobs:
            return 0, []
        self.sent = True
        size = self._workspace.systems[Side.CRM].batch_size_for(self._stream, Verb.UPDATE)
        batches = _whole_documents(jobs, size)
        delivery = self._courier.deliver(batches, "lines ", in_turn=_splits_one(batches))
        found = self._take(delivery.answered)
        lost = [j for batch, _ in delivery.lost for j in batch]
        if lost:
            # Lines have ids that we chose, so sending one again makes nothing twice: read what stands there and go on.
            pull_stream(self._workspace, self._stream, self._run)
            outcomes: list[Settlement] = [(j.intent.id, IntentStatus.REJECTED, None, NEVER_ARRIVED) for j in lost]
            self._workspace.state.settle(outcomes, lease=self._lease)
        if delivery.ended is not None:
            self._come_to_rest(jobs, whole=False)
            raise delivery.ended
        return found

    def _take(self, answers: Sequence[tuple[LineJob, Receipt]]) -> tuple[int, list[tuple[Decision, TieoutError]]]:
        if not answers:
            return 0, []
        good = [(j, r) for j, r in answers if r.error is None]
        kept = [r.native for j, r in good if r.native and j.element.verb is not Verb.DELETE]
        with self._workspace.cache.transaction() as transaction:
            rows.keep_rows(transaction, self._stream, kept, self._run)
        rows.bury(
            self._workspace.cache, self._stream, [j.intent.tag for j, _ in good if j.element.verb is Verb.DELETE], self._run
        )
        outcomes: list[Settlement] = [(j.intent.id, IntentStatus.APPLIED, j.intent.tag, "") for j, _ in good]
        bad = [(j, r.error) for j, r in answers if r.error is not None]
        outcomes += [(j.intent.id, _settled(e), None, e.message) for j, e in bad]
        self._workspace.state.settle(outcomes, lease=self._lease)
        return len(good), [(j.decision, e) for j, e in bad]


def _settled(error: TieoutError) -> IntentStatus:
    return IntentStatus.CONFLICT if isinstance(error, Stale) else IntentStatus.REJECTED


def _turn(job: LineJob) -> int:
    return VERBS.index(job.element.verb)


def _whole_documents(jobs: Sequence[LineJob], size: int) -> list[list[LineJob]]:
    """Batches of about ``size``, in which a document's lines stand together: two calls must not price one invoice at once."""
    batches: list[list[LineJob]] = []
    for _, lines in groupby(jobs, key=lambda j: j.decision.crm_id):
        some = list(lines)
        for piece in records.chunks(some, size):
            if batches and len(batches[-1]) + len(piece) <= size:
                batches[-1].extend(piece)
            else:
                batches.append(list(piece))
    return batches


def _splits_one(batches: Sequence[Sequence[LineJob]]) -> bool:
    """Whether lines of one document, more than a call takes, stand in two batches: the second must wait for the first."""
    return any(one[-1].decision is other[0].decision for one, other in pairwise(batches))


def brings_lines(decision: Decision) -> bool:
    """Whether a decision writes lines to Dynamics."""
    return "lines" in decision.changes.get(Side.CRM, {})


def without_lines(entity: Entity, decision: Decision) -> bool:
    """Whether nothing is left to write to the Dynamics header once its lines are written apart."""
    return bool(entity.children) and set(decision.changes.get(Side.CRM, {})) == {"lines"}
