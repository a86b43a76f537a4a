"""A day in the small company, for tests that break something: sell, sync, look at what both systems hold."""

from __future__ import annotations

from typing import Any

from sync_core.flows.run import Result
from sync_core.model import Side
from sync_core.sandbox.kernel import Row
from tests.scenarios.books import Books
from tests.scenarios.holdings import breaches
from tests.scenarios.people import People

TENT = {"product": "TENT"}


def sell(books: Books, *numbers: str, **more: Any) -> None:
    """Enter invoices of one tent each in Dynamics."""
    with People(books.sandbox) as people:
        for number in numbers:
            people.act("invoice in Dynamics", {"number": number, "customer": "Kahu Guiding Co", "lines": [TENT], **more})


def act(books: Books, name: str, given: Any) -> None:
    books.sandbox.advance(60)
    with People(books.sandbox) as people:
        people.act(name, given)


def sync(books: Books, **more: Any) -> Result:
    with books.open() as service:
        return service.sync(**more)


def rows(books: Books, name: str) -> list[Row]:
    return list(books.sandbox.kernel.collection(name).values())


def numbers(books: Books) -> list[str]:
    """The numbers of all invoices in Xero, in order."""
    return sorted(r["InvoiceNumber"] for r in rows(books, "xero.Invoices"))


def remark(books: Books, title: str, entity: str = "invoices") -> tuple[str, str]:
    """(status, remark) of a record by its name, as the state keeps it."""
    column = {"invoices": "number"}.get(entity, "title")
    with books.open() as service:
        sql = f"SELECT id FROM record WHERE entity = ? AND side = 'crm' AND {column} = ?"  # noqa: S608  # two literals
        (row_id,) = service.query(sql, entity, title)["id"].to_pylist()
        (status,) = service._workspace.state.statuses(entity, Side.CRM, [row_id]).values()
        return str(status.status), status.remark


def at_rest(books: Books) -> None:
    """The promises hold, nothing is half done, and one more sync writes nothing."""
    before = books.logged
    with books.open() as service:
        service.sync()
        open_ones = service._workspace.state.unsettled()
    assert breaches(books.sandbox.kernel) == []
    assert open_ones == []
    assert [f"{e.method} {e.path}" for e in books.writes(before)] == []
