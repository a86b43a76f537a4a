"""What may happen in a schedule: people's acts in both systems, faults, kills, second runners, lost data, and syncs."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from sync_core.errors import TieoutError
from sync_core.model import Side
from sync_core.sandbox.kernel import Row
from sync_core.service import Scope
from tests.simulation.arena import LEASE_AND_MORE, Arena, Entered
from tests.simulation.drawing import active, alive, authorised, cents, chosen, new_line, op, open_invoices
from tests.simulation.values import xero_city

NEVER = date(2027, 1, 1)
RETRY_AFTER = 20


# Dynamics


@op(2)
def account_in_dynamics(arena: Arena, chance: Random) -> None:
    n = arena.new_number()
    with arena.people() as people:
        people.crm("POST", "accounts", {"name": f"Firm {n}", "emailaddress1": f"firm{n}@x.example"})


@op(1)
def person_in_dynamics(arena: Arena, chance: Random) -> None:
    n = arena.new_number()
    with arena.people() as people:
        people.crm("POST", "contacts", {"firstname": "Ana", "lastname": f"Person {n}"})


@op(7)
def invoice_in_dynamics(arena: Arena, chance: Random) -> None:
    customers = [r.get("name") or r.get("fullname") for t in ("account", "contact") for r in alive(arena, t)]
    if not customers:
        return
    lines = [new_line(chance) for _ in range(chance.choice((1, 1, 2, 3)))]
    given = {"number": f"N-{arena.new_number()}", "customer": chance.choice(customers), "lines": lines}
    given["date"] = "2026-06-15" if chance.random() < 0.05 else "2026-11-20"
    with arena.people() as people:
        people.act("invoice in Dynamics", given)


@op(5)
def customer_changes_in_dynamics(arena: Arena, chance: Random) -> None:
    table = chance.choice(("account", "account", "contact"))
    if row := chosen(chance, alive(arena, table)):
        _edit_crm_customer(arena, table, row, *_new_customer_value(arena, chance))


@op(5)
def due_changes_in_dynamics(arena: Arena, chance: Random) -> None:
    if row := chosen(chance, open_invoices(arena)):
        _edit_crm_due(arena, row, _new_due(arena))


@op(1)
def invoice_deleted_in_dynamics(arena: Arena, chance: Random) -> None:
    row = chosen(chance, open_invoices(arena))
    if row and chance.random() < 0.4:
        with arena.people() as people:
            people.crm("DELETE", f"invoices({row['invoiceid']})")


@op(1)
def customer_deleted_in_dynamics(arena: Arena, chance: Random) -> None:
    row = chosen(chance, alive(arena, "account"))
    if row and chance.random() < 0.4:
        with arena.people() as people:
            people.crm("DELETE", f"accounts({row['accountid']})")


@op(1)
def customer_deactivated_in_dynamics(arena: Arena, chance: Random) -> None:
    if row := chosen(chance, arena.rows("dataverse.account")):
        state = 0 if row.get("statecode") else 1
        with arena.people() as people:
            people.crm("PATCH", f"accounts({row['accountid']})", {"statecode": state, "statuscode": state + 1})


@op(1)
def customers_merged_in_dynamics(arena: Arena, chance: Random) -> None:
    rows = alive(arena, "account")
    if len(rows) > 1:
        loser, survivor = chance.sample(rows, 2)
        with arena.people():
            arena.sandbox.merge("dataverse", "account", loser["accountid"], survivor["accountid"])


# Xero


@op(2)
def contact_in_xero(arena: Arena, chance: Random) -> None:
    n = arena.new_number()
    with arena.people() as people:
        people.xero("PUT", "Contacts", {"Name": f"Client {n}", "EmailAddress": f"client{n}@x.example"})


@op(5)
def contact_changes_in_xero(arena: Arena, chance: Random) -> None:
    if row := chosen(chance, active(arena)):
        _edit_xero_contact(arena, row, *_new_customer_value(arena, chance))


@op(4)
def due_changes_in_xero(arena: Arena, chance: Random) -> None:
    if row := chosen(chance, authorised(arena)):
        _edit_xero_due(arena, row, _new_due(arena))


@op(2)
def contact_archived_or_restored_in_xero(arena: Arena, chance: Random) -> None:
    row = chosen(chance, [r for r in arena.rows("xero.Contacts") if not r.get("MergedToContactID")])
    if row:
        status = "ACTIVE" if row["ContactStatus"] == "ARCHIVED" else "ARCHIVED"
        with arena.people() as people:
            people.xero("POST", f"Contacts/{row['ContactID']}", {"ContactStatus": status})


@op(1)
def contacts_merged_in_xero(arena: Arena, chance: Random) -> None:
    rows = active(arena)
    if len(rows) > 1:
        loser, survivor = chance.sample(rows, 2)
        with arena.people():
            arena.sandbox.merge("xero", "Contacts", loser["ContactID"], survivor["ContactID"])


@op(6)
def payment_in_xero(arena: Arena, chance: Random) -> None:
    if row := chosen(chance, authorised(arena)):
        amount = chance.choice((row["AmountDue"], row["AmountDue"], "0.01", row["AmountDue"] / 2))
        with arena.people() as people:
            people.act("payment in Xero", {"invoice": row["InvoiceNumber"], "amount": cents(amount)})


@op(2)
def payment_deleted_in_xero(arena: Arena, chance: Random) -> None:
    if row := chosen(chance, [r for r in arena.rows("xero.Payments") if r["Status"] == "AUTHORISED"]):
        with arena.people() as people:
            people.xero("POST", f"Payments/{row['PaymentID']}", {"Status": "DELETED"})


@op(2)
def invoice_voided_in_xero(arena: Arena, chance: Random) -> None:
    if row := chosen(chance, authorised(arena)):
        with arena.people() as people:
            people.xero("POST", f"Invoices/{row['InvoiceID']}", {"Status": "VOIDED"})


@op(2)
def invoice_in_xero(arena: Arena, chance: Random) -> None:
    if row := chosen(chance, active(arena)):
        given = {"number": f"X-{arena.new_number()}", "contact": row["Name"], "lines": [{"text": "In Xero", "price": 40}]}
        with arena.people() as people:
            people.act("invoice in Xero", given)


@op(3)
def credit_in_xero(arena: Arena, chance: Random) -> None:
    row = chosen(chance, authorised(arena))
    if not row:
        return
    number = f"C-{arena.new_number()}"
    line = {"Description": "Back", "Quantity": 1, "UnitAmount": 20, "AccountCode": "200", "TaxType": "OUTPUT2"}
    note = {"Type": "ACCRECCREDIT", "CreditNoteNumber": number, "Contact": {"ContactID": row["ContactID"]}}
    note |= {"Date": "2026-11-20", "Status": "AUTHORISED", "LineAmountTypes": "Exclusive", "LineItems": [line]}
    with arena.people() as people:
        people.xero("PUT", "CreditNotes", note)
        amount = cents(min(row["AmountDue"], 23))
        people.act("allocate in Xero", {"credit note": number, "to": row["InvoiceNumber"], "amount": amount})


@op(1)
def prepayment_in_xero(arena: Arena, chance: Random) -> None:
    row = chosen(chance, authorised(arena))
    if not row:
        return
    reference = f"P-{arena.new_number()}"
    contact = arena.kernel.collection("xero.Contacts").get(row["ContactID"]) or {}
    with arena.people() as people:
        people.act("prepayment in Xero", {"contact": contact["Name"], "amount": 50, "reference": reference})
        amount = cents(min(row["AmountDue"], 30))
        people.act("allocate in Xero", {"prepayment": reference, "to": row["InvoiceNumber"], "amount": amount})


@op(1)
def batch_payment_in_xero(arena: Arena, chance: Random) -> None:
    rows = authorised(arena)[:2]
    if rows:
        parts = {r["InvoiceNumber"]: cents(r["AmountDue"]) for r in rows}
        with arena.people() as people:
            people.act("batch payment in Xero", {"reference": f"B-{arena.new_number()}", "invoices": parts})


@op(1)
def lock_date_moves_in_xero(arena: Arena, chance: Random) -> None:
    with arena.people() as people:
        people.act("lock Xero until", chance.choice(("2026-06-30", "2026-05-31", "2026-07-31")))


# Both


@op(4)
def both_sides_change_one_field(arena: Arena, chance: Random) -> None:
    pairs = [(r, x) for r in open_invoices(arena) if (x := arena.kernel.collection("xero.Invoices").get(r.get("tie_xeroid")))]
    pair = chosen(chance, pairs)
    if pair and pair[1]["Status"] == "AUTHORISED":
        _edit_crm_due(arena, pair[0], _new_due(arena))
        _edit_xero_due(arena, pair[1], _new_due(arena))


@op(3)
def both_sides_change_other_fields(arena: Arena, chance: Random) -> None:
    contacts = arena.kernel.collection("xero.Contacts")
    pairs = [(r, x) for r in alive(arena, "account") if (x := contacts.get(r.get("tie_xeroid")))]
    if pair := chosen(chance, pairs):
        n = arena.new_number()
        _edit_crm_customer(arena, "account", pair[0], "city", f"Town {n}")
        _edit_xero_contact(arena, pair[1], "email", f"post{n}@x.example")


@op(2)
def person_decides_a_conflict(arena: Arena, chance: Random) -> None:
    try:
        found = arena.service.statuses("invoices")
        conflicts = [s for s in found if s.status == "Conflict" and s.side is Side.CRM]
        if status := chosen(chance, conflicts):
            arena.service.resolve("invoices", status.id, {"due_date": chance.choice(list(Side))}, who="Mere")
            arena.decided(status.id)
    except TieoutError:
        arena.events["no decision"] += 1


# Tieout


@op(16)
def sync(arena: Arena, chance: Random) -> None:
    arena.sync()


@op(2)
def sync_of_one_record(arena: Arena, chance: Random) -> None:
    if row := chosen(chance, arena.rows("dataverse.invoice")):
        arena.sync(Scope(only={"invoices": frozenset({row["invoiceid"]})}))


@op(1)
def sync_of_one_kind(arena: Arena, chance: Random) -> None:
    arena.sync(Scope(entities=(chance.choice(("contacts", "invoices", "payments")),)))


@op(1)
def preview(arena: Arena, chance: Random) -> None:
    arena.sync(dry_run=True)


@op(1)
def sync_of_everything_anew(arena: Arena, chance: Random) -> None:
    arena.sync(Scope(full=True))


@op(6)
def killed_sync(arena: Arena, chance: Random) -> None:
    if arena.kill(chance.choice((chance.randrange(40), 29 + chance.randrange(60)))):
        arena.events["killed"] += 1


@op(2)
def second_runner_at_once(arena: Arena, chance: Random) -> None:
    arena.contend(chance.randrange(34))


@op(1)
def second_runner_takes_over(arena: Arena, chance: Random) -> None:
    arena.contend(28 + chance.randrange(25), wait=LEASE_AND_MORE)


@op(1)
def cache_lost(arena: Arena, chance: Random) -> None:
    arena.lose_cache()


@op(2)
def process_restarted(arena: Arena, chance: Random) -> None:
    arena.leave()


# Faults

ANY = ({"system": "xero"}, {"system": "dataverse"})
WRITES = (
    {"system": "xero", "method": "PUT"},
    {"system": "xero", "method": "POST"},
    {"system": "dataverse", "method": "PATCH"},
    {"system": "dataverse", "method": "POST"},
)
LISTS = (
    {"system": "xero", "method": "GET", "path": "/(Invoices|Contacts|Payments|CreditNotes)$"},
    {"system": "dataverse", "method": "GET", "path": "/(invoices|accounts|contacts|tie_payments)$"},
)
FAULTS: dict[str, tuple[tuple[dict[str, Any], ...], tuple[dict[str, Any], ...]]] = {
    "status": ((*ANY, *WRITES), ({"status": 500}, {"status": 503})),
    "drop_before": ((*ANY, *WRITES), ({},)),
    "drop_after": (WRITES, ({},)),
    "error_after": (WRITES, ({},)),
    "rate_limited": ((*ANY, *WRITES), ({"retry_after": RETRY_AFTER},)),
    "html": ((*ANY, *WRITES), ({},)),
    "reset_mid_body": ((*ANY, *WRITES), ({},)),
    "expire_tokens": ((*ANY, *WRITES), ({},)),
    "invalid_grant": (({},), ({},)),
    "forbidden": ((*ANY, *WRITES), ({},)),
    "empty_listing": (LISTS, ({},)),
    "short_listing": (LISTS, ({},)),
    "reject_elements": (WRITES[:2], ({"count": 1},)),
    "expire_delta_tokens": (({"system": "dataverse"},), ({},)),
}


@op(14)
def fault(arena: Arena, chance: Random) -> None:
    kind = chance.choice(list(FAULTS))
    where, options = FAULTS[kind]
    struck = chance.choice(where)
    after = 0 if "method" in struck or not struck else chance.randrange(30)
    arena.arm(kind, **struck, **chance.choice(options), after=after, times=chance.choice((1, 1, 2)))


@op(3)
def somebody_edits_meanwhile(arena: Arena, chance: Random) -> None:
    """A person's edit in the middle of a run: while a page is read, or just before Dynamics is written to."""
    row = chosen(chance, alive(arena, "account"))
    if not row:
        return
    phone = f"03 555 {1000 + arena.new_number()}"
    entered = Entered("dataverse.account", row["accountid"], "telephone1", phone, row["accountid"])
    if chance.random() < 0.5:
        _edit_at(arena, entered, "edit_while_paging", {"system": "dataverse", "path": "/accounts$"})
    else:
        _edit_at(arena, entered, "edit_before", {"system": "dataverse", "method": "PATCH", "path": "/accounts"})


