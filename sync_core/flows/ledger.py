"""What a run has done so far with each record: statuses with their remarks, outcomes for the summary, keys still to stamp."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sync_core.model import Outcome, RecordStatus, Side, Status
from sync_core.rules.plan import OUTCOMES, Act, Decision
from sync_core.store.state import State

Key = tuple[str, Side, str]
_LASTING = frozenset({Outcome.CREATED, Outcome.UPDATED})


class RunLedger:
    """Collects what becomes of each record during a run and keeps it in the state."""

    def __init__(self, state: State, run: str) -> None:
        self._state = state
        self._run = run
        self.outcomes: dict[Key, Outcome] = {}
        self.stamped: set[Key] = set()
        self._said: dict[Key, Status] = {}

    def counts(self, entity: str) -> Counter[Outcome]:
        return Counter(o for (e, _, _), o in self.outcomes.items() if e == entity)

    def status_of(self, decision: Decision, now: datetime, *, wrote: bool) -> RecordStatus:
        """The status row for a decision that came out as planned. ``wrote``: a system was changed for it."""
        good = decision.status is Status.SUCCESS
        synced = now if good and (wrote or decision.matched_by) else None
        return RecordStatus(
            *decision.key, decision.status, decision.reason, decision.remark or decision.status.value, synced, now, self._run
        )

    def failure(self, decision: Decision, remark: str, reason: str, now: datetime, detail: str = "") -> RecordStatus:
        self.outcomes[decision.key] = Outcome.FAILED
        self.stamped.add(decision.key)
        return RecordStatus(*decision.key, Status.FAILED, reason, remark, None, now, self._run, detail)

    def waiting(self, decision: Decision, remark: str, reason: str, now: datetime, detail: str = "") -> RecordStatus:
        """It was sent, and what came of it is not known yet: the next run looks."""
        self.outcomes[decision.key] = OUTCOMES[Status.SYNCING]
        self.stamped.add(decision.key)
        return RecordStatus(*decision.key, Status.SYNCING, reason, remark, None, now, self._run, detail)

    def done(self, decision: Decision) -> bool:
        """Take note of a decision; False when the record already has a better word in this run (created, then linked)."""
        before, outcome = self.outcomes.get(decision.key), decision.outcome
        said = self._said.get(decision.key)
        if decision.act is not Act.PARK:
            self.stamped.add(decision.key)
        self._said[decision.key] = decision.status
        if before in _LASTING and (outcome in (Outcome.UPDATED, Outcome.UNCHANGED) or decision.act is Act.ADOPT):
            return decision.status is not said
        self.outcomes[decision.key] = outcome
        return True

    def keep(self, rows: Sequence[RecordStatus]) -> None:
        """Keep those that say something new, to be stamped; a record that stands as before is not touched."""
        groups: dict[tuple[str, Side], list[RecordStatus]] = {}
        for row in rows:
            groups.setdefault((row.entity, row.side), []).append(row)
        for (entity, side), some in groups.items():
            known = self._state.statuses(entity, side, [r.id for r in some])
            new = [r for r in some if _says_more(r, known.get(r.id))]
            self._state.set_statuses(new)
            self.stamped.update((entity, side, r.id) for r in new)


def _says_more(new: RecordStatus, old: RecordStatus | None) -> bool:
    if old is None or new.last_synced is not None:
        return True
    if new.status is Status.SUCCESS and old.status is Status.SUCCESS:
        return False  # still in step: what was last done to it stays the better remark
    same = replace(new, last_synced=old.last_synced, last_attempt=old.last_attempt, run=old.run)
    return replace(same, detail=new.detail or old.detail) != old


def parked(decision: Decision) -> bool:
    """Whether a decision writes nothing to either system."""
    return decision.act in (Act.ADOPT, Act.PARK)
