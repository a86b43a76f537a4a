"""Actions: bulk messages, pricing, merge and publishing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sync_core.sandbox.dataverse import errors, invoicing, writes
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.paths import SERVICE, locate, read_address, read_path
from sync_core.sandbox.dataverse.records import transact
from sync_core.sandbox.dataverse.requests import Answer, Call, no_content, with_json
from sync_core.sandbox.dataverse.schema import Table
from sync_core.sandbox.dataverse.session import Session

Message = Callable[[Environment, Call], Answer]
BoundMessage = Callable[[Environment, Call, Table, str | None], Answer]
NAMESPACE = "Microsoft.Dynamics.CRM."
MERGED_TABLES = ("account", "contact")
INACTIVE, INACTIVE_REASON = 1, 2


def recalculate_price(env: Environment, call: Call) -> Answer:
    """RecalculatePrice: an open invoice is computed anew."""
    body = _lowered(call.object())
    if body.get("entitylogicalname") != "invoice":
        raise errors.bad_payload("RecalculatePrice takes the entityLogicalName 'invoice' here.")
    invoice_id = str(body.get("entityid"))
    transact(env, call.user, lambda session: invoicing.recalculate(session, invoice_id))
    return no_content()


def _lowered(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in body.items()}


def delete_line_without_pricing(env: Environment, call: Call) -> Answer:
    """DeleteOQOILineWithSkipPricingCalculation: the line goes, the invoice's totals stay as they are."""
    body = _lowered(call.object())
    table = env.catalog.table(str(body.get("entityname")))

    def work(session: Session) -> None:
        writes.delete(session, table, str(body.get("entityid")))
        session.touched.clear()

    transact(env, call.user, work)
    return no_content()


def publish(_env: Environment, _call: Call) -> Answer:
    """PublishXml and PublishAllXml: customisations show at once here."""
    return no_content()


def merge(env: Environment, call: Call) -> Answer:
    """Merge two accounts or contacts; the body names Target, Subordinate and UpdateContent."""
    body = call.object()
    survivor, loser = body.get("Target") or {}, body.get("Subordinate") or {}
    table = env.catalog.table(_type_of(survivor))
    ids = [str(row.get(table.primary_id)) for row in (survivor, loser)]
    content = {k: v for k, v in (body.get("UpdateContent") or {}).items() if k != table.primary_id}
    transact(env, call.user, lambda session: merge_rows(session, table, ids[0], ids[1], content))
    return no_content()


def merge_rows(session: Session, table: Table, survivor: str, loser: str, content: Mapping[str, Any]) -> None:
    """Deactivate ``loser`` in favour of ``survivor`` and hang its children there.

    Raises:
        DataverseError: not an account or contact, one of the rows is missing, or both are the same.
    """
    if table.logical not in MERGED_TABLES or survivor == loser:
        raise errors.rule_broken("Merge is not supported for these records.")
    for row_id in (survivor, loser):
        if session.env.row(table.logical, row_id) is None:
            raise errors.row_missing(table.logical, row_id)
    if content:
        writes.update(session, table, survivor, content)
    _move_children(session, table, survivor, loser)
    marks = {"statecode": INACTIVE, "statuscode": INACTIVE_REASON, "merged": True, "masterid": survivor}
    writes.change(session, table, loser, marks)


def _move_children(session: Session, table: Table, survivor: str, loser: str) -> None:
    """Re-point rows below; closed invoices follow as well, as the platform itself moves them."""
    env = session.env
    for relation in table.one_to_many.values():
        if relation.column == "masterid":
            continue
        rows = env.store.rows(relation.referencing)
        lookup = env.catalog.table(relation.referencing).columns[relation.column]
        for row_id in rows.children(relation.column, loser):
            row = rows.get(row_id) or {}
            if env.target_of(lookup, row) == table.logical:
                moved = {**row, relation.column: survivor, "modifiedon": session.now, "modifiedby": session.user}
                env.store.put(relation.referencing, moved)


def _type_of(body: Mapping[str, Any]) -> str:
    name = str(body.get("@odata.type", "")) if isinstance(body, Mapping) else ""
    if not name.lstrip("#").startswith(NAMESPACE):
        raise errors.bad_payload("A type annotation '@odata.type' is required for each entity in the payload.")
    return name.lstrip("#").removeprefix(NAMESPACE)


