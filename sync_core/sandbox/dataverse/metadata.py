"""Requests that read metadata: EntityDefinitions, their parts, and RelationshipDefinitions.

Everything is first described as plain JSON objects, then filtered, selected and expanded in one way for all kinds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sync_core.sandbox.dataverse import describe, errors, many_to_many
from sync_core.sandbox.dataverse.comparing import Caller, Getter
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.filters import Source, parse_filter
from sync_core.sandbox.dataverse.many_to_many import ManyToMany
from sync_core.sandbox.dataverse.options import names_of, read_expand
from sync_core.sandbox.dataverse.paths import Segment, key_literal, key_pairs
from sync_core.sandbox.dataverse.requests import Answer, Call, plain, with_json
from sync_core.sandbox.dataverse.schema import Column, Key, Relationship, Table
from sync_core.sandbox.dataverse.values import GUID

Object = dict[str, Any]
CAST = "Microsoft.Dynamics.CRM."
NOT_FOR_METADATA = ("$top", "$orderby", "$skiptoken", "$apply", "$search")
PARTS = ("Attributes", "Keys", "OneToManyRelationships", "ManyToOneRelationships", "ManyToManyRelationships")


@dataclass(frozen=True, slots=True)
class Objects:
    """Names in a filter over metadata objects; a managed property is read through ``/Value``."""

    now: datetime

    @property
    def caller(self) -> Caller:
        return Caller("", None, self.now)

    def collection(self, path: str) -> tuple[Source, Getter]:
        raise errors.bad_query(f"The collection '{path}' cannot be filtered on in metadata.")

    def getter(self, path: str) -> Getter:
        names = path.split("/")

        def get(found: Any) -> Any:
            for name in names:
                found = found.get(name) if isinstance(found, dict) else None
            return found

        return get


def find_table(env: Environment, key: str) -> Table:
    """``LogicalName='account'`` or a MetadataId."""
    found = _find(key, env.catalog.tables.values(), "LogicalName", lambda t: t.logical)
    if found is None:
        raise errors.DataverseError(404, errors.NOT_FOUND, f"Could not find an entity with key {key}.")
    table: Table = found
    return table


def find_column(table: Table, key: str) -> Column:
    """The column that ``LogicalName='..'`` or a MetadataId names; 404 when there is none."""
    found = _find(key, table.columns.values(), "LogicalName", lambda c: c.logical)
    if found is None:
        raise errors.DataverseError(404, errors.NOT_FOUND, f"Could not find an attribute with key {key}.")
    column: Column = found
    return column


def find_key(table: Table, key: str) -> Key:
    """The same for an alternate key."""
    found = _find(key, table.keys.values(), "LogicalName", lambda k: k.schema.lower())
    if found is None:
        raise errors.DataverseError(404, errors.NOT_FOUND, f"Could not find an entity key with key {key}.")
    entity_key: Key = found
    return entity_key


def find_relationship(env: Environment, key: str) -> Relationship:
    """The relationship that ``SchemaName='..'`` or a MetadataId names; 404 when there is none."""
    found = _find(key, env.catalog.relationships.values(), "SchemaName", lambda r: r.schema)
    if found is None:
        raise errors.DataverseError(404, errors.NOT_FOUND, f"Could not find a relationship with key {key}.")
    relationship: Relationship = found
    return relationship


def find_many(env: Environment, key: str) -> ManyToMany | None:
    """The same among many-to-many relationships; None when there is none."""
    found: ManyToMany | None = _find(key, list(many_to_many.every(env)), "SchemaName", lambda r: r.schema)
    return found


def _find(key: str, among: Any, name: str, name_of: Callable[[Any], str]) -> Any:
    bare = key.strip("'")
    if GUID.fullmatch(bare):
        return next((item for item in among if item.metadata_id == bare.lower()), None)
    wanted = key_pairs(key).get(name) if "=" in key else key_literal(key)
    return next((item for item in among if name_of(item) == wanted), None)


def read_definitions(env: Environment, call: Call, segments: list[Segment]) -> Answer:
    """``GET EntityDefinitions...``."""
    head, *rest = segments
    if head.key is None:
        tables = [describe.describe_table(table) for table in env.catalog.tables.values()]
        return _answer_list(env, call, "EntityDefinitions", tables, counted=_counted(rest))
    table = find_table(env, head.key)
    if not rest:
        return _answer_one(env, call, "EntityDefinitions", describe.describe_table(table))
    return _read_part(env, call, table, rest)


def read_relationships(env: Environment, call: Call, segments: list[Segment]) -> Answer:
    """``GET RelationshipDefinitions...``."""
    head, *casts = segments
    many = find_many(env, head.key) if head.key is not None else None
    if many is not None:
        return _answer_one(env, call, "RelationshipDefinitions", many_to_many.describe(env, many))
    if head.key is not None:
        found = describe.describe_relationship(env, find_relationship(env, head.key))
        return _answer_one(env, call, "RelationshipDefinitions", found)
    every = [describe.describe_relationship(env, r) for r in env.catalog.relationships.values()]
    every += [many_to_many.describe(env, relation) for relation in many_to_many.every(env)]
    return _answer_list(env, call, "RelationshipDefinitions", _cast(every, casts))


def _counted(segments: list[Segment]) -> bool:
    return bool(segments) and segments[-1].name == "$count"


def _read_part(env: Environment, call: Call, table: Table, rest: list[Segment]) -> Answer:
    head, *casts = rest
    if head.name not in PARTS:
        raise errors.segment_missing(head.name)
    context = f"EntityDefinitions('{table.logical}')/{head.name}"
    if head.key is None:
        counted, casts = _counted(casts), [cast for cast in casts if cast.name != "$count"]
        answer = _answer_list(env, call, context, _cast(_parts(env, table, head.name), casts), counted=counted)
        _note_seen(env, table, head.name)
        return answer
    found = _one_part(env, table, head)
    if casts and casts[0].name == "OptionSet":
        return with_json(found["OptionSet"])
    if not _cast([found], casts):
        raise errors.segment_missing(casts[0].name)
    if len(casts) > 1 and casts[1].name == "OptionSet":
        return with_json(_option_set(table, found))
    answer = _answer_one(env, call, context, found)
    _note_seen(env, table, head.name)
    return answer


def _note_seen(env: Environment, table: Table, part: str) -> None:
    """A key's index is ready at the poll after the one that saw it pending."""
    if part != "Keys":
        return
    rows = env.catalog.rows("keys")
    for key in table.keys.values():
        row_id = f"{table.logical}/{key.schema.lower()}"
        row = rows.get(row_id)
        if row is not None and not row.get("seen"):
            rows.put(row_id, {**row, "seen": True})


