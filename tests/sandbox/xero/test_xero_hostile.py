"""Requests that nobody should send: each gets an answer of Xero's kind, none breaks the sandbox."""

from __future__ import annotations

import json

import pytest
from xero_api import draft, line

NAMES = [
    '=HYPERLINK("http://127.0.0.1:9/x")',
    "<script>alert(1)</script>",
    "![x](http://127.0.0.1:9/x)",
    "'; drop table contacts; --",
    "\u202eright to left",
    "nul\x00inside",
    "Kōwhai 🌿 \u0301",
    " spaces ",
]


@pytest.mark.parametrize("name", NAMES)
def test_texts_come_back_as_they_went(api, name):
    made = api.one("PUT", "Contacts", {"Name": name})
    assert api.row("Contacts", made["ContactID"])["Name"] == name


HUGE = [
    draft(line("1", Quantity=10**30)),
    draft(line("9" * 40)),
    draft(line("1e400")),
    draft(Date="0001-01-01T00:00:00+13:00"),
    draft(Date="/Date(99999999999999999999)/"),
    draft(Reference="\ud800"),
    draft(line("1", Tracking=[{"Name": "x"}] * 3)),
    draft(Contact={"ContactID": "zz"}),
    draft(Contact=[]),
    draft(LineItems="x"),
    draft({"Description": "x", "UnitAmount": "", "LineAmount": 99999999999999, "AccountCode": "200", "DiscountAmount": "0.01"}),
    {"Invoices": {"Invoices": []}},
    {"Invoices": [None]},
    [[[]]],
    "text",
    7,
]


@pytest.mark.parametrize("body", HUGE, ids=range(len(HUGE)))
def test_bodies_that_make_no_sense_are_refused(api, body):
    raw = json.dumps(body).encode()
    answer = api.client.request("PUT", "/api.xro/2.0/Invoices", content=raw, headers=api.headers)
    assert answer.status_code == 400
    assert answer.json()["ErrorNumber"] in (10, 14, 17)


def test_a_body_nested_without_end_is_refused(api):
    raw = b"[" * 200_000
    answer = api.client.request("PUT", "/api.xro/2.0/Invoices", content=raw, headers=api.headers)
    assert answer.json()["ErrorNumber"] == 14


def test_a_body_of_more_than_ten_megabytes_is_refused(api):
    answer = api.client.request("PUT", "/api.xro/2.0/Invoices", content=b" " * 10_000_001, headers=api.headers)
    assert answer.status_code == 413


QUERIES = [
    {"where": "(" * 5000},
    {"where": '"'},
    {"where": "Date>DateTime(99999,1,1)"},
    {"page": "one"},
    {"pageSize": "1e3", "page": "1"},
    {"order": ","},
    {"order": "LineItems"},
    {"page": "9" * 21},
]


@pytest.mark.parametrize("params", QUERIES, ids=range(len(QUERIES)))
def test_queries_that_make_no_sense_are_refused(api, params):
    answer = api.send("GET", "Invoices", **params)
    assert (answer.status_code, answer.json()["Type"]) == (400, "QueryParseException")


@pytest.mark.parametrize("header", ["0001-01-01T00:00:00+13:00", "\t", "Tue, 99 Foo 2026"])
def test_dates_that_make_no_sense_are_refused_or_ignored(api, header):
    answer = api.send("GET", "Invoices", headers={"If-Modified-Since": header})
    assert answer.status_code in (200, 400)


def test_echoing_a_paid_invoice_changes_nothing(api):
    made = api.invoice("10.00", "20.00")
    api.pay(made, "5.00")
    shown = api.row("Invoices", made["InvoiceID"])
    again = api.one("POST", f"Invoices/{made['InvoiceID']}", {k: v for k, v in shown.items() if k != "Contact"})
    assert again["LineItems"] == shown["LineItems"]


def test_a_tax_rate_beyond_a_hundred_per_cent_is_refused(api):
    given = [{"Name": "a", "Rate": 1e15}, {"Name": "b", "Rate": 1e15, "IsCompound": True}]
    assert api.refused("PUT", "TaxRates", {"Name": "Huge", "TaxComponents": given})[0].endswith("between 0 and 100.")
