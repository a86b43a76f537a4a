"""What both systems share: virtual time, rows that survive a restart, request log, faults, random source."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from typing import Any, Protocol

from sync_core.sandbox.faults import Faults

Row = dict[str, Any]
NAMESPACE = uuid.UUID("8c7a2a55-6a53-5e8e-9a54-0b6f4f0c7d11")


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids that follow from a seed alone."""

    seed: int

    def stable_id(self, *key: object) -> str:
        """A GUID that is the same for the same seed and key: ``uuid5`` of both, written without its detours."""
        name = "/".join(map(str, (self.seed, *key)))
        digest = bytearray(sha1(NAMESPACE.bytes + name.encode(), usedforsecurity=False).digest()[:16])
        digest[6], digest[8] = digest[6] & 0x0F | 0x50, digest[8] & 0x3F | 0x80
        text = digest.hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Clock:
    """Time as the systems see it: real time plus an offset, or frozen at an instant. Always aware UTC."""

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

    def reset(self) -> None:
        """Back to real time."""
        self._offset, self._frozen = timedelta(), None

    def reading(self) -> Row:
        """What must be kept over a restart: how far off real time, and where time stands still."""
        return {"offset_microseconds": self._offset // timedelta(microseconds=1), "frozen": self._frozen}

    def restore(self, reading: Row) -> None:
        self._offset = timedelta(microseconds=reading["offset_microseconds"])
        self._frozen = reading["frozen"]


class Journal(Protocol):
    """Where changed rows are kept over restarts (``--state DIR``)."""

    def names(self) -> list[str]: ...

    def load(self, collection: str) -> dict[str, Row]: ...

    def save(self, changes: Mapping[str, Mapping[str, Row | None]]) -> None:
        """Make changed rows (by collection and id) durable in one transaction; None: the row is gone."""
        ...


class Collection:
    """Rows of one kind by id, in insertion order. Write with ``put``, ``remove`` and ``clear`` only.

    Rows hold str, int, bool, None, Decimal, aware datetime, date, and lists and dicts of these.
    """

    def __init__(self, name: str, rows: dict[str, Row] | None = None) -> None:
        self.name = name
        self._rows: dict[str, Row] = rows if rows is not None else {}
        self.unsaved: dict[str, None] = {}

    def get(self, row_id: str) -> Row | None:
        return self._rows.get(row_id)

    def put(self, row_id: str, row: Row) -> None:
        self._rows[row_id] = row
        self.unsaved[row_id] = None

    def remove(self, row_id: str) -> Row | None:
        self.unsaved[row_id] = None
        return self._rows.pop(row_id, None)

    def clear(self) -> None:
        """Forget every row, in place: whoever holds this collection keeps a good one."""
        self.unsaved.update(dict.fromkeys(self._rows))
        self._rows.clear()

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
    number: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """Both systems at one moment: every row, how the clock was set, and what the random source will give next."""

    rows: Mapping[str, Mapping[str, Row]]
    clock: Row
    random: object
    seed: int


LOG_LIMIT = 200_000
_START = "start"


class Kernel:
    """The one object behind both servers. Handlers change rows synchronously, so each request is atomic."""

    def __init__(self, seed: int = 1, journal: Journal | None = None) -> None:
        self.clock = Clock()
        self.log: list[LogEntry] = []
        self.logged = 0
        self.faults = Faults()
        self.journal = journal
        self.on_reset: list[Callable[[], None]] = []
        self._collections: dict[str, Collection] = {}
        start = self._restore()
        self.seed: int = start["seed"] if start else seed
        # A restart draws from a fresh sequence: the ids of the last life must not come up again.
        self.random = random.Random(f"{self.seed}/{start['lives']}" if start else seed)

    @property
    def restored(self) -> bool:
        """Whether rows were found in the journal, so that seeding again would be wrong."""
        return _START in self.collection("sandbox.kernel")

    def collection(self, name: str) -> Collection:
        """The rows called ``name`` ("dataverse.account", "xero.Invoices"), loaded from the journal once."""
        if name not in self._collections:
            self._collections[name] = Collection(name, self.journal.load(name) if self.journal else None)
        return self._collections[name]

    def collections(self, prefix: str = "") -> list[Collection]:
        return [c for n, c in sorted(self._collections.items()) if n.startswith(prefix)]

    def stable_id(self, *key: object) -> str:
        """A GUID that is the same for the same seed and key, for the seeded company."""
        return Ids(self.seed).stable_id(*key)

    def new_id(self) -> str:
        """A GUID for a row that a client makes."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def record(self, entry: LogEntry) -> None:
        """Add to the request log; entries are numbered from 1 and only the newest ``LOG_LIMIT`` are kept."""
        self.logged += 1
        entry.number = self.logged
        self.log.append(entry)
        if len(self.log) > LOG_LIMIT:
            del self.log[: LOG_LIMIT // 10]

    def reset(self, seed: int) -> None:
        """Empty everything, in place, as on a first start with ``seed``. Seeding is the caller's step."""
        for collection in self._collections.values():
            collection.clear()
        self.seed, self.random = seed, random.Random(seed)
        self.clock.reset()
        self.faults.clear()
        self.log.clear()
        self.logged = 0
        self.rebuild()

    def picture(self) -> Picture:
        """Everything as it stands now. Rows are copied, so nothing that happens later shows in it."""
        rows = {name: dict(collection.items()) for name, collection in self._collections.items()}
        return Picture(deepcopy(rows), self.clock.reading(), self.random.getstate(), self.seed)

    def return_to(self, picture: Picture) -> None:
        """Put everything back to ``picture``, in place; faults and log are emptied."""
        self.reset(picture.seed)
        for name, rows in deepcopy(dict(picture.rows)).items():
            collection = self.collection(name)
            for row_id, row in rows.items():
                collection.put(row_id, row)
        self.clock.restore(picture.clock)
        self.random.setstate(picture.random)  # type: ignore[arg-type]  # the state that getstate gave
        self.rebuild()

    def rebuild(self) -> None:
        """Let everyone make their indexes anew from the collections."""
        for callback in self.on_reset:
            callback()

    def remember_start(self) -> None:
        """Note seed and clock; call after seeding and whenever the clock was set."""
        kept = self.collection("sandbox.kernel")
        lives = (kept.get(_START) or {"lives": 0})["lives"]
        kept.put(_START, {"seed": self.seed, "lives": lives, **self.clock.reading()})

    def save(self) -> None:
        """Make every change durable; called once at the end of each request, before its answer leaves."""
        changed = [c for c in self._collections.values() if c.unsaved]
        if self.journal and changed:
            self.journal.save({c.name: {i: c.get(i) for i in c.unsaved} for c in changed})
        for collection in changed:
            collection.unsaved = {}

    def _restore(self) -> Row | None:
        if self.journal is None:
            return None
        for name in self.journal.names():
            self.collection(name)
        kept = self.collection("sandbox.kernel")
        start = kept.get(_START)
        if start is None:
            return None
        self.clock.restore(start)
        start = {**start, "lives": start["lives"] + 1}
        kept.put(_START, start)
        return start
