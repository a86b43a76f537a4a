"""A tenant of Microsoft Entra ID as far as signing in needs one: discovery, a consent that is always given, signed tokens."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

CLIENT, SECRET = "tieout-console", "a secret of the app registration"


class Tenant:
    """``person``: the claims of whoever signs in next. Times are real: the browser and the console live by them too."""

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}/tenant"
        self.person = {}
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._nonces = {}
        self.app = Starlette(
            routes=[
                Route("/tenant/v2.0/.well-known/openid-configuration", self._metadata),
                Route("/tenant/authorize", self._authorize),
                Route("/tenant/token", self._token, methods=["POST"]),
                Route("/tenant/keys", self._keys),
            ]
        )

    @property
    def metadata_url(self):
        return f"{self.url}/v2.0/.well-known/openid-configuration"

    def _metadata(self, _request):
        return JSONResponse(
            {
                "issuer": f"{self.url}/v2.0",
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "response_types_supported": ["code"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    def _authorize(self, request):
        asked = request.query_params
        assert asked["client_id"] == CLIENT
        code = f"code-{len(self._nonces)}"
        self._nonces[code] = asked["nonce"]
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")

    async def _token(self, request):
        form = await request.form()
        now = datetime.now(UTC)
        times = {"iat": now, "nbf": now, "exp": now + timedelta(hours=1)}
        claims = {"iss": f"{self.url}/v2.0", "aud": CLIENT, "sub": "s", "nonce": self._nonces.pop(form["code"]), **times}
        signed = jwt.encode(claims | self.person, self._key, algorithm="RS256", headers={"kid": "one"})
        return JSONResponse({"token_type": "Bearer", "expires_in": 3600, "access_token": "opaque", "id_token": signed})

    def _keys(self, _request):
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return JSONResponse({"keys": [public | {"kid": "one", "use": "sig", "alg": "RS256"}]})


@contextmanager
def tenant(port):
    """A tenant that answers on 127.0.0.1."""
    made = Tenant(port)
    server = uvicorn.Server(uvicorn.Config(made.app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield made
    server.should_exit = True
    thread.join()
