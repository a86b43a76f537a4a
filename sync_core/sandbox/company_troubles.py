"""One of each kind of trouble that an accountant meets, planted in the demo company's papers.

``TROUBLES`` describes them for the README and the tests; each key is that of an invoice, credit note,
payment, batch, advance or party of the company.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from sync_core.sandbox.company_sales import day, goods, payment, sale, write_in
from sync_core.sandbox.world import Advance, CreditNote, Invoice, Payment

PERIOD_LOCK_DATE = date(2026, 6, 30)


class Trouble(NamedTuple):
    """A planted trouble: its short name, one sentence for people, and the key of what it is planted on."""

    name: str
    sentence: str
    key: str


TROUBLES = (
    Trouble("tax rounding", "HP-1021: tax on the total is 11.45, tax line by line 11.44.", "inv-1021"),
    Trouble("missing payment", "HP-1022 is paid in Dynamics, but Xero has no payment.", "inv-1022"),
    Trouble("duplicate", "HP-1023 was entered a second time in Xero, as HP-1023A.", "inv-1023-again"),
    Trouble("void on one side", "HP-1024 was voided in Xero and is still billed in Dynamics.", "inv-1024"),
    Trouble("write-in without account", "HP-1025 has a line of free text with no account code.", "inv-1025"),
    Trouble("archived contact", "HP-1026 is for Trampers' Depot, archived in Xero.", "inv-1026"),
    Trouble("foreign currency", "HP-1027 is in US dollars and part paid; both systems agree.", "inv-1027"),
    Trouble("foreign currency, new", "HP-1028 is in Australian dollars and only in Dynamics.", "inv-1028"),
    Trouble("new currency customer", "HP-1029 is in euros for a customer that Xero lacks.", "inv-1029"),
    Trouble("batch payment", "One deposit pays HP-1030, HP-1031 and HP-1032 together.", "batch-1"),
    Trouble("unallocated credit", "Credit note CN-201 is open: no invoice has used it.", "cn-201"),
    Trouble("allocated credit", "Credit note CN-202 pays off HP-1033.", "cn-202"),
    Trouble("refunded credit", "Credit note CN-203: 50.00 paid back, the rest is open.", "cn-203"),
    Trouble("prepayment", "A prepayment by Lake Rotoroa Lodge is allocated to HP-1034.", "pre-1"),
    Trouble("overpayment", "An overpayment by Maitai School is not allocated.", "over-1"),
    Trouble("locked period", "HP-1035 is only in Dynamics, dated in a period locked in Xero.", "inv-1035"),
    Trouble("changed on both sides", "HP-1036: due date and text differ on each side.", "inv-1036"),
    Trouble("name differs", "Coastal Kayaks Limited has another name in Xero.", "coastal"),
    Trouble("due date differs", "HP-1037 is due ten days later in Xero.", "inv-1037"),
    Trouble("deleted payment", "The payment of HP-1038 was deleted in Xero; Dynamics says paid.", "pay-inv-1038"),
    Trouble("formula as a name", "A customer is called =Cut & Sew Ltd.", "cutsew"),
    Trouble("image in a name", "The name of Kōwhai Gifts carries a Markdown image.", "kowhai"),
    Trouble("wrong contact", "HP-1039 stands against another customer in Xero.", "inv-1039"),
    Trouble("missing line", "HP-1040 has two lines in Dynamics and one in Xero.", "inv-1040"),
    Trouble("missing in Dynamics", "HP-1041 was raised in Xero, for a customer not in Dynamics.", "inv-1041"),
)


@dataclass(slots=True)
class Papers:
    """What is planted, kind by kind."""

    invoices: list[Invoice] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    batches: list[str] = field(default_factory=list)
    advances: list[Advance] = field(default_factory=list)
    credit_notes: list[CreditNote] = field(default_factory=list)


def troubles() -> Papers:
    """All planted troubles; each invoice among them says which with ``trouble``."""
    papers = Papers()
    for plant in (_amounts, _states, _blocked, _foreign, _batch, _credits, _advances, _edits, _one_sided):
        plant(papers)
    names = {trouble.key.removeprefix("pay-"): trouble.name for trouble in TROUBLES}
    papers.invoices = [replace(paper, trouble=names.get(paper.key)) for paper in papers.invoices]
    papers.credit_notes = [replace(paper, trouble=names.get(paper.key)) for paper in papers.credit_notes]
    return papers


def _amounts(papers: Papers) -> None:
    prices = ("25.06", "25.61", "25.63")
    by_line = tuple(write_in(f"Fabric by the metre, roll {n}", price) for n, price in enumerate(prices, 1))
    on_total = (*by_line[:2], replace(by_line[2], tax=Decimal("3.85")))
    kept, lost = goods("boots", 2), goods("socks", 4)
    papers.invoices += [
        sale(1021, "cutsew", 52, *on_total, lines_in_xero=by_line),
        sale(1040, "alpine", 31, kept, lost, lines_in_xero=(kept,)),
    ]


def _states(papers: Papers) -> None:
    twice = sale(1023, "orchard", 47, goods("tent"), goods("stove", 2), reference="PO 77120")
    again = replace(twice, key="inv-1023-again", crm=None, number_in_xero="HP-1023A", number="HP-1023A")
    deleted = sale(1038, "ferry", 44, goods("vest", 9), crm="paid")
    papers.invoices += [
        sale(1022, "tom", 50, goods("jacket"), goods("repair", 2), crm="paid"),
        twice,
        again,
        sale(1024, "priya", 45, goods("pack"), xero="VOIDED"),
        deleted,
    ]
    papers.payments.append(payment(deleted, 30, deleted=True))


def _blocked(papers: Papers) -> None:
    uncoded = write_in("Hire of display stand", "180.00", account_code=None, tax_type=None)
    locked = sale(1035, "sounds", 0, goods("boots", 3), xero=None)
    papers.invoices += [
        sale(1025, "kowhai", 12, goods("pack", 5), uncoded, xero=None),
        sale(1026, "tramper", 11, goods("socks", 40), xero=None),
        replace(locked, date=PERIOD_LOCK_DATE - timedelta(days=6), due=PERIOD_LOCK_DATE + timedelta(days=14)),
    ]


def _foreign(papers: Papers) -> None:
    dollars = sale(1027, "cascade", 40, goods("jacket", 10, "174.00", tax_type="ZERORATED"))
    papers.invoices += [
        dollars,
        sale(1028, "bondi", 9, goods("pack", 8, "146.00", tax_type="ZERORATED"), xero=None),
        sale(1029, "alpen", 8, goods("vest", 15, "66.50", tax_type="ZERORATED"), xero=None),
    ]
    papers.payments.append(payment(dollars, 18, "600.00", rate=Decimal("0.598700")))


def _batch(papers: Papers) -> None:
    paid = [
        sale(1030, "lodge", 38, goods("stove", 6), crm="paid"),
        sale(1031, "kahu", 37, goods("socks", 12), crm="paid"),
        sale(1032, "mere", 36, goods("fitting", 2), crm="paid"),
    ]
    papers.invoices += paid
    papers.batches.append("batch-1")
    papers.payments += [payment(invoice, 20, batch="batch-1") for invoice in paid]


def _credits(papers: Papers) -> None:
    credited = sale(1033, "alpine", 34, goods("vest", 2), crm="paid")
    refund = Payment("refund-1", "cn-203", Decimal("50.00"), day(10), "Refund CN-203")
    back = (goods("pack"),)
    papers.invoices.append(credited)
    papers.credit_notes += [
        CreditNote("cn-201", "CN-201", "orchard", day(22), back, reference="Returned pack"),
        CreditNote("cn-202", "CN-202", "alpine", day(21), credited.lines, (("inv-1033", Decimal("273.70")),)),
        CreditNote("cn-203", "CN-203", "tom", day(19), (goods("vest"),), reference="Wrong size"),
    ]
    papers.payments.append(refund)


def _advances(papers: Papers) -> None:
    papers.invoices.append(sale(1034, "lodge", 28, goods("tent", 2)))
    papers.advances += [
        Advance(
            "pre-1",
            "prepayment",
            "lodge",
            Decimal("500.00"),
            day(33),
            "Deposit",
            (("inv-1034", Decimal("500.00")),),
        ),
        Advance("over-1", "overpayment", "maitai", Decimal("75.00"), day(16), "Paid twice"),
    ]


def _edits(papers: Papers) -> None:
    line = goods("repair", 3)
    both = sale(1036, "ferry", 26, replace(line, description="Gear repair, three bags"))
    later = sale(1037, "sounds", 25, goods("jacket", 2))
    papers.invoices += [
        replace(
            both,
            due=both.due + timedelta(days=5),
            due_in_xero=both.due - timedelta(days=5),
            lines_in_xero=(replace(line, description="Gear repair, 3 bags (agreed by phone)"),),
        ),
        replace(later, due_in_xero=later.due + timedelta(days=10)),
        sale(1042, "coastal", 23, goods("vest", 6)),
    ]


def _one_sided(papers: Papers) -> None:
    papers.invoices += [
        sale(1039, "mere", 24, goods("boots"), party_in_xero="kahu"),
        sale(1041, "council", 15, goods("pack", 2), crm=None),
        sale(1043, "kowhai", 14, goods("stove", 3)),
    ]
