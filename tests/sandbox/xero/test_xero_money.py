"""Payments, refunds, batches, prepayments, overpayments and allocations, and what they do to documents."""

from __future__ import annotations

from decimal import Decimal

import pytest
from xero_api import draft, line

D = Decimal


@pytest.fixture
def invoice(api):
    return api.invoice()


def again(api, invoice):
    return api.row("Invoices", invoice["InvoiceID"])


def sums(row):
    return [row["AmountDue"], row["AmountPaid"], row["AmountCredited"]]


def credit_note(api, amount="40.00", **values):
    body = draft(line(amount, TaxType="NONE"), Type="ACCRECCREDIT", **values)
    return api.one("PUT", "CreditNotes", {"CreditNotes": [body]})


def advance(api, kind, amount="40.00", **values):
    item = {"Description": "In advance", "Quantity": 1, "UnitAmount": amount, "AccountCode": "200", "TaxType": "NONE"}
    if kind == "RECEIVE-OVERPAYMENT":
        item = {"Description": "Too much", "Quantity": 1, "UnitAmount": amount}
    body = {"Type": kind, "Contact": {"Name": "Rimu Joinery"}, "BankAccount": {"Code": "090"}, "LineItems": [item]}
    return api.one("PUT", "BankTransactions", {"BankTransactions": [{**body, "Date": "2026-11-05", **values}]})


def allocate(api, resource, credit_id, invoice, amount):
    body = {"Amount": amount, "Date": "2026-11-10", "Invoice": {"InvoiceID": invoice["InvoiceID"]}}
    return api.one("PUT", f"{resource}/{credit_id}/Allocations", {"Allocations": [body]})


def test_an_invoice_is_paid_when_nothing_is_due_and_open_again_without_the_payment(api, invoice):
    api.pay(invoice, "15.00")
    assert (again(api, invoice)["Status"], sums(again(api, invoice))) == ("AUTHORISED", [D(100), D(15), D(0)])
    last = api.pay(invoice, "100.00")
    paid = again(api, invoice)
    assert (paid["Status"], sums(paid)) == ("PAID", [D(0), D(115), D(0)])
    assert paid["FullyPaidOnDate"] == last["Date"]
    api.one("POST", f"Payments/{last['PaymentID']}", {"Status": "DELETED"})
    reopened = again(api, invoice)
    assert (reopened["Status"], sums(reopened)) == ("AUTHORISED", [D(100), D(15), D(0)])
    assert "FullyPaidOnDate" not in reopened
    assert len(reopened["Payments"]) == 1


REFUSED = [
    ({"Amount": "115.01"}, "Payment amount exceeds the amount outstanding on this document"),
    ({"Amount": 0}, "must be greater than zero"),
    ({"Account": {"Code": "200"}}, "must be a bank account or be enabled for payments"),
    ({"Account": {"Code": "999"}}, "Account could not be found"),
    ({"Account": None}, "An account must be specified"),
    ({"CreditNote": {"CreditNoteNumber": "CN-201"}}, "exactly one of"),
    ({"Invoice": {"InvoiceNumber": "nope"}}, "Invoice could not be found"),
    ({"Date": "2026-01-05"}, "lock date"),
    ({"Reference": "x" * 256}, "Reference field cannot be longer than 255"),
]


@pytest.mark.parametrize(("values", "text"), REFUSED)
def test_a_payment_that_breaks_a_rule_is_refused(api, invoice, values, text):
    body = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Account": {"Code": "090"}, "Amount": 5, **values}
    assert text in api.refused("PUT", "Payments", {"Payments": [body]})[0]
    assert sums(again(api, invoice)) == [D(115), D(0), D(0)]


@pytest.mark.parametrize("status", ["DRAFT", "VOIDED"])
def test_only_approved_invoices_are_paid(api, status):
    made = api.invoice(Status="DRAFT" if status == "DRAFT" else "AUTHORISED")
    api.one("POST", f"Invoices/{made['InvoiceID']}", {"Status": status})
    body = {"Invoice": {"InvoiceID": made["InvoiceID"]}, "Account": {"Code": "090"}, "Amount": 5}
    assert "authorised documents" in api.refused("PUT", "Payments", body)[0]


def test_accounts_enabled_for_payments_take_payments(api, invoice):
    assert api.pay(invoice, "5.00", Account={"Code": "855"})["Account"]["Code"] == "855"


def test_a_payment_is_never_edited(api, invoice):
    made = api.pay(invoice, "15.00")
    for body in ({"Amount": 10}, {"Status": "DELETED", "Amount": "15.00"}, {"Status": "AUTHORISED"}):
        assert api.refused("POST", f"Payments/{made['PaymentID']}", body) == ["Only Status accepted for updates"]
    api.one("POST", f"Payments/{made['PaymentID']}", {"Status": "DELETED"})
    assert "already been deleted" in api.refused("POST", f"Payments/{made['PaymentID']}", {"Status": "DELETED"})[0]


