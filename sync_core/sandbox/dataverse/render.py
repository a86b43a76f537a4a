"""Rows as JSON: selected columns, annotations and expanded relations, compiled once per request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.annotations import annotator
from sync_core.sandbox.dataverse.comparing import Caller, Getter
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.expansion import REFERENCE, Expansion, check_options, collection_link, page_size
from sync_core.sandbox.dataverse.filters import parse_filter, parse_order
from sync_core.sandbox.dataverse.many_to_many import ManyToMany, Related, by_nav, related
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
    user: str = ""

    def getter(self, path: str) -> Getter:
        nav, slash, rest = path.partition("/")
        if slash:
            return self._through(nav, rest)
        column = self.table.by_property(path)
        if column is None:
            raise errors.unknown_column(self.table.logical, path)
        return self.env.reader(self.table, column)

    @property
    def caller(self) -> Caller:
        unit = next((i for i, _ in self.env.store.rows("businessunit").rows.items()), None)
        return Caller(self.user, unit, self.env.kernel.clock.now())

    def collection(self, path: str) -> tuple[TableSource, Getter]:
        """The rows that point at each row through the relation ``path``."""
        relation = self.table.one_to_many.get(path)
        if relation is None:
            raise errors.unknown_column(self.table.logical, path)
        rows, own = self.env.store.rows(relation.referencing), self.table.primary_id

        def members(row: Row) -> list[Row]:
            found = (rows.get(i) for i in rows.children(relation.column, row[own]))
            return [other for other in found if other is not None]

        return replace(self, table=self.env.catalog.table(relation.referencing)), members

    def _through(self, nav: str, rest: str) -> Getter:
        found = self.table.by_nav(nav)
        if found is None:
            raise errors.unknown_column(self.table.logical, nav)
        column, target = found
        read = self.env.reader(self.table, column)
        inner = replace(self, table=self.env.catalog.table(target)).getter(rest)
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is the same for all rows of one answer; ``page`` is the size of a page of its expanded collections."""

    env: Environment
    preferences: Preferences
    service: str
    user: str
    page: int | None = None


class Shape:
    """How rows of one table are written: ``$select``, ``$expand`` and the wanted annotations."""

    def __init__(self, wanted: Wanted, table: Table, options: dict[str, str], *, bare: bool = False) -> None:
        self._wanted, self._env, self._table, self._bare = wanted, wanted.env, table, bare
        columns = selected(table, names_of(options.get("$select")))
        self._writers = [self._writer(column) for column in columns]
        expands = expansions_of(options)
        if not bare:
            self._wanted = replace(wanted, page=page_size(expands, wanted.preferences))
        self._writers += [self._expander(name, inner) for name, inner in expands]
        self.context = _context(table, options)

    def write(self, row: Row) -> dict[str, Any]:
        """The JSON object of ``row``, with its ETag unless it is ``bare``."""
        body: dict[str, Any] = {} if self._bare else {"@odata.etag": etag(row)}
        for writer in self._writers:
            writer(row, body)
        return body

    def _writer(self, column: Column) -> Writer:
        read, key = self._env.reader(self._table, column), column.property_name
        plain = column.type not in ("Money", "Decimal", "Double", "DateTime")
        annotate = annotator(self._env, column, key, self._wanted.preferences)

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
        if name.endswith(REFERENCE):
            return self._reference(name.removesuffix(REFERENCE))
        single = self._table.by_nav(name)
        if single is not None:
            return self._single(name, *single, options)
        many = self._table.one_to_many.get(name)
        if many is not None:
            return self._many(name, self._children(many), options, back=f"_{many.column}_value")
        paired = by_nav(self._env, self._table, name)
        if paired is not None:
            return self._many(name, self._paired(*paired), options)
        raise errors.unknown_column(self._table.logical, name)

    def _reference(self, name: str) -> Writer:
        """``primarycontactid/$ref``: the address of the other row in place of the row."""
        single = self._table.by_nav(name)
        if single is None:
            raise errors.bad_query("Expand with $ref is only supported on lookup type navigation property.")
        column, env = single[0], self._env
        read, target = env.reader(self._table, column), env.catalog.table(single[1])
        base = f"{self._wanted.service}{target.set_name}"

        def write(row: Row, body: dict[str, Any]) -> None:
            other = read(row) if env.target_of(column, row) == target.logical else None
            body[f"_{column.logical}_value"] = read(row)
            body[name] = None if other is None else {"@odata.id": f"{base}({other})"}

        return write

    def _single(self, name: str, column: Column, target: str, options: dict[str, str]) -> Writer:
        check_options(options, plain=False)
        env = self._env
        shape = Shape(self._wanted, env.catalog.table(target), options, bare=True)
        read, rows = env.reader(self._table, column), env.store.rows(target)

        def write(row: Row, body: dict[str, Any]) -> None:
            other = rows.get(read(row) or "") if env.target_of(column, row) == target else None
            body[name] = None if other is None else shape.write(other)

        return write

    def _children(self, relation: Relationship) -> tuple[Table, Related]:
        rows, own = self._env.store.rows(relation.referencing), self._table.primary_id
        return self._env.catalog.table(relation.referencing), lambda row: rows.children(relation.column, row[own])

    def _paired(self, relation: ManyToMany, side: int) -> tuple[Table, Related]:
        env, own = self._env, self._table.primary_id
        return env.catalog.table(relation.tables[1 - side]), lambda row: related(env, relation, side, row[own])

    def _many(self, name: str, below: tuple[Table, Related], options: dict[str, str], back: str = "") -> Writer:
        """The rows of a collection and a link to it; with ``back``, the lookup that brought them here, as in Dataverse."""
        page = self._wanted.page
        check_options(options, plain=page is None)
        (table, _), source = below, TableSource(self._env, below[0], self._wanted.user)
        names = names_of(options.get("$select")) if back and page is None else None
        shown = options if names is None or back in names else {**options, "$select": ",".join([*names, back])}
        shape = Shape(self._wanted, table, shown, bare=page is not None)
        order = parse_order(options["$orderby"], source) if options.get("$orderby") else []
        top = int(options["$top"]) if options.get("$top", "").isdigit() else page
        members = self._members(below, options)
        base, own = f"{self._wanted.service}{self._table.set_name}", self._table.primary_id

        def write(row: Row, body: dict[str, Any]) -> None:
            found = in_order(members(row), order)[:top]
            body[name] = [shape.write(r) for r in found]
            last = None if page is None else found[-1][table.primary_id] if len(found) == page else ""
            if last != "":
                body[f"{name}@odata.nextLink"] = collection_link(f"{base}({row[own]})/{name}", options, last)

        return write

    def _members(self, below: tuple[Table, Related], options: dict[str, str]) -> Callable[[Row], list[Row]]:
        """The rows below one, in order of id where they are paged."""
        (table, ids), paged = below, self._wanted.page is not None
        rows, text = self._env.store.rows(table.logical), options.get("$filter")
        test = parse_filter(text, TableSource(self._env, table, self._wanted.user)).test if text else None

        def members(row: Row) -> list[Row]:
            found = (rows.get(i) for i in (sorted(ids(row)) if paged else ids(row)))
            return [r for r in found if r is not None and (test is None or test(r))]

        return members


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
    return [
        f"{name}({','.join([*(names_of(inner.get('$select')) or []), *_expanded_context(inner)])})"
        for name, inner in expansions_of(options)
    ]


def expansions_of(options: dict[str, str]) -> list[Expansion]:
    return read_expand(options["$expand"]) if options.get("$expand") else []
