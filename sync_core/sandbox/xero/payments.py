"""Payments of invoices and refunds of credits: created whole, never edited, deleted by status."""

from __future__ import annotations

from decimal import Decimal

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero.amounts import ZERO, cents, places, to_base
from sync_core.sandbox.xero.context import Context, bank_account, check_open
from sync_core.sandbox.xero.errors import RuleError, require
from sync_core.sandbox.xero.settle import add_payment, take_payment
from sync_core.sandbox.xero.store import Store

DOCUMENTS = {
    "Invoice": ("Invoices", "InvoiceID"),
    "CreditNote": ("CreditNotes", "CreditNoteID"),
    "Prepayment": ("Prepayments", "PrepaymentID"),
    "Overpayment": ("Overpayments", "OverpaymentID"),
}
TYPES = {
    "ACCREC": "ACCRECPAYMENT",
    "ACCPAY": "ACCPAYPAYMENT",
    "ACCRECCREDIT": "ARCREDITPAYMENT",
    "ACCPAYCREDIT": "APCREDITPAYMENT",
    "RECEIVE-PREPAYMENT": "ARPREPAYMENTPAYMENT",
    "SPEND-PREPAYMENT": "APPREPAYMENTPAYMENT",
    "RECEIVE-OVERPAYMENT": "AROVERPAYMENTPAYMENT",
    "SPEND-OVERPAYMENT": "APOVERPAYMENTPAYMENT",
}
BATCHED = "This payment is part of a batch payment. Delete the batch payment instead."
TOO_MUCH = "Payment amount exceeds the amount outstanding on this document"


def write(ctx: Context, given: Row, old: Row | None) -> Row:
    """Create a payment, or delete one: the only change that Xero takes."""
    if old is None:
        return create(ctx, given)
    if set(given) - {"PaymentID"} != {"Status"} or given["Status"] != "DELETED":
        raise RuleError("Only Status accepted for updates")
    if old.get("BatchPaymentID"):
        raise RuleError(BATCHED)
    return delete(ctx, old)


def delete(ctx: Context, old: Row) -> Row:
    """Reverse a payment: its document is open again."""
    require(old["Status"] == "AUTHORISED", "The payment has already been deleted")
    check_open(ctx.store, old["Date"])
    kind, document = document_of(ctx.store, old)
    take_payment(ctx.store, kind, document, old)
    return ctx.store.put("Payments", {**old, "Status": "DELETED"})


def document_of(store: Store, payment: Row) -> tuple[str, Row]:
    """The resource and the row that a payment belongs to."""
    for kind, key in DOCUMENTS.values():
        row = store[kind].get(payment.get(key))
        if row is not None:
            return kind, row
    raise RuleError("The document of this payment could not be found")


def create(ctx: Context, given: Row, batch_id: str | None = None) -> Row:
    """Create a payment or a refund, all rules checked first."""
    kind, key, document = _target(ctx.store, given)
    account = bank_account(ctx.store, _account(given), payments=True)
    amount = _amount(given, document, kind)
    day = given.get("Date") or ctx.store.today()
    check_open(ctx.store, day)
    rate, bank_amount = _bank_amount(ctx.store, given, document, account, amount)
    payment: Row = {
        "PaymentID": ctx.store.kernel.new_id(),
        key: document[key],
        "AccountID": account["AccountID"],
        "Date": day,
        "Amount": amount,
        "BankAmount": bank_amount,
        "CurrencyRate": rate,
        "PaymentType": TYPES[document["Type"]],
        "Status": "AUTHORISED",
        "Reference": given.get("Reference", ""),
        "IsReconciled": given.get("IsReconciled", False),
        "BatchPaymentID": batch_id,
    }
    payment = ctx.store.put("Payments", payment)
    add_payment(ctx.store, kind, document, payment)
    return payment


def _account(given: Row) -> Row | None:
    return given.get("Account") or ({"Code": given["Code"]} if given.get("Code") else None)


def _target(store: Store, given: Row) -> tuple[str, str, Row]:
    references = {name: given[name] for name in DOCUMENTS if given.get(name)}
    if given.get("InvoiceNumber"):
        references.setdefault("Invoice", {"InvoiceNumber": given["InvoiceNumber"]})
    if given.get("CreditNoteNumber"):
        references.setdefault("CreditNote", {"CreditNoteNumber": given["CreditNoteNumber"]})
    require(
        len(references) == 1,
        "A payment must be for exactly one of Invoice, CreditNote, Prepayment or Overpayment",
    )
    name, reference = references.popitem()
    kind, key = DOCUMENTS[name]
    document = store[kind].get(reference.get(key))
    if document is None and reference.get(f"{name}Number"):
        document = store[kind].find("number", reference[f"{name}Number"])
    if document is None:
        raise RuleError(f"{name} could not be found")
    return kind, key, document


def _amount(given: Row, document: Row, kind: str) -> Decimal:
    require(document["Status"] in {"AUTHORISED", "PAID"}, "Payments can only be made against authorised documents")
    amount = cents(given.get("Amount", ZERO))
    require(amount > 0, "The payment amount must be greater than zero")
    open_amount = document["AmountDue" if kind == "Invoices" else "RemainingCredit"]
    require(amount <= open_amount, TOO_MUCH)
    return amount


def _bank_amount(store: Store, given: Row, document: Row, account: Row, amount: Decimal) -> tuple[Decimal, Decimal]:
    """Rate and amount in the account's currency; a BankAmount that is given sets the rate."""
    base = store.base_currency
    currency, account_currency = document["CurrencyCode"], account.get("CurrencyCode") or base
    if currency == account_currency:
        own = document["CurrencyRate"] if currency != base else Decimal(1)
        return places(given.get("CurrencyRate") or own, 6), amount
    foreign = currency if currency != base else account_currency
    bank = given.get("BankAmount")
    if bank:
        rate = amount / bank if currency != base else bank / amount
        return places(rate, 6), cents(bank)
    rate = given.get("CurrencyRate") or store.day_rate(foreign)
    return places(rate, 6), to_base(amount, rate) if currency != base else cents(amount * rate)
