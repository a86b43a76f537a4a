"""Dynamics invoice lines as Xero line items. Xero deletes a line whose id is left out, so existing ids are carried along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sync_core.model import Native
from sync_core.rules.eligibility import Books, codes_of

Line = Mapping[str, Any]
LONGEST_DESCRIPTION = 4000


def line_items(lines: Sequence[Line], books: Books, existing: Sequence[Line] = ()) -> list[Native]:
    """The whole ``LineItems`` array for ``lines``; ``existing`` are the Xero lines that stand there now.

    Tax: Dynamics holds an amount per line. When any line has one, Xero is told these amounts, so that both totals are the
    same to the cent; when Dynamics computed no tax at all, Xero computes it from the tax rate.
    """
    taxed = any(line.get("tax") for line in lines)
    spare = list(existing)
    items = []
    for line in lines:
        item = _item(line, books, taxed=taxed)
        twin = _twin(line, spare)
        if twin is not None:
            spare.remove(twin)
            item["LineItemID"] = twin["id"]
        items.append(item)
    return items


def _item(line: Line, books: Books, *, taxed: bool) -> Native:
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
        "TaxType": tax_type,
    }
    if product in books.items:
        item["ItemCode"] = product
    if line.get("discount"):
        item["DiscountAmount"] = line["discount"]
    if taxed:
        item["TaxAmount"] = line.get("tax") or Decimal(0)
    return item


def _twin(line: Line, spare: Sequence[Line]) -> Line | None:
    """The existing line that is meant by ``line``: the same product and description, else the same product, else the next."""
    for alike in (("product", "description"), ("product",), ()):
        for candidate in spare:
            if all((candidate.get(name) or "") == (line.get(name) or "") for name in alike):
                return candidate
    return None
