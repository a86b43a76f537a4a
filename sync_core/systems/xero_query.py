"""Xero's ``where`` texts.

Nobody has found a way to write a double quote inside a text of a filter (XeroAPI/Xero-Java issue 347: every escape is a
QueryParseException), so values with one are looked up by a part without it; callers compare the rows themselves anyway.
"""

from __future__ import annotations

import re
from typing import Any

from sync_core.errors import Rejected
from sync_core.model import Native
from sync_core.systems.base import GUID

_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)*")
_UNQUOTABLE = re.compile(r'["\\\x00-\x1f]')


def equals(field: str, value: str) -> str:
    """A filter that every row with ``field`` equal to ``value`` passes, and few others."""
    if not _FIELD.fullmatch(field):
        raise ValueError(f"{field!r} is not a field of Xero")
    if field.lower().endswith("id") and GUID.fullmatch(value):
        return f'{field}==Guid("{value}")'
    pieces = _UNQUOTABLE.split(value)
    if len(pieces) == 1:
        return f'{field}=="{value}"'
    if pieces[0].strip():
        return f'{field}!=null AND {field}.StartsWith("{pieces[0]}")'
    longest = max(pieces, key=len)
    if not longest.strip():
        raise Rejected(f"Xero cannot look up {field} by a text that is all quotation marks.", field=field, code="not supported")
    return f'{field}!=null AND {field}.Contains("{longest}")'


def both(first: str, second: str) -> str:
    return f"({first}) AND ({second})" if first and second else first or second


def holds(row: Native, field: str, value: str) -> bool:
    """Whether ``row`` has ``value`` in ``field`` (dotted), without regard to case and outer blanks, as Xero compares."""
    found: Any = row
    for name in field.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found is not None and _plain(str(found)) == _plain(value)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
