"""The table of resources: names, keys, paging, If-Modified-Since, scopes, and what may be filtered and sorted
fast.

Source: the public description's operations and the facts' endpoint table. Everything else reads from here.
"""

from __future__ import annotations

from dataclasses import dataclass

from sync_core.sandbox.xero import specs
from sync_core.sandbox.xero.fields import Spec


@dataclass(frozen=True, slots=True)
class Resource:
    """One collection of the API.

    ``areas`` are the scopes (without ``accounting.``) of which one is needed; ``readable`` the further names
    that may stand in ``where`` and ``order``; ``fast`` those of them that also work over 100,000 rows;
    ``batch`` whether many elements are taken in one call; ``verbs`` the methods on the collection.
    """

    name: str
    key: str
    spec: Spec
    areas: tuple[str, ...]
    verbs: str = "GET PUT POST"
    paged: bool = False
    since: bool = True
    stamped: bool = True
    batch: bool = True
    error_flag: str = "HasErrors"
    readable: str = ""
    fast: str = ""

    def names(self) -> dict[str, str]:
        """Every name that ``where`` and ``order`` know, by its lower-case form."""
        known = (*self.spec, *self.readable.split(), self.key, *(("UpdatedDateUTC",) if self.stamped else ()))
        return {name.lower(): name for name in known}


_TRANSACTIONS = ("transactions",)
_MONEY = "SubTotal TotalTax Total AmountDue AmountPaid AmountCredited FullyPaidOnDate HasAttachments TotalDiscount"
_CREDIT = "SubTotal TotalTax Total RemainingCredit FullyPaidOnDate HasAttachments"
_ADVANCE = f"Type Contact Date Status CurrencyCode CurrencyRate Reference {_CREDIT}"
_ALL = (
    Resource(
        "Invoices",
        "InvoiceID",
        specs.INVOICE,
        ("invoices", *_TRANSACTIONS),
        paged=True,
        readable=_MONEY,
        fast="Status Contact.ContactID Contact.Name Contact.ContactNumber Reference InvoiceNumber InvoiceID Type "
        "AmountPaid Date DueDate AmountDue UpdatedDateUTC",
    ),
    Resource(
        "CreditNotes",
        "CreditNoteID",
        specs.CREDIT_NOTE,
        ("invoices", *_TRANSACTIONS),
        paged=True,
        readable=_CREDIT,
        fast="Status Contact.ContactID Reference CreditNoteNumber CreditNoteID Type Date UpdatedDateUTC",
    ),
    Resource(
        "Contacts",
        "ContactID",
        specs.CONTACT,
        ("contacts",),
        paged=True,
        error_flag="HasValidationErrors",
        readable="IsCustomer IsSupplier MergedToContactID HasAttachments",
        fast="Name EmailAddress ContactID ContactNumber AccountNumber ContactStatus UpdatedDateUTC",
    ),
    Resource(
        "Payments",
        "PaymentID",
        specs.PAYMENT,
        ("payments", *_TRANSACTIONS),
        paged=True,
        error_flag="HasValidationErrors",
        readable="PaymentType BatchPaymentID",
        fast="PaymentType Status Date Invoice.InvoiceID Reference PaymentID UpdatedDateUTC",
    ),
    Resource(
        "Prepayments",
        "PrepaymentID",
        {},
        ("payments", *_TRANSACTIONS),
        verbs="GET",
        paged=True,
        readable=_ADVANCE,
    ),
    Resource(
        "Overpayments",
        "OverpaymentID",
        {},
        ("payments", *_TRANSACTIONS),
        verbs="GET",
        paged=True,
        readable=_ADVANCE,
    ),
    Resource(
        "BatchPayments",
        "BatchPaymentID",
        specs.BATCH,
        ("payments", *_TRANSACTIONS),
        readable="Type TotalAmount IsReconciled",
    ),
    Resource(
        "BankTransactions",
        "BankTransactionID",
        specs.BANK_TRANSACTION,
        ("banktransactions", *_TRANSACTIONS),
        paged=True,
        readable="SubTotal TotalTax Total PrepaymentID OverpaymentID HasAttachments",
    ),
    Resource(
        "Quotes",
        "QuoteID",
        specs.QUOTE,
        ("invoices", *_TRANSACTIONS),
        paged=True,
        readable="SubTotal TotalTax Total",
    ),
    Resource(
        "PurchaseOrders",
        "PurchaseOrderID",
        specs.PURCHASE_ORDER,
        ("invoices", *_TRANSACTIONS),
        paged=True,
        readable="SubTotal TotalTax Total HasAttachments",
    ),
    Resource(
        "ManualJournals",
        "ManualJournalID",
        specs.MANUAL_JOURNAL,
        ("manualjournals", *_TRANSACTIONS),
        paged=True,
        readable="HasAttachments",
    ),
    Resource(
        "BankTransfers",
        "BankTransferID",
        specs.BANK_TRANSFER,
        ("banktransactions", *_TRANSACTIONS),
        readable="CreatedDateUTC CurrencyRate HasAttachments",
    ),
    Resource(
        "RepeatingInvoices",
        "RepeatingInvoiceID",
        specs.REPEATING_INVOICE,
        ("invoices", *_TRANSACTIONS),
        since=False,
        readable="SubTotal TotalTax Total HasAttachments",
    ),
    Resource(
        "LinkedTransactions",
        "LinkedTransactionID",
        specs.LINKED_TRANSACTION,
        ("invoices", *_TRANSACTIONS),
        verbs="GET PUT",
        paged=True,
        since=False,
    ),
    Resource(
        "ContactGroups",
        "ContactGroupID",
        specs.GROUP,
        ("contacts",),
        verbs="GET PUT",
        since=False,
        stamped=False,
        error_flag="HasValidationErrors",
    ),
    Resource(
        "Accounts",
        "AccountID",
        specs.ACCOUNT,
        ("settings",),
        verbs="GET PUT",
        batch=False,
        readable="Class SystemAccount",
    ),
    Resource("Items", "ItemID", specs.ITEM, ("settings", "invoices", *_TRANSACTIONS)),
    Resource(
        "TaxRates",
        "TaxType",
        specs.TAX_RATE,
        ("settings",),
        since=False,
        stamped=False,
        batch=False,
        readable="EffectiveRate DisplayTaxRate CanApplyToAssets CanApplyToEquity CanApplyToExpenses "
        "CanApplyToLiabilities CanApplyToRevenue",
    ),
    Resource(
        "TrackingCategories",
        "TrackingCategoryID",
        specs.TRACKING,
        ("settings",),
        verbs="GET PUT",
        since=False,
        stamped=False,
        batch=False,
    ),
    Resource(
        "Currencies",
        "Code",
        specs.CURRENCY,
        ("settings",),
        verbs="GET PUT",
        since=False,
        stamped=False,
        batch=False,
    ),
    Resource(
        "BrandingThemes",
        "BrandingThemeID",
        {},
        ("settings",),
        verbs="GET",
        since=False,
        stamped=False,
        readable="Name SortOrder",
    ),
    Resource(
        "Organisations",
        "OrganisationID",
        {},
        ("settings",),
        verbs="GET",
        since=False,
        stamped=False,
        readable="Name",
    ),
)
RESOURCES = {resource.name: resource for resource in _ALL}
BY_PATH = {name.lower(): resource for name, resource in RESOURCES.items()} | {"organisation": RESOURCES["Organisations"]}
