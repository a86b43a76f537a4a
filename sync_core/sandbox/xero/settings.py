"""Accounts, items, tax rates, currencies and tracking categories."""

from __future__ import annotations

from decimal import Decimal
from itertools import count

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero.amounts import HUNDRED, places
from sync_core.sandbox.xero.context import Context, raise_all
from sync_core.sandbox.xero.errors import RuleError, require
from sync_core.sandbox.xero.store import Store

CLASSES = {
    **dict.fromkeys(("BANK", "CURRENT", "FIXED", "INVENTORY", "NONCURRENT", "PREPAYMENT"), "ASSET"),
    **dict.fromkeys(("DEPRECIATN", "DIRECTCOSTS", "EXPENSE", "OVERHEADS"), "EXPENSE"),
    **dict.fromkeys(("CURRLIAB", "LIABILITY", "TERMLIAB"), "LIABILITY"),
    **dict.fromkeys(("OTHERINCOME", "REVENUE", "SALES"), "REVENUE"),
    "EQUITY": "EQUITY",
}
CURRENCIES = {
    "AUD": "Australian Dollar",
    "CAD": "Canadian Dollar",
    "EUR": "Euro",
    "FJD": "Fiji Dollar",
    "GBP": "British Pound",
    "JPY": "Japanese Yen",
    "NZD": "New Zealand Dollar",
    "SGD": "Singapore Dollar",
    "USD": "United States Dollar",
}
OUTPUT_SIDE = ("OUTPUT", "EXEMPTOUTPUT", "ZERORATEDOUTPUT")
INPUT_SIDE = ("INPUT", "EXEMPTEXPENSES", "CAPEX")


def write_account(ctx: Context, given: Row, old: Row | None) -> Row:
    """Create, update, archive or restore an account."""
    if old is not None and given.get("Status") in {"ARCHIVED", "DELETED"} and old.get("SystemAccount"):
        raise RuleError("A system account cannot be archived or deleted")
    if old is not None and old["Status"] == "DELETED":
        raise RuleError("The account has been deleted")
    blank: Row = {"AccountID": ctx.store.kernel.new_id(), "Status": "ACTIVE", "EnablePaymentsToAccount": False}
    row = {"ShowInExpenseClaims": False, "TaxType": "NONE", **(old or blank), **given}
    _check_account(ctx.store, row)
    row["Class"] = CLASSES[row["Type"]]
    return ctx.store.put("Accounts", row)


def _check_account(store: Store, row: Row) -> None:
    errors = [f"{name} must be specified." for name in ("Name", "Type") if not row.get(name)]
    if not row.get("Code") and row.get("Type") != "BANK":
        errors.append("Code must be specified.")
    if row.get("Type") == "BANK" and not row.get("BankAccountNumber"):
        errors.append("The bank account number must be specified.")
    for unique, name in (("code", "Code"), ("name", "Name")):
        twin = store["Accounts"].find(unique, row.get(name))
        if twin is not None and twin["AccountID"] != row["AccountID"]:
            errors.append(f"Please enter a unique {name}.")
    if store["TaxRates"].get(row["TaxType"]) is None:
        errors.append(f"The TaxType code '{row['TaxType']}' does not exist.")
    raise_all(errors)


def delete_account(ctx: Context, row: Row) -> Row:
    """Delete an account that nothing uses."""
    require(not row.get("SystemAccount"), "A system account cannot be archived or deleted")
    used = any(
        line.get("AccountID") == row["AccountID"]
        for kind in ("Invoices", "CreditNotes", "BankTransactions")
        for document in ctx.store[kind].values()
        for line in document["LineItems"]
    )
    paid = any(p["AccountID"] == row["AccountID"] for p in ctx.store["Payments"].values())
    require(not used and not paid, "The account is in use and can only be archived")
    return ctx.store.put("Accounts", {**row, "Status": "DELETED"})


def find_item(ctx: Context, given: Row) -> Row | None:
    """The item that a POST means: by id, else by code."""
    items = ctx.store["Items"]
    if given.get("ItemID"):
        found = items.get(given["ItemID"])
        if found is None:
            raise RuleError("The item with this ItemID could not be found")
        return found
    return items.find("code", given.get("Code"))


def write_item(ctx: Context, given: Row, old: Row | None) -> Row:
    """Create or update an item."""
    blank: Row = {"ItemID": ctx.store.kernel.new_id(), "IsSold": True, "IsPurchased": True}
    row = {"IsTrackedAsInventory": False, **(old or blank), **given}
    for side in ("SalesDetails", "PurchaseDetails"):
        if side in given:
            row[side] = {**((old or {}).get(side) or {}), **given[side]}
            if "UnitPrice" in given[side]:
                row[side]["UnitPrice"] = places(places(given[side]["UnitPrice"], ctx.unitdp), 4)
    row["Name"] = row.get("Name") or row.get("Code", "")[:50]
    _check_item(ctx.store, row)
    return ctx.store.put("Items", row)


def _check_item(store: Store, row: Row) -> None:
    errors = [] if row.get("Code") else ["The item code must be specified."]
    twin = store["Items"].find("code", row.get("Code"))
    if twin is not None and twin["ItemID"] != row["ItemID"]:
        errors.append(f"Item Code '{row['Code']}' already exists.")
    for side in ("SalesDetails", "PurchaseDetails"):
        details = row.get(side) or {}
        code, tax = details.get("AccountCode"), details.get("TaxType")
        if code and store["Accounts"].find("code", code) is None:
            errors.append(f"Account code '{code}' is not a valid code for this document.")
        if tax and store["TaxRates"].get(tax) is None:
            errors.append(f"The TaxType code '{tax}' does not exist.")
    raise_all(errors)


