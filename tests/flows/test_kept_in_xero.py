"""What an accountant keeps in Xero and Dynamics has no place for stays there when Dynamics changes something beside it."""

from __future__ import annotations

import pytest

from tests.flows.shop import act, at_rest, remark, rows, sync
from tests.scenarios.people import People

WALK = {"text": "Guided walk", "price": 100, "tax": 15, "account": 200, "tax rate": "OUTPUT2"}


def test_address_lines_and_codes_of_xero_outlast_changes_in_dynamics(books):
    act(books, "customer in Dynamics", {"name": "Pohara Boats", "city": "Takaka"})
    act(books, "invoice in Dynamics", {"number": "INV-1", "customer": "Pohara Boats", "lines": [WALK]})
    sync(books)
    books.sandbox.advance(60)
    with People(books.sandbox) as people:
        contact = people.find("xero.Contacts", Name="Pohara Boats")
        address = {"AddressType": "POBOX", "City": "Takaka", "AddressLine2": "c/o the harbour", "AttentionTo": "Kim"}
        people.xero("POST", f"Contacts/{contact}", {"Addresses": [address]})
        (invoice,) = rows(books, "xero.Invoices")
        recoded = {"LineItemID": invoice["LineItems"][0]["LineItemID"], "AccountCode": "205"}
        people.xero("POST", f"Invoices/{invoice['InvoiceID']}", {"LineItems": [recoded]})
    sync(books)
    act(books, "set in Dynamics", {"customer": "Pohara Boats", "city": "Pohara"})
    act(books, "line in Dynamics", {"invoice": "INV-1", "line": 1, "quantity": 2, "tax": 30})
    sync(books)
    kept = next(r for r in rows(books, "xero.Contacts") if r["Name"] == "Pohara Boats")["Addresses"]["POBOX"]
    assert (kept["City"], kept["AddressLine2"], kept["AttentionTo"]) == ("Pohara", "c/o the harbour", "Kim")
    (line,) = rows(books, "xero.Invoices")[0]["LineItems"]
    assert (line["AccountCode"], int(line["Quantity"])) == ("205", 2)
    at_rest(books)


class KilledError(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("point", [pytest.param("lines marked as sending", marks=pytest.mark.soak), "lines answered"])
def test_lines_changed_and_added_in_xero_are_no_conflict_after_a_death_in_between(books, point):
    act(books, "invoice in Dynamics", {"number": "INV-1", "customer": "Kahu Guiding Co", "lines": [WALK]})
    sync(books)
    books.sandbox.advance(60)
    with People(books.sandbox) as people:
        (invoice,) = rows(books, "xero.Invoices")
        dearer = {"LineItemID": invoice["LineItems"][0]["LineItemID"], "UnitAmount": 120, "TaxAmount": 18}
        added = {"Description": "Map", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200", "TaxType": "OUTPUT2"}
        people.xero("POST", f"Invoices/{invoice['InvoiceID']}", {"LineItems": [dearer, added]})

    def die(name):
        if name == point:
            raise KilledError

    with pytest.raises(KilledError), books.open(die) as service:
        service.sync()
    books.sandbox.advance(600)
    sync(books)
    assert remark(books, "INV-1")[0] == "Success"
    assert sorted(float(line["extendedamount"]) for line in rows(books, "dataverse.invoicedetail")) == [11.5, 138.0]
    at_rest(books)
