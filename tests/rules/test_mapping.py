"""Native rows and canonical fields: exact through every form, and a named refusal for what cannot be understood."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_core.errors import Rejected
from sync_core.model import Lookup, Side
from sync_core.rules.declaration import Kind
from sync_core.rules.entities import ENTITIES, entity
from sync_core.rules.mapping import (
    Context,
    accepted,
    content_hash,
    dumps,
    dynamics_date,
    gone,
    loads,
    number,
    read,
    record_of,
    write,
)

CRM, XERO = Side.CRM, Side.XERO
INVOICES, CONTACTS, PAYMENTS = entity("invoices"), entity("contacts"), entity("payments")
CONTEXT = Context(codes={"nzd-id": "NZD", "tent-id": "TENT", "200-id": "200"}, currency_ids={"NZD": "nzd-id"})


def money(text: str) -> Decimal:
    return Decimal(text)


def payment(**more):
    return {"PaymentID": "p1", "PaymentType": "ACCRECPAYMENT", "Amount": money("10.00"), "Date": "2026-11-20", **more}


def read_payment(**more):
    return read(PAYMENTS, XERO, "Payments", payment(**more), CONTEXT)


# Money

AMOUNTS = st.decimals(min_value="-99999999999999", max_value="99999999999999", places=4)


@given(AMOUNTS)
def test_an_amount_is_exact_through_reading_keeping_and_writing(amount):
    fields = loads(PAYMENTS, dumps(read_payment(Amount=amount)))
    assert fields["amount"] == amount
    body = write(PAYMENTS, CRM, "tie_payment", {"amount": fields["amount"]}, fields, CONTEXT)
    assert body["tie_amount"] == amount


@given(AMOUNTS, st.integers(0, 6))
def test_the_same_amount_in_another_spelling_has_the_same_hash(amount, zeros):
    digits = max(0, -amount.as_tuple().exponent) + zeros
    spelt = Decimal(f"{amount:.{digits}f}")
    assert content_hash(read_payment(Amount=amount)) == content_hash(read_payment(Amount=spelt))


def test_a_thousandth_is_never_rounded_away_unsaid():
    assert number(money("1.005"), Kind.MONEY) == money("1.005")
    assert sum((number(money("0.1"), Kind.MONEY) for _ in range(10)), Decimal(0)) == 1
    with pytest.raises(ValueError, match="more than 4 decimals"):
        number(money("1.00005"), Kind.MONEY)


@pytest.mark.parametrize("hostile", ["NaN", "Infinity", "-Infinity", "9" * 20, "1.23456", "ten", "1,000.00", "sNaN"])
def test_an_amount_that_is_none_is_refused_by_name(hostile):
    with pytest.raises(Rejected) as refusal:
        read_payment(Amount=hostile)
    assert refusal.value.field == "amount"
    assert refusal.value.message.startswith("Amount: Xero holds a value that cannot be understood")
    assert refusal.value.message.endswith("Correct it there and sync again.")


def test_what_is_no_number_is_quoted():
    with pytest.raises(Rejected, match="cannot be understood \\(ten is not a number\\)"):
        read_payment(Amount="ten")


def test_an_amount_that_went_through_a_binary_fraction_is_the_amount_meant():
    assert number(money("30.299999999999997"), Kind.MONEY) == money("30.3")
    assert number(75.17999999999999, Kind.MONEY) == money("75.18")


@pytest.mark.parametrize("hostile", ["yesterday", "2026-13-01", "/Date(99999999999999999999)/", "31/12/2026"])
def test_a_date_that_is_none_is_refused_by_name(hostile):
    with pytest.raises(Rejected, match="Date: Xero holds a value") as refusal:
        read_payment(Date=hostile)
    assert refusal.value.field == "date"


def test_a_three_decimal_currency_keeps_its_third_decimal():
    fields = read_payment(Amount=money("12.345"), Invoice={"CurrencyCode": "KWD"})
    assert (fields["amount"], fields["currency"]) == (money("12.345"), "KWD")


# Text

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)
HOSTILE = ["=HYPERLINK(...)", "<script>", "![](http://127.0.0.1:9/x)", "'; drop table", "a\x00b", "\u202eltr", "x" * 5000]


@given(TEXT | st.sampled_from(HOSTILE))
def test_text_is_kept_letter_by_letter(text):
    fields = loads(CONTACTS, dumps(read(CONTACTS, XERO, "Contacts", {"ContactID": "x", "Name": text}, CONTEXT)))
    assert fields["name"] == (text.strip() or None)


def test_text_is_cut_to_what_the_target_holds():
    long = "x" * 400
    assert len(write(CONTACTS, CRM, "account", {"name": long}, {}, CONTEXT)["name"]) == 160
    assert len(write(CONTACTS, XERO, "Contacts", {"name": long}, {}, CONTEXT)["Name"]) == 255


# Every field of every entity


@pytest.mark.parametrize("declared", ENTITIES, ids=lambda e: e.name)
@pytest.mark.parametrize("side", list(Side))
def test_an_empty_row_reads_as_blanks_and_survives_being_kept(declared, side):
    for stream in declared.streams(side):
        fields = read(declared, side, stream.table, {stream.key: "id"}, CONTEXT)
        assert loads(declared, dumps(fields)) == fields
        assert set(fields) == {f.name for f in declared.fields if f.at(side) is not None}


def test_an_invoice_of_dynamics_in_canonical_words():
    native = {
        "invoiceid": "ABC",
        "invoicenumber": " INV-1 ",
        "_customerid_value": "CUST",
        "_transactioncurrencyid_value": "nzd-id",
        "duedate": "2026-12-20",
        "tie_invoicedate": "2026-11-20",
        "statecode": 2,
        "totalamount": money("115.0000"),
    }
    line = {
        "invoicedetailid": "l1",
        "lineitemnumber": 1,
        "quantity": money("2.0000"),
        "priceperunit": money("50"),
        "tax": money("15"),
        "extendedamount": money("115"),
        "_productid_value": "tent-id",
    }
    record = record_of(INVOICES, CRM, "invoice", native, CONTEXT, version="1", children=[line])
    fields = record.fields
    assert (record.id, fields["number"], fields["contact"], fields["currency"]) == ("abc", "INV-1", "cust", "NZD")
    assert (fields["due_date"], fields["date"], fields["settled"]) == (date(2026, 12, 20), date(2026, 11, 20), True)
    assert str(fields["total"]) == "115"
    assert [fields["lines"][0][n] for n in ("quantity", "net", "tax", "product")] == [2, 100, 15, "TENT"]


def test_lines_with_tax_included_are_read_before_tax():
    line = {"LineItemID": "l", "Quantity": 1, "UnitAmount": money("115"), "LineAmount": money("115"), "TaxAmount": money("15")}
    native = {"InvoiceID": "x", "LineAmountTypes": "Inclusive", "LineItems": [line]}
    assert read(INVOICES, XERO, "Invoices", native, CONTEXT)["lines"][0]["net"] == 100


def test_a_total_whose_lines_were_not_sent_is_no_invoice_without_lines():
    sent = {"InvoiceID": "x", "Total": money("11.50"), "LineItems": None}
    for native in (sent, {**sent, "LineItems": []}, {"InvoiceID": "x", "Total": money("11.50")}):
        with pytest.raises(Rejected, match="without the lines"):
            read(INVOICES, XERO, "Invoices", native, CONTEXT)
    assert read(INVOICES, XERO, "Invoices", {**sent, "Total": money("0")}, CONTEXT)["lines"] == ()
    assert read(INVOICES, XERO, "Invoices", {**sent, "Status": "VOIDED"}, CONTEXT)["lines"] == (), "that it ended still counts"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20", date(2026, 11, 20)),
        ("2026-11-20T12:00:00Z", date(2026, 11, 20)),
        ("2026-11-20T00:00:00Z", date(2026, 11, 20)),
        ("2026-11-19T13:30:00Z", date(2026, 11, 20)),
        ("2026-11-20T10:30:00Z", date(2026, 11, 20)),
    ],
)
def test_a_day_in_dynamics_is_meant_in_the_organisations_zone(text, expected):
    assert dynamics_date(text, ZoneInfo("Pacific/Auckland")) == expected


def test_xeros_own_day_is_taken_before_its_instant():
    assert read_payment(Date="/Date(1763510400000+0000)/", DateString="2026-11-20T00:00:00")["date"] == date(2026, 11, 20)


# Writing


def test_a_name_of_a_person_is_written_in_two_parts():
    assert write(CONTACTS, CRM, "contact", {"name": "Mary Ann Smith"}, {}, CONTEXT) == {
        "firstname": "Mary Ann",
        "lastname": "Smith",
    }
    assert write(CONTACTS, CRM, "contact", {"name": "Plato"}, {}, CONTEXT) == {"firstname": None, "lastname": "Plato"}


def test_the_state_of_an_invoice_is_written_with_its_reason():
    assert write(INVOICES, CRM, "invoice", {"settled": True}, {}, CONTEXT) == {"statecode": 2, "statuscode": 100001}
    assert write(INVOICES, CRM, "invoice", {"settled": False}, {}, CONTEXT) == {"statecode": 0, "statuscode": 4}


def test_one_line_of_an_address_takes_the_others_along_because_xero_replaces_the_whole():
    whole = {"street": "1 Quay", "city": "Picton", "region": None, "postcode": "7220", "country": "New Zealand"}
    (address,) = write(CONTACTS, XERO, "Contacts", {"city": "Picton"}, whole, CONTEXT)["Addresses"]
    expected = ("POBOX", "1 Quay", "Picton", "7220", "New Zealand")
    assert tuple(address[k] for k in ("AddressType", "AddressLine1", "City", "PostalCode", "Country")) == expected


def test_a_phone_is_written_whole_and_its_area_emptied():
    (phone,) = write(CONTACTS, XERO, "Contacts", {"phone": "+64 3 525 0001"}, {}, CONTEXT)["Phones"]
    assert phone == {
        "PhoneType": "DEFAULT",
        "PhoneNumber": "+64 3 525 0001",
        "PhoneCountryCode": "",
        "PhoneAreaCode": "",
    }
    assert read(CONTACTS, XERO, "Contacts", {"ContactID": "x", "Phones": [phone]}, CONTEXT)["phone"] == "+64 3 525 0001"


def test_emptied_text_is_written_as_empty():
    assert write(CONTACTS, XERO, "Contacts", {"email": None}, {}, CONTEXT) == {"EmailAddress": ""}
    assert write(CONTACTS, CRM, "account", {"email": None}, {}, CONTEXT) == {"emailaddress1": None}


def test_a_payers_lookup_is_written_to_the_column_of_its_table():
    body = write(PAYMENTS, CRM, "tie_payment", {"contact": Lookup("contact", "c1"), "currency": "NZD"}, {}, CONTEXT)
    assert body["tie_contactid"] == Lookup("contact", "c1")
    assert body["transactioncurrencyid"] == Lookup("transactioncurrency", "nzd-id")
    assert "tie_accountid" not in body


def test_a_currency_that_dynamics_lacks_is_left_out():
    assert write(PAYMENTS, CRM, "tie_payment", {"currency": "XXX"}, {}, CONTEXT) == {}


# Who belongs, and who is gone


@pytest.mark.parametrize(
    ("declared", "side", "native", "expected"),
    [
        (CONTACTS, CRM, {"merged": True, "statecode": 1}, "merged"),
        (CONTACTS, CRM, {"statecode": 1}, "archived"),
        (CONTACTS, XERO, {"MergedToContactID": "other", "ContactStatus": "ARCHIVED"}, "merged"),
        (CONTACTS, XERO, {"ContactStatus": "ARCHIVED"}, "archived"),
        (CONTACTS, XERO, {"ContactStatus": "ACTIVE"}, ""),
        (INVOICES, XERO, {"Status": "VOIDED"}, "voided"),
        (INVOICES, CRM, {"statecode": 3}, "canceled"),
        (INVOICES, CRM, {"statecode": 2}, ""),
    ],
)
def test_gone(declared, side, native, expected):
    assert gone(declared, side, native) == expected


def test_what_is_paid_to_suppliers_is_not_our_business():
    assert accepted(PAYMENTS, XERO, {"PaymentType": "ACCRECPAYMENT"})
    assert accepted(PAYMENTS, XERO, {"Type": "RECEIVE-PREPAYMENT"})
    assert not accepted(PAYMENTS, XERO, {"PaymentType": "ACCPAYPAYMENT"})
    assert not accepted(PAYMENTS, XERO, {})


def test_the_hash_minds_neither_order_nor_spelling():
    one = {"b": Decimal(1), "a": date(2026, 11, 20)}
    assert content_hash(one) == content_hash(dict(reversed(one.items())))
    assert json.loads(dumps(one)) == {"a": "2026-11-20", "b": "1"}
