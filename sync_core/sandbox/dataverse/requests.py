"""A request and an answer, apart from HTTP, so that a part of a batch is served like a request of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.options import Preferences, read_preferences, read_query
from sync_core.sandbox.dataverse.values import dump


@dataclass(frozen=True, slots=True)
class Call:
    """One request. ``path`` is below ``service`` and decoded; ``raw_path`` and ``query`` are as sent.

    Header names are in lower case.
    """

    method: str
    service: str
    path: str
    raw_path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    user: str

    @property
    def options(self) -> dict[str, str]:
        return read_query(self.query)

    @property
    def preferences(self) -> Preferences:
        return read_preferences(self.headers.get("prefer", ""))

    @property
    def url(self) -> str:
        return f"{self.service}{self.raw_path}"

    def json(self) -> Any:
        """The body, with numbers exact.

        Raises:
            DataverseError: the body is not JSON, or not sent as JSON.
        """
        if not self.body.strip():
            return {}
        sent_as = self.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if sent_as != "application/json":
            raise errors.unsupported_body(sent_as)
        try:
            return json.loads(self.body, parse_float=Decimal, parse_constant=_no_constant)
        except (ValueError, UnicodeDecodeError):
            raise errors.bad_payload("Error identified in Payload provided by the user: it is not valid JSON.") from None

    def object(self) -> dict[str, Any]:
        """The body, which must be a JSON object."""
        body = self.json()
        if not isinstance(body, dict):
            raise errors.bad_payload("A JSON object is expected as the request body.")
        return body


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number in JSON")


@dataclass(frozen=True, slots=True)
class Answer:
    """One response; ``content`` is already encoded."""

    status: int
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def with_json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    content_type = "application/json; odata.metadata=minimal"
    return Answer(status, dump(body), {"Content-Type": content_type, "OData-Version": "4.0", **(headers or {})})


def no_content(headers: dict[str, str] | None = None) -> Answer:
    return Answer(204, b"", {"OData-Version": "4.0", **(headers or {})})


def plain(text: str) -> Answer:
    return Answer(200, text.encode("utf-8-sig"), {"Content-Type": "text/plain", "OData-Version": "4.0"})


def refusal(error: errors.DataverseError, preferences: Preferences) -> Answer:
    """The answer to an error."""
    details = preferences.values.get("odata.include-annotations") == "*"
    return with_json(error.body(details=details), error.status, error.headers)
