"""Both token services, seen by msal and by plain HTTP: what they grant, and the very errors that they give."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta

import httpx
import jwt
import msal
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette
from starlette.requests import Request

from sync_core.sandbox import identity
from sync_core.sandbox.kernel import Kernel

RESOURCE = "https://harbour.crm6.dynamics.com"
SCOPE = f"{RESOURCE}/.default"
LOGIN = "https://login.microsoftonline.com"
BACK = "http://localhost:8400/back"


class Caller:
    """Sends requests to both services in this process; msal takes it as its ``http_client``."""

    def __init__(self, kernel):
        self.kernel = kernel
        self.known = identity.credentials(kernel)
        app = Starlette(routes=[*identity.entra_routes(kernel), *identity.xero_routes(kernel)])
        self.transport = httpx.ASGITransport(app)

    def request(self, method, url, **options):
        return asyncio.run(self._request(method, url, options))

    async def _request(self, method, url, options):
        async with httpx.AsyncClient(transport=self.transport, base_url="http://127.0.0.1:8000") as client:
            return await client.request(method, url, **options)

    def get(self, url, params=None, headers=None, **_):
        return self.request("GET", url, params=params, headers=headers)

    def post(self, url, params=None, data=None, headers=None, auth=None, **_):
        if isinstance(data, dict):
            data = {k: v.decode() if isinstance(v, bytes) else v for k, v in data.items()}
        return self.request("POST", url, params=params, data=data, headers=headers, auth=auth)

    def close(self):
        """msal's contract; there is nothing to close."""

    def entra(self, client_id=None, tenant=None, **form):
        data = {"grant_type": "client_credentials", "client_id": client_id or self.known.dynamics_client_id, "scope": SCOPE}
        data = {k: v for k, v in {**data, **form}.items() if v is not None}
        return self.post(f"{LOGIN}/{tenant or self.known.tenant_id}/oauth2/v2.0/token", data=data)

    def xero(self, app="web", **form):
        pair = (getattr(self.known, f"xero_{app}_client_id"), getattr(self.known, f"xero_{app}_client_secret"))
        return self.post("/connect/token", data=form, auth=pair)

    def custom(self, **form):
        pair = (self.known.xero_client_id, self.known.xero_client_secret)
        return self.post("/connect/token", data={"grant_type": "client_credentials", **form}, auth=pair)

    def code(self, client_id=None, **asked):
        asked = {"response_type": "code", "redirect_uri": BACK, "scope": "offline_access accounting.contacts", **asked}
        page = self.get("/identity/connect/authorize", {"client_id": client_id or self.known.xero_web_client_id, **asked})
        return httpx.URL(page.headers["location"]).params

    def bearer(self, token, audience):
        scope = {"type": "http", "headers": [(b"authorization", f"Bearer {token}".encode())]}
        return identity.bearer(self.kernel, Request(scope), audience)


@pytest.fixture
def caller():
    kernel = Kernel(1)
    kernel.clock.set(datetime.now(UTC).replace(microsecond=0), frozen=True)
    return Caller(kernel)


def app_of(caller, credential, **options):
    return msal.ConfidentialClientApplication(
        caller.known.dynamics_client_id,
        client_credential=credential,
        authority=f"{LOGIN}/{caller.known.tenant_id}",
        http_client=caller,
        **options,
    )


def test_msal_gets_a_token_with_the_secret(caller):
    granted = app_of(caller, caller.known.dynamics_client_secret).acquire_token_for_client([SCOPE])
    principal = caller.bearer(granted["access_token"], "dataverse")
    assert (principal.app, principal.user) == (caller.known.dynamics_client_id, caller.known.dynamics_user_id)
    assert granted["expires_in"] == 3599


def test_msal_tells_a_wrong_secret(caller):
    refused = app_of(caller, "wrong").acquire_token_for_client([SCOPE])
    assert (refused["error"], refused["error_codes"]) == ("invalid_client", [7000215])


def key_and_certificate():
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tieout")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    built = built.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    pem = built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    forms = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*forms).decode(), pem


def test_msal_gets_a_token_with_a_certificate(caller):
    key, pem = key_and_certificate()
    app = app_of(caller, {"private_key": key, "public_certificate": pem})
    assert "access_token" in app.acquire_token_for_client([SCOPE])
    identity.register_certificate(caller.kernel, caller.known.dynamics_client_id, pem)
    app = app_of(caller, {"private_key": key, "public_certificate": pem})
    assert "access_token" in app.acquire_token_for_client([SCOPE])


