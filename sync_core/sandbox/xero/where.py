"""The ``where`` and ``order`` parameters: a small parser that makes predicates and sort keys over rows.

Supported: ``== != > >= < <=``, ``AND && OR || !``, parentheses, text, numbers, ``true false null``,
``Guid("...")``, ``DateTime(y,m,d[,h,m,s])``, ``DateTime.Parse("...")``, dotted paths, and ``.Equals .Contains .StartsWith
.EndsWith .ToLower .ToUpper`` on a path, also one after the other.
Text compares without regard to case and accents. Anything else is a QueryParseException, as in Xero.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero.errors import bad_query
from sync_core.sandbox.xero.wire import parse_instant

Getter = Callable[[Row], Any]
Predicate = Callable[[Row], bool]
Lookup = Callable[[str], Getter]
_TOKEN = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?)|(?P<op>==|!=|>=|<=|&&|\|\||[<>!(),=])'
    r"|(?P<name>\.?[A-Za-z_][\w.]*))"
)
_WORDS = {"and": "&&", "or": "||", "not": "!"}
_CONSTANTS = {"true": True, "false": False, "null": None}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}
_SPELLINGS = {"tolower", "toupper"}
_TESTS: dict[str, Callable[[str, str], bool]] = {
    "equals": lambda a, b: a == b,
    "contains": lambda a, b: b in a,
    "startswith": lambda a, b: a.startswith(b),
    "endswith": lambda a, b: a.endswith(b),
}


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """Text as Xero compares it: without case and accents."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


def comparable(value: Any) -> Any:
    """A value in a form in which two of a kind compare."""
    if isinstance(value, str):
        return fold(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)
    return datetime.combine(value, time()) if isinstance(value, date) else value


@dataclass(frozen=True, slots=True)
class Where:
    """A parsed ``where``. ``equal`` holds what every row that passes has: paths (lower case) with their
    value.
    """

    test: Predicate
    equal: dict[str, str]


def parse_where(expression: str, lookup: Lookup) -> Where:
    """A predicate over rows; ``lookup`` gives the getter of a dotted path."""
    parser = _Parser(expression, lookup)
    try:
        return Where(parser.whole(), parser.equal())
    except RecursionError as deep:
        raise bad_query("The expression is nested too deeply") from deep


def parse_order(expression: str, lookup: Lookup) -> list[tuple[Getter, bool]]:
    """Getters with their direction (True: descending), most significant first."""
    keys = []
    for part in expression.split(","):
        words = part.split()
        if not words or len(words) > 2 or (len(words) == 2 and words[1].upper() not in {"ASC", "DESC"}):
            raise bad_query(f"Syntax error in order clause '{expression}'")
        keys.append((lookup(words[0]), words[-1].upper() == "DESC"))
    return keys


def sort_rows(rows: list[Row], keys: list[tuple[Getter, bool]]) -> list[Row]:
    """Sorted by several keys; absent values come first when ascending."""
    try:
        for getter, descending in reversed(keys):
            rows = sorted(rows, key=partial(_sort_key, getter), reverse=descending)
    except TypeError as error:  # lists and objects, such as LineItems
        raise bad_query("At least one object must implement IComparable.") from error
    return rows


def _sort_key(getter: Getter, row: Row) -> tuple[bool, Any]:
    value = getter(row)
    return (value is not None, comparable(value) if value is not None else 0)


