"""Requests and answers as the gate holds them, and JSON that keeps every amount's own spelling."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from starlette.types import Send

_NUMBER = "\u0001"


@dataclass(slots=True)
class Exchange:
    """One request, read to its end, so that a caller who hangs up changes nothing about what it does."""

    system: str
    method: str
    path: str
    query: str
    headers: list[tuple[bytes, bytes]]
    body: bytes
    transport: asyncio.Transport | None

    def header(self, name: str) -> str | None:
        return next((v.decode("latin-1") for k, v in self.headers if k.decode("latin-1") == name), None)


@dataclass(slots=True)
class Answer:
    """One answer, held back until everything it says is durable."""

    status: int
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    def with_body(self, body: bytes) -> Answer:
        kept = [(k, v) for k, v in self.headers if k.lower() != b"content-length"]
        return Answer(self.status, [*kept, (b"content-length", str(len(body)).encode())], body)


def answer(status: int, content: Any = "", headers: dict[str, str] | None = None) -> Answer:
    """An answer of JSON, or of text when ``content`` is text."""
    is_text = isinstance(content, str)
    body = content.encode() if is_text else json.dumps(content).encode()
    kind = "text/plain; charset=utf-8" if is_text else "application/json; charset=utf-8"
    named = {"content-type": kind, "content-length": str(len(body)), **_lower(headers or {})}
    return Answer(status, [(k.encode(), v.encode("latin-1")) for k, v in named.items()], body)


def _lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in headers.items()}


async def deliver(made: Answer, send: Send) -> None:
    """Send ``made`` the usual way."""
    await send({"type": "http.response.start", "status": made.status, "headers": made.headers})
    await send({"type": "http.response.body", "body": made.body})


def hang_up(transport: asyncio.Transport | None, *, reset: bool = False) -> None:
    """Close the caller's connection at once; with ``reset`` the caller gets a TCP reset. Needs a real socket."""
    if transport is None:
        raise ConnectionError("this fault needs a real connection: start the sandbox's servers")
    connection = transport.get_extra_info("socket")
    if reset and connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def listing_name(content: Any) -> str | None:
    """The key of the rows in a listing: ``value`` in Dataverse, the first list in Xero."""
    if not isinstance(content, dict):
        return None
    return next((name for name, rows in content.items() if isinstance(rows, list)), None)


def read_json(body: bytes) -> Any:
    """JSON in which every number with a point keeps its own spelling (see ``write_json``); None if it is none."""
    try:
        return json.loads(body, parse_float=lambda text: f"{_NUMBER}{text}{_NUMBER}")
    except ValueError:
        return None


def _number(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{_NUMBER}{value:f}{_NUMBER}"
    raise TypeError(f"no JSON form for {type(value).__name__}")


def write_json(content: Any) -> bytes:
    """The opposite of ``read_json``: amounts leave as they came, digit by digit."""
    text = json.dumps(content, ensure_ascii=False, default=_number)
    return re.sub(r'"\\u0001([^"\\]*)\\u0001"', r"\1", text).encode()
