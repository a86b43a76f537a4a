"""Records that need a person, brought together by their cause; and what people set aside or solved today."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from console.door import service
from sync_core.model import RecordStatus, Side, Status
from sync_core.service import Case, CaseStatus, Moved, Movement

KINDS = (Status.FAILED, Status.CONFLICT, Status.BLOCKED, Status.NEEDS_REVIEW)
MOST = 2_000
_PARTICULAR = re.compile(r"“[^”]*”|\d(?:[\d,.\-:]*\d)?")


@dataclass(frozen=True, slots=True)
class Group:
    """Records of one entity that stand where they stand for the same cause. ``cause`` is the remark of the first."""

    status: Status
    entity: str
    cause: str
    records: tuple[RecordStatus, ...]

    @property
    def row_ids(self) -> list[str]:
        return [row_of(record) for record in self.records]


@dataclass(frozen=True, slots=True)
class Desk:
    """All that the page shows. ``counts`` are exact, also where ``open`` holds only the first :data:`MOST` of a status."""

    open: Mapping[Status, Sequence[RecordStatus]]
    counts: Mapping[Status, int]
    aside: Sequence[Case]
    done: Sequence[Case]
    solved: Sequence[Movement]

    @property
    def more(self) -> bool:
        """Whether there are records that were not looked at."""
        return any(len(records) < self.counts[kind] for kind, records in self.open.items())


def desk() -> Desk:
    """What needs a person now, without what people set aside; what they set aside, and what was solved since the day began."""
    aside = [case for case in service().cases(status=CaseStatus.IGNORED, limit=MOST) if case.status is CaseStatus.IGNORED]
    hidden = {(case.entity, name) for case in aside for name in case.key.names}
    counted = service().overview().statuses
    kept: dict[Status, list[RecordStatus]] = {}
    counts: dict[Status, int] = {}
    for kind in KINDS:
        found = service().statuses(status=kind, limit=MOST)
        kept[kind] = [record for record in found if (record.entity, row_of(record)) not in hidden]
        counts[kind] = sum(by.get(kind, 0) for by in counted.values()) - (len(found) - len(kept[kind]))
    today = service().start_of_today()
    done = [case for case in service().cases(status=CaseStatus.RESOLVED, limit=MOST) if case.changed_at >= today]
    solved = [each for each in service().changes_since(today) if each.moved is Moved.SOLVED]
    return Desk(kept, counts, aside, done, solved)


def row_of(record: RecordStatus) -> str:
    """The row of the reconciliation that a record begins."""
    return f"{record.side}:{record.id}"


def grouped(records: Sequence[RecordStatus]) -> list[Group]:
    """The largest group first. Remarks that differ only in numbers, dates and quoted values have one cause."""
    causes: dict[tuple[Status, str, str], list[RecordStatus]] = defaultdict(list)
    for record in records:
        causes[record.status, record.entity, cause(record)].append(record)
    made = [Group(status, entity, held[0].remark, tuple(held)) for (status, entity, _), held in causes.items()]
    return sorted(made, key=lambda group: (-len(group.records), KINDS.index(group.status), group.entity))


def cause(record: RecordStatus) -> str:
    return f"{record.reason}: {common(record)}"


def common(record: RecordStatus) -> str:
    """The remark without what is particular to this record."""
    return _PARTICULAR.sub("…", record.remark)


def titles(entity: str, records: Collection[tuple[Side, str]]) -> dict[str, str]:
    """What people call these records, by id."""
    named: dict[str, str] = {}
    for side in Side:
        ids = [row_id for at, row_id in records if at is side]
        if ids:
            named |= service().titles(entity, side, ids)
    return named
