"""The key that both token services sign with, and its public half as a JWK set, so that clients can check an id token.

A key is made once in a process and never leaves it: after a restart clients find the new one in the set.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def key_set() -> dict[str, list[dict[str, Any]]]:
    """The JWK set of RFC 7517 with the one key in use; its ``kid`` is the key's thumbprint (RFC 7638)."""
    numbers = _key().public_key().public_numbers()
    size = (numbers.n.bit_length() + 7) // 8
    public = {"e": base64url(numbers.e.to_bytes(3)), "kty": "RSA", "n": base64url(numbers.n.to_bytes(size))}
    thumbprint = hashlib.sha256(json.dumps(public, separators=(",", ":"), sort_keys=True).encode()).digest()
    return {"keys": [{**public, "use": "sig", "alg": "RS256", "kid": base64url(thumbprint)}]}


def sign(claims: dict[str, Any]) -> str:
    """``claims`` as a JWT signed with RS256."""
    head = {"alg": "RS256", "typ": "JWT", "kid": key_set()["keys"][0]["kid"]}
    body = ".".join(base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))
    return f"{body}.{base64url(_key().sign(body.encode(), padding.PKCS1v15(), hashes.SHA256()))}"
