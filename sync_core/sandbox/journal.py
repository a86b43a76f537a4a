"""Rows on disk, so that the sandbox goes on after a restart: one SQLite file, one transaction per save.

Values that JSON lacks travel in tagged objects (``{"$d": "1.50"}`` for a Decimal), exactly.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sync_core.sandbox.kernel import Row

FILE_NAME = "sandbox.sqlite"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS rows (
  position INTEGER PRIMARY KEY AUTOINCREMENT, collection TEXT NOT NULL, id TEXT NOT NULL, value TEXT NOT NULL,
  UNIQUE (collection, id))
"""
_PUT = (
    "INSERT INTO rows (collection, id, value) VALUES (?, ?, ?) "
    "ON CONFLICT (collection, id) DO UPDATE SET value = excluded.value"
)
_DECODERS: dict[str, Callable[[str], Any]] = {"$d": Decimal, "$t": datetime.fromisoformat, "$day": date.fromisoformat}


class FileJournal:
    """A ``kernel.Journal`` in ``directory``, which is made when absent. What ``save`` has taken survives kill -9.

    Raises ``OSError`` or ``sqlite3.Error`` when the disk fails or another sandbox works on the same file.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Built in the thread that starts the sandbox, then used in that of its loop; never in both.
        self._file = sqlite3.connect(directory / FILE_NAME, check_same_thread=False, isolation_level=None, timeout=1)
        self._file.execute("PRAGMA locking_mode=EXCLUSIVE")  # a second sandbox on these rows is refused
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute("PRAGMA synchronous=NORMAL")
        self._file.execute(_SCHEMA)

    def names(self) -> list[str]:
        return [name for (name,) in self._file.execute("SELECT DISTINCT collection FROM rows ORDER BY collection")]

    def load(self, collection: str) -> dict[str, Row]:
        query = "SELECT id, value FROM rows WHERE collection = ? ORDER BY position"
        return {row_id: decode(value) for row_id, value in self._file.execute(query, (collection,))}

    def save(self, changes: Mapping[str, Mapping[str, Row | None]]) -> None:
        self._file.execute("BEGIN IMMEDIATE")
        try:
            self._file.executemany(_PUT, _puts(changes))
            self._file.executemany("DELETE FROM rows WHERE collection = ? AND id = ?", _removals(changes))
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    def close(self) -> None:
        self._file.close()


def encode(row: Row) -> str:
    """``row`` as JSON text; Decimal, date and datetime keep their exact value."""
    return json.dumps(row, default=_tagged, ensure_ascii=False, separators=(",", ":"))


def decode(text: str) -> Any:
    """The row that ``encode`` wrote."""
    return json.loads(text, object_hook=_untagged)


def _puts(changes: Mapping[str, Mapping[str, Row | None]]) -> Iterator[tuple[str, str, str]]:
    for collection, rows in changes.items():
        for row_id, row in rows.items():
            if row is not None:
                yield collection, row_id, encode(row)


def _removals(changes: Mapping[str, Mapping[str, Row | None]]) -> Iterable[tuple[str, str]]:
    return ((name, row_id) for name, rows in changes.items() for row_id, row in rows.items() if row is None)


def _tagged(value: object) -> dict[str, str]:
    if isinstance(value, Decimal):
        return {"$d": str(value)}
    if isinstance(value, datetime):
        return {"$t": value.isoformat()}
    if isinstance(value, date):
        return {"$day": value.isoformat()}
    raise TypeError(f"a row cannot hold {type(value).__name__}")


def _untagged(found: dict[str, Any]) -> Any:
    if len(found) == 1:
        (tag, value), *_ = found.items()
        if tag in _DECODERS:
            return _DECODERS[tag](value)
    return found
