"""Create, update and delete of single rows, with everything that the platform does around them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.payloads import Draft, read_body
from sync_core.sandbox.dataverse.rules import check_state, rules_of
from sync_core.sandbox.dataverse.schema import Table
from sync_core.sandbox.dataverse.session import Session
from sync_core.sandbox.dataverse.values import rounded
from sync_core.sandbox.kernel import Row

BILLING = {"invoice", "invoicedetail", "salesorder"}


def create(session: Session, table: Table, body: Any, preset: dict[str, Any] | None = None) -> Row:
    """Create a row and the rows nested in its body; ``preset`` are values that a keyed address brings.

    Raises:
        DataverseError: the body is not valid, a key is taken, or a business rule says no.
    """
    draft = read_body(session.env, table, body, creating=True)
    draft.values = {**(preset or {}), **draft.values}
    for column, target, parent in draft.parents:
        made = create(session, session.env.catalog.table(target), parent)
        draft.point(column, target, made[session.env.catalog.table(target).primary_id])
    row = _insert(session, table, draft)
    for relation, bodies in draft.children:
        child = session.env.catalog.table(relation.referencing)
        for nested in bodies:
            lookup = child.columns[relation.column]
            link = {relation.column: row[table.primary_id]}
            create(session, child, nested, link | _target_type(lookup.targets, relation.column, table.logical))
    return row


def _target_type(targets: tuple[str, ...], column: str, target: str) -> dict[str, Any]:
    return {f"{column}type": target} if len(targets) > 1 else {}


def _insert(session: Session, table: Table, draft: Draft) -> Row:
    env = session.env
    rows = env.store.rows(table.logical)
    row_id = draft.values.get(table.primary_id) or env.kernel.new_id()
    if rows.get(row_id) is not None:
        raise errors.duplicate_id()
    row = {table.primary_id: row_id, **draft.values}
    sent = set(draft.values) - {table.primary_id}
    _fill_defaults(session, table, row)
    _check_required(table, row, set(table.columns))
    check_state(table, row, None, sent)
    _settle_money(session, table, row, None, sent)
    rules = rules_of(table.logical)
    rules.before(session, row, None, sent)
    rows.check_keys(row_id, row)
    env.store.put(table.logical, row)
    rules.after(session, row, None, sent)
    return row


def _fill_defaults(session: Session, table: Table, row: Row) -> None:
    row["createdon"] = row.pop("overriddencreatedon", None) or session.now
    row["modifiedon"] = session.now
    row["createdby"] = row["modifiedby"] = session.user
    if "ownerid" in table.columns and row.get("ownerid") is None:
        row["ownerid"] = session.user
    for name, column in table.columns.items():
        if column.default is not None and name not in row and column.base_of is None:
            row[name] = column.default


def update(session: Session, table: Table, row_id: str, body: Any) -> Row:
    """Change a row. Sending the values it has already still makes a new version.

    Raises:
        DataverseError: the row does not exist, the body is not valid, or a business rule says no.
    """
    draft = read_body(session.env, table, body, creating=False)
    draft.values.pop(table.primary_id, None)
    return change(session, table, row_id, draft.values)


def change(session: Session, table: Table, row_id: str, values: dict[str, Any]) -> Row:
    """Change a row by values that are already in the form that rows hold."""
    env = session.env
    rows = env.store.rows(table.logical)
    old = rows.get(row_id)
    if old is None:
        raise errors.row_missing(table.logical, row_id)
    row = {**old, **values, "modifiedon": session.now, "modifiedby": session.user}
    sent = set(values)
    _check_required(table, row, sent)
    check_state(table, row, old, sent)
    _settle_money(session, table, row, old, sent)
    rules = rules_of(table.logical)
    rules.before(session, row, old, sent)
    rows.check_keys(row_id, row)
    env.store.put(table.logical, row)
    rules.after(session, row, old, sent)
    return row


def delete(session: Session, table: Table, row_id: str) -> None:
    """Delete a row; its relationships say whether rows below go with it, lose their link, or forbid it."""
    env = session.env
    row = env.row(table.logical, row_id)
    if row is None:
        raise errors.row_missing(table.logical, row_id)
    rules = rules_of(table.logical)
    rules.before_delete(session, row)
    below = [
        (relation, _pointing(session, table, relation.referencing, relation.column, row_id))
        for relation in table.one_to_many.values()
    ]
    if any(ids and relation.on_delete == "Restrict" for relation, ids in below):
        message = "The object you tried to delete is associated with another object and cannot be deleted."
        raise errors.DataverseError(405, errors.ASSOCIATED, message)
    env.store.remove(table.logical, row_id)
    for relation, ids in below:
        child = env.catalog.table(relation.referencing)
        for child_id in ids:
            _detach(session, child, child_id, relation.column, cascade=relation.on_delete == "Cascade")
    rules.after_delete(session, row)


def _pointing(session: Session, table: Table, referencing: str, column: str, row_id: str) -> list[str]:
    """Rows whose lookup holds this row, and means this table."""
    env = session.env
    child = env.catalog.table(referencing)
    lookup, rows = child.columns[column], env.store.rows(referencing)
    ids = rows.children(column, row_id)
    return [i for i in ids if env.target_of(lookup, rows.get(i) or {}) == table.logical]


def _detach(session: Session, table: Table, row_id: str, column: str, *, cascade: bool) -> None:
    if cascade:
        delete(session, table, row_id)
        return
    row = session.env.row(table.logical, row_id)
    if row is not None:
        changed = {**row, column: None, "modifiedon": session.now, "modifiedby": session.user}
        session.env.store.put(table.logical, changed)


def _check_required(table: Table, row: Row, names: set[str]) -> None:
    for name in names:
        column = table.columns.get(name)
        if column is None or column.required != "SystemRequired" or not (column.creatable or column.updatable):
            continue
        if row.get(name) is None and column.type not in ("State", "Status", "Owner"):
            raise errors.value_missing(name)


def _settle_money(session: Session, table: Table, row: Row, old: Row | None, sent: set[str]) -> None:
    """Round money to its precision and keep the currency's rate, as the platform does when money or currency is set."""
    money = [c for c in table.columns.values() if c.type == "Money" and c.base_of is None]
    if "exchangerate" not in table.columns or table.logical == "transactioncurrency":
        return
    env = session.env
    if table.logical == "invoicedetail":
        invoice = env.row("invoice", row.get("invoiceid")) or {}
        row["transactioncurrencyid"] = invoice.get("transactioncurrencyid")
    changed = [c for c in money if c.logical in sent and isinstance(row.get(c.logical), Decimal)]
    if row.get("transactioncurrencyid") is None and (changed or table.logical in BILLING):
        row["transactioncurrencyid"] = env.base_currency
    for column in changed:
        row[column.logical] = rounded(row[column.logical], env.money_digits(column, row))
    if old is None or changed or "transactioncurrencyid" in sent:
        row["exchangerate"] = env.rate(row)
    if "transactioncurrencyid" in sent:
        _refuse_inactive_currency(session, row)


def _refuse_inactive_currency(session: Session, row: Row) -> None:
    currency = session.env.row("transactioncurrency", row.get("transactioncurrencyid")) or {}
    if currency.get("statecode"):
        raise errors.rule_broken(f"The currency {currency.get('isocurrencycode')} is inactive.")
