"""Xero's access tokens: refreshed from a stored sign-in (see ``xero_consent``), or fetched by a custom connection.

The refresh token is the one thing that must never be lost. It rotates on every use and the one before keeps working for
30 minutes, therefore: one refresh at a time over threads and processes (``TokenStore.lock``), the new one is saved before
its access token is used, and when the answer was lost or never saved, the old one is sent once more.
Source: developer.xero.com, "The standard authorization code flow" and "Custom connections".
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from sync_core.errors import Configure
from sync_core.systems.oauth_xero_endpoint import CREDENTIALS, Endpoint, Granted, error_of, granted, refusal
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
UNUSED = timedelta(days=60)
"""A refresh token that nobody used for so long is dead (developer.xero.com, "Token types")."""
_NO_SIGN_IN = (
    "Tieout is not signed in to Xero. For an ordinary Xero app run: python -m sync_core connect-xero. For a custom connection "
    f"set {CREDENTIALS}."
)


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
    """``token(force)`` brings an access token. With no stored refresh token of this app it signs in as a custom connection.

    The stored sign-in has ``refresh_token``, ``access_token``, ``expires_at`` and ``refreshed_at`` (both ISO, UTC), the
    ``client_id`` of the app that it belongs to, and ``connected_at``: when a person agreed to it.
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
        self._has_secret = bool(settings.xero_client_secret.get_secret_value())
        self._clock, self._store = clock, store
        self._lock = threading.Lock()
        self._kept: _Access | None = None
        self._scopes = list(SCOPES)
        self._endpoint = Endpoint(settings, clock, transport)

    def token(self, force: bool = False) -> str:
        """An access token that is good for another minute at least; ``force``: not the one handed out last."""
        with self._lock:
            kept = self._kept
            if kept is None or force or not kept.good(self._clock.now()):
                kept = self._kept = self._fetch(refused=kept.token if kept is not None and force else "")
            return kept.token

    def close(self) -> None:
        self._endpoint.close()

    @property
    def way(self) -> str:
        """How it signs in, as the end of a sentence: "as a custom connection"."""
        stored = self._stored()
        if stored is None:
            return "as a custom connection"
        agreed, used = (_day(stored.get(name)) for name in ("connected_at", "refreshed_at"))
        since = f" of {agreed:%Y-%m-%d}" if agreed else ""
        until = f"; it ends when it is not used until {used + UNUSED:%Y-%m-%d}" if used else ""
        return f"with the consent{since} that a person gave{until}"

    def _stored(self) -> dict[str, Any] | None:
        """The sign-in that is kept for this app; that of another app is of no use to it."""
        stored = self._store.load() if self._store is not None else None
        if not stored or not stored.get("refresh_token"):
            return None
        return stored if stored.get("client_id", self._client_id) == self._client_id else None

    def _fetch(self, refused: str) -> _Access:
        store = self._store
        if store is None or self._stored() is None:
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
        # Safe to repeat: a used refresh token keeps working for 30 minutes.
        answer = self._endpoint.ask({"grant_type": "refresh_token", "refresh_token": old}, safe=True)
        if answer.status != 200:
            raise refusal(answer)
        fresh = granted(answer)
        access = self._access(fresh)
        store.save(stored | signed_in(fresh, access.expires, self._clock.now(), old))
        return access

    def _sign_in(self) -> _Access:
        """Sign in as a custom connection, with the scope family that this app has."""
        if not self._has_secret:
            raise Configure(_NO_SIGN_IN)
        for family in list(self._scopes):
            # Safe to repeat: a custom connection just gets another token.
            answer = self._endpoint.ask({"grant_type": "client_credentials", "scope": " ".join(family)}, safe=True)
            if answer.status == 200:
                self._scopes = [family]
                return self._access(granted(answer))
            if error_of(answer) != "invalid_scope":
                break
        if error_of(answer) == "invalid_grant":
            raise Configure(NOT_AUTHORISED, detail=answer.text())
        raise refusal(answer)

    def _access(self, fresh: Granted) -> _Access:
        return _Access(fresh.access_token, self._clock.now() + fresh.lives)


def signed_in(fresh: Granted, expires: datetime, now: datetime, old: str = "") -> dict[str, str]:
    """What is kept of an answer of the token service; ``old`` is the refresh token to keep when it sent no new one."""
    return {
        "refresh_token": fresh.refresh_token or old,
        "access_token": fresh.access_token,
        "expires_at": expires.isoformat(),
        "refreshed_at": now.isoformat(),
    }


def _day(text: object) -> datetime | None:
    return datetime.fromisoformat(str(text)) if text else None
