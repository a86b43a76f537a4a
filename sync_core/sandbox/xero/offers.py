"""Quotes and purchase orders: papers with lines that move nothing in the ledger; what differs between them is data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero import contacts, wire
from sync_core.sandbox.xero.amounts import totals
from sync_core.sandbox.xero.context import Context, currency_of, raise_all
from sync_core.sandbox.xero.errors import RuleError, require
from sync_core.sandbox.xero.lines import LineBuilder
from sync_core.sandbox.xero.render_documents import document_shown
from sync_core.sandbox.xero.store import Store
from sync_core.sandbox.xero.views import View

MODES = {"EXCLUSIVE": "Exclusive", "INCLUSIVE": "Inclusive", "NOTAX": "NoTax"}
"""Quotes alone spell them in capitals."""
Transitions = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of offer: its names, where each status may lead, and its own fields with those of them that are dates."""

    resource: str
    key: str
    number: str
    prefix: str
    sales: bool
    transitions: Transitions
    fields: tuple[str, ...]
    dates: tuple[str, ...]
    hidden: tuple[str, ...]


def _ways(**lists: str) -> Transitions:
    return {status: frozenset((status, *ways.split())) for status, ways in lists.items()}


QUOTES = Kind(
    "Quotes",
    "QuoteID",
    "QuoteNumber",
    "QU-",
    sales=True,
    transitions=_ways(
        DRAFT="SENT DELETED",
        SENT="DRAFT ACCEPTED DECLINED INVOICED DELETED",
        ACCEPTED="DRAFT INVOICED DELETED",
        DECLINED="DRAFT DELETED",
        INVOICED="SENT DELETED",
        DELETED="",
    ),
    fields=("Reference", "Terms", "Title", "Summary", "BrandingThemeID"),
    dates=("Date", "ExpiryDate"),
    hidden=("HasAttachments", "UpdatedDateUTCString", "Url", "FullyPaidOnDate"),
)
PURCHASE_ORDERS = Kind(
    "PurchaseOrders",
    "PurchaseOrderID",
    "PurchaseOrderNumber",
    "PO-",
    sales=False,
    transitions=_ways(
        DRAFT="SUBMITTED AUTHORISED DELETED",
        SUBMITTED="DRAFT AUTHORISED DELETED",
        AUTHORISED="BILLED DELETED",
        BILLED="AUTHORISED",
        DELETED="",
    ),
    fields=(
        "Reference",
        "BrandingThemeID",
        "SentToContact",
        "DeliveryAddress",
        "AttentionTo",
        "Telephone",
        "DeliveryInstructions",
    ),
    dates=("Date", "DeliveryDate", "ExpectedArrivalDate"),
    hidden=("UpdatedDateUTCString", "Url", "FullyPaidOnDate"),
)


def find(ctx: Context, kind: Kind, given: Row) -> Row | None:
    """The offer that a POST means: by id, else by number."""
    table = ctx.store[kind.resource]
    if given.get(kind.key):
        found = table.get(given[kind.key])
        if found is None:
            raise RuleError(f"No record with this {kind.key} could be found")
        return found
    return table.find("number", given.get(kind.number))


def write(ctx: Context, kind: Kind, given: Row, old: Row | None) -> Row:
    """Create or change an offer.

    Raises:
        RuleError: the status does not follow from the present one, the number is taken, or a line is not valid.
    """
    store = ctx.store
    blank: Row = {kind.key: store.kernel.new_id(), "Status": "DRAFT", "LineItems": [], "Date": store.today()}
    row: Row = {**(old or blank), **{name: given[name] for name in (*kind.fields, *kind.dates) if name in given}}
    status = given.get("Status") or row["Status"]
    require(old is None or status in kind.transitions[old["Status"]], f"The status {row['Status']} cannot become {status}")
    row["Status"] = status
    if old is not None and given.keys() <= {kind.key, "Status"}:
        return store.put(kind.resource, row)
    number = given.get(kind.number) or row.get(kind.number) or _number(store, kind)
    twin = store[kind.resource].find("number", number)
    require(twin is None or twin[kind.key] == row[kind.key], f"The {kind.number} {number} is already in use")
    row[kind.number] = number
    return store.put(kind.resource, _composed(ctx, kind, given, row, old))


def _number(store: Store, kind: Kind) -> str:
    known = store[kind.resource]
    return next(text for n in count(len(known) + 1) if known.find("number", text := f"{kind.prefix}{n:04d}") is None)


def _composed(ctx: Context, kind: Kind, given: Row, row: Row, old: Row | None) -> Row:
    errors: list[str] = []
    contact, dirty = contacts.resolve(ctx, given.get("Contact") or ({"ContactID": old["ContactID"]} if old else None))
    row["ContactID"] = contact["ContactID"]
    wanted = given.get("LineAmountTypes") or row.get("LineAmountTypes") or "Exclusive"
    mode = MODES.get(wanted, wanted)
    repriced = mode != row.get("LineAmountTypes", mode)
    row["LineAmountTypes"] = mode
    row["CurrencyCode"], row["CurrencyRate"] = currency_of(
        ctx, given, row.get("CurrencyCode") or ctx.store.base_currency, errors
    )
    builder = LineBuilder(ctx, mode, sales=kind.sales, complete=False, discounts=True)
    kept = [{"LineItemID": line["LineItemID"]} for line in row["LineItems"]]
    row["LineItems"] = builder.build(given.get("LineItems", kept), row["LineItems"], repriced=repriced)
    if not row["LineItems"]:
        errors.append("One or more line items must be specified")
    raise_all([*errors, *builder.errors])
    sums = totals(row["LineItems"], mode)
    if dirty:
        ctx.store.put("Contacts", contact)
    return row | {"SubTotal": sums.sub_total, "TotalTax": sums.tax, "Total": sums.total, "TotalDiscount": sums.discount}


def shown(store: Store, kind: Kind, row: Row, view: View) -> Row:
    """An offer as it travels; lists show its lines as well."""
    view = View("page", view.unitdp) if view.level == "list" else view
    found: Row = {kind.key: row[kind.key], kind.number: row[kind.number], **document_shown(store, row, view)}
    if kind is QUOTES:
        found["LineAmountTypes"] = found["LineAmountTypes"].upper()
    found |= {name: row[name] for name in (*kind.fields, "TotalDiscount") if row.get(name) is not None}
    for name in kind.dates:
        if row.get(name) is not None:
            found[name] = wire.ms_date(row[name])
            found[f"{name}String"] = wire.date_string(row[name])
    return {name: value for name, value in found.items() if name not in kind.hidden}
