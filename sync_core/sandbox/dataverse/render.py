"""Rows as JSON: selected columns, annotations and expanded relations, compiled once per request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.annotations import annotator
from sync_core.sandbox.dataverse.comparing import Getter
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.filters import parse_filter, parse_order
from sync_core.sandbox.dataverse.many_to_many import Related, by_nav, related
from sync_core.sandbox.dataverse.options import Preferences, names_of, read_expand
from sync_core.sandbox.dataverse.schema import Column, Relationship, Table
from sync_core.sandbox.dataverse.values import write_value
from sync_core.sandbox.kernel import Row

T = TypeVar("T")
Writer = Callable[[Row, dict[str, Any]], None]


def etag(row: Row) -> str:
    return f'W/"{row["versionnumber"]}"'


@dataclass(frozen=True, slots=True)
class TableSource:
    """Names in ``$filter`` and ``$orderby`` over a table's rows, including ``nav/column``."""

    env: Environment
    table: Table

    def getter(self, path: str) -> Getter:
        nav, slash, rest = path.partition("/")
        if slash:
            return self._through(nav, rest)
        column = self.table.by_property(path)
        if column is None:
            raise errors.unknown_column(self.table.logical, path)
        return self.env.reader(self.table, column)

    @property
    def now(self) -> datetime:
        return self.env.kernel.clock.now()

    def collection(self, path: str) -> tuple[TableSource, Getter]:
        """The rows that point at each row through the relation ``path``."""
        relation = self.table.one_to_many.get(path)
        if relation is None:
            raise errors.unknown_column(self.table.logical, path)
        rows, own = self.env.store.rows(relation.referencing), self.table.primary_id

        def members(row: Row) -> list[Row]:
            found = (rows.get(i) for i in rows.children(relation.column, row[own]))
            return [other for other in found if other is not None]

        return TableSource(self.env, self.env.catalog.table(relation.referencing)), members

    def _through(self, nav: str, rest: str) -> Getter:
        found = self.table.by_nav(nav)
        if found is None:
            raise errors.unknown_column(self.table.logical, nav)
        column, target = found
        read = self.env.reader(self.table, column)
        inner = TableSource(self.env, self.env.catalog.table(target)).getter(rest)
        rows = self.env.store.rows(target)

        def get(row: Row) -> Any:
            other = rows.get(read(row) or "")
            return None if other is None else inner(other)

        return get


def selected(table: Table, names: list[str] | None) -> list[Column]:
    """The columns to answer: those named, the primary id, and the currency beside any money."""
    if names is None:
        return list(table.columns.values())
    chosen: dict[str, Column] = {}
    for name in names:
        column = table.by_property(name) or (table.by_nav(name) or (None,))[0]
        if column is None:
            raise errors.unknown_column(table.logical, name)
        chosen[column.logical] = column
    companions = [table.primary_id]
    if any(c.type == "Money" for c in chosen.values()):
        companions.append("transactioncurrencyid")
    for name in companions:
        chosen.setdefault(name, table.columns[name])
    return list(chosen.values())


class Shape:
    """How rows of one table are written: ``$select``, ``$expand`` and the wanted annotations."""

    def __init__(self, env: Environment, table: Table, options: dict[str, str], preferences: Preferences) -> None:
        self._env = env
        self._table = table
        self._preferences = preferences
        columns = selected(table, names_of(options.get("$select")))
        self._writers = [self._writer(column) for column in columns]
        expands = read_expand(options["$expand"]) if options.get("$expand") else []
        self._writers += [self._expander(name, inner) for name, inner in expands]
        self.context = _context(table, options)

    def write(self, row: Row) -> dict[str, Any]:
        """The JSON object of ``row``, with its ETag."""
        body: dict[str, Any] = {"@odata.etag": etag(row)}
        for writer in self._writers:
            writer(row, body)
        return body

    def _writer(self, column: Column) -> Writer:
        read, key = self._env.reader(self._table, column), column.property_name
        plain = column.type not in ("Money", "Decimal", "Double", "DateTime")
        annotate = annotator(self._env, column, key, self._preferences)

        def write(row: Row, body: dict[str, Any]) -> None:
            value = read(row)
            if value is None:
                body[key] = None
                return
            if annotate is not None:
                annotate(row, body, value)
            body[key] = value if plain else write_value(column, value)

        return write

    def _expander(self, name: str, options: dict[str, str]) -> Writer:
        single = self._table.by_nav(name)
        if single is not None:
            return self._single(name, *single, options)
        many = self._table.one_to_many.get(name)
        if many is not None:
            return self._many(name, many.referencing, self._children(many), options)
        paired = by_nav(self._env, self._table, name)
        if paired is not None:
            relation, side = paired
            own, env = self._table.primary_id, self._env
            return self._many(name, relation.tables[1 - side], lambda row: related(env, relation, side, row[own]), options)
        raise errors.unknown_column(self._table.logical, name)

    def _single(self, name: str, column: Column, target: str, options: dict[str, str]) -> Writer:
        env = self._env
        shape = Shape(env, env.catalog.table(target), options, self._preferences)
        read, rows = env.reader(self._table, column), env.store.rows(target)

        def write(row: Row, body: dict[str, Any]) -> None:
            other = rows.get(read(row) or "") if env.target_of(column, row) == target else None
            body[name] = None if other is None else shape.write(other)

        return write

    def _children(self, relation: Relationship) -> Related:
        rows, own = self._env.store.rows(relation.referencing), self._table.primary_id
        return lambda row: rows.children(relation.column, row[own])

    def _many(self, name: str, logical: str, members: Related, options: dict[str, str]) -> Writer:
        env = self._env
        table = env.catalog.table(logical)
        shape, rows = Shape(env, table, options, self._preferences), env.store.rows(logical)
        source = TableSource(env, table)
        test = parse_filter(options["$filter"], source).test if options.get("$filter") else None
        order = parse_order(options["$orderby"], source) if options.get("$orderby") else []
        top = int(options["$top"]) if options.get("$top", "").isdigit() else None

        def write(row: Row, body: dict[str, Any]) -> None:
            found = (rows.get(i) for i in members(row))
            kept = [r for r in found if r is not None and (test is None or test(r))]
            body[name] = [shape.write(r) for r in in_order(kept, order)[:top]]

        return write


def in_order(rows: list[T], order: list[tuple[Getter, bool]]) -> list[T]:
    """Sorted by several getters; nulls first when ascending, as in the database."""
    for getter, descending in reversed(order):
        rows = sorted(rows, key=lambda row: _sort_key(getter(row)), reverse=descending)
    return rows


def _sort_key(value: Any) -> tuple[bool, Any]:
    return (value is not None, value.casefold() if isinstance(value, str) else value if value is not None else 0)


def _context(table: Table, options: dict[str, str]) -> str:
    names = names_of(options.get("$select")) or []
    parts = [*names, *_expanded_context(options)]
    return f"{table.set_name}({','.join(parts)})" if parts else table.set_name


def _expanded_context(options: dict[str, str]) -> list[str]:
    """``primarycontactid(fullname)`` for each expansion, with what is selected and expanded in it."""
    found = read_expand(options["$expand"]) if options.get("$expand") else []
    return [
        f"{name}({','.join([*(names_of(inner.get('$select')) or []), *_expanded_context(inner)])})" for name, inner in found
    ]
