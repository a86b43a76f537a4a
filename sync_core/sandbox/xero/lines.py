"""Line items: defaults from the item, accounts, tax and discounts, checked and priced."""

from __future__ import annotations

from decimal import Decimal

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero.amounts import HUNDRED, MOST, ONE, ZERO, cents, line_amount, places, tax_on
from sync_core.sandbox.xero.context import Context
from sync_core.sandbox.xero.errors import RuleError
from sync_core.sandbox.xero.store import Store

PRICING = {"Quantity", "UnitAmount", "LineAmount", "TaxType", "TaxAmount", "DiscountRate", "DiscountAmount"}
UNSEEN = {"DEBTORS", "CREDITORS"}
APPLIES = {
    "ASSET": "CanApplyToAssets",
    "EQUITY": "CanApplyToEquity",
    "EXPENSE": "CanApplyToExpenses",
    "LIABILITY": "CanApplyToLiabilities",
    "REVENUE": "CanApplyToRevenue",
}


class LineBuilder:
    """Builds the lines of one document.

    ``sales`` picks the item's sales side; ``complete`` demands account and tax, as an approved document does;
    ``open_`` allows the receivable and payable accounts, as an overpayment needs; ``discounts`` allows
    discounts.
    """

    def __init__(
        self, ctx: Context, mode: str, *, sales: bool, complete: bool, discounts: bool = False, open_: bool = False
    ) -> None:
        self.ctx, self.store, self.mode = ctx, ctx.store, mode
        self.sales, self.complete, self.discounts, self.open = sales, complete, discounts, open_
        self.errors: list[str] = []

    def build(self, given: list[Row], old: list[Row], *, repriced: bool = False) -> list[Row]:
        """The new lines. Old lines whose LineItemID is not given are gone; unknown and absent ids make new
        lines.

        ``repriced`` recomputes tax although no price was sent, because the document's tax mode changed.
        """
        known = {line["LineItemID"]: line for line in old}
        return [self._line(line, known.get(line.get("LineItemID", "")), repriced) for line in given]

    def _line(self, given: Row, old: Row | None, repriced: bool) -> Row:
        line: Row = {**self._item_defaults(given, old), **(old or {}), **given}
        line.setdefault("LineItemID", self.store.kernel.new_id())
        if old is None and given.get("LineItemID"):
            line["LineItemID"] = self.store.kernel.new_id()
        if not (line.get("Description") or "").strip():
            self.errors.append("Description must be specified")
        touched = repriced or old is None or bool(PRICING & given.keys())
        if line.keys() & {"Quantity", "UnitAmount", "LineAmount"}:
            self._account(line)
            self._tax_type(line)
            if touched:
                self._price(line, given)
        else:
            line |= {"LineAmount": ZERO, "TaxAmount": ZERO}
        if "Tracking" in given:
            line["Tracking"] = self._tracking(given["Tracking"])
        return line

    def _item_defaults(self, given: Row, old: Row | None) -> Row:
        code = given.get("ItemCode")
        if not code or (old and old.get("ItemCode") == code):
            return {}
        item = self.store["Items"].find("code", code)
        if item is None:
            self.errors.append(f"Item code '{code}' is not valid")
            return {}
        side = item.get("SalesDetails" if self.sales else "PurchaseDetails") or {}
        description = item.get("Description" if self.sales else "PurchaseDescription") or item.get("Name")
        named = {
            "Description": description,
            "UnitAmount": None if "LineAmount" in given else side.get("UnitPrice"),
            "AccountCode": side.get("AccountCode"),
            "TaxType": side.get("TaxType"),
        }
        return {name: value for name, value in named.items() if value is not None}

    def _account(self, line: Row) -> None:
        code = line.get("AccountCode")
        account = self.store["Accounts"].find("code", code)
        if account is None and not code:
            account = self.store["Accounts"].get(line.get("AccountID"))
        if account is None:
            if code or line.get("AccountID"):
                self.errors.append(f"Account code '{code}' is not a valid code for this document.")
            elif self.complete:
                self.errors.append("Account code must be specified")
            return
        if account["Status"] != "ACTIVE":
            self.errors.append(f"Account code '{code}' has been archived or has been deleted")
        if account["Type"] == "BANK" or (not self.open and account.get("SystemAccount") in UNSEEN):
            self.errors.append(f"Account code '{code}' is not a valid code for this document.")
        line["AccountID"] = account["AccountID"]
        if account.get("Code"):
            line["AccountCode"] = account["Code"]

    def _tax_type(self, line: Row) -> None:
        account = self.store["Accounts"].get(line.get("AccountID"))
        if self.mode == "NoTax":
            line["TaxType"] = "NONE"
        elif not line.get("TaxType") and account:
            line["TaxType"] = account.get("TaxType") or "NONE"
        kind = line.get("TaxType")
        if not kind:
            return
        rate = self.store["TaxRates"].get(kind)
        if rate is None or rate["Status"] != "ACTIVE":
            self.errors.append(f"The TaxType code '{kind}' does not exist or cannot be used for this type of transaction.")
        elif account and not rate.get(APPLIES[account["Class"]], True):
            self.errors.append(f"The TaxType code '{kind}' cannot be used with account code '{account.get('Code', '')}'.")

    def _price(self, line: Row, given: Row) -> None:
        try:
            price(self.store, line, given, self.mode, self.ctx.unitdp, discounts=self.discounts)
        except RuleError as broken:
            self.errors.extend(broken.messages)
            for name in ("Quantity", "UnitAmount", "LineAmount", "TaxAmount"):
                line.setdefault(name, ZERO)

    def _tracking(self, given: list[Row]) -> list[Row]:
        if len(given) > 2:
            self.errors.append("A line can have up to 2 tracking categories")
        return [found for tracking in given if (found := self._tracked(tracking))]

    def _tracked(self, given: Row) -> Row | None:
        categories = self.store["TrackingCategories"]
        category = categories.get(given.get("TrackingCategoryID")) or categories.find("name", given.get("Name"))
        options = category["Options"] if category else []
        for option in options:
            if given.get("TrackingOptionID") == option["TrackingOptionID"] or given.get("Option") == option["Name"]:
                names = {"Name": category["Name"], "Option": option["Name"]} if category else {}
                ids = {"TrackingOptionID": option["TrackingOptionID"]}
                return {"TrackingCategoryID": category["TrackingCategoryID"], **ids, **names} if category else None
        self.errors.append("The tracking category or option could not be found")
        return None


