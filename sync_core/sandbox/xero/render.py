"""Rows as Xero shows them, in four degrees of detail.

``list`` is the unpaged list (documents without lines, contacts without their details), ``page`` a page,
``summary`` a page with ``summaryOnly``, ``one`` a single record or the answer to a write.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero import wire
from sync_core.sandbox.xero.amounts import ZERO, places
from sync_core.sandbox.xero.store import Store

ADVANCES = {"Prepayments": "PrepaymentID", "Overpayments": "OverpaymentID"}
CREDITS = {"CreditNotes": "CreditNoteID", **ADVANCES}
CONTACT_DETAILS = (
    "MergedToContactID",
    "AccountNumber",
    "XeroNetworkKey",
    "SalesDefaultAccountCode",
    "PurchasesDefaultAccountCode",
    "SalesDefaultLineAmountType",
    "PurchasesDefaultLineAmountType",
    "PaymentTerms",
)
PHONES = ("DEFAULT", "DDI", "FAX", "MOBILE")
ADDRESSES = ("STREET", "POBOX")


@dataclass(frozen=True, slots=True)
class View:
    """How much to show and with how many decimals a unit price."""

    level: str = "one"
    unitdp: int = 2

    @property
    def lines(self) -> bool:
        return self.level in {"page", "one"}


ONE = View()


def render(store: Store, resource: str, row: Row, view: View = ONE) -> Row:
    """One row of ``resource`` as it travels."""
    special = _RENDERERS.get(resource)
    return special(store, row, view) if special else wire.plain(row)


def _stamp(row: Row) -> Row:
    instant = row["UpdatedDateUTC"]
    return {
        "UpdatedDateUTC": wire.ms_instant(instant),
        "UpdatedDateUTCString": wire.instant_string(instant),
    }


def _date(row: Row, *names: str) -> Row:
    shown = {}
    for name in names:
        day = row.get(name)
        if day is not None:
            shown[f"{name}String"] = wire.date_string(day)
            shown[name] = wire.ms_date(day)
    return shown


def _line(line: Row, unitdp: int) -> Row:
    shown = {k: v for k, v in line.items() if v is not None}
    shown["Tracking"] = line.get("Tracking") or []
    if unitdp == 2 and "UnitAmount" in line:
        shown["UnitAmount"] = places(line["UnitAmount"], 2)
    return shown


def brief_contact(store: Store, contact_id: str) -> Row:
    """A contact as it is shown inside lists of documents."""
    contact = store["Contacts"].get(contact_id) or {"ContactID": contact_id, "Name": ""}
    shown: Row = {"ContactID": contact["ContactID"], "Name": contact["Name"]}
    if contact.get("ContactNumber"):
        shown["ContactNumber"] = contact["ContactNumber"]
    empty: Row = {"Addresses": [], "Phones": [], "ContactGroups": [], "ContactPersons": []}
    return {**shown, **empty, "HasValidationErrors": False}


def _party(store: Store, row: Row, view: View) -> Row:
    contact = store["Contacts"].get(row["ContactID"]) if view.level == "one" else None
    return _contact(store, contact, View("list")) if contact else brief_contact(store, row["ContactID"])


def _document(store: Store, row: Row, view: View) -> Row:
    """What invoices, credit notes, advances and bank transactions have in common."""
    shown: Row = {
        "Contact": _party(store, row, view),
        **_date(row, "Date", "DueDate"),
        "Status": row["Status"],
        "LineAmountTypes": row["LineAmountTypes"],
        "LineItems": [_line(line, view.unitdp) for line in row["LineItems"]] if view.lines else [],
        "SubTotal": row["SubTotal"],
        "TotalTax": row["TotalTax"],
        "Total": row["Total"],
        **_stamp(row),
        "CurrencyCode": row["CurrencyCode"],
        "CurrencyRate": row["CurrencyRate"],
    }
    for name in ("BrandingThemeID", "Url", "Reference"):
        if row.get(name) is not None:
            shown[name] = row[name]
    if row.get("FullyPaidOnDate") is not None:
        shown["FullyPaidOnDate"] = wire.ms_date(row["FullyPaidOnDate"])
    if view.level != "summary":
        shown["HasAttachments"] = False
    return shown


def _invoice(store: Store, row: Row, view: View) -> Row:
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
        **_document(store, row, view),
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


def _credit(store: Store, row: Row, view: View, kind: str) -> Row:
    key = CREDITS[kind]
    shown: Row = {
        key: row[key],
        "ID": row[key],
        "Type": row["Type"],
        "RemainingCredit": row["RemainingCredit"],
        **_document(store, row, view),
    }
    if view.level != "summary":
        shown["Allocations"] = [_allocation(store, a) for a in row["_allocations"]]
        shown["Payments"] = _embedded_payments(store, row)
    if kind == "CreditNotes":
        shown |= {"CreditNoteNumber": row["CreditNoteNumber"], "SentToContact": row["SentToContact"], "HasErrors": False}
    return shown


def _allocation(store: Store, allocation: Row) -> Row:
    invoice = store["Invoices"].get(allocation["InvoiceID"]) or {}
    return {
        "AllocationID": allocation["AllocationID"],
        "Amount": allocation["Amount"],
        "Date": wire.ms_date(allocation["Date"]),
        "IsDeleted": False,
        "Invoice": _invoice_stub(allocation["InvoiceID"], InvoiceNumber=invoice.get("InvoiceNumber", "")),
    }


def _invoice_stub(invoice_id: str, **more: Any) -> Row:
    lists = ("Payments", "CreditNotes", "Prepayments", "Overpayments", "LineItems")
    stub: Row = {"InvoiceID": invoice_id, **more, "HasErrors": False, "IsDiscounted": False}
    return stub | {name: [] for name in lists}


def allocation_answer(row: Row, kind: str, allocation: Row) -> Row:
    """One element of the answer to PUT .../Allocations."""
    key = CREDITS[kind]
    return {
        "AllocationID": allocation["AllocationID"],
        "Amount": allocation["Amount"],
        "Date": wire.ms_date(allocation["Date"]),
        "Invoice": _invoice_stub(allocation["InvoiceID"], ValidationErrors=[]),
        kind.removesuffix("s"): {key: row[key], "ID": row[key], "LineItems": []},
        "ValidationErrors": [],
    }


def _payment(store: Store, row: Row, view: View) -> Row:
    shown: Row = {
        "PaymentID": row["PaymentID"],
        "Date": wire.ms_date(row["Date"]),
        "BankAmount": row["BankAmount"],
        "Amount": row["Amount"],
        "Reference": row.get("Reference", ""),
        "CurrencyRate": row["CurrencyRate"],
        "PaymentType": row["PaymentType"],
        "Status": row["Status"],
        **_stamp(row),
        "HasAccount": True,
        "IsReconciled": row["IsReconciled"],
        "Account": _account_stub(store, row["AccountID"]),
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
            return {kind.removesuffix("s"): render(store, kind, document)}
        brief = {"Contact": brief_contact(store, document["ContactID"]), "CurrencyCode": document["CurrencyCode"]}
        if kind == "Invoices":
            number = document["InvoiceNumber"]
            return {"Invoice": _invoice_stub(row[key], Type=document["Type"], InvoiceNumber=number, **brief)}
        stub: Row = {key: row[key], "ID": row[key], "Type": document["Type"], "LineItems": [], **brief}
        if kind == "CreditNotes":
            stub["CreditNoteNumber"] = document["CreditNoteNumber"]
        return {kind.removesuffix("s"): stub}
    return {}


def _account_stub(store: Store, account_id: str) -> Row:
    account = store["Accounts"].get(account_id) or {}
    stub: Row = {"AccountID": account_id}
    return stub | {name: account[name] for name in ("Code", "Name") if account.get(name)}


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


def _batch(store: Store, row: Row, _view: View) -> Row:
    payments = [store["Payments"].get(payment_id) or {} for payment_id in row["_payments"]]
    hidden = {"AccountID", "UpdatedDateUTC"}
    return {
        "Account": {"AccountID": row["AccountID"], "CurrencyCode": row["_currency"]},
        **wire.plain({k: v for k, v in row.items() if k not in hidden}),
        **_stamp(row),
        "Payments": [_batch_payment(store, payment) for payment in payments],
    }


def _batch_payment(store: Store, payment: Row) -> Row:
    invoice = store["Invoices"].get(payment["InvoiceID"]) or {}
    return {
        "Invoice": _invoice_stub(payment["InvoiceID"], CurrencyCode=invoice.get("CurrencyCode")),
        "PaymentID": payment["PaymentID"],
        "Amount": payment["Amount"],
        "BankAmount": payment["BankAmount"],
    }


def _bank_transaction(store: Store, row: Row, view: View) -> Row:
    shown: Row = {
        "BankTransactionID": row["BankTransactionID"],
        "BankAccount": _account_stub(store, row["AccountID"]),
        "Type": row["Type"],
        "IsReconciled": row["IsReconciled"],
        **_document(store, row, view),
    }
    for name in ("PrepaymentID", "OverpaymentID"):
        if row.get(name):
            shown[name] = row[name]
    return shown


def _contact(store: Store, row: Row, view: View) -> Row:
    hidden = {"Phones", "Addresses", "UpdatedDateUTC", "ContactPersons"}
    if view.level != "summary":
        flags = {"IsSupplier": row["IsSupplier"], "IsCustomer": row["IsCustomer"]}
    else:
        flags, hidden = {}, hidden | {"IsSupplier", "IsCustomer"}
    if not view.lines:
        hidden |= set(CONTACT_DETAILS)
    shown: Row = {
        **wire.plain({k: v for k, v in row.items() if k not in hidden}),
        **flags,
        "Addresses": [_slot("AddressType", kind, row["Addresses"]) for kind in ADDRESSES],
        "Phones": [_slot("PhoneType", kind, row["Phones"]) for kind in PHONES],
        "UpdatedDateUTC": wire.ms_instant(row["UpdatedDateUTC"]),
        "ContactGroups": [_group_stub(store, i) for i in store.groups_of(row["ContactID"])],
        "ContactPersons": row["ContactPersons"] if view.lines else [],
        "HasValidationErrors": False,
    }
    if view.level == "one":
        shown |= {"SalesTrackingCategories": [], "PurchasesTrackingCategories": [], "HasAttachments": False}
    if view.lines and (balances := _balances(store, row["ContactID"])):
        shown["Balances"] = balances
    return shown


def _slot(name: str, kind: str, given: dict[str, Row]) -> Row:
    """One of the fixed phones or addresses, blank when nobody filled it."""
    blanks = ("PhoneNumber", "PhoneAreaCode", "PhoneCountryCode")
    if name == "AddressType":
        blanks = ("City", "Region", "PostalCode")
    return {name: kind, **dict.fromkeys(blanks, ""), **given.get(kind, {})}


def _group_stub(store: Store, group_id: str) -> Row:
    group = store["ContactGroups"].get(group_id) or {}
    shown: Row = {"ContactGroupID": group_id, "Name": group.get("Name"), "Status": "ACTIVE"}
    return {**shown, "Contacts": [], "HasValidationErrors": False}


def _balances(store: Store, contact_id: str) -> Row:
    """What a contact owes and is owed, in the currencies of the documents and not converted."""
    sums = {"ACCREC": [ZERO, ZERO], "ACCPAY": [ZERO, ZERO]}
    seen = False
    today = store.today()
    for invoice in store["Invoices"].of_contact(contact_id):
        seen = True
        if invoice["Status"] == "AUTHORISED":
            sums[invoice["Type"]][0] += invoice["AmountDue"]
            if (invoice.get("DueDate") or today) < today:
                sums[invoice["Type"]][1] += invoice["AmountDue"]
    for kind in CREDITS:
        for credit in store[kind].of_contact(contact_id):
            if credit["Status"] == "AUTHORISED":
                side = "ACCPAY" if credit["Type"].startswith(("ACCPAY", "SPEND")) else "ACCREC"
                sums[side][0] -= credit["RemainingCredit"]
    return _shown_balances(sums) if seen else {}


def _shown_balances(sums: dict[str, list[Decimal]]) -> Row:
    sides = {"AccountsReceivable": sums["ACCREC"], "AccountsPayable": sums["ACCPAY"]}
    return {name: {"Outstanding": pair[0], "Overdue": pair[1]} for name, pair in sides.items()}


def _group(store: Store, row: Row, view: View) -> Row:
    members = [brief_contact(store, i) for i in row["Contacts"]] if view.level == "one" else []
    return {**wire.plain(row), "Contacts": members, "HasValidationErrors": False}


def _item(_store: Store, row: Row, view: View) -> Row:
    shown: Row = {**wire.plain(row), "PurchaseDetails": {}, "SalesDetails": {}}
    for side in ("PurchaseDetails", "SalesDetails"):
        details = dict(row.get(side) or {})
        if "UnitPrice" in details:
            details["UnitPrice"] = places(details["UnitPrice"], view.unitdp)
        shown[side] = details
    return shown


_RENDERERS: dict[str, Callable[[Store, Row, View], Row]] = {
    "Invoices": _invoice,
    "CreditNotes": lambda store, row, view: _credit(store, row, view, "CreditNotes"),
    "Prepayments": lambda store, row, view: _credit(store, row, view, "Prepayments"),
    "Overpayments": lambda store, row, view: _credit(store, row, view, "Overpayments"),
    "Payments": _payment,
    "BatchPayments": _batch,
    "BankTransactions": _bank_transaction,
    "Contacts": _contact,
    "ContactGroups": _group,
    "Items": _item,
}
