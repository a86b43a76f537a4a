"""What may be shown or logged of a text that came from outside: no secret, no line break, no endless page.

Two nets, because either alone leaks: patterns for the shapes that secrets have (bearer tokens, JWTs, named form
and JSON fields, user information in addresses), and the very values that this process holds (:func:`hide`).
"""

from __future__ import annotations

import re
import threading
from base64 import b64encode
from collections import OrderedDict
from urllib.parse import quote

MASK = "[hidden]"
LONGEST = 2000
_SHORTEST_SECRET = 6
_KEPT = 512

_NAMES = (
    r"access_token|refresh_token|id_token|client_secret|client_assertion|code_verifier|assertion|password|passphrase"
    r"|secret|api_?key|webhook_?key|set-cookie|cookie|private_key"
)
_PATTERNS = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {MASK}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)*"), MASK),
    (re.compile(rf"(?i)([\"'](?:{_NAMES})[\"']\s*:\s*[\"'])(?:[^\"'\\]|\\.)*"), rf"\1{MASK}"),
    (re.compile(rf"(?i)\b({_NAMES})(\s*[=:]\s*)[^\s&,;\"'}}]+"), rf"\1\2{MASK}"),
    (re.compile(r"(?i)([?&](?:code|sig|token|key)=)[^&\s]+"), rf"\1{MASK}"),
    (re.compile(r"(?i)\b(https?://)[^/\s@]+@"), rf"\1{MASK}@"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL), MASK),
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

_lock = threading.Lock()
_known: OrderedDict[str, None] = OrderedDict()


def hide(secret: str) -> None:
    """Remember a secret of this process, so that :func:`redact` masks it wherever it turns up.

    Only the newest few hundred are kept: access tokens come and go, old ones are worthless.
    """
    if len(secret) < _SHORTEST_SECRET:
        return
    forms = {secret, quote(secret, safe=""), b64encode(secret.encode()).decode()}
    with _lock:
        for form in forms:
            _known[form] = None
            _known.move_to_end(form)
        while len(_known) > _KEPT:
            _known.popitem(last=False)


def redact(text: str, *, longest: int = LONGEST) -> str:
    """``text`` in one line, at most ``longest`` characters, with everything masked that looks like a secret."""
    with _lock:
        known = sorted(_known, key=len, reverse=True)
    for secret in known:
        text = text.replace(secret, MASK)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    text = _CONTROL.sub(" ", text).strip()
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
