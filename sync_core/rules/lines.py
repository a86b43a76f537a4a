"""Dynamics invoice lines as Xero line items. Xero deletes a line whose id is left out, so existing ids are carried along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sync_core.model import Native
from sync_core.rules.eligibility import Books, codes_of

Line = Mapping[str, Any]
LONGEST_DESCRIPTION = 4000
NO_TAX = "NONE"
"""Xero's own tax type for lines without tax; every organisation has it."""


def line_items(lines: Sequence[Line], books: Books, existing: Sequence[Line] = ()) -> list[Native]:
    """The whole ``LineItems`` array for ``lines``; ``existing`` are the Xero lines that stand there now.

    Tax: Dynamics holds an amount per line, and Xero is told that amount, so that both totals are the same to the cent.
    """
    spare = list(existing)
    items = []
    for line in lines:
        item = _item(line, books)
        twin = _twin(line, spare)
        if twin is not None:
            spare.remove(twin)
            item["LineItemID"] = twin["id"]
        items.append(item)
    return items


def _item(line: Line, books: Books) -> Native:
    account, tax_type = codes_of(line, books)
    quantity, price = line.get("quantity") or Decimal(0), line.get("unit_price") or Decimal(0)
    if quantity < 0:
        quantity, price = -quantity, -price
    product = str(line.get("product") or "")
    item: Native = {
        "Description": str(line.get("description") or product or "Item")[:LONGEST_DESCRIPTION],
        "Quantity": quantity,
        "UnitAmount": price,
        "AccountCode": account,
    }
    if product in books.items:
        item["ItemCode"] = product
    if line.get("discount"):
        item["DiscountAmount"] = line["discount"]
    return item | _tax(line, tax_type, books)


def _tax(line: Line, tax_type: str, books: Books) -> Native:
    tax = line.get("tax") or Decimal(0)
    if untaxed(line, tax_type, books):
        if books.xero_computes_tax:
            return {"TaxType": tax_type}
        if not line.get("tax_type") and NO_TAX in books.taxes:
            return {"TaxType": NO_TAX, "TaxAmount": tax}
    return {"TaxType": tax_type, "TaxAmount": tax}


def untaxed(line: Line, tax_type: str, books: Books) -> bool:
    """Whether Dynamics holds no tax on a line whose tax rate asks for some."""
    return not line.get("tax") and bool(books.tax_rates.get(tax_type))


def _twin(line: Line, spare: Sequence[Line]) -> Line | None:
    """The existing line that is meant by ``line``: the same product and description, else the same product, else the next."""
    for alike in (("product", "description"), ("product",), ()):
        for candidate in spare:
            if all((candidate.get(name) or "") == (line.get(name) or "") for name in alike):
                return candidate
    return None
