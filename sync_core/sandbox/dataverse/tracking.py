"""Change tracking: the first full load, delta links, deletions, and tokens that grow too old.

Everything a token promises rests on the global version: a token is the version up to which its bearer knows all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.options import MAX_PAGE
from sync_core.sandbox.dataverse.paging import Cookie, link, next_cookie, read_cookie
from sync_core.sandbox.dataverse.query import Listing
from sync_core.sandbox.dataverse.render import Shape, Wanted
from sync_core.sandbox.dataverse.schema import Table
from sync_core.sandbox.kernel import Kernel

NOT_ALLOWED = ("$filter", "$orderby", "$expand", "$top")
TOKEN_TIME = "%m/%d/%Y %H:%M:%S"  # noqa: S105 - the format of a time inside a delta token, no secret


@dataclass(frozen=True, slots=True)
class Token:
    """``919042!08/22/2017 08:10:44``: all changes up to ``version`` are known; issued at ``at``."""

    version: int
    at: datetime

    def text(self) -> str:
        return f"{self.version}!{self.at.strftime(TOKEN_TIME)}"


def is_tracked(options: dict[str, str], *, preferred: bool) -> bool:
    """Whether a list request is about changes: by header, by token, or by the cookie of such a list."""
    return preferred or "$deltatoken" in options or read_cookie(options.get("$skiptoken")).get("istracking") == "True"


def read_token(text: str) -> Token:
    """The token in a delta link."""
    version, mark, at = text.partition("!")
    try:
        return Token(int(version), datetime.strptime(at, TOKEN_TIME).replace(tzinfo=UTC))
    except ValueError:
        raise errors.bad_query(f"The delta token '{text}{mark[:0]}' is not valid.") from None


def list_changes(listing: Listing) -> dict[str, Any]:
    """One page of a tracked load or of a delta; the delta link stands on the last page only."""
    _check_allowed(listing)
    cookie = read_cookie(listing.options.get("$skiptoken"))
    delta = "$deltatoken" in listing.options or "since" in cookie
    page = _delta_page(listing, cookie) if delta else _load_page(listing, cookie)
    shape = Shape(Wanted(listing.env, listing.preferences, listing.service, listing.user), listing.table, listing.options)
    context = f"{listing.service}$metadata#{shape.context}"
    body: dict[str, Any] = {"@odata.context": f"{context}/$delta" if delta else context}
    body["value"] = list(page.objects(shape, f"{listing.service}$metadata#{listing.table.set_name}/$deletedEntity"))
    if page.following is not None:
        body["@odata.nextLink"] = link(listing.url, listing.query, skiptoken=page.following.text())
    else:
        body["@odata.deltaLink"] = link(listing.url, listing.query, deltatoken=page.token)
    return body


def count_changes(listing: Listing) -> int:
    """The number of changes since the delta token."""
    token = _valid_token(listing.env, listing.table, listing.options["$deltatoken"])
    rows, newest = listing.env.store.rows(listing.table.logical), listing.env.store.version
    changed = sum(1 for _ in rows.changed(token.version, newest))
    return changed + sum(1 for _ in rows.gone(token.version, newest))


def expire_tokens(kernel: Kernel) -> None:
    """Make every delta token issued so far useless, as if its life had ended."""
    env = Environment.of(kernel)
    for table in env.catalog.tables:
        expire_table_tokens(env, table)


def expire_table_tokens(env: Environment, table: str) -> None:
    """The same for one table; a change of its metadata does this."""
    env.kernel.collection("dataverse.tracking").put(table, {"since": env.store.next_version()})


@dataclass(frozen=True, slots=True)
class _Page:
    rows: list[Any]
    deleted: list[str]
    following: Cookie | None
    token: str

    def objects(self, shape: Shape, deleted_context: str) -> Iterator[dict[str, Any]]:
        for row in self.rows:
            yield shape.write(row)
        for row_id in self.deleted:
            yield {"@odata.context": deleted_context, "id": row_id, "reason": "deleted"}


def _load_page(listing: Listing, cookie: Cookie) -> _Page:
    """A page of the full load. Its token dates from the first page, so that later edits are not missed."""
    start = cookie.get("token") or Token(listing.env.store.version, _now(listing)).text()
    size = listing.preferences.page_size or MAX_PAGE
    rows = list(islice(listing.env.store.rows(listing.table.logical).after_id(cookie.last), size + 1))
    if len(rows) <= size:
        return _Page(rows, [], None, start)
    last = rows[size - 1][listing.table.primary_id]
    return _Page(rows[:size], [], next_cookie(cookie, last, tracking=True, token=start), start)


def _delta_page(listing: Listing, cookie: Cookie) -> _Page:
    """A page of changes in (since, upto]: rows by version, then deletions; ``at`` is where the last page ended."""
    env = listing.env
    if "since" in cookie:
        since, upto = cookie.number("since", 0), cookie.number("upto", 0)
    else:
        since, upto = _valid_token(env, listing.table, listing.options["$deltatoken"]).version, env.store.version
    size = listing.preferences.page_size or MAX_PAGE
    rows = env.store.rows(listing.table.logical)
    changed, at_deletes = cookie.number("at", since), cookie.number("gone", since)
    live = list(islice(rows.changed(changed, upto), size + 1)) if "gone" not in cookie else []
    deleted = list(islice(rows.gone(at_deletes, upto), size + 1 - min(len(live), size)))
    token = cookie.get("token") or Token(upto, _now(listing)).text()
    state = {"tracking": True, "since": since, "upto": upto, "token": token}
    if len(live) > size:
        place = live[size - 1]["versionnumber"]
        return _Page(live[:size], [], next_cookie(cookie, "", **state, at=place), token)
    room = size - len(live)
    ids = [row_id for _, row_id in deleted[:room]]
    if len(deleted) <= room:
        return _Page(live, ids, None, token)
    place = deleted[room - 1][0] if room else since
    return _Page(live, ids, next_cookie(cookie, "", **state, gone=place), token)


def _valid_token(env: Environment, table: Table, text: str) -> Token:
    token = read_token(text)
    days = timedelta(days=int(env.setting("expirechangetrackingindays")))
    since = (env.kernel.collection("dataverse.tracking").get(table.logical) or {}).get("since", 0)
    if env.kernel.clock.now() - token.at >= days or token.version < since:
        message = "Version stamp associated with the client has expired. Please perform a full sync."
        raise errors.DataverseError(400, errors.TRACKING_EXPIRED, message)
    return token


def _check_allowed(listing: Listing) -> None:
    for name in NOT_ALLOWED:
        if name in listing.options:
            raise errors.bad_query(f'The "{name}" query parameter isn\'t supported when Change Tracking is enabled.')
    if not listing.table.tracking:
        raise errors.bad_query(f"Change Tracking is not enabled for the entity '{listing.table.logical}'.")


def _now(listing: Listing) -> datetime:
    return listing.env.kernel.clock.now()
