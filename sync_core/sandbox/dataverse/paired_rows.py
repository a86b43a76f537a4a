"""Requests below a row through a many-to-many relationship: list, count, associate and disassociate."""

from __future__ import annotations

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.many_to_many import ManyToMany, pair, related
from sync_core.sandbox.dataverse.paths import Segment, read_address, read_reference, require
from sync_core.sandbox.dataverse.query import Listing, count_rows, list_rows
from sync_core.sandbox.dataverse.records import Target
from sync_core.sandbox.dataverse.requests import Answer, no_content, plain, with_json
from sync_core.sandbox.dataverse.values import NO_GUID
from sync_core.sandbox.kernel import Row


def serve_paired(target: Target, row: Row, relation: ManyToMany, side: int, rest: list[Segment]) -> Answer:
    """``accounts(..)/tie_account_event``, ``.../$count`` and ``.../$ref``."""
    row_id, below = row[target.table.primary_id], rest[1].name if len(rest) > 1 else ""
    if below == "$ref" and target.call.method != "GET":
        return _refer(target, row_id, relation, side, rest[0])
    if target.call.method != "GET":
        raise errors.method_not_allowed(target.call.method)
    listing = _listing(target, relation, side, row_id)
    if below == "$count":
        return plain(str(count_rows(listing)))
    body = list_rows(listing)
    if below == "$ref":
        table, service = listing.table, target.call.service
        value = [{"@odata.id": f"{service}{table.set_name}({found[table.primary_id]})"} for found in body["value"]]
        body = {"@odata.context": f"{service}$metadata#Collection($ref)", "value": value}
    return with_json(body)


def _listing(target: Target, relation: ManyToMany, side: int, row_id: str) -> Listing:
    """The paired rows as a list of their table: those with one of their ids."""
    call, env = target.call, target.env
    other = env.catalog.table(relation.tables[1 - side])
    ids = related(env, relation, side, row_id) or [NO_GUID]
    among = " or ".join(f"{other.primary_id} eq {found}" for found in ids)
    options = call.options
    options["$filter"] = f"({among}) and ({options['$filter']})" if options.get("$filter") else among
    return Listing(env, other, options, call.preferences, call.service, call.query, call.url, call.user)


def _refer(target: Target, row_id: str, relation: ManyToMany, side: int, member: Segment) -> Answer:
    env, call = target.env, target.call
    other = env.catalog.table(relation.tables[1 - side])
    if call.method == "POST":
        table, other_id = read_reference(env, str(call.object().get("@odata.id", "")))
    elif call.method == "DELETE" and member.key is not None:
        table, other_id = other, require(env, other, read_address(env, other, member.key))
    elif call.method == "DELETE":
        table, other_id = read_reference(env, call.options.get("$id", ""))
    else:
        raise errors.method_not_allowed(call.method)
    if table is not other:
        raise errors.bad_payload(f"The relationship {relation.schema} does not lead to {table.logical}.")
    pair(env, relation, side, row_id, other_id, together=call.method == "POST")
    return no_content()
