"""Rows as Xero shows them: one door to the renderers of all resources."""

from __future__ import annotations

from collections.abc import Callable

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero import linked, offers, repeating, transfers, wire
from sync_core.sandbox.xero.amounts import places
from sync_core.sandbox.xero.render_contacts import contact_shown, group_shown
from sync_core.sandbox.xero.render_documents import bank_transaction_shown, credit_shown, invoice_shown
from sync_core.sandbox.xero.render_money import batch_shown, payment_shown
from sync_core.sandbox.xero.store import Store
from sync_core.sandbox.xero.views import ONE, View


def render(store: Store, resource: str, row: Row, view: View = ONE) -> Row:
    """One row of ``resource`` as it travels."""
    special = _RENDERERS.get(resource)
    return special(store, row, view) if special else wire.plain(row)


def _item(_store: Store, row: Row, view: View) -> Row:
    shown: Row = {**wire.plain(row), "PurchaseDetails": {}, "SalesDetails": {}}
    for side in ("PurchaseDetails", "SalesDetails"):
        details = dict(row.get(side) or {})
        if "UnitPrice" in details:
            details["UnitPrice"] = places(details["UnitPrice"], view.unitdp)
        shown[side] = details
    return shown


_RENDERERS: dict[str, Callable[[Store, Row, View], Row]] = {
    "Invoices": invoice_shown,
    "CreditNotes": lambda store, row, view: credit_shown(store, row, view, "CreditNotes"),
    "Prepayments": lambda store, row, view: credit_shown(store, row, view, "Prepayments"),
    "Overpayments": lambda store, row, view: credit_shown(store, row, view, "Overpayments"),
    "Payments": payment_shown,
    "BatchPayments": batch_shown,
    "BankTransactions": bank_transaction_shown,
    "Contacts": contact_shown,
    "Quotes": lambda store, row, view: offers.shown(store, offers.QUOTES, row, view),
    "PurchaseOrders": lambda store, row, view: offers.shown(store, offers.PURCHASE_ORDERS, row, view),
    "BankTransfers": transfers.shown,
    "RepeatingInvoices": repeating.shown,
    "LinkedTransactions": linked.shown,
    "ContactGroups": group_shown,
    "Items": _item,
}
