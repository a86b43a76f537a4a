"""Writes made durable before their calls, and what became of them (planned, sending, then an outcome).

An intent whose answer was lost is *unknown* until somebody has looked the record up; nothing here sends it again by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, or_, select, update

from sync_core.errors import Rejected
from sync_core.model import Intent, IntentStatus, Link, RecordStatus, Side, Verb
from sync_core.store.leases import Lease, Leases
from sync_core.store.links import Links
from sync_core.store.shelf import Row, Shelf, chunks, columns_of
from sync_core.store.statuses import Statuses
from sync_core.store.tables import intents

Settlement = tuple[str, IntentStatus, str | None, str]
"""Intent id, what became of it, the id on the other side (None keeps what is known), and the reason in plain words."""

_OPEN = (IntentStatus.PLANNED, IntentStatus.SENDING, IntentStatus.UNKNOWN)
_SENDABLE = (IntentStatus.PLANNED, IntentStatus.UNKNOWN)
_COLUMNS = [column for column in intents.c if column.name not in ("seq", "organisation")]
_GIVEN = [column.name for column in _COLUMNS if column.name != "id"]


class IntentBook(Shelf):
    """Reading the intents."""

    def unsettled(self) -> list[Intent]:
        """Planned, sending and unknown ones, in the order in which they were planned."""
        return self._intents(intents.c.status.in_(_OPEN))

    def intents(self, run: str) -> list[Intent]:
        """All of a run, in the order in which they were planned."""
        return self._intents(intents.c.run == run)

    def count_by_status(self, run: str | None = None) -> dict[IntentStatus, int]:
        """Of one run, or of all."""
        statement = select(intents.c.status, func.count()).where(self._own_intents())
        if run is not None:
            statement = statement.where(intents.c.run == run)
        with self._read() as connection:
            rows = connection.execute(statement.group_by(intents.c.status))
            return {IntentStatus(status): count for status, count in rows}

    def rejected(self, entity: str, side: Side, record_id: str, body_hash: str) -> Intent | None:
        """The refusal of this very body for this record (by either side's id), None when its last outcome was another."""
        of = (
            intents.c.entity == entity,
            intents.c.side == side.value,
            intents.c.body_hash == body_hash,
            or_(intents.c.crm_id == record_id, intents.c.xero_id == record_id),
            intents.c.status.not_in(_OPEN),
        )
        statement = self._select_intents(*of).order_by(None).order_by(intents.c.seq.desc()).limit(1)
        with self._read() as connection:
            row = connection.execute(statement).one_or_none()
        return _intent(row._asdict()) if row is not None and row.status == IntentStatus.REJECTED else None

    def rejections(self, entity: str, side: Side) -> dict[tuple[str, str], Intent]:
        """What :meth:`rejected` would answer for every record at once, by (record id, body hash)."""
        of = intents.c.entity == entity, intents.c.side == side.value
        refused = select(intents.c.body_hash).where(self._own_intents(), *of, intents.c.status == IntentStatus.REJECTED)
        with self._read() as connection:
            # Mostly there are none, and then the outcomes of a whole company need not be looked through.
            if connection.execute(refused.limit(1)).first() is None:
                return {}
        last: dict[tuple[str, str], Intent] = {}
        for intent in self._intents(*of, intents.c.status.not_in(_OPEN), intents.c.body_hash.in_(refused)):
            for record_id in (intent.crm_id, intent.xero_id):
                if record_id is not None:
                    last[record_id, intent.body_hash] = intent
        return {key: intent for key, intent in last.items() if intent.status is IntentStatus.REJECTED}

    def _intents(self, *conditions: Any) -> list[Intent]:
        with self._read() as connection:
            return [_intent(row._asdict()) for row in connection.execute(self._select_intents(*conditions))]

    def _select_intents(self, *conditions: Any) -> Select[Any]:
        return select(*_COLUMNS).where(self._own_intents(), *conditions).order_by(intents.c.seq)

    def _own_intents(self) -> Any:
        return intents.c.organisation == self._organisation


class Intents(IntentBook, Leases, Links, Statuses):
    """Writing them."""

    def plan_intents(self, new: Sequence[Intent]) -> None:
        """Keep them all, or none. An id that is planned or unknown is planned anew (new key, next attempt);
        one that is being sent or has its outcome raises Rejected.
        """
        if not new:
            return
        rows = [{"organisation": self._organisation, **columns_of(intent)} for intent in new]
        statement = self._insert(intents)
        again = statement.on_conflict_do_update(
            index_elements=["organisation", "id"], set_={name: statement.excluded[name] for name in _GIVEN}
        )
        with self._write() as connection:
            self._require_intents(connection, [intent.id for intent in new], taken_unless=_SENDABLE)
            connection.execute(again, rows)

    def mark_sending(self, ids: Sequence[str], at: datetime, lease: Lease) -> None:
        """The last act before the call. Raises Busy when the lease is lost, Rejected when one of them is not waiting.

        ``at`` becomes the first sending unless there was one with the same key.
        """
        with self._write() as connection:
            self._hold_lease(connection, lease)
            self._require_intents(connection, ids, taken_unless=_SENDABLE, all_there=True)
            values = {
                "status": IntentStatus.SENDING,
                "fence": lease.fence,
                "first_sent_at": func.coalesce(intents.c.first_sent_at, bindparam("sent_at", at, intents.c.first_sent_at.type)),
            }
            for some in chunks(ids):
                connection.execute(update(intents).where(self._own_intents(), intents.c.id.in_(some)).values(values))

    def settle(
        self,
        outcomes: Sequence[Settlement],
        links: Sequence[Link] = (),
        statuses: Sequence[RecordStatus] = (),
        lease: Lease | None = None,
    ) -> None:
        """Outcomes, links and statuses in one transaction: all or nothing.

        A link that clashes raises Rejected and nothing is kept; settle the others without it. With ``lease``, a run that
        was overtaken raises Busy and leaves the record to its successor; one whose lease ran out while it waited for the
        answer, and that nobody overtook, keeps what came of it.
        """
        ids = [outcome[0] for outcome in outcomes]
        with self._write() as connection:
            if lease is not None:
                self._still_held(self._locked_lease(connection), lease)
            self._require_intents(connection, ids, all_there=True)
            if outcomes:
                connection.execute(_settling(), [self._outcome(outcome) for outcome in outcomes])
            self.add_links(links)
            self.set_statuses(statuses)

    def drop_planned(self, lease: Lease) -> int:
        """Forget what earlier leases planned and never sent: the run that holds ``lease`` plans anew from fresh data.

        Returns how many there were; raises Busy when the lease is lost.
        """
        stale = self._own_intents(), intents.c.status == IntentStatus.PLANNED, intents.c.fence < lease.fence
        with self._write() as connection:
            self._hold_lease(connection, lease)
            return connection.execute(delete(intents).where(*stale)).rowcount

    def sending_to_unknown(self) -> int:
        """At the start of a run: whatever was being sent has lost its answer. Returns how many there were."""
        was = self._own_intents(), intents.c.status == IntentStatus.SENDING
        with self._write() as connection:
            return connection.execute(update(intents).where(*was).values(status=IntentStatus.UNKNOWN)).rowcount

    def _outcome(self, outcome: Settlement) -> dict[str, Any]:
        intent_id, status, remote_id, reason = outcome
        return {
            "of": self._organisation,
            "intent_id": intent_id,
            "new_status": status.value,
            "new_remote_id": remote_id,
            "new_reason": reason,
        }

    def _require_intents(
        self,
        connection: Connection,
        ids: Sequence[str],
        *,
        taken_unless: tuple[IntentStatus, ...] = (),
        all_there: bool = False,
    ) -> None:
        present: dict[str, str] = {}
        for some in chunks(ids):
            statement = select(intents.c.id, intents.c.status).where(self._own_intents(), intents.c.id.in_(some))
            present.update((row.id, row.status) for row in connection.execute(statement.with_for_update()))
        missing = next((intent for intent in ids if intent not in present), None) if all_there else None
        if missing is not None:
            raise Rejected(f"The write {missing} was never planned, so nothing was changed.", code="not planned")
        taken = next(((i, s) for i, s in present.items() if taken_unless and s not in taken_unless), None)
        if taken is not None:
            raise Rejected(f"The write {taken[0]} is {taken[1]} already, so nothing was changed.", code="not waiting")


def _settling() -> Any:
    return (
        update(intents)
        .where(intents.c.organisation == bindparam("of"), intents.c.id == bindparam("intent_id"))
        .values(
            status=bindparam("new_status"),
            remote_id=func.coalesce(bindparam("new_remote_id"), intents.c.remote_id),
            reason=bindparam("new_reason"),
        )
    )


def _intent(row: Row) -> Intent:
    return Intent(**{**row, "side": Side(row["side"]), "verb": Verb(row["verb"]), "status": IntentStatus(row["status"])})
