"""A discount and freight on a whole invoice, brought down to lines: the total stays what Dynamics says, to the cent."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_core.model import Side
from sync_core.rules.books import Books
from sync_core.rules.entities import entity
from sync_core.rules.lines import line_items
from sync_core.rules.mapping import Context, read
from sync_core.rules.whole_amounts import spread
from sync_core.sandbox.dataverse.pricing import LineFigures, price_invoice, price_line
from sync_core.sandbox.xero.amounts import line_amount

D = Decimal
CENT, NONE = D("0.01"), D(0)
INVOICES = entity("invoices")
BOOKS = Books(freight_account="260", freight_tax="NONE")
CENTS = st.decimals(0, 999, places=2)
LINE = st.fixed_dictionaries(
    {
        "quantity": st.decimals(-9, 99, places=3),
        "priceperunit": st.decimals(0, 999, places=2),
        "manualdiscountamount": st.decimals(0, 9, places=2),
        "tax": st.decimals(0, 99, places=2),
    }
)


def in_dynamics(lines, discount=NONE, percentage=NONE, freight=NONE):
    """An invoice and its lines as Dynamics prices and answers them."""
    rows, figures = [], []
    for n, line in enumerate(lines, 1):
        amounts = price_line(line["priceperunit"], line["quantity"], discount=line["manualdiscountamount"], tax=line["tax"])
        figures.append(LineFigures(amounts.base, line["manualdiscountamount"], line["tax"]))
        rows.append({**line, "invoicedetailid": f"l{n}", "lineitemnumber": n, "extendedamount": amounts.extended})
    total = price_invoice(figures, discount=discount, percentage=percentage, freight=freight)
    header = {"discountamount": discount, "discountpercentage": percentage, "freightamount": freight}
    header |= {"totallineitemamount": total.lines, "totalamountlessfreight": total.less_freight, "totalamount": total.total}
    return header, rows


def canonical(header, rows):
    return read(INVOICES, Side.CRM, "invoice", header, Context(), rows)


@given(st.lists(LINE, min_size=1, max_size=6), CENTS, st.decimals(0, 100, places=2), CENTS)
def test_the_lines_that_are_sent_come_to_the_total_of_dynamics(lines, discount, percentage, freight):
    header, rows = in_dynamics(lines, discount, percentage, freight)
    fields = canonical(header, rows)
    summed = sum((line["net"] + (line["tax"] or 0) for line in fields["lines"]), D(0))
    assert summed == header["totalamount"]
    items = line_items(fields["lines"], BOOKS)
    in_xero = [line_amount(i["Quantity"], i["UnitAmount"], None, i.get("DiscountAmount")) for i in items]
    assert sum(in_xero, D(0)) + sum((i["TaxAmount"] for i in items), D(0)) == header["totalamount"]


@given(st.lists(st.decimals(-99, 999, places=2), min_size=1, max_size=40), CENTS)
def test_shares_add_up_and_take_no_line_below_zero(nets, discount):
    shares = spread(discount, nets)
    assert sum(shares, D(0)) == discount
    if discount <= sum((n for n in nets if n > 0), D(0)):
        assert all(D(0) <= share <= max(net, D(0)) for share, net in zip(shares, nets, strict=True))


@pytest.mark.parametrize(
    ("discount", "nets", "expected"),
    [
        ("10.00", ("100", "100", "100"), ("3.34", "3.33", "3.33")),
        ("0.01", ("1", "999"), ("0", "0.01")),
        ("0.99", ("0.01",) * 100, ("0.01",) * 99 + ("0",)),
        ("5.00", ("50", "-20", "0"), ("5.00", "0", "0")),
    ],
)
def test_cents_that_are_left_over_go_where_most_was_lost(discount, nets, expected):
    assert spread(D(discount), [D(n) for n in nets]) == [D(e) for e in expected]


def test_an_invoice_without_them_keeps_its_lines():
    header, rows = in_dynamics([{"quantity": D(2), "priceperunit": D(5), "manualdiscountamount": D(1), "tax": D("1.35")}])
    (line,) = canonical(header, rows)["lines"]
    assert (line["net"], line["discount"]) == (D(9), D(1))


def test_the_discount_is_as_dynamics_rounded_it():
    """Half a cent, rounded down by the platform: its own word counts, not our rounding."""
    header, rows = in_dynamics(
        [{"quantity": D(1), "priceperunit": D("0.10"), "manualdiscountamount": D(0), "tax": D(0)}], percentage=D(5)
    )
    header["totalamountlessfreight"] = D("0.10")
    (line,) = canonical(header, rows)["lines"]
    assert line["net"] == D("0.10")


def test_lines_that_moved_after_their_invoice_was_read_are_priced_anew():
    header, rows = in_dynamics(
        [{"quantity": D(1), "priceperunit": D(100), "manualdiscountamount": D(0), "tax": D(0)}], percentage=D(10)
    )
    rows[0] |= {"quantity": D(2), "extendedamount": D(200)}
    (line,) = canonical(header, rows)["lines"]
    assert line["net"] == (D(200) * D("0.9")).quantize(CENT, ROUND_HALF_UP)


def test_freight_is_a_line_of_its_own_with_the_codes_that_were_chosen():
    header, rows = in_dynamics(
        [{"quantity": D(1), "priceperunit": D(100), "manualdiscountamount": D(0), "tax": D(15)}], freight=D("12.50")
    )
    item = line_items(canonical(header, rows)["lines"], BOOKS)[1]
    assert item == {
        "Description": "Freight",
        "Quantity": D(1),
        "UnitAmount": D("12.5"),
        "AccountCode": "260",
        "TaxType": "NONE",
        "TaxAmount": D(0),
    }
