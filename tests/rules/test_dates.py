"""Xero's two spellings of time, and days that no time zone may move."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from sync_core.rules.dates import instant_of, parse_xero_date, parse_xero_instant

INSTANT = datetime(2019, 3, 11, 23, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "/Date(1552346400000+0000)/",
        "/Date(1552346400000)/",
        "/Date(1552346400000+1300)/",
        "2019-03-11T23:20:00",
        "2019-03-11T23:20:00Z",
        "2019-03-12T12:20:00+13:00",
        "2019-03-11T23:20:00.0000000Z",
    ],
)
def test_an_instant_is_the_same_in_every_spelling(text):
    assert parse_xero_instant(text) == INSTANT
    assert parse_xero_instant(text).tzinfo is UTC


def test_milliseconds_and_old_days_are_kept():
    assert parse_xero_instant("/Date(1552346400123+0000)/").microsecond == 123_000
    assert parse_xero_instant("/Date(-62135596800000)/") == datetime(1, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "/Date(1552348800000+0000)/",
        "/Date(1552348800000)/",
        "/Date(1552302000000+1300)/",
        "/Date(1552363200000-0400)/",
        "2019-03-12T00:00:00",
        "2019-03-12",
        "2019-03-12T00:00:00+13:00",
    ],
)
def test_a_day_is_the_same_in_every_spelling(text):
    assert parse_xero_date(text) == date(2019, 3, 12)


@pytest.mark.parametrize("text", ["", "soon", "/Date()/", "/Date(99999999999999999999)/", "12/03/2019"])
def test_anything_else_is_no_date(text):
    for parse in (parse_xero_instant, parse_xero_date):
        with pytest.raises(ValueError, match=r"(?i)date|iso|calendar"):
            parse(text)


def test_a_row_says_when_it_changed():
    assert instant_of({"UpdatedDateUTC": "/Date(1552346400000+0000)/"}) == INSTANT
    assert instant_of({"UpdatedDateUTCString": "2019-03-11T23:20:00"}) == INSTANT
    assert instant_of({"Name": "x"}) is None
