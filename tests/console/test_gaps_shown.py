"""Times without a sync: how many were due, and which run caught up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from console.gaps import Gap, gaps
from sync_core.model import RunStatus, RunSummary

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def run(minutes_ago, name="r"):
    at = NOON - timedelta(minutes=minutes_ago)
    return RunSummary(name, RunStatus.SUCCESS, at, at, "schedule", "everything", {}, {})


@pytest.mark.parametrize("ago", [[5, 20, 35], [14, 29], [], [22]])
def test_runs_that_follow_each_other_leave_no_gap(ago):
    assert gaps([run(minutes) for minutes in ago], 15, NOON) == []


def test_a_night_off_is_one_gap_that_the_next_run_caught_up():
    assert gaps([run(5, "late"), run(125)], 15, NOON) == [
        Gap(NOON - timedelta(minutes=125), NOON - timedelta(minutes=5), 7, "late")
    ]


def test_what_is_missed_now_is_not_caught_up_yet():
    [gap] = gaps([run(60)], 15, NOON)
    assert (gap.until, gap.missed, gap.caught_up) == (NOON, 4, "")
