"""Xero's token endpoint: how an app says who it is there, what it answers, and what a refusal means for a person.

Source: developer.xero.com, "The standard authorization code flow", "The PKCE flow", "Custom connections".
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from sync_core.errors import Configure, Retryable
from sync_core.systems.http import Answer, Http
from sync_core.systems.redaction import hide

if TYPE_CHECKING:
    import httpx

    from sync_core.settings import Settings
    from sync_core.systems.base import Clock

CREDENTIALS = "TIEOUT_XERO_CLIENT_ID and TIEOUT_XERO_CLIENT_SECRET"
CONNECT = "python -m sync_core connect-xero"


@dataclass(frozen=True, slots=True)
class Granted:
    """What the endpoint gave; ``refresh_token`` is "" where the grant has none."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    lives: timedelta


class Endpoint:
    """Asks for tokens as the app of the settings: with its secret, or, for an app that has none, by its id alone."""

    def __init__(self, settings: Settings, clock: Clock, transport: httpx.BaseTransport | None = None) -> None:
        self._client_id, self._secret = settings.xero_client_id, settings.xero_client_secret
        self._http = Http(
            system="Xero sign-in",
            base_url=settings.xero_identity_url,
            clock=clock,
            token=None,
            run_id=lambda: None,
            allow_loopback=settings.allow_loopback,
            transport=transport,
            byte_cap=1024 * 1024,
        )

    def close(self) -> None:
        self._http.close()

    def ask(self, form: dict[str, str], *, safe: bool) -> Answer:
        """``safe``: whether asking twice does no harm."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        secret = self._secret.get_secret_value()
        if secret:
            headers["Authorization"] = f"Basic {self._basic(secret)}"
        else:
            form = form | {"client_id": self._client_id}
        content = urlencode(form).encode()
        return self._http.request("POST", "connect/token", headers=headers, content=content, safe=safe)

    def _basic(self, secret: str) -> str:
        hide(secret)
        # As they are, as Xero's own clients send them, without the escapes that OAuth asks for.
        basic = b64encode(f"{self._client_id}:{secret}".encode()).decode()
        hide(basic)
        return basic


def granted(answer: Answer) -> Granted:
    """The tokens of a good answer, hidden from now on. Raises Retryable when there are none in it."""
    body = answer.json()
    if not isinstance(body, dict) or not body.get("access_token"):
        raise Retryable("Xero sign-in answered without an access token. Try again in a few minutes.")
    access, refresh = str(body["access_token"]), str(body.get("refresh_token") or "")
    hide(access)
    hide(refresh)
    return Granted(access, refresh, timedelta(seconds=int(body.get("expires_in") or 1800)))


def error_of(answer: Answer) -> str:
    """OAuth's own word for what is wrong, "" where there is none."""
    try:
        body = answer.json()
    except Retryable:
        return ""
    return str(body.get("error", "")) if isinstance(body, dict) else ""


def refusal(answer: Answer) -> Configure:
    sentences = {
        "invalid_grant": (
            "Reconnect Xero: its consent was withdrawn, or has expired because it was not used for 60 days. Run connect-xero "
            f"again: {CONNECT}."
        ),
        "invalid_client": f"Xero does not know this app or its secret. Check {CREDENTIALS}.",
        "unauthorized_client": (
            f"This Xero app may not sign in on its own. Connect it with a person's consent ({CONNECT}), or use a custom "
            f"connection's {CREDENTIALS}."
        ),
        "invalid_scope": (
            "The Xero app lacks scopes that Tieout needs. Give it invoices, payments, bank transactions, contacts and "
            "settings in Xero's developer portal."
        ),
    }
    error = error_of(answer)
    fallback = f"Xero refused to sign Tieout in (status {answer.status}). Check {CREDENTIALS}."
    return Configure(sentences.get(error, fallback), detail=answer.text())
