"""Cases and what people did with them. A case is one row; its acts are only added to, and marked when they are taken back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, and_, delete, func, select, update

from sync_core.rules.cases import QUIET, Case, CaseEntry, CaseStatus
from sync_core.store.shelf import Row, Shelf, canonical_json, chunks
from sync_core.store.tables import case_acts, cases

_PAGE = 5_000
_IDENTITY = ("organisation", "entity", "row")
_PLAIN = ("entity", "row", "crm_id", "xero_id", "assignee", "reason", "crm_print", "xero_print", "changed_by")
_COLUMNS = [column for column in cases.c if column.name != "organisation"]


class Cases(Shelf):
    def cases(
        self,
        entity: str | None = None,
        status: CaseStatus | None = None,
        assignee: str | None = None,
        *,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Case]:
        """A page of cases, the one changed last first. None asks for every entity, status or assignee."""
        statement = self._select_cases()
        for column, wanted in ((cases.c.entity, entity), (cases.c.status, status), (cases.c.assignee, assignee)):
            if wanted is not None:
                statement = statement.where(column == str(wanted))
        ordered = statement.order_by(cases.c.changed_at.desc(), cases.c.entity, cases.c.row)
        with self._read() as connection:
            return [case_from(row._asdict()) for row in connection.execute(ordered.limit(limit).offset(offset))]

    def cases_on(self, entity: str, rows: Iterable[str]) -> dict[str, Case]:
        """Cases by the row that they were opened on."""
        found: dict[str, Case] = {}
        with self._read() as connection:
            for some in chunks(sorted(set(rows))):
                statement = self._select_cases().where(cases.c.entity == entity, cases.c.row.in_(some))
                found.update((row.row, case_from(row._asdict())) for row in connection.execute(statement))
        return found

    def case_counts(self) -> dict[str, dict[CaseStatus, int]]:
        """Number of cases per entity and status."""
        columns = cases.c.entity, cases.c.status
        statement = select(*columns, func.count()).where(cases.c.organisation == self._organisation).group_by(*columns)
        counts: dict[str, dict[CaseStatus, int]] = {}
        with self._read() as connection:
            for entity, status, number in connection.execute(statement):
                counts.setdefault(entity, {})[CaseStatus(status)] = number
        return counts

    def keep_cases(self, some: Sequence[Case]) -> None:
        """Insert or replace."""
        if not some:
            return
        statement = self._insert(cases)
        changes = {c.name: statement.excluded[c.name] for c in _COLUMNS if c.name not in _IDENTITY}
        with self._write() as connection:
            rows = [{"organisation": self._organisation, **case_row(case)} for case in some]
            connection.execute(statement.on_conflict_do_update(index_elements=_IDENTITY, set_=changes), rows)

    def remove_cases(self, entity: str, rows: Sequence[str]) -> None:
        with self._write() as connection:
            for some in chunks(rows):
                own = cases.c.organisation == self._organisation, cases.c.entity == entity, cases.c.row.in_(some)
                connection.execute(delete(cases).where(*own))

    def add_case_acts(self, entries: Sequence[CaseEntry]) -> None:
        """Their numbers are given by the database."""
        rows = [
            {"organisation": self._organisation, **{n: getattr(e, n) for n in ("batch", "entity", "row", "who", "note", "at")}}
            | {"act": str(e.act), "before": canonical_json(e.before), "after": canonical_json(e.after)}
            for e in entries
        ]
        if rows:
            with self._write() as connection:
                connection.execute(case_acts.insert(), rows)

    def case_acts(self, entity: str, rows: Iterable[str]) -> list[CaseEntry]:
        """Everything done with the cases of those rows, in order."""
        statement = self._select_acts().where(case_acts.c.entity == entity, case_acts.c.row.in_(sorted(set(rows))))
        with self._read() as connection:
            return [_entry(row._asdict()) for row in connection.execute(statement.order_by(case_acts.c.seq))]

    def last_batch(self, who: str) -> list[CaseEntry]:
        """The acts of one person's latest act that was not taken back, in order; empty when there is none."""
        own = case_acts.c.organisation == self._organisation, case_acts.c.who == who, case_acts.c.undone_at.is_(None)
        latest = select(case_acts.c.batch).where(*own).order_by(case_acts.c.seq.desc()).limit(1)
        with self._read() as connection:
            statement = self._select_acts().where(case_acts.c.batch == latest.scalar_subquery())
            return [_entry(row._asdict()) for row in connection.execute(statement.order_by(case_acts.c.seq))]

    def act_after(self, batch: str) -> CaseEntry | None:
        """The latest act on a case that changed it since ``batch`` did, and that was not taken back; None without one."""
        mine, quiet = case_acts.alias("mine"), [str(act) for act in QUIET]
        since = and_(
            *(mine.c[name] == case_acts.c[name] for name in _IDENTITY),
            mine.c.batch == batch,
            mine.c.act.not_in(quiet),
            mine.c.seq < case_acts.c.seq,
        )
        standing = case_acts.c.undone_at.is_(None), case_acts.c.act.not_in(quiet)
        statement = self._select_acts().join(mine, since).where(*standing).order_by(case_acts.c.seq.desc()).limit(1)
        with self._read() as connection:
            row = connection.execute(statement).one_or_none()
        return None if row is None else _entry(row._asdict())

    def rows_with_acts(self, entity: str, rows: Sequence[str]) -> set[str]:
        """Those of ``rows`` with whose cases anything was done that was not taken back."""
        found: set[str] = set()
        with self._read() as connection:
            for some in chunks(rows):
                of = case_acts.c.entity == entity, case_acts.c.row.in_(some), case_acts.c.undone_at.is_(None)
                own = case_acts.c.organisation == self._organisation
                found.update(connection.scalars(select(case_acts.c.row).where(own, *of).distinct()))
        return found

    def mark_undone(self, batch: str, at: datetime) -> None:
        own = case_acts.c.organisation == self._organisation, case_acts.c.batch == batch
        with self._write() as connection:
            connection.execute(update(case_acts).where(*own).values(undone_at=at))

    def all_case_acts(self) -> Iterator[CaseEntry]:
        """Everything that was done with cases, in order. Reads in pages."""
        after = 0
        while True:
            statement = self._select_acts().where(case_acts.c.seq > after).order_by(case_acts.c.seq).limit(_PAGE)
            with self._read() as connection:
                entries = [_entry(row._asdict()) for row in connection.execute(statement)]
            yield from entries
            if len(entries) < _PAGE:
                return
            after = entries[-1].number

    def _select_cases(self) -> Select[Any]:
        return select(*_COLUMNS).where(cases.c.organisation == self._organisation)

    def _select_acts(self) -> Select[Any]:
        return select(case_acts).where(case_acts.c.organisation == self._organisation)


def case_row(case: Case) -> dict[str, Any]:
    """A case as the state and the audit trail keep it."""
    row = asdict(case) | {"status": str(case.status), "expires": case.expires and case.expires.isoformat()}
    del row["opened_again"]
    return row


def case_from(row: Row) -> Case:
    """A case out of what :func:`case_row` made, also after it went through JSON."""
    instants: dict[str, Any] = {name: _instant(row[name]) for name in ("opened_at", "changed_at")}
    expires = date.fromisoformat(row["expires"]) if row["expires"] else None
    same: dict[str, Any] = {name: row[name] for name in _PLAIN}
    return Case(**same, **instants, expires=expires, status=CaseStatus(row["status"]))


def _instant(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def _entry(row: Row) -> CaseEntry:
    same = {name: row[name] for name in ("batch", "entity", "row", "who", "act", "note", "at", "undone_at")}
    told = {name: json.loads(row[name]) for name in ("before", "after")}
    return CaseEntry(number=row["seq"], **same, **told)
