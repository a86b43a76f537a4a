"""Generated customers and invoices by the hundred thousand, for trials at scale.

Three lines each, drawn from a pool that is made once, so that one sum is all there is to compute per invoice.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

from sync_core.sandbox.company_master import CUSTOMER, PRODUCTS
from sync_core.sandbox.company_sales import TERMS, day, goods, line_total
from sync_core.sandbox.world import Invoice, Line, Party, Payment

PER_CUSTOMER = 20
MOST_CUSTOMERS = 5000
PAID, DIFFERING, ONLY_IN_CRM = 0.60, 0.03, 0.02
_OLDEST = 140
_FIRST = (
    "Amber",
    "Bay",
    "Cedar",
    "Dune",
    "Ember",
    "Fern",
    "Gully",
    "Harakeke",
    "Inlet",
    "Juniper",
    "Kea",
    "Lupin",
)
_SECOND = (
    "Bakery",
    "Books",
    "Cycles",
    "Dental",
    "Farm",
    "Garage",
    "Hotel",
    "Joinery",
    "Kitchens",
    "Pharmacy",
)
_THIRD = (
    "Nelson",
    "Picton",
    "Blenheim",
    "Motueka",
    "Takaka",
    "Westport",
    "Hokitika",
    "Kaikōura",
    "Timaru",
    "Gore",
)


@dataclass(slots=True)
class Bulk:
    """What was generated."""

    parties: list[Party] = field(default_factory=list)
    invoices: list[Invoice] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Pool:
    lines: list[Line]
    totals: dict[int, Decimal]
    days: list[tuple[date, date, date]]


def generate(chance: random.Random, count: int) -> Bulk:
    """``count`` invoices: most in both systems and equal, 60 % paid, 3 % differing, 2 % only in Dynamics."""
    bulk = Bulk()
    if count <= 0:
        return bulk
    bulk.parties = _customers(min(MOST_CUSTOMERS, max(5, count // PER_CUSTOMER)))
    pool = _pool()
    for index in range(count):
        _one(bulk, pool, chance, index)
    return bulk


def _customers(count: int) -> list[Party]:
    names = [" ".join(words) for words in product(_FIRST, _SECOND, _THIRD)]
    return [
        Party(
            f"bulk-{index}",
            "account",
            names[index % len(names)] + (f" {index // len(names) + 1}" if index >= len(names) else ""),
            email=f"accounts{index}@bulk.example",
            account_number=f"B-{index:05d}",
            customer_type_code=CUSTOMER,
        )
        for index in range(count)
    ]


def _pool() -> _Pool:
    lines = [goods(item.key, quantity) for item in PRODUCTS for quantity in range(1, 13)]
    days = [(day(ago), day(ago) + TERMS, day(ago) + timedelta(days=min(ago, 17))) for ago in range(_OLDEST)]
    return _Pool(lines, {id(line): line_total(line) for line in lines}, days)


def _one(bulk: Bulk, pool: _Pool, chance: random.Random, index: int) -> None:
    draw = chance.random()
    lines = tuple(chance.choices(pool.lines, k=3))
    issued, due, received = pool.days[index % _OLDEST]
    paid = draw < PAID
    invoice = Invoice(
        f"bulk-inv-{index}",
        f"B-{index + 1:06d}",
        bulk.parties[index % len(bulk.parties)].key,
        issued,
        due,
        lines,
        reference=f"PO B{index + 1}",
        crm="paid" if paid else "billed",
        xero=None if draw >= 1 - ONLY_IN_CRM else "AUTHORISED",
    )
    if 1 - ONLY_IN_CRM - DIFFERING <= draw < 1 - ONLY_IN_CRM:
        invoice = _differing(invoice, pool, chance)
    bulk.invoices.append(invoice)
    if paid:
        amount = sum((pool.totals[id(line)] for line in lines), Decimal(0))
        bulk.payments.append(Payment(f"bulk-pay-{index}", invoice.key, amount, received, invoice.number))


def _differing(invoice: Invoice, pool: _Pool, chance: random.Random) -> Invoice:
    if chance.random() < 0.5:
        return replace(invoice, due_in_xero=invoice.due + timedelta(days=7))
    other = next(line for line in pool.lines if line not in invoice.lines)
    return replace(invoice, lines_in_xero=(*invoice.lines[:2], other))
