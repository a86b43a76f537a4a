"""Allocations of credit notes, prepayments and overpayments to invoices."""

from __future__ import annotations

from decimal import Decimal

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero import wire
from sync_core.sandbox.xero.amounts import ZERO, cents
from sync_core.sandbox.xero.context import Context, check_open
from sync_core.sandbox.xero.errors import RuleError, not_found, require
from sync_core.sandbox.xero.settle import apply_credit, settle_credit, unapply_credit

PURCHASES = ("ACCPAY", "SPEND")


def allocate(ctx: Context, kind: str, credit: Row, given: Row) -> tuple[Row, Row]:
    """Apply part of a credit to an invoice. Gives the credit as it is now and the allocation."""
    store = ctx.store
    invoice = _invoice(ctx, given.get("Invoice") or {})
    amount = cents(given.get("Amount") or given.get("AppliedAmount") or ZERO)  # the older name is taken as well
    _check(credit, invoice, amount)
    day = given.get("Date")
    if day is None:
        raise RuleError("The date of the allocation must be specified")
    check_open(store, day)
    allocation: Row = {
        "AllocationID": store.kernel.new_id(),
        "InvoiceID": invoice["InvoiceID"],
        "Amount": amount,
        "Date": day,
    }
    changed = {**credit, "_allocations": [*credit["_allocations"], allocation]}
    changed = store.put(kind, settle_credit(changed, day))
    applied = {"kind": kind, "id": credit[store[kind].resource.key], "amount": amount, "date": day}
    apply_credit(store, invoice["InvoiceID"], {**applied, "allocation": allocation["AllocationID"]})
    return changed, allocation


def _invoice(ctx: Context, reference: Row) -> Row:
    invoices = ctx.store["Invoices"]
    found = invoices.get(reference.get("InvoiceID")) or invoices.find("number", reference.get("InvoiceNumber"))
    if found is None:
        raise RuleError("The invoice to allocate to could not be found")
    return found


def _check(credit: Row, invoice: Row, amount: Decimal) -> None:
    sides = [row["Type"].startswith(PURCHASES) for row in (credit, invoice)]
    require(credit["Status"] in {"AUTHORISED", "PAID"}, "Only an authorised credit can be allocated")
    require(invoice["Status"] in {"AUTHORISED", "PAID"}, "Credit can only be allocated to an authorised invoice")
    require(sides[0] == sides[1], "The credit and the invoice must both be sales or both be purchases")
    require(credit["ContactID"] == invoice["ContactID"], "The credit and the invoice must have the same contact")
    require(credit["CurrencyCode"] == invoice["CurrencyCode"], "The credit and the invoice must have one currency")
    require(amount > ZERO, "The amount to allocate must be greater than zero")
    require(amount <= credit["RemainingCredit"], "The amount to allocate exceeds the remaining credit")
    require(amount <= invoice["AmountDue"], "The amount to allocate exceeds the amount due on the invoice")


def remove_allocation(ctx: Context, kind: str, credit: Row, allocation_id: str) -> Row:
    """Undo an allocation. The answer has a shape of its own: AllocationId, and the invoice in a list."""
    store = ctx.store
    gone = next((a for a in credit["_allocations"] if a["AllocationID"] == allocation_id), None)
    if gone is None:
        raise not_found()
    check_open(store, gone["Date"])
    changed = {**credit, "_allocations": [a for a in credit["_allocations"] if a is not gone]}
    store.put(kind, settle_credit(changed, gone["Date"]))
    unapply_credit(store, gone["InvoiceID"], allocation_id)
    return {
        "AllocationId": allocation_id,
        "Date": wire.ms_date(gone["Date"]),
        "Invoice": [{"InvoiceID": gone["InvoiceID"]}],
        "IsDeleted": True,
    }
