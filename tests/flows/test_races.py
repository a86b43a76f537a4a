"""A person changes a record in the moment between Tieout's look and its write."""

from __future__ import annotations

from tests.flows.shop import act, at_rest, rows
from tests.scenarios.people import People


def test_a_row_that_moved_meanwhile_is_read_again_and_decided_once_more_in_the_same_run(books):
    act(books, "customer in Dynamics", {"name": "Pohara Boats", "city": "Takaka"})
    with books.open() as service:
        service.sync()
    act(books, "set in Xero", {"contact": "Pohara Boats", "email": "new@pohara.example"})
    raced: list[str] = []

    def step(name: str) -> None:
        if name == "marked as sending" and not raced:
            raced.append(name)
            with People(books.sandbox) as people:
                people.act("set in Dynamics", {"customer": "Pohara Boats", "city": "Pohara"})

    with books.open(step) as service:
        result = service.sync()
    assert raced
    assert result.summary.status == "success"
    kept = next(r for r in rows(books, "dataverse.account") if r["name"] == "Pohara Boats")
    assert (kept.get("emailaddress1"), kept["address1_city"]) == ("new@pohara.example", "Pohara")
    (twin,) = (r for r in rows(books, "xero.Contacts") if r["Name"] == "Pohara Boats")
    assert twin["Addresses"]["POBOX"]["City"] == "Pohara"
    at_rest(books)
