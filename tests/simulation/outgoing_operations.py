"""Money and credit that people enter in Dynamics, and the settings under which it goes to Xero."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from sync_core.errors import TieoutError
from sync_core.sandbox.kernel import Row
from tests.simulation.arena import Arena
from tests.simulation.drawing import alive, chosen, op, open_invoices

SWITCHES = ("payments.to_xero", "credit_notes.to_xero")
AMOUNTS = tuple(map(Decimal, ("0.01", "10.00", "23.45", "600.00", "5000.00")))


@op(2)
def money_may_go_to_xero(arena: Arena, chance: Random) -> None:
    """Somebody switches it on, or off again."""
    wanted = chance.choice(("on", "on", "on", "off"))
    try:
        for name in SWITCHES:
            arena.service.set_rule(name, wanted, who="Mere")
    except TieoutError:
        arena.events["no setting"] += 1


@op(3)
def payment_in_dynamics(arena: Arena, chance: Random) -> None:
    if row := chosen(chance, open_invoices(arena)):
        n = arena.new_number()
        given = {
            "invoice": row["invoicenumber"],
            "amount": chance.choice((row["totalamount"], *AMOUNTS)),
            "name": f"Cheque {n}",
        }
        with arena.people() as people:
            people.act("payment in Dynamics", given | {"reference": f"Cheque {n}"})


@op(1)
def payment_changes_in_dynamics(arena: Arena, chance: Random) -> None:
    if row := chosen(chance, arena.rows("dataverse.tie_payment")):
        with arena.people() as people:
            people.crm("PATCH", f"tie_payments({row['tie_paymentid']})", {"tie_amount": chance.choice(AMOUNTS)})


@op(2)
def credit_note_in_dynamics(arena: Arena, chance: Random) -> None:
    if customer := chosen(chance, alive(arena, "account")):
        n = arena.new_number()
        line = {"text": "Back", "quantity": 1, "price": 20, "amount": 20, "tax": 3}
        coded = {"account": "200", "tax rate": "OUTPUT2"} if chance.random() < 0.9 else {}
        given = {"number": f"D-{n}", "customer": customer["name"], "currency": "NZD", "total": 23, "lines": [line | coded]}
        with arena.people() as people:
            people.act("credit note in Dynamics", given)


@op(2)
def allocation_in_dynamics(arena: Arena, chance: Random) -> None:
    note = chosen(chance, arena.rows("dataverse.tie_creditnote"))
    invoice = chosen(chance, [r for r in open_invoices(arena) if note and _of_one_customer(note, r)])
    if note and invoice:
        given = {"credit note": note["tie_number"], "to": invoice["invoicenumber"], "amount": chance.choice(AMOUNTS[:3])}
        with arena.people() as people:
            people.act("allocation in Dynamics", given)


def _of_one_customer(note: Row, invoice: Row) -> bool:
    return invoice["customerid"] in (note.get("tie_accountid"), note.get("tie_contactid"))
