"""What the books in Xero allow, and how it is said when they do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sync_core.model import Status


@dataclass(frozen=True, slots=True)
class Books:
    """What the Xero organisation allows: locked dates (inclusive), currencies, and the codes that may be used.

    ``items``: product code -> (ledger account, tax rate) that Xero holds for its sale. ``default_account`` and
    ``default_tax``: used for product lines without their own, "" when nobody chose any. ``tax_rates``: percent per tax type.
    ``banks``: accounts that take payments, by their id, and the currency of each; ``base_currency``: the organisation's own.
    ``freight_account`` and ``freight_tax``: what a person chose for the freight of a whole invoice, "" for not yet.
    ``xero_computes_tax``: a person chose that lines without tax in Dynamics get it from their tax rate in Xero.
    """

    locked_until: date | None = None
    currencies: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    taxes: frozenset[str] = frozenset()
    tax_rates: Mapping[str, Decimal] = field(default_factory=dict)
    items: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    default_account: str = ""
    default_tax: str = ""
    freight_account: str = ""
    freight_tax: str = ""
    xero_computes_tax: bool = False
    banks: Mapping[str, str] = field(default_factory=dict)
    base_currency: str = ""


@dataclass(frozen=True, slots=True)
class Hindrance:
    """The first rule that failed: its name, how the record stands because of it, and what a person reads."""

    rule: str
    status: Status
    remark: str
