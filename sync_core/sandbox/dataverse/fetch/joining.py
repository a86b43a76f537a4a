"""Rows of a query over several tables: each is a tuple with one row of every table, None where an outer join found none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sync_core.sandbox.dataverse.comparing import COMPARISONS, Caller, Getter, Test
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.fetch import refusals
from sync_core.sandbox.dataverse.fetch.conditions import make_test, typed
from sync_core.sandbox.dataverse.fetch.model import ROOT, Condition, Entity, Join, Junction
from sync_core.sandbox.dataverse.schema import Column, Table
from sync_core.sandbox.kernel import Row

Joined = tuple[Row | None, ...]
Find = Callable[[Joined], Iterable[Row]]
HIDDEN = ("exists", "absent")


class Scope:
    """The tables of a query by alias, and how their columns are read from a joined row."""

    def __init__(self, env: Environment, root: Entity, caller: Caller, where: Test | None = None) -> None:
        self.env, self.root, self.caller, self.where = env, root, caller, where
        shown = [entity for entity in root.walk() if entity.join is None or entity.join.kind not in HIDDEN]
        self.entities = {entity.alias: entity for entity in shown}
        self.places = {entity.alias: place for place, entity in enumerate(shown)}
        self.tables = {entity.alias: self.table(entity.table) for entity in shown}
        if len(self.entities) < len(shown):
            raise refusals.bad_argument("Two link-entities of the query have the same alias.")

    def table(self, name: str) -> Table:
        found = self.env.catalog.tables.get(name)
        if found is None:
            raise refusals.no_entity(name)
        return found

    def column(self, alias: str, name: str) -> Column:
        """The column ``name`` of the entity that goes by ``alias``."""
        if alias not in self.tables:
            raise refusals.unknown_alias(alias)
        return _column(self.tables[alias], name)

    def getter(self, alias: str, name: str) -> Getter:
        """How that column is read from a joined row."""
        column, place = self.column(alias, name), self.places[alias]
        read = self.env.reader(self.tables[alias], column)

        def get(joined: Joined) -> Any:
            row = joined[place]
            return None if row is None else read(row)

        return get

    def rows(self) -> Iterator[Joined]:
        """All joined rows that the filters leave, in order of the first table's ids."""
        table = self.tables[ROOT]
        early = [f for f in self.root.filters if not _mentions_links(f)]
        tests = [self.test(junction, ROOT) for junction in early]
        late = [self.test(junction, ROOT) for junction in self.root.filters if junction not in early]
        steps = list(self._steps(self.root))
        candidates = self._candidates(table)
        for row in candidates:
            first: Joined = (row,)
            if self.where is not None and not self.where(row):
                continue
            if all(test(first) for test in tests):
                yield from (joined for joined in _walk(first, steps) if all(test(joined) for test in late))

    def _candidates(self, table: Table) -> Iterable[Row]:
        """All rows, or the few that an equal id or lookup in the filter leaves."""
        rows = self.env.store.rows(table.logical)
        for condition in _certain(self.root.filters):
            column = table.columns.get(condition.attribute)
            if column is None or condition.operator != "eq" or len(condition.values) != 1 or condition.entity:
                continue
            if not self.env.is_stored(table, column):
                continue
            if column.logical == table.primary_id or column.is_lookup:
                wanted = typed(column, condition.values[0])
                ids = [wanted] if column.logical == table.primary_id else sorted(rows.children(column.logical, wanted))
                return [row for i in ids if (row := rows.get(i)) is not None]
        return rows.after_id()

    def _steps(self, parent: Entity) -> Iterator[tuple[Join, Find]]:
        for link in parent.links:
            join = link.join or Join("", "")
            yield join, self._finder(parent, link, join)
            if join.kind not in HIDDEN:
                yield from self._steps(link)

    def _finder(self, parent: Entity, link: Entity, join: Join) -> Find:
        if join.kind in HIDDEN:
            return self._existing(parent, link, join)
        read, match = self.getter(parent.alias, join.target), _matcher(self.env, self.tables[link.alias], join.source)
        tests = [self.test(junction, link.alias) for junction in link.filters]

        def find(joined: Joined) -> Iterable[Row]:
            value = read(joined)
            found = match(value) if value is not None else ()
            return [row for row in found if all(test((*joined, row)) for test in tests)] if tests else found

        return find

    def _existing(self, parent: Entity, link: Entity, join: Join) -> Find:
        """For a link that only asks whether there are such rows: a query of its own below each row."""
        read = self.getter(parent.alias, join.target)
        inner = Scope(self.env, Entity(link.table, filters=link.filters, links=link.links), self.caller)
        match = _matcher(self.env, inner.tables[ROOT], join.source)
        wanted: set[str] | None = None
        key = inner.tables[ROOT].primary_id

        def find(joined: Joined) -> Iterable[Row]:
            nonlocal wanted
            if wanted is None:
                wanted = {found[0][key] for found in inner.rows() if found[0] is not None}
            value = read(joined)
            return [row for row in (match(value) if value is not None else ()) if row[key] in wanted]

        return find

    def test(self, junction: Junction, alias: str) -> Test:
        """A filter as a test over joined rows; ``alias`` is the entity that it stands in."""
        tests = [
            self.test(part, alias) if isinstance(part, Junction) else self._condition(part, part.entity or alias)
            for part in junction.parts
        ]
        if junction.any_of and tests:
            return lambda joined: any(test(joined) for test in tests)
        return lambda joined: all(test(joined) for test in tests)

    def _condition(self, condition: Condition, alias: str) -> Test:
        column, getter = self.column(alias, condition.attribute), self.getter(alias, condition.attribute)
        if not condition.other:
            return make_test(column, getter, condition, self.caller)
        other_alias, dot, name = condition.other.rpartition(".")
        other = self.getter(other_alias if dot else alias, name)
        operators = {"eq", "ne", "gt", "ge", "lt", "le"}
        if condition.operator not in operators:
            raise refusals.bad_condition(f"The condition operator '{condition.operator}' does not compare two columns.")
        return _compare_columns(getter, other, condition.operator)


