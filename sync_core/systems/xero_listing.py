"""Listing a table of Xero from a cursor, so that no row is missed while people keep working.

Pages are ordered by ``UpdatedDateUTC``. A row that is edited while we read moves to the end and every row behind it one
place forward: whoever asks for page 2 then misses the row that slipped onto page 1. Therefore the next page is asked for
by value: everything since the newest instant read so far (``If-Modified-Since``, whole seconds, one second overlap). Page
numbers are only used inside a burst of rows of one second, and where the pages do not prove their order: one that is not
sorted, a list that does not say how many rows it has, or one that starts before the instant that was asked for.
What was read twice is dropped. At the end the distinct rows must be as many as Xero said at the start (rows never leave such
a list), or, where it did not say, no row may have changed meanwhile; if not, the list is read once more, by page numbers.

The next cursor comes from the data: the largest ``UpdatedDateUTC``, but not later than Xero's own clock when the pull
began, because rows changed during the pull may lie on pages already read. A pull goes back five minutes before its cursor,
for rows that became visible late; once one did so and brought nothing new, at a time of Xero's that is five minutes later
still, the cursor is settled: the next pull begins where it stands, so that a quiet company's last burst is not read for
ever. Our clock plays no part, and no cursor ever passes the newest row: a clock that is wrong loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from sync_core.errors import Expired, Retryable
from sync_core.model import Native
from sync_core.rules.dates import instant_of, parse_xero_instant
from sync_core.rules.entities import Stream
from sync_core.systems.base import Page
from sync_core.systems.http import Answer
from sync_core.systems.xero_rows import rows_of

PAGE_SIZE = 1000
OVERLAP = timedelta(minutes=5)
WHOLE = "full"
"""The cursor of streams that have no way to list changes."""
_SETTLED = "/settled"
_START = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_READINGS = 2

Fetch = Callable[[dict[str, Any]], Answer]
"""Asks for one page with these options (``if_modified_since``, ``page``...); the status is 200, or 304: nothing changed."""


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One answer: its rows, how many rows and pages the whole list has (None: not said), and Xero's time."""

    rows: list[Native]
    items: int | None
    pages: int | None
    at: datetime | None


@dataclass(slots=True)
class _Progress:
    """What one pull knows so far."""

    key: str
    started: datetime | None = None
    newest: datetime | None = None
    expected: int | None = None
    uncounted: bool = False
    seen: dict[str, datetime | None] = field(default_factory=dict)

    def take(self, sheet: _Sheet) -> list[Native]:
        """The rows that were not read before in this state."""
        if self.started is None:
            self.started = sheet.at
        fresh = []
        for row in sheet.rows:
            moment, name = _moment(row), str(row.get(self.key))
            if name in self.seen and self.seen[name] == moment:
                continue
            self.seen[name] = moment
            fresh.append(row)
            if moment is not None and (self.newest is None or moment > self.newest):
                self.newest = moment
        return fresh

    @property
    def complete(self) -> bool:
        return not self._may_have_slipped if self.expected is None else len(self.seen) >= self.expected

    @property
    def _may_have_slipped(self) -> bool:
        """Whether a row changed while an uncounted list was read page by page: another may have slipped past a page's end."""
        if not self.uncounted or self.newest is None or self.started is None:
            return False
        return self.newest >= self.started.replace(microsecond=0)

    def cursor(self, before: datetime | None) -> str:
        if self.newest is None and before is None:
            return (self.started or _START).isoformat()
        found = [m for m in (self.newest or before, self.started) if m is not None]
        reached = max(min(found), before) if before else min(found)
        return reached.isoformat() + (_SETTLED if before is not None and self._settles(reached, before) else "")

    def _settles(self, reached: datetime, before: datetime) -> bool:
        nothing_new = self.newest is None or self.newest <= before
        return nothing_new and self.started is not None and self.started >= reached + OVERLAP


def since(cursor: str | None) -> tuple[datetime, datetime] | tuple[None, None]:
    """The instant of a cursor, and the one that a pull from it begins at. Raises Expired when it is none of ours."""
    if cursor is None:
        return None, None
    try:
        moment = datetime.fromisoformat(cursor.removesuffix(_SETTLED))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Expired("The last position in Xero cannot be read any more, so everything is pulled again.")
    return moment, moment - (_SECOND if cursor.endswith(_SETTLED) else OVERLAP)


def whole(stream: Stream, fetch: Fetch) -> Iterator[Page]:
    """A table that cannot list changes: all of it, each time."""
    sheet = _sheet(stream, fetch({"include_archived": stream.archived or None}))
    yield Page(sheet.rows, cursor=WHOLE, expected=sheet.items)


