"""One answer of a system, read whole: status, headers, decoded body. And how a body is read within bounds."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sync_core.errors import Configure, Retryable, Unknown
from sync_core.systems.redaction import redact

_STEP = 256 * 1024


class TooLargeError(Exception):
    """The decoded body passed the cap."""


class GarbledError(Exception):
    """The body is not what its Content-Encoding says."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a system answered. ``headers`` ignore case; ``body`` is decoded; ``safe``: asking again could do no harm."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    system: str = "The system"
    safe: bool = True

    @property
    def is_page(self) -> bool:
        """Whether this is a page for people: a proxy's or a sign-in's, whatever its status says."""
        return self.body[:200].lstrip().lower().startswith((b"<!doctype html", b"<html"))

    @property
    def lacks_permission(self) -> bool:
        """Whether a 401 is about what the app may do, not about its token: Xero says so of a scope that was not granted."""
        return b"AuthorizationUnsuccessful" in self.body or "insufficient_scope" in self.headers.get("www-authenticate", "")

    def json(self) -> Any:
        """The body as JSON, numbers with a fraction as ``Decimal``.

        Raises Retryable when it is a page instead (a sign-in page or a proxy's error, with status 200), and Unknown when
        that page is the answer to a change: nobody can tell from it whether the change was made.
        """
        try:
            return json.loads(self.body, parse_float=Decimal, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            if self.safe:
                raise self.no_data() from None
            message = (
                f"{self.system} answered with a page instead of data. The record must be looked up before it is sent again."
            )
            raise Unknown(message, detail=self.text()) from None

    def no_data(self) -> Retryable:
        """The error of a question that a page answered."""
        return Retryable(f"{self.system} answered with a page instead of data. Try again in a few minutes.", detail=self.text())

    def text(self) -> str:
        """The body for an error's ``detail``: redacted and short."""
        return redact(self.body[:20_000].decode("utf-8", "replace"))


class Forbidden(Configure):
    """403, or a 401 that says so: the system knows us and will not let us. ``answer`` is for callers that can do without."""

    def __init__(self, message: str, answer: Answer) -> None:
        super().__init__(message, detail=answer.text())
        self.answer = answer


def read_body(chunks: Iterable[bytes], encoding: str, cap: int, still_in_time: Callable[[], None]) -> bytes:
    """Join ``chunks``, decoding gzip (or deflate, which nobody asked for) as they come and stopping as soon as ``cap`` decoded
    bytes are passed.

    Decoding is bounded here because 194 KB of gzip can inflate to 200 MB, which a client that decodes whole chunks
    holds before anybody can look. ``still_in_time`` is called once per chunk and raises when the deadline is over.
    """
    body = bytearray()
    for piece in _decoded(_timed(chunks, still_in_time), encoding.strip().lower()):
        body += piece
        if len(body) > cap:
            raise TooLargeError
    return bytes(body)


def _timed(chunks: Iterable[bytes], still_in_time: Callable[[], None]) -> Iterator[bytes]:
    for chunk in chunks:
        still_in_time()
        yield chunk


def _decoded(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    if encoding in ("", "identity"):
        yield from chunks
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise GarbledError(f"unexpected Content-Encoding {encoding}")
    machine, empty = zlib.decompressobj(wbits=31), True
    try:
        for chunk in chunks:
            if empty and chunk and encoding == "deflate":
                machine = zlib.decompressobj(wbits=15 if chunk[0] & 15 == 8 else -15)
            while chunk:
                empty = False
                yield machine.decompress(chunk, _STEP)
                chunk = machine.unconsumed_tail
        yield machine.flush()
    except zlib.error as error:
        raise GarbledError(str(error)) from error
    if not (machine.eof or empty):
        raise GarbledError("the compressed body ends too early")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")
