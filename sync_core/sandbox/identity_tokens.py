"""Applications, access tokens and who bears one: what both token services and both APIs share.

Access tokens are JWTs remembered in ``identity.tokens``; clearing that collection expires them
all. Life times are those in the facts: one hour for Entra, 30 minutes for Xero, on the kernel's clock.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sync_core.sandbox.identity_keys import base64url, sign
from sync_core.sandbox.kernel import Kernel, Row

Audience = Literal["dataverse", "xero"]
ENTRA_SECONDS = 3599
XERO_SECONDS = 1800


@dataclass(frozen=True, slots=True)
class Credentials:
    """The demo company's ready-made credentials. All of them are made up and the same for the same seed.

    ``xero_client_*`` is a custom connection (client credentials, granular scopes); ``xero_web_*`` an older
    app with the authorization code flow, both scope families and one refresh token in hand;
    ``xero_pkce_client_id`` has no secret. ``*_person_*`` are for edits that somebody other than the engine
    makes.
    """

    tenant_id: str
    dynamics_client_id: str
    dynamics_client_secret: str
    dynamics_user_id: str
    dynamics_person_client_id: str
    dynamics_person_client_secret: str
    dynamics_person_user_id: str
    xero_client_id: str
    xero_client_secret: str
    xero_tenant_id: str
    xero_web_client_id: str
    xero_web_client_secret: str
    xero_refresh_token: str
    xero_pkce_client_id: str
    xero_person_client_id: str
    xero_person_client_secret: str


@dataclass(frozen=True, slots=True)
class Principal:
    """Who sent a request. ``tenants`` are the organisations that the app may reach; ``user`` a systemuserid
    for Dataverse.
    """

    app: str
    tenants: tuple[str, ...]
    scopes: frozenset[str]
    user: str
    custom_connection: bool = False


def credentials(kernel: Kernel) -> Credentials:
    """The credentials of this seed."""

    def guid(name: str) -> str:
        return kernel.stable_id("identity", name)

    def secret(name: str) -> str:
        return f"sandbox-secret-{name}-{guid('secret/' + name)[:8]}"

    return Credentials(
        tenant_id=guid("entra-tenant"),
        dynamics_client_id=guid("dynamics-app"),
        dynamics_client_secret=secret("dynamics"),
        dynamics_user_id=guid("dynamics-user"),
        dynamics_person_client_id=guid("dynamics-person-app"),
        dynamics_person_client_secret=secret("dynamics-person"),
        dynamics_person_user_id=guid("dynamics-person"),
        xero_client_id=_hex(guid("xero-app")),
        xero_client_secret=secret("xero"),
        xero_tenant_id=guid("xero-tenant"),
        xero_web_client_id=_hex(guid("xero-web-app")),
        xero_web_client_secret=secret("xero-web"),
        xero_refresh_token=f"sandbox-refresh-{_hex(guid('xero-refresh'))}",
        xero_pkce_client_id=_hex(guid("xero-pkce-app")),
        xero_person_client_id=_hex(guid("xero-person-app")),
        xero_person_client_secret=secret("xero-person"),
    )


def object_of(kernel: Kernel, app: str) -> str:
    """The object id that Entra gives an application in the tenant: ``oid`` in its tokens."""
    return kernel.stable_id("identity", "object", app)


def _hex(guid: str) -> str:
    return guid.replace("-", "").upper()


def issue(kernel: Kernel, audience: Audience, app: str, scopes: Iterable[str], seconds: int, **claims: Any) -> str:
    """A new access token for ``app``, valid for ``seconds`` of the kernel's clock; ``claims`` go into token
    and row.
    """
    now = kernel.clock.now()
    tokens = kernel.collection("identity.tokens")
    for stale in [i for i, row in tokens.items() if row["expires"] <= now]:
        tokens.remove(stale)
    jti = kernel.new_id()
    expires = now + timedelta(seconds=seconds)
    payload = {
        "exp": int(expires.timestamp()),
        "jti": jti,
        "scope": list(scopes),
    }
    token = jwt(kernel, payload | claims)
    row: Row = {"audience": audience, "app": app, "scopes": list(scopes), "expires": expires, **claims}
    tokens.put(token, row)
    return token


def jwt(kernel: Kernel, claims: dict[str, Any]) -> str:
    """A signed JWT. The sandbox itself remembers its tokens and checks no signature; clients may."""
    now = int(kernel.clock.now().timestamp())
    return sign({"nbf": now, "iat": now, "sid": base64url(kernel.random.randbytes(32)), **claims})


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form; bytes that are no text become replacement characters, as nobody's id or secret has them."""
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))


def split_address(address: str) -> SplitResult:
    """The parts of an address that a caller sent; no parts at all when it is none, such as ``https://[bad``."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def client_of(request: Request, form: Mapping[str, str]) -> tuple[str, str | None]:
    """Id and secret of the app that asks, from HTTP Basic or from the form.

    Raises:
        ValueError: the Basic header cannot be read.
    """
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret")
    name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    return unquote(name), unquote(secret)


def bearer(kernel: Kernel, request: Request, audience: Audience) -> Principal | None:
    """Who bears the request's access token; None when it is missing, unknown, expired or for the other
    system.
    """
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    row = kernel.collection("identity.tokens").get(token.strip()) if kind.lower() == "bearer" else None
    if row is None or row["audience"] != audience or row["expires"] <= kernel.clock.now():
        return None
    connections = kernel.collection("identity.connections").values() if audience == "xero" else ()
    tenants = tuple(c["tenantId"] for c in connections if c["app"] == row["app"])
    return Principal(
        row["app"],
        tenants,
        frozenset(row["scopes"]),
        row.get("user", ""),
        custom_connection=bool(row.get("custom", False)),
    )


class AnyCaseRoute(Route):
    """A route whose path is matched without regard to case, as Xero does."""

    def __init__(self, path: str, endpoint: Any, *, methods: list[str]) -> None:
        super().__init__(path, endpoint, methods=methods)
        self.path_regex = re.compile(self.path_regex.pattern, re.IGNORECASE)


def no_store(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> JSONResponse:
    """A token service's JSON answer, which nobody may cache."""
    return JSONResponse(content, status, headers={"Cache-Control": "no-store", **(headers or {})})


def authority(request: Request) -> str:
    """Scheme and host that the caller used. A client routed here under a public name is told https, as it
    expects.
    """
    host = request.headers.get("host", "localhost")
    local = host.rsplit(":", 1)[0] in {"127.0.0.1", "localhost", "[::1]"}
    return f"{request.url.scheme if local else 'https'}://{host}"
