"""The operators of FetchXML as tests over values, made of the comparisons that ``$filter`` uses.

Values travel as text and are read as the column's type says. Days are those of UTC, the time zone of an application user.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from sync_core.sandbox.dataverse.comparing import Caller, Getter, Test, compare_with
from sync_core.sandbox.dataverse.fetch import refusals
from sync_core.sandbox.dataverse.fetch.model import Condition
from sync_core.sandbox.dataverse.query_functions import QUERY_FUNCTIONS, SPANS
from sync_core.sandbox.dataverse.schema import Column
from sync_core.sandbox.dataverse.values import GUID, parse_date, parse_instant

NUMBERS = ("Integer", "BigInt", "Decimal", "Money", "Double", "Picklist", "State", "Status")
COMPARED = {"eq": "eq", "ne": "ne", "neq": "ne", "lt": "lt", "le": "le", "gt": "gt", "ge": "ge"}
DATED = {"on": "On", "not-on": "NotOn", "on-or-after": "OnOrAfter", "on-or-before": "OnOrBefore"}
RANGED = {"between": "Between", "not-between": "NotBetween"}
LISTED = {"in": True, "not-in": False}
EMPTY = {"null": "eq", "not-null": "ne"}
WILD = re.compile(r"(%|_|\[\^?[^\]]+\])")


def _spoken(name: str) -> str:
    """``LastXDays`` -> ``last-x-days``."""
    words = re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
    return (
        words.replace("last7-days", "last-seven-days")
        .replace("next7-days", "next-seven-days")
        .replace("older-than-", "olderthan-")
    )


SPOKEN = {_spoken(name): name for name in SPANS}
# text around the value of a pattern, and whether the outcome is turned round
PATTERNS: dict[str, tuple[str, bool]] = {
    "like": ("{}", False),
    "not-like": ("{}", True),
    "begins-with": ("{}%", False),
    "not-begin-with": ("{}%", True),
    "ends-with": ("%{}", False),
    "not-end-with": ("%{}", True),
}


def make_test(column: Column, getter: Getter, condition: Condition, caller: Caller) -> Test:
    """The test that a condition is, over whatever ``getter`` reads.

    Raises:
        DataverseError: an unknown operator, too few values, or one that the column cannot have.
    """
    name, values = condition.operator, condition.values
    if name in EMPTY:
        return compare_with(getter, EMPTY[name], None)
    if name in COMPARED:
        wanted = typed(column, _one(condition))
        return compare_with(getter, COMPARED[name], wanted.casefold() if isinstance(wanted, str) else wanted)
    if name in LISTED:
        return _among(column, getter, condition, found=LISTED[name])
    if name in PATTERNS:
        return _like(column, getter, _one(condition), *PATTERNS[name])
    if name in RANGED and len(values) != 2:
        raise refusals.bad_condition(f"The condition operator '{name}' takes two values.")
    function = DATED.get(name) or RANGED.get(name) or SPOKEN.get(name)
    if function is not None:
        if function in DATED.values() or "-x-" in name:
            _one(condition)
        return QUERY_FUNCTIONS[function](getter, list(values), caller.now)
    return _about_caller(getter, name, caller)


def _about_caller(getter: Getter, name: str, caller: Caller) -> Test:
    known = {"eq-userid": caller.user, "eq-businessid": caller.unit}
    operator, _, rest = name.partition("-")
    if f"eq-{rest}" not in known or operator not in ("eq", "ne"):
        raise refusals.bad_condition(f"The condition operator '{name}' is not known.")
    return compare_with(getter, operator, known[f"eq-{rest}"])


def _one(condition: Condition) -> str:
    if len(condition.values) != 1:
        raise refusals.bad_condition(f"The condition operator '{condition.operator}' takes one value.")
    return condition.values[0]


def typed(column: Column, text: str) -> Any:
    """A value as rows hold it, numbers as Decimal."""
    if column.type in NUMBERS:
        return _number(column, text)
    if column.type == "Boolean":
        return _flag(column, text)
    if column.type == "DateTime":
        found = parse_instant(text) or parse_date(text) or parse_instant(f"{text.replace(' ', 'T')}Z")
        return _known(column, text, found)
    if column.is_lookup or column.type == "Uniqueidentifier":
        bare = text.strip().strip("{}").lower()
        return _known(column, text, bare if GUID.fullmatch(bare) else None)
    return text


def _known(column: Column, text: str, found: Any) -> Any:
    if found is None:
        raise refusals.bad_value(text, column.logical)
    return found


def _number(column: Column, text: str) -> Decimal:
    try:
        found = Decimal(text.strip())
    except InvalidOperation:
        raise refusals.bad_value(text, column.logical) from None
    if not found.is_finite():
        raise refusals.bad_value(text, column.logical)
    return found


def _flag(column: Column, text: str) -> bool:
    known = {"1": True, "true": True, "0": False, "false": False}
    return bool(_known(column, text, known.get(text.strip().lower())))


def _among(column: Column, getter: Getter, condition: Condition, *, found: bool) -> Test:
    if not condition.values:
        raise refusals.bad_condition(f"The condition operator '{condition.operator}' takes at least one value.")
    wanted = [typed(column, value) for value in condition.values]
    tests = [compare_with(getter, "eq", v.casefold() if isinstance(v, str) else v) for v in wanted]
    return lambda row: getter(row) is not None and any(test(row) for test in tests) == found


def _like(column: Column, getter: Getter, value: str, around: str, negated: bool) -> Test:
    if column.type not in ("String", "Memo"):
        raise refusals.bad_condition(f"The attribute '{column.logical}' is no text that could be like another.")
    literal = value if around == "{}" else WILD.sub(lambda found: f"[{found.group()[0]}]", value)
    pattern = pattern_of(around.format(literal))
    return lambda row: (pattern.fullmatch(getter(row) or "") is not None) != negated


def pattern_of(text: str) -> re.Pattern[str]:
    """An SQL pattern with ``%``, ``_`` and ``[..]`` as a regular expression."""
    parts = [_piece(part) for part in WILD.split(text)]
    try:
        return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)
    except re.error:
        raise refusals.bad_condition(f"The pattern '{text}' is not valid.") from None


def _piece(part: str) -> str:
    if part.startswith("[") and part.endswith("]") and len(part) > 2:
        return re.sub(r"\\(?=[-^])", "", f"[{re.escape(part[1:-1])}]")
    return {"%": ".*", "_": "."}.get(part, re.escape(part))
