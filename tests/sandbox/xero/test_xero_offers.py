"""Quotes and purchase orders: papers that are written, changed and found, and that move nothing in the ledger."""

from __future__ import annotations

from decimal import Decimal

import pytest
from xero_api import line

D = Decimal
KINDS = [
    ("Quotes", "QuoteID", "QuoteNumber", "SENT", "QU-0001"),
    ("PurchaseOrders", "PurchaseOrderID", "PurchaseOrderNumber", "AUTHORISED", "PO-0001"),
]


def offer(*lines, **values):
    given = {"Contact": {"Name": "Rimu Joinery"}, "Date": "2026-11-02", "LineItems": list(lines) or [line("100.00")]}
    return given | values


@pytest.mark.parametrize(("name", "key", "number", "status", "first"), KINDS)
def test_an_offer_is_made_changed_found_and_deleted(api, name, key, number, status, first):
    made = api.one("PUT", name, {name: [offer(Reference="R 1")]})
    assert (made[number], made["Status"], made["SubTotal"]) == (first, "DRAFT", D("100.00"))
    changed = api.one(
        "POST", f"{name}/{made[key]}", {"LineItems": [line("40.00", LineItemID=made["LineItems"][0]["LineItemID"])]}
    )
    assert (changed["SubTotal"], changed["LineItems"][0]["LineItemID"]) == (D("40.00"), made["LineItems"][0]["LineItemID"])
    assert api.one("POST", name, {name: [{number: first, "Status": status}]})["Status"] == status
    assert api.one("GET", f"{name}/{first}")[key] == made[key]
    assert [row[key] for row in api.get(name, Status=status, dateFrom="2026-11-02", dateTo="2026-11-02")[name]] == [made[key]]
    assert api.get(name, Status="DRAFT")[name] == api.get(name, dateFrom="2026-11-03")[name] == []
    assert api.get(name, page=1)["pagination"]["itemCount"] == 1
    assert api.send("GET", f"{name}/{made[key]}/pdf").content.startswith(b"%PDF")
    assert api.one("POST", f"{name}/{made[key]}", {"Status": "DELETED"})["Status"] == "DELETED"
    assert api.refused("POST", f"{name}/{made[key]}", {"Status": "DRAFT"})
    assert api.get("Journals", {"If-Modified-Since": "2026-11-23T00:00:00"})["Journals"] == []


@pytest.mark.parametrize(("name", "key", "number", "status", "first"), KINDS)
def test_refused_offers(api, name, key, number, status, first):
    api.one("PUT", name, offer())
    assert "already in use" in api.refused("PUT", name, offer(**{number: first}))[0]
    assert api.refused("PUT", name, {**offer(), "LineItems": []})
    assert api.refused("PUT", name, offer(line("1", AccountCode="999")))
    assert api.refused("PUT", name, offer(CurrencyCode="XXX"))
    api.refused("GET", name, dateFrom="soon")
    api.refused("GET", f"{name}/{number}", status=404)


def test_a_quote_has_notes_and_a_customer_that_may_be_new(api):
    made = api.one(
        "PUT",
        "Quotes",
        offer(Contact={"Name": "New Customer"}, Title="Tents", ExpiryDate="2026-12-24", LineAmountTypes="INCLUSIVE"),
    )
    assert (made["LineAmountTypes"], made["Total"]) == ("INCLUSIVE", D("100.00"))
    assert (made["Contact"]["Name"], made["Title"], made["ExpiryDateString"]) == (
        "New Customer",
        "Tents",
        "2026-12-24T00:00:00",
    )
    api.good("PUT", f"Quotes/{made['QuoteID']}/History", {"HistoryRecords": [{"Details": "Called"}]})
    assert api.get(f"Quotes/{made['QuoteID']}/History")["HistoryRecords"][0]["Details"] == "Called"
