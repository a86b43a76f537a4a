"""Differences over time: how old they are, what they put at risk, and what changed since a certain instant. Pure.

Money at risk is never negative: the difference of the amounts, or of what is still due where that is more (a payment that did
not arrive leaves the totals equal). It is in the document's currency, and in the base currency where the rate is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sync_core.model import MatchStatus
from sync_core.rules.reconcile import ZERO

OPEN: tuple[MatchStatus, ...] = (
    MatchStatus.DIFFERS,
    MatchStatus.MISSING_IN_CRM,
    MatchStatus.MISSING_IN_XERO,
    MatchStatus.DUPLICATE,
    MatchStatus.AMBIGUOUS,
    MatchStatus.TIMING,
    MatchStatus.VOIDED_ONE_SIDE,
)
"""Rows that are open differences. Those within tolerance or set aside are none."""


class Bucket(StrEnum):
    NOT_DUE = "not due yet"
    WEEK = "0-7 days"
    MONTH = "8-30 days"
    TWO_MONTHS = "31-60 days"
    THREE_MONTHS = "61-90 days"
    OLDER = "over 90 days"


_ENDS = ((7, Bucket.WEEK), (30, Bucket.MONTH), (60, Bucket.TWO_MONTHS), (90, Bucket.THREE_MONTHS))


def bucket(days: int) -> Bucket:
    """The bucket of something that is ``days`` old; negative: not due yet."""
    return Bucket.NOT_DUE if days < 0 else next((name for end, name in _ENDS if days <= end), Bucket.OLDER)


@dataclass(frozen=True, slots=True)
class Difference:
    """One open difference as it stood from ``since`` until ``until`` (None: still). ``row`` is its row's id.

    ``rate``: units of its currency per one of the base currency, None when no side says it; ``base_at_risk`` is None then.
    """

    entity: str
    row: str
    crm_id: str | None
    xero_id: str | None
    first_seen: datetime
    since: datetime
    until: datetime | None
    run: str
    status: MatchStatus
    reason: str
    words: str
    number: str
    contact: str
    currency: str
    doc_date: date | None
    due_date: date | None
    difference: Decimal
    at_risk: Decimal
    rate: Decimal | None = None
    base_at_risk: Decimal | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every row under which it may have been noted before its records stood beside each other."""
        return (self.row, f"xero:{self.xero_id}") if self.xero_id else (self.row,)

    def says_the_same_as(self, other: Difference) -> bool:
        """Whether people would read the same of both."""
        plain = {"first_seen": other.first_seen, "since": other.since, "until": other.until, "run": other.run}
        return replace(self, **plain) == other  # type: ignore[arg-type]  # four instants and a run, under their own names


def at_risk(difference: Decimal, crm_due: Decimal | None, xero_due: Decimal | None) -> Decimal:
    """Money at risk in the document's currency."""
    due = abs((crm_due or ZERO) - (xero_due or ZERO)) if crm_due is not None and xero_due is not None else ZERO
    return max(abs(difference), due)


def in_base(amount: Decimal, rate: Decimal | None) -> Decimal | None:
    """``amount`` in the base currency, to four decimals; None without a rate."""
    return None if not rate else (amount / rate).quantize(ZERO)


@dataclass(frozen=True, slots=True)
class Notes:
    """What is to be noted of one entity: versions that ended, and new ones."""

    ended: tuple[Difference, ...]
    new: tuple[Difference, ...]


def noted(known: Iterable[Difference], found: Iterable[Difference], at: datetime) -> Notes:
    """Compare the open differences that were noted with those that are found now.

    One that goes on keeps the instant at which it was first seen, also when its records only now stand beside each other.
    """
    by_row = {each.row: each for each in known}
    left = dict(by_row)
    ended, new = [], []
    for each in found:
        before = next((by_row[name] for name in each.names if name in by_row), None)
        if before is None:
            new.append(each)
            continue
        left.pop(before.row, None)
        if not (before.row == each.row and each.says_the_same_as(before)):
            ended.append(replace(before, until=at))
            new.append(replace(each, first_seen=before.first_seen, since=at))
    return Notes((*ended, *(replace(each, until=at) for each in left.values())), tuple(new))


