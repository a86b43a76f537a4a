"""The action BulkDelete: deletes what its queries find. The real job runs by and by; here it is done with its answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sync_core.sandbox.dataverse import errors, writes
from sync_core.sandbox.dataverse.comparing import Caller
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.fetch.joining import Scope
from sync_core.sandbox.dataverse.fetch.model import Condition, Entity, Junction
from sync_core.sandbox.dataverse.records import transact
from sync_core.sandbox.dataverse.requests import Answer, Call, with_json
from sync_core.sandbox.dataverse.session import Session

OPERATORS = {
    "Equal": "eq",
    "NotEqual": "ne",
    "GreaterThan": "gt",
    "GreaterEqual": "ge",
    "LessThan": "lt",
    "LessEqual": "le",
    "DoesNotBeginWith": "not-begin-with",
    "DoesNotEndWith": "not-end-with",
}
"""Operators of query expressions that are not called as in FetchXML."""


def bulk_delete(env: Environment, call: Call) -> Answer:
    """Delete the rows of every query in ``QuerySet``, or none of them."""
    queries = call.object().get("QuerySet")
    if not isinstance(queries, list) or not queries or not all(isinstance(query, dict) for query in queries):
        raise errors.bad_payload("The required parameter 'QuerySet' is missing.")

    def work(session: Session) -> None:
        for query in queries:
            _delete(session, query)

    transact(env, call.user, work)
    context = f"{call.service}$metadata#Microsoft.Dynamics.CRM.BulkDeleteResponse"
    return with_json({"@odata.context": context, "JobId": env.kernel.new_id()})


def _delete(session: Session, query: Mapping[str, Any]) -> None:
    env = session.env
    table = env.catalog.table(str(query.get("EntityName")))
    entity = Entity(table.logical, filters=(_junction(query.get("Criteria") or {}),))
    scope = Scope(env, entity, Caller(session.user, None, session.now))
    for row_id in [row[table.primary_id] for (row,) in scope.rows() if row is not None]:
        writes.delete(session, table, row_id)


def _junction(criteria: Any) -> Junction:
    lists = [criteria.get(name) or [] for name in ("Conditions", "Filters")] if isinstance(criteria, dict) else [None]
    if not all(isinstance(found, list) for found in lists):
        raise errors.bad_payload("The Criteria of a query must be an object with lists of Conditions and Filters.")
    conditions = [_condition(found) for found in criteria.get("Conditions") or ()]
    inner = [_junction(found) for found in criteria.get("Filters") or ()]
    return Junction(criteria.get("FilterOperator") == "Or", (*conditions, *inner))


def _condition(found: Any) -> Condition:
    if not isinstance(found, dict) or not isinstance(found.get("Values") or [], list):
        raise errors.bad_payload("A condition of a query must be an object with a list of Values.")
    values = [value.get("Value") if isinstance(value, dict) else value for value in found.get("Values") or ()]
    name = str(found.get("Operator"))
    spoken = OPERATORS.get(name) or re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
    return Condition(str(found.get("AttributeName")), spoken, tuple(str(value) for value in values))
