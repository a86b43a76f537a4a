"""The demo company's master data in Dynamics: currencies, organisation, users, price lists, products, customers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.values import rounded
from sync_core.sandbox.identity import credentials
from sync_core.sandbox.kernel import Row
from sync_core.sandbox.world import BASE_CURRENCY, Company, Party, Product

SYMBOLS = {"NZD": "$", "AUD": "A$", "USD": "US$", "EUR": "€", "GBP": "£", "JPY": "¥"}
WHOLE = {"JPY", "KRW"}
ACTIVE = {"statecode": 0, "statuscode": 1}
PRICE_DIGITS = 2


@dataclass(slots=True)
class Seeder:
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


def seed_currencies(seeder: Seeder) -> None:
    """Currencies with their rates."""
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


def seed_organization(seeder: Seeder) -> None:
    """The organisation, in its base currency, and its one business unit."""
    base = seeder.id("transactioncurrency", BASE_CURRENCY)
    name = {"name": seeder.company.name}
    seeder.load("organization", [seeder.row("organization", "", name | {"basecurrencyid": base})])
    seeder.load("businessunit", [seeder.row("businessunit", "", name)])


def seed_users(seeder: Seeder) -> None:
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


def seed_products(seeder: Seeder) -> None:
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


def in_currency(seeder: Seeder, code: str) -> dict[str, Any]:
    """The columns of a row in that currency."""
    return {"transactioncurrencyid": seeder.id("transactioncurrency", code), "exchangerate": seeder.rates.get(code)}


def _price_list(seeder: Seeder, code: str, name: str) -> Row:
    values = {"name": f"{code} price list ({name})", "statecode": 0, "statuscode": 100001}
    return seeder.row("pricelevel", code, values | in_currency(seeder, code))


def _product(seeder: Seeder, product: Product, unit: str, group: str, price_list: str) -> Row:
    values = {
        "name": product.name,
        "productnumber": product.code,
        "defaultuomid": unit,
        "defaultuomscheduleid": group,
        "pricelevelid": price_list,
        "quantitydecimal": 2,
        "price": rounded(product.price, PRICE_DIGITS),
    }
    return seeder.row("product", product.key, values | in_currency(seeder, BASE_CURRENCY) | ACTIVE)


def _prices(seeder: Seeder, product: Product, unit: str, group: str) -> Iterable[Row]:
    for code, rate in seeder.rates.items():
        amount = seeder.prices[product.key, code] = rounded(product.price * rate, PRICE_DIGITS)
        values = {
            "pricelevelid": seeder.id("pricelevel", code),
            "productid": seeder.id("product", product.key),
            "uomid": unit,
            "uomscheduleid": group,
            "amount": amount,
        }
        yield seeder.row("productpricelevel", f"{code}/{product.key}", values | in_currency(seeder, code))


def seed_parties(seeder: Seeder) -> None:
    """Accounts and contacts."""
    present = [p for p in seeder.company.parties if p.in_crm]
    seeder.kinds = {p.key: p.kind for p in seeder.company.parties}
    seeder.load("account", [_account(seeder, p) for p in present if p.kind == "account"])
    seeder.load("contact", [_contact(seeder, p) for p in present if p.kind == "contact"])


def _common(seeder: Seeder, party: Party) -> dict[str, Any]:
    return {
        "emailaddress1": party.email,
        "telephone1": party.phone,
        "address1_line1": party.street,
        "address1_city": party.city,
        "address1_postalcode": party.postcode,
        "address1_country": party.country,
        "customertypecode": party.customer_type_code,
        "ownerid": seeder.person,
        **in_currency(seeder, party.currency),
        **ACTIVE,
    }


def _account(seeder: Seeder, party: Party) -> Row:
    parent = seeder.id("account", party.parent) if party.parent else None
    own = {"name": party.name, "accountnumber": party.account_number, "parentaccountid": parent}
    return seeder.row("account", party.key, own | _common(seeder, party))


def _contact(seeder: Seeder, party: Party) -> Row:
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
