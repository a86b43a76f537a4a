"""Carry out decisions: intent, call, outcome, in batches of one kind. The only place that writes documents to a system.

Order of each batch (reliability.md section 2): intents committed, marked as sending under the lease, the call, then the
answered rows and new agreed images into the cache, then outcome, link and status into the state in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace

import structlog

from sync_core.errors import Rejected, Stale, TieoutError, Unknown
from sync_core.flows.agreeing import agree
from sync_core.flows.arrivals import NEVER_ARRIVED, NOT_SENT, SEVERAL, find_arrived, may_still_arrive, was_refused
from sync_core.flows.courier import WAVE, Courier
from sync_core.flows.decide import Decider
from sync_core.flows.jobs import Job, JobMaker, id_on
from sync_core.flows.ledger import Key, RunLedger
from sync_core.flows.line_writes import LineWriter, brings_lines, without_lines
from sync_core.flows.linking import links_follow
from sync_core.flows.pull import pull_stream, refresh
from sync_core.flows.totals import totals_apart
from sync_core.flows.workspace import Workspace
from sync_core.model import IntentStatus, Link, Native, RecordStatus, Side, Status, Verb
from sync_core.rules import remarks
from sync_core.rules.declaration import Entity, Stream
from sync_core.rules.plan import Decision
from sync_core.store import records, rows
from sync_core.store.leases import Lease
from sync_core.systems.base import Receipt

log = structlog.get_logger(__name__)
Element = tuple[tuple[str, Side, str], Side]
"""A record's key and the side that it was to be written to."""


