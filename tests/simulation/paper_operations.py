"""What people do to papers that exist: their lines, customers, numbers and dates, credits released, money given back, copies
in Dynamics touched by hand, currencies, and decisions about lines and links in Tieout.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from random import Random
from typing import Any

from sync_core.errors import TieoutError
from sync_core.model import Side
from sync_core.sandbox.kernel import Row
from tests.simulation.arena import Arena
from tests.simulation.drawing import active, alive, authorised, cents, chosen, new_line, op, open_invoices, touch_a_copy
from tests.simulation.values import crm_lines, xero_lines

PRICES = tuple(map(Decimal, ("12.00", "0.07", "45.50", "333.33")))
QUANTITIES = (1, 2, 4, Decimal("2.5"))


# Lines


@op(4)
def line_changes_in_dynamics(arena: Arena, chance: Random) -> None:
    """Price, quantity, tax or words of a write-in line; the quantity of a product's."""
    row = chosen(chance, open_invoices(arena))
    line = chosen(chance, _lines_of(arena, row)) if row else None
    if row and line:
        written = {"priceperunit": chance.choice(PRICES)}, {"productdescription": f"Words {arena.new_number()}"}
        change = chance.choice((*(written if line.get("isproductoverridden") else ()), {"quantity": chance.choice(QUANTITIES)}))
        _edit_crm_lines(arena, row, "PATCH", f"invoicedetails({line['invoicedetailid']})", change)


@op(2)
def line_added_in_dynamics(arena: Arena, chance: Random) -> None:
    if row := chosen(chance, open_invoices(arena)):
        with arena.people() as people:
            body = people.line_for_dynamics(new_line(chance)) | {"lineitemnumber": 50 + arena.new_number()}
        body["invoiceid@odata.bind"] = f"/invoices({row['invoiceid']})"
        _edit_crm_lines(arena, row, "POST", "invoicedetails", body)


@op(1)
def line_removed_in_dynamics(arena: Arena, chance: Random) -> None:
    row = chosen(chance, open_invoices(arena))
    lines = _lines_of(arena, row) if row else []
    if row and len(lines) > 1:
        _edit_crm_lines(arena, row, "DELETE", f"invoicedetails({chance.choice(lines)['invoicedetailid']})", None)


@op(3)
def lines_change_in_xero(arena: Arena, chance: Random) -> None:
    """A line changed, one added, one taken away, or their order turned round."""
    if not (row := chosen(chance, authorised(arena))):
        return
    lines: list[dict[str, Any]] = [{"LineItemID": line["LineItemID"]} for line in row["LineItems"]]
    kind = chance.randrange(4)
    if kind == 0:
        lines[chance.randrange(len(lines))] |= {"Quantity": chance.choice(QUANTITIES), "UnitAmount": chance.choice(PRICES)}
    elif kind == 1:
        added = {"Description": f"Extra {arena.new_number()}", "Quantity": 1, "UnitAmount": chance.choice(PRICES)}
        lines.append({**added, "AccountCode": "200", "TaxType": "OUTPUT2"})
    elif kind == 2 and len(lines) > 1:
        del lines[chance.randrange(len(lines))]
    else:
        lines.reverse()
    _edit_xero_lines(arena, row, {"LineItems": lines})


@op(2)
def both_sides_change_lines(arena: Arena, chance: Random) -> None:
    twins = arena.kernel.collection("xero.Invoices")
    pairs = [(r, x) for r in open_invoices(arena) if (x := twins.get(r.get("tie_xeroid")))]
    pair = chosen(chance, [p for p in pairs if p[1]["Status"] == "AUTHORISED"])
    line = chosen(chance, _lines_of(arena, pair[0])) if pair else None
    if line:
        change = {"quantity": chance.choice(QUANTITIES)}
        _edit_crm_lines(arena, pair[0], "PATCH", f"invoicedetails({line['invoicedetailid']})", change)
        theirs: list[dict[str, Any]] = [{"LineItemID": x["LineItemID"]} for x in pair[1]["LineItems"]]
        theirs[0] |= {"Quantity": chance.choice(QUANTITIES)}
        _edit_xero_lines(arena, pair[1], {"LineItems": theirs})


# The paper itself


@op(1)
def number_changes_in_dynamics(arena: Arena, chance: Random) -> None:
    if row := chosen(chance, open_invoices(arena)):
        with arena.people() as people:
            people.crm("PATCH", f"invoices({row['invoiceid']})", {"invoicenumber": f"R-{arena.new_number()}"})


@op(1)
def customer_of_an_invoice_changes_in_dynamics(arena: Arena, chance: Random) -> None:
    row, customer = chosen(chance, open_invoices(arena)), chosen(chance, alive(arena, "account"))
    if row and customer:
        with arena.people() as people:
            bound = {"customerid_account@odata.bind": f"/accounts({customer['accountid']})"}
            people.crm("PATCH", f"invoices({row['invoiceid']})", bound)


@op(1)
def invoice_date_changes_in_dynamics(arena: Arena, chance: Random) -> None:
    if row := chosen(chance, open_invoices(arena)):
        day = chance.choice(("2026-11-18", "2026-11-19", "2026-06-20"))
        with arena.people() as people:
            people.crm("PATCH", f"invoices({row['invoiceid']})", {"tie_invoicedate": day})


@op(1)
def invoice_canceled_or_reopened_in_dynamics(arena: Arena, chance: Random) -> None:
    if row := chosen(chance, [r for r in arena.rows("dataverse.invoice") if r.get("statecode") in (0, 3)]):
        state = {"statecode": 3, "statuscode": 100003} if row["statecode"] == 0 else {"statecode": 0, "statuscode": 1}
        with arena.people() as people:
            people.crm("PATCH", f"invoices({row['invoiceid']})", state)


