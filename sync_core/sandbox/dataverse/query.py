"""``GET <set>``: filter, order, page and count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.filters import Filter, parse_filter, parse_order
from sync_core.sandbox.dataverse.options import MAX_PAGE, Preferences
from sync_core.sandbox.dataverse.paging import Cookie, link, next_cookie, read_cookie
from sync_core.sandbox.dataverse.render import Shape, TableSource, Wanted, in_order
from sync_core.sandbox.dataverse.schema import Table
from sync_core.sandbox.kernel import Row

COUNT_CAP = 5000
OTHER_LANGUAGES = ("$apply", "sql", "fetchXml", "savedQuery", "userQuery")
"""Options that hold a query of their own; ``lists`` answers them."""
TOTAL = "Microsoft.Dynamics.CRM.totalrecordcount"
TOTAL_EXCEEDED = "Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"


@dataclass(frozen=True, slots=True)
class Listing:
    """A list request: the table, its options, and the URL that links are made from."""

    env: Environment
    table: Table
    options: dict[str, str]
    preferences: Preferences
    service: str
    query: str
    url: str
    user: str


def list_rows(listing: Listing) -> dict[str, Any]:
    """One page of a table, as the JSON body."""
    _refuse_unsupported(listing.options)
    shape = Shape(Wanted(listing.env, listing.preferences, listing.service, listing.user), listing.table, listing.options)
    cookie = read_cookie(listing.options.get("$skiptoken"))
    size, paged = _page_size(listing)
    page, following = _page(listing, cookie, size)
    body: dict[str, Any] = {"@odata.context": f"{listing.service}$metadata#{shape.context}"}
    if listing.options.get("$count") == "true":
        body |= _count(listing)
    body["value"] = [shape.write(row) for row in page]
    if following is not None and paged:
        body["@odata.nextLink"] = link(listing.url, listing.query, skiptoken=following.text())
    return body


def count_rows(listing: Listing) -> int:
    """How many rows match, at most 5,000."""
    return sum(1 for _ in islice(matching(listing), COUNT_CAP))


def matching(listing: Listing, after: str = "") -> Iterator[Row]:
    """Matching rows in order of id from the one after ``after``."""
    text = listing.options.get("$filter")
    if not text:
        return listing.env.store.rows(listing.table.logical).after_id(after)
    parsed = parse_filter(text, TableSource(listing.env, listing.table, listing.user))
    return (row for row in _candidates(listing, parsed, after) if parsed.test(row))


def _candidates(listing: Listing, parsed: Filter, after: str) -> Iterable[Row]:
    """All rows, or the few that an id, an alternate key or a lookup in the filter leaves."""
    rows = listing.env.store.rows(listing.table.logical)
    ids = _narrowed(listing, parsed)
    if ids is None:
        return rows.after_id(after)
    return [row for i in sorted(ids) if i > after and (row := rows.get(i)) is not None]


def _narrowed(listing: Listing, parsed: Filter) -> list[str] | None:
    rows, table = listing.env.store.rows(listing.table.logical), listing.table
    for name, value in parsed.equal.items():
        column = table.by_property(name)
        if column is None or not isinstance(value, str) or not listing.env.is_stored(table, column):
            continue
        if column.logical == table.primary_id:
            return [value]
        if column.is_lookup:
            return rows.children(column.logical, value)
        for key in table.keys.values():
            if key.columns == (column.logical,) and rows.has_index(key):
                found = rows.by_key(key, (value,))
                return [found] if found else []
    return None


def _page_size(listing: Listing) -> tuple[int, bool]:
    """Rows on a page, and whether a next link may follow; ``$top`` is ignored beside maxpagesize."""
    top = listing.options.get("$top")
    if top is not None and (not top.isdigit() or int(top) == 0):
        raise errors.bad_query(f"Invalid value '{top}' for $top query option found.")
    if top is None or listing.preferences.page_size is not None:
        return listing.preferences.page_size or MAX_PAGE, True
    return min(int(top), MAX_PAGE), False


def _page(listing: Listing, cookie: Cookie, size: int) -> tuple[list[Row], Cookie | None]:
    order = listing.options.get("$orderby")
    if order:
        return _ordered_page(listing, order, cookie, size)
    page = list(islice(matching(listing, cookie.last), size + 1))
    more = len(page) > size
    page = page[:size]
    return page, next_cookie(cookie, page[-1][listing.table.primary_id]) if more else None


def _ordered_page(listing: Listing, order: str, cookie: Cookie, size: int) -> tuple[list[Row], Cookie | None]:
    getters = parse_order(order, TableSource(listing.env, listing.table, listing.user))
    rows = in_order(list(matching(listing)), getters)
    start = cookie.number("offset", 0)
    page, more = rows[start : start + size], len(rows) > start + size
    if not more:
        return page, None
    return page, next_cookie(cookie, page[-1][listing.table.primary_id], offset=start + size)


def _count(listing: Listing) -> dict[str, Any]:
    return counted(listing.preferences, sum(1 for _ in islice(matching(listing), COUNT_CAP + 1)))


def counted(preferences: Preferences, found: int) -> dict[str, Any]:
    """``@odata.count`` of so many rows and what goes with it; no count is above 5,000."""
    body: dict[str, Any] = {"@odata.count": min(found, COUNT_CAP)}
    if preferences.annotates(TOTAL):
        body[f"@{TOTAL}"] = min(found, COUNT_CAP)
    if preferences.annotates(TOTAL_EXCEEDED):
        body[f"@{TOTAL_EXCEEDED}"] = found > COUNT_CAP
    return body


def _refuse_unsupported(options: dict[str, str]) -> None:
    for name in ("$search", *OTHER_LANGUAGES):
        if name in options:
            raise errors.DataverseError(501, errors.BAD_QUERY, f"The sandbox does not answer queries with {name} here.")
