"""The close pack: everything that proves a close in one zip, with a manifest of SHA-256 sums. Bytes in, bytes out.

The zip is written without going back, so that it can be streamed. The manifest comes last, as ``sha256sum -c`` reads it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sync_core.rules.downloads import guarded

MANIFEST = "MANIFEST.sha256"


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of the pack. ``chunks`` are read once, when its turn comes."""

    name: str
    chunks: Iterable[bytes]


def pack(pieces: Iterable[Piece], made: datetime) -> Iterator[bytes]:
    """The zip, piece by piece and a chunk at a time. ``made`` is the time that its files bear."""
    sink, sums = _Sink(), {}
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for piece in pieces:
            digest = hashlib.sha256()
            with archive.open(_entry(piece.name, made), "w", force_zip64=True) as file:
                for chunk in piece.chunks:
                    digest.update(chunk)
                    file.write(chunk)
                    yield from sink.drained()
            sums[piece.name] = digest.hexdigest()
            yield from sink.drained()
        archive.writestr(_entry(MANIFEST, made), manifest(sums))
    yield from sink.drained()


def manifest(sums: Mapping[str, str]) -> bytes:
    """One line per file: its sum, two spaces, its name."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())).encode()


def table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Rows as CSV in the manner of the other downloads, a few hundred at a time. Text is guarded; None is blank."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(columns)
    yield "\ufeff".encode()
    for number, row in enumerate(rows, 1):
        writer.writerow([_cell(row.get(name)) for name in columns])
        if number % 500 == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    text = f"{value}"
    # A letter or digit in front begins no formula; the full look is dear.
    return guarded(text) if isinstance(value, str) and not text[:1].isalnum() else text


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def _entry(name: str, made: datetime) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, (max(made.year, 1980), made.month, made.day, made.hour, made.minute, made.second))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


class _Sink(io.RawIOBase):
    """Takes what the archive writes until it is drained. It cannot go back, and the archive knows how to do without."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(self._parts[-1])

    def drained(self) -> Iterator[bytes]:
        parts, self._parts = self._parts, []
        if parts:
            yield b"".join(parts)
