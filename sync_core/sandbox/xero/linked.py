"""Linked transactions: a line of a bill that a customer is to pay again (a billable expense), and the invoice it went to."""

from __future__ import annotations

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero.context import Context
from sync_core.sandbox.xero.errors import RuleError, require
from sync_core.sandbox.xero.store import Store
from sync_core.sandbox.xero.views import View, stamp_shown

SOURCES = {"Invoices": "ACCPAY", "BankTransactions": "SPEND"}
GONE = ("VOIDED", "DELETED")


def write(ctx: Context, given: Row, old: Row | None) -> Row:
    """Make a billable expense of a line, give it to a customer, or put it on that customer's invoice.

    Raises:
        RuleError: the line does not belong to the bill, or the customer is not that of the invoice.
    """
    old = old or {"LinkedTransactionID": ctx.store.kernel.new_id(), "Type": "BILLABLEEXPENSE"}
    row = {**old, **given, "LinkedTransactionID": old["LinkedTransactionID"]}
    source = _document(ctx.store, row.get("SourceTransactionID"), SOURCES)
    matches = source is not None and _has_line(source, row.get("SourceLineItemID"))
    require(matches, "The SourceLineItemID and SourceTransactionID do not match")
    row["SourceTransactionTypeCode"] = (source or {}).get("Type")
    if row.get("ContactID"):
        require(ctx.store["Contacts"].get(row["ContactID"]), "The ContactID could not be found")
    if row.get("TargetTransactionID"):
        row["ContactID"] = _checked_target(ctx.store, row)["ContactID"]
    return ctx.store.put("LinkedTransactions", row)


def delete(store: Store, row: Row) -> None:
    """Take the link away. Raises RuleError once the customer has been billed."""
    require(_status(store, row) != "BILLED", "A linked transaction that has been billed cannot be deleted")
    store["LinkedTransactions"].remove(row["LinkedTransactionID"])


def _document(store: Store, row_id: str | None, types: dict[str, str]) -> Row | None:
    found = ((store[kind].get(row_id), wanted) for kind, wanted in types.items())
    return next((row for row, wanted in found if row and row["Type"] == wanted), None)


def _has_line(document: Row, line_id: str | None) -> bool:
    return any(line["LineItemID"] == line_id for line in document["LineItems"])


def _checked_target(store: Store, row: Row) -> Row:
    target = _document(store, row["TargetTransactionID"], {"Invoices": "ACCREC"})
    if target is None:
        raise RuleError("The TargetTransactionID could not be found")
    same = row.get("ContactID") in (None, target["ContactID"])
    require(same, "The ContactID and the TargetTransaction ContactID do not match")
    if row.get("TargetLineItemID"):
        require(_has_line(target, row["TargetLineItemID"]), "The TargetLineItemID and TargetTransactionID do not match")
    return target


def _status(store: Store, row: Row) -> str:
    """How far it has come, which follows from both documents."""
    source = _document(store, row["SourceTransactionID"], SOURCES) or {"Status": "DELETED"}
    target = _document(store, row.get("TargetTransactionID"), {"Invoices": "ACCREC"})
    if source["Status"] in GONE:
        return "VOIDED"
    if target is not None and target["Status"] not in GONE:
        return "BILLED" if target["Status"] in {"AUTHORISED", "PAID"} else "ONDRAFT"
    return "APPROVED" if source["Status"] in {"AUTHORISED", "PAID"} else "DRAFT"


def shown(store: Store, row: Row, _view: View) -> Row:
    """A linked transaction as it travels."""
    stamp = stamp_shown(row)["UpdatedDateUTC"]
    return {**row, "Status": _status(store, row), "UpdatedDateUTC": stamp}


def has_status(store: Store, wanted: str, row: Row) -> bool:
    return _status(store, row) == wanted.upper()
