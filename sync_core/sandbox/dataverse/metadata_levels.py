"""``Accept: application/json;odata.metadata=none`` and ``full``: less beside the values than usual, or more.

Answers are made with minimal metadata and changed afterwards, so that ordinary calls pay nothing for it. Source: the JSON
format of OData 4.0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.requests import Answer, Call
from sync_core.sandbox.dataverse.schema import Column, Table
from sync_core.sandbox.dataverse.values import EDM, dump

LEVEL = re.compile(r"odata\.metadata\s*=\s*(none|full)")
KEPT = ("@odata.nextLink", "@odata.count", "@odata.deltaLink")
CONTEXT = re.compile(r"\$metadata#(\w+)")
PLAIN = ("String", "Int32", "Boolean", "Double")


def at_level(env: Environment, call: Call, answer: Answer) -> Answer:
    """``answer`` with as much metadata as the Accept header asks for."""
    found = LEVEL.search(call.headers.get("accept", ""))
    if found is None or not answer.content or not answer.headers.get("Content-Type", "").startswith("application/json"):
        return answer
    body = json.loads(answer.content, parse_float=Decimal)
    if "error" in body:
        return answer
    level = found.group(1)
    changed = _bare(body) if level == "none" else _full(env, call, body)
    headers = {**answer.headers, "Content-Type": f"application/json; odata.metadata={level}"}
    return replace(answer, content=dump(changed), headers=headers)


def _bare(value: Any) -> Any:
    if isinstance(value, list):
        return [_bare(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _bare(inner) for name, inner in value.items() if name in KEPT or "@odata." not in name}


def _full(env: Environment, call: Call, body: dict[str, Any]) -> Any:
    context = CONTEXT.search(str(body.get("@odata.context", "")))
    table = next((t for t in env.catalog.tables.values() if context and t.set_name == context.group(1)), None)
    if table is None:
        return body
    if isinstance(body.get("value"), list):
        return {**body, "value": [_row(env, call, table, row) for row in body["value"]]}
    return _row(env, call, table, body)


def _row(env: Environment, call: Call, table: Table, row: Any) -> Any:
    """A row with its type, its links, and the types of values that JSON alone does not tell."""
    if not isinstance(row, dict) or table.primary_id not in row:
        return row
    link = f"{table.set_name}({row[table.primary_id]})"
    head = {"@odata.type": f"#Microsoft.Dynamics.CRM.{table.logical}", "@odata.id": f"{call.service}{link}"}
    made: dict[str, Any] = {**head, "@odata.editLink": link}
    for name, value in row.items():
        column = table.by_property(name)
        if column is not None and value is not None and not isinstance(value, dict | list):
            made |= _typed(name, column)
        made[name] = _inside(env, call, table, name, value)
    for name in _navigation(table):
        made[f"{name}@odata.associationLink"] = f"{call.service}{link}/{name}/$ref"
        made[f"{name}@odata.navigationLink"] = f"{call.service}{link}/{name}"
    return made


def _typed(name: str, column: Column) -> dict[str, str]:
    kind = "Guid" if column.is_lookup else "Date" if column.date_only else EDM[column.type]
    return {} if kind in PLAIN else {f"{name}@odata.type": f"#{kind}"}


def _inside(env: Environment, call: Call, table: Table, name: str, value: Any) -> Any:
    """What an expansion brought, at the same level."""
    single, many = table.by_nav(name), table.one_to_many.get(name)
    if isinstance(value, dict) and single is not None:
        return _row(env, call, env.catalog.table(single[1]), value)
    if isinstance(value, list) and many is not None:
        return [_row(env, call, env.catalog.table(many.referencing), item) for item in value]
    return value


def _navigation(table: Table) -> Iterator[str]:
    for column in table.columns.values():
        yield from column.navs
    yield from table.one_to_many
