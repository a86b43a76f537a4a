"""Open differences over time: what goes on, what changed, how old it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_core.model import MatchStatus
from sync_core.rules.ageing import Aged, Bucket, Difference, Moved, ageing, at_risk, bucket, in_base, movements, noted, solved

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def difference(row="crm:1", crm_id="1", xero_id=None, at=MONDAY, risk="5", **more):
    return Difference(
        "invoices", row, crm_id, xero_id, at, at, None, "run-1", MatchStatus.DIFFERS, "other", "Totals differ", "INV-1", "Kea",
        "NZD", None, None, Decimal(risk), Decimal(risk), **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("days", "name"),
    [(-1, "not due yet"), (0, "0-7 days"), (7, "0-7 days"), (8, "8-30 days"), (30, "8-30 days"), (31, "31-60 days"),
     (60, "31-60 days"), (61, "61-90 days"), (90, "61-90 days"), (91, "over 90 days"), (4000, "over 90 days")],
)  # fmt: skip
def test_buckets(days, name):
    assert bucket(days) == name


def test_what_is_new_is_noted_and_what_goes_on_unchanged_is_not_noted_again():
    first = noted([], [difference()], MONDAY)
    assert (first.ended, [each.row for each in first.new]) == ((), ["crm:1"])
    again = noted(first.new, [difference(at=MONDAY + DAY)], MONDAY + DAY)
    assert (again.ended, again.new) == ((), ())


def test_what_changed_keeps_the_instant_of_its_first_sight():
    notes = noted([difference()], [difference(at=MONDAY + DAY, risk="7")], MONDAY + DAY)
    (ended,), (new,) = notes.ended, notes.new
    assert (ended.at_risk, ended.until) == (5, MONDAY + DAY)
    assert (new.at_risk, new.first_seen, new.since, new.until) == (7, MONDAY, MONDAY + DAY, None)


def test_a_lone_record_that_finds_its_pair_goes_on():
    alone = difference("xero:9", None, "9")
    notes = noted([alone], [difference("crm:1", "1", "9", at=MONDAY + DAY)], MONDAY + DAY)
    assert [(each.row, each.first_seen) for each in notes.new] == [("crm:1", MONDAY)]
    assert [each.row for each in notes.ended] == ["xero:9"]


def test_what_is_not_found_any_more_ended():
    notes = noted([difference()], [], MONDAY + DAY)
    assert [(each.row, each.until) for each in notes.ended] == [("crm:1", MONDAY + DAY)]


@given(st.lists(st.sets(st.integers(0, 4)), max_size=8))
def test_whatever_comes_and_goes_the_open_ones_are_those_found_last(days):
    """Noting is replayed day by day; the open versions are what was found, each first seen when its present spell began."""
    kept: list[Difference] = []
    began: dict[int, datetime] = {}
    for n, present in enumerate(days):
        at = MONDAY + n * DAY
        began = {i: began.get(i, at) for i in present}
        notes = noted(
            [d for d in kept if d.until is None], [difference(f"crm:{i}", str(i), at=at) for i in sorted(present)], at
        )
        ended = {(d.row, d.since): d for d in notes.ended}
        kept = [ended.get((d.row, d.since), d) if d.until is None else d for d in kept] + list(notes.new)
    assert {d.row: d.first_seen for d in kept if d.until is None} == {f"crm:{i}": at for i, at in began.items()}


def test_what_opened_and_was_solved_today_is_solved_and_what_is_open_again_is_not():
    today, evening = MONDAY, MONDAY + timedelta(hours=8)
    fixed = replace(difference(row="crm:1", crm_id="1", at=today + timedelta(hours=1)), until=evening)
    older = replace(difference(row="crm:2", crm_id="2", at=today - DAY, risk="9"), until=evening)
    first = replace(difference(row="crm:3", crm_id="3", at=today - DAY), until=today + timedelta(hours=1))
    again = difference(row="crm:3", crm_id="3", at=evening)
    earlier = replace(difference(row="crm:4", crm_id="4", at=today - 2 * DAY), until=today - DAY)
    found = [each.difference.row for each in solved([fixed, older, first, again, earlier], today)]
    assert found == ["crm:2", "crm:1"]


def test_a_lone_record_that_was_matched_and_then_solved_counts_once():
    lone = replace(difference(row="xero:9", crm_id=None, xero_id="9"), until=MONDAY + timedelta(hours=1))
    pair = replace(difference(row="crm:1", crm_id="1", xero_id="9"), until=MONDAY + timedelta(hours=2))
    assert [each.difference.row for each in solved([lone, pair], MONDAY - DAY)] == ["crm:1"]


def test_what_changed_since_yesterday():
    yesterday = MONDAY - DAY
    old = difference("crm:1", "1", at=yesterday - DAY)
    kept = [
        replace(old, until=MONDAY),
        replace(old, at_risk=Decimal(9), since=MONDAY),
        difference("crm:2", "2", at=MONDAY, risk="3"),
        replace(difference("crm:3", "3", at=yesterday - DAY, risk="4"), until=MONDAY),
        replace(difference("crm:4", "4", at=MONDAY), until=MONDAY + DAY),
    ]
    found = [(m.moved, m.difference.row, m.before and m.before.at_risk) for m in movements(kept, yesterday)]
    assert found == [(Moved.CHANGED, "crm:1", 5), (Moved.SOLVED, "crm:3", 4), (Moved.NEW, "crm:2", None)]


@pytest.mark.parametrize(
    ("difference", "crm_due", "xero_due", "risk"),
    [("5", None, None, "5"), ("-5", "10", "10", "5"), ("0", "100", "0", "100"), ("-1150", None, "1150", "1150")],
)
def test_money_at_risk_is_the_difference_or_what_is_due_on_one_side_only(difference, crm_due, xero_due, risk):
    due = [None if text is None else Decimal(text) for text in (crm_due, xero_due)]
    assert at_risk(Decimal(difference), *due) == Decimal(risk)


def test_the_base_currency_needs_a_rate():
    assert in_base(Decimal(60), Decimal("0.6")) == Decimal("100.0000")
    assert in_base(Decimal(1), Decimal(3)) == Decimal("0.3333")
    assert in_base(Decimal(60), None) is None


def test_ageing_counts_by_due_date_and_by_first_sight_and_never_across_currencies():
    today = date(2026, 11, 30)
    made = ageing(
        [
            Aged("NZD", Decimal(5), date(2026, 11, 29), date(2026, 8, 1)),
            Aged("NZD", Decimal(7), date(2026, 10, 1), date(2026, 12, 24)),
            Aged("USD", Decimal(1), date(2026, 11, 29), None, has_rate=False),
        ],
        today,
    )
    assert [(a.bucket, a.currency, a.count, a.at_risk) for a in made.by_due] == [
        (Bucket.NOT_DUE, "NZD", 1, 7),
        (Bucket.WEEK, "USD", 1, 1),
        (Bucket.OLDER, "NZD", 1, 5),
    ]
    assert [(a.bucket, a.currency, a.at_risk) for a in made.by_seen] == [
        (Bucket.WEEK, "NZD", 5),
        (Bucket.WEEK, "USD", 1),
        (Bucket.TWO_MONTHS, "NZD", 7),
    ]
    assert made.without_rate == ("USD",)