def test_another_key_than_the_registered_one_is_refused(caller):
    key, pem = key_and_certificate()
    identity.register_certificate(caller.kernel, caller.known.dynamics_client_id, key_and_certificate()[1])
    refused = app_of(caller, {"private_key": key, "public_certificate": pem}).acquire_token_for_client([SCOPE])
    assert refused["error_codes"] == [700027]


def assertion(caller, **claims):
    now = int(caller.kernel.clock.now().timestamp())
    audience = f"{LOGIN}/{caller.known.tenant_id}/oauth2/v2.0/token"
    own = caller.known.dynamics_client_id
    body = {"iss": own, "sub": own, "aud": audience, "nbf": now, "exp": now + 600, **claims}
    parts = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in ({"alg": "PS256"}, body)]
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    return {"client_assertion_type": kind, "client_assertion": f"{parts[0]}.{parts[1]}.c2ln"}


def test_an_unchecked_signature_is_owned_up_to(caller):
    answer = caller.entra(**assertion(caller))
    assert answer.status_code == 200
    assert "signature not checked" in answer.headers["X-Sandbox-Note"]


@pytest.mark.parametrize(
    ("claims", "code"),
    [({"iss": "x"}, 700021), ({"sub": "x"}, 700021), ({"aud": "https://elsewhere"}, 700023), ({"exp": 1}, 700024)],
)
def test_claims_of_an_assertion_are_checked(caller, claims, code):
    answer = caller.entra(**assertion(caller, **claims))
    assert (answer.status_code, answer.json()["error_codes"]) == (401, [code])


ENTRA = [
    ({"client_id": "0-unknown"}, 400, "unauthorized_client", 700016),
    ({"tenant": "contoso"}, 400, "invalid_tenant", 90002),
    ({"client_secret": "x"}, 401, "invalid_client", 7000215),
    ({"client_secret": None}, 401, "invalid_client", 7000218),
    ({"scope": "https://harbour.crm6.dynamics.com/user_impersonation"}, 400, "invalid_scope", 1002012),
    ({"scope": "https://graph.microsoft.com/.default"}, 400, "invalid_resource", 500011),
    ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
    ({"grant_type": None}, 400, "invalid_request", 900144),
    ({"scope": None}, 400, "invalid_request", 900144),
    ({"tenant": "common"}, 400, "invalid_request", 50059),
    ({"scope": "https://[bad/.default"}, 400, "invalid_resource", 500011),
]


@pytest.mark.parametrize(("form", "status", "error", "number"), ENTRA)
def test_entra_errors(caller, form, status, error, number):
    answer = caller.entra(**{"client_secret": caller.known.dynamics_client_secret, **form})
    body = answer.json()
    assert (answer.status_code, body["error"], body["error_codes"]) == (status, error, [number])
    assert body["error_description"].startswith(f"AADSTS{number}: ")


def test_discovery_advertises_the_host_that_was_asked(caller):
    path = f"/{caller.known.tenant_id}/v2.0/.well-known/openid-configuration"
    public, local = caller.get(LOGIN + path).json(), caller.get(path).json()
    assert public["token_endpoint"].startswith(LOGIN)
    assert local["token_endpoint"].startswith("http://127.0.0.1:8000/")
    assert caller.get("/contoso/v2.0/.well-known/openid-configuration").json()["error_codes"] == [90002]


def test_this_server_is_a_resource_as_well(caller):
    secret = caller.known.dynamics_client_secret
    path = f"/{caller.known.tenant_id}/oauth2/v2.0/token"
    data = {"grant_type": "client_credentials", "client_id": caller.known.dynamics_client_id, "client_secret": secret}
    assert caller.post(path, data={**data, "scope": "http://127.0.0.1:8000/.default"}).status_code == 200
    assert caller.post(path, data={**data, "scope": "http://127.0.0.1:8001/.default"}).status_code == 400


def test_tokens_are_for_one_audience_and_one_hour(caller):
    token = caller.entra(client_secret=caller.known.dynamics_client_secret).json()["access_token"]
    assert caller.bearer(token, "xero") is None
    caller.kernel.clock.advance(3598)
    assert caller.bearer(token, "dataverse")
    caller.kernel.clock.advance(1)
    assert caller.bearer(token, "dataverse") is None


def test_credentials_are_the_same_for_the_same_seed():
    assert identity.credentials(Kernel(3)) == identity.credentials(Kernel(3)) != identity.credentials(Kernel(4))


def test_a_custom_connection_gets_no_refresh_token(caller):
    granted = caller.custom(scope="accounting.invoices accounting.contacts").json()
    principal = caller.bearer(granted["access_token"], "xero")
    assert "refresh_token" not in granted
    assert principal.scopes == {"accounting.invoices", "accounting.contacts"}
    assert (principal.tenants, principal.custom_connection) == ((caller.known.xero_tenant_id,), True)


