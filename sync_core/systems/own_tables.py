"""What Tieout adds to Dynamics, as data: its own tables and its columns on standard ones. ``provision`` carries it out.

Schema names are lower case throughout, so a lookup's navigation property is spelt like its logical name (Dataverse takes
the navigation property from the schema name and minds the case).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PREFIX = "tie"
PUBLISHER = "tieout"
SOLUTION = "Tieout"
OPTION_PREFIX = 72700
VERSION = "1.0.0.0"
"""The solution's version once everything below is there and published. Raise it whenever the schema grows."""

NAME_COLUMN = f"{PREFIX}_name"
NAME_LENGTH = 300

SYNC_STATUSES = (
    "Never synced",
    "Queued",
    "Syncing",
    "Success",
    "Failed",
    "Skipped",
    "Conflict",
    "Blocked",
    "Excluded",
    "Missing in CRM",
    "Missing in Xero",
    "Needs review",
)


def option_value(position: int) -> int:
    """The number that Dynamics stores for the choice at ``position``: the publisher's prefix and four digits."""
    return OPTION_PREFIX * 10_000 + position


SYNC_STATUS_VALUES = {label: option_value(position) for position, label in enumerate(SYNC_STATUSES)}
"""What ``tie_syncstatus`` holds for each status."""


class Type(StrEnum):
    """The kinds of column that Tieout needs."""

    TEXT = "String"
    MEMO = "Memo"
    MONEY = "Money"
    DECIMAL = "Decimal"
    WHOLE = "Integer"
    DATE = "DateOnly"
    INSTANT = "DateTime"
    CHOICE = "Picklist"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``size``: characters of a text, decimal places of a number, 0 where neither counts."""

    name: str
    label: str
    type: Type
    size: int = 0
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lookup:
    """A column that points at a row of table ``to``."""

    name: str
    label: str
    to: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table of our own, or (``own`` False) a standard one with what we add to it. ``key``: the column that must be unique."""

    name: str
    label: str
    plural: str
    about: str
    columns: tuple[Column, ...]
    lookups: tuple[Lookup, ...] = ()
    key: str = f"{PREFIX}_xeroid"
    own: bool = True

    @property
    def key_name(self) -> str:
        return f"{self.key}_key" if self.key else ""


def relationship_name(table: str, lookup: Lookup) -> str:
    """``tie_invoice_tie_payment_tie_invoiceid``: unique in the whole environment."""
    return f"{PREFIX}_{lookup.to}_{table}_{lookup.name}"


def _text(name: str, label: str, length: int) -> Column:
    return Column(f"{PREFIX}_{name}", label, Type.TEXT, length)


def _memo(name: str, label: str) -> Column:
    return Column(f"{PREFIX}_{name}", label, Type.MEMO, 4000)


def _money(name: str, label: str) -> Column:
    return Column(f"{PREFIX}_{name}", label, Type.MONEY)


def _number(name: str, label: str, places: int) -> Column:
    return Column(f"{PREFIX}_{name}", label, Type.DECIMAL, places)


def _date(name: str, label: str) -> Column:
    return Column(f"{PREFIX}_{name}", label, Type.DATE)


def _instant(name: str, label: str) -> Column:
    return Column(f"{PREFIX}_{name}", label, Type.INSTANT)


def _lookup(name: str, label: str, to: str) -> Lookup:
    return Lookup(f"{PREFIX}_{name}", label, to)


_XERO_ID = _text("xeroid", "Xero id", 100)
_STATUS = _text("status", "Xero status", 50)
_REFERENCE = _text("reference", "Reference", 255)
_DATE = _date("date", "Date")
_AMOUNT = _money("amount", "Amount")
_REMAINING = _money("remaining", "Remaining")
_TAX_TYPE = _text("taxtype", "Tax type", 50)
_BANK_ACCOUNT = _text("bankaccount", "Bank account", 100)
_CURRENCY_RATE = _number("rate", "Exchange rate in Xero", 10)

_ACCOUNT = _lookup("accountid", "Account", "account")
_CONTACT = _lookup("contactid", "Contact", "contact")
_INVOICE = _lookup("invoiceid", "Invoice", "invoice")
_CREDIT_NOTE = _lookup("creditnoteid", "Credit note", "tie_creditnote")
_PAYMENT = _lookup("paymentid", "Payment", "tie_payment")
_LEDGER_ACCOUNT = _lookup("ledgeraccountid", "Ledger account", "tie_ledgeraccount")
_TAX_RATE = _lookup("taxrateid", "Tax rate", "tie_taxrate")

