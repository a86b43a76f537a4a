"""What both systems choose from, archived ones included: tax rates, accounts, products, branding themes, currencies."""

from __future__ import annotations

import streamlit as st

from console.door import service
from console.records import Listed, draw

LISTS = {
    "Tax rates": Listed("tax_rates", "Tax rates", "tax rate", "tax rates", ("tax_type", "rate")),
    "Ledger accounts": Listed("ledger_accounts", "Ledger accounts", "ledger account", "ledger accounts", ("code", "type")),
    "Products": Listed("products", "Products", "product", "products", ("code", "price", "account_code", "tax_type")),
    "Branding themes": Listed("branding_themes", "Branding themes", "branding theme", "branding themes", ("sort_order",)),
    "Currencies": Listed("currencies", "Currencies", "currency", "currencies", ()),
}

st.title("Master data")
first = next(iter(LISTS))
chosen = st.segmented_control("List", list(LISTS), default=first, key="list", required=True, bind="query-params")
st.text("Xero holds these lists and Dynamics mirrors them, except products, which Dynamics holds.")
if chosen == "Branding themes" and any(each.key == "brandingthemes" and each.value for each in service().rule_settings()):
    st.info("Switched off under Mapping: Xero is not asked for them, and they stand as they were last read.")
draw(LISTS[chosen or first])
