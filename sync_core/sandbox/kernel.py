"""What both sandboxed systems share: virtual time, rows that survive a restart, the request log and a seeded random source."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

Row = dict[str, Any]
NAMESPACE = uuid.UUID("8c7a2a55-6a53-5e8e-9a54-0b6f4f0c7d11")


class Clock:
    """Time as the sandboxed systems see it: real time plus an offset, or frozen at an instant. Always aware UTC."""

    def __init__(self) -> None:
        self._offset = timedelta()
        self._frozen: datetime | None = None

    def now(self) -> datetime:
        return self._frozen or datetime.now(UTC) + self._offset

    def advance(self, seconds: float) -> None:
        if self._frozen is not None:
            self._frozen += timedelta(seconds=seconds)
        else:
            self._offset += timedelta(seconds=seconds)

    def set(self, instant: datetime, *, frozen: bool) -> None:
        if instant.tzinfo is None:
            raise ValueError("the clock takes an instant with a UTC offset")
        self._frozen = instant.astimezone(UTC) if frozen else None
        self._offset = instant - datetime.now(UTC)


class Journal(Protocol):
    """Where changed rows are kept over restarts (``--state DIR``)."""

    def load(self, collection: str) -> dict[str, Row]: ...

    def save(self, collection: str, changed: dict[str, Row | None]) -> None: ...


class Collection:
    """Rows of one kind by id, in insertion order. Write with ``put`` and ``remove`` only, so that nothing is forgotten.

    Rows hold str, int, bool, None, Decimal, aware datetime, date, and lists and dicts of these.
    """

    def __init__(self, name: str, rows: dict[str, Row] | None = None) -> None:
        self.name = name
        self._rows: dict[str, Row] = rows if rows is not None else {}
        self.unsaved: set[str] = set()

    def get(self, row_id: str) -> Row | None:
        return self._rows.get(row_id)

    def put(self, row_id: str, row: Row) -> None:
        self._rows[row_id] = row
        self.unsaved.add(row_id)

    def remove(self, row_id: str) -> Row | None:
        self.unsaved.add(row_id)
        return self._rows.pop(row_id, None)

    def values(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def items(self) -> Iterator[tuple[str, Row]]:
        return iter(self._rows.items())

    def __contains__(self, row_id: object) -> bool:
        return row_id in self._rows

    def __len__(self) -> int:
        return len(self._rows)


@dataclass
class LogEntry:
    """One request as a system saw it; ``run`` is the caller's ``X-Tieout-Run`` header, None when absent."""

    time: datetime
    system: str
    method: str
    path: str
    query: str
    status: int
    run: str | None
    fault: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)


class Kernel:
    """The one object behind both servers. Handlers change rows synchronously, so each request is atomic."""

    def __init__(self, seed: int = 1, journal: Journal | None = None) -> None:
        self.seed = seed
        self.clock = Clock()
        self.random = random.Random(seed)
        self.log: list[LogEntry] = []
        self.journal = journal
        self.on_reset: list[Callable[[], None]] = []
        self._collections: dict[str, Collection] = {}

    def collection(self, name: str) -> Collection:
        """The rows called ``name`` ("dataverse.account", "xero.Invoices", "xero.tokens", ...), loaded from the journal once."""
        if name not in self._collections:
            self._collections[name] = Collection(name, self.journal.load(name) if self.journal else None)
        return self._collections[name]

    def collections(self, prefix: str = "") -> list[Collection]:
        return [c for n, c in sorted(self._collections.items()) if n.startswith(prefix)]

    def stable_id(self, *key: object) -> str:
        """A GUID that is the same for the same seed and key, for the seeded company."""
        return str(uuid.uuid5(NAMESPACE, "/".join(map(str, (self.seed, *key)))))

    def new_id(self) -> str:
        """A GUID for a row that a client makes."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def save(self) -> None:
        """Make every change durable; called once at the end of each request, before its answer leaves."""
        for collection in self._collections.values():
            if collection.unsaved and self.journal:
                self.journal.save(collection.name, {i: collection.get(i) for i in collection.unsaved})
            collection.unsaved = set()
