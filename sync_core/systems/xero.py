"""Xero as a :class:`~sync_core.systems.base.System`: listing, looking up and writing native rows.

Rows are carried as Xero spells them. Allocations live inside their credit note, prepayment or overpayment: to create one,
``Write.id`` is the parent's id; to delete one, ``Write.id`` is the allocation's and ``body[stream.parent_key]`` the parent's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from sync_core.errors import Configure, Rejected, Retryable, Unknown
from sync_core.model import Calls, Native, Side, Verb
from sync_core.rules.entities import ORGANISATION, Stream
from sync_core.systems import xero_listing as listing
from sync_core.systems.base import Page, Peer, Receipt, Write
from sync_core.systems.budget import AT_ONCE, Budget
from sync_core.systems.http import Answer, Forbidden, Gate, Http
from sync_core.systems.odata import to_json
from sync_core.systems.redaction import redact
from sync_core.systems.xero_answers import TOO_LARGE, receipts, rejected
from sync_core.systems.xero_operations import BATCH, SCOPE, Writing, array_of, reading, writing
from sync_core.systems.xero_query import both, equals, holds
from sync_core.systems.xero_rows import lacks_lines, rows_of

if TYPE_CHECKING:
    import httpx

    from sync_core.settings import Settings
    from sync_core.systems.base import Clock

_API = "/api.xro/2.0"
LARGEST = 3_500_000
"""Bytes that Xero is to be sent at once, by its own advice; of more it says 413."""


class Tokens(Protocol):
    def token(self, force: bool = False, /) -> str: ...


class Xero:
    """One Xero organisation. Safe to use from several threads.

    ``budget`` and ``gate`` must be shared by all clients of the same organisation in this process.
    """

    side = Side.XERO
    batch_size = BATCH
    at_once = AT_ONCE

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        tokens: Tokens,
        run_id: Callable[[], str | None] = lambda: None,
        transport: httpx.BaseTransport | None = None,
        *,
        budget: Budget | None = None,
        gate: Gate | None = None,
    ) -> None:
        from sync_core.systems.xero_catalogue import Catalogue

        root = settings.xero_url.removesuffix(_API)
        self._tenant = settings.xero_tenant_id
        self.budget = budget or Budget(clock)
        self._http = Http(
            system="Xero",
            base_url=root,
            clock=clock,
            token=tokens.token,
            run_id=run_id,
            allow_loopback=settings.allow_loopback,
            budget=self.budget,
            transport=transport,
            gate=gate,
        )
        self._catalogue = Catalogue(self._http, f"{root}{_API}", self._tenant)

    @property
    def left_today(self) -> int | None:
        return self.budget.remaining_today()

    @property
    def waits_until(self) -> datetime | None:
        return self.budget.waits_until

    @property
    def calls(self) -> Calls:
        return self._http.calls

    def close(self) -> None:
        self._http.close()

    def check(self) -> Peer:
        """Two calls: which organisations this app may reach, and the one that is set."""
        self._check_connection()
        try:
            answer = self._catalogue.call("get_organisations")
        except Forbidden as refused:
            raise Configure(
                "The Xero organisation has not given Tieout permission to read its settings. Connect it again and agree to all "
                "the scopes that are asked for.",
                detail=refused.detail,
            ) from refused
        if answer.status == 404:
            raise self._not_xero(answer)
        rows = self._rows(ORGANISATION, answer)
        if not rows:
            raise Retryable("Xero answered without an organisation. Try again later.")
        return Peer(str(rows[0].get(ORGANISATION.key) or self._tenant), str(rows[0].get("Name", "")), rows[0])

    def changed_since(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
        """See ``xero_listing``. An optional table that is missing, or shut to the app, raises Rejected
        with the code "not supported", or "not permitted".
        """

        def fetch(options: dict[str, Any]) -> Answer:
            return self._list(stream, where=stream.where, **options)

        if not stream.incremental:
            return listing.whole(stream, fetch)
        found = listing.pages(stream, fetch, cursor) if stream.paged else listing.changes(stream, fetch, cursor)
        return (replace(page, rows=self._with_lines(stream, page.rows)) for page in found)

    def get(self, stream: Stream, row_id: str) -> Native | None:
        """Rows inside others (lines, allocations) have no address of their own: get the parent."""
        operation = reading(stream).one
        if stream.within:
            raise Rejected(f"Xero cannot bring one of {stream.name} alone; get its parent.", code="not supported")
        if not operation:
            rows = self._rows(stream, self._list(stream))
            return next((row for row in rows if holds(row, stream.key, row_id)), None)
        try:
            answer = self._catalogue.call(operation, row_id, unitdp=4)
        except Forbidden as refused:
            raise _refused(stream, refused, "access to ") from refused
        if answer.status == 404:
            return None
        return next(iter(self._rows(stream, answer)), None)

    def find(self, stream: Stream, field: str, value: str) -> list[Native]:
        """Rows that hold ``value`` in ``field`` (a dotted path), compared again here: Xero's filters are lenient."""
        if not value:
            return []
        where = both(stream.where, equals(field, value))
        paging = {"page": 1, "page_size": listing.PAGE_SIZE} if stream.paged else {}
        answer = self._list(stream, where=where, include_archived=stream.archived or None, **paging)
        return self._with_lines(stream, [row for row in self._rows(stream, answer) if holds(row, field, value)])

    def batch_size_for(self, stream: Stream, verb: Verb = Verb.CREATE) -> int:
        """How many elements one call takes: 50, or 1 where the record's id stands in the address."""
        try:
            return writing(stream, verb).batch
        except Rejected:
            return 1

    def write(self, writes: Sequence[Write]) -> list[Receipt]:
        """Send up to :meth:`batch_size_for` elements of one stream and verb. ``Write.version`` means nothing to Xero."""
        if not writes:
            return []
        first = writes[0]
        try:
            way = writing(first.stream, first.verb)
        except Rejected as impossible:
            return [Receipt(id=write.id, error=impossible) for write in writes]
        if any((w.stream, w.verb) != (first.stream, first.verb) for w in writes) or len(writes) > way.batch:
            raise ValueError(f"one call takes {way.batch} of {first.stream.name}, all with one verb")
        body = None if way.empty else to_json(_body(way, writes))
        if body is not None and len(writes) > 1 and len(body.encode()) > LARGEST:
            return self._halved(writes)
        try:
            answer = self._catalogue.call(
                way.operation,
                *_path(way, first),
                body=body,
                summarize_errors=False,
                unitdp=4,
                idempotency_key=first.key,
            )
        except Forbidden as refused:
            error = _refused(first.stream, refused, "to write ")
            if isinstance(error, Rejected):
                return [Receipt(id=write.id, error=error) for write in writes]
            raise error from refused
        return self._halved(writes) if answer.status == TOO_LARGE and len(writes) > 1 else receipts(writes, answer)

    def _halved(self, writes: Sequence[Write]) -> list[Receipt]:
        """More than one call takes, of which nothing was taken: sent in two, the first under a key that was not used yet."""
        middle = len(writes) // 2
        done = self.write([replace(writes[0], key=f"{writes[0].key}.{middle}"), *writes[1:middle]])
        try:
            return done + self.write(writes[middle:])
        except (Retryable, Configure) as error:
            raise Unknown(
                "Xero took a part of what was sent and not the rest. The records must be looked up before anything is sent "
                "again.",
                detail=error.message,
            ) from error

    def _check_connection(self) -> None:
        answer = self._http.request("GET", "connections")
        if answer.status == 404:
            return  # Not every stand-in for Xero has this list; the organisation itself says the rest.
        if answer.status != 200:
            raise self._not_xero(answer)
        rows = answer.json()
        known = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        if any(str(row.get("tenantId", "")).lower() == self._tenant.lower() for row in known):
            return
        names = ", ".join(redact(f"{row.get('tenantName')} ({row.get('tenantId')})", longest=120) for row in known)
        reachable = f"It may reach: {names}." if names else "It may reach no organisation at all."
        raise Configure(
            f"This Xero app is not connected to the organisation of TIEOUT_XERO_TENANT_ID. {reachable}", detail=answer.text()
        )

    def _not_xero(self, answer: Answer) -> Configure:
        return Configure(f"{self._http.host} does not answer like Xero. Check TIEOUT_XERO_URL.", detail=answer.text())

    def _list(self, stream: Stream, **options: Any) -> Answer:
        try:
            answer = self._catalogue.call(reading(stream).many, unitdp=4, **options)
        except Forbidden as refused:
            raise _refused(stream, refused, "access to ") from refused
        if answer.status == 404:
            raise _not_supported(stream, answer.text())
        if answer.status not in (200, 304):
            raise rejected(answer)
        return answer

    def _with_lines(self, stream: Stream, rows: list[Native]) -> list[Native]:
        """A list may leave lines out (those without pages do); a document without its lines would look as if they were gone."""
        return [self.get(stream, str(r[stream.key])) or r if lacks_lines(stream, r) else r for r in rows]

    def _rows(self, stream: Stream, answer: Answer) -> list[Native]:
        if answer.status != 200:
            raise rejected(answer)
        _, rows = rows_of(stream, answer)
        if rows is None:
            raise Retryable(f"Xero answered without {stream.table}. Try again later.", detail=answer.text())
        return rows


