"""What each line adds to the difference of two totals, and how it is told."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_core.rules.line_differences import trace
from sync_core.rules.reasons import Reason

R = Reason
D = Decimal


def line(description="Boots", quantity="1", price="60", net=None, tax="9", **other):
    worth = D(quantity) * D(price) if net is None else D(net)
    amounts = {"quantity": D(quantity), "unit_price": D(price), "net": worth, "tax": D(tax)}
    return {"description": description} | amounts | {name: D(value) for name, value in other.items()}


def worth(lines):
    return sum((each["net"] + each["tax"] for each in lines), D(0))


def traced(crm, xero, **header):
    header = {name: D(value) for name, value in header.items()}
    whole = header.get("freight", D(0)) - header.get("header_discount", D(0))
    return trace({"lines": crm} | header, {"lines": xero}, worth(crm) + whole - worth(xero))


@pytest.mark.parametrize(
    ("crm", "xero", "reason", "amount", "words"),
    [
        ([line(quantity="2")], [line(quantity="3")], R.LINE_DIFFERS, -60, "line 1: quantity 2 against 3"),
        ([line(price="60")], [line(price="65")], R.LINE_DIFFERS, -5, "line 1: unit price 60 against 65"),
        ([line(price="0.125", quantity="8")], [line(price="0.13", quantity="8")], R.PRICE_PRECISION, "-0.04",
         "line 1: unit price 0.125 against 0.13"),
        ([line(net="55", discount="5")], [line()], R.DISCOUNT, -5, "line 1: discount 5 against 0"),
        ([line(net="55")], [line()], R.DISCOUNT, -5, "line 1: amount before tax 55 against 60"),
        ([line(tax="9.01")], [line()], R.TAX_ROUNDING, "0.01", "line 1: tax 9.01 against 9"),
        ([line(tax="0")], [line()], R.LINE_DIFFERS, -9, "line 1: tax 0 against 9"),
        ([line(), line("Socks", price="4", tax="1")], [line()], R.MISSING_LINE, 5, "line 2 (Socks) is only in Dynamics"),
        ([line()], [line(), line("Socks", price="4", tax="1")], R.MISSING_LINE, -5, "line 2 (Socks) is only in Xero"),
    ],
)  # fmt: skip
def test_a_line_says_what_it_adds(crm, xero, reason, amount, words):
    found = traced(crm, xero)
    assert (found.main, dict(found.parts), found.words) == (reason, {reason: D(amount)}, words)


def test_a_difference_is_split_over_its_reasons_and_the_largest_is_named():
    crm = [line(quantity="2"), line("Socks", price="4", tax="1"), line("Hat", tax="9.01")]
    found = traced(crm, [line(quantity="3"), line("Hat")])
    assert dict(found.parts) == {R.LINE_DIFFERS: -60, R.MISSING_LINE: 5, R.TAX_ROUNDING: D("0.01")}
    assert found.main is R.LINE_DIFFERS


def test_what_no_line_accounts_for_is_the_document_s_discount_or_other():
    assert dict(traced([line()], [line()], header_discount="7").parts) == {R.DISCOUNT: -7}
    assert traced([line()], [line()], freight="12").words == "freight 12 on the whole document"
    unknown = trace({"lines": [line()]}, {"lines": [line()]}, D("3.50"))
    assert (unknown.main, dict(unknown.parts)) == (R.OTHER, {R.OTHER: D("3.50")})


def test_words_alone_differ():
    found = traced([line("Boots, red")], [line("Boots")])
    assert (found.main, dict(found.parts)) == (R.LINE_DIFFERS, {})
    assert found.words == "line 1: \u201cBoots, red\u201d against \u201cBoots\u201d"


def test_a_line_that_notes_its_twin_is_compared_with_it():
    crm = [line("A", xero_line_id=2) | {"xero_line_id": "two"}, line("B") | {"xero_line_id": "one"}]
    xero = [line("A", quantity="4") | {"id": "ONE"}, line("B", quantity="5") | {"id": "TWO"}]
    assert "line 1: quantity 1 against 5; line 2: quantity 1 against 4" in traced(crm, xero).words


def test_many_lines_are_counted():
    found = traced([line(f"{n}", quantity="2") for n in range(6)], [line(f"{n}") for n in range(6)])
    assert found.words.endswith("line 3: quantity 2 against 1; and 3 more")


MONEY = st.decimals(-999, 999, places=2)
LINES = st.lists(
    st.builds(
        lambda what, quantity, price, net, tax: {
            "description": what, "quantity": quantity, "unit_price": price, "net": net, "tax": tax,
        },
        st.sampled_from(["Boots", "Socks", "Hat", None]),
        st.decimals(0, 9, places=1),
        st.decimals(0, 99, places=4),
        MONEY,
        MONEY,
    ),
    max_size=5,
)  # fmt: skip


@given(LINES, LINES, MONEY)
def test_the_parts_always_add_up_to_the_difference(crm, xero, difference):
    found = trace({"lines": crm}, {"lines": xero}, difference)
    assert sum(found.parts.values()) == difference
    assert bool(found.words) or not found.parts or set(found.parts) == {R.OTHER}


@given(LINES)
def test_the_same_lines_in_another_order_add_nothing(lines):
    assert sum(traced(lines, list(reversed(lines))).parts.values()) == 0
