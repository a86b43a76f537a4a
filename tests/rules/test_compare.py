"""The decision table, row by row, and the laws that a three-way merge must keep whatever the values."""

from __future__ import annotations

from decimal import Decimal

import pytest
from example import OWNERS, THING, crm, linked, xero
from hypothesis import given
from hypothesis import strategies as st

from sync_core.model import Side
from sync_core.rules.compare import Clash, Verdict, compare, image, line_keys, same
from sync_core.rules.entities import entity

A, B, C = "a", "b", "c"
NOTHING = Verdict()


def decide(here, there, base_here=None, base_there=None, *, hours=(1, 2)):
    """Compare one pair. Images stand for both sides or for none."""
    return compare(THING, crm(hours[0], **here), xero(hours[1], **there), base_here, base_there, linked)


def one(name, here, there, base, **more):
    """Compare a pair that differs in one field; ``base`` is what both last agreed on, ... when they never did."""
    agreed = None if base is ... else {name: base}
    return decide({name: here}, {name: there}, agreed, agreed, **more)


# Linked, with an agreed image


def test_nothing_changed_is_nothing_to_do():
    assert one("asked", A, A, A) == NOTHING


def test_one_side_changed_goes_to_the_other_and_nothing_else():
    assert one("asked", B, A, A) == Verdict(to_xero={"asked": B})
    assert one("asked", A, B, A) == Verdict(to_crm={"asked": B})


def test_the_same_new_value_on_both_sides_is_adopted():
    assert one("asked", B, B, A) == NOTHING


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("asked", Verdict(clashes=(Clash("asked", A, B, C),))),
        ("sales", Verdict(to_xero={"sales": B})),
        ("books", Verdict(to_crm={"books": C})),
        ("newer", Verdict(to_crm={"newer": C})),
    ],
)
def test_both_changed_the_same_field_its_owner_decides(name, expected):
    assert one(name, B, C, A) == expected


def test_the_newer_record_wins_where_that_is_the_rule():
    assert one("newer", B, C, A, hours=(5, 2)) == Verdict(to_xero={"newer": B})


def test_both_changed_different_fields_is_merged_field_by_field():
    base = {"asked": A, "sales": A}
    verdict = decide({"asked": B, "sales": A}, {"asked": A, "sales": C}, base, base)
    assert verdict == Verdict(to_crm={"sales": C}, to_xero={"asked": B})


def test_a_field_that_flows_one_way_is_put_back_where_it_may_not_be_changed():
    assert one("outward", A, B, A) == Verdict(to_xero={"outward": A})


def test_emptying_a_field_is_a_change_like_any_other():
    assert one("asked", None, A, A) == Verdict(to_xero={"asked": None})


def test_each_side_is_compared_with_its_own_image():
    verdict = decide({"short": "abcdefgh"}, {"short": "abcde"}, {"short": "abcdefgh"}, {"short": "abcde"})
    assert verdict == NOTHING


# Linked, without an agreed image (a lost cache, a pair typed into both systems)


def test_equal_without_an_image_is_adopted():
    assert one("asked", A, A, ...) == NOTHING


def test_blanks_are_filled_from_either_side():
    assert one("asked", None, A, ...) == Verdict(to_crm={"asked": A})
    assert one("asked", A, "", ...) == Verdict(to_xero={"asked": A})


def test_the_case_of_an_email_counts_once_both_agreed_and_not_at_first():
    email = entity("contacts").field("email")
    assert same(email, "Mere@Kahu.example", "mere@kahu.example", linked)
    assert not same(email, "Mere@Kahu.example", "mere@kahu.example", linked, strict=True)


@pytest.mark.parametrize("name", OWNERS)
def test_a_clash_without_an_image_goes_by_the_owner(name):
    expected = {
        "asked": Verdict(clashes=(Clash("asked", None, A, B),)),
        "sales": Verdict(to_xero={"sales": A}),
        "books": Verdict(to_crm={"books": B}),
        "newer": Verdict(to_crm={"newer": B}),
    }
    assert one(name, A, B, ...) == expected[name]


# What is no difference


@pytest.mark.parametrize(
    ("name", "here", "there"),
    [
        ("asked", None, ""),
        ("asked", "two  words", "two words"),
        ("phone", "+64 3 525-0001", "64 35250001"),
        ("short", "abcdefgh", "abcdefxyz"),
        ("friend", "c7", "x7"),
    ],
)
def test_differences_that_mean_nothing(name, here, there):
    assert one(name, here, there, ...) == NOTHING


def test_a_reference_to_another_partner_is_a_difference():
    assert one("friend", "c7", "x8", ...).clashes == (Clash("friend", None, "c7", "x8"),)


