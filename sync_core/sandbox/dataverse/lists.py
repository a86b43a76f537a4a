"""``GET <set>`` in any of the languages that the service takes: OData, FetchXML, ``sql`` and saved queries."""

from __future__ import annotations

from typing import Any

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.fetch.answer import list_found
from sync_core.sandbox.dataverse.fetch.apply import MARK, Apply, nested
from sync_core.sandbox.dataverse.fetch.sql import read_sql
from sync_core.sandbox.dataverse.fetch.xml import read_fetch
from sync_core.sandbox.dataverse.query import OTHER_LANGUAGES, Listing, list_rows
from sync_core.sandbox.dataverse.tracking import is_tracked, list_changes
from sync_core.sandbox.dataverse.views import view_query


def answer_list(listing: Listing) -> dict[str, Any]:
    """The JSON body of a list.

    Raises:
        DataverseError: the query is refused.
    """
    options = listing.options
    given = [name for name in OTHER_LANGUAGES if name in options]
    if not given:
        tracked = is_tracked(options, preferred=listing.preferences.track_changes)
        return list_changes(listing) if tracked else list_rows(listing)
    if len(given) > 1:
        raise errors.bad_query(f"The query parameters {given[0]} and {given[1]} are not supported together.")
    return _found(listing, given[0])


def _found(listing: Listing, language: str) -> dict[str, Any]:
    text, env = listing.options[language], listing.env
    if language == "fetchXml":
        return list_found(listing, read_fetch(text))
    if language == "sql":
        return list_found(listing, read_sql(text))
    if language == "savedQuery":
        return list_found(listing, view_query(env, listing.table, text))
    if language == "userQuery":
        raise errors.row_missing("userquery", text.strip().lower())
    body = list_found(listing, Apply(env, listing.table, listing.options, listing.user).query)
    context = body["@odata.context"].replace(MARK, "/")
    return {**body, "@odata.context": context, "value": [nested(row) for row in body["value"]]}