class _Parser:
    def __init__(self, expression: str, lookup: Lookup) -> None:
        self.expression, self.lookup = expression, lookup
        self.tokens = self._split(expression)
        self.at = 0

    def equal(self) -> dict[str, str]:
        """The texts and ids that a plain chain of ``path == value AND ...`` demands; nothing for anything
        else.
        """
        if any(token in {"||", "!"} for _, token in self.tokens):
            return {}
        demanded: dict[str, str] = {}
        for at, (kind, path) in enumerate(self.tokens[:-2]):
            operator, value = self.tokens[at + 1][1], self.tokens[at + 2]
            if value[1].lower() == "guid":
                value = self.tokens[at + 4]
            if kind == "name" and operator in {"==", "="} and value[0] == "text":
                demanded[path.lower()] = _unquote(value[1])
        return demanded

    def _split(self, expression: str) -> list[tuple[str, str]]:
        tokens, position, end = [], 0, len(expression.rstrip())
        while position < end:
            found = _TOKEN.match(expression, position)
            if not found or found.lastgroup is None:
                raise bad_query(f"Syntax error at position {position} of '{expression}'")
            kind, token = found.lastgroup, found.group(found.lastgroup)
            if kind == "name" and token.lower() in _WORDS:
                kind, token = "op", _WORDS[token.lower()]
            tokens.append((kind, token))
            position = found.end()
        return tokens

    def whole(self) -> Predicate:
        predicate = self._any()
        if self.at != len(self.tokens):
            raise bad_query(f"Syntax error near '{self.tokens[self.at][1]}'")
        return predicate

    def _accept(self, *tokens: str) -> str | None:
        if self.at < len(self.tokens) and self.tokens[self.at][1] in tokens:
            self.at += 1
            return self.tokens[self.at - 1][1]
        return None

    def _expect(self, token: str) -> None:
        if self._accept(token) is None:
            raise bad_query(f"'{token}' expected in '{self.expression}'")

    def _any(self) -> Predicate:
        parts = [self._all()]
        while self._accept("||"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def _all(self) -> Predicate:
        parts = [self._single()]
        while self._accept("&&"):
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def _single(self) -> Predicate:
        if self._accept("!"):
            inner = self._single()
            return lambda row: not inner(row)
        if self._accept("("):
            inner = self._any()
            self._expect(")")
            return inner
        left = self._operand()
        operator = self._accept("==", "=", "!=", ">", ">=", "<", "<=")
        if operator is None:
            return lambda row: left(row) is True
        return _comparison(operator, left, self._operand())

    def _operand(self) -> Getter:
        if self.at >= len(self.tokens):
            raise bad_query(f"Expression expected at the end of '{self.expression}'")
        kind, token = self.tokens[self.at]
        self.at += 1
        if kind == "name":
            return self._name(token)
        if kind == "op":
            raise bad_query(f"Expression expected near '{token}'")
        literal = _unquote(token) if kind == "text" else Decimal(token)
        return _constant(literal)

    def _name(self, name: str) -> Getter:
        lowered = name.lower()
        if lowered in _CONSTANTS:
            return _constant(_CONSTANTS[lowered])
        if self._accept("("):
            return self._call(name)
        return self.lookup(name)

    def _call(self, name: str) -> Getter:
        arguments = self._arguments()
        path, _, method = name.rpartition(".")
        if name.lower() == "guid" and len(arguments) == 1:
            return _constant(str(arguments[0]).lower())
        if name.lower() == "datetime":
            return _constant(_instant(arguments))
        if name.lower() == "datetime.parse" and len(arguments) == 1:
            return _constant(_parsed_instant(str(arguments[0])))
        if path and method.lower() in _TESTS and len(arguments) == 1:
            getter, test, wanted = self.lookup(path), _TESTS[method.lower()], fold(str(arguments[0]))
            return lambda row: test(fold(str(getter(row) or "")), wanted)
        if path and method.lower() in _SPELLINGS and not arguments:
            return self._further(path)  # texts compare without regard to case anyhow
        raise bad_query(f"No applicable method '{name}' exists")

    def _further(self, path: str) -> Getter:
        """What ``.ToLower()`` gives, or the test that follows it: ``Name.ToLower().Contains("x")``."""
        if self.at < len(self.tokens) and self.tokens[self.at][1].startswith("."):
            method = self.tokens[self.at][1]
            self.at += 1
            self._expect("(")
            return self._call(f"{path}{method}")
        return self.lookup(path)

    def _arguments(self) -> list[Any]:
        arguments: list[Any] = []
        while self._accept(")") is None:
            if arguments:
                self._expect(",")
            arguments.append(self._operand()({}))
        return arguments


def _unquote(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1])


def _constant(value: Any) -> Getter:
    return lambda _row: value


def _instant(arguments: list[Any]) -> datetime:
    try:
        parts = [int(argument) for argument in arguments] + [0, 0, 0]
        year, month, day, hour, minute, second = parts[:6]
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except (TypeError, ValueError) as error:
        raise bad_query(f"DateTime takes year, month and day: {error}") from error


def _parsed_instant(text: str) -> datetime:
    instant = parse_instant(text)
    if instant is None:
        raise bad_query(f"String '{text}' was not recognized as a valid DateTime.")
    return instant


def _comparison(operator: str, left: Getter, right: Getter) -> Predicate:
    if operator in {"==", "=", "!="}:
        wanted = operator != "!="
        return lambda row: _equal(comparable(left(row)), comparable(right(row))) is wanted
    test = _COMPARE[operator]

    def compare(row: Row) -> bool:
        a, b = comparable(left(row)), comparable(right(row))
        try:
            return a is not None and b is not None and test(a, b)
        except TypeError as error:
            raise bad_query(f"Operator '{operator}' incompatible with operand types") from error

    return compare


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, bool) or isinstance(b, bool):
        return (a or False) == (b or False)
    return bool(a == b)
