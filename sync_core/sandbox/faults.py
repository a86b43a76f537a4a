"""Faults on order: what should go wrong, for which requests, how often, and how often it did.

A fault is declared as data (``POST /_sandbox/faults``) and played by ``gate``. The common keys are ``kind``,
``system`` ("dataverse", "xero", "identity"), ``method``, ``path`` and ``query`` (regular expressions,
searched, case ignored), ``times`` (default 1; null: for ever) and ``after`` (so many matching requests pass first).
``KINDS`` lists the kinds with the keys of their own and their defaults.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

LONGEST = 3600
SYSTEMS = ("dataverse", "xero", "identity")


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to fail: what it does, its own keys with defaults, and which requests it can strike at all."""

    does: str
    options: Mapping[str, Any] = field(default_factory=dict)
    method: str | None = None
    path: str | None = None
    query: str | None = None
    required: tuple[str, ...] = ()


KINDS: dict[str, Kind] = {
    "status": Kind("answers with this status instead of handling", {"status": 500, "body": "", "headers": {}}),
    "drop_before": Kind("closes the connection before handling"),
    "drop_after": Kind("handles, commits, then closes the connection without an answer"),
    "error_after": Kind("handles, commits, then answers 500", {"status": 500}),
    "rate_limited": Kind(
        "answers 429; without Retry-After when retry_after is null", {"retry_after": "as usual", "problem": "minute"}
    ),
    "html": Kind("answers 200 with an HTML page", {"body": "<html><body><h1>Sign in</h1></body></html>"}),
    "slow": Kind("waits this many real seconds before handling (or after it)", {"seconds": 5, "when": "before"}),
    "slow_body": Kind("dribbles the body over this many real seconds", {"seconds": 5, "pieces": 10}),
    "reset_mid_body": Kind("sends half of the body, then resets the connection"),
    "expire_tokens": Kind("makes every access token invalid, then handles"),
    "invalid_grant": Kind("refuses the grant", method="POST", path=r"/token$"),
    "forbidden": Kind("answers 403 as for a missing scope or privilege"),
    "empty_listing": Kind("handles, then takes every row out of the listing", {"adjust_counts": True}, method="GET"),
    "short_listing": Kind("handles, then drops the last half of the rows", {"adjust_counts": False}, method="GET"),
    "reject_elements": Kind(
        "refuses some elements of a Xero write inside a 200, the rest is handled",
        {"count": 1, "match": None, "message": "The sandbox refuses this element"},
        path=r"/api\.xro/",
    ),
    "edit_while_paging": Kind(
        "makes a person's edit right after this page was read",
        {"page": 1, "edit": None},
        method="GET",
        required=("edit",),
    ),
    "edit_before": Kind("makes a person's edit right before handling", {"edit": None}, required=("edit",)),
    "expire_delta_tokens": Kind("makes all change-tracking tokens too old, then handles", query="deltatoken"),
}
ALIASES = {"partial_rejects": "reject_elements"}
COMMON = ("kind", "system", "method", "path", "query", "times", "after")


@dataclass(slots=True)
class Fault:
    """One ordered fault. ``seen`` counts the matching requests, ``fired`` those that it struck.

    ``in_vain``: how many of those came to nothing, because the row of its edit had vanished or the system refused it.
    """

    number: int
    kind: str
    system: str | None
    method: str | None
    path: str | None
    query: str | None
    times: int | None
    after: int
    options: dict[str, Any]
    seen: int = 0
    fired: int = 0
    in_vain: int = 0

    def matches(self, system: str, method: str, path: str, query: str) -> bool:
        kind = KINDS[self.kind]
        return (
            self.system in (None, system)
            and self.method in (None, method)
            and kind.method in (None, method)
            and all(_found(pattern, path) for pattern in (self.path, kind.path))
            and all(_found(pattern, query) for pattern in (self.query, kind.query))
        )

    def armed(self) -> bool:
        return self.seen > self.after and (self.times is None or self.fired < self.times)

    def as_json(self) -> dict[str, Any]:
        """As it was ordered, with its counts."""
        common = {name: getattr(self, name) for name in COMMON}
        return {
            "number": self.number,
            **common,
            **self.options,
            "seen": self.seen,
            "fired": self.fired,
            "in_vain": self.in_vain,
        }


