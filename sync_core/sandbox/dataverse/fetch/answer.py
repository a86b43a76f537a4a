"""Answers a query: joined rows in order, one page of them, as the JSON body of a list.

Source: Microsoft's pages on FetchXML with the Web API. Empty columns are left out, unlike in OData queries.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.comparing import Getter
from sync_core.sandbox.dataverse.fetch import refusals
from sync_core.sandbox.dataverse.fetch.cookies import Keys, outer_cookie, read_cookie, write_cookie
from sync_core.sandbox.dataverse.fetch.grouping import aggregates, group
from sync_core.sandbox.dataverse.fetch.joining import Joined, Scope, folded
from sync_core.sandbox.dataverse.fetch.model import ROOT, Order, Query
from sync_core.sandbox.dataverse.fetch.outputs import Output, Writer, context_of, selected_outputs
from sync_core.sandbox.dataverse.options import MAX_PAGE
from sync_core.sandbox.dataverse.paging import link
from sync_core.sandbox.dataverse.paging import read_cookie as read_token
from sync_core.sandbox.dataverse.query import Listing, counted
from sync_core.sandbox.dataverse.render import TableSource, etag, in_order

COOKIE = "Microsoft.Dynamics.CRM.fetchxmlpagingcookie"
MORE = "Microsoft.Dynamics.CRM.morerecords"


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its rows as JSON objects, whether more follow, and where it ended when that can be said."""

    value: list[dict[str, Any]]
    context: str
    more: bool
    found: int
    keys: Keys | None


def list_found(listing: Listing, query: Query) -> dict[str, Any]:
    """The body of the answer to ``query``.

    Raises:
        DataverseError: the query names what does not exist, or is about another table than the address.
    """
    if query.entity.table != listing.table.logical and query.entity.table in listing.env.catalog.tables:
        message = f"The query is about '{query.entity.table}', the address names the set '{listing.table.set_name}'."
        raise errors.bad_query(message)
    scope = Scope(listing.env, query.entity, TableSource(listing.env, listing.table, listing.user).caller, query.where)
    number, position = _position(listing, query)
    size = query.top or query.count or listing.preferences.page_size or MAX_PAGE
    window = Window(number, position, min(size, MAX_PAGE), query.skip)
    page = _groups(scope, query, listing, window) if query.aggregate else _rows(scope, query, listing, window)
    return _body(listing, query, page, number)


