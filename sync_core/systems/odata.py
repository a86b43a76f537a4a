"""OData as Dataverse speaks it: queries, literals, bodies and refusals. Facts: the Web API reference of Dataverse."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from sync_core.systems.redaction import redact

READ_HEADERS = {
    "Accept": "application/json",
    "OData-MaxVersion": "4.0",
    "OData-Version": "4.0",
    "If-None-Match": "null",
}
JSON_BODY = {"Content-Type": "application/json; charset=utf-8"}
_SAFE = "(),'=/:@$"
_PLAIN = json.JSONEncoder().encode
"""What ``json.dumps`` does, without choosing an encoder for each of the many values of a batch."""


def query(**options: str) -> str:
    """``?$select=..&$filter=..``. Spaces become %20, never "+", which not every OData server reads as a space."""
    parts = [f"${name}={quote(value, safe=_SAFE)}" for name, value in options.items() if value]
    return "?" + "&".join(parts) if parts else ""


def literal(text: str) -> str:
    """A string literal; a quote inside is doubled."""
    return "'" + text.replace("'", "''") + "'"


def equals(column: str, value: str, *, is_id: bool) -> str:
    """The filter ``column eq value``. Ids are written bare, everything else is taken as text."""
    return f"{column} eq {value if is_id and is_guid(value) else literal(value)}"


def any_of(column: str, values: list[str]) -> str:
    return " or ".join(f"{column} eq {literal(value)}" for value in values)


def is_guid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def to_json(value: Any) -> str:
    """JSON in which a Decimal keeps every digit. A float is refused: it may have lost some already."""
    if value is None or isinstance(value, str):
        return _PLAIN(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_PLAIN(str(k))}:{to_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(to_json, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, float):
        raise TypeError("a float may not be sent: use Decimal")
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is not a number that can be sent")
        return format(value, "f")
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("an instant without a zone may not be sent")
        value = value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    elif isinstance(value, date):
        value = value.isoformat()
    return _PLAIN(value)


@dataclass(frozen=True, slots=True)
class Failure:
    """A refusal as Dataverse words it. Decide on ``code``; ``message`` may be in any language."""

    status: int
    code: str
    message: str

    @property
    def said(self) -> str:
        """What a sentence of ours can go on from: the message without its full stop, or else the status."""
        return (self.message or f"status {self.status}").rstrip(". ")


def failure(status: int, body: bytes) -> Failure:
    """Read ``{"error": {"code": .., "message": ..}}``; a body of another shape gives an empty code."""
    try:
        error = json.loads(body)["error"]
        return Failure(status, str(error.get("code") or "").lower(), redact(str(error.get("message") or "")))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Failure(status, "", "")
