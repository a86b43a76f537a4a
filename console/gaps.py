"""Times in which no sync ran although the schedule had asked for some, and the run that caught up. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sync_core.model import RunSummary

LATE = 1.5
"""A run that comes so many intervals after the one before it is late; a little less is the schedule's own unevenness."""


@dataclass(frozen=True, slots=True)
class Gap:
    """No run began between ``since`` and ``until`` (UTC). ``missed`` syncs were due; ``caught_up`` is the run after it."""

    since: datetime
    until: datetime
    missed: int
    caught_up: str


def gaps(runs: Sequence[RunSummary], minutes: int, now: datetime) -> list[Gap]:
    """The gaps between ``runs`` (the latest first) and up to ``now``, the latest first. A gap up to now has no run after it."""
    interval = timedelta(minutes=minutes)
    later: list[tuple[datetime, str]] = [(now, ""), *((run.started, run.run) for run in runs)]
    found = []
    for (until, run), before in zip(later, runs, strict=False):
        missed = int((until - before.started) / interval) - (1 if run else 0)
        if until - before.started > LATE * interval and missed > 0:
            found.append(Gap(before.started, until, missed, run))
    return found
