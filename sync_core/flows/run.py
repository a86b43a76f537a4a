"""One pass over an organisation: lease, pull, recover, decide, rails, apply, stamp, close. Full and targeted alike."""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from uuid import uuid4

import structlog

from sync_core.errors import Busy, Configure, TieoutError
from sync_core.flows.absent import look_for_absent
from sync_core.flows.aftermath import settle_desk
from sync_core.flows.choices import keep_key, read_choices
from sync_core.flows.decide import ONE_SIDE_DELETED, Decider
from sync_core.flows.errand import read_for
from sync_core.flows.ground import Ground, keep, look
from sync_core.flows.groups import bring_types, preview_types
from sync_core.flows.leasing import LEASE_LIVES, take_lease
from sync_core.flows.ledger import Key, RunLedger
from sync_core.flows.linking import load_links
from sync_core.flows.merges import follow_survivors, let_go
from sync_core.flows.preview import fingerprint
from sync_core.flows.pull import UNREADABLE, Unreadable, pull_stream, refresh
from sync_core.flows.recover import recover
from sync_core.flows.rest import Rest, recall, remember
from sync_core.flows.rounds import Rounds
from sync_core.flows.scope import Scope
from sync_core.flows.stamp import PENDING, stamp, stamp_everything
from sync_core.flows.surroundings import CODES
from sync_core.flows.workspace import Workspace
from sync_core.model import Calls, Outcome, RecordStatus, RunStatus, RunSummary, Side, Status
from sync_core.rules.declaration import Entity
from sync_core.rules.entities import ENTITIES, carrier, completing, in_parent_order
from sync_core.rules.plan import Plan
from sync_core.rules.rails import refusals
from sync_core.store import open_work, records
from sync_core.store.leases import Lease
from sync_core.systems.base import Peer

MOVED = "Records moved since the preview, so nothing was written. Look at the new plan and agree to that one."
CONTACTS = "contacts"
NEW_VALUES = 200_000
"""So many more values than before make Python look for circles among them: a few dozen MB, if all were such."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to: its summary, and the plan it was made from (for a dry run, all there is)."""

    summary: RunSummary
    plan: Plan
    refusals: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)


def new_run_id() -> str:
    return uuid4().hex[:12]


def execute(
    workspace: Workspace, scope: Scope, peers: Mapping[Side, Peer], *, run: str, trigger: str, dry_run: bool = False
) -> Result:
    """One pass. Raises Busy when another run holds the organisation, Configure when a system cannot be used at all.

    A rail that holds gives a Result with status refused and its plan kept; a system that stops answering in the middle gives
    a partial one. ``peers``: who answered when both connections were proved. ``dry_run`` reads and decides, and writes
    nothing to either system.
    """
    lease = take_lease(workspace)
    started = workspace.clock.now()
    before = {side: system.calls for side, system in workspace.systems.items()}
    workspace.state.abandon_runs(lease, "The process ended before this run could finish. The next run goes on from there.")
    workspace.state.start_run(run, trigger, scope.label, started)
    session = _Session(workspace, scope, peers, run, lease)
    status, message, result = RunStatus.FAILED, "The run ended before it could finish.", None
    try:
        with _rarely_collected():
            status, message = session.work(dry_run=dry_run)
        settle_desk(workspace)
    except TieoutError as error:
        status = RunStatus.CONFIGURE if isinstance(error, Configure) else RunStatus.PARTIAL
        message = error.message
        if isinstance(error, Busy):
            status = RunStatus.BUSY
    finally:
        result = session.result(status, message, trigger, started, before)
        workspace.state.finish_run(result.summary)
        workspace.state.release(lease)
    return result