@op(3)
def somebody_edits_a_number_in_xero_meanwhile(arena: Arena, chance: Random) -> None:
    """Just before Tieout looks at Xero's contacts once more, or writes to them."""
    if row := chosen(chance, [r for r in alive(arena, "account") if r.get("tie_xeroid")]):
        entered = Entered("xero.Contacts", row["tie_xeroid"], "AccountNumber", f"N-{arena.new_number()}", row["accountid"])
        struck = chance.choice(({"method": "POST"}, {"method": "GET", "after": chance.randrange(3)}))
        _edit_at(arena, entered, "edit_before", {"system": "xero", "path": "/Contacts$", **struck})


@op(3)
def somebody_edits_a_line_meanwhile(arena: Arena, chance: Random) -> None:
    """Its words, just before Tieout writes lines to Dynamics, or reads invoices or lines there once more."""
    invoices = {r["invoiceid"] for r in open_invoices(arena)}
    lines = [r for r in arena.rows("dataverse.invoicedetail") if r["invoiceid"] in invoices and r.get("productid")]
    if line := chosen(chance, lines):
        words = f"Words {arena.new_number()}"
        entered = Entered("dataverse.invoicedetail", line["invoicedetailid"], "description", words, line["invoiceid"])
        writes = ({"method": "PATCH", "path": "/invoicedetails"}, {"method": "POST", "path": r"/\$batch$"})
        reads = [{"method": "GET", "path": path, "after": chance.randrange(3)} for path in ("/invoices$", "/invoicedetails$")]
        _edit_at(arena, entered, "edit_before", {"system": "dataverse", **chance.choice((*writes, *reads))})


