"""Invoice lines from one system to the other. Xero deletes a line whose id is left out, so existing ids are carried along."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any

from sync_core.model import Lookup, Native
from sync_core.rules.books import Books
from sync_core.rules.eligibility import codes_of

Line = Mapping[str, Any]
LONGEST_DESCRIPTION = 4000
CENT = Decimal("0.01")
PLACES = Decimal("0.0001")
"""What Xero keeps of a quantity and of a unit price."""
NO_TAX = "NONE"
"""Xero's own tax type for lines without tax; every organisation has it."""


def line_items(
    lines: Sequence[Line],
    books: Books,
    existing: Sequence[Line] = (),
    agreed: Sequence[Line] = (),
    rows: Sequence[Native] = (),
) -> list[Native]:
    """The whole ``LineItems`` array for ``lines``; ``existing`` are the Xero lines that stand there now, ``rows`` their rows.

    Tax: Dynamics holds an amount per line, and Xero is told that amount, so that both totals are the same to the cent.
    Codes: where Dynamics chose none anew since both sides ``agreed``, an accountant's own in Xero stay.
    """
    before = {line["id"]: line for line in agreed if line.get("id")}
    tracked = {row.get("LineItemID"): row.get("Tracking") for row in rows}
    items = []
    for line, twin in zip(lines, _twins(lines, existing), strict=True):
        codes = codes_of(line, books)
        earlier = before.get(line.get("id"))
        if twin is not None and earlier is not None and codes_of(earlier, books) == codes:
            codes = twin.get("account_code") or codes[0], twin.get("tax_type") or codes[1]
        item = _item(line, codes, books)
        if twin is not None:
            other = bool(before) and earlier is None and bool(twin.get("product")) and "ItemCode" not in item
            item |= _as_change_of(twin, item, tracked.get(twin["id"]), replaced=other or bool(twin.get("discount_rate")))
        items.append(item)
    return items


def _item(line: Line, codes: tuple[str, str], books: Books) -> Native:
    account, tax_type = codes
    quantity, price, discount = _priced(line)
    product = str(line.get("product") or "")
    item: Native = {
        "Description": str(line.get("description") or product or "Item")[:LONGEST_DESCRIPTION],
        "Quantity": quantity,
        "UnitAmount": price,
        "AccountCode": account,
    }
    if product in books.items:
        item["ItemCode"] = product
    if discount:
        item["DiscountAmount"] = discount
    return item | _tax(line, tax_type, books)


def _as_change_of(twin: Line, item: Native, tracking: Any, *, replaced: bool) -> Native:
    """What makes ``item`` a change of the line ``twin``. What is not sent stays, and a discount in percent goes before any
    amount. So a discount in money is taken back by name; a line with one in percent, or with the product of another line,
    is ``replaced``, and keeps its tracking.
    """
    if replaced:
        return {"Tracking": tracking} if tracking else {}
    kept = {} if "DiscountAmount" in item or not twin.get("discount") else {"DiscountAmount": Decimal(0)}
    return {"LineItemID": twin["id"], **kept}


def _priced(line: Line) -> tuple[Decimal, Decimal, Decimal]:
    """Quantity, unit price and discount of which Xero makes just the amount that the line has in Dynamics.

    The discount is what is left between price x quantity and that amount, so it holds the line's own, a discount by volume
    and the line's share of one on the whole invoice. Xero takes no negative quantity.
    """
    quantity, price = line.get("quantity") or Decimal(0), line.get("unit_price") or Decimal(0)
    if quantity < 0:
        quantity, price = -quantity, -price
    net = line.get("net")
    if net is None:
        return quantity, price, line.get("discount") or Decimal(0)
    counted = quantity.quantize(PLACES, ROUND_HALF_UP)
    if counted and (counted * price).quantize(CENT, ROUND_HALF_UP) < net:
        price = (net / counted).quantize(PLACES, ROUND_CEILING)
    if net <= 0 and abs(counted * price) % CENT == CENT / 2:
        price += PLACES  # no discount in cents takes a half cent away, and what is left of it would round away from zero
    return quantity, price, (counted * price).quantize(CENT, ROUND_HALF_UP) - net


def _tax(line: Line, tax_type: str, books: Books) -> Native:
    tax = line.get("tax") or Decimal(0)
    if untaxed(line, tax_type, books):
        if books.xero_computes_tax:
            return {"TaxType": tax_type}
        if not (line.get("tax_type") or line.get("freight")) and NO_TAX in books.taxes:
            return {"TaxType": NO_TAX, "TaxAmount": tax}
    return {"TaxType": tax_type, "TaxAmount": tax}


def untaxed(line: Line, tax_type: str, books: Books) -> bool:
    """Whether Dynamics holds no tax on a line whose tax rate asks for some."""
    return not line.get("tax") and bool(books.tax_rates.get(tax_type))


_NOTED, _DESCRIBED = ("xero_line_id",), ("description",)
_ALIKE = (_NOTED, ("product", "description", "net"), ("product", "description"), _DESCRIBED, ("product",), ())
"""What makes lines of the two sides belong together, the surest first; at last their order, when both have as many."""


def _twins(lines: Sequence[Line], others: Sequence[Line]) -> list[Line | None]:
    """For each line the other side's line that is meant. A sure one is taken before a guess, whatever line comes first."""
    found: dict[int, Line] = {}
    spare = list(others)
    for alike in _ALIKE if len(lines) == len(others) else _ALIKE[:-1]:
        for place, line in enumerate(lines):
            if place not in found and (twin := next((o for o in spare if _match(line, o, alike)), None)) is not None:
                found[place] = twin
                spare.remove(twin)
    return [found.get(place) for place in range(len(lines))]


