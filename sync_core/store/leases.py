"""Who may sync an organisation now. One lease per organisation, with a fence that only ever grows.

A lease that ran out may be taken by anybody, and by nobody else but its holder renewed. All instants come from the state's
clock: holders on several machines need clocks that differ by much less than the time that a lease lives.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from sync_core.errors import Busy
from sync_core.store.shelf import Shelf
from sync_core.store.tables import leases


@dataclass(frozen=True, slots=True)
class Lease:
    """``fence`` is larger than that of every lease before; ``ttl`` how long a renewal lasts; instants are UTC."""

    holder: str
    fence: int
    taken_at: datetime
    expires_at: datetime
    ttl: timedelta


class Leases(Shelf):
    def acquire(self, holder: str, ttl: timedelta, *, over: str | None = None) -> Lease:
        """Take the lease. Raises Busy naming who holds it and since when, even when that is ``holder`` itself.

        ``over``: a holder that is known to be dead; its lease is taken although it has not run out.
        """
        with self._write() as connection:
            row = {"organisation": self._organisation, "fence": 0}
            connection.execute(self._insert(leases).values(row).on_conflict_do_nothing())
            present, now = self._locked_lease(connection), self._now()
            if present.holder not in (None, over) and present.expires_at > now:
                raise Busy(
                    f"{present.holder} has been syncing this organisation since {_told(present.taken_at)}. "
                    "Wait until it is done, then try again."
                )
            lease = Lease(holder, present.fence + 1, now, now + ttl, ttl)
            self._put_lease(connection, fence=lease.fence, holder=holder, taken_at=now, expires_at=lease.expires_at)
            return lease

    def renew(self, lease: Lease) -> Lease:
        """Prolong it by its ``ttl`` from now; also a lease that ran out, if nobody took it. Raises Busy when it is lost."""
        with self._write() as connection:
            self._still_held(self._locked_lease(connection), lease)
            expires_at = self._now() + lease.ttl
            self._put_lease(connection, expires_at=expires_at)
            return Lease(lease.holder, lease.fence, lease.taken_at, expires_at, lease.ttl)

    def release(self, lease: Lease) -> None:
        """Give it back. A lease that is lost already is left to its new holder."""
        with self._write() as connection:
            present = self._locked_lease(connection)
            if present is not None and present.holder is not None and present.fence == lease.fence:
                self._put_lease(connection, holder=None, taken_at=None, expires_at=None)

    def check_fence(self, lease: Lease) -> None:
        """Raises Busy when another run took the lease over, or when it ran out and nothing may be sent before a renewal."""
        with self._write() as connection:
            self._hold_lease(connection, lease)

    def current_lease(self) -> tuple[str, datetime, datetime] | None:
        """Holder, since when and until when, None when nobody holds it or it ran out."""
        with self._read() as connection:
            present = connection.execute(self._select_lease()).one_or_none()
        if present is None or present.holder is None or present.expires_at <= self._now():
            return None
        return present.holder, present.taken_at, present.expires_at

    def _hold_lease(self, connection: Connection, lease: Lease) -> None:
        """The check that other verbs make inside their own transaction: nobody takes the lease before it ends."""
        present = self._locked_lease(connection)
        self._still_held(present, lease)
        if present.expires_at <= self._now():
            raise Busy(
                f"The lease of {lease.holder} ran out at {_told(present.expires_at)}, so nothing more is sent. "
                "Start the run again."
            )

    def _still_held(self, present: Row[Any] | None, lease: Lease) -> None:
        if present is not None and present.holder is not None and present.fence == lease.fence:
            return
        by = f"{present.holder} took over" if present is not None and present.holder else "it was given back"
        raise Busy(f"{lease.holder} no longer holds this organisation: {by}. Nothing more is sent; start the run again.")

    def _locked_lease(self, connection: Connection) -> Any:
        return connection.execute(self._select_lease().with_for_update()).one_or_none()

    def _select_lease(self) -> Any:
        return select(leases).where(leases.c.organisation == self._organisation)

    def _put_lease(self, connection: Connection, **values: object) -> None:
        connection.execute(update(leases).where(leases.c.organisation == self._organisation).values(**values))


def _told(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