def _path(way: Writing, write: Write) -> tuple[str, ...]:
    """The ids that stand in the address."""
    if not way.by_id:
        return ()
    if write.stream.within and write.verb is Verb.DELETE:
        return str(write.body[write.stream.parent_key]), str(write.id)
    if not write.id:
        raise ValueError(f"{write.stream.name} needs an id to {write.verb.value}")
    return (write.id,)


def _body(way: Writing, writes: Sequence[Write]) -> Native:
    """The elements as Xero wants them. An update names its record, or Xero would match it by number or name."""
    first = writes[0]
    named = first.verb is Verb.UPDATE and not first.stream.within
    elements = [{**w.body, first.stream.key: w.id} if named and w.id else dict(w.body) for w in writes]
    if way.status and not elements[0]:
        elements[0] = {"Status": way.status}
    return elements[0] if way.bare else {array_of(first.stream): elements}


def _refused(stream: Stream, refused: Forbidden, what: str) -> Configure | Rejected:
    """403: for a table that Tieout can do without, the run goes on (code "not permitted")."""
    scope = SCOPE[stream.table]
    if stream.optional:
        return Rejected(
            f"Xero refused {what}{stream.table}: the app lacks the permission {scope}. Allow it in Xero's developer portal, "
            "and connect Xero again.",
            code="not permitted",
            detail=refused.detail,
        )
    return Configure(
        f"Xero refused {what}{stream.table}. Probably the app lacks a scope for it ({scope}), or the organisation is no longer "
        "connected to it; check both in Xero.",
        detail=refused.detail,
    )


def _not_supported(stream: Stream, detail: str) -> Rejected:
    return Rejected(f"This Xero organisation does not offer {stream.table}.", code="not supported", detail=detail)