def _compare_columns(getter: Getter, other: Getter, operator: str) -> Test:
    compare = COMPARISONS[operator]

    def test(joined: Joined) -> bool:
        one, two = getter(joined), other(joined)
        if one is None or two is None:
            return operator == "ne" and one is not two
        if isinstance(one, str) and isinstance(two, str):
            one, two = one.casefold(), two.casefold()
        try:
            return compare(one, two)
        except TypeError:
            raise refusals.bad_condition("The two columns of a condition are of different types.") from None

    return test


def _column(table: Table, name: str) -> Column:
    found = table.columns.get(name)
    if found is None:
        raise refusals.no_attribute(table.logical, name)
    return found


def _matcher(env: Environment, table: Table, name: str) -> Callable[[Any], Iterable[Row]]:
    """Rows of a table whose column equals a value: by id, through the index of a lookup, or through one made once."""
    column, rows = _column(table, name), env.store.rows(table.logical)
    if name == table.primary_id:
        return lambda value: [row] if (row := rows.get(value)) is not None else []
    if column.is_lookup and env.is_stored(table, column):
        return lambda value: [row for i in sorted(rows.children(name, value)) if (row := rows.get(i)) is not None]
    read, made = env.reader(table, column), dict[Any, list[Row]]()

    def find(value: Any) -> list[Row]:
        if not made:
            for row in rows.after_id():
                made.setdefault(folded(read(row)), []).append(row)
        return made.get(folded(value), [])

    return find


def folded(value: Any) -> Any:
    """A value as the database compares it: text without case."""
    return value.casefold() if isinstance(value, str) else value


def _walk(joined: Joined, steps: list[tuple[Join, Find]]) -> Iterator[Joined]:
    """All ways to go on from the tables joined so far."""
    if not steps:
        yield joined
        return
    (join, find), *rest = steps
    found = list(find(joined))
    if join.kind in HIDDEN:
        if bool(found) == (join.kind == "exists"):
            yield from _walk(joined, rest)
        return
    for row in found[:1] if join.kind == "first" else found:
        yield from _walk((*joined, row), rest)
    if not found and join.kind in ("outer", "first"):
        yield from _walk((*joined, None), rest)


def _mentions_links(junction: Junction) -> bool:
    return any(
        _mentions_links(part) if isinstance(part, Junction) else bool(part.entity) or "." in part.other
        for part in junction.parts
    )


def _certain(junctions: Iterable[Junction]) -> Iterator[Condition]:
    """Conditions that must hold whatever else does."""
    for junction in junctions:
        if junction.any_of and len(junction.parts) > 1:
            continue
        for part in junction.parts:
            if isinstance(part, Junction):
                yield from _certain([part])
            elif not part.other:
                yield part
