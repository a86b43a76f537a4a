"""The columns of a query's answer, and how joined rows are written with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sync_core.sandbox.dataverse.annotations import Annotator, annotator
from sync_core.sandbox.dataverse.comparing import Getter
from sync_core.sandbox.dataverse.fetch.joining import Joined, Scope
from sync_core.sandbox.dataverse.fetch.model import ROOT, Attribute, Entity
from sync_core.sandbox.dataverse.options import Preferences
from sync_core.sandbox.dataverse.schema import Column, Table
from sync_core.sandbox.dataverse.values import write_value

ATTRIBUTE_NAME = "OData.Community.Display.V1.AttributeName"
Fold = Callable[[list[Any]], Any]
"""The aggregate of a group's values, from which empty ones are left out."""


@dataclass(frozen=True, slots=True)
class Output:
    """One column of the answer: its name in JSON, what it is like, and how it is taken from a joined row.

    ``place`` is where the row that it belongs to stands in a joined row; ``fold`` makes one value of a group's.
    """

    key: str
    column: Column
    getter: Getter
    place: int
    fold: Fold | None = None
    counts_rows: bool = False

    @property
    def context_name(self) -> str:
        """The name in the context, where a dot is not allowed."""
        return self.key.replace(".", "_x002e_")


def selected_outputs(scope: Scope, *, distinct: bool) -> list[Output]:
    """The columns of a query without aggregates; the primary id comes along unless rows are to be distinct."""
    found = {o.key: o for alias, entity in scope.entities.items() for o in _of_entity(scope, alias, entity)}
    table = scope.tables[ROOT]
    companions = [] if distinct else [table.primary_id]
    if any(o.column.type == "Money" and o.place == 0 for o in found.values()):
        companions.append("transactioncurrencyid")
    for name in companions:
        added = _output(scope, ROOT, Attribute(name))
        found.setdefault(added.key, added)
    return list(found.values())


def _of_entity(scope: Scope, alias: str, entity: Entity) -> Iterator[Output]:
    if entity.every_column:
        yield from (_output(scope, alias, Attribute(name)) for name in scope.tables[alias].columns)
    yield from (_output(scope, alias, attribute) for attribute in entity.attributes)


def _output(scope: Scope, alias: str, attribute: Attribute) -> Output:
    column = scope.column(alias, attribute.name)
    own = column.property_name if alias == ROOT else f"{alias}.{column.logical}"
    return Output(attribute.alias or own, column, scope.getter(alias, attribute.name), scope.places[alias])


class Writer:
    """Writes values by key as the JSON object of one row; empty ones are left out."""

    def __init__(self, scope: Scope, outputs: list[Output], preferences: Preferences) -> None:
        self._notes = [annotator(scope.env, o.column, o.key, preferences) for o in outputs]
        self._outputs = outputs
        self._names = preferences.annotates(ATTRIBUTE_NAME)

    def values(self, joined: Joined) -> list[Any]:
        return [output.getter(joined) for output in self._outputs]

    def write(self, body: dict[str, Any], values: list[Any], joined: Joined | None) -> dict[str, Any]:
        """Add ``values`` to ``body``; ``joined`` is the row, or one of the group, that they belong to."""
        for output, value, note in zip(self._outputs, values, self._notes, strict=True):
            if value is None:
                continue
            self._annotate(body, output, value, joined, note)
            body[output.key] = write_value(output.column, value)
        return body

    def _annotate(
        self, body: dict[str, Any], output: Output, value: Any, joined: Joined | None, note: Annotator | None
    ) -> None:
        if self._names and output.key not in (output.column.property_name, output.column.logical):
            body[f"{output.key}@{ATTRIBUTE_NAME}"] = output.column.logical
        if note is not None:
            note((joined[output.place] if joined else None) or {}, body, value)


def context_of(table: Table, outputs: list[Output]) -> str:
    return f"{table.set_name}({','.join(output.context_name for output in outputs)})"
