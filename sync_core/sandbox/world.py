"""A company in neutral terms: what it sells, to whom, and which papers exist in which of the two systems.

``dataverse.seed`` and ``xero.seed`` each project a :class:`Company` into their own rows.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

BASE_CURRENCY = "NZD"


@dataclass(frozen=True, slots=True)
class Party:
    """A customer or supplier. ``key`` is unique in the company and stable for a seed."""

    key: str
    kind: Literal["account", "contact"]
    name: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    street: str = ""
    city: str = ""
    postcode: str = ""
    country: str = "New Zealand"
    account_number: str = ""
    customer_type_code: int | None = None
    currency: str = BASE_CURRENCY
    in_crm: bool = True
    in_xero: bool = True
    archived_in_xero: bool = False
    name_in_xero: str | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Product:
    key: str
    code: str
    name: str
    price: Decimal
    account_code: str | None = "200"
    tax_type: str | None = "OUTPUT2"
    in_crm: bool = True
    in_xero: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """One line. ``unit_price`` excludes tax; ``discount`` is an amount; ``tax`` what Dynamics holds."""

    description: str
    quantity: Decimal
    unit_price: Decimal
    tax: Decimal
    product: str | None = None
    discount: Decimal = Decimal(0)
    account_code: str | None = "200"
    tax_type: str | None = "OUTPUT2"


CrmState = Literal["active", "billed", "paid", "partial", "canceled"]
XeroStatus = Literal["DRAFT", "SUBMITTED", "AUTHORISED", "VOIDED", "DELETED"]


@dataclass(frozen=True, slots=True)
class Invoice:
    """A sale. ``crm`` and ``xero`` say in which system it stands and in which state; None: it is not there.

    ``*_in_xero`` overrides carry the troubles on purpose: a value other than the one Dynamics holds.
    PAID in Xero is never seeded directly: it follows from the payments and credits.
    """

    key: str
    number: str
    party: str
    date: dt.date
    due: dt.date
    lines: tuple[Line, ...]
    currency: str = BASE_CURRENCY
    rate: Decimal = Decimal(1)
    reference: str = ""
    crm: CrmState | None = "billed"
    xero: XeroStatus | None = "AUTHORISED"
    lines_in_xero: tuple[Line, ...] | None = None
    due_in_xero: dt.date | None = None
    number_in_xero: str | None = None
    party_in_xero: str | None = None
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """Money received in Xero against one invoice, or a refund of a credit note, prepayment or overpayment."""

    key: str
    document: str
    amount: Decimal
    date: dt.date
    reference: str = ""
    batch: str | None = None
    bank_code: str = "090"
    rate: Decimal = Decimal(1)
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Advance:
    """A prepayment or an overpayment in Xero, with what of it is allocated to which invoice (by key)."""

    key: str
    kind: Literal["prepayment", "overpayment"]
    party: str
    amount: Decimal
    date: dt.date
    reference: str = ""
    allocations: tuple[tuple[str, Decimal], ...] = ()
    currency: str = BASE_CURRENCY


@dataclass(frozen=True, slots=True)
class CreditNote:
    key: str
    number: str
    party: str
    date: dt.date
    lines: tuple[Line, ...]
    allocations: tuple[tuple[str, Decimal], ...] = ()
    reference: str = ""
    currency: str = BASE_CURRENCY
    rate: Decimal = Decimal(1)
    status: XeroStatus = "AUTHORISED"
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class LedgerAccount:
    code: str
    name: str
    type: str
    tax_type: str = "NONE"
    klass: str = "REVENUE"
    enable_payments: bool = False
    system_account: str | None = None
    archived: bool = False


@dataclass(frozen=True, slots=True)
class TaxRate:
    tax_type: str
    name: str
    rate: Decimal
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Company:
    """Everything that is seeded. Lists are in creation order; parents come before children."""

    name: str
    organisation_short_code: str
    period_lock_date: dt.date | None
    currencies: tuple[tuple[str, str, Decimal], ...]
    ledger_accounts: tuple[LedgerAccount, ...]
    tax_rates: tuple[TaxRate, ...]
    branding_themes: tuple[str, ...]
    contact_groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    parties: tuple[Party, ...] = ()
    products: tuple[Product, ...] = ()
    invoices: tuple[Invoice, ...] = ()
    batches: tuple[str, ...] = ()
    payments: tuple[Payment, ...] = ()
    advances: tuple[Advance, ...] = ()
    credit_notes: tuple[CreditNote, ...] = field(default_factory=tuple)
