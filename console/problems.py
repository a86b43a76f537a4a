"""Records that need a person, brought together by their cause."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from console.door import service
from sync_core.model import RecordStatus, Status

KINDS = (Status.FAILED, Status.CONFLICT, Status.BLOCKED, Status.NEEDS_REVIEW)
MOST = 2_000
_PARTICULAR = re.compile(r"“[^”]*”|\d[\d,.\-:]*")


@dataclass(frozen=True, slots=True)
class Group:
    """Records of one entity that stand where they stand for the same cause. ``cause`` is the remark of the first."""

    status: Status
    entity: str
    cause: str
    records: tuple[RecordStatus, ...]


def groups() -> tuple[list[Group], bool]:
    """All groups, the largest first, and whether there are more records than were looked at."""
    found = {kind: service().statuses(status=kind, limit=MOST) for kind in KINDS}
    every = [status for kind in KINDS for status in found[kind]]
    return grouped(every), any(len(records) == MOST for records in found.values())


def grouped(records: Sequence[RecordStatus]) -> list[Group]:
    """Remarks that differ only in numbers, dates and quoted values have one cause."""
    causes: dict[tuple[Status, str, str], list[RecordStatus]] = defaultdict(list)
    for record in records:
        causes[record.status, record.entity, cause(record)].append(record)
    made = [Group(status, entity, held[0].remark, tuple(held)) for (status, entity, _), held in causes.items()]
    return sorted(made, key=lambda group: (-len(group.records), KINDS.index(group.status), group.entity))


def cause(record: RecordStatus) -> str:
    return f"{record.reason}: {_PARTICULAR.sub('…', record.remark)}"


def titles(group: Group) -> dict[str, str]:
    """What people call the records of ``group``."""
    sides = {record.side for record in group.records}
    named: dict[str, str] = {}
    for side in sides:
        named |= service().titles(group.entity, side, [r.id for r in group.records if r.side is side])
    return named
