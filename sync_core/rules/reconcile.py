"""The reconciliation's words and sums: what is asked for, how amounts are signed, and control totals per currency.

The matching itself is set-based and stands in ``store/reconciliation.sql``. Everything here is pure; money is ``Decimal`` in
the document's currency, differences are Dynamics minus Xero, and nothing is ever added across currencies.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from sync_core.model import ControlTotal, MatchStatus
from sync_core.rules.reasons import UNEXPLAINED, Reason

ZERO = Decimal("0.0000")

DECIMALS: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV"), 0),
        **dict.fromkeys(("XAF", "XOF", "XPF"), 0),
        **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
        **dict.fromkeys(("CLF", "UYW"), 4),
    }
)
"""Currencies whose smallest unit is not a hundredth (ISO 4217, amendment 176)."""


def decimals(currency: str) -> int:
    """How many decimals amounts of ``currency`` have; two where it is not known to differ."""
    return DECIMALS.get(currency, 2)


def amount_text(amount: Decimal, currency: str) -> str:
    """``amount`` with the currency's decimals, and more only where cutting them would change it. Never an exponent."""
    quantum = Decimal(1).scaleb(-decimals(currency))
    rounded = amount.quantize(quantum)
    text = f"{rounded if rounded == amount else amount.normalize():f}"
    return text.removeprefix("-") if rounded == amount == 0 else text


def grouped_text(amount: Decimal, currency: str) -> str:
    """The same for people: "1,204.05". Files keep :func:`amount_text`, which every program reads."""
    return f"{Decimal(amount_text(amount, currency)):,f}"


@dataclass(frozen=True, slots=True)
class Family:
    """How the documents of an entity count: the sign of their amounts, and the kinds whose sign is turned round."""

    entity: str
    sign: int
    turned: tuple[str, ...] = ()


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        family.entity: family
        for family in (
            Family("invoices", 1),
            Family("credit_notes", -1),
            Family("payments", -1, ("ARCREDITPAYMENT", "AROVERPAYMENTPAYMENT", "ARPREPAYMENTPAYMENT")),
            Family("allocations", -1),
            Family("batch_payments", -1),
        )
    }
)
"""Entities with amounts. In all others only records are counted. The turned kinds are Xero's refunds."""


CRM_INVOICE_STATES: Mapping[str, str] = MappingProxyType({"0": "Active", "1": "Closed", "2": "Paid", "3": "Canceled"})
"""Dynamics' ``statecode`` of an invoice (Dataverse table reference), as its forms call it."""


class Sort(StrEnum):
    """What rows can be sorted by."""

    NUMBER = "number"
    CONTACT = "contact"
    DATE = "date"
    DUE_DATE = "due date"
    STATUS = "status"
    REASON = "reason"
    CURRENCY = "currency"
    DIFFERENCE = "difference"
    CRM_TOTAL = "Dynamics total"
    XERO_TOTAL = "Xero total"


@dataclass(frozen=True, slots=True)
class Filters:
    """What is on screen. Empty means all. ``amount`` is found on either side or in the difference, whatever its sign.

    ``contact`` and ``search`` are plain text found anywhere, in any case. ``since`` and ``until`` are document dates, both
    included; undated records are left out when either is given. ``rows`` picks rows by their id.
    """

    statuses: tuple[MatchStatus, ...] = ()
    reasons: tuple[Reason, ...] = ()
    currency: str | None = None
    contact: str = ""
    search: str = ""
    since: date | None = None
    until: date | None = None
    amount: Decimal | None = None
    rows: tuple[str, ...] = ()
    sort: Sort = Sort.NUMBER
    descending: bool = False

    def as_json(self) -> dict[str, object]:
        """What was asked for, without what was left open: for the control file and the address of a page."""
        given: dict[str, object] = {
            "status": [str(status) for status in self.statuses],
            "reason": [str(reason) for reason in self.reasons],
            "currency": self.currency,
            "contact": self.contact,
            "search": self.search,
            "since": self.since and self.since.isoformat(),
            "until": self.until and self.until.isoformat(),
            "amount": None if self.amount is None else f"{self.amount:f}",
            "rows": list(self.rows),
        }
        order = {"sort": str(self.sort), "descending": self.descending}
        return {name: value for name, value in given.items() if value not in (None, "", [])} | order


