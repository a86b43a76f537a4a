"""Words and numbers as people read them; foreign text stays text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.texts import MATCH_WORDS, RUN_WORDS, STATUS_WORDS, ago, amount, count, lasting, listed, money, plain, when, zone
from sync_core.model import MatchStatus, RunStatus, Status

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        ("1284.1000", "NZD", "1,284.10"),
        ("-0.0100", "NZD", "-0.01"),
        ("0.0000", "NZD", "0.00"),
        ("1200.0000", "JPY", "1,200"),
        ("1.2340", "KWD", "1.234"),
        ("0.0050", "NZD", "0.005"),
        ("99999999999999.9900", "NZD", "99,999,999,999,999.99"),
    ],
)
def test_amounts_have_their_currencys_decimals_and_lose_nothing(value, currency, text):
    assert amount(Decimal(value), currency) == text


@given(st.decimals(min_value=-(10**14), max_value=10**14, places=4))
def test_an_amount_reads_back_exactly(value):
    assert Decimal(amount(value, "NZD").replace(",", "")) == value


def test_an_amount_that_is_not_there_is_blank():
    assert amount(None, "NZD") == ""


def test_money_names_its_currency():
    assert money(Decimal("-1284.1"), "NZD") == "NZD -1,284.10"


@pytest.mark.parametrize(
    ("past", "text"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=2), "2 min ago"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(days=3), "3 days ago"),
    ],
)
def test_ages_are_in_the_largest_unit_that_says_enough(past, text):
    assert ago(NOW - past, NOW) == text


def test_never_is_said():
    assert (ago(None, NOW), when(None, UTC)) == ("never", "never")


def test_instants_are_in_the_readers_zone():
    assert when(NOW, zone("Pacific/Auckland")) == "2026-11-24 01:00"
    assert zone("Not/AZone") is UTC
    assert zone(None) is UTC
    assert zone("Europe/London") == ZoneInfo("Europe/London")


@pytest.mark.parametrize(("parts", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")])
def test_lists_read_as_sentences(parts, text):
    assert listed(parts) == text


def test_counts_agree_with_their_word():
    assert (count(1, "invoice"), count(1200, "invoice"), count(0, "entry", "entries")) == (
        "1 invoice",
        "1,200 invoices",
        "0 entries",
    )


def test_how_long_a_run_took():
    assert [lasting(timedelta(seconds=s)) for s in (5.12, 60, 600)] == ["5.1 s", "60 s", "10 min"]


@pytest.mark.parametrize(("words", "all_of_them"), [(MATCH_WORDS, MatchStatus), (STATUS_WORDS, Status), (RUN_WORDS, RunStatus)])
def test_every_status_has_a_shape_and_a_word(words, all_of_them):
    assert set(words) == set(all_of_them)
    assert all(
        len(shape) == 1 and not shape.isalnum() and word for shape, _, word in (w.partition(" ") for w in words.values())
    )


@pytest.mark.parametrize(
    "text",
    [
        "![x](http://evil.example/a.png)",
        "[pay](https://evil.example)",
        "<img src=x>",
        "$x$ :red[y] `code`",
        "# Title",
        "a\n\n- b",
    ],
)
def test_markdown_in_foreign_text_is_escaped(text):
    made = plain(text)
    assert "\n" not in made
    assert not any(made[at] in "![](<`$#*_-" and (at == 0 or made[at - 1] != "\\") for at in range(len(made)))


def test_addresses_do_not_become_links():
    assert "http\\:\\/\\/" not in plain("http://evil.example")
    assert "www\\." not in plain("www.evil.example")
    assert "\\@e" not in plain("a@evil.example")


@given(st.text(max_size=60))
def test_escaping_takes_nothing_away(text):
    made = plain(text).replace("\u2060", "")
    assert all(letter in made for letter in text if letter.isalnum())
