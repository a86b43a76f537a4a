"""Invoices and credit notes: create, update, void; one set of rules with what differs as data.

Life cycle, numbering, the rules for paid documents and the fields that do not move ``UpdatedDateUTC`` are
those of the facts. Nothing is stored before every rule was checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero import contacts
from sync_core.sandbox.xero.amounts import ZERO, totals
from sync_core.sandbox.xero.context import Context, check_open, currency_of, lock_error, raise_all
from sync_core.sandbox.xero.errors import RuleError
from sync_core.sandbox.xero.lines import LineBuilder
from sync_core.sandbox.xero.settle import settle_credit, settle_invoice
from sync_core.sandbox.xero.store import Store

TRANSITIONS = {
    "DRAFT": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "SUBMITTED": {"SUBMITTED", "DRAFT", "AUTHORISED", "DELETED"},
    "AUTHORISED": {"AUTHORISED", "VOIDED"},
    "PAID": {"PAID"},
}
NEW = {"DRAFT", "SUBMITTED", "AUTHORISED"}
QUIET = {"DueDate", "SentToContact"}
EDITABLE_WHEN_PAID = {
    "ACCREC": {*QUIET, "ExpectedPaymentDate"},
    "ACCPAY": {*QUIET, "Reference", "InvoiceNumber", "BrandingThemeID", "Contact", "Url", "PlannedPaymentDate"},
}
WORDS = {"Description", "AccountCode", "AccountID", "Tracking"}
HEADER = (
    "Date",
    "DueDate",
    "Reference",
    "BrandingThemeID",
    "Url",
    "SentToContact",
    "ExpectedPaymentDate",
    "PlannedPaymentDate",
)
PAID_TEXT = "This document cannot be edited as it has a payment or credit note allocated to it."


@dataclass(frozen=True, slots=True)
class Kind:
    """What tells invoices from credit notes."""

    resource: str
    key: str
    number: str
    sales: str
    purchase: str
    prefix: str
    word: str


INVOICES = Kind("Invoices", "InvoiceID", "InvoiceNumber", "ACCREC", "ACCPAY", "INV-", "Invoice")
CREDIT_NOTES = Kind("CreditNotes", "CreditNoteID", "CreditNoteNumber", "ACCRECCREDIT", "ACCPAYCREDIT", "CN-", "Credit note")


def find(ctx: Context, kind: Kind, given: Row) -> Row | None:
    """The document that a POST means: by id, else by the number of a sales document."""
    table = ctx.store[kind.resource]
    if given.get(kind.key):
        found = table.get(given[kind.key])
        if found is None:
            raise RuleError(f"{kind.word} with this {kind.key} could not be found")
        return found
    return table.find("number", given.get(kind.number)) if given.get("Type") != kind.purchase else None


def write(ctx: Context, kind: Kind, given: Row, old: Row | None) -> Row:
    """Create or update a document."""
    return _create(ctx, kind, given) if old is None else _update(ctx, kind, given, old)


def _create(ctx: Context, kind: Kind, given: Row) -> Row:
    errors = []
    if given.get("Type") not in {kind.sales, kind.purchase}:
        errors.append(f"{kind.word} type must be {kind.sales} or {kind.purchase}")
    if given.get("Status", "DRAFT") not in NEW:
        errors.append(f"A new {kind.word.lower()} must be DRAFT, SUBMITTED or AUTHORISED")
    if given.get("LineAmountTypes", "") == "":
        given = {**given, "LineAmountTypes": "Exclusive"}
    raise_all(errors)
    return _store(ctx, kind, {"Status": "DRAFT", "Date": ctx.store.today(), **given}, _blank(ctx, kind, given))


def _blank(ctx: Context, kind: Kind, given: Row) -> Row:
    money = {"AmountPaid": ZERO, "AmountCredited": ZERO}
    if kind is CREDIT_NOTES:
        money = {"_refunded": ZERO}
    return {
        kind.key: ctx.store.kernel.new_id(),
        "Type": given["Type"],
        kind.number: "",
        "Status": "DRAFT",
        "LineItems": [],
        "LineAmountTypes": given["LineAmountTypes"],
        "SentToContact": False,
        "_payments": [],
        "_app": ctx.app,
        **({"_applied": []} if kind is INVOICES else {"_allocations": []}),
        **money,
    }


def _update(ctx: Context, kind: Kind, given: Row, old: Row) -> Row:
    target = given.get("Status") or old["Status"]
    if old["Status"] not in TRANSITIONS or (given.get("Type") or old["Type"]) != old["Type"]:
        raise RuleError(f"{kind.word} not of valid status for modification")
    used = bool(old["_payments"] or old.get("_applied") or old.get("_allocations"))
    if target not in TRANSITIONS[old["Status"]] and not (target == "AUTHORISED" and old["Status"] == "PAID"):
        raise RuleError(PAID_TEXT if used else f"{kind.word} not of valid status for modification")
    if target in {"VOIDED", "DELETED"}:
        return _close(ctx, kind, old, target, used=used)
    if used or old["Status"] == "PAID":
        return _touch_paid(ctx, kind, given, old)
    return _store(ctx, kind, {**given, "Status": target}, old)


def _close(ctx: Context, kind: Kind, old: Row, target: str, *, used: bool) -> Row:
    if used:
        raise RuleError(PAID_TEXT)
    check_open(ctx.store, old["Date"])
    return _settle(ctx.store, kind, {**old, "Status": target})


def _touch_paid(ctx: Context, kind: Kind, given: Row, old: Row) -> Row:
    """Change what may still be changed once money is on a document."""
    allowed = EDITABLE_WHEN_PAID.get(old["Type"], {"SentToContact"})
    changed = {name for name, value in given.items() if name != "Status" and _differs(ctx, old, name, value)}
    if "LineItems" in changed and old["Type"] == "ACCPAY":
        changed -= {"LineItems"} if _only_words(given["LineItems"], old["LineItems"]) else set()
    if not changed <= allowed:
        raise RuleError(PAID_TEXT)
    check_open(ctx.store, old["Date"])
    row = {**old, **{name: given[name] for name in changed if name != "Contact"}}
    if "Contact" in changed:
        contact, dirty = contacts.resolve(ctx, given["Contact"])
        row["ContactID"] = (ctx.store.put("Contacts", contact) if dirty else contact)["ContactID"]
    if "LineItems" in given and old["Type"] == "ACCPAY":
        row["LineItems"] = _reworded(given["LineItems"], old["LineItems"])
    loud = bool(changed - QUIET) or row["LineItems"] != old["LineItems"] or not changed
    return ctx.store.put(kind.resource, row, bump=loud)


def _differs(ctx: Context, old: Row, name: str, value: Any) -> bool:
    if name == "Contact":
        return bool(contacts.resolve(ctx, value)[0]["ContactID"] != old["ContactID"])
    if name == "LineItems":
        return [_filled(line) for line in _merged(value, old["LineItems"])] != [_filled(line) for line in old["LineItems"]]
    return bool(value != old.get(name))


def _merged(given: list[Row], old: list[Row]) -> list[Row]:
    by_id = {line["LineItemID"]: line for line in old}
    return [{**by_id.get(line.get("LineItemID", ""), {}), **line} for line in given]


def _filled(line: Row) -> Row:
    """A line without its blanks: an echo shows empty lists where nothing is stored."""
    return {name: value for name, value in line.items() if value not in (None, "", [])}


def _only_words(given: list[Row], old: list[Row]) -> bool:
    """Whether the lines differ in nothing but what may still be changed on a paid bill."""

    def figures(lines: list[Row]) -> list[Row]:
        return [{k: v for k, v in _filled(line).items() if k not in WORDS} for line in lines]

    return figures(_merged(given, old)) == figures(old)


def _reworded(given: list[Row], old: list[Row]) -> list[Row]:
    by_id = {line.get("LineItemID"): line for line in given}
    return [{**line, **by_id.get(line["LineItemID"], {})} for line in old]


def _store(ctx: Context, kind: Kind, given: Row, old: Row) -> Row:
    """Check everything, then store the contact (when it is new or changed) and the document."""
    store, sales = ctx.store, old["Type"] == kind.sales
    errors = [e for day in (old.get("Date"), given.get("Date")) if (e := lock_error(store, day))]
    row = {**old, **{name: given[name] for name in HEADER if name in given}, "Status": given["Status"]}
    contact, dirty = _contact(ctx, given, old, errors)
    row["ContactID"] = contact.get("ContactID", old.get("ContactID"))
    _currency(ctx, given, row, contact, errors)
    _header(ctx, kind, row, errors)
    _lines(ctx, kind, given, old, row, errors)
    _number(ctx, kind, given, row, errors, sales=sales)
    raise_all(errors)
    if dirty:
        store.put("Contacts", contact)
    if sales and not row[kind.number]:
        row[kind.number] = next_number(store, kind)
    contacts.mark(store, row["ContactID"], row["Type"])
    return _settle(store, kind, row)


def _contact(ctx: Context, given: Row, old: Row, errors: list[str]) -> tuple[Row, bool]:
    reference = given.get("Contact") or ({"ContactID": old["ContactID"]} if "ContactID" in old else None)
    try:
        return contacts.resolve(ctx, reference)
    except RuleError as broken:
        errors.extend(broken.messages)
        return {}, False


def _currency(ctx: Context, given: Row, row: Row, contact: Row, errors: list[str]) -> None:
    if "CurrencyCode" not in row or given.keys() & {"CurrencyCode", "CurrencyRate"}:
        default = row.get("CurrencyCode") or contact.get("DefaultCurrency") or ctx.store.base_currency
        row["CurrencyCode"], row["CurrencyRate"] = currency_of(ctx, given, default, errors)


def _header(ctx: Context, kind: Kind, row: Row, errors: list[str]) -> None:
    theme = row.get("BrandingThemeID")
    if theme and ctx.store["BrandingThemes"].get(theme) is None:
        errors.append("The branding theme could not be found")
    url = row.get("Url") or ""
    if url and (not url.startswith(("http://", "https://")) or "xero" in url.lower()):
        errors.append("The Url must be an absolute address outside of Xero")
    if kind is INVOICES and row["Status"] == "AUTHORISED" and row.get("DueDate") is None:
        errors.append("Due date cannot be empty")


def _lines(ctx: Context, kind: Kind, given: Row, old: Row, row: Row, errors: list[str]) -> None:
    mode = given.get("LineAmountTypes") or old["LineAmountTypes"]
    row["LineAmountTypes"] = mode
    repriced = mode != old["LineAmountTypes"]
    sales, complete = old["Type"] == kind.sales, row["Status"] == "AUTHORISED"
    builder = LineBuilder(ctx, mode, sales=sales, complete=complete, discounts=old["Type"] == "ACCREC")
    wanted = given.get("LineItems")
    if wanted is None:
        wanted = [{"LineItemID": line["LineItemID"]} for line in old["LineItems"]]
    row["LineItems"] = builder.build(wanted, old["LineItems"], repriced=repriced)
    errors.extend(builder.errors)
    if complete and not row["LineItems"]:
        errors.append("One or more line items must be specified")
    sums = totals(row["LineItems"], mode)
    row |= {"SubTotal": sums.sub_total, "TotalTax": sums.tax, "Total": sums.total}
    row["TotalDiscount"] = sums.discount or None
    if sums.total < 0:
        errors.append("The document total must not be less than zero")


def _number(ctx: Context, kind: Kind, given: Row, row: Row, errors: list[str], *, sales: bool) -> None:
    row[kind.number] = given.get(kind.number) or row[kind.number]
    holder = ctx.store[kind.resource].find("number", row[kind.number]) if sales else None
    if holder is not None and holder[kind.key] != row[kind.key]:
        errors.append(f"{kind.word} # must be unique.")


def _settle(store: Store, kind: Kind, row: Row) -> Row:
    settle = settle_invoice if kind is INVOICES else settle_credit
    return store.put(kind.resource, settle(row, row["Date"]))


def next_number(store: Store, kind: Kind) -> str:
    """The next free number of a sales document: INV-0001, CN-0001."""
    counters = store.kernel.collection("xero.counters")
    count = (counters.get(kind.prefix) or {"last": 0})["last"]
    while True:
        count += 1
        number = f"{kind.prefix}{count:04d}"
        if store[kind.resource].find("number", number) is None:
            counters.put(kind.prefix, {"last": count})
            return number
