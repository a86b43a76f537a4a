"""Dynamics' tokens through msal: secrets and certificates, any identity address, and sentences for refusals."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from virtual import Script, VirtualClock, answer

from sync_core.errors import Configure, Retryable
from sync_core.sandbox.identity import register_certificate
from sync_core.sandbox.serve import Sandbox
from sync_core.settings import Settings
from sync_core.systems.oauth import EntraTokens, XeroTokens

TENANT = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def clock():
    return VirtualClock()


def settings(**changes):
    known = {
        "dynamics_url": "https://org.crm.dynamics.com",
        "dynamics_tenant_id": TENANT,
        "dynamics_client_id": "app",
        "dynamics_client_secret": "canary-secret",
    }
    return Settings(_env_file=None, **(known | changes))


def entra(request, token=None, discovery=None):
    """A small Entra: discovery, then the token endpoint."""
    if request.method == "GET":
        elsewhere = {k: f"http://127.0.0.1:1/{TENANT}/oauth2/v2.0/{k}" for k in ("token_endpoint", "authorization_endpoint")}
        return discovery or httpx.Response(200, json={"issuer": "http://127.0.0.1:1", **elsewhere})
    return token or httpx.Response(200, json={"access_token": "a-token-1", "expires_in": 3599, "token_type": "Bearer"})


def refused(number):
    text = {"error": "invalid_client", "error_description": f"AADSTS{number}: No.", "error_codes": [number]}
    return httpx.Response(401, json=text)


def test_the_environment_is_the_scope_and_the_token_is_kept(clock):
    script = Script(entra)
    tokens = EntraTokens(settings(dynamics_url="https://org.crm.dynamics.com/api/data/v9.2"), clock, script)
    assert [tokens.token(), tokens.token()] == ["a-token-1"] * 2
    posts = [r for r in script.requests if r.method == "POST"]
    assert len(posts) == 1
    assert parse_qs(posts[0].content.decode())["scope"] == ["https://org.crm.dynamics.com/.default"]
    assert posts[0].url.host == "login.microsoftonline.com"


def test_a_refused_token_is_asked_for_anew(clock):
    script = Script(entra)
    tokens = EntraTokens(settings(), clock, script)
    tokens.token()
    tokens.token(True)
    assert [r.method for r in script.requests].count("POST") == 2


def test_without_discovery_the_usual_endpoints_are_taken(clock):
    script = Script(lambda r: entra(r, discovery=httpx.Response(404)))
    EntraTokens(settings(), clock, script).token()
    assert script.seen[-1] == f"POST /{TENANT}/oauth2/v2.0/token"


@pytest.mark.parametrize(
    ("number", "setting"),
    [
        (7000215, "TIEOUT_DYNAMICS_CLIENT_SECRET"),
        (700016, "TIEOUT_DYNAMICS_CLIENT_ID"),
        (90002, "TIEOUT_DYNAMICS_TENANT_ID"),
        (500011, "TIEOUT_DYNAMICS_URL"),
        (1, "four TIEOUT_DYNAMICS settings"),
    ],
)
def test_each_refusal_names_its_setting(clock, number, setting):
    tokens = EntraTokens(settings(), clock, Script(lambda r: entra(r, token=refused(number))))
    with pytest.raises(Configure, match=setting):
        tokens.token()


def test_an_unknown_tenant_is_refused_by_discovery(clock):
    unknown = httpx.Response(400, json={"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant not found"})
    with pytest.raises(Configure, match="TIEOUT_DYNAMICS_TENANT_ID"):
        EntraTokens(settings(), clock, Script(lambda r: entra(r, discovery=unknown))).token()


@pytest.mark.parametrize("fault", [httpx.ConnectError("no route"), answer(500), answer(429, retry_after="999")])
def test_an_unreachable_sign_in_is_retryable(clock, fault):
    with pytest.raises(Retryable, match="Microsoft's sign-in service"):
        EntraTokens(settings(), clock, Script(fault)).token()


@pytest.mark.parametrize("more", ["", "/", f"/{TENANT}", f"/{TENANT}/oauth2/v2.0/token", f"/{TENANT}/oauth2/token/"])
def test_the_sign_in_address_may_name_the_tenant(clock, more):
    script = Script(entra)
    address = f"https://login.microsoftonline.us{more}"
    assert EntraTokens(settings(dynamics_identity_url=address), clock, script).token() == "a-token-1"
    assert str(script.requests[-1].url).startswith(f"https://login.microsoftonline.us/{TENANT}/oauth2/v2.0/token")


def test_the_token_endpoint_of_xero_will_do_as_its_sign_in_address():
    known = settings(xero_identity_url="https://identity.xero.com/connect/token")
    assert (known.xero_identity_url, known.xero_login_url) == ("https://identity.xero.com", "https://login.xero.com")


def test_a_token_answer_may_begin_with_a_byte_order_mark(clock):
    body = b"\xef\xbb\xbf" + entra(httpx.Request("POST", "https://x")).content
    script = Script(lambda r: entra(r, token=httpx.Response(200, content=body)))
    assert EntraTokens(settings(), clock, script).token() == "a-token-1"


@pytest.mark.parametrize("body", [b'{"access_token": "canary-token-1234", "expi', b"<html>", b"[1]", b""])
@pytest.mark.parametrize("status", [200, 403])
def test_an_answer_that_cannot_be_read_is_retryable_and_not_shown(clock, body, status, capsys):
    script = Script(lambda r: entra(r, token=httpx.Response(status, content=body)))
    with pytest.raises((Retryable, Configure)) as caught:
        EntraTokens(settings(), clock, script).token()
    assert "canary-token" not in caught.value.detail + "".join(capsys.readouterr())


def test_a_certificate_that_is_none_is_said_so(clock, tmp_path):
    path = tmp_path / "half.pem"
    path.write_text("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")
    for wrong in (path, tmp_path / "missing.pem"):
        with pytest.raises(Configure, match="TIEOUT_DYNAMICS_CERTIFICATE"):
            EntraTokens(settings(dynamics_certificate=wrong), clock, Script(entra)).token()


def test_no_secret_shows(clock):
    tokens = EntraTokens(settings(), clock, Script(lambda r: entra(r, token=refused(7000215))))
    with pytest.raises(Configure) as caught:
        tokens.token()
    assert "canary-secret" not in caught.value.detail + repr(tokens) + repr(vars(tokens))


class NoApi:
    """The sign-in services stand on their own; neither API is needed."""

    def routes(self, kernel):
        return []

    def seed(self, kernel, company):
        pass


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(seed=1, systems={"dataverse": NoApi(), "xero": NoApi()}) as running:
        yield running


def of_sandbox(sandbox, **changes):
    names = {name.removeprefix("TIEOUT_").lower(): value for name, value in sandbox.environment().items()}
    return Settings(_env_file=None, **(names | changes))


def test_the_sandbox_signs_in_with_a_secret(sandbox, clock):
    with closing(EntraTokens(of_sandbox(sandbox), clock)) as tokens:
        token = tokens.token()
    assert token in sandbox.kernel.collection("identity.tokens")


def test_the_sandbox_knows_a_custom_connection(sandbox, clock):
    with closing(XeroTokens(of_sandbox(sandbox), clock)) as tokens:
        token = tokens.token()
    assert token in sandbox.kernel.collection("identity.tokens")


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"dynamics_client_secret": "wrong-one"}, "CLIENT_SECRET"),
        ({"dynamics_client_id": TENANT}, "CLIENT_ID"),
        ({"dynamics_tenant_id": TENANT}, "TENANT_ID"),
    ],
)
def test_the_sandbox_refuses_like_entra(sandbox, clock, changes, setting):
    with closing(EntraTokens(of_sandbox(sandbox, **changes), clock)) as tokens, pytest.raises(Configure, match=setting):
        tokens.token()


def test_the_sandbox_signs_in_with_a_certificate(sandbox, clock, tmp_path):
    pem, certificate = self_signed()
    path = tmp_path / "app.pem"
    path.write_bytes(pem + certificate)
    known = of_sandbox(sandbox, dynamics_certificate=path)
    sandbox.run(lambda: register_certificate(sandbox.kernel, known.dynamics_client_id, certificate.decode()))
    with closing(EntraTokens(known, clock)) as tokens:
        assert tokens.token() in sandbox.kernel.collection("identity.tokens")


def self_signed():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tieout")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start + timedelta(days=3650))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private, builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
