"""Many-to-many relationships: which there are, how metadata describes them, and which rows they bring together.

A relationship is kept as the body that made it, and each pair of rows beside it. The table in between, which the service
makes for them, cannot be queried by itself here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sync_core.sandbox.dataverse import errors, metadata_defaults
from sync_core.sandbox.dataverse.definitions import Payload, schema_name
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.schema import Table
from sync_core.sandbox.kernel import Collection, Row

Related = Callable[[Row], Iterable[str]]
"""The ids of the rows that belong to a row."""


@dataclass(frozen=True, slots=True)
class ManyToMany:
    """Two tables and what the relationship is called on either side."""

    schema: str
    metadata_id: str
    tables: tuple[str, str]
    navs: tuple[str, str]
    intersect: str

    def side(self, table: Table, nav: str) -> int | None:
        """On which side ``nav`` is a property of ``table``: 0, 1, or None on neither."""
        return next((i for i in (0, 1) if (self.tables[i], self.navs[i]) == (table.logical, nav)), None)


def _pairs(env: Environment) -> Collection:
    return env.kernel.collection("dataverse.pairs")


def every(env: Environment) -> Iterator[ManyToMany]:
    """All of them, in the order in which they were made."""
    return (_read(env, row["body"]) for row in env.catalog.rows("many").values())


def _read(env: Environment, body: Payload) -> ManyToMany:
    schema = schema_name(body)
    first, second = str(body.get("Entity1LogicalName")), str(body.get("Entity2LogicalName"))
    navs = tuple(str(body.get(f"Entity{n}NavigationPropertyName") or schema) for n in (1, 2))
    metadata_id = env.kernel.stable_id("dataverse", "metadata", "relationship", schema)
    return ManyToMany(
        schema, metadata_id, (first, second), (navs[0], navs[1]), str(body.get("IntersectEntityName") or schema).lower()
    )


def create(env: Environment, body: Payload) -> ManyToMany:
    """Make a relationship of a posted body.

    Raises:
        DataverseError: its name or that of its table is taken, or it names a table that does not exist.
    """
    made = _read(env, body)
    for table in made.tables:
        env.catalog.table(table)
    taken = made.schema in env.catalog.relationships or any(made.schema == other.schema for other in every(env))
    if taken or made.intersect in env.catalog.tables:
        raise errors.DataverseError(400, "0x80044362", f"A relationship with the name {made.schema} already exists.")
    env.catalog.rows("many").put(made.schema, {"body": dict(body)})
    return made


def forget(env: Environment, relation: ManyToMany) -> None:
    """Delete a relationship with all its pairs."""
    env.catalog.rows("many").remove(relation.schema)
    for key in [key for key, row in _pairs(env).items() if row["relationship"] == relation.schema]:
        _pairs(env).remove(key)


def of_table(env: Environment, table: Table) -> list[ManyToMany]:
    return [relation for relation in every(env) if table.logical in relation.tables]


def by_nav(env: Environment, table: Table, nav: str) -> tuple[ManyToMany, int] | None:
    """The relationship behind a property of a table, and the side that the table is on."""
    found = ((relation, relation.side(table, nav)) for relation in every(env))
    return next(((relation, side) for relation, side in found if side is not None), None)


def related(env: Environment, relation: ManyToMany, side: int, row_id: str) -> list[str]:
    """The ids of the rows that are paired with a row of ``side``."""
    rows = env.store.rows(relation.tables[1 - side])
    paired = (row["rows"] for row in _pairs(env).values() if row["relationship"] == relation.schema)
    return [pair[1 - side] for pair in paired if pair[side] == row_id and rows.get(pair[1 - side]) is not None]


def pair(env: Environment, relation: ManyToMany, side: int, row_id: str, other: str, *, together: bool) -> None:
    """Bring two rows together, or apart."""
    rows = [row_id, other] if side == 0 else [other, row_id]
    key = "/".join([relation.schema, *rows])
    if together:
        _pairs(env).put(key, {"relationship": relation.schema, "rows": rows})
    else:
        _pairs(env).remove(key)


def describe(env: Environment, relation: ManyToMany) -> dict[str, Any]:
    """A ManyToManyRelationshipMetadata object."""
    described: dict[str, Any] = {
        **metadata_defaults.RELATIONSHIP,
        "@odata.type": "#Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata",
        "MetadataId": relation.metadata_id,
        "SchemaName": relation.schema,
        "RelationshipType": "ManyToManyRelationship",
        "IntersectEntityName": relation.intersect,
        "IsCustomRelationship": True,
        "IsManaged": False,
    }
    for number, (table, nav) in enumerate(zip(relation.tables, relation.navs, strict=True), 1):
        described |= {
            f"Entity{number}LogicalName": table,
            f"Entity{number}IntersectAttribute": env.catalog.table(table).primary_id,
            f"Entity{number}NavigationPropertyName": nav,
        }
    return described
