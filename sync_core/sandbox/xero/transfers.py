"""Bank transfers: money moved between two bank accounts of the organisation. They are made and deleted, never changed.

Each shows as two bank transactions as well, ``SPEND-TRANSFER`` and ``RECEIVE-TRANSFER``, without a contact and lines.
"""

from __future__ import annotations

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero import wire
from sync_core.sandbox.xero.amounts import ZERO, cents
from sync_core.sandbox.xero.context import Context, bank_account, check_open, currency_of, raise_all
from sync_core.sandbox.xero.errors import RuleError, require
from sync_core.sandbox.xero.store import Store
from sync_core.sandbox.xero.views import View, account_stub

SIDES = {"From": "SPEND-TRANSFER", "To": "RECEIVE-TRANSFER"}
"""The two ends, with the type of the bank transaction that each makes."""


def find(ctx: Context, given: Row) -> Row | None:
    """The transfer that a POST means, which only deletes."""
    found = ctx.store["BankTransfers"].get(given.get("BankTransferID"))
    require(found, "The bank transfer could not be found")
    return found


def write(ctx: Context, given: Row, old: Row | None) -> Row:
    """Move money, or delete a transfer.

    Raises:
        RuleError: the accounts are not two bank accounts, the amount is not above zero, or the day is locked.
    """
    if old is not None:
        require(old["Status"] == "AUTHORISED", "The bank transfer has already been deleted")
        require(given.get("Status") == "DELETED", "A bank transfer can only be deleted")
        check_open(ctx.store, old["Date"])
        for side in SIDES:
            end = ctx.store["BankTransactions"].get(old[f"{side}BankTransactionID"])
            if end is not None:  # a transfer of an older saved sandbox has none
                ctx.store.put("BankTransactions", {**end, "Status": "DELETED"})
        return ctx.store.put("BankTransfers", {**old, "Status": "DELETED"})
    accounts = {side: bank_account(ctx.store, given.get(f"{side}BankAccount"), payments=False) for side in SIDES}
    require(accounts["From"] != accounts["To"], "The accounts of a bank transfer must be two different ones")
    amount = given.get("Amount")
    if amount is None or amount <= 0:
        raise RuleError("The amount of a bank transfer must be greater than zero")
    day = given.get("Date") or ctx.store.today()
    check_open(ctx.store, day)
    errors: list[str] = []
    _, rate = currency_of(ctx, {}, accounts["From"].get("CurrencyCode") or ctx.store.base_currency, errors)
    raise_all(errors)
    row: Row = {
        "BankTransferID": ctx.store.kernel.new_id(),
        "CreatedDateUTC": wire.floor_to_ms(ctx.store.kernel.clock.now()),
        "Date": day,
        "Status": "AUTHORISED",
        "Amount": cents(amount),
        "CurrencyRate": rate,
        "Reference": given.get("Reference", ""),
        "HasAttachments": False,
    }
    for side, account in accounts.items():
        row |= {
            f"{side}AccountID": account["AccountID"],
            f"{side}BankTransactionID": ctx.store.kernel.new_id(),
            f"{side}IsReconciled": given.get(f"{side}IsReconciled", False),
            f"{side}Tracking": given.get(f"{side}Tracking") or [],
        }
    for side in SIDES:
        ctx.store.put("BankTransactions", _end(ctx, row, side))
    return ctx.store.put("BankTransfers", row)


def _end(ctx: Context, transfer: Row, side: str) -> Row:
    """The bank transaction at one end. A reference is shown with the transfer alone."""
    account = ctx.store["Accounts"].get(transfer[f"{side}AccountID"]) or {}
    currency, rate = currency_of(ctx, {}, account.get("CurrencyCode") or ctx.store.base_currency, [])
    return {
        "BankTransactionID": transfer[f"{side}BankTransactionID"],
        "Type": SIDES[side],
        "Status": transfer["Status"],
        "IsReconciled": transfer[f"{side}IsReconciled"],
        "AccountID": transfer[f"{side}AccountID"],
        "Date": transfer["Date"],
        "LineAmountTypes": "NoTax",
        "LineItems": [],
        "SubTotal": transfer["Amount"],
        "TotalTax": ZERO,
        "Total": transfer["Amount"],
        "CurrencyCode": currency,
        "CurrencyRate": rate,
    }


def shown(store: Store, row: Row, _view: View) -> Row:
    """A transfer as it travels."""
    hidden = {"UpdatedDateUTC", *(f"{side}AccountID" for side in SIDES)}
    return {
        **wire.plain({name: value for name, value in row.items() if name not in hidden}),
        "CreatedDateUTC": wire.ms_instant(row["CreatedDateUTC"]),
        "Date": wire.ms_date(row["Date"]),
        "DateString": wire.date_string(row["Date"]),
        **{f"{side}BankAccount": account_stub(store, row[f"{side}AccountID"]) for side in SIDES},
    }
