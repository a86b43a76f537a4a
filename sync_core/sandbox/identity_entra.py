"""Microsoft Entra ID's token service: client credentials with a secret or a certificate assertion.

Errors carry the AADSTS numbers that msal and people look for. An assertion's ``iss``, ``sub``, ``aud`` and
times are always checked; its signature only when the app has a certificate registered
(:func:`register_certificate`). Without one it is accepted unsigned and the answer says so in the header
``X-Sandbox-Note``.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import load_pem_x509_certificate
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sync_core.sandbox.identity_keys import key_set
from sync_core.sandbox.identity_tokens import (
    ENTRA_SECONDS,
    authority,
    client_of,
    credentials,
    form_of,
    issue,
    no_store,
    object_of,
    split_address,
)
from sync_core.sandbox.kernel import Kernel

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
UNCHECKED = "assertion signature not checked: no certificate is registered for this app"
SHARED_TENANTS = ("common", "organizations")
KNOWN_HOSTS = ("login.microsoftonline.com", "login.windows.net", "sts.windows.net")


@dataclass
class EntraError(Exception):
    """A refusal of the token service: OAuth error, AADSTS number, text and HTTP status."""

    error: str
    number: int
    text: str
    status: int = 400


def entra_routes(kernel: Kernel) -> list[Route]:
    """The routes of Entra ID that msal uses, to be mounted at the root of the Dynamics port."""

    async def token(request: Request) -> Response:
        form = await form_of(request)
        return _answer(kernel, lambda: _token(kernel, request, form))

    async def discovery(request: Request) -> Response:
        return _answer(kernel, lambda: no_store(_discovery(kernel, request)))

    async def keys(_request: Request) -> Response:
        return JSONResponse(key_set())

    async def instance(request: Request) -> Response:
        return no_store(_instance(kernel, request))

    return [
        Route("/{tenant}/v2.0/.well-known/openid-configuration", discovery, methods=["GET"]),
        Route("/{tenant}/.well-known/openid-configuration", discovery, methods=["GET"]),
        Route("/{tenant}/oauth2/v2.0/token", token, methods=["POST"]),
        Route("/{tenant}/oauth2/token", token, methods=["POST"]),
        Route("/{tenant}/discovery/v2.0/keys", keys, methods=["GET"]),
        Route("/{tenant}/discovery/keys", keys, methods=["GET"]),
        Route("/common/discovery/instance", instance, methods=["GET"]),
    ]


def register_certificate(kernel: Kernel, client_id: str, pem: str) -> None:
    """From now on assertions of ``client_id`` must be signed with this certificate's key (RSA)."""
    kernel.collection("identity.certificates").put(client_id, {"pem": pem})


def _answer(kernel: Kernel, work: Any) -> Response:
    try:
        result: Response = work()
    except EntraError as refusal:
        result = _refused(kernel, refusal)
    return result


def _refused(kernel: Kernel, refusal: EntraError) -> JSONResponse:
    now = kernel.clock.now()
    trace, correlation = kernel.new_id(), kernel.new_id()
    text = f"AADSTS{refusal.number}: {refusal.text} Trace ID: {trace} Correlation ID: {correlation} "
    body = {
        "error": refusal.error,
        "error_description": f"{text}Timestamp: {now:%Y-%m-%d %H:%M:%SZ}",
        "error_codes": [refusal.number],
        "timestamp": f"{now:%Y-%m-%d %H:%M:%SZ}",
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://login.microsoftonline.com/error?code={refusal.number}",
    }
    return no_store(body, refusal.status)


def _discovery(kernel: Kernel, request: Request) -> dict[str, Any]:
    shared = request.path_params["tenant"].lower() in SHARED_TENANTS
    tenant = request.path_params["tenant"] if shared else _tenant(kernel, request)
    base = f"{authority(request)}/{tenant}"
    return {
        "issuer": f"{authority(request)}/{'{tenantid}' if shared else tenant}/v2.0",
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
    }


def _instance(kernel: Kernel, request: Request) -> dict[str, Any]:
    host = request.headers.get("host", "localhost")
    aliases = sorted({host, *KNOWN_HOSTS})
    tenant = f"{authority(request)}/{credentials(kernel).tenant_id}"
    return {
        "tenant_discovery_endpoint": f"{tenant}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": aliases}],
    }


def _tenant(kernel: Kernel, request: Request) -> str:
    tenant: str = request.path_params["tenant"]
    if tenant.lower() != credentials(kernel).tenant_id:
        raise EntraError(
            "invalid_tenant",
            90002,
            f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are "
            "signing into the "
            "correct cloud.",
        )
    return tenant


def _token(kernel: Kernel, request: Request, form: dict[str, str]) -> Response:
    if request.path_params["tenant"].lower() in SHARED_TENANTS:
        text = "No tenant-identifying information found in either the request or implied by any provided credentials."
        raise EntraError("invalid_request", 50059, text)
    tenant = _tenant(kernel, request)
    if _required(form, "grant_type") != "client_credentials":
        raise EntraError(
            "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{form['grant_type']}'."
        )
    app, given = _client(request, form)
    user, secret = _app(kernel, app, tenant)
    headers = {}
    if form.get("client_assertion_type") == ASSERTION_TYPE:
        checked = _check_assertion(kernel, request, app, form.get("client_assertion", ""))
        headers = {} if checked else {"X-Sandbox-Note": UNCHECKED}
    else:
        _check_secret(app, secret, given)
    if "v2.0" in request.url.path:
        resource = _resource(request, _required(form, "scope"), tenant)
    else:
        resource = _resource(request, f"{_required(form, 'resource')}/.default", tenant)
    return no_store(_granted(kernel, request, app, user, resource), headers=headers)


