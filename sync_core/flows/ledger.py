"""What a run has done so far with each record: statuses with their remarks, outcomes for the summary, keys still to stamp."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from sync_core.model import Outcome, RecordStatus, Side, Status
from sync_core.rules.plan import OUTCOMES, Act, Decision
from sync_core.store.state import State

Key = tuple[str, Side, str]
_LASTING = frozenset({Outcome.CREATED, Outcome.UPDATED})


@dataclass(frozen=True, slots=True)
class _Mark:
    """What a run noted of a record. ``said``: what the last decision on it says; ``stamped``: it is to be stamped."""

    outcome: Outcome | None = None
    said: Status | None = None
    stamped: bool = False


_mark = lru_cache(None)(_Mark)
"""There are few different marks, and a record for every one of the company's: all that say the same are one."""
_NONE = _mark(None, None, False)


class RunLedger:
    """Collects what becomes of each record during a run and keeps it in the state."""

    def __init__(self, state: State, run: str) -> None:
        self._state = state
        self._run = run
        self._marks: dict[tuple[str, Side], dict[str, _Mark]] = {}

    def __bool__(self) -> bool:
        """Whether anything came of any record."""
        return any(mark.outcome is not None for marks in self._marks.values() for mark in marks.values())

    def counts(self, entity: str) -> Counter[Outcome]:
        marks = (mark for (name, _), some in self._marks.items() if name == entity for mark in some.values())
        return Counter(mark.outcome for mark in marks if mark.outcome is not None)

    def outcome(self, key: Key) -> Outcome | None:
        """What came of a record so far, None: nothing yet."""
        return self._of(key).outcome

    def note(self, key: Key, outcome: Outcome) -> None:
        """Something came of a record; it is to be stamped."""
        self._put(key, outcome, self._of(key).said, stamped=True)

    def stamp(self, keys: Iterable[Key]) -> None:
        """These records are to be stamped when the run ends."""
        for key in keys:
            mark = self._of(key)
            self._put(key, mark.outcome, mark.said, stamped=True)

    def stamped(self) -> Iterator[Key]:
        """Records that are to be stamped."""
        for (entity, side), marks in self._marks.items():
            yield from ((entity, side, row_id) for row_id, mark in marks.items() if mark.stamped)

    def _of(self, key: Key) -> _Mark:
        return self._marks.get(key[:2], {}).get(key[2], _NONE)

    def _put(self, key: Key, outcome: Outcome | None, said: Status | None, *, stamped: bool) -> None:
        self._marks.setdefault(key[:2], {})[key[2]] = _mark(outcome, said, stamped)

    def status_of(self, decision: Decision, now: datetime, *, wrote: bool) -> RecordStatus:
        """The status row for a decision that came out as planned. ``wrote``: a system was changed for it."""
        good = decision.status is Status.SUCCESS
        synced = now if good and (wrote or decision.matched_by) else None
        return RecordStatus(
            *decision.key, decision.status, decision.reason, decision.remark or decision.status.value, synced, now, self._run
        )

    def failure(self, decision: Decision, remark: str, reason: str, now: datetime, detail: str = "") -> RecordStatus:
        self.note(decision.key, Outcome.FAILED)
        return RecordStatus(*decision.key, Status.FAILED, reason, remark, None, now, self._run, detail)

    def waiting(self, decision: Decision, remark: str, reason: str, now: datetime, detail: str = "") -> RecordStatus:
        """It was sent, and what came of it is not known yet: the next run looks."""
        self.note(decision.key, OUTCOMES[Status.SYNCING])
        return RecordStatus(*decision.key, Status.SYNCING, reason, remark, None, now, self._run, detail)

    def done(self, decision: Decision) -> bool:
        """Take note of a decision; False when the record already has a better word in this run (created, then linked)."""
        key, outcome = decision.key, decision.outcome
        mark = self._of(key)
        better = mark.outcome in _LASTING and (outcome in (Outcome.UPDATED, Outcome.UNCHANGED) or decision.act is Act.ADOPT)
        stamped = mark.stamped or decision.act is not Act.PARK
        self._put(key, mark.outcome if better else outcome, decision.status, stamped=stamped)
        return not better or decision.status is not mark.said

    def keep(self, rows: Sequence[RecordStatus]) -> None:
        """Keep those that say something new, to be stamped; a record that stands as before is not touched."""
        groups: dict[tuple[str, Side], list[RecordStatus]] = {}
        for row in rows:
            groups.setdefault((row.entity, row.side), []).append(row)
        for (entity, side), some in groups.items():
            known = self._state.statuses(entity, side, [r.id for r in some])
            new = [r for r in some if _says_more(r, known.get(r.id))]
            self._state.set_statuses(new)
            self.stamp((entity, side, r.id) for r in new)


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
