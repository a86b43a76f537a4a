"""Saved queries: one public view of each table, as every environment has it, and no view of any user's own."""

from __future__ import annotations

from typing import Any

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.fetch.model import Attribute, Condition, Entity, Junction, Order, Query
from sync_core.sandbox.dataverse.filters import parse_filter
from sync_core.sandbox.dataverse.metadata import Objects
from sync_core.sandbox.dataverse.options import names_of
from sync_core.sandbox.dataverse.paths import Segment
from sync_core.sandbox.dataverse.requests import Answer, Call, with_json
from sync_core.sandbox.dataverse.schema import Table

SETS = {"savedqueries": "savedquery", "userqueries": "userquery"}


def view_id(env: Environment, table: Table) -> str:
    """The id of a table's public view."""
    return env.kernel.stable_id("dataverse", "savedquery", table.logical)


def view_query(env: Environment, table: Table, saved: str) -> Query:
    """The query of the view with the id ``saved``: active rows by name.

    Raises:
        DataverseError: no view of this table has that id.
    """
    wanted = saved.strip().strip("{}'").lower()
    if wanted != view_id(env, table):
        raise errors.row_missing("savedquery", wanted)
    active = (Junction(parts=(Condition("statecode", "eq", ("0",)),)),) if "statecode" in table.columns else ()
    names = [table.primary_name, *(name for name in ("emailaddress1", "createdon") if name in table.columns)]
    attributes = tuple(Attribute(name) for name in names)
    return Query(Entity(table.logical, attributes=attributes, filters=active, orders=(Order(table.primary_name),)))


def read_views(env: Environment, call: Call, head: Segment) -> Answer:
    """``savedqueries`` and ``userqueries``, as lists and one by one; they are read only here."""
    if call.method != "GET":
        raise errors.method_not_allowed(call.method)
    rows = [_view(env, table) for table in env.catalog.tables.values()] if head.name == "savedqueries" else []
    options = call.options
    if head.key is not None:
        wanted = head.key.strip("'").lower()
        found = next((row for row in rows if row["savedqueryid"] == wanted), None)
        if found is None:
            raise errors.row_missing(SETS[head.name], wanted)
        return with_json({"@odata.context": f"{call.service}$metadata#{head.name}/$entity", **_selected(found, options)})
    if options.get("$filter"):
        test = parse_filter(options["$filter"], Objects(env.kernel.clock.now())).test
        rows = [row for row in rows if test(row)]
    value = [_selected(row, options) for row in rows]
    return with_json({"@odata.context": f"{call.service}$metadata#{head.name}", "value": value})


def _selected(row: dict[str, Any], options: dict[str, str]) -> dict[str, Any]:
    names = names_of(options.get("$select"))
    return row if names is None else {k: v for k, v in row.items() if k in (*names, "savedqueryid")}


def _view(env: Environment, table: Table) -> dict[str, Any]:
    name, conditions = table.primary_name, ""
    if "statecode" in table.columns:
        conditions = '<filter type="and"><condition attribute="statecode" operator="eq" value="0" /></filter>'
    fetch = (
        f'<fetch version="1.0" mapping="logical"><entity name="{table.logical}"><attribute name="{name}" />'
        f'<order attribute="{name}" descending="false" />{conditions}</entity></fetch>'
    )
    return {
        "savedqueryid": view_id(env, table),
        "name": f"Active {table.plural_label}",
        "returnedtypecode": table.logical,
        "querytype": 0,
        "isdefault": True,
        "statecode": 0,
        "statuscode": 1,
        "fetchxml": fetch,
    }
