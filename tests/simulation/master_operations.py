"""What people do with what papers are made of: products, ledger accounts, tax rates, and the types of customers."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from sync_core.model import Side
from sync_core.sandbox.kernel import Row
from tests.simulation.arena import Arena
from tests.simulation.drawing import alive, chosen, op, touch_a_copy

TYPES = (3, 10, 11, 5, None)
"""Customer, two that are vendors in Xero, one that is nothing there, and none."""
PRICES = (Decimal("12.50"), Decimal("7.95"), Decimal("0.10"))


# Products


@op(1)
def product_in_dynamics(arena: Arena, chance: Random) -> None:
    n = arena.new_number()
    with arena.people() as people:
        people.act("product in Dynamics", {"name": f"Thing {n}", "code": f"P-{n}", "price": chance.choice(PRICES)})


@op(2)
def product_renamed_in_dynamics(arena: Arena, chance: Random) -> None:
    if row := chosen(chance, alive(arena, "product")):
        name, row_id, before = f"Thing {arena.new_number()}", row["productid"], row["name"]
        with arena.people() as people:
            people.crm("PATCH", f"products({row_id})", {"name": name})
            arena.note("products", Side.CRM, row_id, "name", name, before)


@op(1)
def product_retired_or_published_in_dynamics(arena: Arena, chance: Random) -> None:
    mine = [r for r in arena.rows("dataverse.product") if r["productnumber"].startswith("P-")]
    if row := chosen(chance, mine):
        with arena.people() as people:
            people.crm("PATCH", f"products({row['productid']})", {"statecode": 0 if row.get("statecode") else 1})


@op(1)
def product_number_changes_in_dynamics(arena: Arena, chance: Random) -> None:
    mine = [r for r in alive(arena, "product") if r["productnumber"].startswith("P-")]
    if row := chosen(chance, mine):
        with arena.people() as people:
            people.crm("PATCH", f"products({row['productid']})", {"productnumber": f"P-{arena.new_number()}"})


@op(1)
def item_in_xero(arena: Arena, chance: Random) -> None:
    """Somebody enters an item: a new one, or one that Dynamics has and Xero does not know yet."""
    known = {r["Code"] for r in arena.rows("xero.Items")}
    waiting = [r["productnumber"] for r in alive(arena, "product") if r["productnumber"] not in known]
    n = arena.new_number()
    with arena.people() as people:
        people.xero("PUT", "Items", {"Code": chance.choice([f"P-{n}", *waiting]), "Name": f"Item {n}"})


@op(1)
def item_changes_in_xero(arena: Arena, chance: Random) -> None:
    if row := chosen(chance, arena.rows("xero.Items")):
        with arena.people() as people:
            people.xero("POST", f"Items/{row['ItemID']}", {"Code": row["Code"], "Name": f"Item {arena.new_number()}"})


@op(1)
def item_deleted_in_xero(arena: Arena, chance: Random) -> None:
    row = chosen(chance, [r for r in arena.rows("xero.Items") if r["Code"].startswith("P-")])
    if row and chance.random() < 0.5:
        with arena.people() as people:
            people.xero("DELETE", f"Items/{row['ItemID']}")


# Settings of Xero


@op(1)
def ledger_account_in_xero(arena: Arena, chance: Random) -> None:
    """Somebody opens an account, renames one, archives it or opens it again."""
    mine = [r for r in arena.rows("xero.Accounts") if str(r.get("Code")).startswith("7")]
    row, n = chosen(chance, [None, *mine]), arena.new_number()
    with arena.people() as people:
        if row is None:
            people.xero("PUT", "Accounts", {"Code": f"7{n:03}", "Name": f"Account {n}", "Type": "REVENUE"})
        elif chance.random() < 0.5:
            people.xero("POST", f"Accounts/{row['AccountID']}", {"Status": _other(row, "ARCHIVED")})
        else:
            people.xero("POST", f"Accounts/{row['AccountID']}", {"Name": f"Account {n}"})
            arena.note("ledger_accounts", Side.XERO, row["AccountID"], "name", f"Account {n}", row["Name"])


@op(1)
def tax_rate_in_xero(arena: Arena, chance: Random) -> None:
    mine = [r for r in arena.rows("xero.TaxRates") if r["Name"].startswith("Levy")]
    row, n = chosen(chance, [None, *mine]), arena.new_number()
    parts = [{"Name": "Levy", "Rate": chance.choice(("2", "7.5")), "IsCompound": False}]
    with arena.people() as people:
        if row is None:
            people.xero("PUT", "TaxRates", {"Name": f"Levy {n}", "ReportTaxType": "OUTPUT", "TaxComponents": parts})
        else:
            people.xero("POST", "TaxRates", {"Name": row["Name"], "TaxType": row["TaxType"], "Status": "DELETED"})


@op(1)
def a_setting_is_touched_in_dynamics(arena: Arena, chance: Random) -> None:
    """What came from Xero is renamed or deleted by somebody in Dynamics."""
    touch_a_copy(arena, chance, ("tie_ledgeraccount", "tie_taxrate"), deleted=0.3)


# Types of customers


@op(3)
def type_changes_in_dynamics(arena: Arena, chance: Random) -> None:
    if row := chosen(chance, alive(arena, "account")):
        with arena.people() as people:
            people.crm("PATCH", f"accounts({row['accountid']})", {"customertypecode": chance.choice(TYPES)})


def _other(row: Row, status: str) -> str:
    return "ACTIVE" if row["Status"] == status else status
