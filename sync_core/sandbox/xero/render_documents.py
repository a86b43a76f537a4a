"""Invoices, credit notes, prepayments, overpayments and bank transactions as Xero shows them."""

from __future__ import annotations

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero import wire
from sync_core.sandbox.xero.amounts import ZERO, places
from sync_core.sandbox.xero.render_contacts import brief_contact, contact_shown
from sync_core.sandbox.xero.store import Store
from sync_core.sandbox.xero.views import View, account_stub, invoice_stub, stamp_shown

CREDITS = {"CreditNotes": "CreditNoteID", "Prepayments": "PrepaymentID", "Overpayments": "OverpaymentID"}


def document_shown(store: Store, row: Row, view: View) -> Row:
    """What invoices, credit notes, advances and bank transactions have in common."""
    shown: Row = {
        **({"Contact": _party(store, row, view)} if row.get("ContactID") else {}),
        **_date(row, "Date", "DueDate"),
        "Status": row["Status"],
        "LineAmountTypes": row["LineAmountTypes"],
        "LineItems": [_line(store, line, view.unitdp) for line in row["LineItems"]] if view.lines else [],
        "SubTotal": row["SubTotal"],
        "TotalTax": row["TotalTax"],
        "Total": row["Total"],
        **stamp_shown(row),
        "CurrencyCode": row["CurrencyCode"],
        "CurrencyRate": row["CurrencyRate"],
    }
    if view.level == "summary":
        del shown["LineItems"]
    for name in ("BrandingThemeID", "Url", "Reference"):
        if row.get(name) is not None:
            shown[name] = row[name]
    if row.get("FullyPaidOnDate") is not None:
        shown["FullyPaidOnDate"] = wire.ms_date(row["FullyPaidOnDate"])
    if view.level != "summary":
        shown["HasAttachments"] = row.get("HasAttachments", False)
    return shown


def _party(store: Store, row: Row, view: View) -> Row:
    contact = store["Contacts"].get(row["ContactID"]) if view.level == "one" else None
    return contact_shown(store, contact, View("list")) if contact else brief_contact(store, row["ContactID"])


def _date(row: Row, *names: str) -> Row:
    shown = {}
    for name in names:
        day = row.get(name)
        if day is not None:
            shown[f"{name}String"] = wire.date_string(day)
            shown[name] = wire.ms_date(day)
    return shown


def _line(store: Store, line: Row, unitdp: int) -> Row:
    shown = {k: v for k, v in line.items() if v is not None}
    shown["Tracking"] = line.get("Tracking") or []
    item = store["Items"].find("code", line.get("ItemCode"))
    if item is not None:
        shown["Item"] = {name: item[name] for name in ("ItemID", "Code", "Name")}
    if unitdp == 2 and "UnitAmount" in line:
        shown["UnitAmount"] = places(line["UnitAmount"], 2)
    return shown


def invoice_shown(store: Store, row: Row, view: View) -> Row:
    shown: Row = {
        "Type": row["Type"],
        "InvoiceID": row["InvoiceID"],
        "InvoiceNumber": row["InvoiceNumber"],
        "AmountDue": row["AmountDue"],
        "AmountPaid": row["AmountPaid"],
        "AmountCredited": row["AmountCredited"],
        "SentToContact": row["SentToContact"],
        "IsDiscounted": bool(row.get("TotalDiscount")),
        "HasErrors": False,
        **document_shown(store, row, view),
    }
    if row.get("TotalDiscount"):
        shown["TotalDiscount"] = row["TotalDiscount"]
    for name in ("ExpectedPaymentDate", "PlannedPaymentDate"):
        if row.get(name) is not None:
            shown[name] = wire.ms_date(row[name])
    if view.level != "summary":
        shown["Payments"] = _embedded_payments(store, row)
        for kind, key in CREDITS.items():
            applied = [a for a in row["_applied"] if a["kind"] == kind]
            shown[kind] = [_applied_credit(store, kind, key, a) for a in applied]
    return shown


def _embedded_payments(store: Store, row: Row) -> list[Row]:
    payments = (store["Payments"].get(payment_id) for payment_id in row["_payments"])
    return [_embedded_payment(payment) for payment in payments if payment is not None]


def _embedded_payment(payment: Row) -> Row:
    """A payment inside its document: no status and no reconciliation, as in Xero."""
    shown: Row = {
        "PaymentID": payment["PaymentID"],
        "Date": wire.ms_date(payment["Date"]),
        "Amount": payment["Amount"],
        "CurrencyRate": payment["CurrencyRate"],
        "HasAccount": False,
        "HasValidationErrors": False,
    }
    for name in ("Reference", "BatchPaymentID"):
        if payment.get(name):
            shown[name] = payment[name]
    return shown


def _applied_credit(store: Store, kind: str, key: str, applied: Row) -> Row:
    credit = store[kind].get(applied["id"]) or {}
    shown: Row = {
        key: applied["id"],
        "ID": applied["id"],
        "AppliedAmount": applied["amount"],
        "Date": wire.ms_date(applied["date"]),
        "Total": credit.get("Total", ZERO),
        "LineItems": [],
    }
    if kind == "CreditNotes":
        shown = {"CreditNoteNumber": credit.get("CreditNoteNumber", ""), "HasErrors": False, **shown}
    return shown


def credit_shown(store: Store, row: Row, view: View, kind: str) -> Row:
    key = CREDITS[kind]
    shown: Row = {
        key: row[key],
        "ID": row[key],
        "Type": row["Type"],
        "RemainingCredit": row["RemainingCredit"],
        **document_shown(store, row, view),
    }
    if view.level != "summary":
        shown["Allocations"] = [_allocation(store, a) for a in row["_allocations"]]
        shown["Payments"] = _embedded_payments(store, row)
    if kind == "CreditNotes":
        shown |= {"CreditNoteNumber": row["CreditNoteNumber"], "SentToContact": row["SentToContact"], "HasErrors": False}
        return shown
    return _without(shown, "FullyPaidOnDate")


def _allocation(store: Store, allocation: Row) -> Row:
    invoice = store["Invoices"].get(allocation["InvoiceID"]) or {}
    return {
        "AllocationID": allocation["AllocationID"],
        "Amount": allocation["Amount"],
        "Date": wire.ms_date(allocation["Date"]),
        "IsDeleted": False,
        "Invoice": invoice_stub(allocation["InvoiceID"], InvoiceNumber=invoice.get("InvoiceNumber", "")),
    }


def bank_transaction_shown(store: Store, row: Row, view: View) -> Row:
    shown: Row = {
        "BankTransactionID": row["BankTransactionID"],
        "BankAccount": account_stub(store, row["AccountID"]),
        "Type": row["Type"],
        "IsReconciled": row["IsReconciled"],
        **document_shown(store, row, view),
    }
    for name in ("PrepaymentID", "OverpaymentID"):
        if row.get(name):
            shown[name] = row[name]
    return _without(shown, "UpdatedDateUTCString")


def _without(shown: Row, *names: str) -> Row:
    """Leave out what this kind of record does not show."""
    return {name: value for name, value in shown.items() if name not in names}
