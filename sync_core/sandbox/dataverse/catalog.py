"""Every table that the environment knows: the standard ones and those that clients created, which survive a restart.

Client-made definitions are kept as the bodies that were posted, in ``dataverse.metadata.*``, and read again at start.
"""

from __future__ import annotations

from typing import Any

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.assembly import add_columns, add_common, standard_relationship, standard_table
from sync_core.sandbox.dataverse.definitions import (
    Payload,
    read_column,
    read_lookup,
    read_relationship,
    read_table,
    schema_name,
)
from sync_core.sandbox.dataverse.schema import Column, Key, Relationship, Table
from sync_core.sandbox.dataverse.standard import ACTIVE
from sync_core.sandbox.dataverse.standard_tables import RELATIONSHIPS, TABLES
from sync_core.sandbox.kernel import Ids, Kernel, Row

FIRST_CUSTOM_CODE = 10_000


class Catalog:
    """The tables by logical name, and the relationships by schema name."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._ids = Ids(kernel.seed)
        self.tables: dict[str, Table] = {}
        self.relationships: dict[str, Relationship] = {}
        self._by_set: dict[str, Table] = {}
        for standard in TABLES:
            self._register(standard_table(self._ids, standard))
        for names in RELATIONSHIPS:
            self._relate(standard_relationship(self._ids, self.tables, names))
        self._reload()

    def rows(self, kind: str) -> Any:
        """The collection of client-made definitions of one kind."""
        return self._kernel.collection(f"dataverse.metadata.{kind}")

    def table(self, logical: str) -> Table:
        """The table of a logical name; an unknown one is an error 404."""
        found = self.tables.get(logical)
        if found is None:
            message = f"Could not find an entity with name {logical} and ObjectTypeCode."
            raise errors.DataverseError(404, errors.BAD_QUERY, message)
        return found

    def by_set(self, name: str) -> Table:
        """The table of an entity set name; an unknown one is an error 404."""
        found = self._by_set.get(name)
        if found is None:
            raise errors.segment_missing(name)
        return found

    def add_table(self, payload: Payload) -> Table:
        """Create a table with its columns.

        Raises:
            DataverseError: the name is taken, or a part of the body is not valid.
        """
        logical = schema_name(payload).lower()
        if logical in self.tables:
            message = f"An entity with the specified name {logical} already exists."
            raise errors.DataverseError(400, "0x80044355", message)
        if payload.get("EntitySetName") in self._by_set:
            message = f"An entity with the specified entity set name {payload['EntitySetName']} already exists."
            raise errors.DataverseError(400, "0x80044355", message)
        for body in payload.get("Attributes") or ():
            read_column(body, "")
        self._table_from(payload)
        self.rows("tables").put(logical, dict(payload))
        return self.tables[logical]

    def add_column(self, table: Table, payload: Payload) -> Column:
        """Add a column to ``table``; a Money column brings its currency companions."""
        logical = schema_name(payload).lower()
        if logical in table.columns:
            message = f"An attribute with the specified name {logical} already exists"
            raise errors.DataverseError(400, "0x80044363", message)
        column = read_column(payload, self._id("attribute", table.logical, logical))
        self.rows("columns").put(f"{table.logical}/{logical}", {"table": table.logical, "body": dict(payload)})
        add_columns(table, [column], self._ids)
        return column

    def replace_column(self, table: Table, column: Column, payload: Payload) -> None:
        """Write a changed definition over a client-made column, keeping what the body leaves out."""
        if not column.custom:
            message = f"The sandbox does not change the standard attribute {column.logical}."
            raise errors.DataverseError(501, errors.BAD_QUERY, message)
        row_id = f"{table.logical}/{column.logical}"
        kept = self.rows("columns").get(row_id)
        body = {**(kept["body"] if kept else {}), **payload, "SchemaName": column.schema}
        changed = read_column(body, column.metadata_id)
        if changed.type != column.type:
            raise errors.bad_payload("The type of an attribute cannot be changed.")
        self.rows("columns").put(row_id, {"table": table.logical, "body": body})
        table.columns[column.logical] = changed

    def add_lookup(self, relationships: list[Payload], lookup: Payload) -> list[Relationship]:
        """Create one-to-many relationships that share one lookup column (several make a customer lookup)."""
        table = self.table(str(relationships[0].get("ReferencingEntity")))
        logical = schema_name(lookup).lower()
        if logical in table.columns:
            message = f"An attribute with the specified name {logical} already exists"
            raise errors.DataverseError(400, "0x80044363", message)
        for body in relationships:
            self.table(str(body.get("ReferencedEntity")))
            if schema_name(body) in self.relationships:
                message = f"A relationship with the name {body['SchemaName']} already exists."
                raise errors.DataverseError(400, "0x80044362", message)
        row: Row = {"relationships": [dict(r) for r in relationships], "lookup": dict(lookup)}
        made = self._lookup_from(row)
        self.rows("lookups").put(f"{table.logical}/{logical}", row)
        return made

    def add_key(self, table: Table, payload: Payload, row: Row) -> Key:
        """Create an alternate key; ``row`` is kept beside it (index status)."""
        key = self._key_from(table, {"body": dict(payload)})
        self.rows("keys").put(f"{table.logical}/{key.schema.lower()}", {**row, "table": table.logical, "body": dict(payload)})
        return key

    def set_tracking(self, table: Table) -> None:
        """Switch change tracking on, for good."""
        self.rows("tracking").put(table.logical, {"table": table.logical})
        table.tracking = True

    def drop_table(self, table: Table) -> None:
        """Forget a custom table with its columns, keys and relationships."""
        for kind in ("columns", "lookups", "keys", "tracking", "tables"):
            rows = self.rows(kind)
            for row_id in [i for i, _ in rows.items() if i == table.logical or i.startswith(f"{table.logical}/")]:
                rows.remove(row_id)
        for relationship in [r for r in self.relationships.values() if table.logical in (r.referenced, r.referencing)]:
            self.drop_relationship(relationship)
        del self.tables[table.logical], self._by_set[table.set_name]

    def drop_column(self, table: Table, column: Column) -> None:
        """Forget a custom column; a lookup takes its relationships along."""
        if not column.custom:
            raise errors.DataverseError(400, "0x8004701e", f"The {column.logical} attribute cannot be deleted.")
        for relationship in [
            r for r in self.relationships.values() if r.column == column.logical and r.referencing == table.logical
        ]:
            self._forget(relationship)
        for kind in ("columns", "lookups"):
            self.rows(kind).remove(f"{table.logical}/{column.logical}")
        table.columns.pop(column.logical)
        table.columns.pop(f"{column.logical}_base", None)
        if column.type == "File":
            table.columns.pop(f"{column.logical}_name", None)

    def drop_relationship(self, relationship: Relationship) -> None:
        """Forget a relationship and the lookup that it made."""
        table = self.tables.get(relationship.referencing)
        if table and relationship.column in table.columns:
            self.drop_column(table, table.columns[relationship.column])
        self._forget(relationship)

    def drop_key(self, table: Table, key: Key) -> None:
        self.rows("keys").remove(f"{table.logical}/{key.schema.lower()}")
        del table.keys[key.schema]

    def _forget(self, relationship: Relationship) -> None:
        self.relationships.pop(relationship.schema, None)
        owner = self.tables.get(relationship.referenced)
        if owner:
            owner.one_to_many.pop(relationship.collection, None)

    def _reload(self) -> None:
        for row in self.rows("tables").values():
            self._table_from(row)
        for row in self.rows("columns").values():
            table = self.tables[row["table"]]
            logical = row["body"]["SchemaName"].lower()
            add_columns(table, [read_column(row["body"], self._id("attribute", table.logical, logical))], self._ids)
        for row in self.rows("lookups").values():
            self._lookup_from(row)
        for row in self.rows("keys").values():
            self._key_from(self.tables[row["table"]], row)
        for row in self.rows("tracking").values():
            self.tables[row["table"]].tracking = True

    def _table_from(self, payload: Payload) -> None:
        logical = schema_name(payload).lower()
        table = read_table(payload, self._id("entity", logical))
        table.type_code = FIRST_CUSTOM_CODE + len(self.tables)
        add_common(table, self._ids, ACTIVE)
        bodies = payload.get("Attributes") or ()
        columns = [read_column(b, self._id("attribute", logical, b["SchemaName"].lower())) for b in bodies]
        add_columns(table, columns, self._ids)
        self._register(table)

    def _lookup_from(self, row: Row) -> list[Relationship]:
        bodies = row["relationships"]
        table = self.table(bodies[0]["ReferencingEntity"])
        targets = tuple(body["ReferencedEntity"] for body in bodies)
        logical = row["lookup"]["SchemaName"].lower()
        column = read_lookup(row["lookup"], targets, self._id("attribute", table.logical, logical))
        table.columns[logical] = column
        made = [read_relationship(b, column, self._id("relationship", b["SchemaName"])) for b in bodies]
        for relationship in made:
            self._relate(relationship)
        return made

    def _key_from(self, table: Table, row: Row) -> Key:
        body = row["body"]
        names = tuple(str(c) for c in body.get("KeyAttributes") or ())
        unknown = [c for c in names if c not in table.columns]
        if not names or unknown:
            raise errors.bad_payload(f"The key attributes {', '.join(unknown)} do not exist on {table.logical}.")
        schema = str(body.get("SchemaName"))
        key = Key(schema, names, self._id("key", table.logical, schema.lower()))
        table.keys[schema] = key
        return key

    def _register(self, table: Table) -> None:
        self.tables[table.logical] = table
        self._by_set[table.set_name] = table

    def _relate(self, relationship: Relationship) -> None:
        self.relationships[relationship.schema] = relationship
        self.tables[relationship.referenced].one_to_many[relationship.collection] = relationship

    def _id(self, *key: str) -> str:
        return self._ids.stable_id("dataverse", "metadata", *key)