OWN_TABLES = (
    Table(
        "tie_taxrate",
        "Tax rate",
        "Tax rates",
        "A tax rate as it stands in Xero.",
        (_XERO_ID, _TAX_TYPE, _number("rate", "Rate in per cent", 4), _STATUS),
    ),
    Table(
        "tie_ledgeraccount",
        "Ledger account",
        "Ledger accounts",
        "An account of Xero's chart of accounts.",
        (
            _XERO_ID,
            _text("code", "Code", 20),
            _text("type", "Type", 50),
            _text("class", "Class", 50),
            _TAX_TYPE,
            _STATUS,
        ),
    ),
    Table(
        "tie_brandingtheme",
        "Branding theme",
        "Branding themes",
        "A branding theme that Xero prints invoices with.",
        (_XERO_ID, Column("tie_sortorder", "Sort order", Type.WHOLE), _STATUS),
    ),
    Table(
        "tie_batchpayment",
        "Batch payment",
        "Batch payments",
        "One bank transaction in Xero that pays several invoices.",
        (_XERO_ID, _DATE, _AMOUNT, _REFERENCE, _STATUS, _BANK_ACCOUNT),
    ),
    Table(
        "tie_creditnote",
        "Credit note",
        "Credit notes",
        "A credit note to a customer, as it stands in Xero.",
        (
            _XERO_ID,
            _text("number", "Number", 255),
            _DATE,
            _REFERENCE,
            _STATUS,
            _money("subtotal", "Subtotal"),
            _money("totaltax", "Total tax"),
            _money("total", "Total"),
            _REMAINING,
            _CURRENCY_RATE,
        ),
        (_ACCOUNT, _CONTACT),
    ),
    Table(
        "tie_payment",
        "Payment",
        "Payments",
        "A payment, prepayment, overpayment or refund, as it stands in Xero.",
        (
            _XERO_ID,
            _text("kind", "Kind", 40),
            _DATE,
            _AMOUNT,
            _REMAINING,
            _REFERENCE,
            _STATUS,
            _CURRENCY_RATE,
            _BANK_ACCOUNT,
        ),
        (
            _INVOICE,
            _CREDIT_NOTE,
            _lookup("advanceid", "Paid from advance", "tie_payment"),
            _lookup("batchpaymentid", "Batch payment", "tie_batchpayment"),
            _ACCOUNT,
            _CONTACT,
        ),
    ),
    Table(
        "tie_creditnoteline",
        "Credit note line",
        "Credit note lines",
        "A line of a credit note.",
        (
            _XERO_ID,
            _memo("description", "Description"),
            _number("quantity", "Quantity", 5),
            _number("unitprice", "Unit price", 4),
            _AMOUNT,
            _money("tax", "Tax"),
            _text("accountcode", "Account code", 20),
            _TAX_TYPE,
            _text("itemcode", "Item code", 50),
            _STATUS,
        ),
        (_CREDIT_NOTE,),
    ),
    Table(
        "tie_allocation",
        "Credit allocation",
        "Credit allocations",
        "How much of a credit note or advance was set against an invoice.",
        (_XERO_ID, _DATE, _AMOUNT, _STATUS),
        (_INVOICE, _CREDIT_NOTE, _PAYMENT),
    ),
    Table(
        "tie_xerodetail",
        "Xero detail",
        "Xero details",
        "What Tieout knows of a record's twin in Xero and of its last sync; it stays writable when an invoice is locked.",
        (
            _text("recordkey", "Record key", 100),
            _text("entity", "Kind of record", 50),
            _XERO_ID,
            _text("xeronumber", "Xero number", 255),
            _text("xerotype", "Xero type", 50),
            _text("xerostatus", "Xero status", 50),
            Column("tie_syncstatus", "Sync status", Type.CHOICE, choices=SYNC_STATUSES),
            _text("reason", "Reason", 100),
            _instant("lastsyncedon", "Last synced on"),
            _instant("lastattempton", "Last attempt on"),
            _memo("remark", "Remark"),
            _text("link", "Link to Xero", 500),
            _money("amountdue", "Amount due"),
            _money("amountpaid", "Amount paid"),
            _money("amountcredited", "Amount credited"),
        ),
        (_ACCOUNT, _CONTACT, _INVOICE, _lookup("productid", "Product", "product"), _PAYMENT, _CREDIT_NOTE),
        key="tie_recordkey",
    ),
)

STANDARD_TABLES = (
    Table("account", "Account", "Accounts", "", (_XERO_ID,), own=False),
    Table("contact", "Contact", "Contacts", "", (_XERO_ID,), own=False),
    Table("product", "Product", "Products", "", (_XERO_ID,), (_LEDGER_ACCOUNT, _TAX_RATE), own=False),
    Table("invoice", "Invoice", "Invoices", "", (_XERO_ID, _date("invoicedate", "Invoice date")), own=False),
    Table(
        "invoicedetail",
        "Invoice line",
        "Invoice lines",
        "",
        (_text("xerolineid", "Xero line id", 100),),
        (_LEDGER_ACCOUNT, _TAX_RATE),
        key="",
        own=False,
    ),
)

TABLES = OWN_TABLES + STANDARD_TABLES
