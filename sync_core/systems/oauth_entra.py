"""Dynamics' access tokens, from Microsoft Entra ID through msal: an application with a secret or a certificate.

msal insists on https and on Microsoft's own address, so it keeps the production authority and its requests are carried by
our :class:`~sync_core.systems.http.Http` to ``TIEOUT_DYNAMICS_IDENTITY_URL``, with the production host's name on them.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import msal

from sync_core.errors import Configure, Retryable
from sync_core.settings import is_loopback
from sync_core.systems.http import Answer, Http
from sync_core.systems.redaction import hide, redact

if TYPE_CHECKING:
    import httpx

    from sync_core.settings import Settings
    from sync_core.systems.base import Clock

_PRODUCTION = "https://login.microsoftonline.com"
_DISCOVERY = "/.well-known/openid-configuration"
_PEM = r"-----BEGIN {0}-----.+?-----END {0}-----"

# Its loggers write whole token answers to stderr when one cannot be read.
logging.getLogger("msal").setLevel(logging.CRITICAL + 1)

_REFUSALS = {
    "7000215": "The secret of the Dynamics application is wrong. Check TIEOUT_DYNAMICS_CLIENT_SECRET.",
    "7000222": "The secret of the Dynamics application has expired. Make a new one and set TIEOUT_DYNAMICS_CLIENT_SECRET.",
    "7000218": "The secret of the Dynamics application is missing. Set TIEOUT_DYNAMICS_CLIENT_SECRET.",
    "700016": "Microsoft does not know the Dynamics application in this tenant. Check TIEOUT_DYNAMICS_CLIENT_ID.",
    "700027": "Microsoft does not accept the certificate of the Dynamics application. Check TIEOUT_DYNAMICS_CERTIFICATE.",
    "90002": "Microsoft does not know this tenant. Check TIEOUT_DYNAMICS_TENANT_ID.",
    "900023": "Microsoft does not know this tenant. Check TIEOUT_DYNAMICS_TENANT_ID.",
    "500011": "Microsoft does not know this Dynamics address in the tenant. Check TIEOUT_DYNAMICS_URL.",
}


@dataclass(frozen=True, slots=True)
class _MsalAnswer:
    """The shape that msal expects of a response."""

    status_code: int
    text: str
    headers: Mapping[str, str]

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise Configure(
                f"Microsoft's sign-in service refused a request (status {self.status_code}). Check TIEOUT_DYNAMICS_TENANT_ID.",
                detail=redact(self.text),
            )


class MsalHttp:
    """msal's ``http_client``. Only the authority's host is served; everything goes to the identity address."""

    def __init__(self, http: Http, authority: str, *, headers: Mapping[str, str]) -> None:
        self._http, self._authority, self._headers = http, authority, headers

    def get(self, url: str, params: Any = None, headers: Any = None, **_kwargs: Any) -> _MsalAnswer:
        answer = self._http.request("GET", self._path(url), params=params, headers={**(headers or {}), **self._headers})
        if urlsplit(url).path.endswith(_DISCOVERY):
            return self._discovered(url, answer)
        return _for_msal(answer)

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_kwargs: Any) -> _MsalAnswer:
        # urlencode writes bytes as they are: msal gives a certificate's assertion as bytes, never to be sent as b'...'.
        content = urlencode(data) if isinstance(data, dict) else str(data or "")
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return _for_msal(
            self._http.request(
                "POST",
                self._path(url),
                params=params,
                headers={**form, **(headers or {}), **self._headers},
                content=content.encode(),
                safe=True,
            )
        )

    def close(self) -> None:
        self._http.close()

    def _path(self, url: str) -> str:
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" != self._authority:
            raise Configure(
                f"Microsoft's sign-in service pointed to another address ({redact(parts.netloc)}). Check "
                "TIEOUT_DYNAMICS_IDENTITY_URL."
            )
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def _discovered(self, url: str, answer: Answer) -> _MsalAnswer:
        """The tenant's endpoints on the authority's own host, whatever host the answer names; made up when there are none."""
        if answer.status == 404:
            tenant = urlsplit(url).path.split("/")[1]
            base = f"{self._authority}/{tenant}"
            found: dict[str, Any] = {
                "issuer": f"{base}/v2.0",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            }
        elif answer.status == 200:
            found = _object(answer)
        else:
            raise refusal(answer.text())
        ours = {key: self._authority + urlsplit(str(v)).path for key, v in found.items() if key.endswith("_endpoint")}
        return _MsalAnswer(200, json.dumps({"issuer": found.get("issuer"), **ours}), {})


class EntraTokens:
    """``token(force)`` brings an access token for the Dynamics environment. Safe to use from several threads.

    Raises Configure naming the setting that is wrong, Retryable when Microsoft cannot be reached.
    """

    def __init__(self, settings: Settings, clock: Clock, transport: httpx.BaseTransport | None = None) -> None:
        self._settings = settings
        # An authority is often written with its tenant.
        identity = settings.dynamics_identity_url.removesuffix(f"/{settings.dynamics_tenant_id}")
        routed = is_loopback(identity)
        self._authority = _PRODUCTION if routed else identity
        self._scope = f"{_origin(settings.dynamics_url)}/.default"
        http = Http(
            system="Microsoft's sign-in service",
            base_url=identity,
            clock=clock,
            token=None,
            run_id=lambda: None,
            allow_loopback=settings.allow_loopback,
            transport=transport,
            byte_cap=1024 * 1024,
        )
        host = {"Host": urlsplit(self._authority).netloc} if routed else {}
        self._http = MsalHttp(http, self._authority, headers=host)
        self._lock = threading.Lock()
        self._app: Any = None

    def token(self, force: bool = False) -> str:
        """An access token, from msal's memory while it is good; ``force``: a new one."""
        with self._lock:
            if self._app is None:
                self._app = self._application()
            elif force:
                self._app.remove_tokens_for_client()
            result = self._app.acquire_token_for_client([self._scope])
        if "access_token" not in result:
            raise refusal(f"{result.get('error', '')}: {result.get('error_description', '')}")
        token = str(result["access_token"])
        hide(token)
        return token

    def close(self) -> None:
        self._http.close()

    def _application(self) -> Any:
        settings = self._settings
        try:
            return msal.ConfidentialClientApplication(
                settings.dynamics_client_id,
                client_credential=self._credential(),
                authority=f"{self._authority}/{settings.dynamics_tenant_id}",
                http_client=self._http,
                instance_discovery=False,
            )
        except ValueError as error:
            raise Configure(
                "Microsoft's sign-in cannot be prepared. Check TIEOUT_DYNAMICS_TENANT_ID and TIEOUT_DYNAMICS_CERTIFICATE.",
                detail=redact(str(error)),
            ) from None

    def _credential(self) -> str | dict[str, str]:
        path = self._settings.dynamics_certificate
        if path is not None:
            return _certificate(path)
        secret = self._settings.dynamics_client_secret.get_secret_value()
        hide(secret)
        return secret


