"""What must hold whatever people do: the books balance, and the indexes say what the rows say."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from xero_api import Api, draft, line, new_kernel

from sync_core.sandbox.xero import listing, set_limits

D = Decimal
DAY = "2026-11-20"
CONTACTS = ("Rimu Joinery", "Kauri Ltd")


class Bookkeeper:
    """Does one random thing after another; what Xero refuses is as good as what it takes."""

    def __init__(self, api, seed):
        self.api, self.random = api, random.Random(seed)
        self.acts = [self.invoice, self.note, self.pay, self.allocate, self.refund, self.undo, self.unallocate, self.batch]

    def work(self):
        self.random.choice([*self.acts, self.change, self.close])()

    def pick(self, kind):
        return self.random.choice(list(self.api.store[kind].values()))

    def amount(self):
        return str(D(self.random.randint(1, 9000)) / 100)

    def body(self, **values):
        return draft(self.amount(), line(self.amount()), Contact={"Name": self.random.choice(CONTACTS)}, **values)

    def invoice(self):
        self.api.send("PUT", "Invoices", self.body(LineAmountTypes=self.random.choice(["Exclusive", "Inclusive", "NoTax"])))

    def note(self):
        self.api.send("PUT", "CreditNotes", self.body(Type="ACCRECCREDIT"))

    def pay(self):
        row = self.pick("Invoices")
        amount = row["AmountDue"] if self.random.random() < 0.5 else self.amount()
        target = {"Invoice": {"InvoiceID": row["InvoiceID"]}, "Account": {"Code": "090"}}
        self.api.send("PUT", "Payments", {**target, "Amount": amount, "Date": DAY})

    def refund(self):
        note = {"CreditNoteID": self.pick("CreditNotes")["CreditNoteID"]}
        self.api.send("PUT", "Payments", {"CreditNote": note, "Account": {"Code": "090"}, "Amount": self.amount(), "Date": DAY})

    def allocate(self):
        note = self.pick("CreditNotes")
        invoice = self.random.choice([*self.api.store["Invoices"].of_contact(note["ContactID"]), self.pick("Invoices")])
        amount = min(note["RemainingCredit"], invoice["AmountDue"], D(self.amount()))
        body = {"Amount": amount, "Date": DAY, "Invoice": {"InvoiceID": invoice["InvoiceID"]}}
        self.api.send("PUT", f"CreditNotes/{note['CreditNoteID']}/Allocations", body)

    def unallocate(self):
        note = self.pick("CreditNotes")
        for made in note["_allocations"][:1]:
            self.api.send("DELETE", f"CreditNotes/{note['CreditNoteID']}/Allocations/{made['AllocationID']}")

    def undo(self):
        self.api.send("POST", f"Payments/{self.pick('Payments')['PaymentID']}", {"Status": "DELETED"})

    def batch(self):
        payments = [{"Invoice": {"InvoiceID": self.pick("Invoices")["InvoiceID"]}, "Amount": self.amount()} for _ in range(2)]
        self.api.send("PUT", "BatchPayments", {"Account": {"Code": "090"}, "Date": DAY, "Payments": payments})

    def change(self):
        row = self.pick("Invoices")
        self.api.send("POST", f"Invoices/{row['InvoiceID']}", {"LineItems": [line(self.amount())], "DueDate": DAY})

    def close(self):
        kind, key = self.random.choice([("Invoices", "InvoiceID"), ("BatchPayments", "BatchPaymentID")])
        status = "VOIDED" if kind == "Invoices" else "DELETED"
        self.api.send("POST", f"{kind}/{self.pick(kind)[key]}", {"Status": status})


def check_invoice(store, row):
    paid = [store["Payments"].get(i) for i in row["_payments"]]
    assert all(p["Status"] == "AUTHORISED" for p in paid)
    assert row["AmountPaid"] == sum((p["Amount"] for p in paid), D(0))
    assert row["AmountCredited"] == sum((a["amount"] for a in row["_applied"]), D(0))
    if row["Status"] == "VOIDED":
        assert not paid
        assert not row["_applied"]
        return
    assert row["Total"] == row["AmountDue"] + row["AmountPaid"] + row["AmountCredited"]
    assert row["AmountDue"] >= 0
    assert (row["Status"] == "PAID") == (row["AmountDue"] == 0)


def check_credit(store, row):
    refunds = [store["Payments"].get(i)["Amount"] for i in row["_payments"]]
    allocated = [a["Amount"] for a in row["_allocations"]]
    assert row["Total"] == row["RemainingCredit"] + sum(allocated, D(0)) + sum(refunds, D(0))
    assert row["RemainingCredit"] >= 0
    for made in row["_allocations"]:
        applied = store["Invoices"].get(made["InvoiceID"])["_applied"]
        assert [a["amount"] for a in applied if a["allocation"] == made["AllocationID"]] == [made["Amount"]]


def indexes(store):
    """Every index, without the empty groups that a change leaves behind."""
    found = {}
    for name, table in store.tables.items():
        groups = {f: {v: set(ids) for v, ids in group.items() if ids} for f, group in table.groups.items()}
        found[name] = (list(table.stamps), dict(table.uniques), groups)
    return found


@pytest.mark.parametrize("seed", range(6))
def test_the_books_balance_whatever_happens(seed):
    kernel = new_kernel()
    set_limits(kernel, minute=100_000)
    api = Api(kernel)
    keeper = Bookkeeper(api, seed)
    for _ in range(120):
        keeper.work()
    for row in api.store["Invoices"].values():
        check_invoice(api.store, row)
    for row in api.store["CreditNotes"].values():
        check_credit(api.store, row)
    kept = indexes(api.store)
    api.store.rebuild()
    assert indexes(api.store) == kept


def test_the_bookkeeper_gets_things_done():
    api = Api(new_kernel())
    set_limits(api.kernel, minute=100_000)
    before = {kind: len(api.store[kind]) for kind in ("Invoices", "Payments", "CreditNotes", "BatchPayments")}
    keeper = Bookkeeper(api, 0)
    for _ in range(150):
        keeper.work()
    assert all(len(api.store[kind]) > count for kind, count in before.items())
    deleted = [p for p in api.store["Payments"].values() if p["Status"] == "DELETED"]
    assert len(deleted) > 2
    assert any(row["_applied"] and row["_payments"] for row in api.store["Invoices"].values())


def test_over_many_rows_only_fast_fields_are_filtered(api, monkeypatch):
    monkeypatch.setattr(listing, "MANY_ROWS", 5)
    assert api.send("GET", "Invoices", where='Status=="PAID"', order="Date").status_code == 200
    assert api.send("GET", "Invoices", where='Contact.Name=="x"').status_code == 200
    for params in ({"where": "SubTotal > 5"}, {"order": "Total"}, {"where": 'Url=="x"'}):
        assert "over more than" in api.refused("GET", "Invoices", **params)[0]


def test_numbers_and_references_are_found_without_a_scan(api, monkeypatch):
    made = api.invoice(InvoiceNumber="Q-1", Reference="PO 1")
    api.pay(made, "5.00", Reference="PAY 1")

    def fail(*_):
        raise AssertionError("all rows were read")

    monkeypatch.setattr(listing, "_everything", fail)
    found = [
        api.get("Invoices", InvoiceNumbers="q-1"),
        api.get("Invoices", where='InvoiceNumber=="Q-1" AND Type=="ACCREC"', page=1),
        api.get("Invoices", where='Reference=="po 1"'),
        api.get("Invoices", where=f'Contact.ContactID==Guid("{made["Contact"]["ContactID"]}")'),
        api.get("Payments", where='Reference=="PAY 1"'),
        api.get("Payments", where=f'Invoice.InvoiceID==Guid("{made["InvoiceID"]}")'),
    ]
    assert [len(content.get("Invoices", content.get("Payments"))) for content in found] == [1] * 6