def test_what_is_written_once_is_filled_and_never_overwritten():
    assert one("once", A, None, ...) == Verdict(to_xero={"once": A})
    assert one("once", A, B, ...) == NOTHING
    assert one("once", B, A, A) == NOTHING


def test_a_field_that_flows_nowhere_is_not_compared():
    assert one("quiet", A, B, A) == NOTHING


def test_lines_are_the_same_in_whatever_order_and_by_amount_when_not_strict():
    lines = entity("invoices").field("lines")
    tent = {"quantity": Decimal(1), "net": Decimal(619), "tax": Decimal("92.85"), "description": "Tent"}
    stove = {"quantity": Decimal(2), "net": Decimal(50), "tax": Decimal("7.50"), "description": "Stove"}
    renamed = {**tent, "description": "A tent"}
    assert same(lines, (tent, stove), (stove, tent), linked, strict=True)
    assert same(lines, (tent,), (renamed,), linked)
    assert not same(lines, (tent,), (renamed,), linked, strict=True)
    assert not same(lines, (tent,), (tent, tent), linked)
    assert line_keys(None) == []


# Laws

VALUES = st.sampled_from([None, "", "a", "b", "a  b", "abcdefgh", "abcdefxx", "3 525 0001"])
NAMES = [f.name for f in THING.fields if f.name != "friend"]
SIDE = st.fixed_dictionaries(dict.fromkeys(NAMES, VALUES))
IMAGES = st.none() | st.tuples(SIDE, SIDE)
HOURS = st.tuples(st.integers(0, 23), st.integers(0, 23))
PAIRS = {"here": SIDE, "there": SIDE, "images": IMAGES, "hours": HOURS}


def settle(here, there, images, hours):
    """Decide, carry the verdict out on both sides, and take new images as the engine does."""
    left, right = images or (None, None)
    verdict = decide(here, there, left, right, hours=hours)
    after = crm(hours[0], **(here | dict(verdict.to_crm))), xero(hours[1], **(there | dict(verdict.to_xero)))
    open_fields = [clash.field for clash in verdict.clashes]
    return verdict, after, (image(after[0], open_fields, left), image(after[1], open_fields, right))


@given(**PAIRS)
def test_deciding_again_changes_nothing_more(here, there, images, hours):
    verdict, (left, right), agreed = settle(here, there, images, hours)
    again = compare(THING, left, right, *agreed, linked)
    assert (again.to_crm, again.to_xero) == ({}, {})
    assert {c.field for c in again.clashes} == {c.field for c in verdict.clashes}


@given(**PAIRS)
def test_both_sides_agree_once_the_verdict_is_carried_out(here, there, images, hours):
    verdict, (left, right), _ = settle(here, there, images, hours)
    written = {*verdict.to_crm, *verdict.to_xero}
    for name in written:
        assert same(THING.field(name), left.fields[name], right.fields[name], linked)


@given(**PAIRS)
def test_no_value_is_invented_and_no_side_is_written_that_may_not_be(here, there, images, hours):
    verdict, *_ = settle(here, there, images, hours)
    assert all(value == there[name] for name, value in verdict.to_crm.items())
    assert all(value == here[name] for name, value in verdict.to_xero.items())
    assert all(Side.CRM in THING.field(n).to for n in verdict.to_crm)
    assert all(Side.XERO in THING.field(n).to for n in verdict.to_xero)
    fates = [*verdict.to_crm, *verdict.to_xero, *(c.field for c in verdict.clashes)]
    assert len(fates) == len(set(fates))


@given(here=SIDE, there=SIDE, images=st.tuples(SIDE, SIDE), hours=HOURS)
def test_no_edit_is_lost(here, there, images, hours):
    """I2: a value that a side changed is on both sides afterwards, overruled by its owner, or parked with both values."""
    verdict, (left, right), _ = settle(here, there, images, hours)
    parked = {c.field: (c.crm, c.xero) for c in verdict.clashes}
    for name in ("asked", "phone"):
        if here[name] != images[0][name] or there[name] != images[1][name]:
            agreed = same(THING.field(name), left.fields[name], right.fields[name], linked)
            assert agreed or parked[name] == (here[name], there[name])


@given(**PAIRS)
def test_the_owner_of_a_field_never_loses_it(here, there, images, hours):
    verdict, *_ = settle(here, there, images, hours)
    left, right = images or ({}, {})
    if images and here["sales"] != left["sales"] and there["sales"] != right["sales"]:
        assert "sales" not in verdict.to_crm
    if images and here["books"] != left["books"] and there["books"] != right["books"]:
        assert "books" not in verdict.to_xero


def test_an_open_field_keeps_its_old_image_or_none():
    record = crm(asked=B, sales=B)
    assert image(record, ["asked"], {"asked": A, "sales": A}) == {"asked": A, "sales": B}
    assert image(record, ["asked"], None) == {"sales": B}
