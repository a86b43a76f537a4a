"""Xero's access tokens: refreshed from a stored sign-in, or fetched by a custom connection.

The refresh token is the one thing that must never be lost. It rotates on every use and the one before keeps working for
30 minutes, therefore: one refresh at a time over threads and processes (``TokenStore.lock``), the new one is saved before
its access token is used, and when the answer was lost or never saved, the old one is sent once more.
Source: developer.xero.com, "The standard authorization code flow" and "Custom connections".
"""

from __future__ import annotations

import threading
from base64 import b64encode
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode

from sync_core.errors import Configure, Retryable
from sync_core.systems.http import Answer, Http
from sync_core.systems.redaction import hide

if TYPE_CHECKING:
    import httpx

    from sync_core.settings import Settings
    from sync_core.systems.base import Clock

EARLY = timedelta(seconds=60)
_COMMON = ("accounting.contacts", "accounting.settings")
SCOPES = (
    ("accounting.invoices", "accounting.payments", "accounting.banktransactions", *_COMMON),
    ("accounting.transactions", *_COMMON),
)
"""Granular scopes, the only ones that newer apps have, then the broad ones of older apps."""

NOT_AUTHORISED = (
    "Xero no longer lets this custom connection in. Open it in Xero's developer portal and authorise it for your organisation "
    "again."
)
_CREDENTIALS = "TIEOUT_XERO_CLIENT_ID and TIEOUT_XERO_CLIENT_SECRET"


class TokenStore(Protocol):
    """Where the sign-in to Xero is kept, encrypted. ``lock`` excludes other threads and processes."""

    def load(self) -> dict[str, Any] | None: ...

    def save(self, credential: dict[str, Any], /) -> None: ...

    def lock(self) -> AbstractContextManager[object]: ...


@dataclass(frozen=True, slots=True)
class _Access:
    token: str = field(repr=False)
    expires: datetime

    def good(self, now: datetime) -> bool:
        return now < self.expires - EARLY


class XeroTokens:
    """``token(force)`` brings an access token. With no stored refresh token it signs in as a custom connection.

    The stored sign-in has ``refresh_token``, ``access_token``, ``expires_at`` and ``refreshed_at`` (both ISO, UTC).
    Raises Configure when a person has to act (wrong client, consent gone), Retryable when Xero cannot be reached.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        store: TokenStore | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._client_id = settings.xero_client_id
        self._secret = settings.xero_client_secret
        self._clock, self._store = clock, store
        self._lock = threading.Lock()
        self._kept: _Access | None = None
        self._scopes = list(SCOPES)
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

    def token(self, force: bool = False) -> str:
        """An access token that is good for another minute at least; ``force``: not the one handed out last."""
        with self._lock:
            kept = self._kept
            if kept is None or force or not kept.good(self._clock.now()):
                kept = self._kept = self._fetch(refused=kept.token if kept is not None and force else "")
            return kept.token

    def close(self) -> None:
        self._http.close()

    def _fetch(self, refused: str) -> _Access:
        store = self._store
        stored = store.load() if store is not None else None
        if store is None or not stored or not stored.get("refresh_token"):
            return self._sign_in()
        with store.lock():
            # Read again: another process may have refreshed while this one waited for the lock.
            stored = store.load() or {}
            return self._still_good(stored, refused) or self._refresh(store, stored)

    def _still_good(self, stored: dict[str, Any], refused: str) -> _Access | None:
        token, expires = stored.get("access_token"), stored.get("expires_at")
        if not token or not expires or token == refused:
            return None
        access = _Access(token, datetime.fromisoformat(expires))
        hide(token)
        return access if access.good(self._clock.now()) else None

    def _refresh(self, store: TokenStore, stored: dict[str, Any]) -> _Access:
        old = str(stored.get("refresh_token", ""))
        hide(old)
        answer = self._ask({"grant_type": "refresh_token", "refresh_token": old})
        if answer.status != 200:
            raise _refused(answer)
        body = self._body(answer)
        access = self._access(body)
        new = str(body.get("refresh_token") or old)
        hide(new)
        store.save(
            stored
            | {
                "refresh_token": new,
                "access_token": access.token,
                "expires_at": access.expires.isoformat(),
                "refreshed_at": self._clock.now().isoformat(),
            }
        )
        return access

    def _sign_in(self) -> _Access:
        """Sign in as a custom connection, with the scope family that this app has."""
        for family in list(self._scopes):
            answer = self._ask({"grant_type": "client_credentials", "scope": " ".join(family)})
            if answer.status == 200:
                self._scopes = [family]
                return self._access(self._body(answer))
            if _error(answer) != "invalid_scope":
                break
        if _error(answer) == "invalid_grant":
            raise Configure(NOT_AUTHORISED, detail=answer.text())
        raise _refused(answer)

    def _ask(self, form: dict[str, str]) -> Answer:
        secret = self._secret.get_secret_value()
        hide(secret)
        pair = f"{quote(self._client_id, safe='')}:{quote(secret, safe='')}"
        basic = b64encode(pair.encode()).decode()
        hide(basic)
        # Safe to repeat: a custom connection just gets another token, and a used refresh token keeps working for 30 minutes.
        return self._http.request(
            "POST",
            "connect/token",
            headers={"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"},
            content=urlencode(form).encode(),
            safe=True,
        )

    def _body(self, answer: Answer) -> dict[str, Any]:
        body = answer.json()
        if not isinstance(body, dict) or not body.get("access_token"):
            raise Retryable("Xero sign-in answered without an access token. Try again in a few minutes.")
        return body

    def _access(self, body: dict[str, Any]) -> _Access:
        token = str(body["access_token"])
        hide(token)
        return _Access(token, self._clock.now() + timedelta(seconds=int(body.get("expires_in") or 1800)))


def _error(answer: Answer) -> str:
    try:
        body = answer.json()
    except Retryable:
        return ""
    return str(body.get("error", "")) if isinstance(body, dict) else ""


def _refused(answer: Answer) -> Configure:
    sentences = {
        "invalid_grant": "Reconnect Xero: its consent has expired or was withdrawn, so Tieout can no longer sign in.",
        "invalid_client": f"Xero does not know this app or its secret. Check {_CREDENTIALS}.",
        "unauthorized_client": (
            "This Xero app may not sign in on its own. Connect Xero with a person's consent, or use a custom connection's "
            f"{_CREDENTIALS}."
        ),
        "invalid_scope": (
            "The Xero app lacks scopes that Tieout needs. Give it invoices, payments, bank transactions, contacts and "
            "settings in Xero's developer portal."
        ),
    }
    error = _error(answer)
    fallback = f"Xero refused to sign Tieout in (status {answer.status}). Check {_CREDENTIALS}."
    return Configure(sentences.get(error, fallback), detail=answer.text())