def _position(listing: Listing, query: Query) -> tuple[int, dict[str, str]]:
    """The number of the page, and what the paging cookie says of the one before."""
    token = listing.options.get("$skiptoken")
    if token is None:
        return query.page, read_cookie(query.cookie) if query.cookie else {}
    outer = read_token(token)
    return outer.page, read_cookie(unquote(unquote(outer.last))) if outer.last else {}


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of all rows is wanted."""

    number: int
    position: dict[str, str]
    size: int
    skip: int

    def start(self, rows: list[Joined], identity: dict[str, Getter]) -> int:
        """After the row that the cookie names; else so many pages on."""
        if self.position and identity:
            wanted = [self.position.get(name, "").strip("{}").lower() for name in identity]
            for place, joined in enumerate(rows):
                if [get(joined) or "" for get in identity.values()] == wanted:
                    return place + 1
        return self.skip + (self.number - 1) * self.size


def _rows(scope: Scope, query: Query, listing: Listing, window: Window) -> Page:
    columns = selected_outputs(scope, distinct=query.distinct)
    writer = Writer(scope, columns, listing.preferences)
    found = _distinct(scope.rows(), columns) if query.distinct else list(scope.rows())
    rows = in_order(found, _order_getters(scope, query))
    identity = _identity(scope)
    start = window.start(rows, identity)
    wanted = rows[start : start + window.size]
    tagged = not query.distinct
    value = [writer.write({"@odata.etag": etag(j[0])} if tagged and j[0] else {}, writer.values(j), j) for j in wanted]
    more = len(rows) > start + window.size and not query.top
    keys = _keys(scope, query, wanted, identity) if wanted and not query.distinct else None
    return Page(value, context_of(scope.tables[ROOT], columns), more, len(rows), keys)


def _distinct(rows: Iterable[Joined], columns: list[Output]) -> list[Joined]:
    first: dict[tuple[Any, ...], Joined] = {}
    for joined in rows:
        first.setdefault(tuple(folded(column.getter(joined)) for column in columns), joined)
    return list(first.values())


def _identity(scope: Scope) -> dict[str, Getter]:
    """The primary ids of all tables of a row, by the names that they have in a cookie."""
    return {
        f"{alias}.{table.primary_id}" if alias else table.primary_id: scope.getter(alias, table.primary_id)
        for alias, table in scope.tables.items()
    }


def _keys(scope: Scope, query: Query, page: list[Joined], identity: dict[str, Getter]) -> Keys | None:
    if any(order.entity or order.alias for order in query.entity.orders):
        return None  # the service gives no cookie when rows are sorted by a linked table
    ordered = {o.attribute: scope.getter(ROOT, o.attribute) for o in query.entity.orders}
    keys: Keys = {name: (get(page[-1]), get(page[0])) for name, get in ordered.items()}
    for name, get in identity.items():
        last, first = (f"{{{get(joined).upper()}}}" if get(joined) else "" for joined in (page[-1], page[0]))
        keys[name] = (last, first)
    return keys


def _order_getters(scope: Scope, query: Query) -> list[tuple[Getter, bool]]:
    """Orders of the first table, then those of each link."""
    found = []
    for alias, entity in scope.entities.items():
        for order in entity.orders:
            if not order.attribute:
                raise refusals.bad_argument("An alias in an order element is for aggregate queries.")
            found.append((_order_getter(scope, order, order.entity or alias, raw=query.raw_order), order.descending))
    return found


def _order_getter(scope: Scope, order: Order, alias: str, *, raw: bool) -> Getter:
    """Lookups are ordered by the name that they show and choices by their label, unless raw values are wanted."""
    column, getter, place = scope.column(alias, order.attribute), scope.getter(alias, order.attribute), scope.places[alias]
    if column.is_lookup:
        return lambda joined: (
            None if (value := getter(joined)) is None else scope.env.name_of(scope.env.target_of(column, joined[place]), value)
        )
    if column.options and not raw:
        labels = {option.value: option.label for option in column.options}
        return lambda joined: labels.get(getter(joined))
    return getter


def _groups(scope: Scope, query: Query, listing: Listing, window: Window) -> Page:
    columns = aggregates(scope)
    writer = Writer(scope, columns, listing.preferences)
    found = group(columns, scope.rows(), query.limit)
    found = in_order(found, [_group_order(columns, order) for e in scope.entities.values() for order in e.orders])
    start = window.skip + (window.number - 1) * window.size
    wanted = found[start : start + window.size]
    value = [writer.write({}, [g.values[c.key] for c in columns], g.sample) for g in wanted]
    more = len(found) > start + window.size and not query.top
    return Page(value, context_of(scope.tables[ROOT], columns), more, len(found), None)


def _group_order(columns: list[Output], order: Order) -> tuple[Getter, bool]:
    name = order.alias or order.attribute
    if all(column.key != name for column in columns):
        raise refusals.unknown_alias(name)
    return lambda found: found.values[name], order.descending


def _body(listing: Listing, query: Query, page: Page, number: int) -> dict[str, Any]:
    body: dict[str, Any] = {"@odata.context": f"{listing.service}$metadata#{page.context}"}
    if query.total or listing.options.get("$count") == "true":
        body |= counted(listing.preferences, page.found)
    cookie = outer_cookie(number, write_cookie(number, page.keys)) if page.more and page.keys else ""
    if cookie and listing.preferences.annotates(COOKIE):
        body[f"@{COOKIE}"] = cookie
    if listing.preferences.annotates(MORE):
        body[f"@{MORE}"] = page.more
    body["value"] = page.value
    if page.more and not query.count:
        token = cookie or f'<cookie pagenumber="{number + 1}" istracking="False" />'
        body["@odata.nextLink"] = link(listing.url, listing.query, skiptoken=token)
    return body
