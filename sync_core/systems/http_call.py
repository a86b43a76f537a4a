"""One request on its way: where it goes, and what has happened to it so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import quote, urlencode, urljoin, urlsplit

from sync_core.settings import is_loopback
from sync_core.systems import http_failures as failures

_PORTS = {"https": 443, "http": 80}


@dataclass(slots=True)
class Call:
    """``waited``: seconds slept on order of the system or the budget; ``ordered``: those of the system alone.

    ``refused``: the token that the last attempt was refused with. Instants are seconds since 1970 on the clock.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None
    safe: bool
    write: bool
    started: float
    waited: float = 0.0
    ordered: timedelta = field(default_factory=timedelta)
    failures: int = 0
    refusals: int = 0
    slow_downs: int = 0
    refused: str | None = None

    def spent(self, now: float) -> float:
        """Seconds that count against the deadline."""
        return now - self.started - self.waited

    def target(self) -> bytes | None:
        """What the request line must say, when it can be sent as it stands.

        httpx would percent-encode quotes and brackets of a nextLink, but a system must get its own link back verbatim.
        """
        target = "/" + self.url.split("://", 1)[1].partition("/")[2]
        plain = target.isascii() and target.isprintable() and " " not in target
        return target.encode() if plain else None


def address(base: str, where: str, params: Mapping[str, str] | None, *, system: str) -> str:
    """The whole address of ``where``. Raises Configure when it is one of another origin than ``base``."""
    if _is_whole(where):
        url = where.partition("#")[0]
        if not same_origin(base, url):
            raise failures.other_origin(system, urlsplit(base).netloc, url)
        url = url.replace(urlsplit(url).netloc, urlsplit(base).netloc, 1)
    else:
        url = f"{base}/{where.lstrip('/')}"
    if params:
        url += ("&" if "?" in url else "?") + urlencode(params, quote_via=quote)
    return url


def resolved(base: str, asked: str, link: str) -> str:
    """The address that ``link`` in the answer to ``asked`` means; OData allows links without a host (JSON format, 4.5.1)."""
    if not link or _is_whole(link):
        return link
    return urljoin(asked if _is_whole(asked) else f"{base}/{asked.lstrip('/')}", link)


def same_origin(base: str, url: str) -> bool:
    """Whether ``url`` leads to where ``base`` does. This machine is the same by each of its names."""
    return _origin(url) == _origin(base)


def _is_whole(where: str) -> bool:
    return "://" in where.partition("?")[0]


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.username or parts.password:
        return ("", "", 0)
    host = "localhost" if is_loopback(url) else (parts.hostname or "").lower()
    return parts.scheme, host, port or _PORTS.get(parts.scheme, 0)
