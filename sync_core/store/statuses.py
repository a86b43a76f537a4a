"""Where each record stands: exactly one row per record and side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select

from sync_core.model import RecordStatus, Side, Status
from sync_core.store.shelf import Row, Shelf, chunks, columns_of
from sync_core.store.tables import record_status as table

_IDENTITY = ("organisation", "entity", "side", "id")
_CHANGING = ("status", "reason", "remark", "last_attempt", "run", "detail")
_STANDING = (table.c.side, table.c.id, table.c.status)
_COLUMNS = [column for column in table.c if column.name != "organisation"]


class Statuses(Shelf):
    def set_statuses(self, new: Sequence[RecordStatus]) -> None:
        """Insert or replace. A new row without ``last_synced`` keeps the old instant: an attempt is not a sync."""
        if not new:
            return
        statement = self._insert(table)
        changes: dict[str, Any] = {name: statement.excluded[name] for name in _CHANGING}
        changes["last_synced"] = func.coalesce(statement.excluded.last_synced, table.c.last_synced)
        rows = [{"organisation": self._organisation, **columns_of(status)} for status in new]
        with self._write() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=_IDENTITY, set_=changes), rows)

    def statuses(self, entity: str, side: Side, ids: Sequence[str]) -> dict[str, RecordStatus]:
        """By id; records that were never seen are left out."""
        found: dict[str, RecordStatus] = {}
        with self._read() as connection:
            for some in chunks(ids):
                of = self._select_statuses().where(table.c.entity == entity, table.c.side == side.value, table.c.id.in_(some))
                found.update((row.id, _status(row._asdict())) for row in connection.execute(of))
        return found

    def status_counts(self) -> dict[str, dict[Status, int]]:
        """Number of rows per entity and status, both sides together."""
        columns = table.c.entity, table.c.status
        statement = select(*columns, func.count()).where(table.c.organisation == self._organisation).group_by(*columns)
        counts: dict[str, dict[Status, int]] = {}
        with self._read() as connection:
            for entity, status, count in connection.execute(statement):
                counts.setdefault(entity, {})[Status(status)] = count
        return counts

    def find_statuses(self, entity: str | None, status: Status | None, limit: int, offset: int = 0) -> list[RecordStatus]:
        """A page of rows, the latest attempt first. None asks for every entity, or every status."""
        statement = self._select_statuses()
        if entity is not None:
            statement = statement.where(table.c.entity == entity)
        if status is not None:
            statement = statement.where(table.c.status == status.value)
        order = table.c.last_attempt.desc(), table.c.entity, table.c.side, table.c.id
        with self._read() as connection:
            rows = connection.execute(statement.order_by(*order).limit(limit).offset(offset))
            return [_status(row._asdict()) for row in rows]

    def statuses_of_run(self, run: str, limit: int, offset: int = 0) -> tuple[list[RecordStatus], int]:
        """Records that this run was the last to look at, those that stand well last; and how many there are."""
        of = table.c.organisation == self._organisation, table.c.run == run
        order = (table.c.status == Status.SUCCESS.value), table.c.entity, table.c.side, table.c.id
        with self._read() as connection:
            rows = connection.execute(select(*_COLUMNS).where(*of).order_by(*order).limit(limit).offset(offset)).all()
            number = connection.execute(select(func.count()).select_from(table).where(*of)).scalar_one()
        return [_status(row._asdict()) for row in rows], number

    def standings(self, entity: str) -> list[tuple[str, str, str]]:
        """Side, id and status of every record of an entity, for a list that is sorted and counted elsewhere."""
        own = table.c.organisation == self._organisation, table.c.entity == entity
        with self._read() as connection:
            return [(row.side, row.id, row.status) for row in connection.execute(select(*_STANDING).where(*own))]

    def unsettled_records(self, entity: str, side: Side) -> dict[str, str]:
        """Records that stand otherwise than well: id and reason."""
        of = table.c.organisation == self._organisation, table.c.entity == entity, table.c.side == side.value
        statement = select(table.c.id, table.c.reason).where(*of, table.c.status != Status.SUCCESS.value)
        with self._read() as connection:
            return {row.id: row.reason for row in connection.execute(statement.order_by(table.c.id))}

    def records_with_reason(self, reasons: Sequence[str], *, well: bool = False) -> dict[tuple[str, Side], list[str]]:
        """Ids of records that do not stand well (``well``: that do) for one of these reasons, by entity and side."""
        standing = table.c.status == Status.SUCCESS.value if well else table.c.status != Status.SUCCESS.value
        of = table.c.organisation == self._organisation, standing, table.c.reason.in_(reasons)
        found: dict[tuple[str, Side], list[str]] = {}
        with self._read() as connection:
            for row in connection.execute(select(table.c.entity, table.c.side, table.c.id).where(*of).order_by(table.c.id)):
                found.setdefault((row.entity, Side(row.side)), []).append(row.id)
        return found

    def _select_statuses(self) -> Select[Any]:
        return select(*_COLUMNS).where(table.c.organisation == self._organisation)


def _status(row: Row) -> RecordStatus:
    return RecordStatus(**{**row, "side": Side(row["side"]), "status": Status(row["status"])})
