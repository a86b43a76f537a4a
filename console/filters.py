"""Which rows are asked for: the same words in a page's address, in a download's address and in the filters of the service."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TypeVar
from urllib.parse import urlencode

from sync_core.errors import Rejected
from sync_core.model import MatchStatus
from sync_core.service import Filters, Sort

Chosen = TypeVar("Chosen", MatchStatus, Sort)


def parse(asked: Mapping[str, str]) -> Filters:
    """Filters from query parameters. Raises Rejected naming the one that means nothing; names that are not known are left."""
    status, sort = asked.get("status", ""), asked.get("sort", "")
    return Filters(
        statuses=tuple(_one_of(MatchStatus, "status", part) for part in status.split(",") if part),
        currency=asked.get("currency") or None,
        search=asked.get("search", ""),
        since=_day("since", asked.get("since", "")),
        until=_day("until", asked.get("until", "")),
        sort=_one_of(Sort, "sort", sort) if sort else Sort.NUMBER,
        descending=asked.get("descending") == "1",
    )


def address(entity: str, filters: Filters, *, kind: str = "csv", excel: bool = False, as_of: str = "") -> str:
    """Where the file of these rows is: ``kind`` is "csv", "xlsx" or "control.json" (of the CSV with the same ``excel``).

    ``as_of``: the day or run at which they are looked at, "" for now.
    """
    parts = {
        "status": ",".join(filters.statuses),
        "currency": filters.currency or "",
        "search": filters.search,
        "since": filters.since.isoformat() if filters.since else "",
        "until": filters.until.isoformat() if filters.until else "",
        "sort": str(filters.sort) if filters.sort is not Sort.NUMBER else "",
        "descending": "1" if filters.descending else "",
        "excel": "1" if excel else "",
        "as_of": as_of,
    }
    query = urlencode({name: value for name, value in parts.items() if value})
    return f"/download/{entity}.{kind}" + (f"?{query}" if query else "")


def moment(text: str) -> date | str:
    """The day that ``text`` names, or the run, whose id it then is."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


def day_of(asked: Mapping[str, str], name: str) -> date | None:
    """A day among query parameters, None when it is not given. Raises Rejected for what is no date."""
    return _day(name, asked.get(name, ""))


def _one_of(kind: type[Chosen], name: str, text: str) -> Chosen:
    try:
        return kind(text)
    except ValueError:
        raise Rejected(f"There is no {name} called {text!r}. There are: {', '.join(kind)}.", field=name) from None


def _day(name: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Rejected(f"{text!r} is no date for {name}. Write it as 2026-11-30.", field=name) from None
