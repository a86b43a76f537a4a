"""What a set-up has to make: the wanted schema laid beside what Dynamics has. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sync_core.errors import Configure
from sync_core.systems.own_tables import PUBLISHER, SOLUTION, TABLES, Column, Lookup, Table, relationship_name
from sync_core.systems.provision_bodies import Body, attribute_type, column_body, key_body, lookup_body, table_body


@dataclass(frozen=True, slots=True)
class Found:
    """One table as it stands in Dynamics. ``columns``: type by name; ``keys``: index status by name."""

    id: str
    tracked: bool
    columns: dict[str, str]
    keys: dict[str, str]


@dataclass(frozen=True, slots=True)
class Environment:
    """What is there of ours. Ids and version are "" where nothing is."""

    publisher: str
    solution: str
    version: str
    tables: dict[str, Found]


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing that must be there. ``path`` and ``body``: what to post when it is not; or ``track``: a table's metadata id."""

    name: str
    there: bool
    path: str = ""
    body: Body | None = None
    track: str = ""


def pieces(found: Environment) -> Iterator[Piece]:
    """All that must be there, in the order of making: a lookup needs both its tables, a key its column."""
    yield Piece(f"publisher {PUBLISHER}", bool(found.publisher))
    yield Piece(f"solution {SOLUTION}", bool(found.solution))
    for make in (_table_and_columns, _lookups, _key_and_tracking):
        for table in TABLES:
            yield from make(table, found.tables.get(table.name))


def found_table(row: dict[str, Any]) -> Found:
    """Read a row of EntityDefinitions with its Attributes and Keys expanded."""
    return Found(
        id=row["MetadataId"],
        tracked=bool(row.get("ChangeTrackingEnabled", True)),
        columns={column["LogicalName"]: column["AttributeType"] for column in row["Attributes"]},
        keys=key_states(row["Keys"]),
    )


def key_states(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Index status by key name, from rows of EntityKeyMetadata."""
    return {key["SchemaName"].lower(): key["EntityKeyIndexStatus"] for key in rows}


def key_is_built(table: Table, states: dict[str, str]) -> bool:
    """Whether the table's key can be relied on. Raises Configure when building it has failed."""
    state = states.get(table.key_name)
    if state == "Failed":
        raise Configure(
            f"Dynamics could not build the key {table.key_name} of {table.name}, as a rule because two rows hold the same "
            "value. Clear one of them, reactivate the key and run the set-up again."
        )
    return state == "Active"


def _table_and_columns(table: Table, found: Found | None) -> Iterator[Piece]:
    if found is None and not table.own:
        raise Configure(f"Dynamics does not have the table {table.name}. Is the Sales application installed there?")
    if table.own:
        yield Piece(f"table {table.name}", found is not None, "/EntityDefinitions", table_body(table))
    for column in table.columns:
        there = found is not None and _has(table, column, found)
        yield Piece(f"column {table.name}.{column.name}", there, f"{address(table)}/Attributes", column_body(column))


def _has(table: Table, column: Column, found: Found) -> bool:
    actual = found.columns.get(column.name)
    if actual not in (None, attribute_type(column)):
        raise Configure(
            f"The column {column.name} of {table.name} is a {actual} in Dynamics, but Tieout needs a {attribute_type(column)}. "
            "Rename or delete it there, then run the set-up again."
        )
    return actual is not None


def _lookups(table: Table, found: Found | None) -> Iterator[Piece]:
    for lookup in table.lookups:
        there = found is not None and lookup.name in found.columns
        yield Piece(_lookup_name(table, lookup), there, "/RelationshipDefinitions", lookup_body(table.name, lookup))


def _lookup_name(table: Table, lookup: Lookup) -> str:
    return f"lookup {table.name}.{lookup.name} to {lookup.to} ({relationship_name(table.name, lookup)})"


def _key_and_tracking(table: Table, found: Found | None) -> Iterator[Piece]:
    if table.key:
        there = found is not None and table.key_name in found.keys
        yield Piece(f"key {table.name}.{table.key_name}", there, f"{address(table)}/Keys", key_body(table))
    if not table.own and found is not None:
        yield Piece(f"change tracking of {table.name}", found.tracked, track=found.id)


def address(table: Table) -> str:
    """Where the table's definition stands."""
    return f"/EntityDefinitions(LogicalName='{table.name}')"
