"""Addresses that open a record in its own system.

Xero: the documented deep link, an organisation login with its short code and a page
(developer.xero.com/documentation/guides/how-to-guides/deep-link-xero). Dynamics: main.aspx with table and id.
"""

from __future__ import annotations

from urllib.parse import quote

from sync_core.model import Native, Side

_PAGES = {
    "Contacts": "/Contacts/View/{id}",
    "Invoices": "/AccountsReceivable/View.aspx?InvoiceID={id}",
    "CreditNotes": "/AccountsReceivable/ViewCreditNote.aspx?creditNoteID={id}",
    "Payments": "/Bank/ViewTransaction.aspx?bankTransactionID={id}",
    "Prepayments": "/Bank/ViewTransaction.aspx?bankTransactionID={id}",
    "Overpayments": "/Bank/ViewTransaction.aspx?bankTransactionID={id}",
    "Items": "/Inventory/View/{id}",
}


def xero_link(table: str, row_id: str, organisation: Native) -> str:
    """The page of one Xero record, "" where Xero has none for that kind."""
    page = _PAGES.get(table)
    code = organisation.get("ShortCode")
    if page is None or not code:
        return ""
    target = quote(page.format(id=row_id), safe="")
    return f"https://go.xero.com/organisationlogin/default.aspx?shortcode={quote(str(code))}&redirecturl={target}"


def dynamics_link(base_url: str, table: str, row_id: str) -> str:
    """The form of one Dynamics row."""
    return f"{base_url}/main.aspx?pagetype=entityrecord&etn={quote(table)}&id={quote(row_id)}"


def link_for(side: Side, table: str, row_id: str, *, base_url: str, organisation: Native) -> str:
    return dynamics_link(base_url, table, row_id) if side is Side.CRM else xero_link(table, row_id, organisation)
