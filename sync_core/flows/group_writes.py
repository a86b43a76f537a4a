"""Contact groups of Xero written: made, joined, left. Each write is an intent first, and a lost answer is read up.

Joining and leaving change nothing when done twice, so what never arrived may be sent again once the group was read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import uuid4

from sync_core.errors import Configure, Rejected, Retryable, Unknown
from sync_core.flows.arrivals import NEVER_ARRIVED, NOT_SENT, was_refused
from sync_core.flows.workspace import Workspace
from sync_core.model import Intent, IntentStatus, Native, Side, Verb
from sync_core.rules.entities import CONTACT_GROUPS, GROUP_MEMBERS
from sync_core.rules.mapping import content_hash
from sync_core.rules.types import ContactType
from sync_core.store import memberships, records
from sync_core.store.intents import Settlement
from sync_core.store.leases import Lease
from sync_core.store.memberships import Standing
from sync_core.systems.base import Receipt, Write

CONTACTS = "contacts"


@dataclass(frozen=True, slots=True)
class GroupJob:
    """One membership on its way. ``standing`` is None for the group itself."""

    write: Write
    intent: Intent
    standing: Standing | None = None

    @property
    def contact(self) -> str:
        return self.standing.xero_id if self.standing is not None else ""


class GroupWriter:
    """Writes one run's groups and memberships. ``refused`` are contacts that Xero did not take, each with why."""

    def __init__(self, workspace: Workspace, run: str, lease: Lease) -> None:
        self._workspace, self._run, self._lease = workspace, run, lease
        self._cache, self._state = workspace.cache, workspace.state
        self._system = workspace.systems[Side.XERO]
        self.refused: dict[str, str] = {}

    @cached_property
    def _earlier(self) -> dict[tuple[str, str], str]:
        """What Xero refused in earlier runs, by record and body."""
        refused = self._state.rejections(CONTACTS, Side.XERO).items()
        return {key: i.reason for key, i in refused if was_refused(i)}

    def listed(self) -> dict[str, str]:
        """Name and id of every group that is in use in Xero. Raises Rejected where it offers none."""
        pages = self._system.changed_since(CONTACT_GROUPS, None)
        rows = [row for page in pages for row in page.rows if row.get("Status", "ACTIVE") == "ACTIVE"]
        return {str(row.get("Name")): str(row[CONTACT_GROUPS.key]) for row in rows}

    def read(self, kind: ContactType, group: str) -> bool:
        """Read who is in a group; False when it is not there any more."""
        native = self._system.get(CONTACT_GROUPS, group)
        self._workspace.step("group read")
        if native is None or native.get("Status", "ACTIVE") != "ACTIVE":
            memberships.forget_group(self._cache, group)
            return False
        memberships.keep_group(self._cache, kind, native, self._run)
        return True

    def make(self, kind: ContactType, present: Sequence[str]) -> str | None:
        """Make the group of a type; None when Xero did not. ``present``: the groups that there are."""
        key = str(kind), content_hash({"name": str(kind), "beside": tuple(sorted(present))})
        if key in self._earlier:
            self.refused[str(kind)] = self._earlier[key]
            return None
        body: Native = {"Name": str(kind)}
        job = self._job(Write(CONTACT_GROUPS, Verb.CREATE, body, str(uuid4())), str(kind), key[1], kind)
        receipts = self._send([job])
        if receipts is None:
            return self._made_after_all(job, kind)
        (receipt,) = receipts
        self._settle([(job, receipt)])
        if receipt.error is not None:
            self.refused[str(kind)] = receipt.error.message
            return None
        memberships.keep_group(self._cache, kind, {CONTACT_GROUPS.key: receipt.id}, self._run)
        return receipt.id

    def _made_after_all(self, job: GroupJob, kind: ContactType) -> str | None:
        group = self.listed().get(str(kind))
        found = IntentStatus.ADOPTED if group else IntentStatus.REJECTED
        self._state.settle([(job.intent.id, found, group, "" if group else NEVER_ARRIVED)], lease=self._lease)
        if group is not None:
            self.read(kind, group)
        return group

    def join(self, kind: ContactType, group: str, some: Sequence[Standing]) -> None:
        """Put contacts into a group."""
        jobs = [self._membership(kind, group, Verb.CREATE, s) for s in some]
        waiting = [j for j in jobs if not self._refused_before(j)]
        for batch in records.chunks(waiting, self._system.batch_size_for(GROUP_MEMBERS, Verb.CREATE)):
            self._join(kind, group, list(batch))

    def _join(self, kind: ContactType, group: str, jobs: list[GroupJob]) -> None:
        receipts = self._send(jobs)
        if receipts is None:
            self._look_up(kind, group, jobs)
            return
        answers = list(zip(jobs, receipts, strict=True))
        failed = [j for j, r in answers if r.error is not None]
        if failed and len(jobs) > 1 and not _group_is_gone(answers):
            # One contact that cannot join refuses all that were sent with it: find it by halves.
            self._state.settle([(j.intent.id, IntentStatus.REJECTED, None, f"{NOT_SENT}refused with others") for j in jobs])
            again = [self._membership(kind, group, Verb.CREATE, j.standing) for j in jobs if j.standing is not None]
            middle = len(again) // 2
            self._join(kind, group, again[:middle])
            self._join(kind, group, again[middle:])
            return
        memberships.add_members(self._cache, group, [j.contact for j, r in answers if r.error is None], self._run)
        self._settle(answers)

    def leave(self, kind: ContactType, group: str, one: Standing) -> None:
        """Take a contact out of a group."""
        job = self._membership(kind, group, Verb.DELETE, one)
        if self._refused_before(job):
            return
        receipts = self._send([job])
        if receipts is None:
            self._look_up(kind, group, [job])
            return
        answers = [(job, Receipt(job.write.id) if _missing(receipts[0]) else receipts[0])]
        if answers[0][1].error is None:
            memberships.remove_member(self._cache, group, job.contact)
        self._settle(answers)

    def _refused_before(self, job: GroupJob) -> bool:
        """Refused in an earlier run, and neither record moved since: not sent again."""
        reason = self._earlier.get((job.contact, job.intent.body_hash))
        if reason is not None:
            self.refused[job.contact] = reason
        return reason is not None

    def _membership(self, kind: ContactType, group: str, verb: Verb, one: Standing) -> GroupJob:
        ids = {CONTACT_GROUPS.key: group, GROUP_MEMBERS.key: one.xero_id}
        body: Native = {GROUP_MEMBERS.key: one.xero_id} if verb is Verb.CREATE else {CONTACT_GROUPS.key: group}
        write = Write(GROUP_MEMBERS, verb, body, str(uuid4()), group if verb is Verb.CREATE else one.xero_id)
        return self._job(write, one.xero_id, content_hash({**ids, "verb": str(verb), "at": one.versions}), kind, one)

    def _job(self, write: Write, record: str, digest: str, kind: ContactType, one: Standing | None = None) -> GroupJob:
        intent = Intent(
            id=str(uuid4()),
            run=self._run,
            fence=self._lease.fence,
            entity=CONTACTS,
            side=Side.XERO,
            table=CONTACT_GROUPS.table,
            verb=Verb.UPDATE,
            crm_id=one.crm_id if one is not None else None,
            xero_id=record,
            tag=str(kind),
            key=write.key,
            body_hash=digest,
            attempt=1,
            status=IntentStatus.PLANNED,
            planned_at=self._workspace.clock.now(),
        )
        return GroupJob(write, intent, one)

    def _send(self, jobs: list[GroupJob]) -> list[Receipt] | None:
        """Xero's answers, None when they were lost. Raises what stops the run."""
        state, step = self._state, self._workspace.step
        self._lease = state.renew(self._lease)
        state.plan_intents([j.intent for j in jobs])
        step("group intents planned")
        state.mark_sending([j.intent.id for j in jobs], self._workspace.clock.now(), self._lease)
        step("groups marked as sending")
        try:
            receipts = self._system.write([j.write for j in jobs])
        except Unknown as error:
            state.settle([(j.intent.id, IntentStatus.UNKNOWN, None, error.message) for j in jobs])
            step("group answer lost")
            return None
        except (Retryable, Configure) as error:
            state.settle([(j.intent.id, IntentStatus.REJECTED, None, f"{NOT_SENT}{error.message}") for j in jobs])
            raise
        step("groups answered")
        shut = next((r.error for r in receipts if isinstance(r.error, Rejected) and r.error.code == "not permitted"), None)
        if shut is not None:
            state.settle([(j.intent.id, IntentStatus.REJECTED, None, f"{NOT_SENT}{shut.message}") for j in jobs])
            raise shut
        return receipts

    def _look_up(self, kind: ContactType, group: str, jobs: Sequence[GroupJob]) -> None:
        """The answer was lost: read the group, and take what stands there for the outcome."""
        there = set(self._members(kind, group))
        outcomes: list[Settlement] = []
        for job in jobs:
            arrived = (job.contact in there) is (job.write.verb is Verb.CREATE)
            status = IntentStatus.ADOPTED if arrived else IntentStatus.REJECTED
            outcomes.append((job.intent.id, status, group if arrived else None, "" if arrived else NEVER_ARRIVED))
        self._state.settle(outcomes, lease=self._lease)

    def _members(self, kind: ContactType, group: str) -> list[str]:
        return memberships.members(self._cache, group) if self.read(kind, group) else []

    def _settle(self, answers: Sequence[tuple[GroupJob, Receipt]]) -> None:
        outcomes: list[Settlement] = []
        for job, receipt in answers:
            if receipt.error is None:
                outcomes.append((job.intent.id, IntentStatus.APPLIED, receipt.id, ""))
                continue
            # A group that went away meanwhile is found missing by the next run, so that its refusal is not for ever.
            reason = receipt.error.message
            kept = f"{NOT_SENT}{reason}" if _missing(receipt) else reason
            outcomes.append((job.intent.id, IntentStatus.REJECTED, None, kept))
            if job.standing is not None:
                self.refused[job.contact] = reason
        self._state.settle(outcomes, lease=self._lease)
        self._workspace.step("groups settled")


def _missing(receipt: Receipt) -> bool:
    return isinstance(receipt.error, Rejected) and receipt.error.code == "missing"


def _group_is_gone(answers: Sequence[tuple[GroupJob, Receipt]]) -> bool:
    return all(_missing(receipt) for _, receipt in answers)
