"""What every answer of the console carries, and what it never answers: pure ASGI, so that streamed files stay streams."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console import browsers

POLICY = "; ".join(
    (
        "default-src 'self'",
        # The hash is Streamlit's one inline script; its diagrams are drawn by WebAssembly.
        "script-src 'self' 'wasm-unsafe-eval' 'sha256-THxz9J9+wf7rhwR2YkXJoSZ13UCmYyC+3lNDv2+8ugA='",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HIDDEN = frozenset({"/_stcore/metrics"})
"""Streamlit's own figures, open to everyone by default; Tieout's are at /metrics."""


ENCRYPTED = {"Strict-Transport-Security": "max-age=31536000"}


class SecurityHeaders:
    """``encrypted``: browsers come over https, so that they keep to it and send no cookie without it. ``names_browsers``: a
    browser that is not known yet gets the cookie of :mod:`console.browsers` with its first page.
    """

    def __init__(self, app: ASGIApp, *, encrypted: bool = False, names_browsers: bool = False) -> None:
        self._app, self._encrypted, self._names_browsers = app, encrypted, names_browsers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if self._names_browsers and _is_first_page(scope, headers):
                    headers.append("Set-Cookie", browsers.new_cookie())
                if self._encrypted:
                    headers.update(ENCRYPTED)
                    message["headers"] = [_kept_to_https(name, value) for name, value in message["headers"]]
            await send(message)

        if scope["type"] == "http" and scope["path"].rstrip("/") in HIDDEN:
            await PlainTextResponse("Not found.", status_code=404)(scope, receive, with_headers)
            return
        await self._app(scope, receive, with_headers)


def _is_first_page(scope: Scope, answer: MutableHeaders) -> bool:
    """Whether a page goes to a browser that sent no cookie of ours."""
    is_page = answer.get("content-type", "").startswith("text/html")
    return is_page and browsers.COOKIE not in Headers(scope=scope).get("cookie", "")


def _kept_to_https(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Streamlit leaves its cookies open to plain http; behind https they need not be."""
    is_open = name.lower() == b"set-cookie" and b"; secure" not in value.lower()
    return (name, value + b"; Secure") if is_open else (name, value)
