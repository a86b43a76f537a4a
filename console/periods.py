"""The periods that a page can be limited to, as document dates."""

from __future__ import annotations

from datetime import date, timedelta

ANY = "Any date"
PERIODS = (ANY, "This month", "Last month", "Last 90 days", "This year", "Last year")


def limits(period: str, today: date) -> tuple[date | None, date | None]:
    """First and last day of ``period``, both included; None where it is open."""
    month, year = today.replace(day=1), today.replace(month=1, day=1)
    before = month - timedelta(days=1)
    return {
        "This month": (month, _end_of_month(month)),
        "Last month": (before.replace(day=1), before),
        "Last 90 days": (today - timedelta(days=89), today),
        "This year": (year, today.replace(month=12, day=31)),
        "Last year": (year.replace(year=year.year - 1), year - timedelta(days=1)),
    }.get(period, (None, None))


def _end_of_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
