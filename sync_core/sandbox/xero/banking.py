"""Bank transactions: money received or spent, and the only way to make a prepayment or an overpayment."""

from __future__ import annotations

from typing import Any

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero import contacts
from sync_core.sandbox.xero.amounts import ZERO, totals
from sync_core.sandbox.xero.context import Context, bank_account, check_open, currency_of, raise_all
from sync_core.sandbox.xero.errors import require
from sync_core.sandbox.xero.lines import UNSEEN, LineBuilder
from sync_core.sandbox.xero.settle import settle_credit
from sync_core.sandbox.xero.store import Store

ADVANCES = {"PREPAYMENT": ("Prepayments", "PrepaymentID"), "OVERPAYMENT": ("Overpayments", "OverpaymentID")}


def write(ctx: Context, given: Row, old: Row | None) -> Row:
    """Create a bank transaction, delete one, or change one that made no credit."""
    if old is None:
        return _create(ctx, given)
    require(not old["Type"].endswith("-TRANSFER"), "A bank transfer can only be deleted through BankTransfers")
    require(old["Status"] == "AUTHORISED", "The bank transaction has already been deleted")
    check_open(ctx.store, old["Date"])
    if given.get("Status") in {"DELETED", "VOIDED"}:
        _close_credit(ctx.store, old)
        return ctx.store.put("BankTransactions", {**old, "Status": "DELETED"})
    require(not _credit(old), "A prepayment or an overpayment cannot be changed through its bank transaction")
    return ctx.store.put("BankTransactions", _compose(ctx, {"BankAccount": {"AccountID": old["AccountID"]}, **given}, old))


def _credit(row: Row) -> tuple[str, str] | None:
    return ADVANCES.get(row["Type"].partition("-")[2])


def _close_credit(store: Store, row: Row) -> None:
    made = _credit(row)
    if made is not None:
        credit = store[made[0]].get(row[made[1]])
        if credit is not None:
            require(not credit["_allocations"] and not credit["_payments"], "The credit has been allocated or refunded")
            store.put(made[0], {**credit, "Status": "VOIDED", "RemainingCredit": ZERO})


def _create(ctx: Context, given: Row) -> Row:
    require(given.get("Type"), "The type of the bank transaction must be specified")
    row = _compose(ctx, {"Date": ctx.store.today(), **given}, _blank(ctx, given))
    contacts.mark(ctx.store, row["ContactID"], row["Type"])
    made = _credit(row)
    if made is not None:
        kind, key = made
        credit = ctx.store.put(kind, advance(row, key, ctx.store.kernel.new_id()))
        row[key] = credit[key]
    return ctx.store.put("BankTransactions", row)


def _blank(ctx: Context, given: Row) -> Row:
    return {
        "BankTransactionID": ctx.store.kernel.new_id(),
        "Type": given["Type"],
        "Status": "AUTHORISED",
        "IsReconciled": False,
        "LineItems": [],
    }


def advance(row: Row, key: str, credit_id: str) -> Row:
    """The prepayment or overpayment that a bank transaction makes."""
    shared = ("Type", "ContactID", "Date", "LineAmountTypes", "LineItems", "SubTotal", "TotalTax", "Total")
    credit: Row = {
        key: credit_id,
        **{name: row[name] for name in (*shared, "CurrencyCode", "CurrencyRate")},
        "Reference": row.get("Reference", ""),
        "Status": "AUTHORISED",
        "_allocations": [],
        "_payments": [],
        "_refunded": ZERO,
    }
    return settle_credit(credit, row["Date"])


def _compose(ctx: Context, given: Row, old: Row) -> Row:
    errors: list[str] = []
    account = bank_account(ctx.store, given.get("BankAccount"), payments=False)
    contact, dirty = contacts.resolve(ctx, given.get("Contact") or _old_contact(old))
    row: Row = {**old, **{k: given[k] for k in ("Date", "Reference", "IsReconciled", "Url") if k in given}}
    check_open(ctx.store, row["Date"])
    row |= {"AccountID": account["AccountID"], "ContactID": contact["ContactID"]}
    default = account.get("CurrencyCode") or ctx.store.base_currency
    row["CurrencyCode"], row["CurrencyRate"] = currency_of(ctx, given, default, errors)
    _lines(ctx, given, row, errors)
    raise_all(errors)
    if dirty:
        ctx.store.put("Contacts", contact)
    return row


def _old_contact(old: Row) -> dict[str, Any] | None:
    return {"ContactID": old["ContactID"]} if "ContactID" in old else None


def _lines(ctx: Context, given: Row, row: Row, errors: list[str]) -> None:
    over = row["Type"].endswith("OVERPAYMENT")
    mode = "NoTax" if over else given.get("LineAmountTypes") or row.get("LineAmountTypes") or "Exclusive"
    sales = row["Type"].startswith("RECEIVE")
    builder = LineBuilder(ctx, mode, sales=sales, complete=not over, open_=over)
    row["LineAmountTypes"] = mode
    row["LineItems"] = builder.build(_coded(ctx, given, row, over=over, sales=sales), row["LineItems"])
    errors.extend(builder.errors)
    if not row["LineItems"]:
        errors.append("One or more line items must be specified")
    if over:
        errors.extend(_wrongly_coded(ctx.store, row))
    sums = totals(row["LineItems"], mode)
    row |= {"SubTotal": sums.sub_total, "TotalTax": sums.tax, "Total": sums.total}
    if sums.total <= 0:
        errors.append("The total of a bank transaction must be greater than zero")


def _coded(ctx: Context, given: Row, row: Row, *, over: bool, sales: bool) -> list[Row]:
    """The lines as given; those of an overpayment are coded to the receivable or payable account by
    themselves.
    """
    lines: list[Row] = given.get("LineItems", [{"LineItemID": i["LineItemID"]} for i in row["LineItems"]])
    control = ctx.store.system_account("DEBTORS" if sales else "CREDITORS") if over else None
    if control is None:
        return lines
    return [{"AccountID": control["AccountID"], **line} for line in lines]


def _wrongly_coded(store: Store, row: Row) -> list[str]:
    accounts = (store["Accounts"].get(line.get("AccountID")) for line in row["LineItems"])
    if all(account and account.get("SystemAccount") in UNSEEN for account in accounts):
        return []
    return ["The lines of an overpayment must be coded to the accounts receivable or payable account"]