@dataclass(frozen=True, slots=True)
class Terms:
    """What is decided beforehand: tolerance per currency, rows set aside with the reason, and what Xero's books are like.

    A difference is within tolerance when it is at most ``tolerance`` (an amount) or at most ``percent`` of the larger total.
    ``base_currency``: the currency that Xero keeps its books in, "" when it is not known. ``locked_until``: the last day of
    Xero's locked period. ``apart``: pairs (Dynamics id, Xero id) that a person took apart: no pass brings them together.
    """

    tolerance: Mapping[str, Decimal] = field(default_factory=dict)
    ignored: Mapping[str, str] = field(default_factory=dict)
    percent: Mapping[str, Decimal] = field(default_factory=dict)
    base_currency: str = ""
    locked_until: date | None = None
    apart: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What is small enough in one currency: an amount, or a percentage of the larger total, whichever allows more."""

    currency: str
    absolute: Decimal
    percent: Decimal = Decimal(0)


EVERYTHING = Filters()
NO_TERMS = Terms()


@dataclass(frozen=True, slots=True)
class Part:
    """All rows of one currency, status and reason, added up."""

    currency: str
    status: MatchStatus
    reason: Reason
    rows: int
    crm_count: int
    xero_count: int
    crm: Decimal
    xero: Decimal


@dataclass(frozen=True, slots=True)
class Share:
    """The part of some rows' differences that has another reason than the rows themselves: it counts under ``to``."""

    currency: str
    reason: Reason
    to: Reason
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The sums of a reconciliation. ``statuses`` has every :class:`MatchStatus` as a key and adds up to ``rows``."""

    entity: str
    rows: int
    statuses: Mapping[MatchStatus, int]
    totals: tuple[ControlTotal, ...]
    reasons: Mapping[Reason, int] = field(default_factory=dict)


def reconciliation(entity: str, parts: Iterable[Part], shares: Iterable[Share] = ()) -> Reconciliation:
    """Status counts and control totals of ``parts``. Currencies come in alphabetical order.

    ``shares`` move amounts from one reason of a currency to another; sums and counts of rows stay what they are.
    """
    statuses = dict.fromkeys(MatchStatus, 0)
    reasons: dict[Reason, int] = defaultdict(int)
    currencies: dict[str, list[Part]] = defaultdict(list)
    for part in parts:
        statuses[part.status] += part.rows
        reasons[part.reason] += part.rows
        currencies[part.currency].append(part)
    moved: dict[str, list[Share]] = defaultdict(list)
    for share in shares:
        moved[share.currency].append(share)
    totals = tuple(control_total(currency, currencies[currency], moved[currency]) for currency in sorted(currencies))
    return Reconciliation(entity, sum(statuses.values()), statuses, totals, dict(reasons))


def control_total(currency: str, parts: Iterable[Part], shares: Iterable[Share] = ()) -> ControlTotal:
    """One currency added up. ``by_reason`` holds every difference that is not zero; those of no reason are unexplained."""
    parts = list(parts)
    by_reason: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for part in parts:
        by_reason[part.reason or Reason.OTHER] += part.crm - part.xero
    for share in shares:
        by_reason[share.reason or Reason.OTHER] -= share.amount
        by_reason[share.to or Reason.OTHER] += share.amount
    crm, xero = sum((p.crm for p in parts), ZERO), sum((p.xero for p in parts), ZERO)
    explained = sum((amount for reason, amount in by_reason.items() if reason not in UNEXPLAINED), ZERO)
    return ControlTotal(
        currency=currency,
        crm_count=sum(part.crm_count for part in parts),
        xero_count=sum(part.xero_count for part in parts),
        crm=crm,
        xero=xero,
        difference=crm - xero,
        explained=explained,
        unexplained=crm - xero - explained,
        by_reason={str(reason): amount for reason, amount in by_reason.items() if amount},
    )


def as_json(result: Reconciliation) -> dict[str, object]:
    """The shape that the command line prints. Amounts are text with the currency's own decimals."""
    totals = [
        {"currency": total.currency}
        | {
            name: amount_text(getattr(total, name), total.currency)
            for name in ("crm", "xero", "difference", "explained", "unexplained")
        }
        for total in result.totals
    ]
    return {
        "rows": result.rows,
        "status": {str(status): count for status, count in result.statuses.items()},
        "totals": totals,
    }