class Moved(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    SOLVED = "solved"


@dataclass(frozen=True, slots=True)
class Movement:
    """What happened to one difference since an instant: ``before`` and ``now`` are None where it was not open."""

    moved: Moved
    before: Difference | None
    now: Difference | None

    @property
    def difference(self) -> Difference:
        return self.now or self.before  # type: ignore[return-value]  # one of them is always there


def movements(versions: Iterable[Difference], since: datetime) -> list[Movement]:
    """What changed since ``since``, the largest money at risk first. ``versions``: all that began or ended after it.

    One that opened and was solved in between is left out; one that was solved and opened again is new.
    """
    some = list(versions)
    before = {name: each for each in some if each.since <= since for name in _threads(each)}
    now = [each for each in some if each.until is None]
    found, gone_on = [], set()
    for each in now:
        then = next((before[name] for name in _threads(each) if name in before), None)
        found.append(_movement(then, each))
        gone_on.add(then)
    solved = [_movement(each, None) for each in dict.fromkeys(before.values()) if each not in gone_on]
    return sorted([*found, *solved], key=lambda m: (-m.difference.at_risk, m.difference.row))


def solved(versions: Iterable[Difference], since: datetime) -> list[Movement]:
    """What is open no more, also what opened after ``since``, the largest money at risk first. ``versions`` come in order."""
    some = list(versions)
    going_on = {side for each in some if each.until is None for side in _sides(each)}
    last = {side: each for each in some if each.until is not None and each.until > since for side in _sides(each)}
    ended = [each for each in dict.fromkeys(last.values()) if not going_on.intersection(_sides(each))]
    found = [_movement(each, None) for each in ended if all(last[side] is each for side in _sides(each))]
    return sorted(found, key=lambda m: (-m.difference.at_risk, m.difference.row))


def _sides(each: Difference) -> list[tuple[str, str]]:
    sides = (("crm", each.crm_id), ("xero", each.xero_id))
    return [(each.entity, f"{side}:{id_}") for side, id_ in sides if id_]


def _threads(each: Difference) -> list[tuple[str, datetime, str]]:
    """What tells versions of one difference from those of another, also when its records only later stood in one row."""
    sides = (("crm", each.crm_id), ("xero", each.xero_id))
    return [(each.entity, each.first_seen, f"{side}:{id_}") for side, id_ in sides if id_]


def _movement(before: Difference | None, now: Difference | None) -> Movement:
    return Movement(Moved.SOLVED if now is None else Moved.NEW if before is None else Moved.CHANGED, before, now)


@dataclass(frozen=True, slots=True)
class AgeingLine:
    """All open differences of one bucket and currency."""

    bucket: Bucket
    currency: str
    count: int
    at_risk: Decimal


@dataclass(frozen=True, slots=True)
class Ageing:
    """Open differences by age: by the day on which the document is due, and by the day on which each was first seen."""

    by_due: tuple[AgeingLine, ...]
    by_seen: tuple[AgeingLine, ...]
    without_rate: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Aged:
    """One open difference in short: what ageing needs."""

    currency: str
    at_risk: Decimal
    first_seen: date
    due: date | None
    has_rate: bool = True


def ageing(differences: Iterable[Aged], today: date) -> Ageing:
    """Count and add up per bucket and currency. What has no due date counts from the day on which it was first seen."""
    due: dict[tuple[Bucket, str], list[Decimal]] = {}
    seen: dict[tuple[Bucket, str], list[Decimal]] = {}
    without: set[str] = set()
    for each in differences:
        days_seen = max(0, (today - each.first_seen).days)
        days_due = (today - each.due).days if each.due else days_seen
        due.setdefault((bucket(days_due), each.currency), []).append(each.at_risk)
        seen.setdefault((bucket(days_seen), each.currency), []).append(each.at_risk)
        if not each.has_rate:
            without.add(each.currency)
    return Ageing(_lines(due), _lines(seen), tuple(sorted(without)))


def _lines(sums: Mapping[tuple[Bucket, str], list[Decimal]]) -> tuple[AgeingLine, ...]:
    order = list(Bucket)
    keys = sorted(sums, key=lambda key: (order.index(key[0]), key[1]))
    return tuple(AgeingLine(*key, len(sums[key]), sum(sums[key], ZERO)) for key in keys)