@op(1)
def dollars_in_dynamics(arena: Arena, chance: Random) -> None:
    customer = chosen(chance, alive(arena, "account"))
    if customer:
        line = {"text": "Abroad", "price": "100.00", "account": "200", "tax rate": "ZERORATED", "tax": 0}
        given = {"number": f"N-{arena.new_number()}", "customer": customer["name"], "lines": [line], "currency": "USD"}
        with arena.people() as people:
            people.act("invoice in Dynamics", given)


@op(1)
def draft_in_xero(arena: Arena, chance: Random) -> None:
    """Somebody begins an invoice, or approves one that was begun."""
    begun = chosen(chance, [r for r in arena.rows("xero.Invoices") if r["Status"] == "DRAFT"])
    contact = chosen(chance, active(arena))
    with arena.people() as people:
        if begun:
            people.xero("POST", f"Invoices/{begun['InvoiceID']}", {"Status": "AUTHORISED"})
        elif contact:
            given = {"number": f"X-{arena.new_number()}", "contact": contact["Name"], "status": "DRAFT"}
            people.act("invoice in Xero", given | {"lines": [{"text": "Begun", "price": 15}]})


# Credits and money


@op(2)
def credit_released_in_xero(arena: Arena, chance: Random) -> None:
    used = [
        (table, row_id, part["AllocationID"])
        for table in ("CreditNotes", "Prepayments", "Overpayments")
        for row_id, row in _held(arena, f"xero.{table}")
        for part in row.get("_allocations") or ()
    ]
    if used:
        table, row_id, part_id = chance.choice(used)
        with arena.people() as people:
            people.xero("DELETE", f"{table}/{row_id}/Allocations/{part_id}")


@op(1)
def credit_note_voided_in_xero(arena: Arena, chance: Random) -> None:
    notes = [r for r in arena.rows("xero.CreditNotes") if r["Status"] == "AUTHORISED" and not r.get("_allocations")]
    if row := chosen(chance, notes):
        with arena.people() as people:
            people.xero("POST", f"CreditNotes/{row['CreditNoteID']}", {"Status": "VOIDED"})


@op(1)
def credit_given_back_in_xero(arena: Arena, chance: Random) -> None:
    notes = [r for r in arena.rows("xero.CreditNotes") if r["Status"] == "AUTHORISED" and r["RemainingCredit"] > 0]
    if row := chosen(chance, notes):
        with arena.people() as people:
            given = {"credit note": row["CreditNoteNumber"], "amount": cents(row["RemainingCredit"] / 2)}
            people.act("refund in Xero", given)


@op(1)
def overpayment_in_xero(arena: Arena, chance: Random) -> None:
    if row := chosen(chance, active(arena)):
        given = {"contact": row["Name"], "amount": chance.choice(("17.50", "400")), "reference": f"O-{arena.new_number()}"}
        with arena.people() as people:
            people.act("overpayment in Xero", given)


@op(1)
def batch_payment_deleted_in_xero(arena: Arena, chance: Random) -> None:
    if row := chosen(chance, [r for r in arena.rows("xero.BatchPayments") if r["Status"] == "AUTHORISED"]):
        with arena.people() as people:
            people.xero("POST", "BatchPayments", {"BatchPaymentID": row["BatchPaymentID"], "Status": "DELETED"})


@op(1)
def a_copy_is_touched_in_dynamics(arena: Arena, chance: Random) -> None:
    """What came from Xero is changed or deleted by somebody in Dynamics."""
    tables = ("tie_payment", "tie_creditnote", "tie_allocation", "tie_creditnoteline")
    touch_a_copy(arena, chance, tables, deleted=0.5)


# In Tieout


@op(2)
def person_decides_about_lines(arena: Arena, chance: Random) -> None:
    try:
        conflicts = [s for s in arena.service.statuses("invoices") if s.status == "Conflict" and s.side is Side.CRM]
        if status := chosen(chance, conflicts):
            arena.service.resolve("invoices", status.id, {"lines": chance.choice(list(Side))}, who="Mere")
            arena.decided(status.id)
    except TieoutError:
        arena.events["no decision"] += 1


# How


def _held(arena: Arena, name: str) -> Iterable[tuple[str, Row]]:
    return list(arena.kernel.collection(name).items())


def _lines_of(arena: Arena, invoice: Row) -> list[Row]:
    return [r for r in arena.rows("dataverse.invoicedetail") if r["invoiceid"] == invoice["invoiceid"]]


def _edit_crm_lines(arena: Arena, invoice: Row, method: str, path: str, body: dict[str, Any] | None) -> None:
    row_id = invoice["invoiceid"]
    before = crm_lines(arena.kernel, row_id)
    with arena.people() as people:
        people.crm(method, path, body)
        _note(arena, Side.CRM, row_id, crm_lines(arena.kernel, row_id), before)


def _edit_xero_lines(arena: Arena, invoice: Row, body: dict[str, Any]) -> None:
    row_id = invoice["InvoiceID"]
    before = xero_lines(invoice)
    with arena.people() as people:
        people.xero("POST", f"Invoices/{row_id}", body)
        _note(arena, Side.XERO, row_id, xero_lines(arena.kernel.collection("xero.Invoices").get(row_id) or {}), before)


def _note(arena: Arena, side: Side, row_id: str, after: str, before: str) -> None:
    """Words and order are in nobody's account of the lines: who changes nothing else is not listened for."""
    if after != before:
        arena.note("invoices", side, row_id, "lines", after, before)
