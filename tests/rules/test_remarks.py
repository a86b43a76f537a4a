"""Remarks: whole sentences, both values, what to do next; never blank, never longer than their column."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_core.model import Record, Side
from sync_core.rules import remarks
from sync_core.rules.compare import Clash
from sync_core.rules.entities import entity

INVOICES, CONTACTS = entity("invoices"), entity("contacts")
CRM, XERO = Side.CRM, Side.XERO


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "nothing"),
        ((), "nothing"),
        (True, "yes"),
        (False, "no"),
        (Decimal("1234.5"), "1,234.50"),
        (Decimal("-0.005"), "-0.005"),
        (date(2026, 12, 20), "2026-12-20"),
        (({},), "1 line"),
        (({}, {}), "2 lines"),
        ("Kahu", "“Kahu”"),
    ],
)
def test_values_as_people_write_them(value, expected):
    assert remarks.spoken(value) == expected


def test_a_conflict_shows_both_values_and_the_last_agreed():
    clash = Clash("due_date", date(2026, 12, 20), date(2027, 1, 31), date(2027, 1, 15))
    assert remarks.clashing(INVOICES, [clash]) == (
        "Both sides differ and nothing was overwritten. "
        "Due date: Dynamics 2027-01-31, Xero 2027-01-15, last agreed 2026-12-20. Choose the value to keep."
    )


def test_a_conflict_of_lines_shows_sums_and_one_of_contacts_no_ids():
    lines = Clash("lines", None, ({"net": Decimal(50)}, {"net": Decimal(5)}), ({"net": Decimal(50)},))
    contact = Clash("contact", None, "c0ffee", "facade")
    text = remarks.clashing(INVOICES, [lines, contact])
    assert "Dynamics 2 lines of 55.00, Xero 1 line of 50.00 before tax" in text
    assert "Contact is another one in Xero than in Dynamics." in text
    assert "c0ffee" not in text


def test_a_conflict_also_says_what_else_changed_and_waits():
    contact = Clash("contact", "a", "b", "c")
    waits = remarks.held_back(INVOICES, {"due_date": date(2027, 1, 31)}, "A payment stands on it in Xero.")
    text = remarks.clashing(INVOICES, [contact], waits)
    assert text.endswith("Choose the value to keep. Due date changed in Dynamics and waits. A payment stands on it in Xero.")


@pytest.mark.parametrize(
    ("crm", "xero", "words"),
    [
        (
            {"tax": Decimal("7.50")},
            {"tax": Decimal("7.51")},
            "Lines differ in tax: Dynamics 7.50, Xero 7.51, both on 1 line of 50.00",
        ),
        (
            {"quantity": Decimal(1)},
            {"quantity": Decimal(2)},
            "Lines differ in quantity, product or words, or in how the amount is shared out: 1 line of 50.00",
        ),
    ],
)
def test_a_conflict_of_lines_with_one_sum_says_what_differs(crm, xero, words):
    net = {"net": Decimal(50)}
    assert words in remarks.clashing(INVOICES, [Clash("lines", None, ({**net, **crm},), ({**net, **xero},))])


def test_a_merged_parent_cannot_be_restored():
    words = remarks.parent_gone("Contact", "Kahu", "merged", XERO)
    assert words == "Contact Kahu is merged into another one in Xero. Choose that one; then this goes by itself."


def test_an_update_says_what_went_where():
    changes = {XERO: {"due_date": date(2026, 12, 1)}, CRM: {"xero_id": "x"}}
    assert remarks.updated(INVOICES, changes) == "Link noted in Dynamics; Due date brought to Xero."


def test_what_is_cut_says_so_and_nul_is_never_kept():
    text = remarks.cut("a\x00" + "b" * 5000)
    assert len(text) == remarks.LONGEST
    assert text.endswith("(shortened)")
    assert "\x00" not in text
    assert remarks.cut("short") == "short"


@given(st.text(max_size=5000))
def test_a_remark_always_fits_its_column(text):
    assert 0 < len(remarks.refused(f"Xero refused this: {text}")) <= remarks.LONGEST
    assert len(remarks.clashing(CONTACTS, [Clash("city", text, text, text)])) <= remarks.LONGEST


SENTENCES = [
    remarks.in_step(INVOICES, ""),
    remarks.in_step(INVOICES, "document number"),
    remarks.created(INVOICES, XERO, "INV-1"),
    remarks.created(INVOICES, XERO, None),
    remarks.untaxed([1, 2], xero_computes=False).strip(),
    remarks.untaxed([1], xero_computes=True).strip(),
    remarks.ambiguous(CONTACTS, CRM, 2, "name"),
    remarks.waits_for(INVOICES, "Contact", "Kahu", "Xero"),
    remarks.parent_gone("Contact", "Kahu", "archived", XERO),
    remarks.only_in(INVOICES, XERO),
    remarks.gone_first(XERO, "voided"),
    remarks.gone_one_side(INVOICES, Record(XERO, "invoices", "x", "Invoices", "1", {}, "voided")),
    remarks.gone_both(INVOICES),
    remarks.read_only(INVOICES, ["Due date"]),
]


@pytest.mark.parametrize("text", SENTENCES)
def test_remarks_are_sentences_in_plain_words(text):
    assert text[0].isupper() or text[0].isdigit()
    assert text.endswith(".")
    assert not {"None", "Traceback", "crm", "{", "!"} & set(text.replace("!", " ! ").split())


def test_a_flag_taken_back_is_said_as_such():
    assert remarks.updated(INVOICES, {CRM: {"settled": False}}) == "No longer paid in full in Dynamics."
    assert remarks.updated(INVOICES, {CRM: {"settled": True}}) == "Paid in full brought to Dynamics."


def test_what_waits_is_named_unless_it_is_only_in_passing():
    why = "A payment stands on it."
    assert remarks.held_back(INVOICES, {"due_date": None}, why) == f"Due date changed in Dynamics and waits. {why}"
    assert remarks.held_back(INVOICES, {"reference": "x"}, why) == ""
