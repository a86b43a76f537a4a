"""The Dynamics client: OData listings with change tracking, guarded writes in batches. Facts: Dataverse Web API 9.2.

Every write names the row's GUID, also for a create (``PATCH`` with ``If-None-Match: *``), so that a second attempt can
never make a second row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlsplit

from sync_core.errors import Configure, Expired, Rejected, Retryable, Unknown
from sync_core.model import Calls, Native, Side, Verb
from sync_core.rules.entities import Stream
from sync_core.systems import odata
from sync_core.systems.base import GUID, Clock, Page, Peer, Receipt, Write
from sync_core.systems.dataverse_errors import (
    CURSOR_TOO_OLD,
    NOT_SUPPORTED,
    ROW_MISSING,
    SETUP,
    cannot_list,
    no_access,
)
from sync_core.systems.dataverse_tables import NoSuchTable, Tables
from sync_core.systems.dataverse_writes import Sender, Writer
from sync_core.systems.http import Answer, Forbidden, Gate, Http

if TYPE_CHECKING:
    import httpx

    from sync_core.settings import Settings

API = "/api/data/v9.2"
PAGE_SIZE = 5000
BATCH_SIZE = 100
SMALLEST_BATCH = 10
AT_ONCE = 4
"""Of 52 requests that one user may have under way. Dynamics answers several at once sooner than one after the other."""
_WHOLE_LISTING = "full"
_PAGED = f"odata.maxpagesize={PAGE_SIZE}"
_REFUSED = frozenset({400, 405, 501})
_REMOVED = frozenset({"@removed", "@odata.removed"})
_TRACKED = f"odata.track-changes,{_PAGED}"


class Tokens(Protocol):
    def token(self, force: bool) -> str: ...


def api_address(settings: Settings) -> str:
    """The root of the Web API; TIEOUT_DYNAMICS_URL may carry its path already."""
    address = settings.dynamics_url
    return address if "/api/data/" in urlsplit(address).path else address + API


class Dataverse:
    """Dynamics as a :class:`~sync_core.systems.base.System`. ``http`` is public for provisioning.

    Safe to use from several threads. ``gate`` must be shared by all clients of the same environment in this process.
    """

    side = Side.CRM
    batch_size = BATCH_SIZE
    at_once = AT_ONCE

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        tokens: Tokens,
        run_id: Callable[[], str | None] = lambda: None,
        transport: httpx.BaseTransport | None = None,
        *,
        gate: Gate | None = None,
    ) -> None:
        root = api_address(settings)
        gate = gate or Gate(clock)
        self.http = Http(
            system=Side.CRM.label,
            base_url=root,
            clock=clock,
            token=tokens.token,
            run_id=run_id,
            allow_loopback=settings.allow_loopback,
            transport=transport,
            gate=gate,
        )
        self._tables = Tables(self.http)
        sender = Sender(self.http, gate, clock, urlsplit(root).path)
        self._writer = Writer(sender, self._tables)
        self._fitting = self.batch_size

    @property
    def left_today(self) -> int | None:
        return None

    @property
    def waits_until(self) -> datetime | None:
        return None

    @property
    def calls(self) -> Calls:
        return self.http.calls

    def close(self) -> None:
        self.http.close()

    def batch_size_for(self, stream: Stream, verb: Verb = Verb.CREATE) -> int:  # noqa: ARG002 - the same for all of them here
        """Fewer for a while after a batch was not answered: it is only answered once all of it is done, pricing included."""
        return self._fitting

    def check(self) -> Peer:
        """WhoAmI proves address, secret and application user; the second call brings the environment's name, if any."""
        who = _shown(self._ask("/WhoAmI"), "WhoAmI")
        answer = self._ask(f"/organizations({who['OrganizationId']}){odata.query(select='name')}")
        name = self.http.host if answer.status == 404 else _shown(answer, "organization")["name"]
        facts = {key: value for key, value in who.items() if not key.startswith("@")}
        return Peer(who["OrganizationId"], name, facts)

    def changed_since(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
        """Pages of a tracked table end with a cursor for the next pull; other tables are listed whole each time."""
        try:
            facts = self._tables[stream.table]
        except NoSuchTable as error:
            raise _unsupported(stream, error) from None
        if not stream.incremental:
            yield from self._whole_list(stream, facts.set_name)
            return
        if not facts.tracked and not self._tables.again(stream.table).tracked:
            raise Configure(f"Dynamics does not track changes of the table {stream.table}. {SETUP}")
        yield from self._tracked_list(stream, facts.set_name, cursor)

    def get(self, stream: Stream, row_id: str) -> Native | None:
        options = odata.query(select=_select(stream))
        answer = self._ask(f"/{self._set(stream)}({quote(row_id, safe='')}){options}")
        if answer.status == 200:
            return {name: value for name, value in _object(answer).items() if name != "@odata.context"}  # as in a list
        failed = _failure(answer)
        named = not failed.code and row_id.lower() in failed.message.lower()
        if answer.status == 404 and (failed.code in ROW_MISSING or named):
            return None
        raise cannot_list(stream.table, failed)

    def find(self, stream: Stream, field: str, value: str) -> list[Native]:
        """Equality as Dynamics sees it: letter case and spaces at the end do not count there."""
        is_id = field == stream.key or field.endswith("_value")
        condition = odata.equals(field, value, is_id=is_id)
        options = odata.query(select=_select(stream), filter=condition, orderby=stream.key)
        pages = self._pages(stream, f"/{self._set(stream)}{options}", _PAGED)
        return [row for payload in pages for row in payload["value"]]

    def write(self, writes: Sequence[Write]) -> list[Receipt]:
        if len(writes) > self.batch_size:
            raise ValueError(f"at most {self.batch_size} elements fit into one batch")
        try:
            receipts = self._writer.write(writes)
        except Unknown:
            self._fitting = max(SMALLEST_BATCH, len(writes) // 2)
            raise
        self._fitting = min(self.batch_size, self._fitting + 1)
        return receipts

    def _whole_list(self, stream: Stream, set_name: str) -> Iterator[Page]:
        # Without an order that ends in the key, rows can repeat or be skipped from page to page.
        options = odata.query(select=_select(stream), orderby=stream.key)
        for payload in self._pages(stream, f"/{set_name}{options}", _PAGED):
            last = "@odata.nextLink" not in payload
            yield Page(*_told_apart(stream, payload["value"]), _WHOLE_LISTING if last else None)

    def _tracked_list(self, stream: Stream, set_name: str, cursor: str | None) -> Iterator[Page]:
        if cursor is None:
            start, prefer = f"/{set_name}{odata.query(select=_select(stream))}", _TRACKED
        else:
            start, prefer = self._link_of(stream, cursor), _PAGED
        first = self._ask(start, Prefer=prefer)
        if cursor is None and first.status in _REFUSED:
            # A server may track less than it lets on. Were it about a column, the whole list would be refused as well.
            yield from self._whole_list(stream, set_name)
            return
        for payload in self._pages(stream, start, prefer, first):
            link = self.http.follow(start, payload.get("@odata.deltaLink") or "")
            rows, gone = _told_apart(stream, payload["value"])
            yield Page(rows, gone, _cursor(stream, link) if link else None)
            if link or "@odata.nextLink" in payload:
                continue
            if cursor is not None:
                raise Retryable(
                    f"Dynamics ended the list of {stream.table} without saying where to go on. Try again in a few minutes."
                )
            # Not every server tracks the changes that it was asked to: then the list is read whole each time, in order.
            yield from self._whole_list(stream, set_name)

    def _pages(self, stream: Stream, start: str, prefer: str, first: Answer | None = None) -> Iterator[dict[str, Any]]:
        """Follow nextLink, exactly as given, to the end. ``first``: the answer to ``start``, where it was asked for already.

        ``start`` with a delta token in it may be Expired.
        """
        address, seen = start, {start}
        while address:
            answer = first or self._ask(address, Prefer=prefer)
            first = None
            if answer.status != 200:
                raise _no_page(stream, answer, from_cursor="://" in start)
            payload = _object(answer)
            if not isinstance(payload.get("value"), list):
                raise Retryable(f"Dynamics answered without a list of {stream.table}. Try again in a few minutes.")
            yield payload
            address = self.http.follow(address, payload.get("@odata.nextLink") or "")
            if address in seen:
                raise Retryable(f"Dynamics lists the same page of {stream.table} again and again. Try again in a few minutes.")
            seen.add(address)

    def _link_of(self, stream: Stream, cursor: str) -> str:
        """A delta link goes on selecting the columns it was made with, so it is void once other columns are wanted."""
        if cursor == _WHOLE_LISTING:
            raise Expired(f"Dynamics does not say what changed in {stream.table}.")
        made_with, _, link = cursor.partition(" ")
        if made_with != _fingerprint(stream) or not link:
            raise Expired(f"Tieout reads other columns of {stream.table} than at the last pull.")
        if not self.http.leads_here(link):
            raise Expired(f"Dynamics had another address when {stream.table} was pulled last.")
        return link

    def _set(self, stream: Stream) -> str:
        return self._tables[stream.table].set_name

    def _ask(self, address: str, **headers: str) -> Answer:
        try:
            return self.http.request("GET", address, headers={**odata.READ_HEADERS, **headers})
        except Forbidden as error:
            raise no_access(_failure(error.answer)) from None


def _shown(answer: Answer, what: str) -> dict[str, Any]:
    if answer.status == 200:
        return _object(answer)
    if answer.status == 404:
        raise Configure(
            "There is no Dynamics Web API at TIEOUT_DYNAMICS_URL. It must be the address of the environment, "
            "such as https://contoso.crm.dynamics.com.",
            detail=answer.text(),
        )
    raise cannot_list(what, _failure(answer))


def _select(stream: Stream) -> str:
    return ",".join(dict.fromkeys((stream.key, *stream.columns)))


def _failure(answer: Answer) -> odata.Failure:
    return odata.failure(answer.status, answer.body)


def _object(answer: Answer) -> dict[str, Any]:
    payload = answer.json()
    if not isinstance(payload, dict):
        raise Retryable("Dynamics answered with something else than a row or a list. Try again in a few minutes.")
    return payload


def _told_apart(stream: Stream, listed: list[Native]) -> tuple[list[Native], list[str]]:
    """Rows, and the ids of deleted ones: Dynamics gives these bare, OData also by their address (JSON format 4.0 and 4.01)."""
    rows, gone = [], []
    for row in listed:
        if not _is_tombstone(row):
            if not row.get(stream.key):
                raise Retryable(f"Dynamics listed a row of {stream.table} without its id. Try again in a few minutes.")
            rows.append(row)
        elif found := GUID.findall(str(row.get("id") or row.get("@id") or row.get("@odata.id"))):
            gone.append(found[-1])
        else:
            raise Retryable(f"Dynamics listed a deleted row of {stream.table} without its id. Try again in a few minutes.")
    return rows, gone


def _is_tombstone(row: Native) -> bool:
    return str(row.get("@odata.context", "")).endswith("/$deletedEntity") or not _REMOVED.isdisjoint(row)


def _no_page(stream: Stream, answer: Answer, *, from_cursor: bool) -> Exception:
    failed = _failure(answer)
    # A refused delta link costs a full pull at worst, which then says what is really wrong.
    if failed.code == CURSOR_TOO_OLD or (from_cursor and answer.status in (400, 404, 410)):
        return Expired(f"Dynamics no longer knows where the last pull of {stream.table} ended.", detail=failed.message)
    return _unsupported(stream, cannot_list(stream.table, failed))


def _unsupported(stream: Stream, error: Exception) -> Exception:
    if stream.optional and isinstance(error, Configure):
        return Rejected(f"Dynamics does not offer {stream.table}.", code=NOT_SUPPORTED, detail=error.detail)
    return error


def _cursor(stream: Stream, link: str) -> str:
    return f"{_fingerprint(stream)} {link}"


def _fingerprint(stream: Stream) -> str:
    return hashlib.sha256(_select(stream).encode()).hexdigest()[:12]