def changes(stream: Stream, fetch: Fetch, cursor: str | None) -> Iterator[Page]:
    """A table without pages, from ``cursor``."""
    before, start = since(cursor)
    progress = _Progress(stream.key)
    rows = progress.take(_sheet(stream, fetch(_options(stream, start))))
    yield Page(rows, cursor=progress.cursor(before))


def pages(stream: Stream, fetch: Fetch, cursor: str | None) -> Iterator[Page]:
    """A table with pages, from ``cursor``. Raises Retryable when its list stays short of what Xero says."""
    before, start = since(cursor)
    progress = _Progress(stream.key)
    for reading in range(_READINGS):
        # The last page is held back until it is known whether it may carry the cursor.
        held = Page([])
        for page in _once(stream, fetch, start, progress, by_value=reading == 0):
            if held.rows:
                yield held
            held = page
        if progress.complete or (reading and progress.expected is None):
            yield replace(held, cursor=progress.cursor(before))
            return
        yield held
    raise Retryable(
        f"Xero listed {len(progress.seen)} of {progress.expected} {stream.table}, twice. Nothing was concluded from it; try "
        "again later."
    )


def _once(stream: Stream, fetch: Fetch, start: datetime | None, progress: _Progress, *, by_value: bool) -> Iterator[Page]:
    anchor, number, last = start, 1, None
    progress.expected = None
    while True:
        sheet = _sheet(stream, fetch({**_options(stream, anchor), "page": number, "page_size": PAGE_SIZE}))
        if progress.expected is None:
            progress.expected = sheet.items
        if by_value and _is_deaf(sheet, anchor):
            by_value, anchor, last = False, start, None
        if sheet.rows and sheet.rows == last:
            if sheet.pages is None:
                return  # A server without page numbers sends all of its list each time.
            raise Retryable(f"Xero keeps sending the same page of {stream.table}. Try again later.")
        yield Page(progress.take(sheet), expected=progress.expected)
        if _is_last(sheet, number):
            return
        progress.uncounted = sheet.items is None
        onward = _next(sheet, anchor, number) if by_value and sheet.items is not None else (anchor, number + 1)
        anchor, number, last = *onward, sheet.rows


def _is_last(sheet: _Sheet, number: int) -> bool:
    return not sheet.rows or (sheet.pages is not None and number >= sheet.pages)


def _is_deaf(sheet: _Sheet, anchor: datetime | None) -> bool:
    """Whether the server lists older rows than it was asked for: then only page numbers lead through its list."""
    return anchor is not None and any(moment < anchor for moment in map(_moment, sheet.rows) if moment is not None)


def _next(sheet: _Sheet, anchor: datetime | None, number: int) -> tuple[datetime | None, int]:
    """Where to go on: from the newest instant of this page, or, inside a burst, on the next page of the same list.

    A page that is not in the order asked for says nothing of what is on the others: they are read one after the other.
    """
    moments = [moment for moment in map(_moment, sheet.rows) if moment is not None]
    if moments and moments == sorted(moments):
        onward = max(moments).replace(microsecond=0) - _SECOND
        again = sum(moment >= onward for moment in moments)
        if (anchor is None or onward > anchor) and 2 * again <= len(sheet.rows):
            return onward, 1
    return anchor, number + 1


def _options(stream: Stream, start: datetime | None) -> dict[str, Any]:
    moment = None if start is None else start.astimezone(UTC)
    return {
        # Whole seconds, without an offset: the one form that is documented.
        "if_modified_since": f"{moment:%Y-%m-%dT%H:%M:%S}" if moment else None,
        "order": "UpdatedDateUTC ASC" if stream.paged else None,
        "include_archived": stream.archived or None,
    }


def _sheet(stream: Stream, answer: Answer) -> _Sheet:
    body, rows = rows_of(stream, answer) if answer.status == 200 else ({}, [])
    if rows is None:
        raise Retryable(f"Xero answered without a list of {stream.table}. Try again later.", detail=answer.text())
    paging = body.get("pagination") or {}
    return _Sheet(rows, _count(paging.get("itemCount")), _count(paging.get("pageCount")), _time(body, answer))


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _moment(row: Native) -> datetime | None:
    """When a row changed; None when it does not say so readably: one such row must not stop the others."""
    try:
        return instant_of(row)
    except ValueError:
        return None


def _time(body: dict[str, Any], answer: Answer) -> datetime | None:
    """Xero's own time, from the envelope or else from the Date header."""
    try:
        if "DateTimeUTC" in body:
            return parse_xero_instant(str(body["DateTimeUTC"]))
        moment = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
