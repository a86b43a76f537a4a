"""What each resource takes in a request body: a small language of fields, and one reader for all of them.

A value of the wrong type refuses the whole request, as Xero's JSON reader does; an over-long text or an
unknown choice is an error of its element. Unknown keys are ignored, null is the same as absent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero import wire
from sync_core.sandbox.xero.errors import bad_data

GUID = re.compile(r"^\{?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?$")


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its kind, greatest length, choices, and the fields inside it."""

    kind: str
    length: int | None = None
    choices: tuple[str, ...] = ()
    inside: Mapping[str, Field] = field(default_factory=dict)


Spec = Mapping[str, Field]
NUMBER, DATE, FLAG, ID = Field("number"), Field("date"), Field("flag"), Field("id")


def text(length: int | None = None) -> Field:
    return Field("text", length)


def choice(*choices: str) -> Field:
    return Field("choice", choices=choices)


def one(inside: Spec) -> Field:
    return Field("one", inside=inside)


def many(inside: Spec) -> Field:
    return Field("many", inside=inside)


def read(spec: Spec, element: Any, errors: list[str], where: str = "") -> Row:
    """The known fields of ``element`` as Python values; broken rules are added to ``errors``."""
    if not isinstance(element, dict):
        raise bad_data(f"Cannot deserialize the current JSON value into an object. Path '{where}'")
    values: Row = {}
    for name, known in spec.items():
        given = element.get(name)
        if given is not None:
            values[name] = _value(name, known, given, errors, f"{where}.{name}".lstrip("."))
    return values


def _value(name: str, known: Field, given: Any, errors: list[str], where: str) -> Any:
    if known.kind == "one":
        return read(known.inside, given, errors, where)
    if known.kind == "many":
        items = given if isinstance(given, list) else [given]
        return [read(known.inside, item, errors, f"{where}[{i}]") for i, item in enumerate(items)]
    value: Any = _READERS[known.kind](given)
    if value is None:
        raise bad_data(f"Could not convert {given!r} to {known.kind}. Path '{where}'")
    if known.length is not None and len(value) > known.length:
        errors.append(f"The {name} field cannot be longer than {known.length} characters")
    if known.kind == "choice" and value not in known.choices and value:
        errors.append(f"{name} '{value}' is not valid. It must be one of {', '.join(known.choices)}")
    return value


def _text(given: Any) -> str | None:
    return given if isinstance(given, str) else None if isinstance(given, (dict, list)) else str(given)


def _flag(given: Any) -> bool | None:
    if isinstance(given, bool):
        return given
    return {"true": True, "false": False}.get(str(given).lower())


def _id(given: Any) -> str | None:
    if isinstance(given, str) and GUID.match(given):
        return given.strip("{}").lower()
    return None


_READERS = {
    "text": _text,
    "choice": _text,
    "number": wire.decimal,
    "date": lambda given: wire.parse_date(given) if isinstance(given, str) else None,
    "flag": _flag,
    "id": _id,
}

