"""Open differences over time, as they were noted: each version from when until when, and the instant of its first sight.

Amounts stand as text, so that no digit is lost; ``weight`` repeats the money at risk as a whole number, only to sort by.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update

from sync_core.model import MatchStatus
from sync_core.rules.ageing import Aged, Difference, Notes
from sync_core.store.shelf import Row, Shelf, chunks
from sync_core.store.tables import cases
from sync_core.store.tables import differences as table

_MOST = 2**62
_TEXTS = ("difference", "at_risk", "rate", "base_at_risk")
_DATES = ("doc_date", "due_date")
_PLAIN = (
    "entity",
    "row",
    "crm_id",
    "xero_id",
    "first_seen",
    "since",
    "until",
    "run",
    "reason",
    "words",
    "number",
    "contact",
    "currency",
)


class WorkSort(StrEnum):
    """What the worklist can be sorted by."""

    AT_RISK = "money at risk"
    FIRST_SEEN = "first seen"
    DUE_DATE = "due date"
    NUMBER = "number"
    CONTACT = "contact"
    STATUS = "status"
    REASON = "reason"
    ASSIGNEE = "assignee"


@dataclass(frozen=True, slots=True)
class WorkFilters:
    """What of the worklist is asked for; what is left out is not limited. ``assignee`` "" asks for what nobody has.

    ``seen_from`` and ``seen_until`` are instants of first sight, ``due_from`` and ``due_until`` due dates; all included.
    """

    entity: str | None = None
    assignee: str | None = None
    currency: str | None = None
    search: str = ""
    seen_from: datetime | None = None
    seen_until: datetime | None = None
    due_from: date | None = None
    due_until: date | None = None


class Differences(Shelf):
    def open_differences(self, entity: str) -> list[Difference]:
        """All that are noted as open now."""
        statement = select(table).where(*self._own(entity), table.c.until.is_(None))
        with self._read() as connection:
            return [_difference(row._asdict()) for row in connection.execute(statement)]

    def differences_on(self, entity: str, rows: Sequence[str]) -> dict[str, Difference]:
        """The open differences in which these rows stand, by row; also by that of a pair's record in Xero."""
        wanted, found = sorted(set(rows)), dict[str, Difference]()
        with self._read() as connection:
            for some in chunks(wanted):
                stands = or_(table.c.row.in_(some), ("xero:" + table.c.xero_id).in_(some))
                for row in connection.execute(select(table).where(*self._own(entity), table.c.until.is_(None), stands)):
                    each = _difference(row._asdict())
                    found |= dict.fromkeys(each.names, each)
        return {row: found[row] for row in wanted if row in found}

    def note_differences(self, notes: Notes) -> None:
        """End versions and add new ones."""
        with self._write() as connection:
            for each in notes.ended:
                of = self._own(each.entity), table.c.row == each.row, table.c.until.is_(None)
                connection.execute(update(table).where(*of[0], *of[1:]).values(until=each.until))
            if notes.new:
                rows = [{"organisation": self._organisation, **_row(each)} for each in notes.new]
                connection.execute(table.insert(), rows)

    def worklist(
        self, asked: WorkFilters, sort: WorkSort, *, descending: bool, limit: int, offset: int
    ) -> tuple[list[Difference], int]:
        """A page of open differences, and how many there are in all."""
        joined, order = self._worked(asked), _order(sort)
        ordered = joined.order_by(order.desc().nulls_last() if descending else order.asc().nulls_last(), table.c.seq)
        with self._read() as connection:
            count = connection.scalar(select(func.count()).select_from(joined.subquery())) or 0
            rows = connection.execute(ordered.limit(limit).offset(offset))
            return [_difference(row._asdict()) for row in rows], count

    def aged(self, entity: str | None, zone_day: Any) -> list[Aged]:
        """All open differences in short. ``zone_day`` turns an instant into the organisation's day."""
        columns = table.c.currency, table.c.at_risk, table.c.first_seen, table.c.due_date, table.c.base_at_risk
        statement = select(*columns).where(table.c.organisation == self._organisation, table.c.until.is_(None))
        if entity is not None:
            statement = statement.where(table.c.entity == entity)
        with self._read() as connection:
            return [
                Aged(c, Decimal(risk), zone_day(seen), due and date.fromisoformat(due), base is not None)
                for c, risk, seen, due, base in connection.execute(statement)
            ]

    def moved_differences(self, since: datetime, entity: str | None = None) -> list[Difference]:
        """Versions that began or ended after ``since``."""
        of = [table.c.organisation == self._organisation, or_(table.c.since > since, table.c.until > since)]
        if entity is not None:
            of.append(table.c.entity == entity)
        with self._read() as connection:
            return [_difference(row._asdict()) for row in connection.execute(select(table).where(*of).order_by(table.c.seq))]

    def first_seen(self, entity: str, rows: Sequence[str]) -> dict[str, datetime]:
        """By row, since when its difference is open; rows without one are left out."""
        of = *self._own(entity), table.c.until.is_(None), table.c.row.in_(sorted(set(rows)))
        with self._read() as connection:
            found = connection.execute(select(table.c.row, table.c.first_seen).where(*of))
            return {row.row: row.first_seen for row in found}

    def _worked(self, asked: WorkFilters) -> Select[Any]:
        where = [table.c.organisation == self._organisation, table.c.until.is_(None)]
        compared = (
            (table.c.entity, operator.eq, asked.entity),
            (table.c.currency, operator.eq, asked.currency),
            (table.c.first_seen, operator.ge, asked.seen_from),
            (table.c.first_seen, operator.le, asked.seen_until),
            (table.c.due_date, operator.ge, asked.due_from and asked.due_from.isoformat()),
            (table.c.due_date, operator.le, asked.due_until and asked.due_until.isoformat()),
            (func.coalesce(_OWN.c.assignee, _TWIN.c.assignee, ""), operator.eq, asked.assignee),
        )
        where += [holds(column, value) for column, holds, value in compared if value is not None]
        if asked.search.strip():
            wanted = asked.search.strip().lower()
            where.append(or_(*(func.lower(c).contains(wanted, autoescape=True) for c in (table.c.number, table.c.contact))))
        return select(table).join(_OWN, _stands_on(_OWN, table.c.row), isouter=True).join(
            _TWIN, _stands_on(_TWIN, "xero:" + table.c.xero_id), isouter=True
        ).where(*where)  # fmt: skip

    def _own(self, entity: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return table.c.organisation == self._organisation, table.c.entity == entity


_OWN, _TWIN = cases.alias("own_case"), cases.alias("twin_case")


def _stands_on(case: Any, row: Any) -> ColumnElement[bool]:
    return and_(case.c.organisation == table.c.organisation, case.c.entity == table.c.entity, case.c.row == row)


def _order(sort: WorkSort) -> ColumnElement[Any]:
    columns: dict[WorkSort, ColumnElement[Any]] = {
        WorkSort.AT_RISK: table.c.weight,
        WorkSort.FIRST_SEEN: table.c.first_seen,
        WorkSort.DUE_DATE: table.c.due_date,
        WorkSort.NUMBER: table.c.number,
        WorkSort.CONTACT: table.c.contact,
        WorkSort.STATUS: table.c.status,
        WorkSort.REASON: table.c.reason,
        WorkSort.ASSIGNEE: func.nullif(func.coalesce(_OWN.c.assignee, _TWIN.c.assignee, ""), ""),
    }
    return columns[sort]


def _row(each: Difference) -> dict[str, Any]:
    texts = {name: None if (value := getattr(each, name)) is None else f"{value:f}" for name in _TEXTS}
    dates = {name: (value := getattr(each, name)) and value.isoformat() for name in _DATES}
    weight = min(int((each.at_risk if each.base_at_risk is None else each.base_at_risk).scaleb(4)), _MOST)
    return {name: getattr(each, name) for name in _PLAIN} | texts | dates | {"status": str(each.status), "weight": weight}


def _difference(row: Row) -> Difference:
    texts = {name: None if row[name] is None else Decimal(row[name]) for name in _TEXTS}
    dates = {name: row[name] and date.fromisoformat(row[name]) for name in _DATES}
    values: dict[str, Any] = {name: row[name] for name in _PLAIN} | texts | dates
    return Difference(**values, status=MatchStatus(row["status"]))