@contextmanager
def _rarely_collected() -> Iterator[None]:
    """Records are many small values that never refer to each other in circles: looking for circles is a tenth of a run."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], NEW_VALUES), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


class _Session:
    """The state of one pass."""

    def __init__(self, workspace: Workspace, scope: Scope, peers: Mapping[Side, Peer], run: str, lease: Lease) -> None:
        self._scope, self._peers, self._run, self._lease = scope, peers, run, lease
        self._passed = workspace.step
        self._workspace = replace(workspace, step=self._step)
        self._ledger = RunLedger(workspace.state, run)
        self._entities = in_parent_order(ENTITIES)
        self._plan = Plan(workspace.organisation, ())
        self._notes: list[str] = []
        self._emptied: tuple[str, ...] = ()
        self._refusals: tuple[str, ...] = ()
        self._unreadable: frozenset[Key] = frozenset()
        self._dry = False
        self._typed = 0
        self._rounds = Rounds(self._workspace, scope, run, self._ledger, self._decider)
        self._rested: Rest | None = None

    def _step(self, name: str) -> None:
        self._passed(name)
        self._keep_lease()

    def _keep_lease(self) -> None:
        """A run that takes long keeps its lease alive; one that was overtaken meanwhile ends here (Busy)."""
        if self._workspace.clock.now() > self._lease.expires_at - LEASE_LIVES * 2 / 3:
            self._lease = self._workspace.state.renew(self._lease)

    def work(self, *, dry_run: bool) -> tuple[RunStatus, str]:
        self._dry = dry_run
        cache = self._workspace.cache
        self._read()
        self._keep_lease()
        recover(self._workspace, self._run, self._lease)
        self._require_records()
        rest = self._at_rest()
        if rest is not None:
            return self._rest(rest)
        cache.keep_until_moved("")
        pulled = cache.generation
        self._plan = self._planned()
        if self._scope.plan and self._scope.plan != fingerprint(cache, self._plan):
            return RunStatus.REFUSED, MOVED
        self._refusals = self._stopped()
        if self._refusals:
            raise_kept = (
                f"Nothing was written. {' '.join(self._refusals)} Look at the plan; to go on, allow exactly this plan once."
            )
            return RunStatus.REFUSED, raise_kept
        if dry_run:
            self._preview_types()
            return RunStatus.PREVIEW, "Nothing was written."
        unfinished = cache.fact(PENDING) == "yes"
        cache.set_fact(PENDING, "yes")
        try:
            self._apply()
        finally:
            self._stamp(everything=unfinished)
        cache.set_fact(PENDING, "no")
        keep(self._workspace, self._peers)
        if self._is_whole and cache.generation == pulled and not (self._typed or self._rounds.sent):
            counts = {e.name: self._counts(e) for e in self._entities}
            remember(cache, self._workspace.state, self._workspace.clock.now(), counts)
        failed = sum(self._ledger.counts(e.name)[Outcome.FAILED] for e in self._entities)
        return self._ended(failed)

    @property
    def _is_whole(self) -> bool:
        return not self._dry and self._scope == Scope()

    def _at_rest(self) -> Rest | None:
        """What a run that found nothing to do came to, when nothing moved since: there is nothing to decide either."""
        ws = self._workspace
        if not self._is_whole or self._unreadable or self._emptied or ws.cache.fact(PENDING) == "yes":
            return None
        rest = recall(ws.cache, ws.state, ws.clock.now())
        return rest if rest is not None and look(ws, self._peers) == Ground() else None

    def _rest(self, rest: Rest) -> tuple[RunStatus, str]:
        """Only who is in which group of Xero can have moved: that is in no list of changes."""
        self._bring_types()
        self._stamp(everything=False)
        if self._ledger:
            self._workspace.cache.keep_until_moved("")
        self._rested = rest
        return self._ended(rest.failed)

    @staticmethod
    def _ended(failed: int) -> tuple[RunStatus, str]:
        return (RunStatus.PARTIAL, f"{failed} failed; the remark of each says why.") if failed else (RunStatus.SUCCESS, "")

    def _read(self) -> None:
        self._workspace.surroundings.forget()
        pulled = read_for(self._workspace, self._entities, self._scope, self._peers[Side.XERO].facts, self._run)
        self._notes, self._emptied = pulled.notes, pulled.emptied
        moved = {name for name, _ in records.dirty_sides(self._workspace.cache)}
        unreadable = [u for e in self._entities if e.name in moved for u in refresh(self._workspace, e, self._run)]
        unreadable += pulled.unreadable
        load_links(self._workspace, self._entities)
        if self._scope.only is None:
            look_for_absent(self._workspace, self._entities, self._run)
        self._unreadable = frozenset((u.entity, u.side, u.id) for u in unreadable)
        words = [self._not_read(u) for u in unreadable]
        self._ledger.keep(list({(word.entity, word.side, word.id): word for word in words}.values()))
        if not self._dry:
            follow_survivors(self._workspace)

    def _not_read(self, found: Unreadable) -> RecordStatus:
        """What is said of a pair stands with its Dynamics record, whichever side cannot be read."""
        link = self._workspace.state.links(found.entity, found.side, [found.id]).get(found.id)
        key = (found.entity, found.side, found.id) if link is None else (found.entity, Side.CRM, link.crm_id)
        self._ledger.note(key, Outcome.FAILED)
        now = self._workspace.clock.now()
        return RecordStatus(*key, Status.FAILED, UNREADABLE, found.error.message, None, now, self._run)

    def _require_records(self) -> None:
        """A record that neither system has is a slip of the pen. Raises Configure naming it."""
        for name, ids in (self._scope.only or {}).items():
            if not any(records.records(self._workspace.cache, name, side, sorted(ids)) for side in Side):
                named = min(ids, key=str)
                raise Configure(f"Neither system has a record {named} among the {name.replace('_', ' ')}. Check the id.")

    def _planned(self) -> Plan:
        cache = self._workspace.cache
        standing = self._workspace.state.status_counts()
        # A record that stands otherwise than well may be back in step without anything in the cache being open.
        restless = {*open_work.open_entities(cache), *(name for name, some in standing.items() if set(some) - {Status.SUCCESS})}
        # What is only half done without a record that is still open looks well, where the run that made it was killed.
        restless |= {e.name for e in self._entities if restless & {part.name for part, _ in completing(e.name)}}
        covered = [e for e in self._entities if self._scope.covers(e) and e.name in restless]
        decisions = self._rounds.planned(covered)
        ground = look(self._workspace, self._peers)
        linked, gone = records.linked_and_gone(cache)
        counts = linked, {name: self._not_told_yet(name, ids) for name, ids in gone.items()}
        return Plan(self._workspace.organisation, decisions, *counts, self._emptied, ground.strangers, ground.rules_changed)

    def _not_told_yet(self, name: str, gone: Sequence[str]) -> int:
        """How many of these pairs no run has put down as deleted on one side. Others wait for a person, and are no alarm."""
        told = self._workspace.state.statuses(name, Side.CRM, gone)
        return sum(row_id not in told or told[row_id].reason != ONE_SIDE_DELETED for row_id in gone)

    def _decider(self, *, ahead: bool) -> Decider:
        return Decider(self._workspace, ahead=ahead, only=self._scope.only, unreadable=self._unreadable)

    def _stopped(self) -> tuple[str, ...]:
        held = refusals(self._plan)
        if not held:
            return ()
        state, plan_hash = self._workspace.state, self._plan.hash
        allowed = state.granted_rails(plan_hash)
        if all(r.rail in allowed for r in held) and not self._dry:
            state.take_override(plan_hash)
            return ()
        if not self._dry:
            body = {"rails": [r.rail for r in held], "messages": [r.message for r in held]}
            state.save_plan(self._run, plan_hash, json.dumps(body))
        return tuple(r.message for r in held)

    def _apply(self) -> None:
        for entity in self._entities:
            if self._scope.covers(entity):
                self._keep_lease()
                self._apply_entity(entity)
        self._follow_up()

    def _follow_up(self) -> None:
        """What was made in Xero moved other records there (a payment its invoice): bring that over in the same run."""
        moved = {name for entity in self._rounds.made for name in entity.moves}
        followed = [e for e in self._entities if e.name in moved and self._scope.covers(e)]
        for stream in dict.fromkeys(carrier(s) for e in followed for s in e.xero):
            pull_stream(self._workspace, stream, self._run)
        for entity in followed:
            self._keep_lease()
            self._apply_entity(entity)

    def _apply_entity(self, entity: Entity) -> None:
        self._lease = let_go(self._workspace, entity, self._run, self._lease)
        self._rounds.work_off(entity, self._lease)
        self._forget_choices(entity)
        if entity.name == CONTACTS:
            self._bring_types()
        if entity.name in CODES:
            self._workspace.surroundings.forget()

    def _preview_types(self) -> None:
        if any(e.name == CONTACTS and self._scope.covers(e) for e in self._entities):
            only = None if self._scope.only is None else self._scope.only[CONTACTS]
            self._notes.extend(preview_types(self._workspace, only))

    def _bring_types(self) -> None:
        only = None if self._scope.only is None else self._scope.only[CONTACTS]
        brought = bring_types(self._workspace, self._run, self._lease, self._ledger, full=self._scope.full, only=only)
        self._notes.extend(brought.notes)
        self._typed = brought.moved

    def _forget_choices(self, entity: Entity) -> None:
        """A decision of a person is used up once its pair is no longer in conflict."""
        surroundings = self._workspace.surroundings
        for name, crm_id in read_choices(surroundings.chosen).keep:
            outcome = self._ledger.outcome((name, Side.CRM, crm_id))
            if name == entity.name and outcome in (Outcome.UPDATED, Outcome.UNCHANGED):
                self._workspace.state.remove_mapping(keep_key(name, crm_id))
                surroundings.forget()

    def _stamp(self, *, everything: bool) -> None:
        if everything:
            stamp_everything(self._workspace, self._run, self._lease)
        else:
            stamp(self._workspace, self._run, self._lease, self._ledger.stamped())

    def result(self, status: RunStatus, message: str, trigger: str, started: object, before: Mapping[Side, Calls]) -> Result:
        by_entity = {e.name: self._counts(e) for e in self._entities if self._scope.covers(e)}
        totals = Counter[str]()
        for counts in by_entity.values():
            totals.update(counts)
        summary = RunSummary(
            run=self._run,
            status=status,
            started=started,  # type: ignore[arg-type]  # execute passes the instant through
            finished=self._workspace.clock.now(),
            trigger=trigger,
            scope=self._scope.label,
            counts={str(o): totals[str(o)] for o in Outcome},
            calls=self._workspace.calls_since(before),
            message=message,
            by_entity=by_entity,
        )
        return Result(summary, self._plan, self._refusals, tuple(self._notes))

    def _counts(self, entity: Entity) -> dict[str, int]:
        found = self._ledger.counts(entity.name)
        if self._rested is not None:
            return self._rested.counts(entity.name, found)
        counts = self._plan.tally.of(entity.name) if self._dry else Counter({str(o): n for o, n in found.items()})
        linked = self._plan.linked.get(entity.name, 0) if self._scope.only is None else 0
        pairs = self._plan.tally.pairs[entity.name]
        pairs += self._typed if entity.name == CONTACTS and not self._dry else 0
        counts[str(Outcome.UNCHANGED)] += max(0, linked - pairs)
        return {str(o): counts[str(o)] for o in Outcome}
