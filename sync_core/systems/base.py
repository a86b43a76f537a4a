"""What the engine asks of a system, whichever it is. Both clients pass the same contract suite (tests/systems).

A *stream* is one kind of row that a system lists; a *page* what one call of it brings; a *cursor* where the next pull begins.
Clients are dumb on purpose: they carry native rows and know nothing of fields, owners or links.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sync_core.errors import TieoutError
from sync_core.model import Calls, Native, Side, Verb
from sync_core.rules.entities import Stream

GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
"""An id of a record in either system; letter case means nothing in it."""


class Clock(Protocol):
    """Time and waiting, so that tests need no sleep. ``now`` is aware UTC."""

    def now(self) -> datetime: ...

    def sleep(self, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Page:
    """``rows`` as the system spells them; ``gone`` ids of deleted rows; ``cursor`` only on the last page of a pull.

    ``expected`` is the number of rows that the system says the whole pull has, None when it does not say.
    """

    rows: list[Native]
    gone: list[str] = field(default_factory=list)
    cursor: str | None = None
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """One element to write.

    ``id``: the record's id; for a create in Dynamics the id that we chose, for a create in Xero None.
    ``version``: for Dynamics the ETag that must still hold, None to write whatever stands there. A create is refused
    (Rejected, code "exists") when the row is there already, unless ``version`` is "*": then it is made or updated,
    whichever is due (an upsert, for rows that nobody but Tieout writes).
    ``key``: the Idempotency-Key of this attempt (one per element; a batch sends the first one's).
    """

    stream: Stream
    verb: Verb
    body: Native
    key: str
    id: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the system answered to one :class:`Write`: either ``native`` (its own words for the row) or ``error``."""

    id: str | None = None
    native: Native | None = None
    error: TieoutError | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Peer:
    """Who answers: the environment's or organisation's id and name, and what it says of itself."""

    id: str
    name: str
    facts: Native = field(default_factory=dict)


class System(Protocol):
    """One system. Every method may raise Configure, Retryable or Unknown; nothing is retried that is not safe to retry."""

    side: Side
    batch_size: int
    at_once: int
    """Calls of :meth:`write` that may be on their way together."""

    def check(self) -> Peer:
        """Prove address, secret, tenant and permission with the fewest calls; Configure says which of them is wrong."""

    def changed_since(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
        """Everything (cursor None) or what changed since; the last page carries the next cursor. Raises Expired."""

    def get(self, stream: Stream, row_id: str) -> Native | None:
        """One row as it stands now, None when the system says that it is not there."""

    def find(self, stream: Stream, field: str, value: str) -> list[Native]:
        """Rows whose native ``field`` equals ``value``: the look-up before anything is sent a second time."""

    def batch_size_for(self, stream: Stream, verb: Verb) -> int:
        """Elements per call of :meth:`write`, at most ``batch_size``: one where the system takes one at a time."""

    def write(self, writes: Sequence[Write]) -> list[Receipt]:
        """Send elements of one stream and verb, at most ``batch_size`` of them; one receipt each, in order.

        An answer that never came raises Unknown for the whole batch; nothing of it may be assumed.
        """

    @property
    def calls(self) -> Calls: ...

    @property
    def left_today(self) -> int | None:
        """Calls that the system still allows today, None when it has no such limit or has not said yet."""

    @property
    def waits_until(self) -> datetime | None:
        """Until when a call waits for the system's limit of calls a minute; None while none does."""

    def close(self) -> None: ...
