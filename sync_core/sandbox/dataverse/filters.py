"""Reads OData ``$filter`` and ``$orderby`` text into functions over rows.

The parser knows nothing of tables: a :class:`Source` says what a name means, so the same language serves rows and
metadata.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.comparing import COMPARISONS, Caller, Getter, Test, compare_columns, compare_with
from sync_core.sandbox.dataverse.query_functions import ABOUT_CALLER, QUERY_FUNCTIONS
from sync_core.sandbox.dataverse.values import parse_date, parse_instant

TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')"
    r"|(?P<guid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})"
    r"|(?P<when>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?)"
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_@$][\w@.$]*(?:/[A-Za-z_][\w.]*)*)"
    r"|(?P<mark>[(),\[\]=:]))"
)
TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": lambda text, part: text.startswith(part),
    "endswith": lambda text, part: text.endswith(part),
}
NAMESPACE = "Microsoft.Dynamics.CRM."
WORDS = {"true": True, "false": False, "null": None}


class Source(Protocol):
    """Says how to read a property of what is filtered; raises DataverseError when there is no such property."""

    def getter(self, path: str) -> Getter: ...

    def collection(self, path: str) -> tuple[Source, Getter]:
        """What is below each: how to read its members, and how to get them all."""

    @property
    def caller(self) -> Caller: ...


@dataclass(frozen=True, slots=True)
class _Members:
    """Inside ``contacts/any(c:...)``: ``c/name`` is a property of one member."""

    variable: str
    inner: Source

    def getter(self, path: str) -> Getter:
        return self.inner.getter(self._own(path))

    def collection(self, path: str) -> tuple[Source, Getter]:
        return self.inner.collection(self._own(path))

    @property
    def caller(self) -> Caller:
        return self.inner.caller

    def _own(self, path: str) -> str:
        variable, _, own = path.partition("/")
        if variable != self.variable or not own:
            raise errors.bad_query(f"Could not find a property named '{path}'; members are named '{self.variable}' here.")
        return own


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed filter. ``equal`` holds the properties that must equal a value: they may narrow the search."""

    test: Test
    equal: dict[str, Any]


def parse_filter(text: str, source: Source) -> Filter:
    """Read a ``$filter``.

    Raises:
        DataverseError: the text is not valid or names an unknown property.
    """
    parser = _Parser(text, source)
    test = parser.disjunction()
    if parser.peek() is not None:
        raise _syntax(text, parser.position)
    return Filter(test, {} if parser.loose else parser.equal)


def parse_order(text: str, source: Source) -> list[tuple[Getter, bool]]:
    """Read an ``$orderby`` as (getter, descending)."""
    order = []
    for part in text.split(","):
        name, _, direction = part.strip().partition(" ")
        if direction.strip() not in ("", "asc", "desc"):
            raise _syntax(text, 0)
        order.append((source.getter(name), direction.strip() == "desc"))
    return order


def _syntax(text: str, position: int) -> errors.DataverseError:
    return errors.bad_query(f"Syntax error at position {position} in '{text}'.")


