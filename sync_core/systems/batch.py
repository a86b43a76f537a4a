"""OData ``$batch``: several requests in one multipart body, and the answer taken apart again.

Only requests outside change sets are made here: each stands or falls alone (with ``Prefer: odata.continue-on-error``).
The format is that of OData 4.0 part 1, section 11.7; Dataverse wants CRLF line ends and at most 1,000 requests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_BOUNDARY = re.compile(r'boundary="?([^";,]+)"?', re.IGNORECASE)
_STATUS_LINE = re.compile(rb"HTTP/1\.\d (\d{3})")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")


class BatchError(Exception):
    """The answer cannot be taken apart, so nothing is known about what was done."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a batch. ``target`` is a path from the root of the host, already encoded."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One answer of a batch. Header names are lower case; ``content_id`` is "" when the server did not repeat it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    content_id: str = ""


def encode(requests: Sequence[Request], boundary: str) -> bytes:
    """The multipart body; requests are numbered from 1 in ``Content-ID``."""
    parts = [_encode_one(number, request, boundary) for number, request in enumerate(requests, start=1)]
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


def _encode_one(number: int, request: Request, boundary: str) -> bytes:
    lines = [
        f"--{boundary}",
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        f"Content-ID: {number}",
        "",
        f"{request.method} {request.target} HTTP/1.1",
        *(f"{name}: {value}" for name, value in request.headers.items()),
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + (request.body or b"") + b"\r\n"


def decode(content_type: str, body: bytes) -> list[Part]:
    """The answers in the order of the requests. Raises BatchError when the body is not a whole multipart answer."""
    found = _BOUNDARY.search(content_type)
    if not found:
        raise BatchError(f"the answer is not multipart: {content_type[:80]}")
    # Found as plain bytes at the beginning of a line: a pattern takes many times as long, and answers hold megabytes.
    pieces = (b"\n" + body).split(b"\n--" + found[1].encode())
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise BatchError("the answer ends in the middle")
    return [_decode_one(piece.removesuffix(b"\r")) for piece in pieces[1:-1]]


def _decode_one(piece: bytes) -> Part:
    _, _, own_lines = piece.partition(b"\n")  # what is left of the delimiter's line
    outer, answer = _split_head(own_lines)
    status_line, _, rest = answer.partition(b"\n")
    status = _STATUS_LINE.match(status_line)
    if not status:
        raise BatchError("a part of the answer has no status")
    inner, content = _split_head(rest)
    content_id = outer.get("content-id") or inner.get("content-id", "")
    return Part(int(status[1]), inner, content, content_id)


def _split_head(text: bytes) -> tuple[dict[str, str], bytes]:
    if text.startswith((b"\r\n", b"\n")):
        return {}, text.lstrip(b"\r\n")
    head, *rest = _BLANK_LINE.split(text, maxsplit=1)
    lines = head.decode("utf-8", "replace").splitlines()
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}, rest[0] if rest else b""
