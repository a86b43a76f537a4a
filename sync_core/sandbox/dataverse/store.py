"""All tables' rows under one version counter, with undo.

A row is never changed in place: every write puts a new dict, so undoing a transaction is putting the old one back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sync_core.sandbox.dataverse.schema import Table
from sync_core.sandbox.dataverse.table_rows import Rows
from sync_core.sandbox.kernel import Kernel, Row

T = TypeVar("T")
Undo = list[Callable[[], None]]


class Store:
    """All tables' rows under one version counter, with a transaction."""

    def __init__(self, kernel: Kernel, tables: dict[str, Table]) -> None:
        self.kernel = kernel
        self._tables = tables
        self._rows: dict[str, Rows] = {}
        self._undo: Undo | None = None
        self.version = max((self.rows(name).newest() for name in tables), default=0) or kernel.seed * 1000

    def rows(self, table: str) -> Rows:
        if table not in self._rows:
            live = self.kernel.collection(f"dataverse.{table}")
            self._rows[table] = Rows(self._tables[table], live, self.kernel.collection(f"dataverse.deleted.{table}"))
        return self._rows[table]

    def forget(self, table: str) -> None:
        """Drop a table's rows; used when the table itself is deleted."""
        rows = self.rows(table)
        for row_id in [i for i, _ in rows.rows.items()]:
            rows.remove(row_id)
        del self._rows[table]

    def next_version(self) -> int:
        self.version += 1
        return self.version

    def put(self, table: str, row: Row) -> Row:
        """Write a row under a new version and return it."""
        rows = self.rows(table)
        row_id = row[rows.table.primary_id]
        old, tomb = rows.get(row_id), rows.deleted.get(row_id)
        row["versionnumber"] = self.next_version()
        rows.put(row_id, row)
        if tomb is not None:
            rows.deleted.remove(row_id)
        self._on_undo(lambda: self._restore(rows, row_id, old, tomb))
        return row

    def remove(self, table: str, row_id: str) -> None:
        """Delete a row and leave a tombstone under a new version."""
        rows = self.rows(table)
        old, tomb = rows.get(row_id), rows.deleted.get(row_id)
        rows.remove(row_id)
        rows.bury(row_id, self.next_version(), self.kernel.clock.now())
        self._on_undo(lambda: self._restore(rows, row_id, old, tomb))

    @staticmethod
    def _restore(rows: Rows, row_id: str, row: Row | None, tombstone: Row | None) -> None:
        if row is None:
            rows.remove(row_id)
        else:
            rows.put(row_id, row)
        if tombstone is None:
            rows.deleted.remove(row_id)
        else:
            rows.bury(row_id, tombstone["version"], tombstone["at"])

    def _on_undo(self, step: Callable[[], None]) -> None:
        if self._undo is not None:
            self._undo.append(step)

    def atomically(self, work: Callable[[], T]) -> T:
        """Run ``work``; when it raises, every row is as it was before. Inner calls join the outer transaction's log."""
        outer = self._undo
        self._undo = []
        try:
            result = work()
        except BaseException:
            for step in reversed(self._undo):
                step()
            self._undo = outer
            raise
        if outer is not None:
            outer.extend(self._undo)
        self._undo = outer
        return result
