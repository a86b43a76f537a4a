"""How an ordinary Xero app gets its first refresh token: a person agrees in the browser, and the answer comes back here.

Authorization code flow with PKCE and ``state``. The app may have a secret (a web app) or none (a mobile or desktop app).
Source: developer.xero.com, "The standard authorization code flow", "The PKCE flow", "Scopes", "Connections".
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from sync_core.errors import Configure, Retryable, Unknown
from sync_core.systems.http import Answer, Http
from sync_core.systems.oauth_xero import SCOPES, signed_in
from sync_core.systems.oauth_xero_endpoint import CONNECT, Endpoint, error_of, granted, refusal
from sync_core.systems.redaction import hide, redact

if TYPE_CHECKING:
    from sync_core.settings import Settings
    from sync_core.systems.base import Clock

OFFLINE = "offline_access"
"""Without this scope there is no refresh token, and the consent ends after 30 minutes."""
AGAIN = f"Run {CONNECT} again"


@dataclass(frozen=True, slots=True)
class Tenant:
    """One organisation that the app may reach."""

    id: str
    name: str


class Consent:
    """One request for a person's consent; good for one answer. ``broad``: the scopes of apps from before March 2026."""

    def __init__(self, settings: Settings, clock: Clock, redirect: str, *, broad: bool = False) -> None:
        self._settings, self._clock, self._redirect = settings, clock, redirect
        self._scopes = (OFFLINE, *SCOPES[1 if broad else 0])
        self._state, self._verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        hide(self._state)
        hide(self._verifier)

    @property
    def address(self) -> str:
        """The page at Xero where a person agrees and picks the organisation."""
        digest = hashlib.sha256(self._verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self._settings.xero_client_id,
            "redirect_uri": self._redirect,
            "scope": " ".join(self._scopes),
            "state": self._state,
            "code_challenge": urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"{self._settings.xero_login_url}/identity/connect/authorize?{urlencode(asked, quote_via=quote)}"

    def redeem(self, answer: Mapping[str, str]) -> dict[str, Any]:
        """The sign-in that the browser's ``answer`` stands for, as ``XeroTokens`` keeps it. Raises Configure or Retryable."""
        if not hmac.compare_digest(answer.get("state", "").encode(), self._state.encode()):
            raise Configure(f"The browser brought an answer to another request than this one, so it was not used. {AGAIN}.")
        if answer.get("error") or not answer.get("code"):
            raise _declined(answer.get("error", ""))
        hide(answer["code"])
        form = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": self._redirect}
        with closing(Endpoint(self._settings, self._clock)) as endpoint:
            try:
                given = endpoint.ask(form | {"code_verifier": self._verifier}, safe=False)
            except Unknown as lost:  # a code is good for one use only
                raise Retryable(f"Xero's answer got lost on the way. {AGAIN}.", detail=lost.detail) from lost
        if given.status != 200:
            raise _not_redeemed(given)
        fresh, now = granted(given), self._clock.now()
        if not fresh.refresh_token:
            raise Configure(f"Xero gave no lasting consent. Allow the app {OFFLINE} in Xero's developer portal. {AGAIN}.")
        kept = signed_in(fresh, now + fresh.lives, now)
        return kept | {"client_id": self._settings.xero_client_id, "connected_at": now.isoformat()}


def tenants(settings: Settings, clock: Clock, access_token: str) -> list[Tenant]:
    """The organisations that the person let the app into."""
    api = Http(
        system="Xero",
        base_url=settings.xero_url.removesuffix("/api.xro/2.0"),
        clock=clock,
        token=lambda _fresh: access_token,
        run_id=lambda: None,
        allow_loopback=settings.allow_loopback,
        byte_cap=1024 * 1024,
    )
    with closing(api):
        answer = api.request("GET", "connections")
    rows = answer.json() if answer.status == 200 else None
    if not isinstance(rows, list):
        raise Configure(f"{api.host} does not answer like Xero. Check TIEOUT_XERO_URL.", detail=answer.text())
    books = [r for r in rows if isinstance(r, dict) and r.get("tenantType", "ORGANISATION") == "ORGANISATION"]
    return [Tenant(str(r.get("tenantId", "")), redact(str(r.get("tenantName") or ""), longest=120)) for r in books]


def choose(found: list[Tenant], wanted: str) -> Tenant:
    """The organisation of the settings, or the only one there is. Raises Configure that lists them."""
    chosen = [t for t in found if t.id.lower() == wanted.lower()] if wanted else found
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(f"{t.name} ({t.id})" for t in found)
    if not found:
        raise Configure(f"The consent reaches no organisation. {AGAIN}, and pick one on Xero's page.")
    if wanted:
        raise Configure(
            f"The consent does not reach the organisation of TIEOUT_XERO_TENANT_ID. It reaches: {names}. Set that to one of "
            f"these ids, or pick the right organisation on Xero's page. {AGAIN}."
        )
    raise Configure(f"The consent reaches several organisations: {names}. Set TIEOUT_XERO_TENANT_ID to one id. {AGAIN}.")


def _declined(error: str) -> Configure:
    sentences = {
        "access_denied": f"Consent was not given on Xero's page, so nothing is connected. {AGAIN} when it may be.",
        "invalid_scope": (
            "This Xero app may not ask for the scopes that Tieout needs. Give it invoices, payments, bank transactions, "
            f"contacts and settings in Xero's developer portal; for an app from before March 2026 run {CONNECT} --broad-scopes."
        ),
    }
    said = f" ({redact(error, longest=60)})" if error else ""
    return Configure(sentences.get(error, f"Xero did not give its consent{said}. {AGAIN}."))


def _not_redeemed(given: Answer) -> Configure:
    if error_of(given) != "invalid_grant":
        return refusal(given)
    return Configure(
        f"Xero did not accept the answer: it is good for five minutes and for one use. {AGAIN}.", detail=given.text()
    )
