"""Notices of Xero's: what is signed counts, what is forged does not, and what they say is hardly read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

from sync_core.systems.xero_notices import is_signed, tells_of

KEY = "the webhook key"
EVENT = {"tenantId": "C3D5E782", "resourceId": "1", "eventCategory": "INVOICE", "eventType": "UPDATE"}


def signed(body, key=KEY):
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


def notice(*events):
    return json.dumps({"events": events, "firstEventSequence": 1, "lastEventSequence": len(events)}).encode()


def test_only_these_very_bytes_under_this_key_are_signed():
    body = notice(EVENT)
    assert is_signed(body, signed(body), KEY)
    assert not is_signed(body + b" ", signed(body), KEY)
    assert not is_signed(body, signed(body, "another key"), KEY)


@pytest.mark.parametrize("forged", ["", "x", "\u00e9\ud800", "=" * 44, "A" * 10_000])
def test_a_forged_signature_is_none(forged):
    assert not is_signed(notice(EVENT), forged, KEY)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (notice(EVENT), True),
        (notice({**EVENT, "tenantId": "another"}, {**EVENT, "tenantId": "c3d5e782"}), True),
        (notice({**EVENT, "tenantId": "another"}), False),
        (notice(), False),
        (b"not json", True),
        (b"[]", True),
        (b"{}", True),
        (b'{"events": [1]}', True),
        (b"[" * 100_000, True),
    ],
)
def test_it_tells_of_this_organisation(body, told):
    assert tells_of(body, "c3d5e782") is told
