"""How values travel: Microsoft's JSON dates, exact decimals, and the envelope. Their XML form is in ``xml``."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import orjson

from sync_core.sandbox.kernel import Row

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS_DATE = re.compile(r"^/Date\((-?\d+)([+-]\d{4})?\)/$")
_MILLISECOND = timedelta(milliseconds=1)
PROVIDER = "Tieout sandbox"


@lru_cache(maxsize=4096)
def ms_date(day: date) -> str:
    """A calendar date as the instant of its UTC midnight."""
    return f"/Date({(day - EPOCH.date()).days * 86_400_000}+0000)/"


@lru_cache(maxsize=4096)
def date_string(day: date) -> str:
    """The companion of a date that cannot be misread: ``2019-03-12T00:00:00``."""
    return f"{day.isoformat()}T00:00:00"


def milliseconds(instant: datetime) -> int:
    return (instant - EPOCH) // _MILLISECOND


def ms_instant(instant: datetime) -> str:
    return f"/Date({milliseconds(instant)}+0000)/"


def instant_string(instant: datetime) -> str:
    return f"{instant.replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def floor_to_ms(instant: datetime) -> datetime:
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def parse_instant(text: str) -> datetime | None:
    """An instant out of ISO 8601 (UTC when nothing is said) or ``/Date(ms+hhmm)/``; None when it is neither."""
    found = _MS_DATE.match(text)
    try:
        if found:
            return EPOCH + timedelta(milliseconds=int(found.group(1)))
        instant = datetime.fromisoformat(text)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_date(text: str) -> date | None:
    """The calendar date that Xero understands: the UTC day, so that a local midnight with an offset shifts."""
    instant = parse_instant(text)
    return instant.date() if instant else None


def load(raw: bytes) -> Any:
    """Parse a request body with every number exact. Raises ``ValueError``."""
    return json.loads(raw, parse_float=_finite, parse_constant=_refuse)


def _finite(text: str) -> Decimal:
    return Decimal(text)


def _refuse(text: str) -> Any:
    raise ValueError(f"Unexpected character encountered while parsing value: {text}")


def decimal(value: Any) -> Decimal | None:
    """A number given as a JSON number or as text; None when it is neither."""
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def dump(payload: Any) -> bytes:
    """JSON with decimals digit for digit."""
    return orjson.dumps(payload, default=_exact)


def _exact(value: Any) -> Any:
    if isinstance(value, Decimal):
        text = str(value)
        return orjson.Fragment(format(value, "f") if "E" in text else text)
    raise TypeError(f"{type(value).__name__} does not travel")


def plain(value: Any) -> Any:
    """A stored value as it is shown: dates with their companions, no private keys, no absent values."""
    if isinstance(value, dict):
        return _plain_row(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return ms_instant(value)
    return ms_date(value) if isinstance(value, date) else value


def _plain_row(row: Row) -> Row:
    shown: Row = {}
    for key, value in row.items():
        if key.startswith("_") or value is None:
            continue
        if key in {"Date", "DueDate"} and isinstance(value, date):
            shown[f"{key}String"] = date_string(value)
        shown[key] = plain(value)
    return shown


def envelope(request_id: str, now: datetime, **content: Any) -> Row:
    """The frame of every good answer; ``content`` holds the resource and, for a page, ``pagination``."""
    head = {"Id": request_id, "Status": "OK", "ProviderName": PROVIDER}
    return {**head, "DateTimeUTC": f"/Date({milliseconds(now)})/", **content}