XERO = [
    ({"scope": "accounting.transactions"}, "invalid_scope"),
    ({"scope": "o f f l i n e _ a c c e s s"}, "invalid_scope"),
    ({"grant_type": "refresh_token"}, "unauthorized_client"),
    ({"grant_type": "password"}, "unsupported_grant_type"),
]


@pytest.mark.parametrize(("form", "error"), XERO)
def test_xero_errors(caller, form, error):
    answer = caller.custom(**form)
    assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_a_wrong_secret_is_an_invalid_client(caller):
    answer = caller.post("/connect/token", data={"grant_type": "client_credentials"}, auth=(caller.known.xero_client_id, "x"))
    assert answer.json() == {"error": "invalid_client"}


def test_the_code_flow(caller):
    given = caller.code(state="s 1", scope="openid offline_access accounting.transactions")
    assert given["state"] == "s 1"
    form = {"grant_type": "authorization_code", "code": given["code"], "redirect_uri": BACK}
    granted = caller.xero(**form).json()
    assert {"access_token", "refresh_token", "id_token"} <= granted.keys()
    assert caller.xero(**form).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize(("seconds", "good"), [(299, True), (300, False)])
def test_a_code_lives_five_minutes(caller, seconds, good):
    code = caller.code()["code"]
    caller.kernel.clock.advance(seconds)
    answer = caller.xero(grant_type="authorization_code", code=code, redirect_uri=BACK)
    assert (answer.status_code == 200) is good


@pytest.mark.parametrize("redirect", ["http://127.0.0.1:8400/back", "http://tieout.example/back"])
def test_plain_http_is_for_localhost_by_name_only(caller, redirect):
    asked = {"response_type": "code", "client_id": caller.known.xero_web_client_id, "redirect_uri": redirect}
    assert caller.get("/identity/connect/authorize", asked).json() == {"error": "invalid_redirect_uri"}


@pytest.mark.parametrize("kept", [True, False])
def test_pkce_binds_the_code_to_its_verifier(caller, kept):
    verifier = "a" * 50
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    known = caller.known
    code = caller.code(known.xero_pkce_client_id, code_challenge=challenge, code_challenge_method="S256")["code"]
    form = {"grant_type": "authorization_code", "client_id": known.xero_pkce_client_id, "code": code, "redirect_uri": BACK}
    answer = caller.post("/connect/token", data={**form, "code_verifier": verifier if kept else "b" * 50})
    assert (answer.status_code == 200) is kept


def test_an_unknown_scope_comes_back_with_the_redirect(caller):
    assert caller.code(scope="accounting.everything")["error"] == "invalid_scope"


def refresh(caller, token):
    return caller.xero(grant_type="refresh_token", refresh_token=token)


def test_a_refresh_token_rotates_with_thirty_minutes_of_grace(caller):
    first = caller.known.xero_refresh_token
    second = refresh(caller, first).json()["refresh_token"]
    caller.kernel.clock.advance(1800)
    third = refresh(caller, first).json()["refresh_token"]
    assert len({first, second, third}) == 3
    caller.kernel.clock.advance(1)
    assert refresh(caller, first).json() == {"error": "invalid_grant"}
    assert refresh(caller, second).status_code == refresh(caller, third).status_code == 200


def test_a_refresh_token_that_nobody_used_lives_sixty_days(caller):
    caller.kernel.clock.advance(60 * 86_400 - 1)
    assert refresh(caller, caller.known.xero_refresh_token).status_code == 200
    caller.kernel.clock.advance(60 * 86_400)
    assert refresh(caller, caller.known.xero_refresh_token).status_code == 400


def test_revoking_ends_the_consent(caller):
    granted = refresh(caller, caller.known.xero_refresh_token).json()
    pair = (caller.known.xero_web_client_id, caller.known.xero_web_client_secret)
    for _ in range(2):
        gone = caller.post("/connect/revocation", data={"token": granted["refresh_token"]}, auth=pair)
        assert gone.status_code == 200
    assert refresh(caller, granted["refresh_token"]).json() == {"error": "invalid_grant"}
    assert caller.bearer(granted["access_token"], "xero") is None


def test_connections_in_any_case(caller):
    token = caller.custom().json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    (connection,) = caller.get("/CONNECTIONS", headers=headers).json()
    assert connection["tenantType"] == "ORGANISATION"
    assert caller.get("/connections").status_code == 401
    assert caller.request("DELETE", "/connections/nope", headers=headers).status_code == 404
    assert caller.request("DELETE", f"/Connections/{connection['id']}", headers=headers).status_code == 204
    assert caller.get("/connections", headers=headers).json() == []


