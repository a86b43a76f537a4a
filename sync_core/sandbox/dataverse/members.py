"""What hangs below one row: its properties, its relations and references to them."""

from __future__ import annotations

from typing import Any

from sync_core.sandbox.dataverse import errors, writes
from sync_core.sandbox.dataverse.file_columns import serve_file
from sync_core.sandbox.dataverse.many_to_many import by_nav
from sync_core.sandbox.dataverse.paired_rows import serve_paired
from sync_core.sandbox.dataverse.paths import Segment, read_address, read_reference, require
from sync_core.sandbox.dataverse.query import Listing, count_rows, list_rows
from sync_core.sandbox.dataverse.records import Target, describe_row, row_at, transact, written
from sync_core.sandbox.dataverse.render import etag
from sync_core.sandbox.dataverse.requests import Answer, no_content, plain, with_json
from sync_core.sandbox.dataverse.schema import Column, Relationship
from sync_core.sandbox.dataverse.values import write_value
from sync_core.sandbox.kernel import Row


def serve_member(target: Target, rest: list[Segment]) -> Answer:
    """``accounts(..)/name``, ``.../primarycontactid``, ``.../invoice_details`` and ``.../$ref``."""
    name, row = rest[0].name, row_at(target)
    found = target.table.by_nav(name)
    column = target.table.by_property(name)
    paired = by_nav(target.env, target.table, name) if found is None and column is None else None
    if paired is not None:
        return serve_paired(target, row, *paired, rest)
    if len(rest) > 1 and rest[1].name == "$ref":
        return _serve_reference(target, row, rest[0])
    if found is not None and not (column is not None and not column.is_lookup):
        return _get_related(target, row, found[0])
    if name in target.table.one_to_many:
        counted = len(rest) > 1 and rest[1].name == "$count"
        return _list_related(target, row, target.table.one_to_many[name], counted=counted)
    if column is None:
        raise errors.segment_missing(name)
    return _serve_property(target, row, column, raw=len(rest) > 1 and rest[1].name == "$value")


def _serve_property(target: Target, row: Row, column: Column, *, raw: bool) -> Answer:
    call, table = target.call, target.table
    if column.type == "File":
        return serve_file(target, row, column, raw=raw)
    if call.method == "GET":
        value = write_value(column, target.env.reader(table, column)(row))
        if value is None:
            return no_content()
        context = f"{call.service}$metadata#{table.set_name}({row[table.primary_id]})/{column.property_name}"
        return plain(str(value)) if raw else with_json({"@odata.context": context, "value": value})
    if call.method not in ("PUT", "DELETE"):
        raise errors.method_not_allowed(call.method)
    value = call.object().get("value") if call.method == "PUT" else None
    body = {column.logical: value}
    transact(target.env, call.user, lambda s: writes.update(s, table, row[table.primary_id], body))
    return no_content()


def _get_related(target: Target, row: Row, column: Column) -> Answer:
    """The row that a lookup points at; DELETE on it clears the lookup."""
    value = target.env.reader(target.table, column)(row)
    if target.call.method != "GET":
        raise errors.method_not_allowed(target.call.method)
    other_table = target.env.catalog.table(target.env.target_of(column, row))
    other = target.env.row(other_table.logical, value)
    if other is None:
        return no_content()
    return with_json(describe_row(Target(target.env, target.call, other_table), other), headers={"ETag": etag(other)})


def _list_related(target: Target, row: Row, relation: Relationship, *, counted: bool) -> Answer:
    if target.call.method == "POST":
        return _post_below(target, row, relation)
    if target.call.method != "GET":
        raise errors.method_not_allowed(target.call.method)
    child = target.env.catalog.table(relation.referencing)
    own = f"_{relation.column}_value eq {row[target.table.primary_id]}"
    options = target.call.options
    options["$filter"] = f"{own} and ({options['$filter']})" if options.get("$filter") else own
    call = target.call
    listing = Listing(target.env, child, options, call.preferences, call.service, call.query, call.url, call.user)
    return plain(str(count_rows(listing))) if counted else with_json(list_rows(listing))


def _post_below(target: Target, row: Row, relation: Relationship) -> Answer:
    """Create a row in a collection of another one."""
    child = target.env.catalog.table(relation.referencing)
    preset: dict[str, Any] = {relation.column: row[target.table.primary_id]}
    if len(child.columns[relation.column].targets) > 1:
        preset[f"{relation.column}type"] = target.table.logical
    body = target.call.json()
    made = transact(target.env, target.call.user, lambda s: writes.create(s, child, body, preset))
    return written(Target(target.env, target.call, child), made[child.primary_id], created=True)


def _serve_reference(target: Target, row: Row, member: Segment) -> Answer:
    """Associate and disassociate: ``.../primarycontactid/$ref`` and ``.../invoice_details/$ref``."""
    call, table, row_id = target.call, target.table, row[target.table.primary_id]
    if call.method == "GET":
        return _get_references(target, row, member.name)
    single = table.by_nav(member.name)
    if single is not None and call.method in ("PUT", "DELETE"):
        reference = call.object().get("@odata.id") if call.method == "PUT" else None
        body = {f"{member.name}@odata.bind": reference}
        transact(target.env, call.user, lambda s: writes.update(s, table, row_id, body))
        return no_content()
    relation = table.one_to_many.get(member.name)
    if relation is None:
        raise errors.segment_missing(member.name) if single is None else errors.method_not_allowed(call.method)
    if call.method == "POST":
        _, child_id = read_reference(target.env, str(call.object().get("@odata.id", "")))
        value: str | None = f"/{table.set_name}({row_id})"
    elif call.method == "DELETE":
        child_id, value = _disassociated(target, relation, member), None
    else:
        raise errors.method_not_allowed(call.method)
    child, body = target.env.catalog.table(relation.referencing), {f"{relation.nav}@odata.bind": value}
    transact(target.env, call.user, lambda s: writes.update(s, child, child_id, body))
    return no_content()


def _get_references(target: Target, row: Row, name: str) -> Answer:
    """GET of ``$ref``: the addresses of related rows in place of the rows."""
    env, call, table = target.env, target.call, target.table
    single, relation = table.by_nav(name), table.one_to_many.get(name)
    if single is not None:
        other = env.row(single[1], env.reader(table, single[0])(row))
        if other is None:
            return no_content()
        context = f"{call.service}$metadata#$ref"
        return with_json({"@odata.context": context, "@odata.id": _address(target, single[1], other)})
    if relation is None:
        raise errors.segment_missing(name)
    rows = env.store.rows(relation.referencing)
    found = (rows.get(i) for i in rows.children(relation.column, row[table.primary_id]))
    value = [{"@odata.id": _address(target, relation.referencing, other)} for other in found if other is not None]
    return with_json({"@odata.context": f"{call.service}$metadata#Collection($ref)", "value": value})


def _address(target: Target, logical: str, row: Row) -> str:
    table = target.env.catalog.table(logical)
    return f"{target.call.service}{table.set_name}({row[table.primary_id]})"


def _disassociated(target: Target, relation: Relationship, member: Segment) -> str:
    child = target.env.catalog.table(relation.referencing)
    if member.key is not None:
        return require(target.env, child, read_address(target.env, child, member.key))
    return read_reference(target.env, target.call.options.get("$id", ""))[1]