def _targets(call: Call, table: Table) -> list[dict[str, Any]]:
    found = call.object().get("Targets")
    if not isinstance(found, list) or not found:
        raise errors.bad_payload("The required parameter 'Targets' is missing.")
    for body in found:
        if _type_of(body) != table.logical:
            raise errors.bad_payload("All entities in the Targets parameter must be of the same type.")
    return found


def create_multiple(env: Environment, call: Call, table: Table, _row: str | None) -> Answer:
    """CreateMultiple: every target is created, or none."""
    targets = _targets(call, table)
    made = transact(env, call.user, lambda session: [writes.create(session, table, body) for body in targets])
    context = f"{call.service}$metadata#Microsoft.Dynamics.CRM.CreateMultipleResponse"
    return with_json({"@odata.context": context, "Ids": [row[table.primary_id] for row in made]})


def update_multiple(env: Environment, call: Call, table: Table, _row: str | None) -> Answer:
    """UpdateMultiple: every target is changed, or none."""
    targets = _targets(call, table)

    def work(session: Session) -> None:
        for body in targets:
            writes.update(session, table, _id_of(env, table, body), body)

    transact(env, call.user, work)
    return no_content()


def _id_of(env: Environment, table: Table, body: Mapping[str, Any]) -> str:
    if table.primary_id in body:
        return str(body[table.primary_id]).lower()
    found = _located(env, table, body)
    if found is None:
        raise errors.bad_payload("Each target of UpdateMultiple needs its primary key or an alternate key.")
    return found


def _located(env: Environment, table: Table, body: Mapping[str, Any]) -> str | None:
    address = _address(env, table, body)
    return None if address is None else locate(env, table, address)


def _address(env: Environment, table: Table, body: Mapping[str, Any]) -> Any:
    reference = body.get("@odata.id")
    if reference is None:
        row_id = body.get(table.primary_id)
        return None if row_id is None else read_address(env, table, str(row_id))
    segments = read_path(SERVICE.sub("", str(reference)))
    if not segments or segments[0].key is None or segments[0].name != table.set_name:
        raise errors.bad_payload(f"Resource not found for the segment '{reference}'.")
    return read_address(env, table, segments[0].key)


def upsert_multiple(env: Environment, call: Call, table: Table, _row: str | None) -> Answer:
    """UpsertMultiple: every target is created or changed, or none."""
    targets = _targets(call, table)

    def work(session: Session) -> None:
        for body in targets:
            _upsert(session, table, body)

    transact(env, call.user, work, upsert=True)
    return no_content()


def _upsert(session: Session, table: Table, body: dict[str, Any]) -> None:
    env = session.env
    address = _address(env, table, body)
    found = None if address is None else locate(env, table, address)
    if found is not None:
        keys = address.key.columns if address.key else ()
        writes.update(session, table, found, {n: v for n, v in body.items() if n not in keys})
    elif address is None:
        writes.create(session, table, body)
    else:
        preset = {table.primary_id: address.row_id} if address.row_id else dict(address.values or {})
        writes.create(session, table, body, preset)


def publish_product(env: Environment, call: Call, table: Table, row_id: str | None) -> Answer:
    """PublishProductHierarchy: a draft product becomes active."""
    if row_id is None:
        raise errors.bad_payload("PublishProductHierarchy is bound to a product.")
    transact(env, call.user, lambda s: writes.change(s, table, row_id, {"statecode": 0, "statuscode": 1}))
    return no_content()


ACTIONS: dict[str, Message] = {
    "RecalculatePrice": recalculate_price,
    "DeleteOQOILineWithSkipPricingCalculation": delete_line_without_pricing,
    "Merge": merge,
    "PublishXml": publish,
    "PublishAllXml": publish,
}
BULK: dict[str, BoundMessage] = {
    "CreateMultiple": create_multiple,
    "UpdateMultiple": update_multiple,
    "UpsertMultiple": upsert_multiple,
}
BOUND: dict[str, BoundMessage] = {**BULK, "PublishProductHierarchy": publish_product}
