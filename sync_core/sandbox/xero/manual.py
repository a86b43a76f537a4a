"""Manual journals: amounts moved between accounts by hand. Debits are above zero, credits below, and they balance."""

from __future__ import annotations

from decimal import Decimal

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero.amounts import ZERO, cents, tax_on
from sync_core.sandbox.xero.context import Context, account_by, check_open, raise_all
from sync_core.sandbox.xero.errors import require

FINAL = ("DELETED", "VOIDED")
FIELDS = ("Narration", "Date", "LineAmountTypes", "Status", "Url", "ShowOnCashBasisReports")


def write(ctx: Context, given: Row, old: Row | None) -> Row:
    """Create a journal, change a draft, post one, or void a posted one.

    Raises:
        RuleError: debits and credits differ, or a line names no account of the ledger.
    """
    blank: Row = {
        "ManualJournalID": ctx.store.kernel.new_id(),
        "Date": ctx.store.today(),
        "LineAmountTypes": "NoTax",
        "Status": "DRAFT",
        "ShowOnCashBasisReports": True,
        "HasAttachments": False,
        "JournalLines": [],
    }
    if old is not None:
        require(old["Status"] not in FINAL, "A manual journal that was deleted or voided cannot be changed")
        check_open(ctx.store, old["Date"])
    row = {**(old or blank), **{name: given[name] for name in FIELDS if name in given}}
    check_open(ctx.store, row["Date"])
    errors = [] if row.get("Narration") else ["The narration must be specified."]
    if "JournalLines" in given or "LineAmountTypes" in given:
        lines = given.get("JournalLines", row["JournalLines"])
        row["JournalLines"] = [_line(ctx, line, row["LineAmountTypes"], errors) for line in lines]
    errors += _unbalanced(row)
    raise_all(errors)
    return ctx.store.put("ManualJournals", row)


def _line(ctx: Context, given: Row, mode: str, errors: list[str]) -> Row:
    account = account_by(ctx.store, {"AccountID": given.get("AccountID"), "Code": given.get("AccountCode")})
    if account is None or account["Status"] != "ACTIVE":
        errors.append(f"Account code '{given.get('AccountCode', '')}' is not a valid code for this document.")
        return {**given, "LineAmount": given.get("LineAmount") or ZERO}
    rate = ctx.store["TaxRates"].get(given.get("TaxType") or "NONE")
    if rate is None:
        errors.append(f"The TaxType code '{given['TaxType']}' does not exist.")
    amount = cents(given.get("LineAmount") or ZERO)
    tax = given.get("TaxAmount")
    reckoned = tax_on(amount, (rate or {}).get("EffectiveRate", Decimal(0)), mode)
    return {
        "Description": given.get("Description", ""),
        "TaxType": given.get("TaxType") or "NONE",
        "TaxAmount": reckoned if tax is None else cents(tax),
        "LineAmount": amount,
        "AccountCode": account.get("Code", ""),
        "AccountID": account["AccountID"],
        "Tracking": given.get("Tracking") or [],
        "IsBlank": False,
    }


def _unbalanced(row: Row) -> list[str]:
    taxed = row["LineAmountTypes"] == "Exclusive"
    amounts = [line["LineAmount"] + (line.get("TaxAmount") or ZERO if taxed else ZERO) for line in row["JournalLines"]]
    debits, owed = sum((a for a in amounts if a > 0), ZERO), -sum((a for a in amounts if a < 0), ZERO)
    if len(amounts) < 2:
        return ["A manual journal must have at least two lines."]
    return [] if debits == owed else [f"The total debits ({debits:.2f}) must equal total credits ({owed:.2f})"]
