"""What every part of the durable state stands on: the database, the organisation, the clock; and how rows go in in bulk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from sync_core.store.database import Database
from sync_core.store.keys import Keys

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Now = Callable[[], datetime]
Row = Mapping[str, Any]
T = TypeVar("T")

_MOST_IN_LIST = 5_000
"""SQLite binds 32,766 values in one statement, PostgreSQL 65,535."""


@dataclass(frozen=True, slots=True)
class Ground:
    """``key_dir`` holds the generated key and the lock files."""

    database: Database
    organisation: str
    now: Now
    keys: Keys
    key_dir: Path


class Shelf:
    """Base of the parts of ``State``. Each verb is one transaction, or part of the one that the thread has open."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._organisation = ground.organisation
        self._now = ground.now

    def _read(self) -> AbstractContextManager[Connection]:
        return self._ground.database.read()

    def _write(self) -> AbstractContextManager[Connection]:
        return self._ground.database.write()

    def _insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that knows ON CONFLICT, in the words of the database at hand."""
        return sqlite.insert(table) if self._ground.database.dialect == "sqlite" else postgresql.insert(table)


def utc_now() -> datetime:
    return datetime.now(UTC)


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """``values`` in pieces that fit into one statement."""
    for start in range(0, len(values), _MOST_IN_LIST):
        yield values[start : start + _MOST_IN_LIST]


def columns_of(value: DataclassInstance) -> dict[str, Any]:
    """A frozen value as a row. Unlike ``asdict`` it copies nothing, which matters for 50,000 of them."""
    return {name: getattr(value, name) for name in _names(type(value))}


@cache
def _names(kind: type[DataclassInstance]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def canonical_json(value: object) -> str:
    """JSON with one spelling per value: sorted keys, ASCII, no spaces; Decimal, dates and instants as text.

    Raises TypeError for a value that has no such spelling, ValueError for a float that is not a number.
    """
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False, default=_spelled)


def _spelled(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no place in JSON")