def test_consenting_again_connects_again(caller):
    token = refresh(caller, caller.known.xero_refresh_token).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    (connection,) = caller.get("/connections", headers=headers).json()
    caller.request("DELETE", f"/connections/{connection['id']}", headers=headers)
    caller.code()
    assert len(caller.get("/connections", headers=headers).json()) == 1


def test_what_was_taken_away_stays_away_over_a_restart(caller):
    rows = caller.kernel.collection("identity.connections")
    for key in [key for key, _ in rows.items()]:
        rows.remove(key)
    identity.xero_routes(caller.kernel)
    assert len(rows) == 0


def test_a_reset_brings_the_first_tokens_back(caller):
    refresh(caller, caller.known.xero_refresh_token)
    caller.kernel.reset(1)
    caller.kernel.clock.advance(3600)
    assert refresh(caller, caller.known.xero_refresh_token).status_code == 200


def test_an_id_token_can_be_checked_against_the_published_key(caller):
    """As xero-node does it: issuer, audience, times and signature, and the nonce of the request comes back."""
    page = caller.get("https://identity.xero.com/.well-known/openid-configuration").json()
    code = caller.code(scope="openid accounting.contacts", nonce="n-1")["code"]
    pair = (caller.known.xero_web_client_id, caller.known.xero_web_client_secret)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    granted = caller.post(page["token_endpoint"], data=form, auth=pair).json()
    key = jwt.PyJWK(caller.get(page["jwks_uri"]).json()["keys"][0])
    claims = jwt.decode(granted["id_token"], key, ["RS256"], audience=pair[0], issuer=page["issuer"])
    assert (claims["nonce"], page["issuer"]) == ("n-1", "https://identity.xero.com")
    assert jwt.decode(granted["access_token"], key, ["RS256"], audience=f"{page['issuer']}/resources")["scope"]


def test_the_key_of_entra_is_where_its_discovery_says(caller):
    page = caller.get(f"{LOGIN}/organizations/v2.0/.well-known/openid-configuration").json()
    token = caller.entra(client_secret=caller.known.dynamics_client_secret).json()["access_token"]
    key = jwt.PyJWK(caller.get(page["jwks_uri"]).json()["keys"][0])
    assert jwt.decode(token, key, ["RS256"], audience=RESOURCE)["tid"] == caller.known.tenant_id
    assert page["issuer"] == f"{LOGIN}/{{tenantid}}/v2.0"


def test_entra_takes_the_secret_in_a_basic_header(caller):
    pair = (caller.known.dynamics_client_id, caller.known.dynamics_client_secret)
    path = f"{LOGIN}/{caller.known.tenant_id}/oauth2/v2.0/token"
    assert caller.post(path, data={"grant_type": "client_credentials", "scope": SCOPE}, auth=pair).status_code == 200
    headers = {"Authorization": "Basic =="}
    assert caller.post(path, data={"grant_type": "client_credentials"}, headers=headers).json()["error"] == "invalid_client"


def test_the_older_token_address_takes_a_resource_and_answers_in_text(caller):
    form = {"grant_type": "client_credentials", "client_id": caller.known.dynamics_client_id, "resource": RESOURCE}
    form["client_secret"] = caller.known.dynamics_client_secret
    granted = caller.post(f"{LOGIN}/{caller.known.tenant_id}/oauth2/token", data=form).json()
    assert caller.bearer(granted["access_token"], "dataverse")
    assert (granted["expires_in"], granted["resource"]) == ("3599", RESOURCE)


@pytest.mark.parametrize("path", ["oauth2/v2.0/token", "connect/token"])
def test_bytes_that_are_no_text_are_refused(caller, path):
    address = f"/{caller.known.tenant_id}/{path}" if "v2.0" in path else f"/{path}"
    assert caller.request("POST", address, content=b"grant_type=\xff\xfe").status_code == 400


@pytest.mark.parametrize("claims", [None, [], {"nbf": "soon", "exp": "x"}, {"nbf": None}])
def test_an_assertion_that_is_no_set_of_claims_is_malformed(caller, claims):
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, claims)]
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    answer = caller.entra(client_assertion_type=kind, client_assertion=".".join([*parts, "x"]))
    assert answer.status_code == (401 if claims == [] else 400)


def test_a_redirect_that_is_no_address_is_refused(caller):
    asked = {"response_type": "code", "client_id": caller.known.xero_web_client_id, "redirect_uri": "https://[bad"}
    assert caller.get("/identity/connect/authorize", asked).json() == {"error": "invalid_redirect_uri"}
