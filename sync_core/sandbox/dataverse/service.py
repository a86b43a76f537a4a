"""Which part of the service answers a call."""

from __future__ import annotations

from typing import Any

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.bulk_delete import bulk_delete
from sync_core.sandbox.dataverse.customizing import (
    create_customer_relationships,
    create_entities,
    reactivate_key,
    serve_definitions,
    serve_relationships,
)
from sync_core.sandbox.dataverse.edmx import write_edmx
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.functions import FUNCTIONS
from sync_core.sandbox.dataverse.members import serve_member
from sync_core.sandbox.dataverse.message_filters import read_message_filters
from sync_core.sandbox.dataverse.messages import ACTIONS, BOUND, NAMESPACE, Message
from sync_core.sandbox.dataverse.metadata_levels import at_level
from sync_core.sandbox.dataverse.paths import Segment, check_key, read_address, read_path, require
from sync_core.sandbox.dataverse.records import Target, serve_row, serve_set
from sync_core.sandbox.dataverse.requests import Answer, Call, with_json
from sync_core.sandbox.dataverse.views import SETS as VIEW_SETS
from sync_core.sandbox.dataverse.views import read_views

ACTION_CALLS: dict[str, Message] = {
    **ACTIONS,
    "CreateCustomerRelationships": create_customer_relationships,
    "BulkDelete": bulk_delete,
    "CreateEntities": create_entities,
    "ReactivateEntityKey": reactivate_key,
}


def answer(env: Environment, call: Call) -> Answer:
    """Answer a call.

    Raises:
        DataverseError: the call is refused; nothing has changed.
    """
    made = _answer(env, call)
    return at_level(env, call, made) if "odata.metadata" in call.headers.get("accept", "") else made


def _answer(env: Environment, call: Call) -> Answer:
    segments = read_path(call.path)
    if not segments:
        return with_json(_service_document(env, call))
    head = segments[0]
    if head.name == "$metadata":
        return Answer(200, write_edmx(env.catalog).encode(), {"Content-Type": "application/xml", "OData-Version": "4.0"})
    if head.name == "EntityDefinitions":
        return serve_definitions(env, call, segments)
    if call.method == "GET" and head.name == "GlobalOptionSetDefinitions" and len(segments) == 1 and head.key is None:
        return with_json({"@odata.context": f"{call.service}$metadata#GlobalOptionSetDefinitions", "value": []})
    if head.name == "sdkmessagefilters" and len(segments) == 1 and head.key is None:
        return read_message_filters(env, call)
    if head.name in VIEW_SETS and len(segments) == 1:
        return read_views(env, call, head)
    if head.name == "RelationshipDefinitions":
        return serve_relationships(env, call, segments)
    if len(segments) == 1 and (head.name in FUNCTIONS or head.name in ACTION_CALLS):
        return _message(env, call, head.name.removeprefix(NAMESPACE))
    return _serve_table(env, call, segments)


def _message(env: Environment, call: Call, name: str) -> Answer:
    wanted, found = ("GET", FUNCTIONS) if name in FUNCTIONS else ("POST", ACTION_CALLS)
    if call.method != wanted:
        raise errors.method_not_allowed(call.method)
    return found[name](env, call)


def _serve_table(env: Environment, call: Call, segments: list[Segment]) -> Answer:
    head, *rest = segments
    table = env.catalog.by_set(head.name)
    if rest and rest[0].name.startswith(NAMESPACE):
        bound = BOUND.get(rest[0].name.removeprefix(NAMESPACE))
        if bound is None:
            raise errors.segment_missing(rest[0].name)
        if call.method != "POST":
            raise errors.method_not_allowed(call.method)
        row = None if head.key is None else require(env, table, read_address(env, table, head.key))
        return bound(env, call, table, row)
    if head.key is None:
        return serve_set(env, call, table, rest)
    check_key(head.key)
    target = Target(env, call, table, read_address(env, table, head.key))
    return serve_member(target, rest) if rest else serve_row(target)


def _service_document(env: Environment, call: Call) -> dict[str, Any]:
    sets = sorted(table.set_name for table in env.catalog.tables.values())
    value = [{"name": name, "kind": "EntitySet", "url": name} for name in sets]
    return {"@odata.context": f"{call.service}$metadata", "value": value}