def refusal(text: str) -> Configure | Retryable:
    """What an answer of Entra ID means to the person who set this up, by its AADSTS number."""
    number = next(iter(re.findall(r"AADSTS(\d+)", text)), "")
    if number == "90033" or "temporarily_unavailable" in text:
        return Retryable(
            "Microsoft's sign-in service is not available at the moment. Try again in a few minutes.", detail=redact(text)
        )
    fallback = "Microsoft refused to sign Tieout in to Dynamics. Check the four TIEOUT_DYNAMICS settings."
    return Configure(_REFUSALS.get(number, fallback), detail=redact(text))


def _for_msal(answer: Answer) -> _MsalAnswer:
    """Written anew, because msal takes no byte-order mark and breaks on what is no JSON object."""
    return _MsalAnswer(answer.status, json.dumps(_object(answer), default=str), dict(answer.headers))


def _object(answer: Answer) -> dict[str, Any]:
    found = answer.json()
    if not isinstance(found, dict):
        raise answer.no_data()
    return found


def _certificate(path: Path) -> dict[str, str]:
    """msal's form of a PEM file that holds a private key and its certificate."""
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise Configure(f"The certificate file {path} cannot be read. Check TIEOUT_DYNAMICS_CERTIFICATE.") from error
    key = re.search(_PEM.format("(?:[A-Z]+ )?PRIVATE KEY"), text, re.DOTALL)
    certificate = re.search(_PEM.format("CERTIFICATE"), text, re.DOTALL)
    if not key or not certificate:
        raise Configure(
            f"The certificate file {path} must hold a private key and its certificate in PEM form. Check "
            "TIEOUT_DYNAMICS_CERTIFICATE."
        )
    return {"private_key": key[0], "public_certificate": certificate[0]}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
