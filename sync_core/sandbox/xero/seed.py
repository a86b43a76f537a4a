"""A company's Xero side, put in at once: 100,000 invoices take seconds, with the same arithmetic as the API's
writes.

``UpdatedDateUTC`` of seeded rows lies in the 30 days before the clock's now, growing in the order of events.
Rows go straight into the collections and are indexed once at the end. Contacts get no ContactNumber: no link
exists yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

from sync_core.sandbox.kernel import Kernel, Row
from sync_core.sandbox.world import Advance, Company, CreditNote, Invoice, Line, Payment
from sync_core.sandbox.xero import wire
from sync_core.sandbox.xero.amounts import ONE, ZERO, cents, line_amount, places, tax_on, to_base, totals
from sync_core.sandbox.xero.banking import ADVANCES, advance
from sync_core.sandbox.xero.payments import DOCUMENTS, TYPES
from sync_core.sandbox.xero.seed_settings import account_id, contact_id, seed_settings
from sync_core.sandbox.xero.settle import settle_credit, settle_invoice
from sync_core.sandbox.xero.store import MILLISECOND, store_of

PAST = timedelta(days=30)


def seed(kernel: Kernel, company: Company) -> None:
    """Put the Xero side of ``company`` in. What is not in Xero is left out."""
    _Seeder(kernel, company).run()
    store_of(kernel).rebuild()


class _Seeder:
    def __init__(self, kernel: Kernel, company: Company) -> None:
        self.kernel, self.company = kernel, company
        rows = len(company.invoices) + 2 * len(company.payments) + len(company.parties) + 1000
        self.step = max(PAST / (2 * rows), MILLISECOND)
        self.last = wire.floor_to_ms(kernel.clock.now()) - PAST
        self.rates = {rate.tax_type: rate.rate for rate in company.tax_rates}
        self.documents: dict[str, tuple[str, str]] = {}
        self.accounts = {a.code: account_id(kernel, a.code) for a in company.ledger_accounts}
        self.contacts = {p.key: contact_id(kernel, p.key) for p in company.parties}
        self.codes = {p.key: p.code for p in company.products if p.in_xero}

    def run(self) -> None:
        """Settings first, then papers in the order of events, at last what was voided."""
        seed_settings(self.kernel, self.company, self.stamp)
        for invoice in self.company.invoices:
            if invoice.xero is not None:
                self.invoice(invoice)
        for note in self.company.credit_notes:
            self.credit_note(note)
        for paid in self.company.advances:
            self.advance(paid)
        self.payments()
        for invoice in self.company.invoices:
            if invoice.xero in {"VOIDED", "DELETED"}:
                kind, row = self.document(invoice.key)
                self.put(kind, "InvoiceID", settle_invoice({**row, "Status": invoice.xero}, row["Date"]))

    def stamp(self) -> datetime:
        """The next ``UpdatedDateUTC``, in whole milliseconds."""
        self.last = wire.floor_to_ms(self.last + self.step)
        return self.last

    def put(self, kind: str, key: str, row: Row) -> None:
        row["UpdatedDateUTC"] = self.stamp()
        self.kernel.collection(f"xero.{kind}").put(row[key], row)

    def document(self, key: str) -> tuple[str, Row]:
        """The resource and the row that were made of a paper."""
        kind, row_id = self.documents[key]
        row = self.kernel.collection(f"xero.{kind}").get(row_id)
        if row is None:
            raise ValueError(f"{key} is not in Xero")
        return kind, row

    def lines(self, paper: str, lines: Iterable[Line]) -> list[Row]:
        return [self.line(f"{paper}/{number}", line) for number, line in enumerate(lines)]

    def line(self, key: str, line: Line) -> Row:
        amount = line_amount(line.quantity, line.unit_price, None, line.discount)
        rate = self.rates.get(line.tax_type or "NONE", ZERO)
        row: Row = {
            "LineItemID": self.kernel.stable_id("xero", "line", key),
            "Description": line.description,
            "Quantity": places(line.quantity, 4),
            "UnitAmount": places(line.unit_price, 4),
            "TaxType": line.tax_type or "NONE",
            "TaxAmount": tax_on(amount, rate, "Exclusive"),
            "LineAmount": amount,
        }
        if line.account_code:
            row |= {"AccountCode": line.account_code, "AccountID": self.accounts[line.account_code]}
        if line.product in self.codes:
            row["ItemCode"] = self.codes[line.product]
        if line.discount:
            row["DiscountAmount"] = cents(line.discount)
        return row

    def paper(self, kind: str, key: str, paper: Invoice | CreditNote, lines: Iterable[Line]) -> Row:
        """What invoices and credit notes have in common."""
        built = self.lines(paper.key, lines)
        sums = totals(built, "Exclusive")
        row_id = self.kernel.stable_id("xero", kind, paper.key)
        self.documents[paper.key] = (kind, row_id)
        return {
            key: row_id,
            "Reference": paper.reference,
            "Date": paper.date,
            "LineAmountTypes": "Exclusive",
            "LineItems": built,
            "SubTotal": sums.sub_total,
            "TotalTax": sums.tax,
            "Total": sums.total,
            "TotalDiscount": sums.discount or None,
            "CurrencyCode": paper.currency,
            "CurrencyRate": places(paper.rate, 6),
            "SentToContact": False,
            "_payments": [],
            "_app": "",
        }

    def invoice(self, invoice: Invoice) -> None:
        status = "AUTHORISED" if invoice.xero in {"VOIDED", "DELETED"} else invoice.xero
        row = {
            **self.paper("Invoices", "InvoiceID", invoice, invoice.lines_in_xero or invoice.lines),
            "Type": "ACCREC",
            "InvoiceNumber": invoice.number_in_xero or invoice.number,
            "ContactID": self.contacts[invoice.party_in_xero or invoice.party],
            "DueDate": invoice.due_in_xero or invoice.due,
            "Status": status,
            "AmountPaid": ZERO,
            "AmountCredited": ZERO,
            "_applied": [],
        }
        self.customer(row["ContactID"])
        self.put("Invoices", "InvoiceID", settle_invoice(row, invoice.date))

    def customer(self, row_id: str) -> None:
        contact = self.kernel.collection("xero.Contacts").get(row_id)
        if contact is not None and not contact["IsCustomer"]:
            self.kernel.collection("xero.Contacts").put(row_id, {**contact, "IsCustomer": True})

    def credit_note(self, note: CreditNote) -> None:
        row = {
            **self.paper("CreditNotes", "CreditNoteID", note, note.lines),
            "Type": "ACCRECCREDIT",
            "CreditNoteNumber": note.number,
            "ContactID": self.contacts[note.party],
            "Status": note.status,
            "_allocations": [],
            "_refunded": ZERO,
        }
        self.customer(row["ContactID"])
        self.put("CreditNotes", "CreditNoteID", settle_credit(row, note.date))
        self.allocate(note.key, "CreditNoteID", note.allocations, note.date)

    def allocate(self, key: str, id_key: str, allocations: Iterable[tuple[str, Decimal]], day: date) -> None:
        """Apply parts of a credit to invoices, on the later of both dates."""
        for invoice_key, amount in allocations:
            kind, credit = self.document(key)
            _, invoice = self.document(invoice_key)
            on = max(day, invoice["Date"])
            allocation = self.kernel.stable_id("xero", "allocation", key, invoice_key)
            made: Row = {"AllocationID": allocation, "InvoiceID": invoice["InvoiceID"], "Amount": amount, "Date": on}
            credit = {**credit, "_allocations": [*credit["_allocations"], made]}
            self.put(kind, id_key, settle_credit(credit, on))
            applied: Row = {"kind": kind, "id": credit[id_key], "amount": amount, "date": on, "allocation": allocation}
            changed = {**invoice, "_applied": [*invoice["_applied"], applied]}
            changed["AmountCredited"] = invoice["AmountCredited"] + amount
            self.put("Invoices", "InvoiceID", settle_invoice(changed, on))

    def advance(self, paid: Advance) -> None:
        """A prepayment or an overpayment, with the bank transaction that made it."""
        over = paid.kind == "overpayment"
        code = next(a.code for a in self.company.ledger_accounts if a.system_account == "DEBTORS") if over else "200"
        name = "Overpayment" if over else "Prepayment"
        line = Line(paid.reference or name, ONE, paid.amount, ZERO, account_code=code, tax_type="NONE")
        bank = next(a.code for a in self.company.ledger_accounts if a.type == "BANK")
        rate = next((r for code_, _, r in self.company.currencies if code_ == paid.currency), ONE)
        row: Row = {
            "BankTransactionID": self.kernel.stable_id("xero", "bank", paid.key),
            "Type": f"RECEIVE-{name.upper()}",
            "Status": "AUTHORISED",
            "IsReconciled": True,
            "AccountID": self.accounts[bank],
            "ContactID": self.contacts[paid.party],
            "Date": paid.date,
            "Reference": paid.reference,
            "CurrencyCode": paid.currency,
            "CurrencyRate": places(rate, 6),
            "LineAmountTypes": "NoTax",
            "LineItems": self.lines(paid.key, [line]),
            "SubTotal": cents(paid.amount),
            "TotalTax": ZERO,
            "Total": cents(paid.amount),
        }
        kind, key = ADVANCES[name.upper()]
        credit = advance(row, key, self.kernel.stable_id("xero", kind, paid.key))
        self.documents[paid.key] = (kind, credit[key])
        self.put(kind, key, credit)
        self.put("BankTransactions", "BankTransactionID", {**row, key: credit[key]})
        self.customer(row["ContactID"])
        self.allocate(paid.key, key, paid.allocations, paid.date)

    def payments(self) -> None:
        """Payments, refunds, and the batches that some of them came in."""
        in_batches: dict[str, list[Row]] = {}
        for paid in self.company.payments:
            row = self.payment(paid)
            if paid.batch:
                in_batches.setdefault(paid.batch, []).append(row)
        for key, rows in in_batches.items():
            self.batch(key, rows)

    def payment(self, paid: Payment) -> Row:
        kind, document = self.document(paid.document)
        key = next(key for name, key in DOCUMENTS.values() if name == kind)
        amount = cents(paid.amount)
        foreign = document["CurrencyCode"] != self.company.currencies[0][0]
        row: Row = {
            "PaymentID": self.kernel.stable_id("xero", "payment", paid.key),
            key: document[key],
            "AccountID": self.accounts[paid.bank_code],
            "Date": paid.date,
            "Amount": amount,
            "BankAmount": to_base(amount, paid.rate) if foreign else amount,
            "CurrencyRate": places(paid.rate, 6),
            "PaymentType": TYPES[document["Type"]],
            "Status": "DELETED" if paid.deleted else "AUTHORISED",
            "Reference": paid.reference,
            "IsReconciled": False,
            "BatchPaymentID": self.kernel.stable_id("xero", "batch", paid.batch) if paid.batch else None,
        }
        self.put("Payments", "PaymentID", row)
        if not paid.deleted:
            self.pay(kind, key, document, row)
        return row

    def pay(self, kind: str, key: str, document: Row, payment: Row) -> None:
        changed = {**document, "_payments": [*document["_payments"], payment["PaymentID"]]}
        if kind == "Invoices":
            changed["AmountPaid"] = document["AmountPaid"] + payment["Amount"]
            self.put(kind, key, settle_invoice(changed, payment["Date"]))
        else:
            changed["_refunded"] = document["_refunded"] + payment["Amount"]
            self.put(kind, key, settle_credit(changed, payment["Date"]))

    def batch(self, key: str, rows: list[Row]) -> None:
        row: Row = {
            "BatchPaymentID": self.kernel.stable_id("xero", "batch", key),
            "AccountID": rows[0]["AccountID"],
            "Date": rows[0]["Date"],
            "Reference": key,
            "Type": "RECBATCH",
            "Status": "AUTHORISED",
            "TotalAmount": sum((r["Amount"] for r in rows), ZERO),
            "IsReconciled": False,
            "_currency": self.company.currencies[0][0],
            "_payments": [r["PaymentID"] for r in rows],
        }
        self.put("BatchPayments", "BatchPaymentID", row)
