"""Reads OData's ``$apply``: ``filter``, ``groupby`` and ``aggregate``, as far as Dataverse takes them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.fetch.model import Attribute, Entity, Join, Order, Query
from sync_core.sandbox.dataverse.filters import parse_filter
from sync_core.sandbox.dataverse.options import split_outside, with_aliases
from sync_core.sandbox.dataverse.render import TableSource
from sync_core.sandbox.dataverse.schema import Table

STEP = re.compile(r"\s*(filter|groupby|aggregate)\s*\((.*)\)\s*", re.DOTALL)
MEASURE = re.compile(r"\s*([\w/]+)\s+with\s+(\w+)\s+as\s+(\w+)\s*")
COUNTED = re.compile(r"\s*\$count\s+as\s+(\w+)\s*")
METHODS = {"sum": "sum", "average": "avg", "min": "min", "max": "max", "countdistinct": "countcolumn"}
MARK = "__"


class Apply:
    """An ``$apply`` over one table: the query that it is, made step by step."""

    def __init__(self, env: Environment, table: Table, options: dict[str, str], user: str) -> None:
        self._env, self._table, self._user = env, table, user
        self._links: dict[str, list[Attribute]] = {}
        self._own: list[Attribute] = []
        self._query = Query(Entity(table.logical), aggregate=True)
        text = with_aliases(options["$apply"], options)
        for step in split_outside(text, "/"):
            self._step(text, step)
        if not self._own and not self._links:
            raise _syntax(text)
        self.query = self._finished(options)

    def _step(self, text: str, step: str) -> None:
        found = STEP.fullmatch(step)
        if found is None or self._own or self._links:
            raise _syntax(text)
        name, inside = found.groups()
        if name == "filter":
            self._filter(inside)
        elif name == "aggregate":
            self._aggregate(inside)
        else:
            self._group(text, inside)

    def _filter(self, text: str) -> None:
        test, earlier = parse_filter(text, TableSource(self._env, self._table, self._user)).test, self._query.where
        both = test if earlier is None else lambda row: bool(earlier(row)) and test(row)
        self._query = replace(self._query, where=both)

    def _group(self, text: str, inside: str) -> None:
        names, *rest = [part.strip() for part in split_outside(inside, ",")]
        if not names.startswith("(") or not names.endswith(")") or len(rest) > 1:
            raise _syntax(text)
        for name in names[1:-1].split(","):
            self._add(name.strip(), Attribute("", grouped=True))
        if rest:
            found = STEP.fullmatch(rest[0])
            if found is None or found.group(1) != "aggregate":
                raise _syntax(text)
            self._aggregate(found.group(2))

    def _aggregate(self, inside: str) -> None:
        for part in split_outside(inside, ","):
            counted, measure = COUNTED.fullmatch(part), MEASURE.fullmatch(part)
            if counted is not None:
                self._own.append(Attribute(self._table.primary_id, counted.group(1), "count"))
                continue
            if measure is None or measure.group(2) not in METHODS:
                raise errors.bad_query(f"The aggregation expression '{part.strip()}' is not supported.")
            method = measure.group(2)
            self._add(measure.group(1), Attribute("", measure.group(3), METHODS[method], distinct=method == "countdistinct"))

    def _add(self, path: str, attribute: Attribute) -> None:
        nav, slash, name = path.rpartition("/")
        table = self._target(nav) if slash else self._table
        column = table.by_property(name)
        if column is None:
            raise errors.unknown_column(table.logical, name)
        if attribute.grouped:
            attribute = replace(attribute, alias=f"{nav}{MARK}{column.logical}" if slash else column.property_name)
        (self._links.setdefault(nav, []) if slash else self._own).append(replace(attribute, name=column.logical))

    def _target(self, nav: str) -> Table:
        found = self._table.by_nav(nav)
        if found is None:
            raise errors.unknown_column(self._table.logical, nav)
        return self._env.catalog.table(found[1])

    def _finished(self, options: dict[str, str]) -> Query:
        links = []
        for nav, attributes in self._links.items():
            column, target = self._table.by_nav(nav) or (None, "")
            join = Join(self._env.catalog.table(target).primary_id, column.logical if column else "", "outer")
            links.append(Entity(target, nav, join, tuple(attributes)))
        top = options.get("$top", "0")
        if not top.isdecimal():
            raise errors.bad_query(f"Invalid value '{top}' for $top query option found.")
        orders = [_order(part) for part in options.get("$orderby", "").split(",") if part.strip()]
        entity = Entity(self._table.logical, attributes=tuple(self._own), orders=tuple(orders), links=tuple(links))
        return replace(self._query, entity=entity, top=int(top))


def _order(part: str) -> Order:
    name, _, direction = part.strip().partition(" ")
    return Order(alias=name.replace("/", MARK), descending=direction.strip() == "desc")


def _syntax(text: str) -> errors.DataverseError:
    return errors.bad_query(f"The $apply '{text}' is not supported: give filter, then groupby or aggregate.")


def nested(row: dict[str, Any]) -> dict[str, Any]:
    """``nav__name`` as an object ``{"nav": {"name": ..}}``."""
    found: dict[str, Any] = {}
    for key, value in row.items():
        nav, mark, name = key.partition(MARK)
        if mark:
            found.setdefault(nav, {})[name] = value
        else:
            found[key] = value
    return found
