"""Relationship types: the default mapping, what people choose instead, what it moves, and the words for it."""

from __future__ import annotations

import pytest

from sync_core.errors import Rejected
from sync_core.rules.types import (
    ContactType,
    Moves,
    TypeMap,
    checked,
    moved_remark,
    moves,
    refused_remark,
    standing_remark,
    type_key,
    type_lines,
    type_map,
)

CUSTOMER, VENDOR, EMPLOYEE, CONTACT = ContactType
NOTHING = TypeMap()


@pytest.mark.parametrize("table", ["account", "contact"])
@pytest.mark.parametrize(
    ("code", "kind"),
    [("3", CUSTOMER), ("10", VENDOR), ("11", VENDOR), ("1", CONTACT), ("9", CONTACT), ("12", CONTACT), ("77", CONTACT)],
)
def test_the_default_mapping(table, code, kind):
    assert NOTHING.of(table, code) is kind


@pytest.mark.parametrize("code", [None, ""])
def test_no_type_is_a_plain_contact(code):
    assert NOTHING.of("account", code) is CONTACT


def test_a_choice_counts_for_its_own_table_only():
    mapped = type_map({type_key("account", "9"): "Customer", type_key("account", "3"): "Contact"})
    assert [mapped.of("account", c) for c in ("9", "3")] == [CUSTOMER, CONTACT]
    assert [mapped.of("contact", c) for c in ("9", "3")] == [CONTACT, CUSTOMER]
    assert mapped.grouped() == {
        ("account", "10"): VENDOR,
        ("account", "11"): VENDOR,
        ("account", "9"): CUSTOMER,
        ("contact", "10"): VENDOR,
        ("contact", "11"): VENDOR,
        ("contact", "3"): CUSTOMER,
    }


def test_what_is_kept_but_is_no_type_is_a_plain_contact():
    mapped = type_map({"type.account.3": "Frenemy", "type.lead.3": "Customer", "type.account": "Customer"})
    assert dict(mapped.chosen) == {("account", "3"): CONTACT}


@pytest.mark.parametrize(
    ("wanted", "present", "agreed", "due"),
    [
        (CONTACT, (), (), Moves()),
        (CUSTOMER, (), (), Moves(CUSTOMER)),
        (CUSTOMER, ("Customer",), (), Moves()),
        (VENDOR, ("Customer",), ("Customer",), Moves(VENDOR, (CUSTOMER,))),
        (CONTACT, ("Customer",), ("Customer",), Moves(None, (CUSTOMER,))),
        (CONTACT, ("Customer",), ("Contact",), Moves(None, (), (CUSTOMER,))),
        (CUSTOMER, ("Vendor",), ("Customer",), Moves(CUSTOMER, (), (VENDOR,))),
        (CUSTOMER, ("Customer", "Employee"), (), Moves(None, (), (EMPLOYEE,))),
        (VENDOR, ("Vendor", "Customer"), ("Customer", "Vendor"), Moves(None, (CUSTOMER,))),
    ],
)
def test_what_a_membership_needs(wanted, present, agreed, due):
    assert moves(wanted, present, agreed) == due


def test_what_was_done_needs_nothing_more():
    done = moves(VENDOR, ("Customer",), ("Customer",))
    assert not done.none
    assert moves(VENDOR, ("Vendor",), ("Customer",)).none


@pytest.mark.parametrize(
    ("code", "left", "words"),
    [
        ("3", (), "In Xero's contact group Customer."),
        ("3", (VENDOR,), "In Xero's contact group Customer, left in the group Vendor where somebody put it."),
        (None, (), "No relationship type in Dynamics: a plain contact in Xero, in no contact group."),
        (None, (VENDOR,), "No relationship type in Dynamics: a plain contact in Xero, left in the group Vendor where somebody"),
        ("77", (), "Relationship type 77 is not in the type mapping: a plain contact in Xero, in no contact group."),
        ("8", (), "Relationship type Prospect has no group of its own: a plain contact in Xero, in no contact group."),
    ],
)
def test_how_a_contact_stands_is_said_in_words(code, left, words):
    assert standing_remark(NOTHING, "account", code, left).startswith(words)


def test_what_was_done_is_said_in_words():
    assert moved_remark(VENDOR, Moves(VENDOR, (CUSTOMER,))) == (
        "Relationship type brought to Xero: put into Xero's contact group Vendor and taken out of the group Customer."
    )
    assert moved_remark(CONTACT, Moves()) == ""
    assert "put into Xero's contact group Vendor" in refused_remark(Moves(VENDOR, (CUSTOMER,)), "No.")
    assert "taken out of Xero's contact group Customer" in refused_remark(Moves(None, (CUSTOMER,)), "No.")


def test_the_page_has_a_line_for_each_value_of_dynamics_and_each_one_in_use():
    lines = type_lines(type_map({"type.contact.500": "Employee"}), {("account", "3"): 7, ("contact", "100"): 2})
    assert len(lines) == 12 + 1 + 2
    by_key = {(line.table, line.code): line for line in lines}
    assert by_key["account", "3"].records == 7
    assert (by_key["contact", "500"].type, by_key["contact", "500"].decided) == (EMPLOYEE, True)
    assert (by_key["contact", "100"].type, by_key["contact", "100"].label) == (CONTACT, "")


@pytest.mark.parametrize(
    ("table", "code", "kind"), [("lead", "3", "Customer"), ("account", "x", "Customer"), ("account", "3", "?")]
)
def test_a_choice_that_cannot_be_is_refused_in_words(table, code, kind):
    with pytest.raises(Rejected, match=r"\.$"):
        checked(table, code, kind)
