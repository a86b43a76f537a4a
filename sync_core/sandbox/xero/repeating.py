"""Repeating invoices: what invoices are made from on schedule. They are made and deleted through the API, never changed."""

from __future__ import annotations

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero import contacts, wire
from sync_core.sandbox.xero.amounts import totals
from sync_core.sandbox.xero.context import Context, currency_of, raise_all
from sync_core.sandbox.xero.errors import require
from sync_core.sandbox.xero.lines import LineBuilder
from sync_core.sandbox.xero.render_documents import document_shown
from sync_core.sandbox.xero.store import Store
from sync_core.sandbox.xero.views import View

FLAGS = ("ApprovedForSending", "SendCopy", "MarkAsSent", "IncludePDF")
NEEDED = ("Period", "Unit", "DueDate", "DueDateType")
UNSHOWN = ("UpdatedDateUTC", "UpdatedDateUTCString", "CurrencyRate", "Url", "FullyPaidOnDate")


def write(ctx: Context, given: Row, old: Row | None) -> Row:
    """Make a template, or delete one.

    Raises:
        RuleError: the schedule is not whole, or a line is not valid.
    """
    if old is not None:
        require(old["Status"] != "DELETED", "The repeating invoice has already been deleted")
        require(given.get("Status") == "DELETED", "A repeating invoice can only be deleted")
        return ctx.store.put("RepeatingInvoices", {**old, "Status": "DELETED"})
    require(given.get("Type"), "The type of the repeating invoice must be specified")
    status = given.get("Status") or "DRAFT"
    require(status != "DELETED", "A repeating invoice cannot be made deleted")
    errors: list[str] = []
    row: Row = {
        "RepeatingInvoiceID": ctx.store.kernel.new_id(),
        "Type": given["Type"],
        "Status": status,
        "Schedule": _schedule(ctx, given.get("Schedule") or {}, errors),
        "LineAmountTypes": given.get("LineAmountTypes") or "Exclusive",
        **{name: given[name] for name in ("Reference", "BrandingThemeID") if name in given},
        **{name: given.get(name, False) for name in FLAGS},
    }
    return ctx.store.put("RepeatingInvoices", row | _composed(ctx, given, row, errors))


def _schedule(ctx: Context, given: Row, errors: list[str]) -> Row:
    errors += [f"The {name} of the schedule must be specified" for name in NEEDED if given.get(name) is None]
    if (given.get("Period") or 1) < 1:
        errors.append("The period of the schedule must be at least 1")
    start = given.get("StartDate") or ctx.store.today()
    return {**given, "StartDate": start, "NextScheduledDate": given.get("NextScheduledDate") or start}


def _composed(ctx: Context, given: Row, row: Row, errors: list[str]) -> Row:
    contact, dirty = contacts.resolve(ctx, given.get("Contact"))
    code, rate = currency_of(ctx, given, ctx.store.base_currency, errors)
    sales = row["Type"] == "ACCREC"
    builder = LineBuilder(ctx, row["LineAmountTypes"], sales=sales, complete=row["Status"] == "AUTHORISED", discounts=sales)
    lines = builder.build(given.get("LineItems", []), [])
    if not lines:
        errors.append("One or more line items must be specified")
    raise_all([*errors, *builder.errors])
    sums = totals(lines, row["LineAmountTypes"])
    if dirty:
        ctx.store.put("Contacts", contact)
    amounts = {"SubTotal": sums.sub_total, "TotalTax": sums.tax, "Total": sums.total}
    return {"ContactID": contact["ContactID"], "CurrencyCode": code, "CurrencyRate": rate, "LineItems": lines, **amounts}


def shown(store: Store, row: Row, view: View) -> Row:
    """A template as it travels; lists show its lines as well."""
    view = View("page", view.unitdp) if view.level == "list" else view
    schedule = row["Schedule"]
    dates = {name: wire.ms_date(schedule[name]) for name in ("StartDate", "NextScheduledDate", "EndDate") if schedule.get(name)}
    found: Row = {
        "Schedule": {**schedule, **{name: int(schedule[name]) for name in ("Period", "DueDate")}, **dates},
        "RepeatingInvoiceID": row["RepeatingInvoiceID"],
        "ID": row["RepeatingInvoiceID"],
        "Type": row["Type"],
        **{name: row[name] for name in FLAGS},
        **document_shown(store, row, view),
    }
    return {name: value for name, value in found.items() if name not in UNSHOWN}
