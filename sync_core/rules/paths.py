"""Dotted paths into native rows: ``Phones[PhoneType=DEFAULT].PhoneNumber``, with ``|`` between alternatives.

An alternative that begins with ``=`` is words, with paths in braces: ``=Refund of {CreditNote.CreditNoteNumber}``. It counts
when each of its paths holds something.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from sync_core.model import Native

_SEGMENT = re.compile(r"^(?P<name>[^\[]+)(?:\[(?P<key>[^=]+)=(?P<value>[^\]]+)\])?$")
_HOLE = re.compile(r"\{([^}]+)\}")
Segment = tuple[str, str, str]


@lru_cache(maxsize=2048)
def segments(path: str) -> tuple[tuple[Segment, ...] | str, ...]:
    """``path`` taken apart once: its alternatives, each a tuple of (name, selector key, selector value), or its words."""
    return tuple(
        alternative[1:] if alternative.startswith("=") else tuple(_segment(part) for part in alternative.split("."))
        for alternative in path.split("|")
        if alternative
    )


def _segment(part: str) -> Segment:
    match = _SEGMENT.match(part)
    if match is None:
        raise ValueError(f"not a path segment: {part}")
    return match["name"], match["key"] or "", match["value"] or ""


def pick(native: Native, path: str) -> Any:
    """The first alternative of ``path`` that holds something; None when none does."""
    for alternative in segments(path):
        value = _worded(native, alternative) if isinstance(alternative, str) else _follow(native, alternative)
        if value not in (None, ""):
            return value
    return None


def _worded(native: Native, words: str) -> str | None:
    parts = {hole: pick(native, hole) for hole in _HOLE.findall(words)}
    return None if None in parts.values() else _HOLE.sub(lambda hole: str(parts[hole[1]]), words)


def plain_name(path: str) -> str:
    """The name of a row's own value, when ``path`` is nothing else; "" for every other path."""
    first, *others = segments(path)
    return first[0][0] if not others and not isinstance(first, str) and len(first) == 1 and not first[0][1] else ""


Picker = Callable[[Native], Any]


@lru_cache(maxsize=2048)
def picker(path: str) -> Picker:
    """:func:`pick` for one path, made once."""
    name = plain_name(path)
    if name:

        def plain(native: Native) -> Any:
            value = native.get(name)
            return None if value == "" else value

        return plain
    return lambda native: pick(native, path)


def _follow(value: Any, steps: tuple[Segment, ...]) -> Any:
    for name, key, wanted in steps:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
        if key:
            value = next((e for e in value or () if isinstance(e, dict) and e.get(key) == wanted), None)
        if value is None:
            return None
    return value


def put(body: Native, path: str, value: Any) -> None:
    """Set ``value`` at the first alternative of ``path``, making the objects and array elements on the way."""
    steps = segments(path)[0]
    if isinstance(steps, str):
        raise ValueError(f"words cannot be written to: {path}")
    target = body
    for name, key, wanted in steps[:-1]:
        if key:
            elements = target.setdefault(name, [])
            found = next((e for e in elements if e.get(key) == wanted), None)
            if found is None:
                found = {key: wanted}
                elements.append(found)
            target = found
        else:
            target = target.setdefault(name, {})
    target[steps[-1][0]] = value


def shares_element(path: str, other: str) -> bool:
    """Whether both paths end in the same element of the same array: such fields are written together."""
    prefix, separator, _ = path.rpartition(".")
    return bool(separator) and "[" in prefix and other.startswith(f"{prefix}.")


def complete(body: Native, path: str, native: Native) -> None:
    """Lay under the element of an array that ``body`` sets at ``path`` what ``native`` holds there besides.

    Xero replaces such an element whole (an address, say), so what nobody maps would be lost.
    """
    for steps in segments(path):
        if isinstance(steps, str) or len(steps) < 2 or not steps[-2][1]:
            continue
        element, there = _follow(body, steps[:-1]), _follow(native, steps[:-1])
        if isinstance(element, dict) and isinstance(there, dict):
            element.update({k: v for k, v in there.items() if k not in element and v not in (None, "")})
