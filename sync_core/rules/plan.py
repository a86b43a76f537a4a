"""What a run is going to do: decisions per record, what they add up to, and the hash that an override is bound to."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass, field
from enum import StrEnum
from typing import Any

from sync_core.model import Outcome, Record, Side, Status, Value, Verb
from sync_core.rules.compare import Clash
from sync_core.rules.declaration import Entity, Kind, Owner
from sync_core.rules.entities import entity as declared
from sync_core.rules.mapping import dumps


class Act(StrEnum):
    """What becomes of one record or pair. Only CREATE and UPDATE call a system."""

    CREATE = "create"
    UPDATE = "update"
    ADOPT = "adopt"
    PARK = "park"


@dataclass(frozen=True, slots=True)
class Decision:
    """One record (unlinked) or pair (linked), what to do with it, and how it stands if nothing more happens.

    ``changes``: per side, the canonical values that UPDATE writes there; for CREATE the side is ``target``.
    ``open_fields``: fields that stay undecided (a clash, a locked document), so that no image may call them agreed.
    ``matched_by``: set when this decision also makes the link. ``table``: where CREATE makes it, "" for the entity's first.
    ``seen``: per side, the hash of what was decided on; what moved since then was not looked at.
    """

    entity: str
    act: Act
    crm_id: str | None
    xero_id: str | None
    status: Status
    remark: str
    reason: str = ""
    target: Side | None = None
    changes: Mapping[Side, Mapping[str, Value]] = field(default_factory=dict)
    clashes: tuple[Clash, ...] = ()
    open_fields: tuple[str, ...] = ()
    matched_by: str = ""
    title: str = ""
    table: str = ""
    seen: Mapping[Side, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, Side, str]:
        """The record that carries the status: the Dynamics one where there is one."""
        if self.crm_id is not None:
            return self.entity, Side.CRM, self.crm_id
        return self.entity, Side.XERO, self.xero_id or ""

    @property
    def writes(self) -> tuple[tuple[Side, Verb], ...]:
        if self.act is Act.CREATE and self.target is not None:
            return ((self.target, Verb.CREATE),)
        return tuple((side, Verb.UPDATE) for side in Side if self.changes.get(side))

    @property
    def outcome(self) -> Outcome:
        if self.act is Act.CREATE:
            return Outcome.CREATED
        if self.act is Act.UPDATE and not self.clashes:
            return Outcome.UPDATED
        return OUTCOMES.get(self.status, Outcome.UNCHANGED)


def pair_decision(entity: Entity, act: Act, crm: Record, xero: Record, status: Status, remark: str, **more: Any) -> Decision:
    """A decision on a pair."""
    title = crm.fields.get(entity.title) or xero.fields.get(entity.title)
    return Decision(entity.name, act, crm.id, xero.id, status, remark, title=str(title or ""), **more)


def lone_decision(
    entity: Entity, record: Record, status: Status, remark: str, reason: str, *, act: Act = Act.PARK, target: Side | None = None
) -> Decision:
    """A decision on a record without a partner."""
    crm_id = record.id if record.side is Side.CRM else None
    xero_id = record.id if record.side is Side.XERO else None
    title = str(record.fields.get(entity.title) or "")
    return Decision(entity.name, act, crm_id, xero_id, status, remark, reason=reason, target=target, title=title)


OUTCOMES = {
    Status.FAILED: Outcome.FAILED,
    Status.SKIPPED: Outcome.SKIPPED,
    Status.EXCLUDED: Outcome.SKIPPED,
    Status.MISSING_IN_CRM: Outcome.SKIPPED,
    Status.MISSING_IN_XERO: Outcome.SKIPPED,
    Status.NEVER_SYNCED: Outcome.SKIPPED,
    Status.BLOCKED: Outcome.BLOCKED,
    Status.SYNCING: Outcome.BLOCKED,
    Status.CONFLICT: Outcome.CONFLICT,
    Status.NEEDS_REVIEW: Outcome.CONFLICT,
}


SHOWN = 500
"""So many decisions of each sort are kept to be looked at; all are counted."""


@dataclass(slots=True)
class Tally:
    """What a plan comes to, added up decision by decision, so that no run must hold them all.

    ``written`` and ``left``: the first :data:`SHOWN` decisions that write, and of those that do not although a record does
    not stand well; ``writing`` and ``leaving``: how many there are of each. ``sources``: what new records are made from.
    """

    writes: Counter[tuple[str, Side, Verb]] = field(default_factory=Counter)
    outcomes: Counter[tuple[str, Outcome]] = field(default_factory=Counter)
    overwrites: Counter[str] = field(default_factory=Counter)
    pairs: Counter[str] = field(default_factory=Counter)
    sum: int = 0
    written: list[Decision] = field(default_factory=list)
    left: list[Decision] = field(default_factory=list)
    writing: int = 0
    leaving: int = 0
    sources: dict[tuple[str, Side], list[str]] = field(default_factory=dict)

    def add(self, decision: Decision) -> None:
        outcome = decision.outcome
        self.outcomes[decision.entity, outcome] += 1
        self.writes.update((decision.entity, side, verb) for side, verb in decision.writes)
        if decision.crm_id and decision.xero_id and not decision.matched_by:
            self.pairs[decision.entity] += 1
        if decision.act is Act.CREATE:
            self.sources.setdefault(decision.key[:2], []).append(decision.key[2])
        if not decision.writes:
            self._leave(decision, outcome)
        else:
            self.writing += 1
            if len(self.written) < SHOWN:
                self.written.append(decision)
            self.overwrites[decision.entity] += _overwrites(decision)
            changes = [[s, dict(c)] for s, c in sorted(decision.changes.items())]
            self.sum += int.from_bytes(_digest(dumps([*decision.key, decision.act, changes])))

    def _leave(self, decision: Decision, outcome: Outcome) -> None:
        if outcome is not Outcome.UNCHANGED:
            self.leaving += 1
            if len(self.left) < SHOWN:
                self.left.append(decision)

    def of(self, entity: str) -> Counter[str]:
        """Records of one entity by their outcome."""
        return Counter({str(outcome): n for (name, outcome), n in self.outcomes.items() if name == entity})


def _digest(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).digest()


def _overwrites(decision: Decision) -> bool:
    """Whether a decision changes what a person may have written: not a note of a link, not a copy of what Xero owns."""
    if decision.matched_by:
        return False
    fields = (declared(decision.entity).field(name) for some in decision.changes.values() for name in some)
    return any(not f.hidden and f.owner is not Owner.XERO and f.kind is not Kind.FLAG for f in fields)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is going to do, with what the rails need to know about the company that it was made from.

    ``decisions`` are added up as they come and not kept. ``linked``: linked pairs per entity; ``gone``: how many of them are
    gone from a side. ``emptied``: lists that came back empty although many rows are known. ``strangers``: systems that are
    another one than in the last run. ``rules_changed``: fields are carried over otherwise than in the last run.
    """

    organisation: str
    decisions: InitVar[Iterable[Decision]]
    linked: Mapping[str, int] = field(default_factory=dict)
    gone: Mapping[str, int] = field(default_factory=dict)
    emptied: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    rules_changed: bool = False
    tally: Tally = field(init=False, default_factory=Tally)

    def __post_init__(self, decisions: Iterable[Decision]) -> None:
        for decision in decisions:
            self.tally.add(decision)

    @property
    def hash(self) -> str:
        """The same for the same decisions on the same values, in whatever order; an override is bound to it."""
        return _digest(f"{self.organisation} {self.tally.sum}".encode()).hex()

    def writes(self) -> Counter[tuple[str, Side, Verb]]:
        """Elements to be written per entity, side and verb."""
        return self.tally.writes

    def outcomes(self) -> Counter[Outcome]:
        counts: Counter[Outcome] = Counter()
        for (_, outcome), number in self.tally.outcomes.items():
            counts[outcome] += number
        return counts


def calls_for(writes: Iterable[tuple[tuple[str, Side, Verb], int]], batch: Mapping[Side, int]) -> dict[Side, int]:
    """The fewest write calls that these elements need, per side."""
    calls = dict.fromkeys(Side, 0)
    for (_, side, _), count in writes:
        calls[side] += -(-count // batch[side])
    return calls


def plan_view(plan: Plan, batch: Mapping[Side, int], stopped: Iterable[str] = ()) -> dict[str, object]:
    """``plan`` as people and programs read it. ``calls`` is the fewest write calls that it can be carried out with."""
    writes = plan.writes()
    return {
        "hash": plan.hash,
        "writes": sum(writes.values()),
        "calls": sum(calls_for(writes.items(), batch).values()),
        "by_entity": [
            {"entity": entity, "side": str(side), "verb": str(verb), "count": count}
            for (entity, side, verb), count in sorted(writes.items())
        ],
        "stopped": list(stopped),
    }
