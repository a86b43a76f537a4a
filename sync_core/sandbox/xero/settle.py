"""What payments and credits do to the two ends of a document: amounts, and the status that follows from them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero.amounts import ZERO
from sync_core.sandbox.xero.store import Store

GONE = {"VOIDED", "DELETED"}


def settle_invoice(row: Row, on: date) -> Row:
    """Amount due out of total, paid and credited; PAID exactly while an approved invoice has nothing due."""
    if row["Status"] in GONE:
        return {**row, "AmountDue": ZERO}
    due = row["Total"] - row["AmountPaid"] - row["AmountCredited"]
    return {**row, "AmountDue": due, **_paid(row, due, on)}


def settle_credit(row: Row, on: date) -> Row:
    """Remaining credit out of total, allocations and refunds; PAID exactly while an approved credit is used
    up.
    """
    if row["Status"] in GONE:
        return {**row, "RemainingCredit": ZERO}
    used = sum((a["Amount"] for a in row["_allocations"]), row["_refunded"])
    left = row["Total"] - used
    return {**row, "RemainingCredit": left, **_paid(row, left, on)}


def _paid(row: Row, left: Decimal, on: date) -> Row:
    if row["Status"] not in {"AUTHORISED", "PAID"}:
        return {}
    if left:
        return {"Status": "AUTHORISED", "FullyPaidOnDate": None}
    return {"Status": "PAID", "FullyPaidOnDate": on}


def apply_credit(store: Store, invoice_id: str, applied: Row) -> None:
    """Let an invoice know of an allocation: kind and id of the credit, amount, date, allocation."""
    invoice = store["Invoices"].get(invoice_id)
    if invoice is not None:
        changed = {
            **invoice,
            "_applied": [*invoice["_applied"], applied],
            "AmountCredited": invoice["AmountCredited"] + applied["amount"],
        }
        store.put("Invoices", settle_invoice(changed, applied["date"]))


def unapply_credit(store: Store, invoice_id: str, allocation_id: str) -> None:
    """Take an allocation away from an invoice again."""
    invoice = store["Invoices"].get(invoice_id)
    if invoice is not None:
        gone = next(a for a in invoice["_applied"] if a["allocation"] == allocation_id)
        changed = {
            **invoice,
            "_applied": [a for a in invoice["_applied"] if a is not gone],
            "AmountCredited": invoice["AmountCredited"] - gone["amount"],
        }
        store.put("Invoices", settle_invoice(changed, gone["date"]))


def add_payment(store: Store, kind: str, document: Row, payment: Row) -> None:
    """Let a document know of a payment (of an invoice) or a refund (of a credit)."""
    changed = {**document, "_payments": [*document["_payments"], payment["PaymentID"]]}
    if kind == "Invoices":
        changed["AmountPaid"] = document["AmountPaid"] + payment["Amount"]
        store.put(kind, settle_invoice(changed, payment["Date"]))
    else:
        changed["_refunded"] = document["_refunded"] + payment["Amount"]
        store.put(kind, settle_credit(changed, payment["Date"]))


def take_payment(store: Store, kind: str, document: Row, payment: Row) -> None:
    """Undo :func:`add_payment`."""
    changed = {**document, "_payments": [i for i in document["_payments"] if i != payment["PaymentID"]]}
    if kind == "Invoices":
        changed["AmountPaid"] = document["AmountPaid"] - payment["Amount"]
        store.put(kind, settle_invoice(changed, payment["Date"]))
    else:
        changed["_refunded"] = document["_refunded"] - payment["Amount"]
        store.put(kind, settle_credit(changed, payment["Date"]))