def _parts(env: Environment, table: Table, name: str) -> list[Object]:
    if name == "Attributes":
        columns = enumerate(table.columns.values(), start=1)
        return [describe.describe_column(table, column, number) for number, column in columns]
    if name == "Keys":
        return [describe.describe_key(env, table, key) for key in table.keys.values()]
    every = env.catalog.relationships.values()
    if name == "OneToManyRelationships":
        return [describe.describe_relationship(env, r) for r in every if r.referenced == table.logical]
    if name == "ManyToOneRelationships":
        return [describe.describe_relationship(env, r) for r in every if r.referencing == table.logical]
    return [many_to_many.describe(env, relation) for relation in many_to_many.of_table(env, table)]


def _one_part(env: Environment, table: Table, segment: Segment) -> Object:
    key = segment.key or ""
    if segment.name == "Attributes":
        return describe.describe_column(table, find_column(table, key))
    if segment.name == "Keys":
        return describe.describe_key(env, table, find_key(table, key))
    return describe.describe_relationship(env, find_relationship(env, key))


def _cast(objects: list[Object], casts: list[Segment]) -> list[Object]:
    """Only those of the type that a trailing ``/Microsoft.Dynamics.CRM.X`` names."""
    wanted = [c.name for c in casts if c.name.startswith(CAST)]
    if not wanted or wanted[0] == f"{CAST}AttributeMetadata":
        return objects
    return [found for found in objects if found.get("@odata.type") == f"#{wanted[0]}"]


def _option_set(table: Table, found: Object) -> Object | None:
    return describe.describe_options(table.columns[found["LogicalName"]])


def _answer_list(env: Environment, call: Call, context: str, objects: list[Object], *, counted: bool = False) -> Answer:
    options = call.options
    refused = next((name for name in NOT_FOR_METADATA if name in options), None)
    if refused is not None:
        raise errors.bad_query(f"The query parameter {refused} is not supported")
    if options.get("$filter"):
        test = parse_filter(options["$filter"], Objects(env.kernel.clock.now())).test
        objects = [found for found in objects if test(found)]
    if counted:
        return plain(str(len(objects)))
    count = {"@odata.count": len(objects)} if options.get("$count") == "true" else {}
    shaped = [_shape(env, found, options) for found in objects]
    return with_json({"@odata.context": f"{call.service}$metadata#{context}", **count, "value": shaped})


def _answer_one(env: Environment, call: Call, context: str, found: Object) -> Answer:
    shaped = _shape(env, found, call.options)
    return with_json({"@odata.context": f"{call.service}$metadata#{context}/$entity", **shaped})


def _shape(env: Environment, found: Object, options: dict[str, str]) -> Object:
    """Apply ``$select`` and ``$expand``; the MetadataId and the type always come."""
    names = names_of(options.get("$select"))
    kept = found if names is None else {n: v for n, v in found.items() if n in names or n in ("@odata.type", "MetadataId")}
    missing = [n for n in names or () if n not in found and n not in ("OptionSet", *PARTS)]
    if missing:
        raise errors.bad_query(f"Could not find a property named '{missing[0]}' on type 'Microsoft.Dynamics.CRM.Metadata'.")
    expands = read_expand(options["$expand"]) if options.get("$expand") else []
    return kept | {name: _expanded(env, found, name, inner) for name, inner in expands}


def _expanded(env: Environment, found: Object, name: str, options: dict[str, str]) -> Any:
    if name in ("OptionSet", "GlobalOptionSet"):
        body = _option_set(env.catalog.tables[found["EntityLogicalName"]], found) if name == "OptionSet" else None
        chosen = names_of(options.get("$select"))
        return body if body is None or chosen is None else {n: v for n, v in body.items() if n in chosen}
    if name not in PARTS:
        raise errors.bad_query(f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.EntityMetadata'.")
    objects = _parts(env, env.catalog.tables[found["LogicalName"]], name)
    test = parse_filter(options["$filter"], Objects(env.kernel.clock.now())).test if options.get("$filter") else None
    return [_shape(env, part, options) for part in objects if test is None or test(part)]
