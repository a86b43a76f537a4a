"""Xero's arithmetic: tables of lines with the tax and the totals that Xero gives."""

from __future__ import annotations

from decimal import Decimal

import pytest
from xero_api import draft, line

D = Decimal
TAX = [
    ("Exclusive", ["25.06", "25.61", "25.63"], "76.30", "11.44", "87.74"),
    ("Exclusive", ["100.00"], "100.00", "15.00", "115.00"),
    ("Exclusive", ["0.03"], "0.03", "0.00", "0.03"),
    ("Exclusive", ["0.10"], "0.10", "0.02", "0.12"),
    ("Exclusive", ["100.00", "-20.00"], "80.00", "12.00", "92.00"),
    ("Inclusive", ["115.00"], "100.00", "15.00", "115.00"),
    ("Inclusive", ["10.00", "10.00", "10.00"], "26.10", "3.90", "30.00"),
    ("NoTax", ["100.00", "0.01"], "100.01", "0.00", "100.01"),
]


@pytest.mark.parametrize(("mode", "amounts", "sub_total", "tax", "total"), TAX)
def test_tax_is_rounded_line_by_line(api, mode, amounts, sub_total, tax, total):
    made = api.invoice(*amounts, LineAmountTypes=mode)
    assert [made["SubTotal"], made["TotalTax"], made["Total"]] == [D(sub_total), D(tax), D(total)]
    assert made["AmountDue"] == made["Total"]


LINES = [
    ({"Quantity": 3, "UnitAmount": "33.33"}, 2, "99.99"),
    ({"Quantity": "1.5", "UnitAmount": "33.335"}, 2, "50.01"),
    ({"Quantity": "1.5", "UnitAmount": "33.335"}, 4, "50.00"),
    ({"Quantity": 2, "UnitAmount": "50.00", "DiscountRate": 10}, 2, "90.00"),
    ({"Quantity": 2, "UnitAmount": "50.00", "DiscountAmount": "7.50"}, 2, "92.50"),
    ({"Quantity": 4, "LineAmount": "10.00"}, 2, "10.00"),
    ({"Quantity": 0, "UnitAmount": "50.00"}, 2, "0.00"),
    ({"Quantity": 1, "UnitAmount": "1.005"}, 2, "1.01"),
]


@pytest.mark.parametrize(("values", "unitdp", "amount"), LINES)
def test_line_amount(api, values, unitdp, amount):
    item = {"Description": "Work", "AccountCode": "200", **values}
    made = api.one("PUT", "Invoices", draft(item), unitdp=unitdp)
    assert made["LineItems"][0]["LineAmount"] == D(amount)


def test_unit_prices_are_shown_with_the_decimals_asked_for(api):
    made = api.one("PUT", "Invoices", draft(line("0.1234")), unitdp=4)
    shown = [api.one("GET", f"Invoices/{made['InvoiceID']}", unitdp=n)["LineItems"][0]["UnitAmount"] for n in (2, 4)]
    assert [str(price) for price in shown] == ["0.12", "0.1234"]


def test_a_given_tax_amount_stands(api):
    made = api.invoice(line("25.06", TaxAmount="3.77"), "25.61", "25.63")
    assert made["TotalTax"] == D("11.45")


def test_discounts_are_totalled(api):
    made = api.invoice(line("200.00", DiscountRate=25), "50.00")
    assert (made["TotalDiscount"], made["IsDiscounted"], made["SubTotal"]) == (D("50.00"), True, D("200.00"))


REFUSED = [
    (line("20.00", LineAmount="40.00"), "The line total 40.00 does not match the expected line total 20.00"),
    (line("20.00", Quantity=-1), "Quantity must not be negative"),
    (line("20.00", Description=" "), "Description must be specified"),
    (line("20.00", Description="x" * 4001), "The Description field cannot be longer than 4000 characters"),
    (line("20.00", AccountCode="999"), "Account code '999' is not a valid code for this document."),
    (line("20.00", AccountCode="090"), "Account code '090' is not a valid code for this document."),
    (line("20.00", AccountCode="610"), "Account code '610' is not a valid code for this document."),
    (line("20.00", AccountCode="209"), "Account code '209' has been archived or has been deleted"),
    (line("20.00", TaxType="OUTPUT2", AccountCode="425"), "cannot be used with account code '425'"),
    (line("20.00", TaxType="TAX001"), "The TaxType code 'TAX001' does not exist"),
    (line("20.00", ItemCode="NOPE"), "Item code 'NOPE' is not valid"),
    (line("20.00", Quantity=10**10), "The line amount must not be greater than 9999999999.99"),
    ({"Description": "x", "Quantity": 1, "UnitAmount": 5}, "Account code must be specified"),
    (line("-20.00"), "The document total must not be less than zero"),
    (line("20.00", DiscountRate=101), "The discount rate must be between 0 and 100"),
]


@pytest.mark.parametrize(("item", "text"), REFUSED)
def test_a_line_that_breaks_a_rule_is_refused(api, item, text):
    before = len(api.store["Invoices"])
    (message, *_) = api.refused("PUT", "Invoices", draft(item))
    assert text in message
    assert len(api.store["Invoices"]) == before


def test_discounts_are_for_sales_invoices_only(api):
    bill = draft(line("20.00", DiscountRate=5), Type="ACCPAY")
    assert "Discounts can only be used" in api.refused("PUT", "Invoices", bill)[0]


def test_an_item_gives_what_the_line_does_not_say(api):
    item = next(api.store["Items"].values())
    made = api.invoice({"ItemCode": item["Code"], "Quantity": 2})
    shown = made["LineItems"][0]
    sales = item["SalesDetails"]
    assert shown["UnitAmount"] == sales["UnitPrice"]
    assert (shown["AccountCode"], shown["TaxType"]) == (sales["AccountCode"], sales["TaxType"])
    assert shown["Description"] == item["Description"]


def test_an_account_gives_the_tax_type(api):
    made = api.invoice(line("20.00"))
    assert made["LineItems"][0]["TaxType"] == "OUTPUT2"


def test_a_line_may_be_words_only(api):
    made = api.invoice("10.00", {"Description": "Thank you"})
    assert [item["LineAmount"] for item in made["LineItems"]] == [D("10.00"), D("0.00")]


def test_every_seeded_document_adds_up(api):
    for row in api.store["Invoices"].values():
        assert row["Total"] == row["SubTotal"] + row["TotalTax"]
        if row["Status"] not in ("VOIDED", "DELETED"):
            assert row["Total"] == row["AmountDue"] + row["AmountPaid"] + row["AmountCredited"]
    for kind in ("CreditNotes", "Prepayments", "Overpayments"):
        for row in api.store[kind].values():
            used = sum((a["Amount"] for a in row["_allocations"]), row["_refunded"])
            assert row["Total"] == row["RemainingCredit"] + used


def test_a_line_without_any_price_is_for_nothing(api):
    """A quantity alone: the unit price is 0, with a known item code and with an unknown one, which is then the error."""
    made = api.invoice("100.00", {"Description": "Free", "Quantity": 2, "AccountCode": "200"})
    assert (str(made["LineItems"][1]["LineAmount"]), str(made["Total"])) == ("0.00", "115.00")
    refused = api.refused(
        "PUT", "Invoices", draft({"Description": "x", "ItemCode": "NOPE", "Quantity": 1, "AccountCode": "200"})
    )
    assert refused == ["Item code 'NOPE' is not valid"]
