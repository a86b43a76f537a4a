"""How the organisation stands, in one sentence: computed, and never reassuring when the data are old or were never read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from console.texts import SETTLED, ago, count, listed, money
from sync_core.model import ControlTotal, DataAge, MatchStatus, RunStatus, RunSummary, Side

STALE_AFTER = 2
"""Data older than so many intervals of the schedule are called stale (R4)."""


class Mood(StrEnum):
    EMPTY = "empty"
    STALE = "stale"
    OPEN = "open"
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Tally:
    """One kind of document: its words, how many rows stand how, and the sums per currency."""

    entity: str
    singular: str
    statuses: Mapping[MatchStatus, int]
    totals: Sequence[ControlTotal]

    @property
    def open(self) -> int:
        return sum(number for status, number in self.statuses.items() if status not in SETTLED)

    @property
    def sentence(self) -> str:
        """ "7 invoices, NZD 1,284.10 and USD 20.00"; without amounts when the sums agree."""
        apart = [money(t.difference, t.currency) for t in self.totals if t.difference]
        return f"{count(self.open, self.singular)}{' (' + listed(apart) + ')' if apart else ''}"


@dataclass(frozen=True, slots=True)
class Standing:
    mood: Mood
    headline: str
    detail: str = ""


def stale_sides(age: DataAge, minutes: int, now: datetime) -> list[Side]:
    """The sides that were not read to their end within the last two intervals."""
    oldest = now - timedelta(minutes=STALE_AFTER * minutes)
    return [side for side, at in ((Side.CRM, age.crm), (Side.XERO, age.xero)) if at is None or at < oldest]


def standing(
    tallies: Sequence[Tally],
    age: DataAge,
    runs: Sequence[RunSummary],
    *,
    minutes: int,
    paused: bool,
    now: datetime,
    trouble: str = "",
) -> Standing:
    """The first sentence of the overview. ``minutes`` lie between two scheduled syncs; ``runs`` come latest first.

    ``trouble`` is why the last scheduled sync failed before it could become a run.
    """
    failure = _last_failure(runs) or (f"The last scheduled sync failed: {trouble}" if trouble else "")
    if age.crm is None and age.xero is None:
        return Standing(Mood.EMPTY, "Nothing has been synced yet.", failure or "The first sync begins by itself.")
    apart = [tally.sentence for tally in tallies if tally.open]
    stale = stale_sides(age, minutes, now)
    if stale:
        read = listed([_read(side, _at(age, side), now) for side in stale])
        found = f"At that time {listed(apart)} did not tie out." if apart else "At that time everything tied out."
        why = failure or ("The schedule is paused." if paused else "")
        return Standing(Mood.STALE, f"Not up to date: {read}.", f"{found} {why}".strip())
    if apart:
        return Standing(Mood.OPEN, f"Everything ties out except {listed(apart)}.", failure)
    if not any(sum(tally.statuses.values()) for tally in tallies):
        return Standing(Mood.EMPTY, "There is nothing to tie out yet.", failure)
    return Standing(Mood.GOOD, "Everything ties out.", failure)


def _read(side: Side, at: datetime | None, now: datetime) -> str:
    return f"{side.label} was last read {ago(at, now)}" if at is not None else f"{side.label} was never read"


def _at(age: DataAge, side: Side) -> datetime | None:
    return age.crm if side is Side.CRM else age.xero


def _last_failure(runs: Sequence[RunSummary]) -> str:
    """What stopped the last run that came to an end, "" when it went well or only single records failed."""
    ended = last_ended(runs)
    if ended is None or ended.status in (RunStatus.SUCCESS, RunStatus.PARTIAL, RunStatus.BUSY):
        return ""
    return f"The last run did not go well: {ended.message}"


def last_ended(runs: Sequence[RunSummary]) -> RunSummary | None:
    """The latest run that was to write and came to an end; ``runs`` come latest first."""
    return next((run for run in runs if run.status not in (RunStatus.RUNNING, RunStatus.PREVIEW)), None)
