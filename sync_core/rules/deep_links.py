"""Addresses that open a record in its own system.

Xero: the documented deep link, an organisation login with its short code and a page
(developer.xero.com/documentation/guides/how-to-guides/deep-link-xero). Dynamics: main.aspx with table and id.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote

from sync_core.model import Native, Side

_PAGES = {
    "Contacts": "/Contacts/View/",
    "Invoices": "/AccountsReceivable/View.aspx?InvoiceID=",
    "CreditNotes": "/AccountsReceivable/ViewCreditNote.aspx?creditNoteID=",
    "Payments": "/Bank/ViewTransaction.aspx?bankTransactionID=",
    "Prepayments": "/Bank/ViewTransaction.aspx?bankTransactionID=",
    "Overpayments": "/Bank/ViewTransaction.aspx?bankTransactionID=",
    "Items": "/Inventory/View/",
}


def xero_link(table: str, row_id: str, organisation: Native) -> str:
    """The page of one Xero record, "" where Xero has none for that kind."""
    code = organisation.get("ShortCode")
    if table not in _PAGES or not code:
        return ""
    return f"{_before_the_id(table, str(code))}{quote(row_id, safe='')}"


@lru_cache
def _before_the_id(table: str, code: str) -> str:
    page = quote(_PAGES[table], safe="")
    return f"https://go.xero.com/organisationlogin/default.aspx?shortcode={quote(code)}&redirecturl={page}"


def dynamics_link(base_url: str, table: str, row_id: str) -> str:
    """The form of one Dynamics row."""
    return f"{base_url}/main.aspx?pagetype=entityrecord&etn={quote(table)}&id={quote(row_id)}"


def link_for(side: Side, table: str, row_id: str, *, base_url: str, organisation: Native) -> str:
    return dynamics_link(base_url, table, row_id) if side is Side.CRM else xero_link(table, row_id, organisation)
