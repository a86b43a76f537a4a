"""Customers merged in Dynamics where only the one that went away was linked: its link goes to the one that stays."""

from __future__ import annotations

from typing import Any

from tests.flows.shop import act, at_rest, remark, rows, sync
from tests.scenarios.books import Books


def merged(books: Books, **more: Any) -> dict[str, Any]:
    act(books, "customer in Dynamics", {"name": "Onekaka Kayaks", **more})
    act(books, "merge in Dynamics", {"customer": "Kahu Guiding Co", "into": "Onekaka Kayaks"})
    sync(books)
    return {r["name"]: r for r in rows(books, "dataverse.account")}


def test_the_survivor_takes_over_the_xero_id_and_what_it_lacked(books):
    (kahu,) = (r for r in rows(books, "xero.Contacts") if r["Name"] == "Kahu Guiding Co")
    held = merged(books)
    assert [held[n].get("tie_xeroid") for n in ("Kahu Guiding Co", "Onekaka Kayaks")] == [None, kahu["ContactID"]]
    assert held["Onekaka Kayaks"]["emailaddress1"] == "pay@kahu.example"
    status, why = remark(books, "Onekaka Kayaks", "contacts")
    assert (status, "Name: Dynamics “Onekaka Kayaks”, Xero “Kahu Guiding Co”" in why) == ("Conflict", True)
    at_rest(books)


def test_a_merged_record_that_may_not_be_changed_keeps_its_id_and_the_survivor_says_so(books):
    fault = books.sandbox.fault("forbidden", system="dataverse", method="PATCH", path="/accounts", times=1)
    held = merged(books)
    assert fault.fired == 1
    assert held["Kahu Guiding Co"]["tie_xeroid"]
    assert remark(books, "Onekaka Kayaks", "contacts") == (
        "Failed",
        (
            "Another record in Dynamics, perhaps a deactivated or merged one, already has the same Xero id. "
            "Find it there and clear its Xero id, then try this record again."
        ),
    )
