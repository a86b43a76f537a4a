"""Xero's token service and its list of connections.

Authorization code (with PKCE for apps without a secret), refresh with rotation, client credentials for a
custom connection, revocation. A refresh token that was used keeps working for 30 minutes, so that a lost
answer costs nothing; afterwards it is ``invalid_grant``. Consent is given at once: the sandbox has no sign-in
page.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sync_core.sandbox.identity_keys import base64url, key_set
from sync_core.sandbox.identity_tokens import (
    XERO_SECONDS,
    AnyCaseRoute,
    authority,
    client_of,
    credentials,
    form_of,
    issue,
    jwt,
    no_store,
    split_address,
)
from sync_core.sandbox.identity_xero_apps import BROAD, GRANULAR, SIGN_IN, App, apps
from sync_core.sandbox.identity_xero_connections import connect, connections, disconnect
from sync_core.sandbox.kernel import Kernel, Row

GRACE = timedelta(minutes=30)
REFRESH_LIFE = timedelta(days=60)
CODE_LIFE = timedelta(minutes=5)
ID_SECONDS = 300


@dataclass
class OAuthError(Exception):
    """A refusal in OAuth's own form."""

    error: str
    status: int = 400
    headers: dict[str, str] = field(default_factory=dict)


def xero_routes(kernel: Kernel) -> list[Route]:
    """Xero's identity routes and /connections, to be mounted at the root of the Xero port."""
    prepare(kernel)
    kernel.on_reset.append(lambda: prepare(kernel))

    async def token(request: Request) -> Response:
        form = await form_of(request)
        return _answer(lambda: no_store(_token(kernel, request, form)))

    async def revocation(request: Request) -> Response:
        form = await form_of(request)
        return _answer(lambda: _revoke(kernel, request, form))

    async def authorize(request: Request) -> Response:
        return _answer(lambda: _authorize(kernel, request))

    async def discovery(request: Request) -> Response:
        return JSONResponse(_discovery(request))

    async def keys(_request: Request) -> Response:
        return JSONResponse(key_set())

    async def listed(request: Request) -> Response:
        return connections(kernel, request)

    async def removed(request: Request) -> Response:
        return disconnect(kernel, request)

    return [
        AnyCaseRoute("/connect/token", token, methods=["POST"]),
        AnyCaseRoute("/connect/revocation", revocation, methods=["POST"]),
        AnyCaseRoute("/identity/connect/authorize", authorize, methods=["GET"]),
        AnyCaseRoute("/.well-known/openid-configuration", discovery, methods=["GET"]),
        AnyCaseRoute("/.well-known/openid-configuration/jwks", keys, methods=["GET"]),
        AnyCaseRoute("/connections", listed, methods=["GET"]),
        AnyCaseRoute("/connections/{id}", removed, methods=["DELETE"]),
    ]


def prepare(kernel: Kernel) -> None:
    """Put the first connections and the first refresh token in place, once in the life of a state."""
    settings = kernel.collection("identity.settings")
    if "prepared" in settings:
        return
    settings.put("prepared", {"at": kernel.clock.now()})
    known = credentials(kernel)
    for app in apps(kernel).values():
        connect(kernel, app, kernel.stable_id("identity", "event", app.client_id), f"{app.client_id}/first")
    event = kernel.stable_id("identity", "event", known.xero_web_client_id)
    scopes = sorted(GRANULAR | SIGN_IN)
    _remember_refresh(kernel, known.xero_refresh_token, known.xero_web_client_id, scopes, event)


def _answer(work: Any) -> Response:
    try:
        result: Response = work()
    except OAuthError as refusal:
        result = no_store({"error": refusal.error}, refusal.status, refusal.headers)
    return result


def _client(kernel: Kernel, request: Request, form: dict[str, str]) -> App:
    """The app that authenticates with Basic or with its id (and secret) in the form."""
    try:
        name, secret = client_of(request, form)
    except ValueError as broken:
        raise OAuthError("invalid_client") from broken
    app = apps(kernel).get(name)
    if app is None or app.secret != secret:
        raise OAuthError("invalid_client")
    return app


def _token(kernel: Kernel, request: Request, form: dict[str, str]) -> dict[str, Any]:
    app = _client(kernel, request, form)
    grant = form.get("grant_type", "")
    if grant not in {"client_credentials", "authorization_code", "refresh_token"}:
        raise OAuthError("unsupported_grant_type")
    if grant not in app.grants:
        raise OAuthError("unauthorized_client")
    if grant == "client_credentials":
        event = kernel.stable_id("identity", "event", app.client_id)
        return _access(kernel, request, app, _scopes(app, form.get("scope", "")), event)
    nonce = None
    if grant == "authorization_code":
        scopes, event, nonce = _redeem_code(kernel, app, form)
    else:
        scopes, event = _redeem_refresh(kernel, app, form.get("refresh_token", ""))
    answer = _access(kernel, request, app, scopes, event)
    if "openid" in scopes:
        answer["id_token"] = _id_token(kernel, request, app, nonce)
    if "offline_access" in scopes:
        answer["refresh_token"] = f"sandbox-refresh-{base64url(kernel.random.randbytes(24))}"
        _remember_refresh(kernel, answer["refresh_token"], app.client_id, scopes, event)
    return answer


