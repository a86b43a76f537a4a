"""What an accountant keeps in Xero and Dynamics has no place for stays there when Dynamics changes something beside it."""

from __future__ import annotations

from tests.flows.shop import act, at_rest, rows, sync
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
