"""PUT and POST of elements: find what is meant, write each, and report in the two ways of
``summarizeErrors``.

By default one broken element makes the whole answer a 400 that shows only the broken ones, although the good
ones were written. With ``summarizeErrors=false`` the answer is 200 and each element says for itself how it
went.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero import (
    banking,
    batches,
    contacts,
    documents,
    groups,
    linked,
    manual,
    offers,
    payments,
    repeating,
    settings,
    transfers,
    wire,
    xml,
)
from sync_core.sandbox.xero.context import Context
from sync_core.sandbox.xero.errors import EMPTY_ID, RuleError, as_errors, bad_data, no_data, validation
from sync_core.sandbox.xero.fields import read
from sync_core.sandbox.xero.render import render
from sync_core.sandbox.xero.resources import Resource
from sync_core.sandbox.xero.store import Store
from sync_core.sandbox.xero.views import View

Find = Callable[[Context, Row], Row | None]
Write = Callable[[Context, Row, Row | None], Row]


def _nothing(_ctx: Context, _given: Row) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Writer:
    """How elements of a resource are found and written. ``summary_only`` leaves no choice of summarizeErrors."""

    write: Write
    find: Find = _nothing
    summary_only: bool = False


def _by_id(resource: str, key: str, word: str) -> Find:
    """What a POST means, where nothing but its id names it; without one it makes a new one."""

    def find(ctx: Context, given: Row) -> Row | None:
        found = ctx.store[resource].get(given.get(key))
        if found is None and given.get(key):
            raise RuleError(f"The {word} could not be found")
        return found

    return find


def _for(kind: documents.Kind) -> Writer:
    def find(ctx: Context, given: Row) -> Row | None:
        return documents.find(ctx, kind, given)

    def write(ctx: Context, given: Row, old: Row | None) -> Row:
        return documents.write(ctx, kind, given, old)

    return Writer(write, find)


def _for_offers(kind: offers.Kind) -> Writer:
    def find(ctx: Context, given: Row) -> Row | None:
        return offers.find(ctx, kind, given)

    def write(ctx: Context, given: Row, old: Row | None) -> Row:
        return offers.write(ctx, kind, given, old)

    return Writer(write, find)


WRITERS = {
    "Invoices": _for(documents.INVOICES),
    "CreditNotes": _for(documents.CREDIT_NOTES),
    "Contacts": Writer(contacts.write, contacts.find),
    "Payments": Writer(payments.write),
    "BatchPayments": Writer(batches.write, _by_id("BatchPayments", "BatchPaymentID", "batch payment")),
    "BankTransactions": Writer(banking.write, _by_id("BankTransactions", "BankTransactionID", "bank transaction")),
    "Quotes": _for_offers(offers.QUOTES),
    "PurchaseOrders": _for_offers(offers.PURCHASE_ORDERS),
    "ManualJournals": Writer(manual.write, _by_id("ManualJournals", "ManualJournalID", "manual journal")),
    "BankTransfers": Writer(transfers.write, transfers.find),
    "RepeatingInvoices": Writer(repeating.write, _by_id("RepeatingInvoices", "RepeatingInvoiceID", "repeating invoice")),
    "LinkedTransactions": Writer(linked.write),
    "ContactGroups": Writer(groups.write),
    "Accounts": Writer(settings.write_account, summary_only=True),
    "Items": Writer(settings.write_item, settings.find_item),
    "TaxRates": Writer(settings.write_tax_rate, settings.find_tax_rate, summary_only=True),
    "TrackingCategories": Writer(settings.write_tracking, summary_only=True),
    "Currencies": Writer(settings.write_currency, summary_only=True),
}


@dataclass(frozen=True, slots=True)
class Order:
    """One write call: what was asked, by whom, and how to answer."""

    method: str
    app: str
    unitdp: int
    summarize: bool


def elements_of(body: Any, name: str) -> list[Any]:
    """The elements of a body: an array under the plural name, or one bare object."""
    if isinstance(body, dict) and name in body:
        body = body[name]
    elements = body if isinstance(body, list) else [body]
    if not elements or elements == [{}] or elements == [None]:
        raise no_data(name.removesuffix("s"))
    return elements


def parse(raw: bytes) -> Any:
    """The body of a request, in JSON or in XML. Raises a refusal when it is neither."""
    is_xml = raw.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    try:
        return xml.load(raw) if is_xml else wire.load(raw)
    except (ValueError, RecursionError) as broken:
        raise bad_data(f" {broken}", "XML" if is_xml else "JSON") from broken


def write_all(store: Store, resource: Resource, elements: list[Any], order: Order) -> Row:
    """Write every element on its own and give the content of the answer."""
    writer = WRITERS[resource.name]
    if len(elements) > 1 and (not resource.batch or (resource.name == "Payments" and order.method == "POST")):
        raise bad_data(f" Only one element is taken in one call to {resource.name}")
    done = []
    find = writer.find if order.method == "POST" else _nothing
    work = partial(_write, writer.write, find)
    for element in elements:
        ctx = Context(store, order.app, order.method, order.unitdp)
        done.append(_one(ctx, resource, element, work))
    broken = [shown for shown, good in done if not good]
    summarize = order.summarize or writer.summary_only or (resource.name == "Payments" and order.method == "POST")
    if broken and summarize:
        raise validation([_without_status(shown) for shown in broken])
    return {resource.name: [_without_status(s) if summarize else s for s, _ in done]}


def write_one(store: Store, resource: Resource, row: Row, element: Any, order: Order) -> Row:
    """Write one element to the row that the address names; the answer has no statuses."""
    ctx = Context(store, order.app, "POST", order.unitdp)
    if isinstance(element, dict):
        element = {**element, resource.key: row[resource.key]}
    work = partial(_write, WRITERS[resource.name].write, lambda _ctx, _given: row)
    shown, good = _one(ctx, resource, element, work)
    if not good:
        raise validation([_without_status(shown)])
    return {resource.name: [_without_status(shown)]}


def _write(write: Write, find: Find, ctx: Context, given: Row) -> Row:
    return write(ctx, given, find(ctx, given))


def _one(ctx: Context, resource: Resource, element: Any, work: Callable[[Context, Row], Row]) -> tuple[Row, bool]:
    """One element written: how it is shown, and whether it went well."""
    errors: list[str] = []
    given = read(resource.spec, element, errors)
    try:
        if errors:
            raise RuleError(*errors)
        row = work(ctx, given)
    except RuleError as broken:
        echo = {resource.key: EMPTY_ID, **wire.plain(given), resource.error_flag: True}
        return {**echo, "StatusAttributeString": "ERROR", "ValidationErrors": as_errors(broken.messages)}, False
    shown = render(ctx.store, resource.name, row, View("one", ctx.unitdp))
    if ctx.warnings:
        shown["Warnings"] = as_errors(ctx.warnings)
    return {**shown, "StatusAttributeString": "WARNING" if ctx.warnings else "OK"}, True


def _without_status(shown: Row) -> Row:
    """As shown without ``summarizeErrors=false``: a status only where there is a warning to notice."""
    if shown.get("StatusAttributeString") == "WARNING":
        return shown
    return {k: v for k, v in shown.items() if k != "StatusAttributeString"}