def price(store: Store, line: Row, given: Row, mode: str, unitdp: int, *, discounts: bool) -> None:
    """Set quantity, unit price, amount and tax of ``line``; raises :class:`RuleError`."""
    quantity = places(line.get("Quantity", ONE), 4)
    rate, discount = line.get("DiscountRate"), line.get("DiscountAmount")
    if quantity < 0:
        raise RuleError("Quantity must not be negative")
    if (rate or discount) and not discounts:
        raise RuleError("Discounts can only be used on sales invoices and quotes")
    if rate is not None and not 0 <= rate <= HUNDRED:
        raise RuleError("The discount rate must be between 0 and 100")
    unit = line.get("UnitAmount")
    if unit is None:
        unit = given.get("LineAmount", ZERO) / quantity if quantity else ZERO
    unit = places(unit, unitdp)
    amount = line_amount(quantity, unit, rate, discount)
    _check_amount(given, amount, unit_was_given=line.get("UnitAmount") is not None)
    line |= {"Quantity": quantity, "UnitAmount": places(unit, 4), "LineAmount": amount}
    if rate is not None:
        line["DiscountRate"] = places(rate, 2)
    if discount is not None:
        line["DiscountAmount"] = cents(discount)
    line["TaxAmount"] = _tax(store, line, given, mode)


def _check_amount(given: Row, amount: Decimal, *, unit_was_given: bool) -> None:
    stated = given.get("LineAmount")
    if stated is not None and unit_was_given and cents(stated) != amount:
        raise RuleError(f"The line total {cents(stated)} does not match the expected line total {amount}")
    if abs(amount) > MOST:
        raise RuleError(f"The line amount must not be greater than {MOST}")


def _tax(store: Store, line: Row, given: Row, mode: str) -> Decimal:
    if "TaxAmount" in given and mode != "NoTax":
        return cents(given["TaxAmount"])
    rate = store["TaxRates"].get(line.get("TaxType")) or {}
    return tax_on(line["LineAmount"], rate.get("EffectiveRate", ZERO), mode)