def _id_token(kernel: Kernel, request: Request, app: App, nonce: str | None) -> str:
    """Who signed in, for five minutes: always the same person, whose consent the sandbox gives."""
    person = kernel.stable_id("identity", "xero-user")
    now = int(kernel.clock.now().timestamp())
    claims: dict[str, Any] = {
        "iss": authority(request),
        "aud": app.client_id,
        "sub": person.replace("-", ""),
        "exp": now + ID_SECONDS,
        "auth_time": now,
        "xero_userid": person,
        "preferred_username": "mere.parata@harbour.example",
        "email": "mere.parata@harbour.example",
        "given_name": "Mere",
        "family_name": "Parata",
    }
    return jwt(kernel, claims if nonce is None else {**claims, "nonce": nonce})


def _scopes(app: App, asked: str) -> list[str]:
    scopes = asked.split() or sorted(app.scopes)
    if not app.scopes.issuperset(scopes):
        raise OAuthError("invalid_scope")
    return scopes


def _access(kernel: Kernel, request: Request, app: App, scopes: list[str], event: str) -> dict[str, Any]:
    claims = {
        "iss": authority(request),
        "aud": f"{authority(request)}/resources",
        "client_id": app.client_id,
        "authentication_event_id": event,
        "xero_userid": kernel.stable_id("identity", "xero-user"),
        "custom": app.custom,
    }
    token = issue(kernel, "xero", app.client_id, scopes, XERO_SECONDS, **claims)
    return {
        "access_token": token,
        "expires_in": XERO_SECONDS,
        "token_type": "Bearer",
        "scope": " ".join(scopes),
    }


def _remember_refresh(kernel: Kernel, token: str, app: str, scopes: list[str], event: str) -> None:
    expires = kernel.clock.now() + REFRESH_LIFE
    row: Row = {"app": app, "scopes": scopes, "event": event, "expires": expires, "used": None}
    kernel.collection("identity.refresh").put(token, row)


def _redeem_refresh(kernel: Kernel, app: App, token: str) -> tuple[list[str], str]:
    rows = kernel.collection("identity.refresh")
    row, now = rows.get(token), kernel.clock.now()
    if row is None or row["app"] != app.client_id or row["expires"] <= now:
        raise OAuthError("invalid_grant")
    if row["used"] is not None and now - row["used"] > GRACE:
        raise OAuthError("invalid_grant")
    if row["used"] is None:
        rows.put(token, row | {"used": now})
    return row["scopes"], row["event"]


def _redeem_code(kernel: Kernel, app: App, form: dict[str, str]) -> tuple[list[str], str, str | None]:
    row = kernel.collection("identity.codes").remove(form.get("code", ""))
    if row is None or row["app"] != app.client_id or row["expires"] <= kernel.clock.now():
        raise OAuthError("invalid_grant")
    if row["redirect_uri"] != form.get("redirect_uri"):
        raise OAuthError("invalid_grant")
    if row["challenge"]:
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64url(digest) != row["challenge"]:
            raise OAuthError("invalid_grant")
    return row["scopes"], row["event"], row.get("nonce")


def _authorize(kernel: Kernel, request: Request) -> Response:
    asked = request.query_params
    app = apps(kernel).get(asked.get("client_id", ""))
    redirect = asked.get("redirect_uri", "")
    if app is None or "authorization_code" not in app.grants:
        raise OAuthError("unauthorized_client")
    target = split_address(redirect)
    if not (target.scheme == "https" or (target.scheme == "http" and target.hostname == "localhost")):
        raise OAuthError("invalid_redirect_uri")
    challenge = asked.get("code_challenge", "")
    if asked.get("response_type") != "code" or (app.secret is None and asked.get("code_challenge_method") != "S256"):
        raise OAuthError("invalid_request")
    back = {"state": asked["state"]} if "state" in asked else {}
    try:
        scopes = _scopes(app, asked.get("scope", ""))
    except OAuthError as refusal:
        back["error"] = refusal.error
    else:
        back["code"] = _new_code(kernel, app, scopes, redirect_uri=redirect, challenge=challenge, nonce=asked.get("nonce"))
    return RedirectResponse(f"{redirect}{'&' if target.query else '?'}{urlencode(back)}", status_code=302)


def _new_code(kernel: Kernel, app: App, scopes: list[str], **asked: str | None) -> str:
    event = kernel.new_id()
    known = kernel.collection("identity.connections").values()
    if not any(row["app"] == app.client_id for row in known):
        connect(kernel, app, event, f"{app.client_id}/{event}")
    code = base64url(kernel.random.randbytes(24))
    row: Row = {
        "app": app.client_id,
        "scopes": scopes,
        "event": event,
        "expires": kernel.clock.now() + CODE_LIFE,
        **asked,
    }
    kernel.collection("identity.codes").put(code, row)
    return code


def _revoke(kernel: Kernel, request: Request, form: dict[str, str]) -> Response:
    """Revoke a refresh token: everything of that consent goes with it. An unknown token is answered like a
    known one.
    """
    app = _client(kernel, request, form)
    row = kernel.collection("identity.refresh").get(form.get("token", ""))
    if row is not None and row["app"] == app.client_id:
        event = row["event"]
        for name, key in (
            ("refresh", "event"),
            ("tokens", "authentication_event_id"),
            ("connections", "authEventId"),
        ):
            rows = kernel.collection(f"identity.{name}")
            for gone in [i for i, r in rows.items() if r.get(key) == event]:
                rows.remove(gone)
    return Response(status_code=200)


def _discovery(request: Request) -> dict[str, Any]:
    base = authority(request)
    return {
        "issuer": base,
        "authorization_endpoint": f"{base}/identity/connect/authorize",
        "token_endpoint": f"{base}/connect/token",
        "revocation_endpoint": f"{base}/connect/revocation",
        "jwks_uri": f"{base}/.well-known/openid-configuration/jwks",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": sorted(GRANULAR | BROAD | SIGN_IN),
    }
