"""Where a paged answer stands: the cookie in ``$skiptoken`` and the links that carry it."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from sync_core.sandbox.dataverse import errors

ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
LINK_ONLY = ("$skiptoken", "$deltatoken")


class Cookie(dict[str, str]):
    """The attributes of ``<cookie pagenumber="2" pagingcookie="..." istracking="False" />``."""

    @property
    def page(self) -> int:
        return self.number("pagenumber", 1)

    @property
    def last(self) -> str:
        return self.get("pagingcookie", "")

    def number(self, name: str, default: int) -> int:
        text = self.get(name, "")
        return int(text) if text.isdigit() else default

    def text(self) -> str:
        return "<cookie " + " ".join(f'{name}="{value}"' for name, value in self.items()) + " />"


def read_cookie(token: str | None) -> Cookie:
    """The cookie of a ``$skiptoken``; an empty one on the first page."""
    if token is None:
        return Cookie()
    found = Cookie(ATTRIBUTE.findall(unquote(token)))
    if "pagenumber" not in found:
        raise errors.DataverseError(400, "0x80040203", "Malformed XML in the Paging Cookie")
    return found


def next_cookie(cookie: Cookie, last: str, **more: object) -> Cookie:
    """The cookie of the page after the one that ended with ``last``."""
    tracking = {"istracking": "True" if more.pop("tracking", False) else "False"}
    values = {"pagenumber": str(cookie.page + 1), "pagingcookie": last, **tracking}
    return Cookie(values | {name: str(value) for name, value in more.items()})


def link(url: str, query: str, **tokens: str) -> str:
    """``url`` with the caller's own options, verbatim, and a new ``$skiptoken`` or ``$deltatoken``."""
    kept = [p for p in query.split("&") if p and unquote(p.partition("=")[0]) not in LINK_ONLY]
    return f"{url}?" + "&".join([*kept, *(f"${name}={quote(value, safe='')}" for name, value in tokens.items())])
