"""The demo company's everyday papers: invoices on which both systems agree, payments, new work in Dynamics.

Amounts add up to the cent: tax is rounded half up per line, as Xero does, so that a pair agrees exactly
unless it is told otherwise.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sync_core.sandbox.company_master import PARTIES, PRODUCTS, RATES, TAX_RATES
from sync_core.sandbox.world import Invoice, Line, Payment

TODAY = date(2026, 11, 20)
CENT = Decimal("0.01")
TERMS = timedelta(days=20)
_PRODUCTS = {product.key: product for product in PRODUCTS}
_PERCENT = {rate.tax_type: rate.rate for rate in TAX_RATES}
_CURRENCY = {party.key: party.currency for party in PARTIES}


def cents(amount: Decimal) -> Decimal:
    """Rounded half up to two decimals."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def goods(key: str, quantity: int | str = 1, price: str | None = None, **other: Any) -> Line:
    """A line of a product; ``price`` overrides the list price, ``other`` any field of the line."""
    product = _PRODUCTS[key]
    values = {
        "description": product.name,
        "unit_price": Decimal(price) if price else product.price,
        "product": key,
        "account_code": product.account_code,
        "tax_type": product.tax_type,
        **other,
    }
    return _taxed(Decimal(quantity), values)


def write_in(description: str, price: str, quantity: int | str = 1, **other: Any) -> Line:
    """A line of free text, coded to sales unless ``other`` says otherwise."""
    values = {"description": description, "unit_price": Decimal(price), "tax_type": "OUTPUT2", **other}
    return _taxed(Decimal(quantity), values)


def _taxed(quantity: Decimal, values: dict[str, Any]) -> Line:
    net = cents(quantity * values["unit_price"]) - values.get("discount", 0)
    percent = _PERCENT[values["tax_type"]] if values["tax_type"] else Decimal(0)
    return Line(quantity=quantity, **{"tax": cents(net * percent / 100), **values})


def line_total(line: Line) -> Decimal:
    """What the line comes to with tax."""
    return cents(line.quantity * line.unit_price) - line.discount + line.tax


def total(lines: tuple[Line, ...]) -> Decimal:
    """What the lines come to with tax, in the currency of their paper."""
    return sum((line_total(line) for line in lines), Decimal(0))


def day(days_ago: int) -> date:
    """A date so many days before the company's fixed today."""
    return TODAY - timedelta(days=days_ago)


def sale(number: int, party: str, days_ago: int, *lines: Line, **other: Any) -> Invoice:
    """Invoice HP-``number``, due after the company's terms, in the customer's currency."""
    currency = _CURRENCY[party]
    values: dict[str, Any] = {
        "key": f"inv-{number}",
        "number": f"HP-{number}",
        "party": party,
        "date": day(days_ago),
        "due": day(days_ago) + TERMS,
        "lines": lines,
        "currency": currency,
        "rate": RATES[currency],
        "reference": f"PO {number + 6400}",
        **other,
    }
    return Invoice(**values)


def payment(invoice: Invoice, days_ago: int, amount: str | None = None, **other: Any) -> Payment:
    """Money for ``invoice``: all of it unless ``amount`` says how much."""
    values: dict[str, Any] = {
        "key": f"pay-{invoice.key}",
        "document": invoice.key,
        "amount": Decimal(amount) if amount else total(invoice.lines_in_xero or invoice.lines),
        "date": day(days_ago),
        "reference": invoice.number,
        "rate": invoice.rate,
        **other,
    }
    return Payment(**values)


FIRST_NUMBER = 1001
_REGULARS = (
    "kahu",
    "maitai",
    "sounds",
    "alpine",
    "orchard",
    "lodge",
    "ferry",
    "cutsew",
    "mere",
    "tom",
    "priya",
)


def everyday(chance: random.Random) -> tuple[list[Invoice], list[Payment]]:
    """Papers of the last months on which both systems agree: seven paid, two paid in part, three open."""
    invoices: list[Invoice] = []
    payments: list[Payment] = []
    for index in range(12):
        ago = 128 - 10 * index
        lines = tuple(goods(product.key, chance.randint(1, 4)) for product in chance.sample(PRODUCTS, k=chance.randint(1, 3)))
        paid = index < 7
        invoice = sale(FIRST_NUMBER + index, chance.choice(_REGULARS), ago, *lines, crm="paid" if paid else "billed")
        invoices.append(invoice)
        if paid:
            payments.append(payment(invoice, ago - 15))
        elif index < 9:
            payments.append(payment(invoice, ago - 12, "20.00", reference="Deposit"))
    return invoices, payments


def new_in_dynamics() -> list[Invoice]:
    """Work that the first sync creates in Xero; two of the customers are new there as well."""
    return [
        sale(1071, "kahu", 6, goods("tent", 2), goods("fitting", 1), xero=None),
        sale(1072, "newclub", 5, goods("socks", 24), goods("pack", 6, discount=Decimal("95.70")), xero=None),
        sale(1073, "liam", 4, goods("repair", "1.5"), goods("stove"), xero=None),
        sale(1074, "sofia", 3, write_in("Guided walk, half day", "140.00", account_code="260"), xero=None),
        sale(1075, "maitai", 2, goods("jacket", 12), xero=None, crm="active"),
    ]
