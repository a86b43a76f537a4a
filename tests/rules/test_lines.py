"""Invoice lines as Xero takes them: amounts as Dynamics holds them, codes from the line or the product, ids kept."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sync_core.model import Lookup
from sync_core.rules.books import Books
from sync_core.rules.lines import dynamics_lines, line_items, untaxed

D = Decimal
BOOKS = Books(
    taxes=frozenset({"OUTPUT2", "NONE"}),
    tax_rates={"OUTPUT2": D(15), "NONE": D(0)},
    items={"TENT": ("200", "OUTPUT2")},
)
TENT = {"product": "TENT", "description": "Two-person tent", "quantity": D(2), "unit_price": D("619"), "tax": D("185.70")}
WALK = {
    "description": "Walk",
    "quantity": D(1),
    "unit_price": D("9"),
    "tax": D("1.35"),
    "account_code": "205",
    "tax_type": "OUTPUT2",
}


def only(line, books=BOOKS, existing=()):
    (item,) = line_items([line], books, existing)
    return item


def test_a_product_line_names_its_item_and_takes_its_codes():
    expected = {"ItemCode": "TENT", "AccountCode": "200", "TaxType": "OUTPUT2", "TaxAmount": D("185.70"), "Quantity": D(2)}
    assert only(TENT).items() >= expected.items()


def test_a_product_that_xero_lacks_is_not_named():
    assert "ItemCode" not in only({**TENT, "product": "KAYAK", "account_code": "200", "tax_type": "OUTPUT2"})


def test_a_discount_goes_as_an_amount():
    assert only({**TENT, "discount": D("57.00")})["DiscountAmount"] == D("57.00")
    assert "DiscountAmount" not in only({**TENT, "discount": D(0)})


def test_a_returned_line_has_a_positive_quantity_because_xero_takes_no_other():
    item = only({**WALK, "quantity": D(-3), "unit_price": D("10")})
    assert (item["Quantity"], item["UnitAmount"]) == (D(3), D(-10))


@pytest.mark.parametrize(
    ("line", "expected"),
    [({"description": None, "product": "TENT"}, "TENT"), ({}, "Item"), ({"description": "x" * 5000}, "x" * 4000)],
)
def test_every_line_has_a_description_that_fits(line, expected):
    assert only(line)["Description"] == expected


@given(st.decimals(0, 9999, places=4), st.decimals(-9999, 9999, places=4), st.decimals(0, 99999, places=2))
def test_amounts_are_told_as_dynamics_holds_them(quantity, price, tax):
    item = only({**WALK, "quantity": quantity, "unit_price": price, "tax": tax})
    assert item["Quantity"] * item["UnitAmount"] == quantity * price
    assert item["TaxAmount"] == tax


# Lines without tax in Dynamics


def test_no_tax_in_dynamics_stays_no_tax_in_xero():
    assert only({**TENT, "tax": None}).items() >= {"TaxType": "NONE", "TaxAmount": D(0)}.items()


def test_a_tax_rate_chosen_on_the_line_stays_and_is_told_its_amount():
    assert only({**WALK, "tax": D(0)}).items() >= {"TaxType": "OUTPUT2", "TaxAmount": D(0)}.items()


def test_xero_works_the_tax_out_where_a_person_chose_that():
    item = only({**TENT, "tax": None}, Books(items=BOOKS.items, tax_rates=BOOKS.tax_rates, xero_computes_tax=True))
    assert item["TaxType"] == "OUTPUT2"
    assert "TaxAmount" not in item


@pytest.mark.parametrize(
    ("tax", "rate", "expected"),
    [(None, "OUTPUT2", True), (D(0), "OUTPUT2", True), (D(1), "OUTPUT2", False), (None, "NONE", False), (None, "?", False)],
)
def test_untaxed(tax, rate, expected):
    assert untaxed({"tax": tax}, rate, BOOKS) is expected


# Ids: Xero deletes the lines whose id is left out


def existing(*lines):
    return [{"id": f"l{n}", **line} for n, line in enumerate(lines, 1)]


def test_each_line_keeps_the_id_of_the_line_that_it_is():
    there = existing(WALK, TENT)
    assert [i.get("LineItemID") for i in line_items([TENT, WALK], BOOKS, there)] == ["l2", "l1"]


def test_a_changed_line_is_changed_and_a_new_one_is_new():
    items = line_items([{**WALK, "description": "Longer walk"}, TENT], BOOKS, existing(WALK))
    assert [i.get("LineItemID") for i in items] == ["l1", None]


@given(st.lists(st.sampled_from([TENT, WALK]), max_size=6), st.lists(st.sampled_from([TENT, WALK]), max_size=6))
def test_no_id_is_used_twice_and_none_is_left_while_a_line_needs_one(lines, there):
    ids = [i["LineItemID"] for i in line_items(lines, BOOKS, existing(*there)) if "LineItemID" in i]
    alike = sum(min(lines.count(each), there.count(each)) for each in (TENT, WALK))
    assert len(ids) == len(set(ids)) == (len(lines) if len(lines) == len(there) else alike)


def test_a_line_put_before_the_others_takes_no_id_of_theirs():
    """Tracking, account and item of a line in Xero go with its id."""
    first = {**WALK, "description": "Guide"}
    assert [i.get("LineItemID") for i in line_items([first, WALK, TENT], BOOKS, existing(WALK, TENT))] == [None, "l1", "l2"]
    assert [i.get("LineItemID") for i in line_items([first, TENT], BOOKS, existing(TENT))] == [None, "l1"]


def test_another_line_in_the_place_of_a_product_line_is_a_new_one():
    agreed = [{**TENT, "id": "c1"}]
    (item,) = line_items([{**WALK, "id": "c2"}], BOOKS, existing(TENT), agreed)
    assert "LineItemID" not in item


RECODED = {**WALK, "account_code": "260", "tax_type": "NONE"}


@pytest.mark.parametrize(
    ("now", "codes"),
    [
        ({"quantity": D(2)}, ("260", "NONE")),
        ({"account_code": "0042"}, ("0042", "OUTPUT2")),
    ],
)
def test_codes_that_an_accountant_chose_in_xero_stay_until_dynamics_chooses_others(now, codes):
    (item,) = line_items([{**WALK, "id": "c1", **now}], BOOKS, existing(RECODED), [{**WALK, "id": "c1"}])
    assert (item["AccountCode"], item["TaxType"]) == codes


def test_a_line_that_is_replaced_keeps_its_tracking():
    north = [{"Name": "Region", "Option": "North"}]
    there = existing({**TENT, "discount_rate": D(10)})
    (item,) = line_items([TENT], BOOKS, there, rows=[{"LineItemID": "l1", "Tracking": north}])
    assert item["Tracking"] == north


# Amounts: Xero works a line out as quantity (4 places) x price - discount, rounded to the cent


def in_xero(item):
    gross = item["Quantity"].quantize(D("0.0001"), ROUND_HALF_UP) * item["UnitAmount"]
    return (gross - item.get("DiscountAmount", D(0))).quantize(D("0.01"), ROUND_HALF_UP)


@given(
    st.decimals(-99, 9999, places=5),
    st.decimals(0, 9999, places=4),
    st.decimals(0, 50, places=2),
    st.decimals(0, 5, places=4),
)
@example(quantity=D("0.04995"), price=D("0.5"), discount=D("0.02"), by_volume=D(0))
@example(quantity=D("0.04995"), price=D("0.5"), discount=D("0.03"), by_volume=D(0))
def test_a_line_comes_to_the_same_in_xero_to_the_cent(quantity, price, discount, by_volume):
    """Dynamics: (price - discount by volume) x quantity - discount of the line."""
    net = ((price - by_volume) * quantity).quantize(D("0.01"), ROUND_HALF_UP) - discount
    item = only({**WALK, "quantity": quantity, "unit_price": price, "net": net, "discount": discount})
    if item["Quantity"].quantize(D("0.0001"), ROUND_HALF_UP):
        assert in_xero(item) == net
        assert item.get("DiscountAmount", D(0)) >= 0 or quantity < 0


def test_a_discount_that_was_taken_back_is_taken_back_by_name():
    there = existing({**TENT, "discount": D(57)})
    assert line_items([{**TENT, "net": D(1238)}], BOOKS, there)[0]["DiscountAmount"] == 0
    assert "DiscountAmount" not in line_items([{**TENT, "net": D(1238)}], BOOKS, existing(TENT))[0]


def test_a_line_with_a_discount_in_percent_in_xero_is_replaced_because_the_percent_would_go_first():
    there = existing({**TENT, "discount_rate": D(10)})
    assert "LineItemID" not in line_items([{**TENT, "net": D(1238)}], BOOKS, there)[0]


# From Xero to Dynamics: priced there as price x quantity - discount + tax, with the price in cents

AMOUNT = st.decimals(0, 9999, places=4)
CENTS = st.decimals(0, 500, places=2)


@given(AMOUNT, AMOUNT, CENTS, CENTS)
def test_a_line_of_xero_comes_to_the_same_in_dynamics_to_the_cent(quantity, price, discount, tax):
    cent = D("0.01")
    net = (quantity * price).quantize(cent, ROUND_HALF_UP) - discount
    line = {"id": "l", "quantity": quantity, "unit_price": price, "net": net, "tax": tax, "description": "x"}
    (written,) = dynamics_lines([line], [], {})
    body = written.body
    assert body["priceperunit"] == body["priceperunit"].quantize(cent)
    assert body["manualdiscountamount"] >= 0
    priced = (body["priceperunit"] * body["quantity"]).quantize(cent, ROUND_HALF_UP) - body["manualdiscountamount"]
    assert priced + body["tax"] == net + tax


def test_lines_are_changed_made_and_deleted_as_xero_has_them():
    there = {"id": "x1", "quantity": D(2), "unit_price": D(5), "net": D(10), "tax": D(0), "description": "Walk"}
    here = [{**there, "id": "c1", "xero_line_id": "x1", "quantity": D(1)}, {**WALK, "id": "c2", "xero_line_id": "gone"}]
    changed, deleted = dynamics_lines([there], here, {})
    assert (changed.line_id, changed.body["quantity"]) == ("c1", D(2))
    assert (deleted.line_id, deleted.body) == ("c2", None)


def test_a_new_line_names_product_unit_and_codes_where_dynamics_has_them():
    ids = {"product TENT": "p1", "unit TENT": "u1", "account 200": "a1", "tax OUTPUT2": "t1"}
    coded = {**TENT, "id": "x1", "net": D("1238"), "account_code": "200", "tax_type": "OUTPUT2"}
    body = dynamics_lines([coded], [], ids)[0].body
    assert (body["productid"], body["uomid"]) == (Lookup("product", "p1"), Lookup("uom", "u1"))
    assert body["tie_ledgeraccountid"] == Lookup("tie_ledgeraccount", "a1")
    assert dynamics_lines([coded], [], {})[0].body["isproductoverridden"] is True


def there_and_here(*here):
    return [{"id": f"c{n}", **line} for n, line in enumerate(here, 1)]


def test_a_line_put_first_in_xero_is_a_new_one_in_dynamics():
    here = there_and_here({**TENT, "net": D(1238)}, {**WALK, "net": D(9)})
    there = [{**WALK, "description": "Guide", "net": D(9)}, *here]
    written = dynamics_lines([{**line, "id": f"x{n}", "xero_line_id": f"x{n}"} for n, line in enumerate(there)], here, {})
    assert [(w.line_id, w.xero_line_id) for w in written] == [(None, "x0"), ("c1", "x1"), ("c2", "x2")]


def test_another_product_makes_another_line_in_dynamics():
    """Dynamics does not exchange the product of a line."""
    ids = {"product KAYAK": "p2", "unit KAYAK": "u2", "product TENT": "p1", "unit TENT": "u1"}
    here = there_and_here({**TENT, "net": D(1238), "xero_line_id": "x1"})
    other = {**TENT, "id": "x1", "xero_line_id": "x1", "product": "KAYAK", "description": "Kayak", "net": D(50)}
    made, deleted = dynamics_lines([other], here, ids)
    assert (made.line_id, made.body["productid"]) == (None, Lookup("product", "p2"))
    assert (deleted.line_id, deleted.body) == ("c1", None)


def test_a_product_that_dynamics_lacks_changes_the_write_in_line_that_stands_for_it():
    here = there_and_here({**WALK, "net": D(9), "xero_line_id": "x1"})
    (changed,) = dynamics_lines([{**WALK, "id": "x1", "xero_line_id": "x1", "product": "?", "net": D(50)}], here, {})
    assert changed.line_id == "c1"
