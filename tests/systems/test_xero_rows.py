"""Rows of Xero, spelled one way whatever spelling they came in."""

from __future__ import annotations

import pytest
from test_xero import ID, INVOICES, PAYMENTS, create, xero_on
from virtual import Script, answer

from sync_core.errors import Configure

OTHER = "cccccccc-2222-3333-4444-555555555555"


def listed(stream, *rows):
    pages = xero_on(Script(answer(200, {stream.table: list(rows)}), answer(200, {stream.table: []}))).changed_since(
        stream, None
    )
    return [row for page in pages for row in page.rows]


def test_ids_have_one_letter_case_and_texts_keep_theirs():
    (row,) = listed(
        INVOICES,
        {"InvoiceID": ID.upper(), "Reference": OTHER.upper(), "LineItems": [{"AccountId": OTHER.upper(), "ItemCode": "AB-1"}]},
    )
    assert row == {
        "InvoiceID": ID,
        "Reference": OTHER.upper(),
        "LineItems": [{"AccountId": OTHER, "ItemCode": "AB-1"}],
    }


def test_a_scope_that_is_lacking_for_a_write_is_named():
    forbidden = answer(403, {"Title": "Forbidden", "Status": 403, "Detail": "AuthorizationUnsuccessful"})
    with pytest.raises(Configure, match=r"Xero refused to write Invoices\. Probably the app lacks a scope for it"):
        xero_on(Script(forbidden)).write(create(INVOICES, {"InvoiceNumber": "A-1"}))


def test_an_answer_to_a_write_too():
    sent = create(INVOICES, {"InvoiceNumber": "A-1"})
    (receipt,) = xero_on(Script(answer(200, {"Invoices": [{"InvoiceID": ID.upper(), "InvoiceNumber": "A-1"}]}))).write(sent)
    assert (receipt.id, receipt.native["InvoiceID"]) == (ID, ID)


@pytest.mark.parametrize(
    ("kind", "name", "key"),
    [
        ("ARCREDITPAYMENT", "CreditNote", "CreditNoteID"),
        ("ARPREPAYMENTPAYMENT", "Prepayment", "PrepaymentID"),
        ("AROVERPAYMENTPAYMENT", "Overpayment", "OverpaymentID"),
    ],
)
def test_a_refund_that_comes_under_invoice_goes_under_what_it_refunds(kind, name, key):
    """The shape is that of the official example of GET /Payments."""
    (row,) = listed(
        PAYMENTS,
        {"PaymentID": ID, "PaymentType": kind, "Invoice": {"InvoiceID": OTHER, "Type": "ACCRECCREDIT", "CurrencyCode": "NZD"}},
    )
    assert row["PaymentID"] == ID
    assert "Invoice" not in row
    assert row[name] == {key: OTHER, "Type": "ACCRECCREDIT", "CurrencyCode": "NZD"}


def test_the_number_of_a_refunded_credit_note_is_kept():
    (row,) = listed(
        PAYMENTS, {"PaymentID": ID, "PaymentType": "ARCREDITPAYMENT", "Invoice": {"InvoiceID": OTHER, "InvoiceNumber": "CN-5"}}
    )
    assert row["CreditNote"] == {"CreditNoteID": OTHER, "CreditNoteNumber": "CN-5"}


def test_the_payment_of_an_invoice_stays_as_it_is():
    sent = {"PaymentID": ID, "PaymentType": "ACCRECPAYMENT", "Invoice": {"InvoiceID": OTHER}}
    assert listed(PAYMENTS, sent) == [sent]
