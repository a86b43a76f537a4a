"""What one process asks the one that owns the organisation to do: "sync now" from the command line, or a scheduler's slot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select, update

from sync_core.errors import Rejected
from sync_core.store.shelf import Row, Shelf, canonical_json
from sync_core.store.tables import requests


class RequestStatus(StrEnum):
    QUEUED = "queued"
    CLAIMED = "claimed"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Request:
    """``run`` is the run that answered it, "" before; ``message`` what came of it, in plain words."""

    id: int
    kind: str
    args: Mapping[str, Any]
    dedupe_key: str | None
    status: RequestStatus
    asked_at: datetime
    claimed_by: str | None
    claimed_at: datetime | None
    finished_at: datetime | None
    run: str
    message: str


class Requests(Shelf):
    def enqueue(self, kind: str, args: Mapping[str, Any], dedupe_key: str | None, at: datetime) -> int:
        """The id of the request. The same ``dedupe_key`` gives the same request for ever, also after it was done; None is
        never the same.
        """
        row = {
            "organisation": self._organisation,
            "kind": kind,
            "args": canonical_json(args),
            "dedupe_key": dedupe_key,
            "status": RequestStatus.QUEUED,
            "asked_at": at,
            "run": "",
            "message": "",
        }
        with self._write() as connection:
            statement = self._insert(requests).values(row).on_conflict_do_nothing().returning(requests.c.seq)
            made = connection.scalar(statement)
            if made is not None:
                return int(made)
            same = select(requests.c.seq).where(self._own_requests(), requests.c.dedupe_key == dedupe_key)
            return int(connection.execute(same).scalar_one())

    def next_request(self, holder: str = "runner") -> Request | None:
        """The oldest one that waits, now claimed by ``holder``; None when there is none. No two callers get the same."""
        waiting = select(requests.c.seq).where(self._own_requests(), requests.c.status == RequestStatus.QUEUED)
        oldest = waiting.order_by(requests.c.seq).limit(1).with_for_update(skip_locked=True)
        with self._write() as connection:
            seq = connection.scalar(oldest)
            if seq is None:
                return None
            claim = {"status": RequestStatus.CLAIMED, "claimed_by": holder, "claimed_at": self._now()}
            connection.execute(update(requests).where(requests.c.seq == seq).values(claim))
            return self.request(seq)

    def finish_request(self, request_id: int, message: str, *, run: str = "", failed: bool = False) -> None:
        """Raises Rejected when there is no such request."""
        status = RequestStatus.FAILED if failed else RequestStatus.DONE
        values = {"status": status, "finished_at": self._now(), "message": message, "run": run}
        with self._write() as connection:
            changed = update(requests).where(self._own_requests(), requests.c.seq == request_id).values(values)
            if connection.execute(changed).rowcount == 0:
                raise Rejected(f"The request {request_id} is not known.", code="not known")

    def requeue_claimed(self, holder: str) -> int:
        """At the start of ``holder``: what its former self claimed and did not finish waits again. How many there were."""
        mine = self._own_requests(), requests.c.status == RequestStatus.CLAIMED, requests.c.claimed_by == holder
        values = {"status": RequestStatus.QUEUED, "claimed_by": None, "claimed_at": None}
        with self._write() as connection:
            return connection.execute(update(requests).where(*mine).values(values)).rowcount

    def has_claimed(self) -> bool:
        """Whether somebody claimed a request that is not done yet."""
        claimed = select(requests.c.seq).where(self._own_requests(), requests.c.status == RequestStatus.CLAIMED)
        with self._read() as connection:
            return connection.execute(claimed.limit(1)).first() is not None

    def request(self, request_id: int) -> Request | None:
        with self._read() as connection:
            statement = select(requests).where(self._own_requests(), requests.c.seq == request_id)
            row = connection.execute(statement).one_or_none()
        return None if row is None else _request(row._asdict())

    def _own_requests(self) -> Any:
        return requests.c.organisation == self._organisation


def _request(row: Row) -> Request:
    same = {name: row[name] for name in row if name not in ("seq", "organisation", "args", "status")}
    return Request(id=row["seq"], args=json.loads(row["args"]), status=RequestStatus(row["status"]), **same)