def _granted(kernel: Kernel, request: Request, app: str, user: str, resource: str) -> dict[str, Any]:
    """The body of a good answer; the older address gives its numbers as text and says when the token ends."""
    tenant = credentials(kernel).tenant_id
    issuer = {"iss": f"https://sts.windows.net/{tenant}/", "oid": object_of(kernel, app)}
    claims = {"aud": resource, "appid": app, "tid": tenant, "user": user, **issuer}
    access = issue(kernel, "dataverse", app, [f"{resource}/.default"], ENTRA_SECONDS, **claims)
    body = {"token_type": "Bearer", "expires_in": ENTRA_SECONDS, "ext_expires_in": ENTRA_SECONDS}
    if "v2.0" in request.url.path:
        return {**body, "access_token": access}
    now = int(kernel.clock.now().timestamp())
    older = {**body, "expires_on": now + ENTRA_SECONDS, "not_before": now, "resource": resource}
    return {**{name: str(value) for name, value in older.items()}, "access_token": access}


def _required(form: dict[str, str], name: str) -> str:
    if not form.get(name):
        text = f"The request body must contain the following parameter: '{name}'."
        raise EntraError("invalid_request", 900144, text)
    return form[name]


def _client(request: Request, form: dict[str, str]) -> tuple[str, str | None]:
    try:
        name, secret = client_of(request, form)
    except ValueError as broken:
        raise EntraError("invalid_client", 7000216, "The Authorization header is malformed.", 401) from broken
    return (name or _required(form, "client_id")).lower(), secret


def _app(kernel: Kernel, app: str, tenant: str) -> tuple[str, str]:
    """The systemuserid and the secret of an app registration."""
    known = credentials(kernel)
    apps = {
        known.dynamics_client_id: (known.dynamics_user_id, known.dynamics_client_secret),
        known.dynamics_person_client_id: (known.dynamics_person_user_id, known.dynamics_person_client_secret),
    }
    if app not in apps:
        raise EntraError(
            "unauthorized_client",
            700016,
            f"Application with identifier '{app}' was not found in the directory '{tenant}'. This can "
            "happen if the "
            "application has not been installed by the administrator of the tenant.",
        )
    return apps[app]


def _check_secret(app: str, secret: str, given: str | None) -> None:
    if not given:
        text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
        raise EntraError("invalid_client", 7000218, text, 401)
    if given != secret:
        raise EntraError(
            "invalid_client",
            7000215,
            "Invalid client secret provided. Ensure the secret being sent in the request is the client "
            "secret value, "
            f"not the client secret ID, for a secret added to app '{app}'.",
            401,
        )


def _resource(request: Request, scope: str, tenant: str) -> str:
    """The resource of ``<resource>/.default``: this server by its own name, or any Dynamics address routed to
    it.
    """
    resource, suffix, rest = scope.partition("/.default")
    if not suffix or rest:
        raise EntraError(
            "invalid_scope",
            1002012,
            f"The provided value for scope {scope} is not valid. Client credential flows must have a scope "
            "value with "
            "/.default suffixed to the resource identifier (application ID URI).",
        )
    server = request.scope.get("server") or ("", 0)
    here = {request.headers.get("host"), f"{server[0]}:{server[1]}"}
    host = split_address(resource.rstrip("/")).netloc
    if host not in here and not host.endswith(".dynamics.com"):
        text = f"The resource principal named {resource} was not found in the tenant named {tenant}."
        raise EntraError("invalid_resource", 500011, text)
    return resource.rstrip("/")


def _check_assertion(kernel: Kernel, request: Request, app: str, assertion: str) -> bool:
    """Check a client assertion; True when its signature was checked as well."""
    try:
        head, claims = (dict(json.loads(_decode(part))) for part in assertion.split(".")[:2])
        starts, ends = float(claims.get("nbf", 0)), float(claims.get("exp", 0))
    except (TypeError, ValueError, binascii.Error) as broken:
        raise EntraError("invalid_request", 50027, "JWT token is invalid or malformed.") from broken
    if claims.get("iss") != app or claims.get("sub") != app:
        text = "Client assertion application identifier doesn't match 'client_id' parameter."
        raise EntraError("invalid_client", 700021, text, 401)
    if not str(claims.get("aud", "")).startswith(f"{authority(request)}/{request.path_params['tenant']}/"):
        text = "Client assertion audience claim does not match Realm issuer."
        raise EntraError("invalid_client", 700023, text, 401)
    if not starts - 300 <= kernel.clock.now().timestamp() < ends:
        raise EntraError("invalid_client", 700024, "Client assertion is not within its valid time range.", 401)
    row = kernel.collection("identity.certificates").get(app)
    if row is not None:
        _check_signature(row["pem"], assertion, head.get("alg", ""))
    return row is not None


def _check_signature(pem: str, assertion: str, algorithm: str) -> None:
    key = load_pem_x509_certificate(pem.encode()).public_key()
    signed, _, signature = assertion.rpartition(".")
    schemes: dict[str, padding.AsymmetricPadding] = {
        "RS256": padding.PKCS1v15(),
        "PS256": padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size),
    }
    try:
        if algorithm not in schemes or not isinstance(key, rsa.RSAPublicKey):
            raise InvalidSignature(algorithm)
        key.verify(_decode(signature), signed.encode(), schemes[algorithm], hashes.SHA256())
    except InvalidSignature as broken:
        text = "Client assertion failed signature validation: the key was not found or does not match."
        raise EntraError("invalid_client", 700027, text, 401) from broken


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
