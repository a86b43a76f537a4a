"""The first sentence: never reassuring when the data are old, were never read, or the last run failed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from console.standing import Mood, Tally, stale_sides, standing
from sync_core.model import ControlTotal, DataAge, MatchStatus, RunStatus, RunSummary, Side

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FRESH = DataAge(NOW - timedelta(minutes=3), NOW - timedelta(minutes=4))
RUN = RunSummary("r", RunStatus.SUCCESS, NOW, NOW, "schedule", "everything", {}, {})
OPEN = set(MatchStatus) - {MatchStatus.MATCHED, MatchStatus.WITHIN_TOLERANCE, MatchStatus.IGNORED}


def total(currency, difference):
    amounts = Decimal(100), Decimal(100) - Decimal(difference), Decimal(difference)
    return ControlTotal(currency, 1, 1, *amounts, Decimal(difference), Decimal(0))


def tally(singular="invoice", totals=(), **statuses):
    return Tally(singular, singular, {MatchStatus[name]: number for name, number in statuses.items()}, totals)


def sentence(tallies, age=FRESH, runs=(RUN,), *, paused=False):
    return standing(tallies, age, list(runs), minutes=15, paused=paused, now=NOW)


def test_everything_ties_out():
    found = sentence([tally(MATCHED=5, WITHIN_TOLERANCE=1, IGNORED=2), tally("payment", MATCHED=1)])
    assert (found.mood, found.headline) == (Mood.GOOD, "Everything ties out.")


def test_what_does_not_tie_out_is_counted_with_its_money_per_currency():
    invoices = tally(
        totals=[total("NZD", "1284.10"), total("USD", "-20"), total("AUD", "0")], MATCHED=5, DIFFERS=4, DUPLICATE=3
    )
    found = sentence([invoices, tally("payment", DIFFERS=1)])
    assert found.headline == "Everything ties out except 7 invoices (NZD 1,284.10 and USD -20.00) and 1 payment."
    assert found.mood is Mood.OPEN


@pytest.mark.parametrize("status", sorted(OPEN))
def test_every_other_status_is_open(status):
    assert sentence([tally(**{status.name: 1})]).headline == "Everything ties out except 1 invoice."


@pytest.mark.parametrize("side", Side)
def test_beyond_two_intervals_nothing_is_all_good(side):
    age = replace(FRESH, **{str(side): NOW - timedelta(minutes=31)})
    found = sentence([tally(MATCHED=5)], age)
    assert found.mood is Mood.STALE
    assert found.headline == f"Not up to date: {side.label} was last read 31 min ago."
    assert found.detail.startswith("At that time")
    assert stale_sides(age, 15, NOW) == [side]


def test_two_intervals_are_not_stale_yet():
    edge = NOW - timedelta(minutes=30)
    assert sentence([tally(MATCHED=5)], DataAge(edge, edge)).mood is Mood.GOOD


def test_stale_names_why():
    failed = replace(RUN, status=RunStatus.CONFIGURE, message="Xero refused the sign-in.")
    old = DataAge(NOW - timedelta(hours=3), None)
    assert "Xero refused the sign-in." in sentence([tally(MATCHED=1)], old, [failed]).detail
    assert "Xero was never read" in sentence([tally(MATCHED=1)], old).headline
    assert "The schedule is paused." in sentence([tally(MATCHED=1)], old, paused=True).detail


def test_a_failed_run_is_told_even_when_the_data_are_fresh():
    failed = replace(RUN, status=RunStatus.FAILED, message="The network went away.")
    running = replace(RUN, status=RunStatus.RUNNING, finished=None)
    assert "The network went away." in sentence([tally(MATCHED=1)], runs=[running, failed]).detail


def test_never_synced_says_so():
    found = sentence([tally()], DataAge(None, None), [])
    assert (found.mood, found.headline) == (Mood.EMPTY, "Nothing has been synced yet.")


def test_an_organisation_without_documents_is_not_called_good():
    assert sentence([tally()]).headline == "There is nothing to tie out yet."


@pytest.mark.parametrize("age", [FRESH, DataAge(None, None)])
def test_a_sync_that_failed_before_it_began_is_told(age):
    found = standing([tally(MATCHED=1)], age, [], minutes=15, paused=False, now=NOW, trouble="Xero does not answer.")
    assert found.detail == "The last scheduled sync failed: Xero does not answer."
