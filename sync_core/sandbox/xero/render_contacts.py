"""Contacts and contact groups as Xero shows them."""

from __future__ import annotations

from decimal import Decimal

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero import wire
from sync_core.sandbox.xero.amounts import ZERO
from sync_core.sandbox.xero.store import Store
from sync_core.sandbox.xero.views import View

CREDITS = ("CreditNotes", "Prepayments", "Overpayments")
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


def contact_shown(store: Store, row: Row, view: View) -> Row:
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
        shown |= {
            "SalesTrackingCategories": [],
            "PurchasesTrackingCategories": [],
            "HasAttachments": row.get("HasAttachments", False),
        }
    if view.lines and (balances := _balances(store, row["ContactID"])):
        shown["Balances"] = balances
    return shown


def _slot(name: str, kind: str, given: dict[str, Row]) -> Row:
    """One of the fixed phones or addresses, blank when nobody filled it."""
    blanks = ("PhoneNumber", "PhoneAreaCode", "PhoneCountryCode")
    if name == "AddressType":
        blanks = ("City", "Region", "PostalCode")
    return {name: kind, **dict.fromkeys(blanks, ""), **given.get(kind, {})}


def brief_contact(store: Store, contact_id: str) -> Row:
    """A contact as it is shown inside lists of documents."""
    contact = store["Contacts"].get(contact_id) or {"ContactID": contact_id, "Name": ""}
    shown: Row = {"ContactID": contact["ContactID"], "Name": contact["Name"]}
    if contact.get("ContactNumber"):
        shown["ContactNumber"] = contact["ContactNumber"]
    empty: Row = {"Addresses": [], "Phones": [], "ContactGroups": [], "ContactPersons": []}
    return {**shown, **empty, "HasValidationErrors": False}


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


def group_shown(store: Store, row: Row, view: View) -> Row:
    members = [brief_contact(store, i) for i in row["Contacts"]] if view.level == "one" else []
    return {**wire.plain(row), "Contacts": members, "HasValidationErrors": False}
