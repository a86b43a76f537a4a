"""Lines that belong together, and who moved."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sync_core.rules.entities import entity
from sync_core.rules.side_by_side import Pair, field_lines, pair_lines

INVOICES = entity("invoices")


def line(description, net, **other):
    return {"description": description, "product": None, "net": Decimal(net), "quantity": Decimal(1)} | other


def test_lines_are_aligned_by_likeness_not_by_place():
    made = pair_lines(INVOICES, [line("Boots", "60"), line("Socks", "40")], [line("Socks", "40"), line("Boots", "60")])
    assert [(pair.crm["description"], pair.xero["description"], pair.same) for pair in made] == [
        ("Boots", "Boots", True),
        ("Socks", "Socks", True),
    ]


def test_a_changed_line_names_what_differs_and_a_lone_one_stands_alone():
    made = pair_lines(INVOICES, [line("Boots", "60"), line("Socks", "40")], [line("Boots", "55")])
    assert made[0].differing == ("Amount before tax",)
    assert (made[1].xero, made[1].same) == (None, False)


def test_codes_that_tieout_fills_in_are_no_difference():
    (pair,) = pair_lines(INVOICES, [line("Boots", "60")], [line("Boots", "60", account_code="200", tax_type="OUTPUT2")])
    assert pair.same


@pytest.mark.parametrize(
    ("crm", "xero", "verdict"),
    [
        ("a", "a", "same"),
        ("b", "a", "changed in Dynamics"),
        ("a", "b", "changed in Xero"),
        ("b", "c", "changed on both sides"),
        ("b", "b", "same"),
    ],
)
def test_who_moved(crm, xero, verdict):
    pair = Pair(entity("contacts"), {"city": crm}, {"city": xero}, {"city": "a"}, {"city": "a"})
    shown = field_lines(pair, lambda *_: None, str)
    assert next(each.verdict for each in shown if each.name == "city") == verdict


def test_without_an_agreed_image_nobody_is_blamed():
    shown = field_lines(Pair(entity("contacts"), {"city": "a"}, {"city": "b"}), lambda *_: None, str)
    assert (shown[0].name, shown[0].verdict) == ("city", "differs")


def test_a_record_of_one_side_says_so():
    shown = field_lines(Pair(entity("contacts"), {"city": "a"}, None), lambda *_: None, str)
    assert {each.verdict for each in shown} == {"only in Dynamics"}


def test_the_states_of_an_invoice_are_compared_by_meaning():
    shown = field_lines(Pair(INVOICES, {"state": "2"}, {"state": "PAID"}), lambda *_: None, str)
    state = next(each for each in shown if each.name == "state")
    assert (state.crm, state.xero, state.verdict) == ("Paid", "PAID", "same")


def test_amounts_are_written_as_everywhere_on_the_pages():
    crm, xero = ({"currency": "NZD", "total": Decimal(total)} for total in ("1204.0500", "-12345.6"))
    lines = field_lines(Pair(INVOICES, crm, xero), lambda *_: None, str)
    total = next(line for line in lines if line.name == "total")
    assert (total.crm, total.xero) == ("1,204.05", "-12,345.60")