def _match(line: Line, other: Line, alike: Sequence[str]) -> bool:
    values = [(line.get(name) or "", other.get(name) or "") for name in alike]
    return all(a == b for a, b in values) and (alike not in (_NOTED, _DESCRIBED) or bool(values[0][0]))


@dataclass(frozen=True, slots=True)
class LineWrite:
    """One Dynamics line to write: ``line_id`` None makes a new one, ``body`` None deletes it."""

    line_id: str | None
    xero_line_id: str
    body: Native | None


def dynamics_lines(lines: Sequence[Line], existing: Sequence[Line], ids: Mapping[str, str]) -> list[LineWrite]:
    """What makes the Dynamics lines ``existing`` equal to the Xero lines ``lines``. ``ids``: code -> Dynamics id.

    Dynamics prices a line as price x quantity - discount + tax, with the price in cents. The price is rounded up and the
    discount takes what is then too much, so that each line, and so the invoice, is the same in both systems to the cent.
    """
    writes, kept = [], []
    for position, (line, twin) in enumerate(zip(lines, _twins(lines, existing), strict=True), 1):
        stays = twin is not None and (_takes(twin, line, ids) or not _reads_otherwise(line, twin))
        if twin is not None and stays:
            kept.append(twin["id"])
        if twin is None or not stays:
            writes.append(LineWrite(None, str(line.get("id") or ""), _dynamics_body(line, position, ids, None)))
        elif _line_moved(line, twin):
            writes.append(LineWrite(str(twin["id"]), str(line.get("id") or ""), _dynamics_body(line, position, ids, twin)))
    return writes + [LineWrite(str(line["id"]), "", None) for line in existing if line["id"] not in kept]


def _takes(twin: Line, line: Line, ids: Mapping[str, str]) -> bool:
    """Whether the Dynamics line ``twin`` can become ``line``: its product, or that it has none, is for good."""
    wanted = str(line.get("product") or "")
    known = wanted if f"product {wanted}" in ids and f"unit {wanted}" in ids else ""
    return str(twin.get("product") or "") in (wanted, known)


def _reads_otherwise(line: Line, twin: Line) -> bool:
    return any((line.get(n) or 0) != (twin.get(n) or 0) for n in ("quantity", "net", "tax", "description"))


def _line_moved(line: Line, twin: Line) -> bool:
    return _reads_otherwise(line, twin) or line.get("xero_line_id") != twin.get("xero_line_id")


def half_written(standing: Sequence[Line], agreed: Sequence[Line], wanted: Sequence[Line], sent: Collection[str]) -> bool:
    """Whether Dynamics lines are what a write that was cut off left of ``agreed``, and nobody else's work.

    Each stands as both sides agreed or already as its Xero line (``wanted``), and none is missing but those that were
    ``sent`` (ids of Dynamics).
    """
    before, twins = {line["id"]: line for line in agreed}, {line["id"]: line for line in wanted}

    def ours(line: Line) -> bool:
        twin = twins.get(line.get("xero_line_id"))
        return twin is not None and not _line_moved(twin, line)

    there = {line["id"] for line in standing}
    return all(before.get(line["id"]) == line or ours(line) for line in standing) and before.keys() - there <= set(sent)


def _dynamics_body(line: Line, position: int, ids: Mapping[str, str], twin: Line | None) -> Native:
    quantity = line.get("quantity") or Decimal(0)
    net = line.get("net") or Decimal(0)
    price = (line.get("unit_price") or Decimal(0)).quantize(CENT, ROUND_CEILING)
    if quantity and price * quantity < net:
        price = (net / quantity).quantize(CENT, ROUND_CEILING)
    body: Native = {
        "quantity": quantity,
        "priceperunit": price,
        "manualdiscountamount": max(Decimal(0), (price * quantity).quantize(CENT, ROUND_HALF_UP) - net),
        "tax": line.get("tax") or Decimal(0),
        "tie_xerolineid": line.get("id"),
    }
    product = ids.get(f"product {line.get('product')}") if line.get("product") else None
    if twin is None:
        body |= {"lineitemnumber": position, **_what(line, product, ids)}
    elif twin.get("product"):
        body |= {"ispriceoverridden": True, "description": line.get("description")}
    else:
        body |= {"productdescription": str(line.get("description") or "")[:850]}
    return body


def _what(line: Line, product: str | None, ids: Mapping[str, str]) -> Native:
    unit = ids.get(f"unit {line.get('product')}")
    chosen = code_columns(line, ids)
    if product and unit:
        return chosen | {
            "isproductoverridden": False,
            "ispriceoverridden": True,
            "productid": Lookup("product", product),
            "uomid": Lookup("uom", unit),
            "description": line.get("description"),
        }
    return chosen | {"isproductoverridden": True, "productdescription": str(line.get("description") or "")[:850]}


def code_columns(line: Line, ids: Mapping[str, str]) -> Native:
    """The columns of a Dynamics line that hold its ledger account and tax rate, as far as Dynamics has these."""
    codes = {
        "tie_ledgeraccountid": ("tie_ledgeraccount", ids.get(f"account {line.get('account_code')}")),
        "tie_taxrateid": ("tie_taxrate", ids.get(f"tax {line.get('tax_type')}")),
    }
    return {column: Lookup(table, found) for column, (table, found) in codes.items() if found}
