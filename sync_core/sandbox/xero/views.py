"""How much of a row to show, and the pieces that every kind of record shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero import wire
from sync_core.sandbox.xero.store import Store


@dataclass(frozen=True, slots=True)
class View:
    """How much to show and with how many decimals a unit price.

    ``list`` is the unpaged list (documents without lines, contacts without their details), ``page`` a page,
    ``summary`` a page with ``summaryOnly``, ``one`` a single record or the answer to a write.
    """

    level: str = "one"
    unitdp: int = 2

    @property
    def lines(self) -> bool:
        return self.level in {"page", "one"}


ONE = View()


def stamp_shown(row: Row) -> Row:
    instant = row["UpdatedDateUTC"]
    return {
        "UpdatedDateUTC": wire.ms_instant(instant),
        "UpdatedDateUTCString": wire.instant_string(instant),
    }


def account_stub(store: Store, account_id: str) -> Row:
    account = store["Accounts"].get(account_id) or {}
    stub: Row = {"AccountID": account_id}
    return stub | {name: account[name] for name in ("Code", "Name") if account.get(name)}


def invoice_stub(invoice_id: str, **more: Any) -> Row:
    lists = ("Payments", "CreditNotes", "Prepayments", "Overpayments", "LineItems")
    stub: Row = {"InvoiceID": invoice_id, **more, "HasErrors": False, "IsDiscounted": False}
    return stub | {name: [] for name in lists}