LINE: Spec = {
    "LineItemID": ID,
    "Description": text(4000),
    "Quantity": NUMBER,
    "UnitAmount": NUMBER,
    "ItemCode": text(30),
    "AccountCode": text(10),
    "AccountID": ID,
    "TaxType": text(50),
    "TaxAmount": NUMBER,
    "LineAmount": NUMBER,
    "DiscountRate": NUMBER,
    "DiscountAmount": NUMBER,
    "Tracking": many({"TrackingCategoryID": ID, "TrackingOptionID": ID, "Name": text(100), "Option": text(100)}),
}
PHONE: Spec = {
    "PhoneType": choice("DEFAULT", "DDI", "MOBILE", "FAX", "OFFICE"),
    "PhoneNumber": text(50),
    "PhoneAreaCode": text(10),
    "PhoneCountryCode": text(20),
}
ADDRESS: Spec = {
    "AddressType": choice("POBOX", "STREET"),
    **{f"AddressLine{n}": text(500) for n in range(1, 5)},
    "City": text(255),
    "Region": text(255),
    "PostalCode": text(50),
    "Country": text(50),
    "AttentionTo": text(255),
}
_TERM: Spec = {
    "Day": NUMBER,
    "Type": choice("DAYSAFTERBILLDATE", "DAYSAFTERBILLMONTH", "OFCURRENTMONTH", "OFFOLLOWINGMONTH"),
}
CONTACT: Spec = {
    "ContactID": ID,
    "ContactNumber": text(50),
    "AccountNumber": text(50),
    "ContactStatus": choice("ACTIVE", "ARCHIVED"),
    "Name": text(255),
    "FirstName": text(255),
    "LastName": text(255),
    "CompanyNumber": text(50),
    "EmailAddress": text(255),
    "ContactPersons": many(
        {
            "FirstName": text(255),
            "LastName": text(255),
            "EmailAddress": text(255),
            "IncludeInEmails": FLAG,
        }
    ),
    "BankAccountDetails": text(),
    "TaxNumber": text(50),
    "AccountsReceivableTaxType": text(),
    "AccountsPayableTaxType": text(),
    "Addresses": many(ADDRESS),
    "Phones": many(PHONE),
    "DefaultCurrency": text(3),
    "SalesDefaultAccountCode": text(10),
    "PurchasesDefaultAccountCode": text(10),
    "SalesDefaultLineAmountType": choice("INCLUSIVE", "EXCLUSIVE", "NONE"),
    "PurchasesDefaultLineAmountType": choice("INCLUSIVE", "EXCLUSIVE", "NONE"),
    "XeroNetworkKey": text(),
    "PaymentTerms": one({"Bills": one(_TERM), "Sales": one(_TERM)}),
}
ACCOUNT_REF: Spec = {"AccountID": ID, "Code": text(10)}
STATUSES = ("DRAFT", "SUBMITTED", "AUTHORISED", "DELETED", "VOIDED", "PAID")
_DOCUMENT: Spec = {
    "Contact": one(CONTACT),
    "LineItems": many(LINE),
    "Date": DATE,
    "DueDate": DATE,
    "LineAmountTypes": choice("Exclusive", "Inclusive", "NoTax"),
    "Reference": text(255),
    "BrandingThemeID": ID,
    "CurrencyCode": text(3),
    "CurrencyRate": NUMBER,
    "Status": choice(*STATUSES),
    "SentToContact": FLAG,
}
INVOICE: Spec = {
    "InvoiceID": ID,
    "InvoiceNumber": text(255),
    "Type": choice("ACCREC", "ACCPAY"),
    **_DOCUMENT,
    "Url": text(2083),
    "ExpectedPaymentDate": DATE,
    "PlannedPaymentDate": DATE,
}
CREDIT_NOTE: Spec = {
    "CreditNoteID": ID,
    "CreditNoteNumber": text(255),
    "Type": choice("ACCRECCREDIT", "ACCPAYCREDIT"),
    **_DOCUMENT,
}
_INVOICE_REF: Spec = {"InvoiceID": ID, "InvoiceNumber": text(255)}
PAYMENT: Spec = {
    "PaymentID": ID,
    "Invoice": one(_INVOICE_REF),
    "CreditNote": one({"CreditNoteID": ID, "CreditNoteNumber": text(255)}),
    "Prepayment": one({"PrepaymentID": ID}),
    "Overpayment": one({"OverpaymentID": ID}),
    "InvoiceNumber": text(255),
    "CreditNoteNumber": text(255),
    "Account": one(ACCOUNT_REF),
    "Code": text(10),
    "Date": DATE,
    "CurrencyRate": NUMBER,
    "Amount": NUMBER,
    "BankAmount": NUMBER,
    "Reference": text(255),
    "IsReconciled": FLAG,
    "Status": choice("AUTHORISED", "DELETED"),
}
BATCH: Spec = {
    "BatchPaymentID": ID,
    "Account": one(ACCOUNT_REF),
    "Reference": text(255),
    "Particulars": text(12),
    "Code": text(12),
    "Details": text(),
    "Narrative": text(18),
    "Date": DATE,
    "Status": choice("AUTHORISED", "DELETED"),
    "Payments": many({"Invoice": one(_INVOICE_REF), "Amount": NUMBER, "Reference": text(255), "Details": text()}),
}
ALLOCATION: Spec = {"Amount": NUMBER, "Date": DATE, "Invoice": one(_INVOICE_REF)}
BANK_TRANSACTION: Spec = {
    "BankTransactionID": ID,
    "Type": choice(
        "RECEIVE",
        "RECEIVE-PREPAYMENT",
        "RECEIVE-OVERPAYMENT",
        "SPEND",
        "SPEND-PREPAYMENT",
        "SPEND-OVERPAYMENT",
    ),
    "Contact": one(CONTACT),
    "LineItems": many(LINE),
    "BankAccount": one(ACCOUNT_REF),
    "IsReconciled": FLAG,
    "Date": DATE,
    "Reference": text(255),
    "CurrencyCode": text(3),
    "CurrencyRate": NUMBER,
    "Url": text(2083),
    "Status": choice("AUTHORISED", "DELETED", "VOIDED"),
    "LineAmountTypes": choice("Exclusive", "Inclusive", "NoTax"),
}
ACCOUNT_TYPES = (
    "BANK",
    "CURRENT",
    "CURRLIAB",
    "DEPRECIATN",
    "DIRECTCOSTS",
    "EQUITY",
    "EXPENSE",
    "FIXED",
    "INVENTORY",
    "LIABILITY",
    "NONCURRENT",
    "OTHERINCOME",
    "OVERHEADS",
    "PREPAYMENT",
    "REVENUE",
    "SALES",
    "TERMLIAB",
)
GROUP: Spec = {"ContactGroupID": ID, "Name": text(255), "Status": choice("ACTIVE", "DELETED")}
GROUP_MEMBER: Spec = {"ContactID": ID}
ACCOUNT: Spec = {
    "AccountID": ID,
    "Code": text(10),
    "Name": text(150),
    "Type": choice(*ACCOUNT_TYPES),
    "BankAccountNumber": text(30),
    "BankAccountType": choice("BANK", "CREDITCARD", "PAYPAL", "NONE"),
    "CurrencyCode": text(3),
    "Description": text(4000),
    "TaxType": text(),
    "EnablePaymentsToAccount": FLAG,
    "ShowInExpenseClaims": FLAG,
    "AddToWatchlist": FLAG,
    "Status": choice("ACTIVE", "ARCHIVED", "DELETED"),
}
_PRICE: Spec = {"UnitPrice": NUMBER, "AccountCode": text(10), "COGSAccountCode": text(10), "TaxType": text()}
ITEM: Spec = {
    "ItemID": ID,
    "Code": text(30),
    "Name": text(50),
    "IsSold": FLAG,
    "IsPurchased": FLAG,
    "Description": text(4000),
    "PurchaseDescription": text(4000),
    "InventoryAssetAccountCode": text(10),
    "SalesDetails": one(_PRICE),
    "PurchaseDetails": one(_PRICE),
}
TAX_RATE: Spec = {
    "Name": text(50),
    "TaxType": text(50),
    "ReportTaxType": text(),
    "Status": choice("ACTIVE", "DELETED", "ARCHIVED"),
    "TaxComponents": many({"Name": text(50), "Rate": NUMBER, "IsCompound": FLAG, "IsNonRecoverable": FLAG}),
}
CURRENCY: Spec = {"Code": text(3), "Description": text()}
OPTION: Spec = {"TrackingOptionID": ID, "Name": text(100), "Status": choice("ACTIVE", "ARCHIVED", "DELETED")}
TRACKING: Spec = {
    "TrackingCategoryID": ID,
    "Name": text(100),
    "Status": choice("ACTIVE", "ARCHIVED", "DELETED"),
    "Options": many(OPTION),
}
HISTORY: Spec = {"Details": text(2500)}
