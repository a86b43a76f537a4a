"""Who did what to which record: rows that are only ever added, each sealed by the hash of all before it.

The database refuses to change or remove a row. Where somebody gets round that, ``verify_audit`` names the positions; it
does not help against somebody who may write everything and computes the whole chain anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select, update

from sync_core.store.columns import plain
from sync_core.store.shelf import Row, Shelf, canonical_json
from sync_core.store.tables import audit, audit_heads

_START = "0" * 64
_PAGE = 5_000
Told = tuple[str, Mapping[str, Any] | None, Mapping[str, Any] | None]
"""What one act did to one record: its subject, and what was recorded before and after."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """``before`` and ``after`` are what was recorded, Decimals and dates as text; ``position`` counts from 1."""

    position: int
    who: str
    act: str
    subject: str
    before: Any
    after: Any
    at: datetime
    hash: str


class Audit(Shelf):
    def append_audit(
        self,
        who: str,
        act: str,
        subject: str,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
        at: datetime,
    ) -> int:
        """Add a row; its position. Inside ``State.together`` it is kept or lost with the act that it tells of."""
        return self.append_audits(who, act, [(subject, before, after)], at)

    def append_audits(self, who: str, act: str, told: Sequence[Told], at: datetime) -> int:
        """Add a row for each of ``told``, in order, when one act was on many records; the position of the last."""
        with self._write() as connection:
            position, previous = self._lock_head(connection)
            rows = []
            for subject, before, after in told:
                position += 1
                row = {
                    "organisation": self._organisation,
                    "position": position,
                    "who": plain(who),
                    "act": plain(act),
                    "subject": plain(subject),
                    "before": canonical_json(before),
                    "after": canonical_json(after),
                    "at": at,
                    "previous": previous,
                }
                previous = row["hash"] = _hash(row)
                rows.append(row)
            if rows:
                connection.execute(audit.insert(), rows)
                self._move_head(connection, position, previous)
            return position

    def audit(self, limit: int, subject: str | None = None) -> list[AuditEntry]:
        """The latest first; of one subject, or of all."""
        statement = select(audit).where(audit.c.organisation == self._organisation)
        if subject is not None:
            statement = statement.where(audit.c.subject == plain(subject))
        with self._read() as connection:
            rows = connection.execute(statement.order_by(audit.c.position.desc()).limit(limit))
            return [_entry(row._asdict()) for row in rows]

    def audit_at(self, position: int) -> AuditEntry | None:
        own = audit.c.organisation == self._organisation, audit.c.position == position
        with self._read() as connection:
            row = connection.execute(select(audit).where(*own)).one_or_none()
        return None if row is None else _entry(row._asdict())

    def audit_head(self) -> tuple[int, str]:
        """How many entries the trail has, and the hash of the last. Written down elsewhere, it shows that none was cut off."""
        with self._read() as connection:
            return self._present_head(connection)

    def verify_audit(self) -> list[int]:
        """Positions that are missing, changed, or do not follow from the one before; empty when all is well."""
        broken: set[int] = set()
        expected, previous = 1, _START
        with self._read() as connection:
            head, head_hash = self._present_head(connection)
            for row in self._rows(connection):
                broken.update(range(expected, row["position"]))
                if row["hash"] != _hash(row) or (row["previous"] != previous and row["position"] == expected):
                    broken.add(row["position"])
                expected, previous = row["position"] + 1, row["hash"]
        broken.update(range(expected, head + 1))
        if head < expected - 1 or (head == expected - 1 and head_hash != previous):
            broken.add(expected - 1)
        return sorted(broken)

    def _rows(self, connection: Connection) -> Iterator[Row]:
        own = select(audit).where(audit.c.organisation == self._organisation).order_by(audit.c.position)
        for row in connection.execute(own.execution_options(yield_per=_PAGE)):
            yield row._asdict()

    def _lock_head(self, connection: Connection) -> tuple[int, str]:
        """The end of the chain, locked: two appends at once would share a position."""
        row = {"organisation": self._organisation, "position": 0, "hash": _START}
        connection.execute(self._insert(audit_heads).values(row).on_conflict_do_nothing())
        return self._present_head(connection, lock=True)

    def _present_head(self, connection: Connection, *, lock: bool = False) -> tuple[int, str]:
        own = select(audit_heads).where(audit_heads.c.organisation == self._organisation)
        row = connection.execute(own.with_for_update() if lock else own).one_or_none()
        return (0, _START) if row is None else (row.position, row.hash)

    def _move_head(self, connection: Connection, position: int, digest: str) -> None:
        own = audit_heads.c.organisation == self._organisation
        connection.execute(update(audit_heads).where(own).values(position=position, hash=digest))


def _hash(row: Mapping[str, Any]) -> str:
    names = ("organisation", "position", "who", "act", "subject", "before", "after")
    words = canonical_json({**{name: row[name] for name in names}, "at": row["at"].astimezone(UTC).isoformat()})
    return hashlib.sha256((row["previous"] + words).encode()).hexdigest()


def _entry(row: Row) -> AuditEntry:
    told = {name: json.loads(row[name]) for name in ("before", "after")}
    same = {name: row[name] for name in ("position", "who", "act", "subject", "at", "hash")}
    return AuditEntry(**same, **told)
