"""Batch payments: one payment for each invoice, made and deleted together."""

from __future__ import annotations

from decimal import Decimal

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero import payments
from sync_core.sandbox.xero.amounts import ZERO, cents
from sync_core.sandbox.xero.context import Context, bank_account, check_open, raise_all
from sync_core.sandbox.xero.errors import RuleError, require

TEXTS = ("Reference", "Particulars", "Code", "Details", "Narrative")


def write(ctx: Context, given: Row, old: Row | None) -> Row:
    """Create a batch with its payments, or delete it with all of them."""
    if old is None:
        require(ctx.method == "PUT", "A batch payment is created with PUT")
        return _create(ctx, given)
    if set(given) - {"BatchPaymentID"} != {"Status"} or given["Status"] != "DELETED":
        raise RuleError("Only Status accepted for updates")
    require(old["Status"] == "AUTHORISED", "The batch payment has already been deleted")
    check_open(ctx.store, old["Date"])
    for payment_id in old["_payments"]:
        payment = ctx.store["Payments"].get(payment_id)
        if payment is not None and payment["Status"] == "AUTHORISED":
            payments.delete(ctx, payment)
    return ctx.store.put("BatchPayments", {**old, "Status": "DELETED"})


def _create(ctx: Context, given: Row) -> Row:
    wanted = given.get("Payments", [])
    require(wanted, "A batch payment needs at least one payment")
    account = bank_account(ctx.store, given.get("Account"), payments=False)
    day = given.get("Date") or ctx.store.today()
    check_open(ctx.store, day)
    kind = _check(ctx, wanted, account)
    batch_id = ctx.store.kernel.new_id()
    common = {"Account": {"AccountID": account["AccountID"]}, "Date": day}
    made = [payments.create(ctx, {"Reference": given.get("Reference", ""), **p, **common}, batch_id) for p in wanted]
    row: Row = {
        "BatchPaymentID": batch_id,
        "AccountID": account["AccountID"],
        "Date": day,
        **{name: given[name] for name in TEXTS if name in given},
        "Type": kind,
        "Status": "AUTHORISED",
        "TotalAmount": sum((p["Amount"] for p in made), ZERO),
        "IsReconciled": False,
        "_currency": account.get("CurrencyCode") or ctx.store.base_currency,
        "_payments": [p["PaymentID"] for p in made],
    }
    return ctx.store.put("BatchPayments", row)


def _check(ctx: Context, wanted: list[Row], account: Row) -> str:
    """Refuse the batch before anything is stored; gives its type."""
    errors, sides, open_amounts = [], set(), dict[str, Decimal]()
    currency = account.get("CurrencyCode") or ctx.store.base_currency
    for payment in wanted:
        reference = payment.get("Invoice") or {}
        invoices = ctx.store["Invoices"]
        invoice = invoices.get(reference.get("InvoiceID")) or invoices.find("number", reference.get("InvoiceNumber"))
        if invoice is None:
            errors.append("Invoice could not be found")
            continue
        sides.add(invoice["Type"])
        left = open_amounts.setdefault(invoice["InvoiceID"], invoice["AmountDue"])
        amount = cents(payment.get("Amount", ZERO))
        open_amounts[invoice["InvoiceID"]] = left - amount
        if invoice["Status"] != "AUTHORISED":
            errors.append("Payments can only be made against authorised documents")
        if amount <= 0:
            errors.append("The payment amount must be greater than zero")
        if left < amount:
            errors.append(payments.TOO_MUCH)
        if invoice["CurrencyCode"] != currency:
            errors.append("All invoices of a batch payment must be in the currency of the bank account")
    if len(sides) > 1:
        errors.append("A batch payment cannot mix sales invoices and bills")
    raise_all(errors)
    return "RECBATCH" if sides == {"ACCREC"} else "PAYBATCH"
