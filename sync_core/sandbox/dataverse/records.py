"""Requests on rows: list, read, create, update or upsert, and delete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sync_core.sandbox.dataverse import errors, writes
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.invoicing import finish
from sync_core.sandbox.dataverse.lists import answer_list
from sync_core.sandbox.dataverse.paths import Address, Segment, locate, require
from sync_core.sandbox.dataverse.query import Listing, count_rows
from sync_core.sandbox.dataverse.render import Shape, Wanted, etag
from sync_core.sandbox.dataverse.requests import Answer, Call, no_content, plain, with_json
from sync_core.sandbox.dataverse.schema import Table
from sync_core.sandbox.dataverse.session import Session, start
from sync_core.sandbox.dataverse.tracking import count_changes
from sync_core.sandbox.kernel import Row

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Target:
    """A table's resource in a call, and the row's address when there is one."""

    env: Environment
    call: Call
    table: Table
    address: Address | None = None

    @property
    def place(self) -> Address:
        """The row's address; asking for it on a call without one is a mistake in this program."""
        if self.address is None:
            raise LookupError(f"{self.call.raw_path} names no row")
        return self.address


def transact(env: Environment, user: str, work: Callable[[Session], T], *, upsert: bool = False) -> T:
    """Run ``work`` in a session and settle invoice totals; a refusal undoes everything."""

    def run() -> T:
        session = start(env, user, upsert=upsert)
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


def serve_row(target: Target) -> Answer:
    """``accounts(..)``."""
    call = target.call
    handler = {"GET": _get, "PATCH": _patch, "DELETE": _delete}.get(call.method)
    if handler is None:
        raise errors.method_not_allowed(call.method)
    return handler(target)


def entity_id(call: Call, table: Table, row: Row) -> dict[str, str]:
    return {"OData-EntityId": f"{call.service}{table.set_name}({row[table.primary_id]})"}


def _listing(target: Target) -> Listing:
    call = target.call
    return Listing(target.env, target.table, call.options, call.preferences, call.service, call.query, call.url, call.user)


def _list(target: Target) -> Answer:
    listing = _listing(target)
    return with_json(answer_list(listing), headers=_applied(listing))


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
    return written(target, row[target.table.primary_id], created=True)


def written(target: Target, row_id: str, *, created: bool) -> Answer:
    """204 with the row's address, or the row itself when the caller prefers that."""
    row = target.env.row(target.table.logical, row_id)
    if row is None:
        raise errors.row_missing(target.table.logical, row_id)
    if not target.call.preferences.representation:
        return no_content(entity_id(target.call, target.table, row))
    headers = {"Preference-Applied": "return=representation", "ETag": etag(row)}
    return with_json(describe_row(target, row), 201 if created else 200, headers)


def describe_row(target: Target, row: Row) -> dict[str, Any]:
    """The JSON object of one row, with its context."""
    shape = Shape(
        Wanted(target.env, target.call.preferences, target.call.service, target.call.user), target.table, target.call.options
    )
    return {"@odata.context": f"{target.call.service}$metadata#{shape.context}/$entity", **shape.write(row)}


def _get(target: Target) -> Answer:
    row = row_at(target)
    known = target.call.headers.get("if-none-match", "null")
    plain_read = "$expand" not in target.call.options and "odata.include-annotations" not in target.call.preferences.values
    if known == etag(row) and plain_read:
        return Answer(304, b"", {"OData-Version": "4.0", "ETag": etag(row)})
    return with_json(describe_row(target, row), headers={"ETag": etag(row)})


def row_at(target: Target) -> Row:
    """The row that the call addresses; a missing one is an error 404."""
    row_id = require(target.env, target.table, target.place)
    row = target.env.row(target.table.logical, row_id)
    if row is None:
        raise errors.row_missing(target.table.logical, row_id)
    return row


def _check_version(target: Target, row: Row) -> None:
    wanted = target.call.headers.get("if-match", "*")
    if wanted not in ("*", "null") and wanted != etag(row):
        raise errors.version_mismatch()


def _patch(target: Target) -> Answer:
    headers = target.call.headers
    found = locate(target.env, target.table, target.place)
    if found is None:
        if headers.get("if-match", "null") != "null":
            require(target.env, target.table, target.place)
        return _create_at(target, target.place)
    if headers.get("if-none-match") == "*":
        raise errors.record_exists()
    _check_version(target, row_at(target))
    body = _without_key(target, target.call.json())
    transact(target.env, target.call.user, lambda s: writes.update(s, target.table, found, body), upsert=True)
    return written(target, found, created=False)


def _without_key(target: Target, body: Any) -> Any:
    """A key repeated in the body of an update is ignored."""
    key = target.place.key
    if key is None or not isinstance(body, dict):
        return body
    return {name: value for name, value in body.items() if name not in key.columns}


def _create_at(target: Target, address: Address) -> Answer:
    """The create half of an upsert: the address gives the id or the key's values."""
    preset = {target.table.primary_id: address.row_id} if address.row_id else dict(address.values or {})
    body = target.call.json()
    row = transact(target.env, target.call.user, lambda s: writes.create(s, target.table, body, preset), upsert=True)
    return written(target, row[target.table.primary_id], created=True)


def _delete(target: Target) -> Answer:
    row = row_at(target)
    _check_version(target, row)
    transact(target.env, target.call.user, lambda s: writes.delete(s, target.table, row[target.table.primary_id]))
    return no_content()
