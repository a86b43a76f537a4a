"""Records that need a person, brought together by their cause; and what people set aside or solved today."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from console.door import service
from console.texts import listed, money
from sync_core.model import RecordStatus, Side, Status
from sync_core.service import Case, CaseStatus, Difference, Movement

KINDS = (Status.FAILED, Status.CONFLICT, Status.BLOCKED, Status.NEEDS_REVIEW)
MOST = 2_000
Risks = Mapping[tuple[str, str], Difference]
"""By entity and row, the open difference in which a record stands."""
_PARTICULAR = re.compile(r"“[^”]*”|\d(?:[\d,.\-:]*\d)?")


@dataclass(frozen=True, slots=True)
class Risk:
    """Money at risk: per currency, never added up. ``weight``, in the base currency as far as rates are known, only sorts."""

    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    weight: Decimal = Decimal(0)

    @property
    def words(self) -> str:
        """ "NZD 1,284.10 and USD 20.00", the largest first; "" for no money."""
        largest = sorted(self.amounts.items(), key=lambda item: (-item[1], item[0]))
        return listed([money(value, currency) for currency, value in largest])

    @property
    def largest(self) -> Decimal:
        return max(self.amounts.values(), default=Decimal(0))


@dataclass(frozen=True, slots=True)
class Group:
    """Records of one entity that stand where they stand for the same cause, the most money at risk first.

    ``cause`` is the remark of the first.
    """

    status: Status
    entity: str
    cause: str
    records: tuple[RecordStatus, ...]
    risk: Risk

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
    now = waiting()
    hidden = {(case.entity, name) for case in now.aside for name in case.key.names}
    kept: dict[Status, list[RecordStatus]] = {}
    for kind in KINDS:
        found = service().statuses(status=kind, limit=MOST)
        kept[kind] = [record for record in found if (record.entity, row_of(record)) not in hidden]
    today = service().start_of_today()
    done = [case for case in service().cases(status=CaseStatus.RESOLVED, limit=MOST) if case.changed_at >= today]
    solved = [each for each in service().solved_since(today) if not hidden.intersection(_rows(each.difference))]
    return Desk(kept, now.counts, now.aside, done, solved)


def _rows(each: Difference) -> list[tuple[str, str]]:
    return [(each.entity, name) for name in each.names]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many records need a person, per status, without those that people set aside; and what these are."""

    counts: Mapping[Status, int]
    aside: Sequence[Case]


def waiting() -> Waiting:
    """Counted exactly, however many there are. What was set aside counts again once its time is over or a side changed."""
    kept = service().cases(status=CaseStatus.IGNORED, limit=None)
    aside = [case for case in kept if case.status is CaseStatus.IGNORED]
    counted = service().overview().statuses
    hidden = Counter(status.status for status in _statuses_of(aside))
    return Waiting({kind: sum(by.get(kind, 0) for by in counted.values()) - hidden[kind] for kind in KINDS}, aside)


def _statuses_of(cases: Sequence[Case]) -> Iterator[RecordStatus]:
    """Where the records of these rows stand, each once."""
    ids: dict[tuple[str, Side], set[str]] = defaultdict(set)
    for case in cases:
        for side, row_id in ((Side.CRM, case.crm_id), (Side.XERO, case.xero_id)):
            if row_id:
                ids[case.entity, side].add(row_id)
    for (entity, side), some in ids.items():
        yield from service().statuses_among(entity, side, sorted(some)).values()


def row_of(record: RecordStatus) -> str:
    """The row of the reconciliation that a record begins."""
    return f"{record.side}:{record.id}"


def risks(records: Iterable[RecordStatus]) -> Risks:
    """The open differences in which these records stand. Entities whose records have no amounts are in none."""
    rows: dict[str, list[str]] = defaultdict(list)
    for record in records:
        rows[record.entity].append(row_of(record))
    found = {entity: service().differences_on(entity, some) for entity, some in rows.items()}
    return {(entity, row): each for entity, on in found.items() for row, each in on.items()}


def at_risk(records: Iterable[RecordStatus], known: Risks) -> Risk:
    """What these records put at risk together. Both records of a pair stand in one difference, which counts once."""
    amounts: dict[str, Decimal] = {}
    weight = Decimal(0)
    for each in dict.fromkeys(d for r in records if (d := known.get((r.entity, row_of(r)))) is not None and d.at_risk):
        amounts[each.currency] = amounts.get(each.currency, Decimal(0)) + each.at_risk
        weight += each.base_at_risk or 0
    return Risk(amounts, weight)


def grouped(records: Sequence[RecordStatus], known: Risks) -> list[Group]:
    """The group with the most money at risk first, then the one with the most records.

    Remarks that differ only in numbers, dates and quoted values have one cause.
    """
    causes: dict[tuple[Status, str, str], list[RecordStatus]] = defaultdict(list)
    for record in records:
        causes[record.status, record.entity, cause(record)].append(record)
    made = [_group(status, entity, held, known) for (status, entity, _), held in causes.items()]
    return sorted(
        made,
        key=lambda g: (-g.risk.weight, -g.risk.largest, -len(g.records), KINDS.index(g.status), g.entity),
    )


def _group(status: Status, entity: str, held: Sequence[RecordStatus], known: Risks) -> Group:
    def order(record: RecordStatus) -> tuple[Decimal, Decimal]:
        alone = at_risk([record], known)
        return -alone.weight, -alone.largest

    records = tuple(sorted(held, key=order))
    return Group(status, entity, records[0].remark, records, at_risk(records, known))


def cause(record: RecordStatus) -> str:
    return f"{record.reason}: {common(record)}"


def common(record: RecordStatus) -> str:
    """The remark without what is particular to this record."""
    return _PARTICULAR.sub("…", record.remark).replace("… …", "…")


def titles(entity: str, records: Collection[tuple[Side, str]]) -> dict[str, str]:
    """What people call these records, by id."""
    named: dict[str, str] = {}
    for side in Side:
        ids = [row_id for at, row_id in records if at is side]
        if ids:
            named |= service().titles(entity, side, ids)
    return named
