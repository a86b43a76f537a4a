"""Which operation of Xero serves which table and verb, as data. Names are those of xero-python's AccountingApi.

Creating is always PUT: a POST with a number or name that exists would change that record. Source: Xero's public OpenAPI
description 16.1.0 and developer.xero.com; deviations are said beside the row.
"""

from __future__ import annotations

from dataclasses import dataclass

from sync_core.errors import Rejected
from sync_core.model import Verb
from sync_core.rules.entities import Stream

BATCH = 50


@dataclass(frozen=True, slots=True)
class Reading:
    """``one``: by id, "" where there is no such operation. ``array``: the key of the rows, where it is not the table."""

    many: str
    one: str = ""
    array: str = ""


@dataclass(frozen=True, slots=True)
class Writing:
    """``batch``: elements in one call. ``by_id``: the id stands in the path. ``bare``: the body is the element itself.

    ``status``: what is sent when the caller gives no body. ``empty``: no body is sent at all.
    """

    operation: str
    batch: int = 1
    by_id: bool = False
    bare: bool = False
    status: str = ""
    empty: bool = False


READING = {
    "Accounts": Reading("get_accounts", "get_account"),
    "BankTransactions": Reading("get_bank_transactions", "get_bank_transaction"),
    "BatchPayments": Reading("get_batch_payments", "get_batch_payment"),
    "BrandingThemes": Reading("get_branding_themes", "get_branding_theme"),
    # The list has no members; one group alone has them all.
    "ContactGroups": Reading("get_contact_groups", "get_contact_group"),
    "Contacts": Reading("get_contacts", "get_contact"),
    "CreditNotes": Reading("get_credit_notes", "get_credit_note"),
    "Currencies": Reading("get_currencies"),
    "Invoices": Reading("get_invoices", "get_invoice"),
    "Items": Reading("get_items", "get_item"),
    "Organisation": Reading("get_organisations", array="Organisations"),
    "Overpayments": Reading("get_overpayments", "get_overpayment"),
    "Payments": Reading("get_payments", "get_payment"),
    "Prepayments": Reading("get_prepayments", "get_prepayment"),
    "TaxRates": Reading("get_tax_rates", "get_tax_rate_by_tax_type"),
    "TrackingCategories": Reading("get_tracking_categories", "get_tracking_category"),
}

_OF_SCOPE = {
    "accounting.invoices": ("Invoices", "CreditNotes"),
    "accounting.payments": ("Payments", "BatchPayments", "Prepayments", "Overpayments"),
    "accounting.banktransactions": ("BankTransactions",),
    "accounting.contacts": ("Contacts", "ContactGroups"),
    "accounting.settings": (
        "Accounts",
        "BrandingThemes",
        "Currencies",
        "Items",
        "Organisation",
        "TaxRates",
        "TrackingCategories",
    ),
}
SCOPE = {table: scope for scope, tables in _OF_SCOPE.items() for table in tables}
"""The scope that an app needs for each table; apps from before March 2026 have accounting.transactions for the first three."""

_C, _U, _D = Verb.CREATE, Verb.UPDATE, Verb.DELETE
WRITING = {
    ("Accounts", _C): Writing("create_account", bare=True),
    ("Accounts", _U): Writing("update_account", by_id=True),
    ("Accounts", _D): Writing("delete_account", by_id=True, empty=True),
    ("BankTransactions", _C): Writing("create_bank_transactions", BATCH),
    ("BankTransactions", _U): Writing("update_or_create_bank_transactions", BATCH),
    ("BatchPayments", _C): Writing("create_batch_payment", BATCH),
    # The description of the field says that this is impossible; the endpoint exists and works.
    ("BatchPayments", _D): Writing("delete_batch_payment_by_url_param", by_id=True, bare=True, status="DELETED"),
    ("ContactGroups", _C): Writing("create_contact_group"),
    # Adding a member again changes nothing. One that cannot be added refuses its whole call.
    ("ContactGroups.Contacts", _C): Writing("create_contact_group_contacts", BATCH, by_id=True),
    ("ContactGroups.Contacts", _D): Writing("delete_contact_group_contact", by_id=True, empty=True),
    ("Contacts", _C): Writing("create_contacts", BATCH),
    ("Contacts", _U): Writing("update_or_create_contacts", BATCH),
    ("CreditNotes", _C): Writing("create_credit_notes", BATCH),
    ("CreditNotes", _U): Writing("update_or_create_credit_notes", BATCH),
    ("CreditNotes.Allocations", _C): Writing("create_credit_note_allocation", by_id=True),
    ("CreditNotes.Allocations", _D): Writing("delete_credit_note_allocations", by_id=True, empty=True),
    ("Currencies", _C): Writing("create_currency", bare=True),
    ("Invoices", _C): Writing("create_invoices", BATCH),
    ("Invoices", _U): Writing("update_or_create_invoices", BATCH),
    ("Items", _C): Writing("create_items", BATCH),
    ("Items", _U): Writing("update_or_create_items", BATCH),
    ("Items", _D): Writing("delete_item", by_id=True, empty=True),
    ("Overpayments.Allocations", _C): Writing("create_overpayment_allocations", by_id=True),
    ("Overpayments.Allocations", _D): Writing("delete_overpayment_allocations", by_id=True, empty=True),
    ("Payments", _C): Writing("create_payments", BATCH),
    # Xero allows no other change of a payment, and no other key in the body.
    ("Payments", _D): Writing("delete_payment", by_id=True, bare=True, status="DELETED"),
    ("Prepayments.Allocations", _C): Writing("create_prepayment_allocations", by_id=True),
    ("Prepayments.Allocations", _D): Writing("delete_prepayment_allocations", by_id=True, empty=True),
    ("TaxRates", _C): Writing("create_tax_rates"),
    ("TaxRates", _U): Writing("update_tax_rate"),
    ("TrackingCategories", _C): Writing("create_tracking_category", bare=True),
    ("TrackingCategories", _U): Writing("update_tracking_category", by_id=True, bare=True),
}


def array_of(stream: Stream) -> str:
    """The key under which an answer holds the rows of ``stream``."""
    return stream.within or reading(stream).array or stream.table


def reading(stream: Stream) -> Reading:
    return READING[stream.table]


def writing(stream: Stream, verb: Verb) -> Writing:
    """How ``verb`` is done. Raises Rejected where Xero has no such thing."""
    name = f"{stream.table}.{stream.within}" if stream.within else stream.table
    try:
        return WRITING[name, verb]
    except KeyError:
        raise Rejected(f"Xero has no way to {verb.value} {name} through its interface.", code="not supported") from None