class _Parser:
    """Recursive descent: or, and, not, then one test."""

    def __init__(self, text: str, source: Source) -> None:
        self._text = text
        self._source = source
        self._tokens = self._split(text)
        self._next = 0
        self.equal: dict[str, Any] = {}
        self.loose = False

    @staticmethod
    def _split(text: str) -> list[tuple[str, str, int]]:
        tokens, position = [], 0
        while text[position:].strip():
            match = TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                raise _syntax(text, position)
            tokens.append((match.lastgroup, match.group(match.lastgroup), match.start()))
            position = match.end()
        return tokens

    @property
    def position(self) -> int:
        return self._tokens[self._next][2] if self._next < len(self._tokens) else len(self._text)

    def peek(self) -> str | None:
        return self._tokens[self._next][1] if self._next < len(self._tokens) else None

    def take(self, *wanted: str) -> tuple[str, str]:
        if self._next >= len(self._tokens):
            raise _syntax(self._text, len(self._text))
        kind, value, position = self._tokens[self._next]
        if wanted and value not in wanted:
            raise _syntax(self._text, position)
        self._next += 1
        return kind, value

    def disjunction(self) -> Test:
        tests = [self.conjunction()]
        while self.peek() == "or":
            self.loose = True
            self.take()
            tests.append(self.conjunction())
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def conjunction(self) -> Test:
        tests = [self.negation()]
        while self.peek() == "and":
            self.take()
            tests.append(self.negation())
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def negation(self) -> Test:
        if self.peek() != "not":
            return self.primary()
        self.loose = True
        self.take()
        inner = self.negation()
        return lambda row: not inner(row)

    def primary(self) -> Test:
        if self.peek() == "(":
            self.take()
            inner = self.disjunction()
            self.take(")")
            return inner
        kind, name = self.take()
        if kind != "name":
            raise _syntax(self._text, self.position)
        if self.peek() == "(":
            return self._function(name)
        return self._comparison(name)

    def _function(self, name: str) -> Test:
        collection, _, quantifier = name.rpartition("/")
        if quantifier in ("any", "all"):
            return self._quantified(collection, every=quantifier == "all")
        if name.startswith(NAMESPACE):
            return self._message(name.removeprefix(NAMESPACE))
        if name not in TEXT_TESTS:
            raise errors.bad_query(f"An unknown function with name '{name}' was found.")
        self.take("(")
        getter = self._source.getter(self.take()[1])
        self.take(",")
        part = self._literal()
        self.take(")")
        if not isinstance(part, str):
            raise errors.bad_query(f"No function signature for the function with name '{name}' matches.")
        return self._text_test(TEXT_TESTS[name], getter, part.casefold())

    def _text_test(self, compare: Callable[[str, str], bool], getter: Getter, part: str) -> Test:
        outcome = True
        if self.peek() in ("eq", "ne"):
            same = self.take()[1] == "eq"
            outcome = (self._literal() is True) == same

        def test(row: Any) -> bool:
            value = getter(row)
            if not isinstance(value, str | None):
                raise errors.bad_query("A function for text is used on a property of another type.")
            return compare((value or "").casefold(), part) == outcome

        return test

    def _quantified(self, collection: str, *, every: bool) -> Test:
        """``contacts/any(c:c/name eq 'x')`` and ``all``; ``any()`` asks whether there are members at all."""
        source, members = self._source.collection(collection)
        self.take("(")
        if not every and self.peek() == ")":
            self.take()
            return lambda row: any(True for _ in members(row))
        variable = self.take()[1]
        self.take(":")
        outer, self._source, equal = self._source, _Members(variable, source), self.equal
        self.equal = {}
        test = self.disjunction()
        self._source, self.equal = outer, equal
        self.take(")")
        return (lambda row: all(map(test, members(row)))) if every else (lambda row: any(map(test, members(row))))

    def _message(self, name: str) -> Test:
        """A query function of Dataverse: ``LastXDays(PropertyName='createdon',PropertyValue=7)``."""
        if name not in QUERY_FUNCTIONS and name not in ABOUT_CALLER:
            raise errors.bad_query(f"An unknown function with name '{NAMESPACE}{name}' was found.")
        given = self._arguments()
        if name in ABOUT_CALLER:
            operator, own = ABOUT_CALLER[name]
            return compare_with(self._source.getter(str(given.get("PropertyName"))), operator, own(self._source.caller))
        values = given.get("PropertyValues", given.get("PropertyValue", []))
        getter = self._source.getter(str(given.get("PropertyName")))
        return QUERY_FUNCTIONS[name](getter, values if isinstance(values, list) else [values], self._source.caller.now)

    def _arguments(self) -> dict[str, Any]:
        self.take("(")
        given: dict[str, Any] = {}
        while not given or self.take(",", ")")[1] == ",":
            name = self.take("PropertyName", "PropertyValue", "PropertyValues")[1]
            self.take("=")
            given[name] = self._list() if self.peek() == "[" else self._literal()
        return given

    def _list(self) -> list[Any]:
        self.take("[")
        values = [self._literal()]
        while self.take(",", "]")[1] == ",":
            values.append(self._literal())
        return values

    def _comparison(self, name: str) -> Test:
        getter = self._source.getter(name)
        if self.peek() not in COMPARISONS:
            return lambda row: getter(row) is True
        operator = self.take()[1]
        if self._at_column():
            return compare_columns(getter, operator, self._source.getter(self.take()[1]))
        wanted = self._literal()
        if isinstance(wanted, str):
            wanted = wanted.casefold()
        if operator == "eq":
            self.equal[name] = wanted
        return compare_with(getter, operator, wanted)

    def _at_column(self) -> bool:
        """Whether a column comes next, and neither a word such as null nor an enumeration's value."""
        kind, name, _ = self._tokens[self._next] if self._next < len(self._tokens) else ("", "", 0)
        after = self._tokens[self._next + 1][0] if self._next + 1 < len(self._tokens) else ""
        return kind == "name" and name not in WORDS and after != "string"

    def _literal(self) -> Any:
        kind, text = self.take()
        if kind == "string":
            return text[1:-1].replace("''", "'")
        if kind == "guid":
            return text.lower()
        if kind == "number":
            return Decimal(text)
        if kind == "when":
            return parse_instant(text) or parse_date(text) or text
        if text in WORDS:
            return WORDS[text]
        if kind == "name" and (self.peek() or "").startswith("'"):
            return self._literal()  # an enumeration, such as Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned'
        raise _syntax(self._text, self.position)
