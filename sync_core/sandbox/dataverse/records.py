"""Requests on rows: list, read, create, update or upsert, delete, and single properties."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sync_core.sandbox.dataverse import errors, writes
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.invoicing import finish
from sync_core.sandbox.dataverse.paths import Address, Segment, locate, read_address, read_reference, require
from sync_core.sandbox.dataverse.query import Listing, count_rows, list_rows
from sync_core.sandbox.dataverse.render import Shape, etag
from sync_core.sandbox.dataverse.requests import Answer, Call, no_content, plain, with_json
from sync_core.sandbox.dataverse.schema import Column, Relationship, Table
from sync_core.sandbox.dataverse.session import Session, start
from sync_core.sandbox.dataverse.tracking import count_changes, is_tracked, list_changes
from sync_core.sandbox.dataverse.values import write_value
from sync_core.sandbox.kernel import Row

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Target:
    """A table's resource in a call, and the row's address when there is one."""

    env: Environment
    call: Call
    table: Table
    address: Address | None = None


def transact(env: Environment, user: str, work: Callable[[Session], T]) -> T:
    """Run ``work`` in a session and settle invoice totals; a refusal undoes everything."""

    def run() -> T:
        session = start(env, user)
        result = work(session)
        finish(session)
        return result

    return env.store.atomically(run)


def serve_set(env: Environment, call: Call, table: Table, rest: list[Segment]) -> Answer:
    """``accounts`` and ``accounts/$count``."""
    target = Target(env, call, table)
    if rest and rest[0].name == "$count":
        return _count(target)
    if rest:
        raise errors.segment_missing(rest[0].name)
    if call.method == "GET":
        return _list(target)
    if call.method == "POST":
        return _post(target)
    raise errors.method_not_allowed(call.method)


def serve_row(env: Environment, call: Call, table: Table, segments: list[Segment]) -> Answer:
    """``accounts(..)`` and what hangs below it."""
    target = Target(env, call, table, read_address(env, table, segments[0].key or ""))
    if len(segments) > 1:
        return _serve_member(target, segments[1:])
    handler = {"GET": _get, "PATCH": _patch, "DELETE": _delete}.get(call.method)
    if handler is None:
        raise errors.method_not_allowed(call.method)
    return handler(target)


def entity_id(call: Call, table: Table, row: Row) -> dict[str, str]:
    return {"OData-EntityId": f"{call.service}{table.set_name}({row[table.primary_id]})"}


def _listing(target: Target) -> Listing:
    call = target.call
    return Listing(target.env, target.table, call.options, call.preferences, call.service, call.query, call.url)


def _list(target: Target) -> Answer:
    listing = _listing(target)
    applied = _applied(listing)
    if is_tracked(listing.options, preferred=listing.preferences.track_changes):
        return with_json(list_changes(listing), headers=applied)
    return with_json(list_rows(listing), headers=applied)


def _applied(listing: Listing) -> dict[str, str]:
    """The Preference-Applied header."""
    values = listing.preferences.values
    names = []
    if listing.preferences.page_size is not None:
        names.append(f"odata.maxpagesize={values['odata.maxpagesize']}")
    if listing.preferences.track_changes:
        names.append("odata.track-changes")
    if "odata.include-annotations" in values:
        names.append(f'odata.include-annotations="{values["odata.include-annotations"]}"')
    return {"Preference-Applied": ",".join(names)} if names else {}


def _count(target: Target) -> Answer:
    if target.call.method != "GET":
        raise errors.method_not_allowed(target.call.method)
    listing = _listing(target)
    tracked = "$deltatoken" in listing.options
    return plain(str(count_changes(listing) if tracked else count_rows(listing)))


def _post(target: Target) -> Answer:
    body = target.call.json()
    row = transact(target.env, target.call.user, lambda s: writes.create(s, target.table, body))
    return _written(target, row[target.table.primary_id], created=True)


def _written(target: Target, row_id: str, *, created: bool) -> Answer:
    """204 with the row's address, or the row itself when the caller prefers that."""
    row = target.env.row(target.table.logical, row_id)
    if row is None:
        raise errors.row_missing(target.table.logical, row_id)
    if not target.call.preferences.representation:
        return no_content(entity_id(target.call, target.table, row))
    headers = {"Preference-Applied": "return=representation", "ETag": etag(row)}
    return with_json(_entity(target, row), 201 if created else 200, headers)


def _entity(target: Target, row: Row) -> dict[str, Any]:
    shape = Shape(target.env, target.table, target.call.options, target.call.preferences)
    return {"@odata.context": f"{target.call.service}$metadata#{shape.context}/$entity", **shape.write(row)}


def _get(target: Target) -> Answer:
    row = _row(target)
    known = target.call.headers.get("if-none-match", "null")
    plain_read = "$expand" not in target.call.options and "odata.include-annotations" not in target.call.preferences.values
    if known == etag(row) and plain_read:
        return Answer(304, b"", {"OData-Version": "4.0", "ETag": etag(row)})
    return with_json(_entity(target, row), headers={"ETag": etag(row)})