def test_post_takes_one_payment(api, invoice):
    body = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Account": {"Code": "090"}, "Amount": 5}
    assert api.one("POST", "Payments", body)["PaymentType"] == "ACCRECPAYMENT"
    assert "Only one element" in api.refused("POST", "Payments", {"Payments": [body, body]})[0]


def test_money_in_another_currency_is_converted_for_the_bank(api):
    made = api.invoice(line("100.00", TaxType="NONE"), CurrencyCode="USD")
    by_rate = api.pay(made, "10.00", CurrencyRate="0.5")
    by_bank = api.pay(made, "10.00", BankAmount="16.00")
    assert (by_rate["BankAmount"], by_bank["CurrencyRate"]) == (D("20.00"), D("0.625"))
    assert again(api, made)["AmountDue"] == D("80.00")


def batch(api, invoices, **values):
    payments = [{"Invoice": {"InvoiceID": i["InvoiceID"]}, "Amount": amount} for i, amount in invoices]
    body = {"Account": {"Code": "090"}, "Date": "2026-11-20", "Reference": "Run 7", "Payments": payments, **values}
    return api.one("PUT", "BatchPayments", {"BatchPayments": [body]})


def test_a_batch_pays_each_invoice_and_goes_as_one(api):
    first, second = api.invoice(), api.invoice()
    made = batch(api, [(first, "115.00"), (second, "15.00")])
    assert (made["Type"], made["TotalAmount"]) == ("RECBATCH", D("130.00"))
    assert [again(api, i)["Status"] for i in (first, second)] == ["PAID", "AUTHORISED"]
    payment = api.row("Payments", made["Payments"][0]["PaymentID"])
    assert payment["BatchPaymentID"] == made["BatchPaymentID"]
    assert "part of a batch" in api.refused("POST", f"Payments/{payment['PaymentID']}", {"Status": "DELETED"})[0]
    gone = api.one("POST", "BatchPayments", {"BatchPaymentID": made["BatchPaymentID"], "Status": "DELETED"})
    assert gone["Status"] == "DELETED"
    assert [sums(again(api, i)) for i in (first, second)] == [[D(115), D(0), D(0)]] * 2
    assert api.row("Payments", payment["PaymentID"])["Status"] == "DELETED"


def test_a_batch_inside_a_payment_speaks_in_texts(api):
    made = batch(api, [(api.invoice(), "115.00")])
    nested = api.row("Payments", made["Payments"][0]["PaymentID"])["BatchPayment"]
    assert (nested["TotalAmount"], nested["IsReconciled"]) == ("115.00", "false")
    assert api.row("BatchPayments", made["BatchPaymentID"])["IsReconciled"] is False


@pytest.mark.parametrize(
    ("amounts", "values", "text"),
    [
        (("115.01",), {}, "exceeds the amount outstanding"),
        (("100.00",), {"Narrative": "x" * 19}, "Narrative field cannot be longer than 18"),
        (("100.00",), {"Account": {"Code": "855"}}, "must be a bank account"),
        ((), {}, "at least one payment"),
    ],
)
def test_a_batch_is_refused_whole(api, invoice, amounts, values, text):
    payments = [{"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": amount} for amount in amounts]
    body = {"Account": {"Code": "090"}, "Date": "2026-11-20", "Payments": payments, **values}
    assert text in api.refused("PUT", "BatchPayments", {"BatchPayments": [body]})[0]
    assert sums(again(api, invoice)) == [D(115), D(0), D(0)]


def test_a_batch_does_not_pay_one_invoice_too_often(api, invoice):
    count = len(api.store["Payments"])
    payments = [{"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": "60.00"}] * 2
    body = {"Account": {"Code": "090"}, "Payments": payments}
    assert "exceeds" in api.refused("PUT", "BatchPayments", {"BatchPayments": [body]})[0]
    assert len(api.store["Payments"]) == count


