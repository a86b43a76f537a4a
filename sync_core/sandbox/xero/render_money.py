"""Payments, batches and allocations as Xero shows them."""

from __future__ import annotations

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero import wire
from sync_core.sandbox.xero.render_contacts import brief_contact
from sync_core.sandbox.xero.render_documents import CREDITS, credit_shown, invoice_shown
from sync_core.sandbox.xero.store import Store
from sync_core.sandbox.xero.views import ONE, View, account_stub, invoice_stub, stamp_shown


def payment_shown(store: Store, row: Row, view: View) -> Row:
    shown: Row = {
        "PaymentID": row["PaymentID"],
        "Date": wire.ms_date(row["Date"]),
        "BankAmount": row["BankAmount"],
        "Amount": row["Amount"],
        "Reference": row.get("Reference", ""),
        "CurrencyRate": row["CurrencyRate"],
        "PaymentType": row["PaymentType"],
        "Status": row["Status"],
        **stamp_shown(row),
        "HasAccount": True,
        "IsReconciled": row["IsReconciled"],
        "Account": account_stub(store, row["AccountID"]),
        "HasValidationErrors": False,
    }
    if row.get("BatchPaymentID"):
        shown["BatchPaymentID"] = row["BatchPaymentID"]
        shown["BatchPayment"] = _nested_batch(store, row["BatchPaymentID"])
    shown |= _paid_document(store, row, view)
    return shown


def _paid_document(store: Store, row: Row, view: View) -> Row:
    for kind, key in {"Invoices": "InvoiceID", **CREDITS}.items():
        document = store[kind].get(row.get(key))
        if document is None:
            continue
        if view.level == "one":
            full = invoice_shown(store, document, ONE) if kind == "Invoices" else credit_shown(store, document, ONE, kind)
            return {kind.removesuffix("s"): full}
        brief = {"Contact": brief_contact(store, document["ContactID"]), "CurrencyCode": document["CurrencyCode"]}
        if kind == "Invoices":
            number = document["InvoiceNumber"]
            return {"Invoice": invoice_stub(row[key], Type=document["Type"], InvoiceNumber=number, **brief)}
        if kind == "CreditNotes":
            # In a list Xero shows the note under Invoice, as in the official example of GET /Payments.
            number = document["CreditNoteNumber"]
            return {"Invoice": invoice_stub(row[key], Type=document["Type"], InvoiceNumber=number, **brief)}
        stub: Row = {key: row[key], "ID": row[key], "Type": document["Type"], "LineItems": [], **brief}
        return {kind.removesuffix("s"): stub}
    return {}


def _nested_batch(store: Store, batch_id: str) -> Row:
    """A batch inside a payment: its total and its flag are texts there, as in the official example."""
    batch = store["BatchPayments"].get(batch_id)
    if batch is None:
        return {"BatchPaymentID": batch_id}
    return {
        "Account": {"AccountID": batch["AccountID"]},
        "BatchPaymentID": batch_id,
        "Date": wire.ms_date(batch["Date"]),
        "Type": batch["Type"],
        "Status": batch["Status"],
        "TotalAmount": str(batch["TotalAmount"]),
        "UpdatedDateUTC": wire.ms_instant(batch["UpdatedDateUTC"]),
        "IsReconciled": str(batch["IsReconciled"]).lower(),
    }


def batch_shown(store: Store, row: Row, _view: View) -> Row:
    payments = [store["Payments"].get(payment_id) or {} for payment_id in row["_payments"]]
    hidden = {"AccountID", "UpdatedDateUTC"}
    return {
        "Account": {"AccountID": row["AccountID"], "CurrencyCode": row["_currency"]},
        **wire.plain({k: v for k, v in row.items() if k not in hidden}),
        "UpdatedDateUTC": wire.ms_instant(row["UpdatedDateUTC"]),
        "Payments": [_batch_payment(store, payment) for payment in payments],
    }


def _batch_payment(store: Store, payment: Row) -> Row:
    invoice = store["Invoices"].get(payment["InvoiceID"]) or {}
    return {
        "Invoice": invoice_stub(payment["InvoiceID"], CurrencyCode=invoice.get("CurrencyCode")),
        "PaymentID": payment["PaymentID"],
        "Amount": payment["Amount"],
        "BankAmount": payment["BankAmount"],
    }


def allocation_answer(row: Row, kind: str, allocation: Row) -> Row:
    """One element of the answer to PUT .../Allocations."""
    key = CREDITS[kind]
    return {
        "AllocationID": allocation["AllocationID"],
        "Amount": allocation["Amount"],
        "Date": wire.ms_date(allocation["Date"]),
        "Invoice": invoice_stub(allocation["InvoiceID"], ValidationErrors=[]),
        kind.removesuffix("s"): {key: row[key], "ID": row[key], "LineItems": []},
        "ValidationErrors": [],
    }
