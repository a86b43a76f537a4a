"""What papers mean in the general ledger: the entries of each, in the organisation's currency, debits above zero.

A paper's entries always add up to nothing. Prepayments and overpayments rest on the receivable or payable account until
they are allocated, so that an allocation moves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero.amounts import ZERO, cents
from sync_core.sandbox.xero.context import account_by
from sync_core.sandbox.xero.store import Store

POSTED = ("AUTHORISED", "PAID", "POSTED")
SALES = ("ACCREC", "RECEIVE", "AR")
CREDITED = ("ACCREC", "RECEIVE", "ACCPAYCREDIT")
"""Types whose lines are credits; the lines of all others are debits."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a journal: ``net`` moves the account, ``tax`` is what was reckoned on it and moves another."""

    account: str
    net: Decimal
    tax: Decimal = ZERO
    tax_type: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Posting:
    """A paper in the ledger: of which kind, when, and its entries."""

    kind: str
    day: date
    reference: str
    entries: tuple[Entry, ...]


def posting_of(store: Store, resource: str, row: Row) -> Posting | None:
    """How a row of ``resource`` stands in the ledger now; None while it is no more than a draft, or gone."""
    if row["Status"] not in POSTED:
        return None
    kind, entries = POSTERS[resource](store, row)
    moved = tuple(entry for entry in entries if entry.net or entry.tax)
    reference = row.get("Reference") or row.get("InvoiceNumber") or row.get("CreditNoteNumber") or ""
    return Posting(kind, row["Date"], reference, moved) if moved else None


def _base(amount: Decimal, row: Row) -> Decimal:
    rate = row.get("CurrencyRate")
    return cents(amount / rate) if rate else amount


def _document(store: Store, row: Row) -> tuple[str, list[Entry]]:
    """An invoice or a credit note: its lines, their tax, and the rest on the receivable or payable account."""
    entries = _lines(store, row)
    return row["Type"], [_rest(_control(store, row["Type"]), entries), *entries]


def _lines(store: Store, row: Row) -> list[Entry]:
    sign = -1 if row["Type"] in CREDITED else 1
    entries, tax = list[Entry](), ZERO
    for line in row["LineItems"]:
        account = account_by(store, {"AccountID": line.get("AccountID"), "Code": line.get("AccountCode")})
        of_line = line.get("TaxAmount") or ZERO
        net = line["LineAmount"] - (of_line if row["LineAmountTypes"] == "Inclusive" else ZERO)
        taxed = sign * _base(of_line, row)
        tax += taxed
        place = account["AccountID"] if account else _system(store, "ROUNDING")
        entries.append(Entry(place, sign * _base(net, row), taxed, line.get("TaxType") or "", line.get("Description") or ""))
    return [*entries, Entry(_system(store, "GST"), tax)]


def _rest(account: str, entries: list[Entry]) -> Entry:
    """The entry that makes the others add up to nothing."""
    return Entry(account, -sum((entry.net for entry in entries), ZERO))


def _control(store: Store, kind: str) -> str:
    return _system(store, "DEBTORS" if kind.startswith(SALES) else "CREDITORS")


def _system(store: Store, kind: str) -> str:
    """The account with this task; without one its amounts go to the receivable account."""
    account = store.system_account(kind) or store.system_account("DEBTORS") or {}
    return str(account.get("AccountID", ""))


def _bank_transaction(store: Store, row: Row) -> tuple[str, list[Entry]]:
    kind, _, made = row["Type"].partition("-")
    side = "AR" if kind == "RECEIVE" else "AP"
    if made == "TRANSFER":
        return "TRANSFER", []  # the transfer itself is posted
    if made:
        sign = -1 if kind == "RECEIVE" else 1
        entries = [Entry(_control(store, kind), sign * _base(row["Total"], row))]
        return f"{side}{made}", [_rest(row["AccountID"], entries), *entries]
    entries = _lines(store, row)
    return "CASHREC" if kind == "RECEIVE" else "CASHPAID", [_rest(row["AccountID"], entries), *entries]


DOCUMENTS = {
    "InvoiceID": "Invoices",
    "CreditNoteID": "CreditNotes",
    "PrepaymentID": "Prepayments",
    "OverpaymentID": "Overpayments",
}


def _payment(store: Store, row: Row) -> tuple[str, list[Entry]]:
    """Money for a document: what it settles at the document's rate, what the bank saw, and the difference."""
    document = next(store[kind].get(row[key]) or {} for key, kind in DOCUMENTS.items() if row.get(key))
    sign = 1 if row["PaymentType"].startswith(("ACCREC", "AP")) else -1
    settled = Entry(_control(store, row["PaymentType"]), -sign * _base(row["Amount"], document))
    account = store["Accounts"].get(row["AccountID"]) or {}
    foreign = (account.get("CurrencyCode") or store.base_currency) != store.base_currency
    bank = Entry(row["AccountID"], sign * (_base(row["BankAmount"], row) if foreign else row["BankAmount"]))
    gain = _rest(_system(store, "REALISEDCURRENCYGAIN"), [bank, settled])
    kind = row["PaymentType"]
    return kind.removesuffix("PAYMENT") if kind.endswith("PAYMENTPAYMENT") else kind, [bank, settled, gain]


def _manual(store: Store, row: Row) -> tuple[str, list[Entry]]:
    entries = []
    for line in row["JournalLines"]:
        account = account_by(store, {"AccountID": line.get("AccountID"), "Code": line.get("AccountCode")}) or {}
        tax = line.get("TaxAmount") or ZERO
        net = line["LineAmount"] - (tax if row.get("LineAmountTypes") == "Inclusive" else ZERO)
        entries.append(Entry(account.get("AccountID", ""), net, tax, line.get("TaxType") or "", line.get("Description") or ""))
    return "MANJOURNAL", [*entries, Entry(_system(store, "GST"), sum((entry.tax for entry in entries), ZERO))]


def _transfer(_store: Store, row: Row) -> tuple[str, list[Entry]]:
    amount = _base(row["Amount"], row)
    return "TRANSFER", [Entry(row["FromAccountID"], -amount), Entry(row["ToAccountID"], amount)]


POSTERS: dict[str, Callable[[Store, Row], tuple[str, list[Entry]]]] = {
    "Invoices": _document,
    "CreditNotes": _document,
    "Payments": _payment,
    "BankTransactions": _bank_transaction,
    "ManualJournals": _manual,
    "BankTransfers": _transfer,
}
