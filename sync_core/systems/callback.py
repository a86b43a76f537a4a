"""Waits on this machine for the one answer that a browser brings back from a sign-in page."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from sync_core.errors import Configure, Retryable

HOST = "127.0.0.1"
PATH = "/callback"
_PAGE = (
    b"<!doctype html><meta charset=utf-8><title>Tieout</title>"
    b"<p>Tieout has Xero's answer. Close this page and look where connect-xero was started: it says what came of it.</p>"
)


class Callback:
    """``http://localhost:PORT/callback``, on this machine only. Raises Configure when the port cannot be had."""

    def __init__(self, port: int) -> None:
        self._answers: SimpleQueue[Mapping[str, str]] = SimpleQueue()
        try:
            self._server = _Server(port, self._answers)
        except (OSError, OverflowError) as error:
            raise Configure(
                f"Port {port} of this machine cannot be listened on. Choose another with --port, and add its address "
                f"(http://localhost:PORT{PATH}) to the Xero app.",
                detail=str(error),
            ) from None
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="callback", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self) -> str:
        """What the app at Xero must name as a redirect address. Xero takes plain http for ``localhost`` only."""
        return f"http://localhost:{self._server.server_port}{PATH}"

    def wait(self, seconds: float) -> Mapping[str, str]:
        """The query of the first answer. Raises Retryable when none comes in time."""
        try:
            return self._answers.get(timeout=seconds)
        except Empty:
            raise Retryable(
                f"No answer came from Xero's page within {seconds / 60:.0f} minutes. Run connect-xero again, open the address, "
                f"and see that the Xero app names {self.address} as a redirect address."
            ) from None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # on Windows it would let two programs have one port

    def __init__(self, port: int, answers: SimpleQueue[Mapping[str, str]]) -> None:
        self.answers = answers
        super().__init__((HOST, port), _Page)


class _Page(BaseHTTPRequestHandler):
    """The answer in the address, and a page that shows nothing of it."""

    server: _Server
    timeout = 10
    server_version = "Tieout"
    sys_version = ""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path != PATH:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(_PAGE)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(_PAGE)
        self.server.answers.put(dict(parse_qsl(parts.query, keep_blank_values=True)))

    def log_message(self, *_: Any) -> None:
        """Nothing: the address holds the code."""