def test_allocating_a_credit_note_and_taking_it_back(api, invoice):
    note = credit_note(api)
    made = allocate(api, "CreditNotes", note["CreditNoteID"], invoice, "40.00")
    used, credited = api.row("CreditNotes", note["CreditNoteID"]), again(api, invoice)
    assert (used["Status"], used["RemainingCredit"], sums(credited)) == ("PAID", D(0), [D(75), D(0), D(40)])
    assert credited["CreditNotes"][0]["AppliedAmount"] == D(40)
    where = f"CreditNotes/{note['CreditNoteID']}/Allocations/{made['AllocationID']}"
    frame = {"Id", "Status", "ProviderName", "DateTimeUTC"}
    gone = api.good("DELETE", where)
    assert frame <= gone.keys()
    assert gone["Status"] == "OK"
    assert {name: value for name, value in gone.items() if name not in frame} == {
        "AllocationId": made["AllocationID"],
        "Date": "/Date(1794268800000+0000)/",
        "Invoice": [{"InvoiceID": invoice["InvoiceID"]}],
        "IsDeleted": True,
    }
    back, open_again = api.row("CreditNotes", note["CreditNoteID"]), again(api, invoice)
    assert (back["Status"], back["RemainingCredit"], sums(open_again)) == ("AUTHORISED", D(40), [D(115), D(0), D(0)])
    assert open_again["CreditNotes"] == []


def test_a_credit_can_settle_an_invoice_over_several_steps(api, invoice):
    note = credit_note(api, "100.00")
    for amount in ("60.00", "40.00"):
        allocate(api, "CreditNotes", note["CreditNoteID"], invoice, amount)
    api.pay(invoice, "15.00")
    assert (again(api, invoice)["Status"], sums(again(api, invoice))) == ("PAID", [D(0), D(15), D(100)])


@pytest.mark.parametrize(("amount", "text"), [("40.01", "exceeds the remaining credit"), ("0", "must be greater than zero")])
def test_an_allocation_has_its_limits(api, invoice, amount, text):
    note = credit_note(api)
    body = {"Amount": amount, "Date": "2026-11-10", "Invoice": {"InvoiceID": invoice["InvoiceID"]}}
    assert text in api.refused("PUT", f"CreditNotes/{note['CreditNoteID']}/Allocations", {"Allocations": [body]})[0]


def test_an_allocation_stays_with_one_contact(api, invoice):
    note = credit_note(api, Contact={"Name": "Somebody else"})
    body = {"Amount": 1, "Date": "2026-11-10", "Invoice": {"InvoiceID": invoice["InvoiceID"]}}
    assert "same contact" in api.refused("PUT", f"CreditNotes/{note['CreditNoteID']}/Allocations", body)[0]


def test_an_allocation_stays_in_one_currency(api):
    note, dollars = credit_note(api), api.invoice(CurrencyCode="USD")
    body = {"Amount": 1, "Date": "2026-11-10", "Invoice": {"InvoiceID": dollars["InvoiceID"]}}
    assert "one currency" in api.refused("PUT", f"CreditNotes/{note['CreditNoteID']}/Allocations", body)[0]


def test_deleting_what_made_an_advance_voids_it_unless_it_was_used(api, invoice):
    unused, used = advance(api, "RECEIVE-PREPAYMENT"), advance(api, "RECEIVE-PREPAYMENT")
    api.one("POST", f"BankTransactions/{unused['BankTransactionID']}", {"Status": "DELETED"})
    gone = api.row("Prepayments", unused["PrepaymentID"])
    assert (gone["Status"], gone["RemainingCredit"]) == ("VOIDED", D(0))
    allocate(api, "Prepayments", used["PrepaymentID"], invoice, "5.00")
    where = f"BankTransactions/{used['BankTransactionID']}"
    assert "allocated or refunded" in api.refused("POST", where, {"Status": "DELETED"})[0]


def test_plain_receipts_can_be_changed_and_advances_cannot(api):
    item = line("10.00")
    body = {"Type": "RECEIVE", "Contact": {"Name": "R"}, "BankAccount": {"Code": "090"}, "LineItems": [item]}
    made = api.one("PUT", "BankTransactions", body)
    where = f"BankTransactions/{made['BankTransactionID']}"
    assert api.one("POST", where, {"LineItems": [line("20.00")]})["Total"] == D("23.00")
    paid = advance(api, "RECEIVE-PREPAYMENT")
    assert "cannot be changed" in api.refused("POST", f"BankTransactions/{paid['BankTransactionID']}", {"Reference": "x"})[0]


def test_allocations_count_for_themselves_when_errors_are_not_summarised(api, invoice):
    note = credit_note(api)
    good = {"Amount": 10, "Date": "2026-11-10", "Invoice": {"InvoiceID": invoice["InvoiceID"]}}
    body = {"Allocations": [good, {**good, "Amount": 99}, good]}
    answer = api.good("PUT", f"CreditNotes/{note['CreditNoteID']}/Allocations", body, summarizeErrors="false")
    assert [bool(a["ValidationErrors"]) for a in answer["Allocations"]] == [False, True, False]
    assert api.row("CreditNotes", note["CreditNoteID"])["RemainingCredit"] == D(20)


