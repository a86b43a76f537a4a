"""The paging cookie of FetchXML: where a page ended, twice encoded, inside of an outer cookie."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET
from xml.sax.saxutils import quoteattr

from sync_core.sandbox.dataverse.fetch import refusals
from sync_core.sandbox.dataverse.values import dump

ESCAPE = re.compile(r"%[0-9A-F]{2}")
Keys = dict[str, tuple[Any, Any]]
"""(last, first) of each column that says where the page stands."""


def write_cookie(page: int, keys: Keys) -> str:
    """``<cookie page="1"><name last=".." first=".." />..</cookie>``."""
    inner = "".join(f"<{name} last={_text(last)} first={_text(first)} />" for name, (last, first) in keys.items())
    return f'<cookie page="{page}">{inner}</cookie>'


def _text(value: Any) -> str:
    if isinstance(value, str):
        return quoteattr(value, {'"': "&quot;"})
    return quoteattr("" if value is None else dump(value).decode().strip('"'))


def outer_cookie(page: int, inner: str) -> str:
    """What the answer carries: the inner cookie percent-encoded twice, in lower case, beside the number of the next page."""
    return f'<cookie pagenumber="{page + 1}" pagingcookie="{_encoded(_encoded(inner))}" istracking="False" />'


def _encoded(text: str) -> str:
    return ESCAPE.sub(lambda found: found.group().lower(), quote(text, safe="-_.!*"))


def read_cookie(text: str) -> dict[str, str]:
    """The last value of each column in an inner cookie.

    Raises:
        DataverseError: it is none.
    """
    if "<!" in text:
        raise refusals.bad_argument("Malformed XML in the Paging Cookie")
    try:
        cookie = ET.fromstring(text)  # noqa: S314 - a document type, the way to make such text grow, is refused above
    except ET.ParseError:
        raise refusals.bad_argument("Malformed XML in the Paging Cookie") from None
    return {child.tag: child.get("last", "") for child in cookie}
