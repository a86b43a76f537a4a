"""Sums: control totals that add up to the cent, and amounts as text."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_core.model import MatchStatus
from sync_core.rules.reasons import Reason
from sync_core.rules.reconcile import Filters, Part, Sort, amount_text, as_json, decimals, reconciliation

MONEY = st.decimals(min_value=-(10**14), max_value=10**14, places=4)
PARTS = st.lists(
    st.builds(
        Part,
        currency=st.sampled_from(["NZD", "USD", "JPY"]),
        status=st.sampled_from(list(MatchStatus)),
        reason=st.sampled_from(list(Reason)),
        rows=st.integers(1, 99),
        crm_count=st.integers(0, 99),
        xero_count=st.integers(0, 99),
        crm=MONEY,
        xero=MONEY,
    )
)


@given(PARTS)
def test_totals_add_up(parts):
    result = reconciliation("invoices", parts)
    assert sum(result.statuses.values()) == sum(result.reasons.values()) == result.rows == sum(part.rows for part in parts)
    assert [total.currency for total in result.totals] == sorted({part.currency for part in parts})
    for total in result.totals:
        inside = [part for part in parts if part.currency == total.currency]
        assert total.crm == sum(part.crm for part in inside)
        assert total.difference == total.crm - total.xero == total.explained + total.unexplained
        assert sum(total.by_reason.values()) == total.difference


def test_what_has_no_known_reason_is_unexplained():
    part = Part("NZD", MatchStatus.DIFFERS, Reason.OTHER, 1, 1, 1, Decimal("120.00"), Decimal("115.00"))
    rounding = Part("NZD", MatchStatus.DIFFERS, Reason.TAX_ROUNDING, 1, 1, 1, Decimal("11.45"), Decimal("11.44"))
    (total,) = reconciliation("invoices", [part, rounding]).totals
    assert (total.explained, total.unexplained) == (Decimal("0.01"), 5)


def test_the_json_shape():
    part = Part("JPY", MatchStatus.MISSING_IN_XERO, Reason.MISSING_IN_XERO, 2, 2, 0, Decimal("1500.0000"), Decimal(0))
    made = as_json(reconciliation("invoices", [part]))
    assert made["rows"] == 2
    assert made["status"]["Missing in Xero"] == 2
    assert made["totals"] == [
        {"currency": "JPY", "crm": "1500", "xero": "0", "difference": "1500", "explained": "1500", "unexplained": "0"}
    ]


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1234567.5000", "NZD", "1234567.50"),
        ("-0.0000", "NZD", "0.00"),
        ("1.0050", "NZD", "1.005"),
        ("1500", "JPY", "1500"),
        ("1500.5", "JPY", "1500.5"),
        ("1.2", "KWD", "1.200"),
        ("1E+3", "NZD", "1000.00"),
        ("10", "", "10.00"),
    ],
)
def test_amounts_have_their_currency_s_decimals(amount, currency, text):
    assert amount_text(Decimal(amount), currency) == text


@given(MONEY, st.sampled_from(["NZD", "JPY", "KWD", "CLF", ""]))
def test_no_digit_is_lost(amount, currency):
    text = amount_text(amount, currency)
    assert Decimal(text) == amount
    assert len(text.partition(".")[2]) >= decimals(currency)


def test_filters_say_only_what_was_asked():
    assert Filters().as_json() == {"sort": "number", "descending": False}
    asked = Filters(statuses=(MatchStatus.DIFFERS,), since=date(2026, 11, 1), amount=Decimal("5.00"), sort=Sort.DATE)
    assert asked.as_json() == {
        "status": ["Differs"],
        "since": "2026-11-01",
        "amount": "5.00",
        "sort": "date",
        "descending": False,
    }
