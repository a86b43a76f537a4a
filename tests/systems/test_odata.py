from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_core.systems import odata

ID = "0a7fbe55-6a53-4e8e-9a54-0b6f4f0c7d11"


def test_query_escapes_what_would_end_an_option_and_keeps_spaces_as_percent():
    built = odata.query(select="name,_x_value", filter="name eq 'A&B #1 50%+'")
    assert built == "?$select=name,_x_value&$filter=name%20eq%20'A%26B%20%231%2050%25%2B'"


def test_query_leaves_empty_options_out():
    assert odata.query(select="", filter="") == ""


@pytest.mark.parametrize(
    ("value", "is_id", "expected"),
    [
        ("O'Brien", False, "c eq 'O''Brien'"),
        (ID, True, f"c eq {ID}"),
        (ID, False, f"c eq '{ID}'"),
        ("x' or 1 eq 1", True, "c eq 'x'' or 1 eq 1'"),
        (ID.replace("-", ""), True, f"c eq '{ID.replace('-', '')}'"),
    ],
)
def test_equals_cannot_be_broken_out_of(value, is_id, expected):
    assert odata.equals("c", value, is_id=is_id) == expected


@pytest.mark.parametrize("text", ["1.005", "0.1", "25.06", "-0.00", "12345678901234567890.1234567890", "0E-10", "1E+3"])
def test_a_decimal_is_written_digit_for_digit(text):
    written = odata.to_json({"n": Decimal(text)})
    assert json.loads(written, parse_float=Decimal, parse_int=Decimal)["n"] == Decimal(text)
    assert "E" not in written


def test_dates_and_instants_have_one_spelling():
    moment = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    assert odata.to_json([date(2026, 11, 20), moment]) == '["2026-11-20","2026-11-20T09:30:00Z"]'


@pytest.mark.parametrize("value", [0.1, Decimal("NaN"), Decimal("Infinity"), datetime(2026, 1, 1)])  # noqa: DTZ001  the case
def test_what_has_lost_its_meaning_is_not_sent(value):
    with pytest.raises((TypeError, ValueError)):
        odata.to_json({"x": [value]})


@pytest.mark.parametrize("text", ['a "quoted" \\ name', "line\nbreak\x00", "naïve ‮ text", "<script>"])
def test_hostile_text_survives_the_round_trip(text):
    assert json.loads(odata.to_json({text: text})) == {text: text}


def test_a_refusal_is_read_with_its_code_in_lower_case():
    failed = odata.failure(400, b'{"error":{"code":"0x80060888","message":"No such\\r\\nthing"}}')
    assert (failed.code, failed.message) == ("0x80060888", "No such thing")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error":null}', b'{"error":{"code":null}}', b"\xff"])
def test_a_refusal_of_another_shape_has_no_code(body):
    assert odata.failure(500, body).code == ""


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=False, allow_infinity=False, places=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_whatever_is_sent_is_read_as_it_was(value):
    assert json.loads(odata.to_json(value), parse_float=Decimal) == value
