"""The words of the house and their shapes: frozen values that every room may hold.

*Record*: one document or master row of one system, in canonical fields. *Entity*: its kind. *Link*: the pair.
*Agreed image*: what each side held when they last agreed. *Cursor*: how far a side has been pulled. *Verdict*: what compare
says of a link. *Action*: one write. *Plan*: all actions and refusals of a run. *Intent*: an action made durable before its
call. *Receipt*: what the system answered. *Case*: a difference that a person works on. *Run*: one pass.

Money is ``Decimal`` in the document's currency (major units), instants are aware UTC ``datetime``, business dates ``date``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

Native = dict[str, Any]
"""A row as its system spells it: JSON with ``Decimal`` numbers."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """In a body for Dynamics: the value of a lookup column. The client knows the set's name and how to bind it."""

    table: str
    id: str


Value = str | int | bool | Decimal | date | datetime | tuple[Any, ...] | Lookup | None
"""One canonical field. Lines are a tuple of mappings; references hold the own side's id of the other record."""


class Side(StrEnum):
    CRM = "crm"
    XERO = "xero"

    @property
    def other(self) -> Side:
        return Side.XERO if self is Side.CRM else Side.CRM

    @property
    def label(self) -> str:
        return "Dynamics" if self is Side.CRM else "Xero"


class Status(StrEnum):
    """Exactly one per record (R12)."""

    NEVER_SYNCED = "Never synced"
    QUEUED = "Queued"
    SYNCING = "Syncing"
    SUCCESS = "Success"
    FAILED = "Failed"
    SKIPPED = "Skipped"
    CONFLICT = "Conflict"
    BLOCKED = "Blocked"
    EXCLUDED = "Excluded"
    MISSING_IN_CRM = "Missing in CRM"
    MISSING_IN_XERO = "Missing in Xero"
    NEEDS_REVIEW = "Needs review"


class Outcome(StrEnum):
    """What a run did with a record; the keys of a run's counts."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    BLOCKED = "blocked"
    CONFLICT = "conflict"
    FAILED = "failed"


class RunStatus(StrEnum):
    RUNNING = "running"
    SUCCESS = "success"
    PREVIEW = "preview"
    PARTIAL = "partial"
    REFUSED = "refused"
    FAILED = "failed"
    BUSY = "busy"
    CONFIGURE = "configure"

    @property
    def exit_code(self) -> int:
        return {"success": 0, "partial": 1, "failed": 1, "configure": 2, "refused": 3, "busy": 4}.get(self.value, 0)


class Verb(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class IntentStatus(StrEnum):
    PLANNED = "planned"
    SENDING = "sending"
    UNKNOWN = "unknown"
    APPLIED = "applied"
    ADOPTED = "adopted"
    REJECTED = "rejected"
    CONFLICT = "conflict"
    NEEDS_REVIEW = "needs review"


@dataclass(frozen=True, slots=True)
class Record:
    """One record of one side. ``fields`` are canonical; ``table`` is the native table that it stands in.

    ``gone`` says why it no longer counts as alive: "deleted", "voided", "archived", "merged" or "" when it is alive.
    """

    side: Side
    entity: str
    id: str
    table: str
    version: str
    fields: Mapping[str, Value]
    gone: str = ""
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A pair. ``matched_by`` names the pass or the act that made it ("created", "document number", "a person")."""

    entity: str
    crm_id: str
    xero_id: str
    matched_by: str
    linked_at: datetime


@dataclass(frozen=True, slots=True)
class RecordStatus:
    """Where a record stands, per entity and CRM or Xero record. Instants are UTC; ``remark`` is never blank."""

    entity: str
    side: Side
    id: str
    status: Status
    reason: str
    remark: str
    last_synced: datetime | None
    last_attempt: datetime
    run: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Intent:
    """A write made durable before its call (reliability.md section 2)."""

    id: str
    run: str
    fence: int
    entity: str
    side: Side
    table: str
    verb: Verb
    crm_id: str | None
    xero_id: str | None
    tag: str
    key: str
    body_hash: str
    attempt: int
    status: IntentStatus
    planned_at: datetime
    first_sent_at: datetime | None = None
    remote_id: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One field that the systems hold differently now, as people write the values."""

    field: str
    crm: str
    xero: str


@dataclass(frozen=True, slots=True)
class Verification:
    """One pair as it stood in both systems when they were read, at ``at``, by ``run``.

    ``missing`` names a side that does not have it. ``hash`` is of both records' contents, ``crm_hash`` and ``xero_hash`` of
    each side's own; all are "" where a record was not there.
    """

    entity: str
    crm_id: str
    xero_id: str
    title: str
    differences: tuple[FieldDifference, ...]
    missing: str
    hash: str
    crm_hash: str = ""
    xero_hash: str = ""
    at: datetime | None = None
    run: str = ""

    @property
    def agrees(self) -> bool:
        return not self.differences and not self.missing


@dataclass(frozen=True, slots=True)
class SlowCall:
    """One request that took long: what was asked for, without its query, and how long the answer took, waits apart."""

    method: str
    path: str
    milliseconds: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Calls:
    """HTTP calls made, reads and writes apart. ``slowest``: those of the present run that took longest, the longest first."""

    read: int = 0
    write: int = 0
    slowest: tuple[SlowCall, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What ``sync`` prints. ``counts`` has every :class:`Outcome` as a key."""

    run: str
    status: RunStatus
    started: datetime
    finished: datetime | None
    trigger: str
    scope: str
    counts: Mapping[str, int]
    calls: Mapping[str, Calls]
    message: str = ""
    by_entity: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


class MatchStatus(StrEnum):
    """How a row of the reconciliation stands (product.md section 2); exactly one per row."""

    MATCHED = "Matched"
    WITHIN_TOLERANCE = "Within tolerance"
    DIFFERS = "Differs"
    MISSING_IN_CRM = "Missing in CRM"
    MISSING_IN_XERO = "Missing in Xero"
    DUPLICATE = "Duplicate"
    AMBIGUOUS = "Ambiguous"
    TIMING = "Timing"
    IGNORED = "Ignored"
    VOIDED_ONE_SIDE = "Voided one side"


@dataclass(frozen=True, slots=True)
class ControlTotal:
    """One currency: what each side adds up to, the difference (CRM - Xero), and how much of it is explained."""

    currency: str
    crm_count: int
    xero_count: int
    crm: Decimal
    xero: Decimal
    difference: Decimal
    explained: Decimal
    unexplained: Decimal
    by_reason: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DataAge:
    """When each system was last pulled to its end (UTC), None: never."""

    crm: datetime | None
    xero: datetime | None
