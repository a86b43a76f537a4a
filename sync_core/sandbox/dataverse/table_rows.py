"""The rows of one table with their indexes: by id, by version, by alternate key, by parent.

Indexes are made from the kernel's collections at start and kept in step with every write.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.schema import Key, Table
from sync_core.sandbox.kernel import Collection, Row

KeyValue = tuple[object, ...]


class Ordered:
    """Ids in order, with additions gathered and sorted in when somebody reads; stale ids are the reader's to skip."""

    def __init__(self, ids: Iterable[str] = ()) -> None:
        self._ids = sorted(ids)
        self._fresh: list[str] = []

    def add(self, row_id: str) -> None:
        self._fresh.append(row_id)

    def after(self, row_id: str) -> Iterator[str]:
        """Every id greater than ``row_id``, each once."""
        ids = self._merged()
        last = ""
        for position in range(bisect_right(ids, row_id), len(ids)):
            if ids[position] != last:
                last = ids[position]
                yield last

    def _merged(self) -> list[str]:
        if self._fresh:
            self._ids.extend(self._fresh)
            self._ids.sort()
            self._fresh = []
        return self._ids


class Rows:
    """The rows of one table."""

    def __init__(self, table: Table, rows: Collection, deleted: Collection) -> None:
        self.table = table
        self.rows = rows
        self.deleted = deleted
        self._by_id = Ordered(i for i, _ in rows.items())
        self._by_version = sorted((row["versionnumber"], i) for i, row in rows.items())
        self._deletions = sorted((row["version"], i) for i, row in deleted.items())
        self._keys: dict[str, dict[KeyValue, str]] = {}
        self._parents: dict[str, dict[str, dict[str, None]]] = {}
        for key in table.keys.values():
            self.build_key(key)

    def __len__(self) -> int:
        return len(self.rows)

    def get(self, row_id: str) -> Row | None:
        return self.rows.get(row_id)

    def newest(self) -> int:
        """The highest version that a row or a tombstone of this table carries."""
        return max(self._by_version[-1][0] if self._by_version else 0, self._deletions[-1][0] if self._deletions else 0)

    def after_id(self, row_id: str = "") -> Iterator[Row]:
        """Rows in order of their id, from the one after ``row_id``."""
        for found in self._by_id.after(row_id):
            row = self.rows.get(found)
            if row is not None:
                yield row

    def changed(self, after: int, upto: int) -> Iterator[Row]:
        """Rows whose version lies in (after, upto], in order of version."""
        for version, row_id in self._between(self._by_version, after, upto):
            row = self.rows.get(row_id)
            if row is not None and row["versionnumber"] == version:
                yield row

    def gone(self, after: int, upto: int) -> Iterator[tuple[int, str]]:
        """(version, id) of rows deleted in (after, upto] and not created again."""
        for version, row_id in self._between(self._deletions, after, upto):
            tombstone = self.deleted.get(row_id)
            if tombstone is not None and tombstone["version"] == version:
                yield version, row_id

    @staticmethod
    def _between(index: list[tuple[int, str]], after: int, upto: int) -> Iterator[tuple[int, str]]:
        for position in range(bisect_right(index, (after, "\uffff")), len(index)):
            if index[position][0] > upto:
                return
            yield index[position]

    def children(self, column: str, parent: str) -> list[str]:
        """Ids of the rows whose lookup ``column`` holds ``parent``; the index is made at first use."""
        index = self._parents.get(column)
        if index is None:
            index = self._parents[column] = {}
            for row_id, row in self.rows.items():
                _link(index, row.get(column), row_id)
        return list(index.get(parent, ()))

    def by_key(self, key: Key, values: KeyValue) -> str | None:
        return self._keys.get(key.schema, {}).get(values)

    def has_index(self, key: Key) -> bool:
        """Whether the key's index could be built; over duplicates it cannot."""
        return key.schema in self._keys

    def build_key(self, key: Key) -> bool:
        """Index an alternate key over all rows; False when two rows share a value."""
        index: dict[KeyValue, str] = {}
        unique = True
        for row_id, row in self.rows.items():
            values = key_values(key, row)
            if values is not None:
                unique = unique and values not in index
                index[values] = row_id
        if unique:
            self._keys[key.schema] = index
        return unique

    def drop_key(self, key: Key) -> None:
        self._keys.pop(key.schema, None)

    def check_keys(self, row_id: str, row: Row) -> None:
        """Refuse a row whose alternate key another row holds already."""
        for key in self.table.keys.values():
            values = key_values(key, row)
            if values is not None and self._keys.get(key.schema, {}).get(values, row_id) != row_id:
                raise errors.key_taken(key.schema, key.columns)

    def put(self, row_id: str, row: Row) -> None:
        """Write a row and keep every index in step."""
        old = self.rows.get(row_id)
        self._unindex(row_id, old)
        self.rows.put(row_id, row)
        if old is None:
            self._by_id.add(row_id)
        self._note(self._by_version, row["versionnumber"], row_id)
        for key in self.table.keys.values():
            values = key_values(key, row)
            if values is not None and key.schema in self._keys:
                self._keys[key.schema][values] = row_id
        for column, index in self._parents.items():
            _link(index, row.get(column), row_id)

    def remove(self, row_id: str) -> None:
        self._unindex(row_id, self.rows.get(row_id))
        self.rows.remove(row_id)

    def bury(self, row_id: str, version: int, at: datetime) -> None:
        """Remember that the row was deleted, for change tracking."""
        self.deleted.put(row_id, {"version": version, "at": at})
        self._note(self._deletions, version, row_id)

    def load(self, rows: Iterable[Row]) -> None:
        """Add many rows whose versions rise and exceed all others, without undo."""
        for row in rows:
            self.put(row[self.table.primary_id], row)

    @staticmethod
    def _note(index: list[tuple[int, str]], version: int, row_id: str) -> None:
        """Append; an undone write brings back a version whose entry still stands."""
        if not index or version > index[-1][0]:
            index.append((version, row_id))

    def _unindex(self, row_id: str, row: Row | None) -> None:
        if row is None:
            return
        for key in self.table.keys.values():
            values = key_values(key, row)
            index = self._keys.get(key.schema, {})
            if values is not None and index.get(values) == row_id:
                del index[values]
        for column, parents in self._parents.items():
            parents.get(row.get(column) or "", {}).pop(row_id, None)


def key_values(key: Key, row: Row) -> KeyValue | None:
    """The values of an alternate key as they are compared (text without case); None when one of them is empty."""
    values = []
    for column in key.columns:
        value = row.get(column)
        if value is None:
            return None
        values.append(value.casefold() if isinstance(value, str) else value)
    return tuple(values)


def _link(index: dict[str, dict[str, None]], parent: str | None, row_id: str) -> None:
    if parent is not None:
        index.setdefault(parent, {})[row_id] = None
