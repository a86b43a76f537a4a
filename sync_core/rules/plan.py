"""What a run is going to do: decisions per record, light enough to hold for a whole company, and the hash they are bound to."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sync_core.model import Outcome, Record, Side, Status, Value, Verb
from sync_core.rules.compare import Clash
from sync_core.rules.declaration import Entity
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
    Status.CONFLICT: Outcome.CONFLICT,
    Status.NEEDS_REVIEW: Outcome.CONFLICT,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """All decisions of a run, with what the rails need to know about the company they were made from.

    ``linked``: linked pairs per entity; ``gone``: how many of them are gone from a side. ``emptied``: lists that came back
    empty although many rows are known. ``strangers``: systems that are another one than in the last run.
    ``rules_changed``: fields are carried over otherwise than in the last run.
    """

    organisation: str
    decisions: tuple[Decision, ...]
    linked: Mapping[str, int] = field(default_factory=dict)
    gone: Mapping[str, int] = field(default_factory=dict)
    emptied: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    rules_changed: bool = False

    @property
    def hash(self) -> str:
        """The same for the same decisions on the same values; an override is bound to it."""
        digest = hashlib.blake2b(self.organisation.encode(), digest_size=16)
        for d in sorted(self.decisions, key=lambda d: d.key):
            if d.writes:
                digest.update(dumps([*d.key, d.act, [[s, dict(c)] for s, c in sorted(d.changes.items())]]))
        return digest.hexdigest()

    def writes(self) -> Counter[tuple[str, Side, Verb]]:
        """Elements to be written per entity, side and verb."""
        return Counter((d.entity, side, verb) for d in self.decisions for side, verb in d.writes)

    def outcomes(self) -> Counter[Outcome]:
        return Counter(d.outcome for d in self.decisions)


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
