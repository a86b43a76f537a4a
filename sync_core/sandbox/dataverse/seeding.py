"""Puts the demo company into the environment: organisation and users, master data, and invoices with lines.

Rows are made directly, many at a time, but invoices get their amounts from the same pricing as the API gives them.
Stored rows hold what differs from a column's default, so that a hundred thousand invoices fit in memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.invoicing import figures, set_line_amounts, write_totals
from sync_core.sandbox.dataverse.values import rounded
from sync_core.sandbox.identity import credentials
from sync_core.sandbox.kernel import Kernel, Row
from sync_core.sandbox.world import BASE_CURRENCY, Company, Invoice, Line, Party, Product

SYMBOLS = {"NZD": "$", "AUD": "A$", "USD": "US$", "EUR": "€", "GBP": "£", "JPY": "¥"}
WHOLE = {"JPY", "KRW"}
STATES = {"active": (0, 1), "billed": (0, 4), "paid": (2, 100001), "partial": (2, 100002), "canceled": (3, 100003)}
ACTIVE = {"statecode": 0, "statuscode": 1}
NOON, MORNING = time(12, tzinfo=UTC), time(21, tzinfo=UTC)
PRICE_DIGITS = 2
FOUNDED = timedelta(days=400)
ZERO = Decimal(0)


@dataclass(slots=True)
class _Seeder:
    """Makes rows for one company; ids follow from the kernel's seed and the company's keys."""

    env: Environment
    company: Company
    person: str
    founded: datetime
    rates: dict[str, Decimal] = field(default_factory=dict)
    prices: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    known: dict[tuple[str, str], str] = field(default_factory=dict)

    def id(self, kind: str, key: str) -> str:
        """The id of a row that others refer to; kept, since making one costs more than all else about a line."""
        found = self.known.get((kind, key))
        if found is None:
            found = self.known[kind, key] = self.env.kernel.stable_id("dataverse", kind, key)
        return found

    def row(self, table: str, key: str, values: dict[str, Any], at: datetime | None = None) -> Row:
        """A row with its stamps and a version; ``None`` values are left out."""
        made = at or self.founded
        row = {name: value for name, value in values.items() if value is not None and value != ""}
        row |= {"createdon": made, "modifiedon": made, "createdby": self.person, "modifiedby": self.person}
        row[self.env.catalog.tables[table].primary_id] = self.env.kernel.stable_id("dataverse", table, key)
        row["versionnumber"] = self.env.store.next_version()
        return row

    def load(self, table: str, rows: Iterable[Row]) -> None:
        self.env.store.rows(table).load(rows)


def seed(kernel: Kernel, company: Company) -> None:
    """Fill the environment with ``company``: whatever of it stands in Dynamics."""
    env = Environment.of(kernel)
    known = credentials(kernel)
    days = [invoice.date for invoice in company.invoices] or [kernel.clock.now().date()]
    founded = datetime.combine(min(days), NOON) - FOUNDED
    seeder = _Seeder(env, company, known.dynamics_person_user_id, founded)
    _currencies(seeder)
    _organization(seeder)
    _users(seeder)
    _products(seeder)
    _parties(seeder)
    _invoices(seeder)


def _currencies(seeder: _Seeder) -> None:
    rows = []
    for code, name, rate in seeder.company.currencies:
        seeder.rates[code] = rounded(rate, 10)
        values = {
            "isocurrencycode": code,
            "currencyname": name,
            "exchangerate": seeder.rates[code],
            "currencysymbol": SYMBOLS.get(code, code),
            "currencyprecision": 0 if code in WHOLE else 2,
        }
        rows.append(seeder.row("transactioncurrency", code, values | ACTIVE))
    seeder.load("transactioncurrency", rows)


def _organization(seeder: _Seeder) -> None:
    base = seeder.id("transactioncurrency", BASE_CURRENCY)
    name = {"name": seeder.company.name}
    seeder.load("organization", [seeder.row("organization", "", name | {"basecurrencyid": base})])
    seeder.load("businessunit", [seeder.row("businessunit", "", name)])


def _users(seeder: _Seeder) -> None:
    """The application user of the engine, and the person who works in the CRM."""
    known = credentials(seeder.env.kernel)
    engine: dict[str, Any] = {
        "firstname": "#",
        "lastname": "Tieout",
        "applicationid": known.dynamics_client_id,
        "accessmode": 4,
    }
    human: dict[str, Any] = {"firstname": "Mere", "lastname": "Parata", "applicationid": known.dynamics_person_client_id}
    ids = (known.dynamics_user_id, known.dynamics_person_user_id)
    rows = []
    for user, values in zip(ids, (engine, human), strict=True):
        full = {"fullname": f"{values['firstname']} {values['lastname']}", "businessunitid": seeder.id("businessunit", "")}
        rows.append(seeder.row("systemuser", "", values | full) | {"systemuserid": user})
    seeder.load("systemuser", rows)


def _products(seeder: _Seeder) -> None:
    """One unit, one price list for each currency, and every product published with a price in each list."""
    unit, group = seeder.id("uom", "each"), seeder.id("uomschedule", "default")
    schedule = {"name": "Default Unit", "baseuomname": "Each"}
    seeder.load("uomschedule", [seeder.row("uomschedule", "default", schedule | ACTIVE)])
    each = {"name": "Each", "quantity": Decimal(1), "uomscheduleid": group, "isschedulebaseuom": True}
    seeder.load("uom", [seeder.row("uom", "each", each)])
    seeder.load("pricelevel", [_price_list(seeder, code, name) for code, name, _ in seeder.company.currencies])
    products = [p for p in seeder.company.products if p.in_crm]
    home = seeder.id("pricelevel", BASE_CURRENCY)
    seeder.load("product", [_product(seeder, p, unit, group, home) for p in products])
    seeder.load("productpricelevel", [row for p in products for row in _prices(seeder, p, unit, group)])


def _in_currency(seeder: _Seeder, code: str) -> dict[str, Any]:
    return {"transactioncurrencyid": seeder.id("transactioncurrency", code), "exchangerate": seeder.rates.get(code)}


def _price_list(seeder: _Seeder, code: str, name: str) -> Row:
    values = {"name": f"{code} price list ({name})", "statecode": 0, "statuscode": 100001}
    return seeder.row("pricelevel", code, values | _in_currency(seeder, code))


def _product(seeder: _Seeder, product: Product, unit: str, group: str, price_list: str) -> Row:
    values = {
        "name": product.name,
        "productnumber": product.code,
        "defaultuomid": unit,
        "defaultuomscheduleid": group,
        "pricelevelid": price_list,
        "quantitydecimal": 2,
        "price": rounded(product.price, PRICE_DIGITS),
    }
    return seeder.row("product", product.key, values | _in_currency(seeder, BASE_CURRENCY) | ACTIVE)


def _prices(seeder: _Seeder, product: Product, unit: str, group: str) -> Iterable[Row]:
    for code, rate in seeder.rates.items():
        amount = seeder.prices[product.key, code] = rounded(product.price * rate, PRICE_DIGITS)
        values = {
            "pricelevelid": seeder.id("pricelevel", code),
            "productid": seeder.id("product", product.key),
            "uomid": unit,
            "uomscheduleid": group,
            "amount": amount,
        }
        yield seeder.row("productpricelevel", f"{code}/{product.key}", values | _in_currency(seeder, code))


def _parties(seeder: _Seeder) -> None:
    present = [p for p in seeder.company.parties if p.in_crm]
    seeder.kinds = {p.key: p.kind for p in seeder.company.parties}
    seeder.load("account", [_account(seeder, p) for p in present if p.kind == "account"])
    seeder.load("contact", [_contact(seeder, p) for p in present if p.kind == "contact"])


def _common(seeder: _Seeder, party: Party) -> dict[str, Any]:
    return {
        "emailaddress1": party.email,
        "telephone1": party.phone,
        "address1_line1": party.street,
        "address1_city": party.city,
        "address1_postalcode": party.postcode,
        "address1_country": party.country,
        "customertypecode": party.customer_type_code,
        "ownerid": seeder.person,
        **_in_currency(seeder, party.currency),
        **ACTIVE,
    }


def _account(seeder: _Seeder, party: Party) -> Row:
    parent = seeder.id("account", party.parent) if party.parent else None
    own = {"name": party.name, "accountnumber": party.account_number, "parentaccountid": parent}
    return seeder.row("account", party.key, own | _common(seeder, party))


def _contact(seeder: _Seeder, party: Party) -> Row:
    first, last = party.first_name, party.last_name
    if not first and not last:
        first, _, last = party.name.rpartition(" ")
    parent = seeder.kinds.get(party.parent or "")
    own = {
        "firstname": first,
        "lastname": last,
        "fullname": " ".join(part for part in (first, last) if part),
        "parentcustomerid": seeder.id(parent, party.parent or "") if parent else None,
        "parentcustomeridtype": parent,
    }
    return seeder.row("contact", party.key, own | _common(seeder, party))


def _invoices(seeder: _Seeder) -> None:
    """Invoices with their lines; each invoice's state is set as the rows are made, after its amounts."""
    invoices, lines = [], []
    for invoice in seeder.company.invoices:
        if invoice.crm is not None:
            row, below = _invoice(seeder, invoice)
            invoices.append(row)
            lines += below
    seeder.load("invoice", invoices)
    seeder.load("invoicedetail", lines)


def _invoice(seeder: _Seeder, invoice: Invoice) -> tuple[Row, list[Row]]:
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
    row = seeder.row("invoice", invoice.key, values | _in_currency(seeder, invoice.currency), at)
    lines = [_line(seeder, invoice, row, number, line) for number, line in enumerate(invoice.lines, start=1)]
    write_totals(row, (figures(line) for line in lines), seeder.env.currency(row)[1])
    return row, lines


def _line(seeder: _Seeder, invoice: Invoice, header: Row, number: int, line: Line) -> Row:
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


def _what(seeder: _Seeder, invoice: Invoice, line: Line) -> dict[str, Any]:
    """A write-in, or a product whose price is overridden where it is not the list's."""
    price = seeder.prices.get((line.product or "", invoice.currency))
    if line.product is None or price is None:
        return {"isproductoverridden": True, "productdescription": line.description}
    overridden = True if price != line.unit_price else None
    product = {"productid": seeder.id("product", line.product), "uomid": seeder.id("uom", "each")}
    return {**product, "ispriceoverridden": overridden, "description": line.description}
