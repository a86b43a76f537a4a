"""Nothing secret and no line break leaves in a text."""

from __future__ import annotations

import pytest

from sync_core.systems.redaction import MASK, hide, redact

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"Authorization: Bearer {JWT}", JWT),
        (f"token was {JWT}.", JWT),
        ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA=="),
        ('{"refresh_token":"rt 123\\"4", "a": 1}', "rt 123"),
        ("grant_type=refresh_token&refresh_token=rt-1234&client_secret=s3cr3t", "rt-1234"),
        ("client_secret=s3cr3t", "s3cr3t"),
        ("https://user:pw@host/x", "user:pw"),
        ("https://host/cb?code=abc123&state=1", "abc123"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----", "MIIE"),
    ],
)
def test_shapes_of_secrets_are_masked(text, secret):
    assert secret not in redact(text)
    assert MASK in redact(text)


def test_known_secrets_are_masked_in_every_dress():
    hide("plain canary/+")
    hide("tiny")
    assert "canary" not in redact("a plain canary/+ b plain%20canary%2F%2B c cGxhaW4gY2FuYXJ5Lys= d")
    assert redact("tiny") == "tiny"


def test_one_line_and_not_endless():
    assert redact("a\r\nSet status=ok\x00b\u2028c") == "a Set status=ok b c"
    assert len(redact("x" * 5000)) == 2000


def test_what_helps_is_left():
    text = '{"error":{"code":"0x80060888","message":"Invalid client secret provided for app \'1\'."}}'
    assert redact(text) == text
