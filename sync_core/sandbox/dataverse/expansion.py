"""What ``$expand`` may ask for, and the links that go with rows in it.

Source: Microsoft's page on joining tables with OData. A collection comes with a link to itself; once any expansion is
nested, collections are paged, and neither they nor single rows carry an ETag.
"""

from __future__ import annotations

from urllib.parse import quote

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.options import MAX_PAGE, Preferences
from sync_core.sandbox.dataverse.paging import Cookie, next_cookie

REFERENCE = "/$ref"
EVERYWHERE = ("$select", "$filter", "$expand")
IN_COLLECTIONS = (*EVERYWHERE, "$orderby", "$top")
Expansion = tuple[str, dict[str, str]]


def is_nested(expansions: list[Expansion]) -> bool:
    """Whether one of them expands further."""
    return any("$expand" in options for _, options in expansions)


def page_size(expansions: list[Expansion], preferences: Preferences) -> int | None:
    """Rows on a page of each expanded collection; None where collections come whole."""
    return (preferences.page_size or MAX_PAGE) if is_nested(expansions) else None


def check_options(options: dict[str, str], *, plain: bool) -> None:
    """Refuse what an expansion does not take; ``plain`` is a collection that is nested nowhere.

    Raises:
        DataverseError: an option is not supported, or not here.
    """
    if any(name not in IN_COLLECTIONS for name in options):
        unknown = next(name for name in options if name not in IN_COLLECTIONS)
        raise errors.bad_query(f"The query option '{unknown}' is not supported in $expand.")
    if not plain and any(name not in EVERYWHERE for name in options):
        raise errors.bad_query(
            "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship or nested "
            "one-to-many relationship."
        )


def collection_link(url: str, options: dict[str, str], last: str | None) -> str:
    """The address of the whole collection, or of the rows after ``last``."""
    tokens = {} if last is None else {"$skiptoken": next_cookie(Cookie(), last).text()}
    shown = [f"{name}={quote(value, safe='$()=,;:/@')}" for name, value in options.items()]
    shown += [f"{name}={quote(value, safe='')}" for name, value in tokens.items()]
    return "?".join([url, "&".join(shown)]) if shown else url
