"""What an organisation chooses from: currencies, tax rates, ledger accounts, branding themes; and settings without a twin."""

from __future__ import annotations

from sync_core.rules.declaration import At, Entity, Field, Kind, Stream
from sync_core.rules.entities.builders import CRM, TO_CRM, TRUE, XERO, mirror, own, xero_id

ORGANISATION = Stream(XERO, "Organisation", "OrganisationID", incremental=False, paged=False)
CURRENCIES = Stream(
    CRM,
    "transactioncurrency",
    "transactioncurrencyid",
    ("isocurrencycode", "currencyname", "currencyprecision", "exchangerate", "statecode", "modifiedon"),
    incremental=False,
)
CONTACT_GROUPS = Stream(XERO, "ContactGroups", "ContactGroupID", incremental=False, paged=False, optional=True)
GROUP_MEMBERS = Stream(XERO, "ContactGroups", "ContactID", within="Contacts", parent_key="ContactGroupID", optional=True)
DETAILS = Stream(
    CRM,
    "tie_xerodetail",
    "tie_xerodetailid",
    (
        "tie_name",
        "tie_recordkey",
        "tie_entity",
        "tie_xeroid",
        "tie_xeronumber",
        "tie_xerotype",
        "tie_xerostatus",
        "tie_syncstatus",
        "tie_reason",
        "tie_lastsyncedon",
        "tie_remark",
        "tie_link",
        "tie_amountdue",
        "tie_amountpaid",
        "tie_amountcredited",
        "modifiedon",
    ),
    own=True,
    tag="tie_recordkey",
)

currencies = Entity(
    "currencies",
    "Currencies",
    "currency",
    crm=(CURRENCIES,),
    xero=(Stream(XERO, "Currencies", "Code", incremental=False, paged=False),),
    fields=(
        Field("name", "Code", Kind.TEXT, At("isocurrencycode"), At("Code")),
        Field("description", "Name", Kind.TEXT, At("currencyname"), None, hidden=True),
    ),
    match=(("name", "currency code"),),
)

tax_rates = Entity(
    "tax_rates",
    "Tax rates",
    "tax rate",
    crm=(own("tie_taxrate"),),
    xero=(Stream(XERO, "TaxRates", "TaxType", incremental=False, paged=False),),
    fields=(
        mirror("name", "Name", Kind.TEXT, "tie_name", "Name", limit=300),
        xero_id("TaxType"),
        mirror("tax_type", "Tax type", Kind.TEXT, "tie_taxtype", "TaxType", limit=50),
        mirror("rate", "Rate (%)", Kind.RATE, "tie_rate", "EffectiveRate"),
        mirror("status", "Status", Kind.TEXT, "tie_status", "Status", limit=50),
    ),
    create_in=TO_CRM,
    match=(("xero_id", "Xero id held by Dynamics"),),
)

ledger_accounts = Entity(
    "ledger_accounts",
    "Ledger accounts",
    "ledger account",
    crm=(own("tie_ledgeraccount"),),
    xero=(Stream(XERO, "Accounts", "AccountID", paged=False),),
    fields=(
        mirror("name", "Name", Kind.TEXT, "tie_name", "Name", limit=300),
        xero_id("AccountID"),
        mirror("code", "Code", Kind.TEXT, "tie_code", "Code", limit=20),
        mirror("type", "Type", Kind.TEXT, "tie_type", "Type", limit=50),
        mirror("class", "Class", Kind.TEXT, "tie_class", "Class", limit=50),
        mirror("tax_type", "Tax type", Kind.TEXT, "tie_taxtype", "TaxType", limit=50),
        mirror("status", "Status", Kind.TEXT, "tie_status", "Status", limit=50),
        Field("takes_payments", "Takes payments", Kind.FLAG, None, At("EnablePaymentsToAccount", values=TRUE), hidden=True),
        Field("held_in", "Currency", Kind.TEXT, None, At("CurrencyCode"), hidden=True),
    ),
    create_in=TO_CRM,
    match=(("xero_id", "Xero id held by Dynamics"),),
)

branding_themes = Entity(
    "branding_themes",
    "Branding themes",
    "branding theme",
    crm=(own("tie_brandingtheme"),),
    xero=(Stream(XERO, "BrandingThemes", "BrandingThemeID", incremental=False, paged=False, optional=True),),
    fields=(
        mirror("name", "Name", Kind.TEXT, "tie_name", "Name", limit=300),
        xero_id("BrandingThemeID"),
        mirror("sort_order", "Order", Kind.COUNT, "tie_sortorder", "SortOrder"),
    ),
    create_in=TO_CRM,
    match=(("xero_id", "Xero id held by Dynamics"),),
    optional=True,
)
