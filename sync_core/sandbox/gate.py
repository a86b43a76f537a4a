"""The gate before both servers: every request is logged, struck by a fault when one is due, and made durable.

The request is read to its end first and the answer held back until ``kernel.save()`` is through: a caller who hangs
up early, and a kill -9 at any moment, find what a real system would show. Requests to ``/_sandbox`` pass unlogged.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sync_core.sandbox.edits import Person
from sync_core.sandbox.exchange import Answer, Exchange, deliver, hang_up
from sync_core.sandbox.fault_play import AFTER, DELIVER, INSTEAD, Drop, Play
from sync_core.sandbox.kernel import Kernel, LogEntry
from sync_core.sandbox.rejections import join, recall, remember, split

CONTROL = "/_sandbox"
BODY_KEPT = 4000


class Gate:
    """ASGI middleware round one server. ``person`` makes the edits that some faults need.

    The handler finds in ``scope["sandbox.in_flight"]`` how many requests of the same caller (system, token and
    organisation) were unanswered when this one arrived, itself included: its own count cannot see those that wait here.
    """

    def __init__(self, app: ASGIApp, kernel: Kernel, person: Person) -> None:
        self.app, self.kernel, self.person = app, kernel, person
        self._in_flight: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = await _read(scope, receive)
        if exchange.path.startswith(CONTROL):
            await deliver(await self._handle(scope, exchange), send)
            return
        callers = (exchange.system, _caller(exchange))
        self._in_flight.update(callers)
        try:
            mine = {**scope, "sandbox.in_flight": self._in_flight[callers[1]]}
            await self._serve(mine, exchange, receive, send)
        finally:
            self._in_flight.subtract(callers)
            self._in_flight += Counter()  # forgets callers with nothing in flight

    async def _serve(self, scope: Scope, exchange: Exchange, receive: Receive, send: Send) -> None:
        fault = self.kernel.faults.take(exchange.system, exchange.method, exchange.path, exchange.query)
        play = Play(self.kernel, fault, exchange, self.person) if fault else None
        entry = self._log(exchange, fault.kind if fault else None)
        began = time.perf_counter()
        try:
            made = await self._answer(scope, exchange, play, entry)
            entry.status = made.status
            unusual = DELIVER.get(play.fault.kind) if play else None
            await (unusual(play, made, send) if play and unusual else deliver(made, send))
        except Drop:
            hang_up(exchange.transport)
            await receive()
        except Exception:
            entry.status = 500
            raise
        finally:
            entry.detail["milliseconds"] = round((time.perf_counter() - began) * 1000)

    async def _answer(self, scope: Scope, exchange: Exchange, play: Play | None, entry: LogEntry) -> Answer:
        if play is None:
            entry.detail["handled"] = True
            return await self._handle(scope, exchange)
        instead = INSTEAD.get(play.fault.kind)
        made = await instead(play) if instead else None
        if made is None:
            entry.detail["handled"] = True
            made = await self._handle_in_part(scope, exchange, play)
            after = AFTER.get(play.fault.kind)
            made = await after(play, made) if after else made
        self.kernel.save()
        return made

    async def _handle_in_part(self, scope: Scope, exchange: Exchange, play: Play) -> Answer:
        parts = split(play.fault, exchange) if play.fault.kind == "reject_elements" else None
        if parts is None:
            return await self._handle(scope, exchange)
        made = join(parts, await self._handle(scope, parts.rest) if parts.rest else None)
        remember(self.kernel, exchange, made)
        return made

    async def _handle(self, scope: Scope, exchange: Exchange) -> Answer:
        if kept := recall(self.kernel, exchange):
            return kept
        made = Answer(500)

        async def replay() -> Message:
            return {"type": "http.request", "body": exchange.body, "more_body": False}

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                made.status, made.headers = message["status"], list(message.get("headers", []))
            elif message["type"] == "http.response.body":
                made.body += message.get("body", b"")

        await self.app({**scope, "headers": exchange.headers}, replay, collect)
        self.kernel.save()
        return made

    def _log(self, exchange: Exchange, fault: str | None) -> LogEntry:
        detail: dict[str, Any] = {"handled": False, "in_flight": self._in_flight[exchange.system]}
        if exchange.system != "identity" and exchange.method not in ("GET", "HEAD"):
            detail["body"] = exchange.body[:BODY_KEPT].decode("utf-8", "replace")
            detail["idempotency_key"] = exchange.header("idempotency-key")
        entry = LogEntry(
            time=self.kernel.clock.now(),
            system=exchange.system,
            method=exchange.method,
            path=exchange.path,
            query=exchange.query,
            status=0,
            run=exchange.header("x-tieout-run"),
            fault=fault,
            detail=detail,
        )
        self.kernel.record(entry)
        return entry


def _caller(exchange: Exchange) -> str:
    return " ".join((exchange.system, exchange.header("authorization") or "", exchange.header("xero-tenant-id") or ""))


def system_of(path: str) -> str:
    """Which system a path belongs to; whatever is neither API is a token service."""
    lowered = path.lower()
    if lowered.startswith("/api/data"):
        return "dataverse"
    return "xero" if lowered.startswith("/api.xro") else "identity"


async def _read(scope: Scope, receive: Receive) -> Exchange:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
    return Exchange(
        system_of(scope["path"]),
        scope["method"],
        scope["path"],
        scope["query_string"].decode("latin-1"),
        list(scope["headers"]),
        bytes(body),
        scope.get("state", {}).get("transport"),
    )
