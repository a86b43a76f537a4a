"""xero-python as the catalogue of Xero's operations (paths, verbs, parameters), over our own way out.

Its transport re-sends changes and sleeps for hours, its token refresh is not thread-safe and its deserialiser fails a whole
page on one unknown value, so none of these is used: requests go through :class:`~sync_core.systems.http.Http`, bodies are
JSON texts that we write, answers stay unparsed. Importing it costs most of a second, which is why this module is only
imported when a client is made.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.rest import RESTClientObject

from sync_core.systems.http import Answer, Http

_OURS = frozenset({"user-agent", "authorization", "content-type"})


class _Rest(RESTClientObject):  # type: ignore[misc]  # the package has no types
    """xero-python's transport, replaced: every verb of it ends in ``request``."""

    def __init__(self, http: Http) -> None:
        # The parent would open its own connection pool; all that it offers beyond that is calls of ``request``.
        self._http = http

    def request(
        self,
        method: str,
        url: str,
        query_params: Sequence[tuple[str, Any]] | None = None,
        headers: Mapping[str, Any] | None = None,
        body: str | None = None,
        **_options: Any,
    ) -> Answer:
        reading = method.upper() == "GET"
        sent = {name: str(value) for name, value in (headers or {}).items() if name.lower() not in _OURS}
        if body is not None:
            sent["Content-Type"] = "application/json; charset=utf-8"
        pairs = [(name, _spelled(value)) for name, value in query_params or ()]
        return self._http.request(
            method,
            f"{url}?{urlencode(pairs, quote_via=quote)}" if pairs else url,
            headers=sent,
            content=body.encode() if body is not None else None,
            safe=reading,
            write=not reading,
        )


class _Client(ApiClient):  # type: ignore[misc]  # the package has no types
    """xero-python's client without its tokens: ours are put on by :class:`Http`."""

    def update_params_for_auth(self, headers: Any, querys: Any, auth_settings: Any) -> None:
        pass


class Catalogue:
    """Xero's operations by their name in xero-python. Each brings an :class:`Answer`."""

    def __init__(self, http: Http, base_url: str, tenant: str) -> None:
        # Configuration is one per process whatever it is given; nothing of ours is put into it.
        client = _Client(Configuration())
        client.rest_client = _Rest(http)
        self._api = AccountingApi(client, base_url=base_url)
        self._tenant = tenant

    def call(self, operation: str, *path: str, body: str | None = None, **options: Any) -> Answer:
        """``path``: the ids in the operation's path. Options that the operation does not have are left out."""
        known = _parameters(operation)
        wanted = {name: value for name, value in options.items() if name in known and value not in (None, "")}
        places = (*path, body) if body is not None else path
        answer = getattr(self._api, operation)(self._tenant, *places, **wanted, _preload_content=False)
        if not isinstance(answer, Answer):
            raise TypeError(f"{operation} of xero-python did not use our transport")
        return answer


@cache
def _parameters(operation: str) -> frozenset[str]:
    return frozenset(inspect.signature(getattr(AccountingApi, operation)).parameters)


def _spelled(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