REFUNDS = [
    ("CreditNotes", "CreditNote", "CreditNoteID", "ARCREDITPAYMENT"),
    ("Prepayments", "Prepayment", "PrepaymentID", "ARPREPAYMENTPAYMENT"),
    ("Overpayments", "Overpayment", "OverpaymentID", "AROVERPAYMENTPAYMENT"),
]


@pytest.mark.parametrize(("resource", "name", "key", "kind"), REFUNDS)
def test_every_credit_can_be_refunded(api, resource, name, key, kind):
    made = credit_note(api) if resource == "CreditNotes" else advance(api, f"RECEIVE-{name.upper()}")
    body = {name: {key: made[key]}, "Account": {"Code": "090"}, "Amount": "30.00", "Date": "2026-11-20"}
    refund = api.one("PUT", "Payments", {"Payments": [body]})
    after = api.row(resource, made[key])
    assert (refund["PaymentType"], after["RemainingCredit"], after["Status"]) == (kind, D(10), "AUTHORISED")
    assert after["Total"] == after["RemainingCredit"] + sum(p["Amount"] for p in after["Payments"])
    api.one("POST", f"Payments/{refund['PaymentID']}", {"Status": "DELETED"})
    assert api.row(resource, made[key])["RemainingCredit"] == D(40)


@pytest.mark.parametrize(("resource", "key", "kind"), [(r, k, n.upper()) for r, n, k, _ in REFUNDS[1:]])
def test_advances_are_allocated(api, invoice, resource, key, kind):
    made = advance(api, f"RECEIVE-{kind}")
    allocation = allocate(api, resource, made[key], invoice, "40.00")
    assert api.row(resource, made[key])["Status"] == "PAID"
    assert again(api, invoice)[resource][0]["AppliedAmount"] == D(40)
    api.good("DELETE", f"{resource}/{made[key]}/Allocations/{allocation['AllocationID']}")
    assert api.row(resource, made[key])["RemainingCredit"] == D(40)


def test_an_overpayment_is_tax_free_and_on_the_receivable_account(api):
    made = advance(api, "RECEIVE-OVERPAYMENT")
    shown = made["LineItems"][0]
    assert (made["LineAmountTypes"], shown["AccountCode"], shown["TaxType"]) == ("NoTax", "610", "NONE")
    wrong = {"Description": "x", "Quantity": 1, "UnitAmount": 5, "AccountCode": "200"}
    body = {"Type": "RECEIVE-OVERPAYMENT", "Contact": {"Name": "R"}, "BankAccount": {"Code": "090"}, "LineItems": [wrong]}
    assert "accounts receivable" in api.refused("PUT", "BankTransactions", body)[0]


def test_a_prepayment_may_carry_tax(api):
    item = line("100.00")
    body = {"Type": "RECEIVE-PREPAYMENT", "Contact": {"Name": "R"}, "BankAccount": {"Code": "090"}, "LineItems": [item]}
    made = api.one("PUT", "BankTransactions", body)
    assert api.row("Prepayments", made["PrepaymentID"])["Total"] == D("115.00")


def test_advances_are_not_made_directly(api):
    assert api.send("PUT", "Prepayments", {"Prepayments": [{"Type": "RECEIVE-PREPAYMENT"}]}).status_code == 405


def test_a_document_with_a_credit_on_it_is_not_voided(api, invoice):
    note = credit_note(api)
    allocate(api, "CreditNotes", note["CreditNoteID"], invoice, "1.00")
    for where in (f"Invoices/{invoice['InvoiceID']}", f"CreditNotes/{note['CreditNoteID']}"):
        assert "allocated to it" in api.refused("POST", where, {"Status": "VOIDED"})[0]


def test_money_moves_the_stamp_of_its_document(api, invoice):
    stamps = [invoice["UpdatedDateUTC"]]
    payment = api.pay(invoice, "5.00")
    stamps.append(again(api, invoice)["UpdatedDateUTC"])
    api.one("POST", f"Payments/{payment['PaymentID']}", {"Status": "DELETED"})
    stamps.append(again(api, invoice)["UpdatedDateUTC"])
    assert stamps == sorted(set(stamps))


def test_balances_of_a_contact_follow_and_move_no_stamp(api, invoice):
    contact_id = invoice["Contact"]["ContactID"]
    before = api.row("Contacts", contact_id)
    api.pay(invoice, "15.00")
    after = api.row("Contacts", contact_id)
    assert before["Balances"]["AccountsReceivable"]["Outstanding"] == D(115)
    assert after["Balances"]["AccountsReceivable"]["Outstanding"] == D(100)
    assert after["UpdatedDateUTC"] == before["UpdatedDateUTC"]
