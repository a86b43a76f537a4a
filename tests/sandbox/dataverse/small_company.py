"""A company small enough to know by heart: three customers, two products, three invoices in Dynamics."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from sync_core.sandbox.world import Company, Invoice, Line, Party, Product

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
CURRENCIES = (
    ("NZD", "New Zealand Dollar", Decimal(1)),
    ("USD", "US Dollar", Decimal("0.5")),
    ("JPY", "Yen", Decimal(90)),
)
PARTIES = (
    Party("acme", "account", "Acme Ltd", email="a@acme.example", city="Nelson", account_number="A-1", customer_type_code=3),
    Party("bee", "account", "Bee & Co's", currency="USD"),
    Party("cara", "contact", "Cara Day", first_name="Cara", last_name="Day", parent="acme"),
    Party("xeroonly", "account", "Not Here", in_crm=False),
)
PRODUCTS = (Product("pack", "PACK", "Day pack", Decimal("159.50")), Product("hook", "HOOK", "Hook", Decimal("2.25")))


def an_invoice(key: str, party: str, crm: str | None, *lines: Line, currency: str = "NZD") -> Invoice:
    return Invoice(key, f"HP-{key}", party, date(2026, 11, 2), date(2026, 12, 2), lines, currency, crm=crm)


INVOICES = (
    an_invoice("1", "acme", "billed", Line("Packs", Decimal(3), Decimal("159.50"), Decimal("71.78"), product="pack")),
    an_invoice("2", "cara", "paid", Line("Advice", Decimal("1.5"), Decimal("33.33"), Decimal("7.50"))),
    an_invoice("3", "bee", "billed", Line("Packs", Decimal(1), Decimal("79.75"), Decimal(0), product="pack"), currency="USD"),
    an_invoice("4", "acme", None, Line("Nothing", Decimal(1), Decimal(1), Decimal(0))),
)
COMPANY = Company("Harbour & Pine", "!abc", None, CURRENCIES, (), (), (), parties=PARTIES, products=PRODUCTS, invoices=INVOICES)
