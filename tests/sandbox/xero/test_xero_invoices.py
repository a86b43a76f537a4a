"""Invoices and credit notes: creating, updating, numbering, life cycle, locks, contacts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from xero_api import draft, line

from sync_core.sandbox.xero import change_organisation

D = Decimal
UNPAID = [
    ("DRAFT", "DRAFT", True),
    ("DRAFT", "SUBMITTED", True),
    ("DRAFT", "AUTHORISED", True),
    ("DRAFT", "DELETED", True),
    ("DRAFT", "VOIDED", False),
    ("DRAFT", "PAID", False),
    ("SUBMITTED", "DRAFT", True),
    ("SUBMITTED", "AUTHORISED", True),
    ("SUBMITTED", "DELETED", True),
    ("SUBMITTED", "VOIDED", False),
    ("AUTHORISED", "AUTHORISED", True),
    ("AUTHORISED", "VOIDED", True),
    ("AUTHORISED", "DRAFT", False),
    ("AUTHORISED", "SUBMITTED", False),
    ("AUTHORISED", "DELETED", False),
    ("AUTHORISED", "PAID", False),
]
DOCUMENTS = [("Invoices", "InvoiceID", "ACCREC"), ("CreditNotes", "CreditNoteID", "ACCRECCREDIT")]


@pytest.mark.parametrize(("resource", "key", "kind"), DOCUMENTS)
@pytest.mark.parametrize(("start", "target", "allowed"), UNPAID)
def test_life_cycle(api, resource, key, kind, start, target, allowed):
    made = api.one("PUT", resource, {resource: [draft(Type=kind, Status=start)]})
    answer = api.send("POST", f"{resource}/{made[key]}", {"Status": target})
    assert (answer.status_code == 200) is allowed
    assert api.row(resource, made[key])["Status"] == (target if allowed else start)


@pytest.mark.parametrize("end", ["VOIDED", "DELETED"])
def test_the_end_is_the_end(api, end):
    made = api.invoice(Status="DRAFT" if end == "DELETED" else "AUTHORISED")
    closed = api.one("POST", f"Invoices/{made['InvoiceID']}", {"Status": end})
    assert (closed["Status"], closed["AmountDue"], closed["Total"]) == (end, D("0.00"), D("115.00"))
    texts = api.refused("POST", f"Invoices/{made['InvoiceID']}", {"Reference": "late"})
    assert texts == ["Invoice not of valid status for modification"]


@pytest.mark.parametrize("status", ["PAID", "VOIDED", "DELETED"])
def test_no_document_begins_at_its_end(api, status):
    assert "must be DRAFT, SUBMITTED or AUTHORISED" in api.refused("PUT", "Invoices", draft(Status=status))[0]


def test_an_invoice_over_nothing_is_paid_at_once(api):
    assert api.invoice("0.00")["Status"] == "PAID"


def test_approval_needs_a_due_date(api):
    made = api.invoice(Status="DRAFT", DueDate=None)
    assert api.refused("POST", f"Invoices/{made['InvoiceID']}", {"Status": "AUTHORISED"}) == ["Due date cannot be empty"]


def test_put_refuses_a_number_that_exists_and_post_updates_it(api):
    made = api.invoice(InvoiceNumber="A-1")
    assert api.refused("PUT", "Invoices", draft(InvoiceNumber="a-1")) == ["Invoice # must be unique."]
    again = api.one("POST", "Invoices", {"Invoices": [draft("70.00", InvoiceNumber="A-1")]})
    assert (again["InvoiceID"], again["SubTotal"]) == (made["InvoiceID"], D("70.00"))


def test_numbers_of_bills_need_not_be_unique(api):
    made = [api.invoice(Type="ACCPAY", InvoiceNumber="S-9")["InvoiceID"] for _ in range(2)]
    assert len(set(made)) == 2
    assert {row["InvoiceID"] for row in api.get("Invoices", InvoiceNumbers="S-9")["Invoices"]} == set(made)


def test_a_bill_with_the_number_of_a_sale_is_another_document(api):
    sale = api.invoice(InvoiceNumber="A-1")
    bill = api.one("POST", "Invoices", draft(Type="ACCPAY", InvoiceNumber="A-1"))
    assert bill["InvoiceID"] != sale["InvoiceID"]


def test_a_deleted_draft_frees_its_number_and_a_voided_invoice_does_not(api):
    first = api.invoice(InvoiceNumber="B-1", Status="DRAFT")
    api.one("POST", f"Invoices/{first['InvoiceID']}", {"Status": "DELETED"})
    second = api.invoice(InvoiceNumber="B-1")
    api.one("POST", f"Invoices/{second['InvoiceID']}", {"Status": "VOIDED"})
    assert api.refused("PUT", "Invoices", draft(InvoiceNumber="B-1")) == ["Invoice # must be unique."]


def test_numbers_are_given_in_turn(api):
    api.invoice(InvoiceNumber="INV-0002")
    assert [api.invoice()["InvoiceNumber"] for _ in range(2)] == ["INV-0001", "INV-0003"]


def test_lines_that_are_not_sent_are_gone(api):
    made = api.invoice("10.00", "20.00")
    keep = made["LineItems"][1]
    body = {"LineItems": [{"LineItemID": keep["LineItemID"], "Quantity": 2}, line("5.00")]}
    changed = api.one("POST", f"Invoices/{made['InvoiceID']}", body)
    assert [item["LineAmount"] for item in changed["LineItems"]] == [D("40.00"), D("5.00")]
    assert changed["LineItems"][0]["LineItemID"] == keep["LineItemID"]
    assert changed["LineItems"][0]["AccountCode"] == "200"
    assert changed["Total"] == D("51.75")


def test_without_lines_the_lines_stay(api):
    made = api.invoice("10.00", "20.00")
    changed = api.one("POST", f"Invoices/{made['InvoiceID']}", {"Reference": "PO 5"})
    assert (changed["LineItems"], changed["Reference"]) == (made["LineItems"], "PO 5")


def test_another_tax_mode_prices_the_lines_anew(api):
    made = api.invoice("115.00")
    changed = api.one("POST", f"Invoices/{made['InvoiceID']}", {"LineAmountTypes": "Inclusive"})
    assert (changed["TotalTax"], changed["Total"]) == (D("15.00"), D("115.00"))


PAID_TEXT = "This document cannot be edited as it has a payment or credit note allocated to it."


def test_a_part_paid_invoice_is_all_but_closed(api):
    made = api.invoice()
    api.pay(made, "15.00")
    where = f"Invoices/{made['InvoiceID']}"
    for body in ({"Reference": "x"}, {"Status": "VOIDED"}, {"LineItems": [line("1.00")]}, {"Status": "DRAFT"}):
        assert api.refused("POST", where, body) == [PAID_TEXT]
    assert api.row("Invoices", made["InvoiceID"])["Status"] == "AUTHORISED"


def test_a_due_date_on_a_part_paid_invoice_moves_no_stamp(api):
    made = api.invoice()
    api.pay(made, "15.00")
    before = api.row("Invoices", made["InvoiceID"])
    after = api.one("POST", f"Invoices/{made['InvoiceID']}", {"DueDate": "2026-12-24", "SentToContact": True})
    assert after["DueDateString"] == "2026-12-24T00:00:00"
    assert after["UpdatedDateUTC"] == before["UpdatedDateUTC"]


def test_a_part_paid_bill_takes_words(api):
    made = api.invoice(Type="ACCPAY", InvoiceNumber="S-1")
    api.pay(made, "15.00")
    words = [{"LineItemID": made["LineItems"][0]["LineItemID"], "Description": "Better words"}]
    body = {"Reference": "R", "LineItems": words}
    changed = api.one("POST", f"Invoices/{made['InvoiceID']}", body)
    assert changed["LineItems"][0]["Description"] == "Better words"
    assert changed["LineItems"][0]["LineAmount"] == D("100.00")
    assert api.refused("POST", f"Invoices/{made['InvoiceID']}", {"LineItems": [{**words[0], "Quantity": 2}]}) == [PAID_TEXT]
    assert api.refused("POST", f"Invoices/{made['InvoiceID']}", {"LineItems": []}) == [PAID_TEXT]


def test_a_part_paid_bill_may_move_to_another_contact(api):
    made = api.invoice(Type="ACCPAY", InvoiceNumber="S-1")
    api.pay(made, "15.00")
    moved = api.one("POST", f"Invoices/{made['InvoiceID']}", {"Contact": {"Name": "Brand new"}})
    assert api.row("Contacts", moved["Contact"]["ContactID"])["Name"] == "Brand new"


LOCKED = "The document date cannot be before the period lock date, currently set at 30 June 2026"


def test_nothing_is_written_in_a_locked_period(api):
    assert api.refused("PUT", "Invoices", draft(Date="2026-06-30")) == [LOCKED]
    assert api.invoice(Date="2026-07-01")["Status"] == "AUTHORISED"


def test_nothing_is_voided_or_paid_in_a_locked_period(api):
    made = api.invoice()
    change_organisation(api.kernel, EndOfYearLockDate=date(2026, 11, 2))
    assert "end of year lock date" in api.refused("POST", f"Invoices/{made['InvoiceID']}", {"Status": "VOIDED"})[0]
    paid = {"Invoice": {"InvoiceID": made["InvoiceID"]}, "Account": {"Code": "090"}, "Amount": 5}
    assert "lock date" in api.refused("PUT", "Payments", {**paid, "Date": "2026-11-01"})[0]


def test_a_name_finds_a_contact_or_makes_one(api):
    count = len(api.store["Contacts"])
    first = api.invoice(Contact={"Name": "Totara Timber"})["Contact"]
    second = api.invoice(Contact={"Name": "totara timber"})["Contact"]
    assert first["ContactID"] == second["ContactID"]
    assert len(api.store["Contacts"]) == count + 1
    assert api.row("Contacts", first["ContactID"])["IsCustomer"] is True


def test_a_refused_invoice_makes_no_contact(api):
    count = len(api.store["Contacts"])
    api.refused("PUT", "Invoices", draft(line("1", AccountCode="999"), Contact={"Name": "Nobody yet"}))
    assert len(api.store["Contacts"]) == count


def test_more_than_a_reference_changes_the_contact(api):
    person = {"FirstName": "Ana", "LastName": "Kerr", "EmailAddress": "ana@example.nz"}
    made = api.one("PUT", "Contacts", {"Name": "Kauri Ltd", "ContactPersons": [person]})
    api.invoice(Contact={"ContactID": made["ContactID"]})
    assert api.row("Contacts", made["ContactID"])["ContactPersons"]
    api.invoice(Contact={"ContactID": made["ContactID"], "EmailAddress": "office@kauri.nz"})
    changed = api.row("Contacts", made["ContactID"])
    assert (changed["EmailAddress"], changed["ContactPersons"]) == ("office@kauri.nz", [])


def test_an_archived_contact_gets_no_invoice(api):
    made = api.one("PUT", "Contacts", {"Name": "Gone Ltd"})
    api.one("POST", f"Contacts/{made['ContactID']}", {"ContactStatus": "ARCHIVED"})
    (text,) = api.refused("PUT", "Invoices", draft(Contact={"ContactID": made["ContactID"]}))
    assert "has been archived. The contact must be un-archived" in text


def test_currencies_must_be_subscribed_and_get_the_day_rate(api):
    assert api.refused("PUT", "Invoices", draft(CurrencyCode="GBP")) == ["Organisation is not subscribed to currency GBP"]
    made = api.invoice(CurrencyCode="USD")
    assert made["CurrencyRate"] == api.store["Currencies"].get("USD")["_rate"]
    assert api.invoice()["CurrencyRate"] == 1


def test_a_doubtful_rate_is_warned_about(api):
    made = api.invoice(CurrencyCode="USD", CurrencyRate="6.1")
    assert made["StatusAttributeString"] == "WARNING"
    assert "differs widely" in made["Warnings"][0]["Message"]


def test_dates_are_read_as_the_utc_day(api):
    shifted = api.invoice(Date="2026-11-03T00:00:00+13:00")
    assert shifted["DateString"] == "2026-11-02T00:00:00"
    assert api.invoice(Date="/Date(1793577600000+0000)/")["DateString"] == "2026-11-02T00:00:00"


def test_without_a_date_it_is_today_in_new_zealand(api):
    api.kernel.clock.advance(12 * 3600)
    api.sign_in()
    assert api.invoice(Date=None)["DateString"] == "2026-11-24T00:00:00"


@pytest.mark.parametrize("url", ["ftp://crm.example", "https://xero.com/x", "crm/1"])
def test_links_lead_elsewhere(api, url):
    assert "Url" in api.refused("PUT", "Invoices", draft(Url=url))[0]


def test_an_invoice_is_sent_by_email_without_counting_as_changed(api):
    invoice = next(i for i in api.get("Invoices", page=1, pageSize=1000)["Invoices"] if i["Status"] == "AUTHORISED")
    contact = invoice["Contact"]["ContactID"]
    api.one("POST", f"Contacts/{contact}", {"EmailAddress": ""})
    assert api.send("POST", f"Invoices/{invoice['InvoiceID']}/Email", {}).status_code == 400
    api.one("POST", f"Contacts/{contact}", {"EmailAddress": "ana@example.nz"})
    assert api.send("POST", f"Invoices/{invoice['InvoiceID']}/Email", {}).status_code == 204
    after = api.get(f"Invoices/{invoice['InvoiceID']}")["Invoices"][0]
    assert (after["SentToContact"], after["UpdatedDateUTC"]) == (True, invoice["UpdatedDateUTC"])


def test_what_else_hangs_below_an_invoice(api):
    invoice = next(i for i in api.get("Invoices", page=1, pageSize=1000)["Invoices"] if i["Status"] == "AUTHORISED")
    path = f"Invoices/{invoice['InvoiceID']}"
    (online,) = api.get(f"{path}/OnlineInvoice")["OnlineInvoices"]
    assert online["OnlineInvoiceUrl"].startswith("https://in.xero.com/")
    assert api.get(f"{path}/Attachments")["Attachments"] == []
    assert api.send("PUT", f"{path}/Attachments", {}).status_code == 405
