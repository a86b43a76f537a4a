"""Lists: pages, If-Modified-Since, where, order, and what each degree of detail shows."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sync_core.sandbox.xero import listing


@pytest.fixture
def few(api):
    """Seven invoices of one contact, oldest first, changed one second apart."""
    made = []
    for number in range(1, 8):
        api.kernel.clock.advance(1)
        made.append(api.invoice(f"{number}0.00", InvoiceNumber=f"F-{number}", Reference=f"Café {number}"))
    return made


def numbers(content):
    return [row["InvoiceNumber"] for row in content["Invoices"]]


def stamp_header(row):
    """The stamp of a row as If-Modified-Since takes it, at whole seconds."""
    return {"If-Modified-Since": row["UpdatedDateUTCString"].removesuffix("Z")}


def test_pages_follow_each_other_and_add_up(api):
    seen, total = [], len(api.store["Invoices"])
    for page in range(1, 6):
        content = api.get("Invoices", page=page, pageSize=7)
        seen += [row["InvoiceID"] for row in content["Invoices"]]
    assert content["pagination"] == {"page": 5, "pageSize": 7, "pageCount": 5, "itemCount": total}
    assert len(set(seen)) == total == len(seen)


@pytest.mark.parametrize(("asked", "given"), [("5000", 1000), ("0", 1), ("-3", 1), (None, 100), ("250", 250)])
def test_page_sizes_are_clamped(api, asked, given):
    content = api.get("Invoices", page=1, **({"pageSize": asked} if asked else {}))
    assert content["pagination"]["pageSize"] == given


def test_parameter_names_take_any_case(api):
    assert api.get("invoices", PAGE=2, PAGESIZE=5)["pagination"]["page"] == 2


def test_a_page_after_the_last_is_empty(api):
    assert api.get("Invoices", page=99)["Invoices"] == []


def test_without_a_page_there_are_no_lines(api):
    assert all(row["LineItems"] == [] for row in api.get("Invoices")["Invoices"])
    assert all(row["LineItems"] for row in api.get("Invoices", page=1)["Invoices"])
    assert "pagination" not in api.get("Invoices")


def test_without_a_page_contacts_lose_details(api):
    person = {"FirstName": "Ana", "EmailAddress": "ana@example.nz"}
    api.one("PUT", "Contacts", {"Name": "Kauri", "AccountNumber": "K-1", "ContactPersons": [person]})
    listed, paged = (api.get("Contacts", where='Name=="kauri"', **p)["Contacts"][0] for p in ({}, {"page": 1}))
    assert "AccountNumber" not in listed
    assert listed["ContactPersons"] == []
    assert (paged["AccountNumber"], len(paged["ContactPersons"])) == ("K-1", 1)


def test_a_summary_forces_pages_and_drops_the_bulk(api):
    invoice = api.get("Invoices", summaryOnly="True")
    assert "pagination" in invoice
    assert not {"Payments", "HasAttachments", "LineItems"} & invoice["Invoices"][0].keys()
    assert "IsCustomer" not in api.get("Contacts", summaryOnly="true")["Contacts"][0]


def test_changes_are_given_from_the_second_on_inclusive(api, few):
    assert numbers(api.get("Invoices", headers=stamp_header(few[4]), page=1)) == ["F-5", "F-6", "F-7"]
    api.kernel.clock.advance(5)
    api.one("POST", f"Invoices/{few[0]['InvoiceID']}", {"Reference": "again"})
    assert numbers(api.get("Invoices", headers=stamp_header(few[6]), page=1)) == ["F-7", "F-1"]


FORMS = ["2026-11-23T00:30:05", "2026-11-23T00:30:05.987654+00:00", "2026-11-23T13:30:05+13:00"]


@pytest.mark.parametrize("since", [*FORMS, "Mon, 23 Nov 2026 00:30:05 GMT"])
def test_forms_of_the_same_instant(api, few, since):
    assert numbers(api.get("Invoices", headers={"If-Modified-Since": since}, page=1)) == ["F-5", "F-6", "F-7"]


def test_a_header_that_is_no_date_is_refused(api):
    assert "is not a date" in api.refused("GET", "Invoices", headers={"If-Modified-Since": "yesterday"})[0]


def test_nothing_new_looks_at_no_row(api, monkeypatch):
    def fail(*_):
        raise AssertionError("a row was rendered")

    monkeypatch.setattr(listing, "render", fail)
    later = {"If-Modified-Since": "2026-11-23T01:00:00"}
    assert api.get("Invoices", headers=later, page=1)["pagination"]["itemCount"] == 0


def test_stamps_grow_with_every_change_even_when_time_stands_still(api):
    made = [api.invoice()["UpdatedDateUTC"] for _ in range(3)]
    assert made == sorted(set(made))


WHERE = [
    ('InvoiceNumber.Equals("F-2")', ["F-2"]),
    ('InvoiceNumber=="F-2" AND Date>=DateTime.Parse("2026-11-02") && Date<DateTime.Parse("2026-11-03T00:00:00")', ["F-2"]),
    ('InvoiceNumber=="F-3"', ["F-3"]),
    ('Type=="ACCREC" AND Reference.StartsWith("cafe") AND Total>=57.5 AND Total<=80.5', ["F-5", "F-6", "F-7"]),
    ('Reference=="CAFE 2"', ["F-2"]),
    ('Reference.EndsWith("7") && Reference.Contains("fé")', ["F-7"]),
    ('InvoiceNumber=="F-1" OR InvoiceNumber=="F-2"', ["F-1", "F-2"]),
    ('(InvoiceNumber=="F-1" || InvoiceNumber=="F-2") AND Total > 12', ["F-2"]),
    ('Reference.Contains("café") AND AmountPaid != 0', []),
    ('Contact.Name=="rimu joinery" AND AmountDue<=23', ["F-1", "F-2"]),
    (
        'Reference.StartsWith("Café") AND Date>=DateTime(2026, 11, 02) AND Date < DateTime(2026,11,3,0,0,0) AND Total==11.5',
        ["F-1"],
    ),
    ('Reference.Contains("café") AND FullyPaidOnDate == null AND NOT (Total > 11.5)', ["F-1"]),
    ('Reference.Contains("café") AND HasAttachments == false AND SentToContact==false AND Total<12', ["F-1"]),
]


@pytest.mark.parametrize(("where", "expected"), WHERE)
def test_where(api, few, where, expected):
    assert numbers(api.get("Invoices", where=where, page=1)) == expected


@pytest.mark.parametrize("spelled", ["ToLower", "tolower", "ToUpper"])
def test_where_takes_texts_in_one_letter_case(api, spelled):
    api.one("PUT", "Contacts", {"Name": "Kauri"})
    assert len(api.get("Contacts", where=f'Name.{spelled}()=="kauri"')["Contacts"]) == 1
    assert len(api.get("Contacts", where=f'Name != null && Name.{spelled}().Contains("AUR")')["Contacts"]) == 1
    assert api.get("Contacts", where=f'Name.{spelled}().StartsWith("aur")')["Contacts"] == []
    for broken in (f'Name.{spelled}().Nope("x")', f"Name.{spelled}().Contains", f'Name.{spelled}().Length=="1"'):
        assert api.send("GET", "Contacts", where=broken).status_code == 400


def test_where_takes_ids(api, few):
    contact, invoice = few[0]["Contact"]["ContactID"], few[2]["InvoiceID"]
    assert numbers(api.get("Invoices", where=f'InvoiceID==Guid("{invoice.upper()}")')) == ["F-3"]
    assert len(numbers(api.get("Invoices", where=f'Contact.ContactID==Guid("{contact}")', page=1))) == 7
    api.pay(few[2], "5.00")
    paid = api.get("Payments", where=f'Invoice.InvoiceID==Guid("{invoice}") AND Status=="AUTHORISED"')
    assert len(paid["Payments"]) == 1


BROKEN = ['Nope=="x"', "Status==", 'Status=="A" AND', 'Status=="A" "B"', "(Total>1", 'Total>"x"', "Date>=DateTime(2026)"]


@pytest.mark.parametrize("where", [*BROKEN, 'Contact.Nope=="x"', "Status.Sounds(5)", "a;b", 'Date>DateTime.Parse("soon")'])
def test_a_where_that_cannot_be_read_is_refused(api, where):
    answer = api.send("GET", "Invoices", where=where)
    assert (answer.status_code, answer.json()["Type"]) == (400, "QueryParseException")


def test_order(api, few):
    mine = 'Reference.Contains("café")'
    falling = api.get("Invoices", where=mine, order="Total DESC", page=1, pageSize=2)
    assert numbers(falling) == ["F-7", "F-6"]
    assert numbers(api.get("Invoices", where=mine, order="Date ASC, InvoiceNumber DESC"))[0] == "F-7"
    assert numbers(api.get("Invoices", order="UpdatedDateUTC DESC", page=1))[0] == "F-7"
    assert "Syntax error" in api.refused("GET", "Invoices", order="Total SIDEWAYS")[0]


FILTERS = [
    ({"InvoiceNumbers": "F-2,f-4"}, ["F-2", "F-4"]),
    ({"searchTerm": "CAFE 6"}, ["F-6"]),
    ({"InvoiceNumbers": "F-2,F-3", "Statuses": "DRAFT"}, []),
    ({"InvoiceNumbers": "F-2,F-3", "Statuses": "DRAFT,AUTHORISED"}, ["F-2", "F-3"]),
    ({"createdByMyApp": "true"}, [f"F-{n}" for n in range(1, 8)]),
]


@pytest.mark.parametrize(("params", "expected"), FILTERS)
def test_filters(api, few, params, expected):
    assert numbers(api.get("Invoices", page=1, **params)) == expected


def test_lists_of_ids(api, few):
    ids = ",".join(row["InvoiceID"] for row in (few[3], few[1]))
    assert numbers(api.get("Invoices", IDs=ids)) == ["F-2", "F-4"]
    assert len(numbers(api.get("Invoices", ContactIDs=few[0]["Contact"]["ContactID"], page=1))) == 7


def test_archived_contacts_are_hidden_unless_asked_for(api):
    shown, all_ = (api.get("Contacts", page=1, **p)["Contacts"] for p in ({}, {"includeArchived": "true"}))
    archived = [row["Name"] for row in all_ if row["ContactStatus"] == "ARCHIVED"]
    assert archived
    assert len(all_) == len(shown) + len(archived)


def test_dates_travel_in_both_forms(api):
    row = api.invoice(Date="2026-11-02")
    assert (row["Date"], row["DateString"]) == ("/Date(1793577600000+0000)/", "2026-11-02T00:00:00")
    assert row["UpdatedDateUTC"].endswith("+0000)/")


def test_numbers_are_exact(api):
    made = api.invoice({"Description": "x", "Quantity": "0.3333", "UnitAmount": "99999.99", "AccountCode": "200"})
    assert str(made["LineItems"][0]["Quantity"]) == "0.3333"
    assert isinstance(made["Total"], Decimal)
    assert str(made["SubTotal"]) == "33330.00"


def test_a_refund_is_listed_with_its_credit_note_under_invoice(api):
    """As in the official example of GET /Payments; a single record shows it under its own name."""
    listed = [p for p in api.get("Payments", page=1)["Payments"] if p["PaymentType"] == "ARCREDITPAYMENT"]
    assert listed
    for refund in listed:
        note = api.get(f"Payments/{refund['PaymentID']}")["Payments"][0]["CreditNote"]
        assert "CreditNote" not in refund
        assert (refund["Invoice"]["InvoiceID"], refund["Invoice"]["Type"]) == (note["CreditNoteID"], "ACCRECCREDIT")
        assert refund["Invoice"]["InvoiceNumber"] == note["CreditNoteNumber"]
