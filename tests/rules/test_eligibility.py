"""Why an invoice is not sent yet: one case per rule, with the words that a bookkeeper reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from sync_core.model import Record, Side, Status
from sync_core.rules.books import Books
from sync_core.rules.eligibility import CHECKS, codes_of, hindrance, locked_document
from sync_core.rules.entities import ENTITIES, entity

INVOICES = entity("invoices")
BOOKS = Books(
    locked_until=date(2026, 6, 30),
    currencies=frozenset({"NZD"}),
    accounts=frozenset({"200", "205"}),
    taxes=frozenset({"OUTPUT2", "NONE"}),
    items={"TENT": ("200", "OUTPUT2"), "BARE": ("", "")},
)
TENT = {"description": "Tent", "product": "TENT", "quantity": Decimal(1)}
GOOD = {
    "number": "INV-1",
    "contact": "c1",
    "date": date(2026, 11, 20),
    "due_date": date(2026, 12, 20),
    "currency": "NZD",
    "lines": (TENT,),
    "state": "0",
    "total": Decimal("711.85"),
    "pricing_error": "0",
}


def invoice(side: Side = Side.CRM, gone: str = "", **changes) -> Record:
    return Record(side, "invoices", "i1", "invoice", "v1", GOOD | changes, gone)


def test_a_complete_invoice_may_go():
    assert hindrance(INVOICES, invoice(), BOOKS) is None


@pytest.mark.parametrize(
    ("changes", "rule", "status", "words"),
    [
        ({"state": "2"}, "open", Status.EXCLUDED, "already paid or canceled"),
        ({"number": None}, "complete", Status.BLOCKED, "Number is empty in Dynamics. Fill it in"),
        ({"contact": None}, "complete", Status.BLOCKED, "Contact is empty in Dynamics"),
        ({"lines": ()}, "complete", Status.BLOCKED, "Lines is empty in Dynamics"),
        ({"pricing_error": "38"}, "priced", Status.BLOCKED, "could not price it"),
        (
            {"freight": Decimal(25)},
            "whole",
            Status.BLOCKED,
            "It has freight of 25.00. Choose the ledger account and the tax rate",
        ),
        (
            {"header_discount": Decimal(9), "lines": ({**TENT, "unit_price": Decimal(5), "net": Decimal(-4)},)},
            "whole",
            Status.BLOCKED,
            "discount on the whole invoice is larger than its lines",
        ),
        (
            {"lines": ({**TENT, "net": Decimal("619.00"), "tax": Decimal("92.84")},)},
            "adds up",
            Status.BLOCKED,
            "Its lines come to 711.84 in Dynamics, its total says 711.85.",
        ),
        ({"total": Decimal(-1)}, "positive", Status.BLOCKED, "Send a credit note instead"),
        ({"date": date(2026, 6, 30)}, "unlocked", Status.SKIPPED, "date 2026-06-30 is in a period that is locked"),
        ({"currency": "USD"}, "currency", Status.BLOCKED, "currency USD is not switched on in Xero"),
    ],
)
def test_each_rule_says_what_failed(changes, rule, status, words):
    found = hindrance(INVOICES, invoice(**changes), BOOKS)
    assert (found.rule, found.status) == (rule, status)
    assert words in found.remark


def test_freight_that_is_booked_somewhere_is_no_hindrance():
    books = replace(BOOKS, freight_account="200", freight_tax="NONE")
    line = {"description": "Freight", "freight": True}
    assert codes_of(line, books) == ("200", "NONE")
    assert hindrance(INVOICES, invoice(freight=Decimal(25), lines=(TENT, line)), books) is None


def test_a_changed_line_of_a_linked_invoice_must_be_coded_too_and_other_rules_are_past():
    unfit = invoice(state="2", lines=(TENT, WRITE_IN))
    assert hindrance(INVOICES, unfit, BOOKS, {"lines"}).rule == "coded"
    assert hindrance(INVOICES, unfit, BOOKS, {"due_date"}) is None


def test_the_day_after_the_lock_is_open():
    assert hindrance(INVOICES, invoice(date=date(2026, 7, 1)), BOOKS) is None


WRITE_IN = {"description": "Guided walk", "quantity": Decimal(1)}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (WRITE_IN, "Line 2 “Guided walk” has no ledger account and no tax rate."),
        ({**WRITE_IN, "account_code": "200"}, "Line 2 “Guided walk” has no tax rate."),
        ({**WRITE_IN, "tax_type": "OUTPUT2"}, "Line 2 “Guided walk” has no ledger account."),
        ({"product": "BARE"}, "Line 2 “BARE” has no ledger account and no tax rate."),
        ({}, "Line 2 “no description” has no ledger account and no tax rate."),
        ({**WRITE_IN, "account_code": "209", "tax_type": "OUTPUT2"}, "ledger account 209 is archived or missing in Xero"),
        ({**WRITE_IN, "account_code": "200", "tax_type": "OLD"}, "tax rate OLD is archived or missing in Xero"),
    ],
)
def test_a_line_without_codes_blocks_and_is_named(line, words):
    found = hindrance(INVOICES, invoice(lines=(TENT, line)), BOOKS)
    assert (found.rule, found.status) == ("coded", Status.BLOCKED)
    assert words in found.remark


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"product": "TENT"}, ("200", "OUTPUT2")),
        ({"product": "TENT", "account_code": "205"}, ("205", "OUTPUT2")),
        ({"product": "BARE"}, ("260", "ZERORATED")),
        ({"product": "UNKNOWN"}, ("260", "ZERORATED")),
        ({"description": "free text"}, ("", "")),
        ({"account_code": "205", "tax_type": "NONE"}, ("205", "NONE")),
    ],
)
def test_a_lines_own_choice_comes_first_then_the_product_then_the_defaults(line, expected):
    books = Books(items=BOOKS.items, default_account="260", default_tax="ZERORATED")
    assert codes_of(line, books) == expected


@pytest.mark.parametrize("declared", ENTITIES, ids=lambda e: e.name)
def test_every_rule_of_the_registry_has_its_check(declared):
    assert all(rule.test in CHECKS and rule.remark for rule in declared.rules)


@pytest.mark.parametrize(
    ("changes", "gone", "words"),
    [
        ({"amount_paid": Decimal(1)}, "", "A payment or credit note stands on it"),
        ({"amount_credited": Decimal(1)}, "", "A payment or credit note stands on it"),
        ({"date": date(2026, 5, 1)}, "", "locked in Xero until 2026-06-30"),
        ({}, "voided", "The document is voided in Xero. Set the change back in Dynamics"),
    ],
)
def test_an_existing_document_that_cannot_change_says_why(changes, gone, words):
    assert words in locked_document(invoice(), invoice(Side.XERO, gone, **changes), BOOKS)


def test_an_open_document_takes_changes():
    assert locked_document(invoice(), invoice(Side.XERO, amount_paid=Decimal(0)), BOOKS) is None
