"""How a schedule is drawn: operations by name and number, and the choices that each makes among what is there.

The number seeds every choice of an operation, so that a schedule stays meaningful when some of its operations are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from sync_core.sandbox.kernel import Row
from tests.simulation.arena import Arena

Act = Callable[[Arena, Random], None]


@dataclass(frozen=True, slots=True)
class Op:
    name: str
    number: int

    def play(self, arena: Arena) -> None:
        arena.sandbox.advance(Random(self.number).choice((1, 20, 90, 400)))
        OPERATIONS[self.name][1](arena, Random(self.number))


OPERATIONS: dict[str, tuple[int, Act]] = {}
"""Name -> how often it is drawn, and what it does."""


def op(weight: int) -> Callable[[Act], Act]:
    def kept(act: Act) -> Act:
        OPERATIONS[act.__name__] = (weight, act)
        return act

    return kept


def draw(chance: Random, count: int) -> list[Op]:
    names = list(OPERATIONS)
    picked = chance.choices(names, [OPERATIONS[n][0] for n in names], k=count)
    return [Op(name, chance.getrandbits(32)) for name in picked]


# What there is


def chosen(chance: Random, rows: list[Any]) -> Any:
    return chance.choice(rows) if rows else None


def alive(arena: Arena, table: str) -> list[Row]:
    return [r for r in arena.rows(f"dataverse.{table}") if not r.get("statecode")]


def open_invoices(arena: Arena) -> list[Row]:
    return alive(arena, "invoice")


def active(arena: Arena) -> list[Row]:
    return [r for r in arena.rows("xero.Contacts") if r["ContactStatus"] == "ACTIVE"]


def authorised(arena: Arena) -> list[Row]:
    return [r for r in arena.rows("xero.Invoices") if r["Status"] == "AUTHORISED" and r["AmountDue"] > 0]


def cents(amount: Any) -> str:
    return str(max(Decimal("0.01"), Decimal(amount).quantize(Decimal("0.01"))))


def new_line(chance: Random) -> dict[str, Any]:
    quantity = chance.choice((1, 2, 3, "0.5", "1.25"))
    kind = chance.random()
    if kind < 0.6:
        return {"product": chance.choice(("TENT", "REPAIR", "ROPE")), "quantity": quantity}
    price = chance.choice(("10.00", "0.05", "33.33", "1999.99"))
    coded = {"account": "200", "tax rate": "OUTPUT2"} if kind < 0.95 else {}
    return {"text": "By hand", "price": price, "quantity": quantity, **coded}


# What both papers and settings undergo


def touch_a_copy(arena: Arena, chance: Random, tables: tuple[str, ...], *, deleted: float) -> None:
    """Somebody renames a row of one of ``tables`` in Dynamics, or deletes it with odds of ``deleted``."""
    table = chance.choice(tables)
    if row := chosen(chance, arena.rows(f"dataverse.{table}")):
        path = f"{table}s({row[f'{table}id']})"
        with arena.people() as people:
            if chance.random() < deleted:
                people.crm("DELETE", path)
            else:
                people.crm("PATCH", path, {"tie_name": f"Touched {arena.new_number()}"})
