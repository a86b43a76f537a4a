"""The rounds of a run: what was decided of one entity is linked, settled and written, until nothing is left to write."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol

from sync_core.flows.apply import Applier
from sync_core.flows.decide import Decider
from sync_core.flows.images import adopt
from sync_core.flows.ledger import RunLedger, parked
from sync_core.flows.linking import changing_links
from sync_core.flows.pull import refresh
from sync_core.flows.scope import Scope
from sync_core.flows.workspace import Workspace
from sync_core.model import Link, Side
from sync_core.rules.declaration import Entity
from sync_core.rules.entities import completing
from sync_core.rules.plan import Act, Decision
from sync_core.store import open_work, records
from sync_core.store.leases import Lease

ROUNDS = 5
CHUNK = 2000
"""Decisions that are looked at together."""
TOGETHER = 10_000
"""Decisions that write, gathered before they are sent, so that few batches go half filled."""
FEW = 5_000
"""Decisions of an entity that are kept for a later round; more are decided anew, or memory would grow with the company."""


class MakeDecider(Protocol):
    """Makes a decider over the run's scope, see :class:`~sync_core.flows.decide.Decider`."""

    def __call__(self, *, ahead: bool) -> Decider: ...


class Rounds:
    """Works off one entity after the other. ``sent``: whether a system was asked for any change; ``made``: the entities of
    which something was made in Xero that moves other records there.
    """

    def __init__(self, workspace: Workspace, scope: Scope, run: str, ledger: RunLedger, make_decider: MakeDecider) -> None:
        self._workspace, self._scope, self._run, self._ledger = workspace, scope, run, ledger
        self._make_decider = make_decider
        self._planner: Decider | None = None
        self._kept: dict[str, list[Decision]] = {}
        self._restless: set[str] = set()
        self._wrote = False
        self.sent = False
        self.made: list[Entity] = []

    def planned(self, entities: Sequence[Entity]) -> Iterator[Decision]:
        """The decisions that a plan is made of. While an entity's are few they are kept, and not decided a second time."""
        planner = self._planner = self._make_decider(ahead=True)
        self._restless = {entity.name for entity in entities}
        for entity in entities:
            kept: list[Decision] | None = []
            for decision in planner.decide(entity):
                if kept is not None:
                    kept.append(decision)
                    kept = kept if len(kept) <= FEW else None
                yield decision
            if kept is not None:
                self._kept[entity.name] = kept

    def work_off(self, entity: Entity, lease: Lease) -> None:
        """Rounds until nothing is left to write: a new twin is noted on its source, a child follows its parent."""
        insist = self._scope.only is not None or self._scope.full
        if self._wrote:
            refresh(self._workspace, entity, self._run)
        if not self._may_need(entity):
            return
        applier = Applier(self._workspace, self._run, lease, self._ledger, insist=insist)
        clashing: set[tuple[str, str]] = set()
        for turn in range(ROUNDS):
            decider, decisions = self._decided(entity, first=turn == 0, leaving=self._unmoved(entity, clashing))
            if self._carry_out(entity, applier, decider, decisions, clashing) == 0:
                break
        self.sent = self.sent or applier.sent

    def _may_need(self, entity: Entity) -> bool:
        """Whether anything can be decided of ``entity``: it was planned, or something that this run wrote opened it."""
        if self._wrote and entity.name not in self._restless:
            opened = self._restless | open_work.open_entities(self._workspace.cache)
            if opened & {entity.name, *(part.name for part, _ in completing(entity.name))}:
                self._restless.add(entity.name)
        return entity.name in self._restless

    def _unmoved(self, entity: Entity, clashing: Collection[tuple[str, str]]) -> frozenset[tuple[str, str]]:
        """Conflicts of the round before whose records this run did not move: the next round comes to the same of them."""
        if not clashing:
            return frozenset()
        moved = records.moved_in(self._workspace.cache, entity.name, self._run, {i for pair in clashing for i in pair})
        return frozenset(pair for pair in clashing if not moved & set(pair))

    def _carry_out(
        self,
        entity: Entity,
        applier: Applier,
        decider: Decider,
        decisions: Iterable[Decision],
        clashing: set[tuple[str, str]],
    ) -> int:
        """Link, settle and write as the decisions come; returns how many elements a system took. Notes what is in conflict."""
        taken, writing, coming = 0, list[Decision](), iter(decisions)
        while chunk := list(islice(coming, CHUNK)):
            self._link(entity, [d for d in chunk if d.matched_by and d.crm_id and d.xero_id])
            self._settle(entity, [d for d in chunk if parked(d)])
            if len(clashing) < FEW:
                clashing |= {(d.crm_id or "", d.xero_id or "") for d in chunk if parked(d) and d.clashes}
            writing += [d for d in chunk if not parked(d)]
            if len(writing) >= TOGETHER:
                taken += self._write(entity, applier, decider, writing)
                writing = []
        return taken + (self._write(entity, applier, decider, writing) if writing else 0)

    def _write(self, entity: Entity, applier: Applier, decider: Decider, writing: Sequence[Decision]) -> int:
        self._wrote = True
        self._planner = None
        self._kept.clear()
        if entity.moves and any(d.target is Side.XERO for d in writing):
            self.made.append(entity)
        return applier.apply(entity, writing, decider)

    def _decided(
        self, entity: Entity, *, first: bool, leaving: frozenset[tuple[str, str]]
    ) -> tuple[Decider, Iterable[Decision]]:
        """The plan's own decisions, if they were few and this run wrote nothing that they could not know of; else new ones."""
        kept = self._kept.pop(entity.name, None) if first and not self._wrote else None
        if kept is not None and self._planner is not None:
            return self._planner, kept
        decider = self._make_decider(ahead=False)
        return decider, decider.decide(entity, leaving)

    def _link(self, entity: Entity, decisions: Sequence[Decision]) -> None:
        now = self._workspace.clock.now()
        links = [Link(entity.name, d.crm_id or "", d.xero_id or "", d.matched_by, now) for d in decisions]
        if links:
            with changing_links(self._workspace):
                self._workspace.state.add_links(links)
                self._workspace.step("linked")
                records.set_partners(self._workspace.cache, links)

    def _settle(self, entity: Entity, decisions: Sequence[Decision]) -> None:
        """Decisions that write nothing: agreed images for those in step, a status for each.

        What stays parked as it was is not stamped again, unless one of its records moved.
        """
        now = self._workspace.clock.now()
        adopt(self._workspace, entity, [d for d in decisions if d.act is Act.ADOPT], self._run)
        self._ledger.keep([self._ledger.status_of(d, now, wrote=False) for d in decisions if self._ledger.done(d)])
        some = [d for d in decisions if d.act is Act.PARK]
        ids = [i for d in some for i in (d.crm_id, d.xero_id) if i]
        moved = records.moved_in(self._workspace.cache, entity.name, self._run, ids) if ids else frozenset()
        self._ledger.stamp(d.key for d in some if d.matched_by or moved & {d.crm_id, d.xero_id})
