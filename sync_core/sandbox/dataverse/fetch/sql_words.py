"""The words of an SQL statement, and how they are taken one by one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from sync_core.sandbox.dataverse.errors import DataverseError
from sync_core.sandbox.dataverse.fetch import refusals

T = TypeVar("T")
TOKEN = re.compile(r"\s*(?:N?('(?:[^']|'')*')|\[(\w+)\]|(<>|!=|<=|>=|[(),.*=<>])|(-?\d+(?:\.\d+)?)|(\w+))")
Named = tuple[str, str]
"""(alias of the table, column), both in lower case."""


class Words:
    """A statement as words; the one at hand is looked at with ``peek``, and gone past with ``take`` or ``skip``."""

    def __init__(self, text: str) -> None:
        self._words: list[tuple[str, str]] = []
        self._next, position = 0, 0
        while text[position:].strip().rstrip(";"):
            found = TOKEN.match(text, position)
            if found is None:
                raise self.wrong(text[position:].strip())
            string, bracketed, mark, number, word = found.groups()
            kind = "string" if string else "number" if number else "mark" if mark else "name"
            value = string[1:-1].replace("''", "'") if string else bracketed or mark or number or word
            self._words.append((kind, value))
            position = found.end()

    @staticmethod
    def wrong(near: str) -> DataverseError:
        return refusals.bad_argument(f"Incorrect syntax near '{near}'.")

    def peek(self, ahead: int = 0) -> str:
        """The word at hand in lower case; empty at the end and for text in quotes."""
        at = self._next + ahead
        kind, value = self._words[at] if at < len(self._words) else ("", "")
        return value.lower() if kind != "string" else ""

    def is_name(self) -> bool:
        return self._next < len(self._words) and self._words[self._next][0] == "name"

    def take(self, *wanted: str) -> str:
        """The word at hand, which must be one of ``wanted`` if any are given."""
        if self._next >= len(self._words):
            raise self.wrong("the end")
        value = self._words[self._next][1]
        if wanted and self.peek() not in wanted:
            raise self.wrong(value)
        self._next += 1
        return value

    def skip(self, *words: str) -> bool:
        """Go past the word at hand if it is one of ``words``."""
        if self.peek() not in words:
            return False
        self._next += 1
        return True

    def end(self) -> None:
        """Refuse whatever follows."""
        if self._next < len(self._words):
            raise self.wrong(self._words[self._next][1])

    def whole(self) -> int:
        text = self.take()
        if not text.isdecimal():
            raise self.wrong(text)
        return int(text)

    def list_of(self, read: Callable[[], T]) -> list[T]:
        """What ``read`` reads, once and again after every comma."""
        found = [read()]
        while self.skip(","):
            found.append(read())
        return found

    def name(self) -> Named:
        first = self.take()
        return (first.lower(), self.take().lower()) if self.skip(".") else ("", first.lower())