class Faults:
    """The ordered faults of one sandbox, in order of arrival."""

    def __init__(self) -> None:
        self._ordered: list[Fault] = []
        self._count = 0

    def add(self, order: Mapping[str, Any]) -> Fault:
        """Order a fault. Raises ``ValueError`` with a sentence when the order makes no sense."""
        fault = _fault(self._count + 1, order)
        self._count += 1
        self._ordered.append(fault)
        return fault

    def take(self, system: str, method: str, path: str, query: str = "", *, kind: str | None = None) -> Fault | None:
        """The fault that strikes this request, or None: each match is counted, the first armed one fires."""
        struck: Fault | None = None
        for fault in self._ordered:
            if kind in (None, fault.kind) and fault.matches(system, method, path, query):
                fault.seen += 1
                if struck is None and fault.armed():
                    struck = fault
        if struck:
            struck.fired += 1
        return struck

    def all(self) -> list[Fault]:
        return list(self._ordered)

    def fired(self, kind: str | None = None) -> int:
        """How often faults (of this kind) struck, so that a test can prove that its fault was real."""
        return sum(fault.fired for fault in self._ordered if kind in (None, fault.kind))

    def clear(self) -> None:
        """Forget all orders with their counts."""
        self._ordered.clear()
        self._count = 0


def _found(pattern: str | None, text: str) -> bool:
    return pattern is None or re.search(pattern, text, re.IGNORECASE) is not None


def _fault(number: int, order: Mapping[str, Any]) -> Fault:
    name = order.get("kind")
    name = ALIASES.get(str(name), name)
    if not isinstance(name, str) or name not in KINDS:
        raise ValueError(f"Unknown kind of fault {name!r}. Known kinds: {', '.join(KINDS)}.")
    kind = KINDS[name]
    _check_keys(name, kind, order)
    options = {**kind.options, **{key: order[key] for key in kind.options if key in order}}
    if "seconds" in options:
        options["seconds"] = _duration(options["seconds"])
    after = _whole("after", order.get("after", 0), least=0)
    times = order.get("times", 1)
    return Fault(
        number=number,
        kind=name,
        system=_system(order.get("system")),
        method=_text("method", order.get("method"), upper=True),
        path=_pattern("path", order.get("path")),
        query=_pattern("query", order.get("query")),
        times=None if times is None else _whole("times", times, least=1),
        after=after + _whole("page", options["page"], least=1) - 1 if "page" in options else after,
        options=options,
    )


def _check_keys(name: str, kind: Kind, order: Mapping[str, Any]) -> None:
    unknown = sorted(set(order) - set(COMMON) - set(kind.options))
    if unknown:
        known = ", ".join((*COMMON, *kind.options))
        raise ValueError(f"A fault of kind {name} has no key {unknown[0]!r}. It takes: {known}.")
    missing = [key for key in kind.required if order.get(key) is None]
    if missing:
        raise ValueError(f"A fault of kind {name} needs the key {missing[0]!r}.")
    for key in {"count", "pieces", "status"} & set(order):
        _whole(key, order[key], least=1)


def _duration(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)) or not 0 <= value <= LONGEST:
        raise ValueError(f"'seconds' takes a number from 0 to {LONGEST}, not {value!r}.")
    return float(value)


def _whole(key: str, value: Any, *, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{key!r} takes a whole number of {least} or more, not {value!r}.")
    return value


def _system(value: Any) -> str | None:
    if value is not None and value not in SYSTEMS:
        raise ValueError(f"Unknown system {value!r}. Known systems: {', '.join(SYSTEMS)}.")
    return value if value is None else str(value)


def _text(key: str, value: Any, *, upper: bool = False) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"{key!r} takes text, not {value!r}.")
    return value.upper() if upper else value


def _pattern(key: str, value: Any) -> str | None:
    text = _text(key, value)
    try:
        re.compile(text or "")
    except re.error as error:
        raise ValueError(f"{key!r} is no regular expression: {error}.") from error
    return text