# How


def _edit_at(arena: Arena, entered: Entered, kind: str, struck: dict[str, Any]) -> None:
    system, _, table = entered.collection.partition(".")
    edit = {"system": system, "table": table, "id": entered.id, "set": {entered.field: entered.value}}
    arena.meanwhile.append((entered, arena.arm(kind, edit=edit, **struck)))


def _new_due(arena: Arena) -> str:
    return (NEVER + timedelta(days=arena.new_number())).isoformat()


def _new_customer_value(arena: Arena, chance: Random) -> tuple[str, str]:
    n = arena.new_number()
    return chance.choice((("email", f"mail{n}@x.example"), ("city", f"City {n}"), ("name", f"Name {n}")))


def _edit_crm_customer(arena: Arena, table: str, row: Row, field: str, value: str) -> None:
    column = {"email": "emailaddress1", "city": "address1_city", "name": "name" if table == "account" else "lastname"}[field]
    seen = "fullname" if column == "lastname" else column
    before, row_id = row.get(seen), row[f"{table}id"]
    with arena.people() as people:
        people.crm("PATCH", f"{table}s({row_id})", {column: value})
        arena.note("contacts", Side.CRM, row_id, field, arena.kernel.collection(f"dataverse.{table}").get(row_id)[seen], before)


def _edit_crm_due(arena: Arena, row: Row, due: str) -> None:
    before = row.get("duedate")
    with arena.people() as people:
        people.crm("PATCH", f"invoices({row['invoiceid']})", {"duedate": due})
        arena.note("invoices", Side.CRM, row["invoiceid"], "due", due, before)


def _edit_xero_contact(arena: Arena, row: Row, field: str, value: str) -> None:
    before = {"email": row.get("EmailAddress"), "name": row["Name"], "city": xero_city(row)}[field]
    body = {
        "email": {"EmailAddress": value},
        "name": {"Name": value},
        "city": {"Addresses": [{"AddressType": "POBOX", "City": value}]},
    }[field]
    with arena.people() as people:
        people.xero("POST", f"Contacts/{row['ContactID']}", body)
        arena.note("contacts", Side.XERO, row["ContactID"], field, value, before)


def _edit_xero_due(arena: Arena, row: Row, due: str) -> None:
    before = row.get("DueDate")
    with arena.people() as people:
        people.xero("POST", f"Invoices/{row['InvoiceID']}", {"DueDate": due})
        arena.note("invoices", Side.XERO, row["InvoiceID"], "due", due, before)
