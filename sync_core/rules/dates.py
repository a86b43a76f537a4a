"""How Xero spells instants and dates, and how they are read. Pure.

Xero's JSON has ``/Date(1552345200000+0000)/`` (milliseconds since 1970 in UTC; the offset is sometimes absent, sometimes
``+1300``) and, beside it, ISO texts such as ``DateString`` = ``2019-03-12T00:00:00``. A business date is a calendar day:
it is never moved by a time zone. Source: developer.xero.com, "Dates and times"; payloads seen in the wild.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync_core.model import Native

_DOTNET = re.compile(r"/Date\((-?\d+)(?:([+-])(\d{2}):?(\d{2}))?\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_xero_instant(text: str) -> datetime:
    """An instant as aware UTC. A text without an offset is UTC. Raises ValueError when it is no instant."""
    found = _DOTNET.fullmatch(text.strip())
    if found:
        return _since_epoch(int(found[1]))
    moment = datetime.fromisoformat(text.strip())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parse_xero_date(text: str) -> date:
    """A calendar day: the day that the sender's own offset shows. Raises ValueError when it is no date."""
    found = _DOTNET.fullmatch(text.strip())
    if not found:
        return datetime.fromisoformat(text.strip()).date()
    shift = timedelta(hours=int(found[3]), minutes=int(found[4])) if found[2] else timedelta()
    return (_since_epoch(int(found[1])) + (-shift if found[2] == "-" else shift)).date()


def instant_of(native: Native) -> datetime | None:
    """When a row last changed by its own account (``UpdatedDateUTC``), None for rows that do not say."""
    for name in ("UpdatedDateUTC", "UpdatedDateUTCString"):
        text = native.get(name)
        if isinstance(text, str) and text:
            return parse_xero_instant(text)
    return None


def _since_epoch(milliseconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise ValueError(f"{milliseconds} milliseconds lie beyond the calendar") from None
