"""Requests that change metadata: tables, columns, lookups, keys and change tracking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync_core.sandbox.dataverse import errors, many_to_many
from sync_core.sandbox.dataverse.definition_shapes import definition_of
from sync_core.sandbox.dataverse.definitions import kind_of, read_column
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.metadata import (
    find_column,
    find_key,
    find_many,
    find_relationship,
    find_table,
    read_definitions,
    read_relationships,
)
from sync_core.sandbox.dataverse.paths import Segment
from sync_core.sandbox.dataverse.requests import Answer, Call, no_content, with_json
from sync_core.sandbox.dataverse.schema import Key, Table
from sync_core.sandbox.dataverse.tracking import expire_table_tokens

MAX_KEYS, MAX_KEY_COLUMNS = 10, 16


def serve_definitions(env: Environment, call: Call, segments: list[Segment]) -> Answer:
    """Any request below ``EntityDefinitions``."""
    if call.method == "GET":
        return read_definitions(env, call, segments)
    if call.method == "PATCH":
        raise errors.method_not_allowed("PATCH")
    _check_solution(env, call)
    head, *rest = segments
    if not rest:
        return _serve_table(env, call, head)
    if head.key is None:
        raise errors.segment_missing(rest[0].name)
    handler = {"Attributes": _serve_column, "Keys": _serve_key}.get(rest[0].name)
    if handler is None:
        raise errors.segment_missing(rest[0].name)
    return handler(env, call, find_table(env, head.key), rest[0])


def _check_solution(env: Environment, call: Call) -> None:
    """What is made inside a solution needs that solution first."""
    _need_solution(env, call.headers.get("mscrm.solutionuniquename"))


def _need_solution(env: Environment, name: Any) -> None:
    solutions = env.kernel.collection("dataverse.solution").values()
    if name is not None and all(row.get("uniquename") != name for row in solutions):
        message = f"A solution with the unique name '{name}' does not exist."
        raise errors.DataverseError(404, errors.NOT_FOUND, message)


def _serve_table(env: Environment, call: Call, head: Segment) -> Answer:
    if call.method == "POST" and head.key is None:
        table = env.catalog.add_table(definition_of(call))
        return _created(call, f"EntityDefinitions({table.metadata_id})")
    if head.key is None:
        raise errors.method_not_allowed(call.method)
    table = find_table(env, head.key)
    if call.method == "PUT":
        return _replace_table(env, table, definition_of(call))
    if call.method == "DELETE":
        return _drop_table(env, table)
    raise errors.method_not_allowed(call.method)


def _replace_table(env: Environment, table: Table, body: Mapping[str, Any]) -> Answer:
    """PUT of a whole definition: change tracking can be switched on, never off."""
    for name in ("LogicalName", "SchemaName"):
        if name in body and body[name] != getattr(table, name.removesuffix("Name").lower()):
            raise errors.bad_payload(f"The {name} of an entity cannot be changed.")
    if "SchemaName" not in body and "LogicalName" not in body:
        raise errors.bad_payload("The whole entity definition must be sent.")
    wanted = bool(body.get("ChangeTrackingEnabled", False))
    if table.tracking and not wanted:
        raise errors.bad_query("Change tracking cannot be disabled once it is enabled.")
    if wanted and not table.trackable:
        raise errors.bad_query(f"Change tracking cannot be enabled for the entity '{table.logical}'.")
    if wanted and not table.tracking:
        env.catalog.set_tracking(table)
    return no_content()


def _drop_table(env: Environment, table: Table) -> Answer:
    if not table.custom:
        raise errors.DataverseError(400, "0x8004701e", f"The {table.logical} entity cannot be deleted.")
    for relation in many_to_many.of_table(env, table):
        many_to_many.forget(env, relation)
    env.store.forget(table.logical)
    env.catalog.drop_table(table)
    return no_content()


def _serve_column(env: Environment, call: Call, table: Table, segment: Segment) -> Answer:
    if call.method == "POST" and segment.key is None:
        column = env.catalog.add_column(table, definition_of(call))
        expire_table_tokens(env, table.logical)
        return _created(call, f"EntityDefinitions({table.metadata_id})/Attributes({column.metadata_id})")
    if segment.key is None:
        raise errors.method_not_allowed(call.method)
    column = find_column(table, segment.key)
    if call.method == "PUT":
        env.catalog.replace_column(table, column, definition_of(call))
    elif call.method == "DELETE":
        _refuse_if_keyed(table, column.logical)
        env.catalog.drop_column(table, column)
    else:
        raise errors.method_not_allowed(call.method)
    expire_table_tokens(env, table.logical)
    return no_content()


def _refuse_if_keyed(table: Table, column: str) -> None:
    if any(column in key.columns for key in table.keys.values()):
        message = f"The {column} attribute cannot be deleted because it is part of an alternate key."
        raise errors.DataverseError(400, "0x8004f01f", message)


def _serve_key(env: Environment, call: Call, table: Table, segment: Segment) -> Answer:
    if call.method == "POST" and segment.key is None:
        return _add_key(env, call, table, definition_of(call))
    if call.method == "DELETE" and segment.key is not None:
        key = find_key(table, segment.key)
        env.catalog.drop_key(table, key)
        env.store.rows(table.logical).drop_key(key)
        return no_content()
    raise errors.method_not_allowed(call.method)


def _add_key(env: Environment, call: Call, table: Table, body: Mapping[str, Any]) -> Answer:
    """The index is built at once but shows as Pending at the first look; duplicates make it fail."""
    schema, columns = str(body.get("SchemaName")), body.get("KeyAttributes") or ()
    if len(table.keys) >= MAX_KEYS or len(columns) > MAX_KEY_COLUMNS:
        raise errors.bad_payload("Too many keys, or too many columns in one key.")
    if schema in table.keys or any(set(k.columns) == set(columns) for k in table.keys.values()):
        raise errors.bad_payload(f"An entity key with the name {schema} or with the same columns already exists.")
    key = env.catalog.add_key(table, body, {})
    _index_key(env, table, key)
    return _created(call, f"EntityDefinitions({table.metadata_id})/Keys({key.metadata_id})")


def _index_key(env: Environment, table: Table, key: Key) -> None:
    failed = not env.store.rows(table.logical).build_key(key)
    rows, row_id = env.catalog.rows("keys"), f"{table.logical}/{key.schema.lower()}"
    fresh = {"created": env.kernel.clock.now(), "seen": False, "failed": failed}
    rows.put(row_id, {**rows.get(row_id), **fresh})


def reactivate_key(env: Environment, call: Call) -> Answer:
    """The action ReactivateEntityKey: build a failed index again."""
    body = definition_of(call)
    table = env.catalog.table(str(body.get("EntityLogicalName")))
    key = find_key(table, f"'{body.get('EntityKeyLogicalName')}'")
    _index_key(env, table, key)
    return no_content()


def serve_relationships(env: Environment, call: Call, segments: list[Segment]) -> Answer:
    """Any request below ``RelationshipDefinitions``."""
    head = segments[0]
    if call.method == "GET":
        return read_relationships(env, call, segments)
    _check_solution(env, call)
    if call.method == "POST" and head.key is None:
        body = definition_of(call)
        if kind_of(body) == "ManyToManyRelationship":
            return _created(call, f"RelationshipDefinitions({many_to_many.create(env, body).metadata_id})")
        made = _add_lookup(env, [body], body.get("Lookup"))
        return _created(call, f"RelationshipDefinitions({made[0]})")
    if call.method == "DELETE" and head.key is not None:
        many = find_many(env, head.key)
        if many is not None:
            many_to_many.forget(env, many)
            return no_content()
        env.catalog.drop_relationship(find_relationship(env, head.key))
        return no_content()
    raise errors.method_not_allowed(call.method)


def _add_lookup(env: Environment, bodies: list[Mapping[str, Any]], lookup: Any) -> list[str]:
    if not isinstance(lookup, Mapping):
        raise errors.bad_payload("The required property 'Lookup' is missing.")
    made = env.catalog.add_lookup(bodies, lookup)
    expire_table_tokens(env, made[0].referencing)
    return [relationship.metadata_id for relationship in made]


def create_customer_relationships(env: Environment, call: Call) -> Answer:
    """The action of that name: one lookup on accounts and contacts."""
    body = definition_of(call)
    bodies = body.get("OneToManyRelationships") or []
    if {r.get("ReferencedEntity") for r in bodies} != {"account", "contact"}:
        raise errors.bad_payload("A customer lookup needs one relationship to account and one to contact.")
    lookup = body.get("Lookup")
    made = _add_lookup(env, bodies, lookup)
    column = env.catalog.table(bodies[0]["ReferencingEntity"]).columns[str(body["Lookup"]["SchemaName"]).lower()]
    context = f"{call.service}$metadata#Microsoft.Dynamics.CRM.CreateCustomerRelationshipsResponse"
    return with_json({"@odata.context": context, "RelationshipIds": made, "AttributeId": column.metadata_id})


def create_entities(env: Environment, call: Call) -> Answer:
    """The action that Microsoft's own client library makes tables with."""
    body = definition_of(call)
    _need_solution(env, call.options.get("SolutionUniqueName"))
    bodies = body.get("Entities") or []
    if not bodies or not all(isinstance(body, dict) for body in bodies):
        raise errors.bad_payload("The required parameter 'Entities' is missing.")
    for body in bodies:
        for attribute in body.get("Attributes") or ():
            read_column(attribute, "")
    made = [env.catalog.add_table(body) for body in bodies]
    context = f"{call.service}$metadata#Microsoft.Dynamics.CRM.CreateEntitiesResponse"
    return with_json({"@odata.context": context, "EntityIds": [table.metadata_id for table in made]})


def _created(call: Call, path: str) -> Answer:
    return no_content({"OData-EntityId": f"{call.service}{path}"})
