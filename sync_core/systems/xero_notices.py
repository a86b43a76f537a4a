"""Xero's webhooks: proof that a notice is Xero's own, and whether it tells of anything in this organisation.

What a notice says is never trusted: it only makes the next sync come sooner, which asks Xero itself. So a notice that comes
twice, late or out of order does no harm. Source: developer.xero.com, "Webhooks", "Configuring your server".
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode


def is_signed(body: bytes, signature: str, key: str) -> bool:
    """Whether ``signature`` (of the header ``x-xero-signature``) is that of exactly these bytes under our webhook key."""
    right = b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest())
    return hmac.compare_digest(right, signature.encode("utf-8", "replace"))


def tells_of(body: bytes, tenant_id: str) -> bool:
    """Whether a signed notice tells of something in this organisation. Xero tries a new address with empty ones.

    One that cannot be understood counts: it is Xero's, so something happened.
    """
    try:
        events = json.loads(body)["events"]
        return any(str(event["tenantId"]).lower() == tenant_id.lower() for event in events)
    except (ValueError, TypeError, KeyError, RecursionError):
        return True
