"""What both systems hold, in a bookkeeper's words: names for ids, no instants, amounts as they are written.

Read from the sandbox's own rows, never from Tieout's cache. Records of the small company that nobody touched are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from sync_core.flows.stamp import CHOICES
from sync_core.rules.tags import id_in, words_of
from sync_core.sandbox.kernel import Kernel, Row

Holdings = dict[str, dict[str, list[str]]]
"""System -> kind of record -> one sentence per record, sorted."""

STATES = {0: "active", 1: "inactive", 2: "paid", 3: "canceled"}
STAMPS = {value: str(status) for status, value in CHOICES.items()}


class View:
    """The rows of one moment, with what is needed to call them by name."""

    def __init__(self, kernel: Kernel) -> None:
        self._rows = {c.name: dict(c.items()) for c in kernel.collections()}

    def rows(self, name: str) -> Iterable[Row]:
        return self._rows.get(name, {}).values()

    def row(self, name: str, row_id: Any) -> Row:
        return self._rows.get(name, {}).get(str(row_id), {})

    def customer(self, row: Row, column: str = "customerid") -> str:
        account = self.row("dataverse.account", row.get(column)) or self.row("dataverse.account", row.get("tie_accountid"))
        person = self.row("dataverse.contact", row.get(column)) or self.row("dataverse.contact", row.get("tie_contactid"))
        return str(account.get("name") or person.get("fullname") or "nobody")

    def invoice(self, row_id: Any) -> str:
        return str(self.row("dataverse.invoice", row_id).get("invoicenumber", ""))

    def xero_name(self, row_id: Any) -> str:
        """What the Xero record is called that a Dynamics row is linked to."""
        for kind, field in (
            ("Contacts", "Name"),
            ("Invoices", "InvoiceNumber"),
            ("Items", "Code"),
            ("CreditNotes", "CreditNoteNumber"),
        ):
            if found := self.row(f"xero.{kind}", row_id):
                return str(found[field])
        return "an unknown record" if row_id else "nothing"

    def holdings(self) -> Holdings:
        return {
            "Dynamics": {kind: sorted(map(_joined, rows)) for kind, rows in self._dynamics().items()},
            "Xero": {kind: sorted(map(_joined, rows)) for kind, rows in self._xero().items()},
        }

    def _dynamics(self) -> dict[str, Iterable[list[Any]]]:
        d = "dataverse."
        return {
            "customers": (
                [
                    r.get("name") or r.get("fullname"),
                    r.get("emailaddress1"),
                    r.get("telephone1"),
                    r.get("address1_city"),
                    STATES[r.get("statecode", 0)],
                    f"linked to {self.xero_name(r.get('tie_xeroid'))}",
                ]
                for table in ("account", "contact")
                for r in self.rows(d + table)
            ),
            "products": (
                [r["productnumber"], r["name"], f"linked to {self.xero_name(r.get('tie_xeroid'))}"]
                for r in self.rows(f"{d}product")
            ),
            "invoices": (self._crm_invoice(r) for r in self.rows(f"{d}invoice")),
            "payments": (self._crm_payment(r) for r in self.rows(f"{d}tie_payment")),
            "batch payments": (
                [r.get("tie_reference"), r.get("tie_date"), _money(r.get("tie_amount")), r.get("tie_status")]
                for r in self.rows(f"{d}tie_batchpayment")
            ),
            "credit notes": (
                [
                    r.get("tie_number"),
                    self.customer(r),
                    r.get("tie_date"),
                    f"total {_money(r.get('tie_total'))}",
                    f"remaining {_money(r.get('tie_remaining'))}",
                    r.get("tie_status"),
                ]
                for r in self.rows(f"{d}tie_creditnote")
            ),
            "credit note lines": (
                [
                    self.row(f"{d}tie_creditnote", r.get("tie_creditnoteid")).get("tie_number"),
                    r.get("tie_description"),
                    _money(r.get("tie_amount")),
                    f"tax {_money(r.get('tie_tax'))}",
                    r.get("tie_status"),
                ]
                for r in self.rows(f"{d}tie_creditnoteline")
            ),
            "allocations": (
                [
                    self._source(r),
                    f"to {self.invoice(r.get('tie_invoiceid'))}",
                    _money(r.get("tie_amount")),
                    r.get("tie_status"),
                ]
                for r in self.rows(f"{d}tie_allocation")
            ),
            "Xero details": (self._stamp(r) for r in self.rows(f"{d}tie_xerodetail")),
            "ledger accounts, tax rates and themes": (
                [r.get("tie_code"), r.get("tie_taxtype"), r["tie_name"], r.get("tie_status")]
                for table in ("tie_ledgeraccount", "tie_taxrate", "tie_brandingtheme")
                for r in self.rows(d + table)
            ),
        }

    def _crm_invoice(self, r: Row) -> list[Any]:
        lines = [x for x in self.rows("dataverse.invoicedetail") if x["invoiceid"] == r["invoiceid"]]
        return [
            r["invoicenumber"],
            self.customer(r),
            f"dated {r.get('tie_invoicedate')}",
            f"due {r.get('duedate')}",
            f"{len(lines)} lines",
            f"tax {_money(r.get('totaltax'))}",
            f"total {_money(r.get('totalamount'))}",
            STATES[r.get("statecode", 0)],
            f"linked to {self.xero_name(r.get('tie_xeroid'))}",
        ]

    def _crm_payment(self, r: Row) -> list[Any]:
        return [
            r.get("tie_kind"),
            self.customer(r),
            self._purpose(r),
            r.get("tie_date"),
            _money(r.get("tie_amount")),
            f"remaining {_money(r['tie_remaining'])}" if r.get("tie_remaining") is not None else None,
            r.get("tie_status"),
        ]

    def _purpose(self, r: Row) -> str:
        batch = self.row("dataverse.tie_batchpayment", r.get("tie_batchpaymentid")).get("tie_reference")
        note = self.row("dataverse.tie_creditnote", r.get("tie_creditnoteid")).get("tie_number")
        names = [self.invoice(r.get("tie_invoiceid")), note, f"in batch {batch}" if batch else ""]
        return "for " + " ".join(n for n in names if n) if any(names) else "on account"

    def _source(self, r: Row) -> str:
        note = self.row("dataverse.tie_creditnote", r.get("tie_creditnoteid"))
        advance = self.row("dataverse.tie_payment", r.get("tie_paymentid"))
        return f"from {note.get('tie_number') or advance.get('tie_reference') or advance.get('tie_kind')}"

    def _stamp(self, r: Row) -> list[Any]:
        numbers = [
            f"{word} {_money(r[column])}"
            for word, column in (("paid", "tie_amountpaid"), ("credited", "tie_amountcredited"), ("due", "tie_amountdue"))
            if r.get(column) is not None
        ]
        there = " ".join(str(r[c]) for c in ("tie_xeronumber", "tie_xerostatus") if r.get(c))
        return [
            r["tie_entity"],
            r["tie_name"],
            STAMPS[r["tie_syncstatus"]],
            r.get("tie_reason"),
            there or "not in Xero",
            *numbers,
        ]

    def _xero(self) -> dict[str, Iterable[list[Any]]]:
        x = "xero."
        return {
            "contacts": (
                [
                    r["Name"],
                    r.get("EmailAddress"),
                    " ".join(p["PhoneNumber"] for p in r["Phones"].values() if p.get("PhoneNumber")),
                    " ".join(a["City"] for a in r["Addresses"].values() if a.get("City")),
                    r["ContactStatus"],
                    f"number of {self._tagged(r)}",
                ]
                for r in self.rows(f"{x}Contacts")
            ),
            "items": ([r["Code"], r.get("Name")] for r in self.rows(f"{x}Items")),
            "invoices": (self._xero_paper(r, "InvoiceNumber") for r in self.rows(f"{x}Invoices")),
            "credit notes": (self._xero_paper(r, "CreditNoteNumber") for r in self.rows(f"{x}CreditNotes")),
            "payments": (
                [self._paid(r), r["Date"], _money(r["Amount"]), r["Status"], _from_dynamics(r.get("Reference") or "")]
                for r in self.rows(f"{x}Payments")
            ),
        }

    def _tagged(self, r: Row) -> str:
        number = r.get("ContactNumber")
        found = self.row("dataverse.account", number) or self.row("dataverse.contact", number)
        return str(found.get("name") or found.get("fullname") or number or "nobody")

    def _xero_paper(self, r: Row, number: str) -> list[Any]:
        lines = (
            f"{_money(x['Quantity'])} x {x['Description']} {_money(x['LineAmount'])} tax {_money(x['TaxAmount'])}"
            f" {x.get('AccountCode')}/{x['TaxType']}"
            for x in r["LineItems"]
        )
        amounts = [f"{word} {_money(r[key])}" for word, key in AMOUNTS if r.get(key) is not None]
        return [
            r[number],
            self.row("xero.Contacts", r["ContactID"])["Name"],
            f"dated {r['Date']}",
            f"due {r['DueDate']}" if r.get("DueDate") else None,
            r["Status"],
            r["CurrencyCode"],
            *amounts,
            f"({' | '.join(lines)})",
        ]

    def _paid(self, r: Row) -> str:
        for kind, key, name in (
            ("Invoices", "InvoiceID", "InvoiceNumber"),
            ("CreditNotes", "CreditNoteID", "CreditNoteNumber"),
        ):
            if r.get(key):
                return str(self.row(f"xero.{kind}", r[key])[name])
        return "advance"


AMOUNTS = (
    ("tax", "TotalTax"),
    ("total", "Total"),
    ("paid", "AmountPaid"),
    ("credited", "AmountCredited"),
    ("due", "AmountDue"),
    ("remaining", "RemainingCredit"),
)


def _from_dynamics(reference: str) -> str:
    """What people wrote on a payment that came from Dynamics."""
    return f"from Dynamics: {words_of(reference) or 'no reference'}" if id_in(reference) else ""


def _money(value: Any) -> str:
    return "nothing" if value is None else f"{Decimal(value):.2f}"


def _joined(parts: Iterable[Any]) -> str:
    return ", ".join(str(p) for p in parts if p not in (None, ""))


def new_since(now: Holdings, before: Holdings) -> Holdings:
    """What is not word for word as it stood ``before``."""
    return {
        system: {kind: fresh for kind, rows in kinds.items() if (fresh := _without(rows, before[system][kind]))}
        for system, kinds in now.items()
    }


def _without(rows: list[str], known: list[str]) -> list[str]:
    spare = list(known)
    return [row for row in rows if not (row in spare and not spare.remove(row))]  # type: ignore[func-returns-value]


def breaches(kernel: Kernel) -> list[str]:
    """Every breach of the promises that hold in whatever scenario, in words; [] when all is well (I1, I5)."""
    view = View(kernel)
    return [*_twice(view), *_unbalanced(view), *_unmirrored(view)]


def _twice(view: View) -> list[str]:
    """One living document per number, one contact per Dynamics id, one Dynamics row per Xero record."""
    keys: list[tuple[str, Any]] = [("Xero invoice", r["InvoiceNumber"]) for r in view.rows("xero.Invoices") if _alive(r)]
    keys += [("Xero credit note", r["CreditNoteNumber"]) for r in view.rows("xero.CreditNotes") if _alive(r)]
    keys += [("Xero contact of", r["ContactNumber"]) for r in view.rows("xero.Contacts") if r.get("ContactNumber")]
    for table in OWN:
        keys += [(table, r["tie_xeroid"]) for r in view.rows(f"dataverse.{table}") if r.get("tie_xeroid")]
    for table in ("Payments", "BatchPayments"):
        keys += [(f"xero {table}", i) for r in view.rows(f"xero.{table}") if (i := id_in(r.get("Reference") or ""))]
    keys += [("stamp", r["tie_recordkey"]) for r in view.rows("dataverse.tie_xerodetail")]
    return [f"{what} {key} exists more than once" for what, key in sorted(set(keys)) if keys.count((what, key)) > 1]


OWN = (
    "tie_payment",
    "tie_creditnote",
    "tie_creditnoteline",
    "tie_allocation",
    "tie_batchpayment",
    "tie_ledgeraccount",
    "tie_taxrate",
    "account",
    "contact",
    "invoice",
    "product",
)


def _alive(row: Mapping[str, Any]) -> bool:
    return row["Status"] not in ("VOIDED", "DELETED")


def _unbalanced(view: View) -> list[str]:
    """Total = paid + credited + due, on every living Xero invoice."""
    zero = Decimal(0)
    found = []
    for r in view.rows("xero.Invoices"):
        parts = sum((r.get(k) or zero for k in ("AmountPaid", "AmountCredited", "AmountDue")), zero)
        if _alive(r) and r["Status"] not in ("DRAFT", "SUBMITTED") and parts != r["Total"]:
            found.append(f"Xero invoice {r['InvoiceNumber']}: {parts} is not its total {r['Total']}")
    return found


def _unmirrored(view: View) -> list[str]:
    """For each linked invoice, what Dynamics holds as paid and credited is what Xero holds."""
    found = []
    for r in view.rows("dataverse.invoice"):
        twin = view.row("xero.Invoices", r.get("tie_xeroid"))
        if not twin or not _alive(twin):
            continue
        paid = _sum(view, "tie_payment", r["invoiceid"])
        credited = _sum(view, "tie_allocation", r["invoiceid"])
        if (paid, credited) != (twin["AmountPaid"], twin["AmountCredited"]):
            found.append(
                f"{r['invoicenumber']}: Dynamics has {paid} paid and {credited} credited, "
                f"Xero {twin['AmountPaid']} and {twin['AmountCredited']}"
            )
    return found


def _sum(view: View, table: str, invoice: str) -> Decimal:
    """What Dynamics holds that is in Xero too. An amount that somebody changed since, and that is shown as a conflict, counts
    as Xero has it.
    """
    rows = (r for r in view.rows(f"dataverse.{table}") if r.get("tie_invoiceid") == invoice and r.get("tie_xeroid"))
    return sum((_agreed(view, table, r) for r in rows if r.get("tie_status") != "DELETED"), Decimal(0))


def _agreed(view: View, table: str, row: Row) -> Decimal:
    stamps = view.rows("dataverse.tie_xerodetail")
    parked = any(
        s["tie_recordkey"] == f"{table}:{row[f'{table}id']}" and STAMPS[s["tie_syncstatus"]] == "Conflict" for s in stamps
    )
    amount: Decimal = view.row("xero.Payments", row["tie_xeroid"])["Amount"] if parked else row["tie_amount"]
    return amount
