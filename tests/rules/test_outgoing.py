"""Why money and credits entered in Dynamics may not go to Xero: one case per rule, with the words that a bookkeeper reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from sync_core.model import Record, Side, Status
from sync_core.rules.books import Books
from sync_core.rules.declaration import Owner, switched
from sync_core.rules.eligibility import hindrance
from sync_core.rules.entities import entity
from sync_core.rules.likeness import pairs
from sync_core.rules.outgoing import Around
from sync_core.rules.tags import id_in, with_id, words_of

D = Decimal
CRM, XERO = Side.CRM, Side.XERO
PAYMENTS, NOTES, LINES, ALLOCATIONS = map(entity, ("payments", "credit_notes", "credit_note_lines", "allocations"))
BOOKS = Books(
    locked_until=date(2026, 6, 30),
    currencies=frozenset({"NZD", "USD"}),
    accounts=frozenset({"200"}),
    taxes=frozenset({"OUTPUT2"}),
    banks={"bank": "NZD", "dollars": "USD"},
    base_currency="NZD",
)
DAY = date(2026, 11, 22)


def record(of, side=CRM, row_id="r1", gone="", **fields):
    return Record(side, of.name, row_id, of.streams(side)[0].table, "v", fields, gone)


INVOICE = record(
    entity("invoices"), XERO, "x1", number="INV-1", state="AUTHORISED", amount_due=D(500), currency="NZD", contact="k"
)
NOTE = record(NOTES, XERO, "x2", number="CN-1", state="AUTHORISED", remaining=D(92), currency="NZD", contact="k")
PAYMENT = {"amount": D(100), "date": DAY, "currency": "NZD", "bank_account": "bank", "invoice": "i1"}
ALLOCATION = {"amount": D(50), "date": DAY, "currency": "NZD", "invoice": "i1", "credit_note": "n1"}
BOTH = Around({"invoice": INVOICE, "credit_note": NOTE})


def payment(**changes):
    return record(PAYMENTS, **(PAYMENT | changes))


def with_invoice(**changes):
    return Around({"invoice": replace(INVOICE, fields={**INVOICE.fields, **changes})})


def test_a_complete_payment_and_allocation_may_go():
    assert hindrance(PAYMENTS, payment(), BOOKS, around=with_invoice()) is None
    assert hindrance(ALLOCATIONS, record(ALLOCATIONS, **ALLOCATION), BOOKS, around=BOTH) is None


@pytest.mark.parametrize(
    ("changes", "around", "rule", "status", "words"),
    [
        ({"inactive": True}, {}, "in use", Status.EXCLUDED, "inactive in Dynamics"),
        ({"xero_id": "p9"}, {}, "new", Status.NEEDS_REVIEW, "holds the Xero id p9, but Xero has no such payment"),
        ({"amount": None}, {}, "complete", Status.BLOCKED, "Amount is empty in Dynamics"),
        ({"bank_account": None}, {}, "complete", Status.BLOCKED, "Bank account is empty in Dynamics"),
        ({"invoice": None}, {}, "documents", Status.BLOCKED, "It names no invoice and no credit note and no prepayment"),
        ({"invoice": None}, {}, "documents", Status.BLOCKED, "Money received in advance is entered in Xero"),
        ({"credit_note": "n1"}, {}, "documents", Status.BLOCKED, "more than one of invoice, credit note"),
        ({"amount": D(0)}, {}, "above zero", Status.BLOCKED, "Its amount is 0.00. Enter an amount above zero"),
        ({"bank_account": "200"}, {}, "bank account", Status.BLOCKED, "bank account 200 is no bank account of Xero"),
        ({}, {"state": "DRAFT"}, "open documents", Status.BLOCKED, "invoice INV-1 is not approved in Xero"),
        ({}, {"state": "PAID"}, "open documents", Status.BLOCKED, "invoice INV-1 is settled in full in Xero"),
        ({}, {"currency": "USD"}, "one currency", Status.BLOCKED, "Its currency is NZD, that of the invoice INV-1 is USD"),
        ({"bank_account": "dollars"}, {}, "rate", Status.BLOCKED, "how many USD for one NZD"),
        ({"amount": D("500.01")}, {}, "covered", Status.BLOCKED, "500.01 is more than the 500.00 that is still open"),
        ({"date": date(2026, 6, 30)}, {}, "unlocked", Status.SKIPPED, "locked in Xero until 2026-06-30"),
    ],
)
def test_each_rule_about_a_payment_says_what_failed(changes, around, rule, status, words):
    found = hindrance(PAYMENTS, payment(**changes), BOOKS, around=with_invoice(**around))
    assert (found.rule, found.status) == (rule, status)
    assert words in found.remark


@pytest.mark.parametrize(
    ("own", "theirs", "held"),
    [
        ({}, {}, True),
        ({"reference": "Cash 1"}, {}, True),
        ({"reference": "Cash 1"}, {"reference": "cash 1"}, True),
        ({"reference": "Cash 1"}, {"reference": "Cash 2"}, False),
        ({"date": date(2026, 11, 23)}, {}, False),
        ({}, {"amount": D(99)}, False),
        ({}, {"state": "DELETED"}, False),
    ],
)
def test_the_same_payment_entered_in_both_systems_is_not_made_twice(own, theirs, held):
    other = record(PAYMENTS, XERO, "p1", **(PAYMENT | {"state": "AUTHORISED"} | theirs))
    around = replace(with_invoice(), others=(other,))
    found = hindrance(PAYMENTS, payment(**own), BOOKS, around=around)
    assert (found is not None) is held
    assert found is None or (found.rule, found.status) == ("distinct", Status.NEEDS_REVIEW)


def test_a_rate_of_the_bank_lets_a_payment_between_currencies_go():
    assert hindrance(PAYMENTS, payment(bank_account="dollars", rate=D("0.59")), BOOKS, around=with_invoice()) is None


@pytest.mark.parametrize(
    ("changes", "note", "rule", "words"),
    [
        ({"amount": D("92.01")}, {}, "covered", "92.01 is more than the 92.00 that is still open on the credit note CN-1"),
        ({}, {"contact": "other"}, "one customer", "another customer"),
        ({"credit_note": None}, {}, "documents", "It names no credit note and no prepayment or overpayment"),
        ({"invoice": None}, {}, "complete", "Invoice is empty in Dynamics"),
        ({"date": None}, {}, "complete", "Date is empty in Dynamics"),
    ],
)
def test_each_rule_about_an_allocation_says_what_failed(changes, note, rule, words):
    around = Around({"invoice": INVOICE, "credit_note": replace(NOTE, fields={**NOTE.fields, **note})})
    found = hindrance(ALLOCATIONS, record(ALLOCATIONS, **(ALLOCATION | changes)), BOOKS, around=around)
    assert found.rule == rule
    assert words in found.remark


LINE = {"description": "Fly sheet", "amount": D(80), "tax": D(12), "account_code": "200", "tax_type": "OUTPUT2"}
CREDIT = {"number": "CN-1", "contact": "k1", "date": DAY, "currency": "NZD", "total": D(92)}


def credit(*lines, **changes):
    around = Around(carried=tuple(record(LINES, row_id=f"l{n}", **line) for n, line in enumerate(lines)))
    return hindrance(NOTES, record(NOTES, **(CREDIT | changes)), BOOKS, around=around)


@pytest.mark.parametrize(
    "line",
    [LINE, {**LINE, "quantity": D(2), "unit_price": D(40), "amount": None}, {**LINE, "quantity": D(2), "unit_price": D(40)}],
)
def test_a_credit_note_whose_lines_add_up_may_go(line):
    assert credit(line) is None


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "It has no lines."),
        ([{**LINE, "description": None}], "has no description. Fill it in"),
        ([{**LINE, "account_code": None, "tax_type": None}], "Line “Fly sheet” has no ledger account and no tax type"),
        ([{**LINE, "amount": None}], "has no amount, and no quantity and unit price"),
        ([{**LINE, "quantity": D(2), "unit_price": D(41)}], "quantity x unit price is 82.00, its amount says 80.00"),
        ([{**LINE, "account_code": "999"}], "ledger account 999 is archived or missing"),
        ([LINE, LINE], "Its lines and their tax come to 184.00, its total says 92.00"),
    ],
)
def test_a_credit_note_waits_until_its_lines_are_complete_and_add_up(lines, words):
    found = credit(*lines)
    assert (found.rule, found.status) == ("lines", Status.BLOCKED)
    assert words in found.remark


# The switch


def test_a_switch_makes_records_on_a_further_side_and_asks_before_it_overwrites():
    on = switched(PAYMENTS, {"payments.to_xero"})
    assert XERO in on.create_in
    assert XERO not in switched(PAYMENTS, {"credit_notes.to_xero"}).create_in
    assert (on.field("amount").owner, on.field("state").owner) == (Owner.ASK, Owner.XERO)
    assert all(XERO not in f.to for f in on.fields)
    assert switched(PAYMENTS, {"payments.to_xero"}) is on


# The Dynamics id behind a reference

ID = "5f0c6a0e-7d0e-5a8e-9b57-3f1d1f1f7b11"


@pytest.mark.parametrize("words", ["", "Cheque 12", "Rent (May)", "Cheque (Dynamics 12)"])
def test_an_id_stands_behind_the_words_and_is_found_again(words):
    text = with_id(words, ID, 255)
    assert (words_of(text), id_in(text)) == (words, ID)


def test_words_make_room_for_the_id():
    text = with_id("x" * 300, ID, 255)
    assert len(text) == 255
    assert id_in(text) == ID


def test_a_text_without_an_id_has_none():
    assert (words_of("Cheque 12"), id_in("Cheque 12")) == ("Cheque 12", None)


# Records without a tag


def linked(_side, _name, row_id):
    return {"n1": "x2", "i1": "x1"}.get(row_id)


def test_lines_that_say_the_same_are_the_same_and_each_is_used_once():
    mine = [record(LINES, row_id=f"c{n}", credit_note="n1", **LINE) for n in (1, 2)]
    theirs = [record(LINES, XERO, f"t{n}", credit_note="x2", quantity=D(1), unit_price=D(80), **LINE) for n in (1, 2)]
    assert pairs(LINES, mine, theirs, linked) == [("c1", "t1"), ("c2", "t2")]
    assert pairs(LINES, mine, theirs[:1], linked) == [("c1", "t1")]


def test_the_most_telling_line_chooses_first():
    vague = record(LINES, row_id="a", credit_note="n1", description="Tent", amount=D(10))
    exact = record(LINES, row_id="b", credit_note="n1", description="Tent", quantity=D(2), unit_price=D(5))
    one = record(LINES, XERO, "t1", credit_note="x2", description="Tent", amount=D(10), quantity=D(2), unit_price=D(5))
    two = record(LINES, XERO, "t2", credit_note="x2", description="Tent", amount=D(10), quantity=D(1), unit_price=D(10))
    assert sorted(pairs(LINES, [vague, exact], [one, two], linked)) == [("a", "t2"), ("b", "t1")]


@pytest.mark.parametrize("change", [{"amount": D(51)}, {"date": date(2026, 11, 23)}, {"invoice": "x9"}, {"credit_note": "x9"}])
def test_an_allocation_that_says_something_else_is_another_one(change):
    mine = record(ALLOCATIONS, **ALLOCATION)
    same = {**ALLOCATION, "invoice": "x1", "credit_note": "x2"}
    assert pairs(ALLOCATIONS, [mine], [record(ALLOCATIONS, XERO, "a1", **same)], linked) == [("r1", "a1")]
    assert pairs(ALLOCATIONS, [mine], [record(ALLOCATIONS, XERO, "a1", **(same | change))], linked) == []
