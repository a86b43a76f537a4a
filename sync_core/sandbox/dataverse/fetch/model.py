"""What a query asks for, apart from the language that it was written in.

Names follow FetchXML: an entity has attributes, filters, orders and link-entities. ``alias`` is the name of an entity
inside of the query; the first one has none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

ROOT = ""
ROWS = "*"
"""The name of an attribute that counts rows."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column of the answer: as it is, as an ``aggregate``, or as what rows are grouped by."""

    name: str
    alias: str = ""
    aggregate: str = ""
    grouped: bool = False
    date_part: str = ""
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of a column with values, or with the column ``other`` of the same row."""

    attribute: str
    operator: str
    values: tuple[str, ...] = ()
    entity: str | None = None
    other: str = ""


@dataclass(frozen=True, slots=True)
class Junction:
    """Conditions and inner junctions, all of which hold, or any."""

    any_of: bool = False
    parts: tuple[Condition | Junction, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """By a column, or by the alias of a grouped one."""

    attribute: str = ""
    alias: str = ""
    descending: bool = False
    entity: str | None = None


@dataclass(frozen=True, slots=True)
class Join:
    """``source`` of the linked table equals ``target`` of the one above it; ``kind`` is inner, outer, exists or absent."""

    source: str
    target: str
    kind: str = "inner"


@dataclass(frozen=True, slots=True)
class Entity:
    """A table of a query and what hangs below it."""

    table: str
    alias: str = ROOT
    join: Join | None = None
    attributes: tuple[Attribute, ...] = ()
    every_column: bool = False
    filters: tuple[Junction, ...] = ()
    orders: tuple[Order, ...] = ()
    links: tuple[Entity, ...] = ()

    def walk(self) -> list[Entity]:
        """This entity and all below it, each after the one that it hangs on."""
        return [self, *(found for link in self.links for found in link.walk())]


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query. ``page`` counts from one; ``top`` and ``count`` are 0 when not given; ``skip`` is for ``sql`` alone.

    ``where`` is a further test of the first table's rows, for languages with conditions of their own.
    """

    entity: Entity
    top: int = 0
    count: int = 0
    page: int = 1
    skip: int = 0
    cookie: str = ""
    distinct: bool = False
    aggregate: bool = False
    total: bool = False
    raw_order: bool = False
    limit: int = 0
    where: Callable[[Any], bool] | None = None


@dataclass(slots=True)
class Names:
    """Gives each link without an alias a name of its own: ``contact1``, ``contact2``."""

    used: dict[str, int] = field(default_factory=dict)

    def name(self, table: str) -> str:
        self.used[table] = self.used.get(table, 0) + 1
        return f"{table}{self.used[table]}"
