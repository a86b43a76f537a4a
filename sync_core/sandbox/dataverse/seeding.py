"""Puts the demo company into the environment: organisation and users, master data, and invoices with lines.

Rows are made directly, many at a time, but invoices get their amounts from the same pricing as the API gives them.
Stored rows hold what differs from a column's default, so that a hundred thousand invoices fit in memory.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.invoicing import figures, set_line_amounts, write_totals
from sync_core.sandbox.dataverse.seeding_master import (
    PRICE_DIGITS,
    Seeder,
    in_currency,
    seed_currencies,
    seed_organization,
    seed_parties,
    seed_products,
    seed_users,
)
from sync_core.sandbox.dataverse.values import rounded
from sync_core.sandbox.identity import credentials
from sync_core.sandbox.kernel import Kernel, Row
from sync_core.sandbox.world import Company, Invoice, Line

STATES = {"active": (0, 1), "billed": (0, 4), "paid": (2, 100001), "partial": (2, 100002), "canceled": (3, 100003)}
NOON, MORNING = time(12, tzinfo=UTC), time(21, tzinfo=UTC)
FOUNDED = timedelta(days=400)


def seed(kernel: Kernel, company: Company) -> None:
    """Fill the environment with ``company``: whatever of it stands in Dynamics."""
    env = Environment.of(kernel)
    known = credentials(kernel)
    days = [invoice.date for invoice in company.invoices] or [kernel.clock.now().date()]
    founded = datetime.combine(min(days), NOON) - FOUNDED
    seeder = Seeder(env, company, known.dynamics_person_user_id, founded)
    seed_currencies(seeder)
    seed_organization(seeder)
    seed_users(seeder)
    seed_products(seeder)
    seed_parties(seeder)
    _invoices(seeder)


def _invoices(seeder: Seeder) -> None:
    """Invoices with their lines; each invoice's state is set as the rows are made, after its amounts."""
    invoices, lines = [], []
    for invoice in seeder.company.invoices:
        if invoice.crm is not None:
            row, below = _invoice(seeder, invoice)
            invoices.append(row)
            lines += below
    seeder.load("invoice", invoices)
    seeder.load("invoicedetail", lines)


def _invoice(seeder: Seeder, invoice: Invoice) -> tuple[Row, list[Row]]:
    at = datetime.combine(invoice.date, MORNING)
    state, reason = STATES[invoice.crm or "billed"]
    kind = seeder.kinds[invoice.party]
    values = {
        "name": invoice.reference or f"Invoice {invoice.number}",
        "invoicenumber": invoice.number,
        "customerid": seeder.id(kind, invoice.party),
        "customeridtype": kind,
        "pricelevelid": seeder.id("pricelevel", invoice.currency),
        "duedate": invoice.due,
        "datedelivered": datetime.combine(invoice.date, NOON),
        "ownerid": seeder.person,
        "statecode": state,
        "statuscode": reason,
    }
    row = seeder.row("invoice", invoice.key, values | in_currency(seeder, invoice.currency), at)
    lines = [_line(seeder, invoice, row, number, line) for number, line in enumerate(invoice.lines, start=1)]
    write_totals(row, (figures(line) for line in lines), seeder.env.currency(row)[1])
    return row, lines


def _line(seeder: Seeder, invoice: Invoice, header: Row, number: int, line: Line) -> Row:
    values = {
        "invoiceid": header["invoiceid"],
        "lineitemnumber": number,
        "quantity": line.quantity,
        "priceperunit": rounded(line.unit_price, PRICE_DIGITS),
        "tax": line.tax or None,
        "manualdiscountamount": line.discount or None,
        "transactioncurrencyid": header["transactioncurrencyid"],
        "exchangerate": header["exchangerate"],
        **_what(seeder, invoice, line),
    }
    row = seeder.row("invoicedetail", f"{invoice.key}/{number}", values, header["createdon"])
    set_line_amounts(seeder.env, row, header)
    return row


def _what(seeder: Seeder, invoice: Invoice, line: Line) -> dict[str, Any]:
    """A write-in, or a product whose price is overridden where it is not the list's."""
    price = seeder.prices.get((line.product or "", invoice.currency))
    if line.product is None or price is None:
        return {"isproductoverridden": True, "productdescription": line.description}
    overridden = True if price != line.unit_price else None
    product = {"productid": seeder.id("product", line.product), "uomid": seeder.id("uom", "each")}
    return {**product, "ispriceoverridden": overridden, "description": line.description}