class Applier:
    """Applies decisions of a run. ``attempted`` are records that were tried and not taken; they wait for the next run.
    ``sent``: whether a system was asked for anything, taken or not.

    ``insist``: a person asked for exactly these records, so what was refused before and did not move is sent once more.
    """

    def __init__(self, workspace: Workspace, run: str, lease: Lease, ledger: RunLedger, *, insist: bool = False) -> None:
        self._workspace = workspace
        self._cache, self._state = workspace.cache, workspace.state
        self._run, self._lease, self._ledger = run, lease, ledger
        self._courier = Courier(workspace, lease)
        self.attempted: set[Element] = set()
        self.sent = False
        self._lost_once: set[Element] = set()
        self._children: set[Key] = set()
        self._to_decide_again = 0
        self._moved_keys: set[tuple[str, Side, str]] = set()
        self._insist = insist

    def apply(self, entity: Entity, decisions: Sequence[Decision], decider: Decider) -> int:
        """Send everything that ``decisions`` write; returns how many elements a system took or are to be decided once more."""
        self._to_decide_again = 0
        self._moved_keys.clear()
        maker = JobMaker(self._workspace, entity, self._run, self._lease, decider.partners)
        taken = 0
        for (side, table, verb), some in self._groups(entity, decisions).items():
            stream = entity.stream_of(side, table)
            taken += self._send_in_waves(entity, maker, stream, verb, some)
        left = [d for d in decisions if (d.key, Side.CRM) not in self.attempted and d.key not in self._moved_keys]
        lined = [d for d in left if brings_lines(d)]
        taken += self._send_lines(entity, lined) if lined else 0
        return taken + self._to_decide_again

    def _send_in_waves(self, entity: Entity, maker: JobMaker, stream: Stream, verb: Verb, decisions: Sequence[Decision]) -> int:
        """What would leave the last call of a wave half filled goes with the next one, looked at once more with that."""
        taken, left, over = 0, len(decisions), list[Decision]()
        size = self._workspace.systems[stream.side].batch_size_for(stream, verb)
        open_ones = [d for d in decisions if _may_be_edited(entity, stream, verb, d)]
        decided_on = self._versions(entity, open_ones) if open_ones else {}
        for wave, looks in self._waves(decisions, open_ones, size, stream.side):
            left -= len(wave)
            some = [*over, *wave]
            fresh = self._reread(entity, stream, some, decided_on) if looks else some
            jobs = self._jobs(maker, stream, verb, fresh)
            full = len(jobs) - len(jobs) % size if left else len(jobs)
            over = [job.decision for job in jobs[full:]]
            taken += self._send(entity, jobs[:full]) if full else 0
        return taken

    def _waves(
        self, decisions: Sequence[Decision], open_ones: Sequence[Decision], size: int, side: Side
    ) -> Iterator[tuple[Sequence[Decision], bool]]:
        """What is on its way together, and whether Xero is looked at once more before: such a wave is no larger than what it
        takes at once, so that little time passes after the look.
        """
        few = {id(d) for d in open_ones}
        for wave in records.chunks([d for d in decisions if id(d) not in few], WAVE):
            yield wave, False
        for wave in records.chunks(open_ones, min(WAVE, self._workspace.systems[side].at_once * size)):
            yield wave, True

    def _send_lines(self, entity: Entity, decisions: Sequence[Decision]) -> int:
        writer = LineWriter(self._workspace, entity, self._run, self._lease, insist=self._insist)
        try:
            taken, refused = writer.send(decisions)
        finally:
            self.sent = self.sent or writer.sent
        moved = {d.key for d, error in refused if isinstance(error, Stale)}
        self._to_decide_again += len(moved)
        failed = {d.key: self._failed(d, Side.CRM, error) for d, error in refused if d.key not in moved}
        now = self._workspace.clock.now()
        good = [d for d in decisions if d.key not in failed and d.key not in moved]
        if good or moved:
            # Dynamics priced the documents anew, and only they say what came of it; what moved is read again.
            for stream in (*entity.crm, *(entity.children if moved else ())):
                pull_stream(self._workspace, stream, self._run)
            refresh(self._workspace, entity, self._run)
        apart = totals_apart(self._workspace, entity, [(d.crm_id or "", d.xero_id or "") for d in good])
        good = [_with(d, apart) for d in good]
        self._ledger.keep([*failed.values(), *(self._ledger.status_of(d, now, wrote=True) for d in good if self._came_out(d))])
        return taken

    def _groups(self, entity: Entity, decisions: Iterable[Decision]) -> dict[tuple[Side, str, Verb], list[Decision]]:
        wanted = [
            (d, side, verb)
            for d in decisions
            for side, verb in d.writes
            if (d.key, side) not in self.attempted and not (side is Side.CRM and without_lines(entity, d))
        ]
        updated = {
            side: [i for d, s, v in wanted if s is side and v is not Verb.CREATE and (i := id_on(d, side)) is not None]
            for side in Side
        }
        tables = {side: records.tables_of(self._cache, entity.name, side, ids) for side, ids in updated.items()}
        groups: dict[tuple[Side, str, Verb], list[Decision]] = {}
        for decision, side, verb in wanted:
            new = verb is Verb.CREATE
            table = decision.table or entity.streams(side)[0].table if new else tables[side][id_on(decision, side) or ""]
            groups.setdefault((side, table, verb), []).append(decision)
        return groups

    def _versions(self, entity: Entity, decisions: Sequence[Decision]) -> dict[str, str]:
        return records.versions(self._cache, entity.name, Side.XERO, [d.xero_id for d in decisions if d.xero_id])

    def _reread(
        self, entity: Entity, stream: Stream, decisions: Sequence[Decision], decided_on: Mapping[str, str]
    ) -> list[Decision]:
        """Xero has no guard against lost updates, so look once more just before each wave; what moved is decided again.

        ``decided_on``: the versions before the first look, which brings what moved in later waves as well. What is left over of
        a wave without a look has none.
        """
        pull_stream(self._workspace, stream, self._run)
        refresh(self._workspace, entity, self._run)
        now = self._versions(entity, decisions)
        still = [d for d in decisions if d.xero_id and decided_on.get(d.xero_id, now.get(d.xero_id)) == now.get(d.xero_id)]
        self._to_decide_again += len(decisions) - len(still)
        return still

    def _jobs(self, maker: JobMaker, stream: Stream, verb: Verb, decisions: Sequence[Decision]) -> list[Job]:
        refused = self._state.rejections(decisions[0].entity, stream.side) if decisions else {}
        waited = self._waited(decisions, {row_id for row_id, _ in refused})
        jobs, failed = [], []
        for made in maker.make(stream, verb, decisions):
            if not isinstance(made, Job):
                if isinstance(made[1], Stale) or self._comes_first(*made):
                    self._decide_again(made[0])
                    continue
                failed.append(self._failed(made[0], stream.side, made[1]))
                continue
            earlier = refused.get((made.decision.key[2], made.intent.body_hash))
            if earlier is None:
                jobs.append(made)
            elif self._insist or not was_refused(earlier) or made.decision.key in waited:
                jobs.append(replace(made, intent=replace(made.intent, attempt=earlier.attempt + 1)))
            else:
                # Refused before and unchanged since: it is Failed with the same remark, and is not sent again.
                failed.append(self._failed(made.decision, stream.side, Rejected(earlier.reason)))
        self._ledger.keep(failed)
        return jobs

    def _comes_first(self, decision: Decision, why: Rejected) -> bool:
        """Whether what a record belongs to, being of its own kind, may be made in this very round: it waits for the next."""
        if why.code != "parent" or decision.key in self._children:
            return False
        self._children.add(decision.key)
        return True

    def _waited(self, decisions: Sequence[Decision], refused: Set[str]) -> set[Key]:
        """Those of the refused that have waited for something else since, which is there by now: they are sent once more."""
        asked: dict[tuple[str, Side], list[str]] = {}
        for entity, side, row_id in (d.key for d in decisions if d.key[2] in refused):
            asked.setdefault((entity, side), []).append(row_id)
        found = (row for (name, side), ids in asked.items() for row in self._state.statuses(name, side, ids).values())
        return {(row.entity, row.side, row.id) for row in found if row.status in (Status.BLOCKED, Status.SKIPPED)}

    def _send(self, entity: Entity, jobs: list[Job]) -> int:
        """One wave from intent to outcome. Raises what stops the run; lost answers are looked up here."""
        self.sent = True
        first = jobs[0]
        size = self._workspace.systems[first.side].batch_size_for(first.stream, first.verb)
        inside = bool(first.stream.within)
        delivery = self._courier.deliver(list(records.chunks(jobs, size)), in_turn=inside)
        answers = [(j, r) for j, r in delivery.answered if not isinstance(r.error, Unknown)]
        taken = self._take(entity, answers) if answers else 0
        lost = [*delivery.lost, *(([j], r.error) for j, r in delivery.answered if isinstance(r.error, Unknown))]
        taken += self._lost(entity, lost) if lost else 0
        if delivery.ended is not None:
            raise delivery.ended
        return taken

    def _take(self, entity: Entity, answers: list[tuple[Job, Receipt]]) -> int:
        found = [self._already_there(job, receipt) for job, receipt in answers]
        there = {j.intent.id for (j, r), (_, first) in zip(found, answers, strict=True) if r is not first}
        answers = found
        good = [(j, r) for j, r in answers if r.error is None and r.native is not None and r.id]
        self._keep_rows(entity, good)
        self._workspace.step("answers kept")
        links = [self._link(j, r.id or "") for j, r in good if j.verb is Verb.CREATE]
        records.set_partners(self._cache, links)
        agree(self._workspace, entity, [(j, r) for j, r in good if j.intent.id not in there], self._run)
        self._workspace.step("agreed images kept")
        made = [(j.source.id, r.id or "") for j, r in good if j.verb is Verb.CREATE and j.side is Side.XERO]
        apart = totals_apart(self._workspace, entity, made)
        settled = [self._outcome(job, receipt, apart) for job, receipt in answers]
        if any(isinstance(receipt.error, Stale) for _, receipt in answers):
            refresh(self._workspace, entity, self._run)
        statuses = [status for _, status in settled if status is not None]
        with links_follow(self._workspace):
            self._state.settle([outcome for outcome, _ in settled], links, statuses, self._lease)
        self._workspace.step("settled")
        return len(good)

    def _already_there(self, job: Job, receipt: Receipt) -> tuple[Job, Receipt]:
        """A row of ours that an earlier, unanswered attempt made: its id is ours by construction, so it is adopted.

        What either side holds may have changed since that attempt, so it is compared before anything is called agreed.
        """
        refusal = receipt.error
        made = job.verb is Verb.CREATE and job.side is Side.CRM
        if made and isinstance(refusal, Rejected) and refusal.code == "exists" and job.target_id:
            native = self._workspace.systems[Side.CRM].get(job.stream, job.target_id)
            if native is not None:
                return job, Receipt(job.target_id, native)
        return job, receipt

    def _keep_rows(self, entity: Entity, good: list[tuple[Job, Receipt]]) -> None:
        answered = [self._whole(job, r.native) for job, r in good if r.native is not None]
        if answered:
            with self._cache.transaction() as transaction:
                rows.keep_rows(transaction, good[0][0].stream, answered, self._run)
            refresh(self._workspace, entity, self._run)

    def _whole(self, job: Job, native: Native) -> Native:
        """A row that was made inside another one is answered without the other one's id."""
        inside = job.parent_id
        return native if inside is None else rows.nested_answer(self._cache, job.stream, inside, native)

    def _link(self, job: Job, remote_id: str) -> Link:
        crm, xero = (remote_id, job.source.id) if job.side is Side.CRM else (job.source.id, remote_id)
        return Link(job.decision.entity, crm.lower(), xero, "created", self._workspace.clock.now())

    def _outcome(
        self, job: Job, receipt: Receipt, apart: Mapping[str, str]
    ) -> tuple[tuple[str, IntentStatus, str | None, str], RecordStatus | None]:
        error = receipt.error
        if error is None:
            decision = _with(_as_pair(job, receipt.id or ""), apart)
            noted = self._ledger.status_of(decision, self._workspace.clock.now(), wrote=True)
            return (job.intent.id, IntentStatus.APPLIED, receipt.id, ""), noted if self._came_out(decision) else None
        if isinstance(error, Stale):
            self._moved(job)
            return (job.intent.id, IntentStatus.CONFLICT, None, error.message), None
        # A right that is lacking says nothing of the record: once it is given, the same must be sent again.
        sent = "" if isinstance(error, Rejected) and error.code != "not permitted" else NOT_SENT
        failed = self._failed(job.decision, job.side, error)
        return (job.intent.id, IntentStatus.REJECTED, None, f"{sent}{error.message}"), failed

    def _moved(self, job: Job) -> None:
        """Somebody changed the row since it was read: read it again, so that the next round decides on what stands there."""
        self._decide_again(job.decision)
        row_id = job.target_id or ""
        native = self._workspace.systems[job.side].get(job.stream, row_id)
        if native is None:
            rows.bury(self._cache, job.stream, [row_id], self._run)
        else:
            with self._cache.transaction() as transaction:
                rows.keep_rows(transaction, job.stream, [native], self._run)

    def _decide_again(self, decision: Decision) -> None:
        """Its records moved: nothing more of it is written, and the next round decides anew."""
        self._to_decide_again += 1
        self._moved_keys.add(decision.key)

    def _failed(self, decision: Decision, side: Side, error: TieoutError) -> RecordStatus:
        self.attempted.add((decision.key, side))
        now = self._workspace.clock.now()
        return self._ledger.failure(decision, remarks.refused(error.message), "refused", now, error.detail)

    def _came_out(self, decision: Decision) -> bool:
        """Take note that a write was taken. False when nothing is to be said of it: the record's other side was refused."""
        refused = any((decision.key, side) in self.attempted for side in Side)
        return not refused and self._ledger.done(decision)

    def _lost(self, entity: Entity, lost: Sequence[tuple[Sequence[Job], Unknown]]) -> int:
        """Answers were lost: ask what stands there now, adopt what arrived, leave the rest for a new attempt."""
        jobs = [job for some, _ in lost for job in some]
        why = lost[0][1].message
        log.warning("answer lost, looking up", entity=entity.name, elements=len(jobs), reason=why, run=self._run)
        self._state.settle([(j.intent.id, IntentStatus.UNKNOWN, None, e.message) for some, e in lost for j in some])
        self._workspace.step("answer lost")
        arrivals = find_arrived(self._workspace, entity, [j.intent for j in jobs], self._run)
        found, unclear = arrivals.found, arrivals.unclear
        sent = [replace(j.intent, first_sent_at=self._workspace.clock.now()) for j in jobs if j.intent.id not in unclear]
        waiting = {i.id for i in sent if i.id not in found and may_still_arrive(entity, i, self._workspace.clock.now())}
        self._state.settle([(i, IntentStatus.NEEDS_REVIEW, None, SEVERAL) for i in sorted(unclear)])
        self._to_decide_again += len(waiting) + len(unclear)
        missing = [j for j in jobs if j.intent.id not in {*found, *unclear, *waiting}]
        self._state.settle([(j.intent.id, IntentStatus.REJECTED, None, NEVER_ARRIVED) for j in missing])
        again = {j.intent.id for j in missing if j.verb is Verb.UPDATE and (j.decision.key, j.side) not in self._lost_once}
        self._lost_once.update((j.decision.key, j.side) for j in missing if j.intent.id in again)
        self._to_decide_again += len(again)
        settled = {*found, *unclear, *waiting, *again}
        late = [(j, e) for some, e in lost for j in some if j.intent.id not in settled]
        self._ledger.keep([self._not_arrived(j, e) for j, e in late])
        return self._adopt([(j, found[j.intent.id]) for j in jobs if j.intent.id in found])

    def _not_arrived(self, job: Job, error: Unknown) -> RecordStatus:
        """It may still be on its way, so it is not sent again at once: the next run looks once more, and then sends it.

        (An update may: what stands there now was read, and the next round decides whether it is due still.) When that run's
        answer is lost as well, something is wrong on the way, and a person has to hear of it.
        """
        self.attempted.add((job.decision.key, job.side))
        now, sent = self._workspace.clock.now(), job.intent.planned_at
        if job.intent.attempt > 1:
            return self._ledger.failure(job.decision, remarks.lost_again(job.side, sent), "lost", now, error.message)
        return self._ledger.waiting(job.decision, remarks.not_arrived(job.side, sent), "answer lost", now, error.message)

    def _adopt(self, arrived: list[tuple[Job, str]]) -> int:
        creates = [(j, i) for j, i in arrived if j.verb is Verb.CREATE]
        links = [replace(self._link(j, i), matched_by="its tag, after a lost answer") for j, i in creates]
        records.set_partners(self._cache, links)
        made = [_as_pair(job, remote_id) for job, remote_id in arrived]
        now = self._workspace.clock.now()
        statuses = [self._ledger.status_of(d, now, wrote=True) for d in made if self._came_out(d)]
        adopted = [(j.intent.id, IntentStatus.ADOPTED, i, "") for j, i in arrived]
        with links_follow(self._workspace):
            self._state.settle(adopted, links, statuses, self._lease)
        return len(arrived)


def _may_be_edited(entity: Entity, stream: Stream, verb: Verb, decision: Decision) -> bool:
    """Whether a write changes what somebody may have changed since in Xero, which guards nothing; nobody edits tags there."""
    changes = decision.changes.get(stream.side, {})
    return verb is Verb.UPDATE and stream.side is Side.XERO and not all(entity.field(name).hidden for name in changes)


def _as_pair(job: Job, remote_id: str) -> Decision:
    """The decision under the pair's key: what was made in Dynamics stands under its new id there."""
    new = job.verb is Verb.CREATE and job.side is Side.CRM
    return replace(job.decision, crm_id=remote_id.lower()) if new else job.decision


def _with(decision: Decision, apart: Mapping[str, str]) -> Decision:
    words = apart.get(decision.crm_id or "", "")
    return replace(decision, remark=decision.remark + words) if words else decision
