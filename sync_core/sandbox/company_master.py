"""Who the demo company is, what it sells and to whom: the master data of Harbour & Pine Outfitters Ltd.

A made-up outdoor outfitter in Nelson, New Zealand, that sells gear and repairs. Names are invented.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from sync_core.sandbox.world import LedgerAccount, Party, Product, TaxRate

COMPANY_NAME = "Harbour & Pine Outfitters Ltd"
SHORT_CODE = "!hP7nZ"
CUSTOMER, RESELLER, VENDOR = 3, 9, 11

CURRENCIES = (
    ("NZD", "New Zealand Dollar", Decimal(1)),
    ("USD", "United States Dollar", Decimal("0.601200")),
    ("AUD", "Australian Dollar", Decimal("0.914500")),
    ("EUR", "Euro", Decimal("0.552300")),
)
RATES = {code: rate for code, _, rate in CURRENCIES}

TAX_RATES = (
    TaxRate("OUTPUT2", "15% GST on Income", Decimal(15)),
    TaxRate("ZERORATED", "Zero Rated", Decimal(0)),
    TaxRate("NONE", "No GST", Decimal(0)),
    TaxRate("TAX001", "GST on Income 12.5% (until 2010)", Decimal("12.5"), archived=True),
)

LEDGER = (
    LedgerAccount("090", "Harbour & Pine Cheque Account", "BANK", klass="ASSET"),
    LedgerAccount("200", "Sales", "REVENUE", "OUTPUT2"),
    LedgerAccount("205", "Repairs and Fitting", "REVENUE", "OUTPUT2"),
    LedgerAccount("209", "Sales - Picton Shop (closed)", "REVENUE", "OUTPUT2", archived=True),
    LedgerAccount("260", "Other Revenue", "REVENUE", "OUTPUT2"),
    LedgerAccount("310", "Cost of Goods Sold", "DIRECTCOSTS", klass="EXPENSE"),
    LedgerAccount("425", "Freight and Courier", "EXPENSE", klass="EXPENSE"),
    LedgerAccount("497", "Bank Revaluations", "EXPENSE", klass="EXPENSE", system_account="BANKCURRENCYGAIN"),
    LedgerAccount(
        "498",
        "Unrealised Currency Gains",
        "EXPENSE",
        klass="EXPENSE",
        system_account="UNREALISEDCURRENCYGAIN",
    ),
    LedgerAccount("499", "Realised Currency Gains", "EXPENSE", klass="EXPENSE", system_account="REALISEDCURRENCYGAIN"),
    LedgerAccount("610", "Accounts Receivable", "CURRENT", klass="ASSET", system_account="DEBTORS"),
    LedgerAccount("800", "Accounts Payable", "CURRLIAB", klass="LIABILITY", system_account="CREDITORS"),
    LedgerAccount("820", "GST", "CURRLIAB", klass="LIABILITY", system_account="GST"),
    LedgerAccount("855", "Card Clearing", "CURRLIAB", klass="LIABILITY", enable_payments=True),
    LedgerAccount("860", "Rounding", "CURRLIAB", klass="LIABILITY", system_account="ROUNDING"),
)
BRANDING_THEMES = ("Standard", "Trade Counter", "Export (no GST)")

PRODUCTS = (
    Product("jacket", "HP-JKT", "Tasman Rain Jacket", Decimal("289.00")),
    Product("pack", "HP-PCK", "Abel Day Pack 28 L", Decimal("159.50")),
    Product("boots", "HP-BTS", "Richmond Leather Boots", Decimal("349.00")),
    Product("tent", "HP-TNT", "Cobb Two-Person Tent", Decimal("619.00")),
    Product("stove", "HP-STV", "Driftwood Camp Stove", Decimal("94.90")),
    Product("socks", "HP-SCK", "Merino Socks, Pair", Decimal("24.95")),
    Product("vest", "HP-VST", "Quilted Work Vest", Decimal("119.00")),
    Product("fitting", "HP-FIT", "Boot Fitting, per hour", Decimal("85.00"), account_code="205"),
    Product("repair", "HP-RPR", "Gear Repair, per hour", Decimal("78.00"), account_code="205"),
)


def _account(key: str, name: str, number: str, city: str, postcode: str, street: str, email: str) -> Party:
    return Party(
        key,
        "account",
        name,
        email=email,
        phone=f"+64 3 555 0{number[-3:]}",
        street=street,
        city=city,
        postcode=postcode,
        account_number=number,
        customer_type_code=CUSTOMER,
    )


def _person(key: str, first: str, last: str, city: str, postcode: str, parent: str | None = None) -> Party:
    return Party(
        key,
        "contact",
        f"{first} {last}",
        first,
        last,
        email=f"{first}.{last}@example.co.nz".lower().replace("ā", "a").replace(" ", ""),
        city=city,
        postcode=postcode,
        parent=parent,
    )


_ORDINARY = (
    _account("kahu", "Kahu Guiding Co", "A-1001", "Motueka", "7120", "12 High Street", "pay@kahu.example"),
    _account("maitai", "Maitai School", "A-1002", "Nelson", "7010", "4 Nile Street", "office@maitai.example"),
    _account("sounds", "Sounds Water Taxi Ltd", "A-1003", "Picton", "7220", "1 London Quay", "ap@swt.example"),
    _account("alpine", "Alpine Rescue Trust", "A-1004", "Twizel", "7901", "9 Tasman Road", "ap@rescue.example"),
    _account(
        "orchard",
        "Upper Moutere Orchards",
        "A-1005",
        "Moutere",
        "7173",
        "88 Gardner Valley Road",
        "o@u.example",
    ),
    _account("lodge", "Lake Rotoroa Lodge", "A-1006", "Murchison", "7077", "2 Gowan Valley Road", "acc@l.example"),
    _account(
        "ferry",
        "Cook Strait Freight Ltd",
        "A-1007",
        "Wellington",
        "6011",
        "50 Waterloo Quay",
        "ap@b.example",
    ),
)
_SPECIAL = (
    replace(
        _account("cutsew", "=Cut & Sew Ltd", "A-1008", "Richmond", "7020", "31 Queen Street", "hi@cutsew.example"),
        customer_type_code=RESELLER,
    ),
    _account(
        "kowhai",
        "Kōwhai Gifts ![logo](http://127.0.0.1:9/k.png)",
        "A-1009",
        "Nelson",
        "7010",
        "7 Trafalgar Street",
        "shop@kowhai.example",
    ),
    replace(
        _account("tramper", "Trampers' Depot", "A-1010", "Blenheim", "7201", "16 Market Street", "ap@td.example"),
        archived_in_xero=True,
    ),
    replace(
        _account(
            "coastal",
            "Coastal Kayaks Limited",
            "A-1011",
            "Kaiteriteri",
            "7197",
            "3 Sandy Bay",
            "a@ck.example",
        ),
        name_in_xero="Coastal Kayaks (2019) Ltd",
    ),
    replace(
        _account(
            "cascade",
            "Cascade Mountain Supply Inc",
            "A-1012",
            "Seattle",
            "98101",
            "1420 Pike",
            "ap@cms.example",
        ),
        country="United States",
        currency="USD",
    ),
    replace(
        _account(
            "bondi",
            "Bondi Trail Runners Pty Ltd",
            "A-1013",
            "Sydney",
            "2026",
            "77 Hall Street",
            "ap@b.example",
        ),
        country="Australia",
        currency="AUD",
    ),
    replace(
        _account(
            "alpen",
            "Alpenglück Reisen GmbH",
            "A-1014",
            "München",
            "80331",
            "Sendlinger Straße 8",
            "b@ag.example",
        ),
        country="Germany",
        currency="EUR",
        in_xero=False,
    ),
    replace(
        _account("newclub", "Waimea Tramping Club", "A-1015", "Richmond", "7020", "5 Oxford Street", "w@tc.example"),
        in_xero=False,
    ),
    replace(
        _account(
            "courier",
            "Top of the South Couriers",
            "A-1016",
            "Nelson",
            "7011",
            "20 Vickerman St",
            "ar@c.example",
        ),
        customer_type_code=VENDOR,
    ),
    replace(
        _account(
            "council",
            "Tasman Civic Supplies",
            "A-1017",
            "Richmond",
            "7020",
            "189 Queen Street",
            "ap@t.example",
        ),
        in_crm=False,
        customer_type_code=None,
    ),
)
_PEOPLE = (
    _person("mere", "Mere", "Parata", "Motueka", "7120", parent="kahu"),
    _person("tom", "Tom", "O'Brien", "Nelson", "7010"),
    _person("aroha", "Aroha", "Ngāta", "Nelson", "7010", parent="maitai"),
    _person("priya", "Priya", "Nair", "Blenheim", "7201"),
    replace(_person("liam", "Liam", "van der Berg", "Picton", "7220"), in_xero=False),
    replace(_person("sofia", "Sofia", "Lindqvist", "Nelson", "7011", parent="sounds"), in_xero=False),
)
PARTIES = _ORDINARY + _SPECIAL + _PEOPLE
CONTACT_GROUPS = (("Trade customers", ("kahu", "sounds", "lodge")), ("Schools and clubs", ("maitai",)))