def _row(target: Target) -> Row:
    assert target.address is not None  # noqa: S101 - serve_row alone makes these targets
    row_id = require(target.env, target.table, target.address)
    row = target.env.row(target.table.logical, row_id)
    if row is None:
        raise errors.row_missing(target.table.logical, row_id)
    return row


def _check_version(target: Target, row: Row) -> None:
    wanted = target.call.headers.get("if-match", "*")
    if wanted not in ("*", "null") and wanted != etag(row):
        raise errors.version_mismatch()


def _patch(target: Target) -> Answer:
    assert target.address is not None  # noqa: S101 - serve_row alone makes these targets
    headers = target.call.headers
    found = locate(target.env, target.table, target.address)
    if found is None:
        if headers.get("if-match", "null") != "null":
            require(target.env, target.table, target.address)
        return _create_at(target, target.address)
    if headers.get("if-none-match") == "*":
        raise errors.record_exists()
    _check_version(target, _row(target))
    body = _without_key(target, target.call.json())
    transact(target.env, target.call.user, lambda s: writes.update(s, target.table, found, body))
    return _written(target, found, created=False)


def _without_key(target: Target, body: Any) -> Any:
    """A key repeated in the body of an update is ignored."""
    if target.address is None or target.address.key is None or not isinstance(body, dict):
        return body
    return {name: value for name, value in body.items() if name not in target.address.key.columns}


def _create_at(target: Target, address: Address) -> Answer:
    """The create half of an upsert: the address gives the id or the key's values."""
    preset = {target.table.primary_id: address.row_id} if address.row_id else dict(address.values or {})
    body = target.call.json()
    row = transact(target.env, target.call.user, lambda s: writes.create(s, target.table, body, preset))
    return _written(target, row[target.table.primary_id], created=True)


def _delete(target: Target) -> Answer:
    row = _row(target)
    _check_version(target, row)
    transact(target.env, target.call.user, lambda s: writes.delete(s, target.table, row[target.table.primary_id]))
    return no_content()


def _serve_member(target: Target, rest: list[Segment]) -> Answer:
    """A property or a relation of one row."""
    name, row = rest[0].name, _row(target)
    found = target.table.by_nav(name)
    column = target.table.by_property(name)
    if len(rest) > 1 and rest[1].name == "$ref":
        return _serve_reference(target, row, rest[0])
    if found is not None and not (column is not None and not column.is_lookup):
        return _get_related(target, row, found[0])
    if name in target.table.one_to_many:
        return _list_related(target, row, target.table.one_to_many[name])
    if column is None:
        raise errors.segment_missing(name)
    return _serve_property(target, row, column, raw=len(rest) > 1 and rest[1].name == "$value")


def _serve_property(target: Target, row: Row, column: Column, *, raw: bool) -> Answer:
    call, table = target.call, target.table
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
    return with_json(_entity(Target(target.env, target.call, other_table), other), headers={"ETag": etag(other)})


def _list_related(target: Target, row: Row, relation: Relationship) -> Answer:
    if target.call.method == "POST":
        return _post_below(target, row, relation)
    if target.call.method != "GET":
        raise errors.method_not_allowed(target.call.method)
    child = target.env.catalog.table(relation.referencing)
    own = f"_{relation.column}_value eq {row[target.table.primary_id]}"
    options = target.call.options
    options["$filter"] = f"{own} and ({options['$filter']})" if options.get("$filter") else own
    call = target.call
    return with_json(list_rows(Listing(target.env, child, options, call.preferences, call.service, call.query, call.url)))


def _post_below(target: Target, row: Row, relation: Relationship) -> Answer:
    """Create a row in a collection of another one."""
    child = target.env.catalog.table(relation.referencing)
    preset: dict[str, Any] = {relation.column: row[target.table.primary_id]}
    if len(child.columns[relation.column].targets) > 1:
        preset[f"{relation.column}type"] = target.table.logical
    body = target.call.json()
    made = transact(target.env, target.call.user, lambda s: writes.create(s, child, body, preset))
    return _written(Target(target.env, target.call, child), made[child.primary_id], created=True)


def _serve_reference(target: Target, row: Row, member: Segment) -> Answer:
    """Associate and disassociate: ``.../primarycontactid/$ref`` and ``.../invoice_details/$ref``."""
    call, table, row_id = target.call, target.table, row[target.table.primary_id]
    single = table.by_nav(member.name)
    if single is not None and call.method in ("PUT", "DELETE"):
        reference = call.object().get("@odata.id") if call.method == "PUT" else None
        body = {f"{member.name}@odata.bind": reference}
        transact(target.env, call.user, lambda s: writes.update(s, table, row_id, body))
        return no_content()
    relation = table.one_to_many.get(member.name)
    if relation is None:
        raise errors.segment_missing(member.name)
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


def _disassociated(target: Target, relation: Relationship, member: Segment) -> str:
    child = target.env.catalog.table(relation.referencing)
    if member.key is not None:
        return require(target.env, child, read_address(target.env, child, member.key))
    return read_reference(target.env, target.call.options.get("$id", ""))[1]
