"""Dataverse's own functions in ``$filter``: membership, ranges, and spans of days that are counted from now.

Each makes a test over rows from a getter, the values of the call and the present instant. Days are those of UTC, the time
zone of an application user. Source: Microsoft's list of Web API query functions; those that need a team, a fiscal year or a
hierarchy are missing and refused like unknown ones.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.comparing import Caller, Getter, Test
from sync_core.sandbox.dataverse.values import parse_date, parse_instant

Values = list[Any]
Make = Callable[[Getter, Values, datetime], Test]
Span = Callable[[datetime, int], tuple[datetime, datetime]]
DAY = timedelta(days=1)
MONTHS = 12
SIDES = (("Last", -1), ("This", 0), ("Next", 1))


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _day(now: datetime) -> datetime:
    return _start(now.date())


def _month(now: datetime, months: int) -> datetime:
    """The first of the month so many months from now."""
    at = now.year * MONTHS + now.month - 1 + months
    return _start(date(at // MONTHS, at % MONTHS + 1, 1))


def _week(now: datetime, weeks: int) -> datetime:
    """The Sunday that the week so many weeks from now begins with."""
    return _day(now) - (now.isoweekday() % 7) * DAY + 7 * weeks * DAY


def _year(now: datetime, years: int) -> datetime:
    return _month(now, 1 - now.month + MONTHS * years)


def _back(now: datetime, months: int) -> datetime:
    """The same instant so many months ago, at the latest on the last day of that month."""
    first, following = _month(now, -months), _month(now, 1 - months)
    return min(first + (now - _month(now, 0)), following - timedelta(seconds=1))


def _whole(start: Callable[[datetime, int], datetime], at: int) -> Span:
    """The whole week, month or year that is so many from now."""
    return lambda now, _n: (start(now, at), start(now, at + 1))


BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
SPANS: dict[str, Span] = {
    "Today": lambda now, _n: (_day(now), _day(now) + DAY),
    "Yesterday": lambda now, _n: (_day(now) - DAY, _day(now)),
    "Tomorrow": lambda now, _n: (_day(now) + DAY, _day(now) + 2 * DAY),
    "Last7Days": lambda now, _n: (_day(now) - 7 * DAY, now),
    "Next7Days": lambda now, _n: (now, _day(now) + 8 * DAY),
    **{f"{word}Week": _whole(_week, at) for word, at in SIDES},
    **{f"{word}Month": _whole(_month, at) for word, at in SIDES},
    **{f"{word}Year": _whole(_year, at) for word, at in SIDES},
    "LastXHours": lambda now, n: (now - timedelta(hours=n), now),
    "LastXDays": lambda now, n: (_day(now) - n * DAY, now),
    "LastXWeeks": lambda now, n: (_day(now) - 7 * n * DAY, now),
    "LastXMonths": lambda now, n: (_month(now, -n), now),
    "LastXYears": lambda now, n: (_back(now, MONTHS * n), now),
    "NextXHours": lambda now, n: (now, now + timedelta(hours=n)),
    "NextXDays": lambda now, n: (now, _day(now) + (n + 1) * DAY),
    "NextXWeeks": lambda now, n: (now, _day(now) + (7 * n + 1) * DAY),
    "NextXMonths": lambda now, n: (now, _back(_day(now), -n) + DAY),
    "NextXYears": lambda now, n: (now, _back(_day(now), -MONTHS * n) + DAY),
    "OlderThanXMinutes": lambda now, n: (BEGINNING, now - timedelta(minutes=n)),
    "OlderThanXHours": lambda now, n: (BEGINNING, now - timedelta(hours=n)),
    "OlderThanXDays": lambda now, n: (BEGINNING, now - n * DAY),
    "OlderThanXWeeks": lambda now, n: (BEGINNING, now - 7 * n * DAY),
    "OlderThanXMonths": lambda now, n: (BEGINNING, _back(now, n)),
    "OlderThanXYears": lambda now, n: (BEGINNING, _back(now, MONTHS * n)),
}
"""From the first instant, included, to the second, excluded."""


def _spanning(span: Span) -> Make:
    def make(getter: Getter, values: Values, now: datetime) -> Test:
        count = int(values[0]) if values and str(values[0]).isdigit() else 0
        try:
            first, end = span(now, count)
        except (OverflowError, ValueError) as error:
            raise errors.bad_query(f"The value {count} is outside of the range of dates.") from error
        return lambda row: (at := _instant(getter(row))) is not None and first <= at < end

    return make


def _on(compare: Callable[[date, date], bool]) -> Make:
    def make(getter: Getter, values: Values, _now: datetime) -> Test:
        wanted = _instant(_parsed(values[0])) if values else None
        if wanted is None:
            raise errors.bad_query("A date is expected as PropertyValue.")
        day = wanted.date()
        return lambda row: (at := _instant(getter(row))) is not None and compare(at.date(), day)

    return make


def _among(*, negated: bool) -> Make:
    def make(getter: Getter, values: Values, _now: datetime) -> Test:
        texts = {str(value).casefold() for value in values}
        numbers = {number for value in values if isinstance(number := _parsed(value), int | Decimal)}

        def test(row: Any) -> bool:
            value = getter(row)
            numeric = isinstance(value, int | Decimal) and not isinstance(value, bool)
            return (value in numbers if numeric else str(value).casefold() in texts) != negated

        return test

    return make


def _between(*, negated: bool) -> Make:
    def make(getter: Getter, values: Values, _now: datetime) -> Test:
        low, high = (_parsed(value) for value in values) if len(values) == 2 else _need_two()
        if isinstance(low, int | Decimal) != isinstance(high, int | Decimal) or isinstance(low, str) != isinstance(high, str):
            raise errors.bad_query("The two values of Between are of different types.")
        return lambda row: (value := _comparable(getter(row), low)) is not None and (low <= value <= high) != negated

    return make


def _need_two() -> Any:
    raise errors.bad_query("Between takes two values.")


def _parsed(value: Any) -> Any:
    """Dates, instants and numbers are given as text here."""
    if not isinstance(value, str):
        return value
    number = Decimal(value) if value.replace(".", "", 1).removeprefix("-").isdigit() else None
    return number if number is not None else _instant(parse_instant(value) or parse_date(value)) or value.casefold()


def _instant(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    return _start(value) if isinstance(value, date) else None


def _comparable(value: Any, wanted: Any) -> Any:
    """A row's value in the kind of ``wanted``; None when it is of another kind, which is in no range."""
    if isinstance(wanted, datetime):
        return _instant(value)
    if isinstance(wanted, str):
        return value.casefold() if isinstance(value, str) else None
    return value if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


QUERY_FUNCTIONS: dict[str, Make] = {
    "In": _among(negated=False),
    "NotIn": _among(negated=True),
    "Between": _between(negated=False),
    "NotBetween": _between(negated=True),
    "On": _on(lambda at, day: at == day),
    "NotOn": _on(lambda at, day: at != day),
    "OnOrAfter": _on(lambda at, day: at >= day),
    "OnOrBefore": _on(lambda at, day: at <= day),
    **{name: _spanning(span) for name, span in SPANS.items()},
}
ABOUT_CALLER: dict[str, tuple[str, Callable[[Caller], str | None]]] = {
    "EqualUserId": ("eq", lambda caller: caller.user),
    "NotEqualUserId": ("ne", lambda caller: caller.user),
    "EqualBusinessId": ("eq", lambda caller: caller.unit),
    "NotEqualBusinessId": ("ne", lambda caller: caller.unit),
}
"""How a column must compare with what of the caller."""