def find_tax_rate(ctx: Context, given: Row) -> Row | None:
    """The tax rate that a POST means: by type, else by name."""
    rates = ctx.store["TaxRates"]
    named = (r for r in rates.values() if r["Name"] == given.get("Name") and r["Status"] != "DELETED")
    return rates.get(given.get("TaxType")) or next(named, None)


def write_tax_rate(ctx: Context, given: Row, old: Row | None) -> Row:
    """Create a rate of the organisation's own (TAX001 ...), or change one."""
    if old is None:
        require(given.get("Name"), "The name of the tax rate must be specified.")
        require(given.get("TaxComponents"), "The tax rate must have at least one component.")
        require(find_tax_rate(ctx, {"Name": given["Name"]}) is None, "A tax rate with this name already exists.")
        rates = ctx.store["TaxRates"]
        kind = next(k for n in count(1) if (k := f"TAX{n:03d}") not in rates.rows)
        old = {"TaxType": kind, "ReportTaxType": "OUTPUT", "Status": "ACTIVE"}
    elif given.get("Status") == "DELETED":
        require(old["TaxType"].startswith("TAX"), "Only tax rates of the organisation's own can be deleted.")
    components = [_component(c) for c in given.get("TaxComponents") or old.get("TaxComponents") or ()]
    require(all(0 <= c["Rate"] <= HUNDRED for c in components), "The rate of a tax component must be between 0 and 100.")
    row = {**old, **{k: v for k, v in given.items() if k != "TaxType"}, "TaxComponents": components}
    return ctx.store.put("TaxRates", with_rates(row))


def _component(given: Row) -> Row:
    return {
        "Name": given.get("Name", "Tax"),
        "Rate": places(given.get("Rate", Decimal(0)), 4),
        "IsCompound": given.get("IsCompound", False),
        "IsNonRecoverable": given.get("IsNonRecoverable", False),
    }


def with_rates(row: Row) -> Row:
    """A tax rate with what follows from its components and kind: the rates, and where it may be used."""
    simple = sum((c["Rate"] for c in row["TaxComponents"] if not c["IsCompound"]), Decimal(0))
    effective = simple
    for component in row["TaxComponents"]:
        if component["IsCompound"]:
            effective += (HUNDRED + effective) * component["Rate"] / HUNDRED
    sales, costs = row["ReportTaxType"].startswith(OUTPUT_SIDE), row["ReportTaxType"].startswith(INPUT_SIDE)
    return {
        **row,
        "CanApplyToAssets": True,
        "CanApplyToEquity": True,
        "CanApplyToExpenses": not sales,
        "CanApplyToLiabilities": True,
        "CanApplyToRevenue": not costs,
        "DisplayTaxRate": places(effective, 4),
        "EffectiveRate": places(effective, 4),
    }


def write_currency(ctx: Context, given: Row, old: Row | None) -> Row:
    """Subscribe the organisation to a currency."""
    code = given.get("Code", "")
    require(old is None and code not in ctx.store["Currencies"].rows, f"Currency {code} is already subscribed")
    require(code in CURRENCIES, f"Currency {code} is not known")
    return ctx.store.put("Currencies", {"Code": code, "Description": CURRENCIES[code], "_rate": Decimal(1)})


def write_tracking(ctx: Context, given: Row, old: Row | None) -> Row:
    """Create or change a tracking category; two may be active."""
    blank: Row = {"TrackingCategoryID": ctx.store.kernel.new_id(), "Status": "ACTIVE", "Options": []}
    row = {**(old or blank), **given}
    require(row.get("Name"), "The name of the tracking category must be specified.")
    twin = ctx.store["TrackingCategories"].find("name", row["Name"])
    own = row["TrackingCategoryID"]
    require(twin is None or twin["TrackingCategoryID"] == own, "A tracking category with this name exists.")
    active = [c for c in ctx.store["TrackingCategories"].values() if c["Status"] == "ACTIVE"]
    others = [c for c in active if c["TrackingCategoryID"] != own]
    require(row["Status"] != "ACTIVE" or len(others) < 2, "An organisation can have two active tracking categories.")
    row["Options"] = [_option(ctx, option) for option in row["Options"]]
    names = [option.get("Name") for option in row["Options"]]
    require(all(names), "The name of the tracking option must be specified.")
    require(len(set(names)) == len(names), "A tracking option with this name exists.")
    return ctx.store.put("TrackingCategories", row)


def _option(ctx: Context, given: Row) -> Row:
    return {"TrackingOptionID": ctx.store.kernel.new_id(), "Status": "ACTIVE", **given}


def write_option(ctx: Context, category: Row, given: Row, option_id: str | None) -> Row:
    """Create or change one option of a category; gives the option."""
    options: list[Row] = category["Options"]
    old = next((o for o in options if o["TrackingOptionID"] == option_id), None)
    option = {**(old or _option(ctx, {})), **given}
    require(option.get("Name"), "The name of the tracking option must be specified.")
    twins = [o for o in options if o["Name"] == option["Name"] and o is not old and o["Status"] == "ACTIVE"]
    require(not twins, "A tracking option with this name exists.")
    changed = [option if o is old else o for o in options] + ([] if old else [option])
    ctx.store.put("TrackingCategories", {**category, "Options": changed})
    return option
