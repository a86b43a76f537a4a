"""What each resource takes in a request body: a small language of fields, and one reader for all of them.

A value of the wrong type refuses the whole request, as Xero's JSON reader does; an over-long text or an
unknown choice is an error of its element. Unknown keys are ignored; null is the same as absent, and so is an
empty text where a number, a date or an object is wanted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero import wire
from sync_core.sandbox.xero.errors import bad_data

GUID = re.compile(r"^\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?$", re.IGNORECASE)


BIGGEST = 15
"""The greatest power of ten of a number; beyond it exact arithmetic to cents would not be."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its kind, greatest length, choices, and the fields inside it."""

    kind: str
    length: int | None = None
    choices: tuple[str, ...] = ()
    inside: Mapping[str, Field] = field(default_factory=dict)


Spec = Mapping[str, Field]
NUMBER, DATE, FLAG, ID = Field("number"), Field("date"), Field("flag"), Field("id")


def text(length: int | None = None) -> Field:
    return Field("text", length)


def choice(*choices: str) -> Field:
    return Field("choice", choices=choices)


def one(inside: Spec) -> Field:
    return Field("one", inside=inside)


def many(inside: Spec) -> Field:
    return Field("many", inside=inside)


def read(spec: Spec, element: Any, errors: list[str], where: str = "") -> Row:
    """The known fields of ``element`` as Python values; broken rules are added to ``errors``."""
    if not isinstance(element, dict):
        raise bad_data(f"Cannot deserialize the current JSON value into an object. Path '{where}'")
    values: Row = {}
    for name, known in spec.items():
        given = element.get(name)
        if given is not None and (given != "" or known.kind in {"text", "choice"}):
            values[name] = _value(name, known, given, errors, f"{where}.{name}".lstrip("."))
    return values


def _value(name: str, known: Field, given: Any, errors: list[str], where: str) -> Any:
    if known.kind == "one":
        return read(known.inside, given, errors, where)
    if known.kind == "many":
        items = given if isinstance(given, list) else [given]
        return [read(known.inside, item, errors, f"{where}[{i}]") for i, item in enumerate(items)]
    value: Any = _READERS[known.kind](given)
    if value is None:
        raise bad_data(f"Could not convert {given!r} to {known.kind}. Path '{where}'")
    if known.kind == "number" and value.adjusted() > BIGGEST:
        errors.append(f"The {name} field is too large")
    if known.length is not None and len(value) > known.length:
        errors.append(f"The {name} field cannot be longer than {known.length} characters")
    if known.kind == "choice" and value not in known.choices and value:
        errors.append(f"{name} '{value}' is not valid. It must be one of {', '.join(known.choices)}")
    return value


def _text(given: Any) -> str | None:
    """Text; None for structures and for half of a surrogate pair, which no answer could carry."""
    text = given if isinstance(given, str) else str(given)
    if isinstance(given, (dict, list)) or (not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text)):
        return None
    return text


def _flag(given: Any) -> bool | None:
    if isinstance(given, bool):
        return given
    return {"true": True, "false": False}.get(str(given).lower())


def _id(given: Any) -> str | None:
    found = GUID.match(given) if isinstance(given, str) else None
    return "-".join(found.groups()).lower() if found else None


def id_of(text: str) -> str:
    """An id in an address or a parameter, also without dashes or in braces, as rows have it; other text in lower case."""
    return _id(text) or text.lower()


_READERS = {
    "text": _text,
    "choice": _text,
    "number": wire.decimal,
    "date": lambda given: wire.parse_date(given) if isinstance(given, str) else None,
    "flag": _flag,
    "id": _id,
}
