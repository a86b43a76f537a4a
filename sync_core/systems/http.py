"""The one way out: every request to Dynamics, Xero and their sign-in services goes through :class:`Http`.

What it promises:

- Only the host of ``base_url``, only https (plain http for this machine, with the switch); redirects are not followed.
- Only what is safe is sent twice. 401 and 429 mean that nothing was carried out, and so does a connection that was never
  made: any request may be repeated. After a 5xx, a time-out or a cut connection only a safe request is; for the others
  the answer is lost, and :class:`~sync_core.errors.Unknown` says so.
- Retry-After closes a gate for every thread; nobody sends before it ends. Waits that are too long end in Retryable with
  ``after``.
- A deadline over all attempts (waits that the system or the budget ordered are not counted) and a cap on decoded bytes.
- 400, 404, 409, 412 and the like come back as an :class:`Answer`; the clients know what they mean.
"""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import structlog

from sync_core.errors import Retryable
from sync_core.model import Calls, SlowCall
from sync_core.settings import is_loopback
from sync_core.systems import http_failures as failures
from sync_core.systems.http_answer import Answer, Forbidden, GarbledError, TooLargeError, read_body
from sync_core.systems.http_call import Call, address, resolved, same_origin
from sync_core.systems.http_gate import Gate, after_of
from sync_core.systems.redaction import hide, redact

if TYPE_CHECKING:
    from sync_core.systems.base import Clock
    from sync_core.systems.budget import Budget

__all__ = ["Answer", "Forbidden", "Gate", "Http"]

ATTEMPTS = 4
SLOW_DOWNS = 6
SLOWEST = 5
PATIENCE = timedelta(seconds=120)
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_TIMEOUT = httpx.Timeout(connect=10, read=60, write=60, pool=60)
_REQUEST_IDS = ("xero-correlation-id", "x-ms-service-request-id", "x-ms-request-id", "request-id")

# Silent until somebody turns the standard logger "sync_core.systems" to DEBUG; only the fields below are ever passed.
_LOGGER = logging.getLogger("sync_core.systems")
_log = structlog.wrap_logger(
    _LOGGER,
    processors=[structlog.stdlib.filter_by_level, structlog.processors.KeyValueRenderer()],
    wrapper_class=structlog.stdlib.BoundLogger,
)


@cache
def _trusted(*, from_environment: bool) -> ssl.SSLContext:
    """Whose certificates are believed. Made once: reading the list of authorities takes longer than a sync's own requests."""
    return httpx.create_ssl_context(trust_env=from_environment)


class _TooLateError(Exception):
    """The deadline ended while a body was being read."""


class Http:
    """Requests to one system. Safe to use from several threads.

    ``token(True)`` must bring a fresh access token, ``token(False)`` may bring a kept one. ``run_id`` is told to the
    sandbox only; the slowest calls are kept per run. ``seed`` makes the jitter of waits repeatable.
    """

    def __init__(
        self,
        *,
        system: str,
        base_url: str,
        clock: Clock,
        token: Callable[[bool], str] | None,
        run_id: Callable[[], str | None],
        allow_loopback: bool,
        budget: Budget | None = None,
        transport: httpx.BaseTransport | None = None,
        byte_cap: int = 64 * 1024 * 1024,
        deadline_s: float = 120,
        gate: Gate | None = None,
        seed: int | None = None,
    ) -> None:
        self.system = system
        self._base = base_url.rstrip("/")
        self._local = is_loopback(base_url)
        if urlsplit(self._base).scheme != "https" and not (self._local and allow_loopback and self._base.startswith("http:")):
            raise failures.unsafe_address(system)
        self._clock, self._token, self._run_id, self._budget = clock, token, run_id, budget
        self._cap, self._deadline = byte_cap, deadline_s
        self._gate = gate or Gate(clock)
        self._random = Random(seed)  # noqa: S311 - jitter of waits, nothing secret
        self._token_lock, self._count_lock = threading.Lock(), threading.Lock()
        self._calls = Calls()
        self._timed_run: str | None = None
        self._client = httpx.Client(
            transport=transport,
            verify=_trusted(from_environment=not self._local),
            timeout=_TIMEOUT,
            follow_redirects=False,
            trust_env=not self._local,
            headers={"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "Tieout/0.1"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            limits=httpx.Limits(max_connections=32, max_keepalive_connections=16, keepalive_expiry=4),
        )

    @property
    def host(self) -> str:
        return urlsplit(self._base).netloc

    @property
    def calls(self) -> Calls:
        """Requests sent so far, every attempt counted."""
        return self._calls

    def close(self) -> None:
        self._client.close()

    def follow(self, asked: str, link: str) -> str:
        """The address of ``link``, which stood in the answer to ``asked``; "" for none."""
        return resolved(self._base, asked, link)

    def leads_here(self, url: str) -> bool:
        """Whether a whole address is one of this system, as the settings name it now."""
        return same_origin(self._base, url)

    def request(
        self,
        method: str,
        where: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        safe: bool | None = None,
        write: bool = False,
    ) -> Answer:
        """Send one request and bring its answer.

        ``where`` is a path below ``base_url`` or a whole address of the same origin (a nextLink), sent as it stands;
        ``params`` are appended, encoded. ``safe``: whether sending it twice does no harm (default: GET and HEAD).
        ``write``: count it as a write. Raises Configure, Forbidden, Retryable or Unknown.
        """
        verb = method.upper()
        call = Call(
            method=verb,
            url=address(self._base, where, params, system=self.system),
            headers=headers or {},
            content=content,
            safe=verb in _SAFE if safe is None else safe,
            write=write,
            started=self._now(),
        )
        while True:
            answer = self._attempt(call)
            if answer is not None:
                return answer

    # -- one attempt ---------------------------------------------------------------------------------------------------

    def _attempt(self, call: Call) -> Answer | None:
        """The answer, or None when the call should be made again (whatever wait was due is over)."""
        try:
            answer = self._send(call)
        except _NOT_SENT as error:
            self._again(call, failures.unreachable(self.system, self.host, error))
        except (httpx.TransportError, GarbledError, _TooLateError) as error:
            self._lost(call, error)
        except TooLargeError:
            if call.safe:
                raise failures.too_large(self.system, self._cap) from None
            raise failures.unknown(self.system, "its answer was too large to read", "") from None
        else:
            return self._judge(call, answer)
        return None

    def _send(self, call: Call) -> Answer:
        bearer = self._bearer(call.refused)
        with self._turn(call), self._timed(call):
            response = self._client.send(self._build(call, bearer), stream=True)
            try:
                body = read_body(
                    response.stream,  # type: ignore[arg-type]  # a synchronous client has a synchronous stream
                    response.headers.get("content-encoding", ""),
                    self._cap,
                    lambda: self._in_time(call),
                )
            finally:
                response.close()
            if self._budget is not None:
                self._budget.observe(response.headers)
        call.refused = bearer if response.status_code == 401 else None
        self._note(call, response)
        return Answer(response.status_code, response.headers, body, self.system, call.safe)

    def _build(self, call: Call, bearer: str | None) -> httpx.Request:
        headers = dict(call.headers)
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer}"
        run = self._run_id() if self._local else None
        if run:
            headers["X-Tieout-Run"] = run
        target = call.target()
        return self._client.build_request(
            call.method,
            call.url,
            headers=headers,
            content=call.content,
            extensions={"target": target} if target else {},
        )

    def _bearer(self, refused: str | None) -> str | None:
        """The token to send. When several threads had theirs refused, the first one fetches, the others take that."""
        if self._token is None:
            return None
        with self._token_lock:
            bearer = self._token(False)
            if refused is not None and bearer == refused:
                bearer = self._token(True)
        hide(bearer)
        return bearer

    @contextmanager
    def _turn(self, call: Call) -> Iterator[None]:
        """Hold a slot of the budget, taken while the gate is open."""
        while True:
            self._await_gate(call)
            before = self._now()
            slot = self._budget.acquire() if self._budget is not None else None
            call.waited += self._now() - before
            if not self._gate.remaining():
                break
            if slot is not None:
                slot.give_back()
        self._count(call)
        try:
            yield
        finally:
            if slot is not None:
                slot.release()

    @contextmanager
    def _timed(self, call: Call) -> Iterator[None]:
        """Keep how long the answer took, where it is among the slowest of its run."""
        began = self._clock.now()
        try:
            yield
        finally:
            self._keep_slow(call, began, (self._clock.now() - began) // timedelta(milliseconds=1))

    def _keep_slow(self, call: Call, at: datetime, milliseconds: int) -> None:
        with self._count_lock:
            now, run = self._calls, self._run_id()
            before = now.slowest if run == self._timed_run else ()
            if len(before) < SLOWEST or milliseconds > before[-1].milliseconds:
                path = redact(urlsplit(call.url).path, longest=200)
                longest = sorted((*before, SlowCall(call.method, path, milliseconds, at)), key=lambda c: -c.milliseconds)
                self._calls, self._timed_run = replace(now, slowest=tuple(longest[:SLOWEST])), run

    def _in_time(self, call: Call) -> None:
        if call.spent(self._now()) > self._deadline:
            raise _TooLateError("the answer took too long")

    # -- what came of it -----------------------------------------------------------------------------------------------

    def _judge(self, call: Call, answer: Answer) -> Answer | None:
        if answer.status == 401 and self._token is not None:
            call.refusals += 1
            if call.refusals > 1:
                if answer.lacks_permission:
                    raise failures.forbidden(self.system, answer)
                raise failures.unauthorised(self.system, answer)
            return None
        if answer.status == 429:
            self._slow_down(call, answer)
            return None
        if answer.status >= 500 and answer.status != 501:
            self._failing(call, answer)
            return None
        if answer.status == 403:
            raise failures.forbidden(self.system, answer)
        if 300 <= answer.status < 400 and answer.status != 304:
            raise failures.redirected(self.system, self.host, answer)
        if call.safe and answer.status == 200 and answer.is_page:
            self._again(call, answer.no_data())
            return None
        return answer

    def _slow_down(self, call: Call, answer: Answer) -> None:
        after = after_of(answer.headers, self._clock.now())
        if after is None:
            call.slow_downs += 1
            if call.slow_downs > SLOW_DOWNS:
                raise failures.too_busy(self.system, answer)
            self._wait(call, self._backoff(call.slow_downs, longest=30))
            return
        daily = "day" in answer.headers.get("x-rate-limit-problem", "").lower()
        self._gate.close(after, daily=daily)
        self._await_gate(call)

    def _await_gate(self, call: Call) -> None:
        """Wait until the gate is open; Retryable when the waits of this call together would try its patience."""
        while left := self._gate.remaining():
            if call.ordered + left > PATIENCE:
                raise self._gate.refusal(self.system, left)
            call.ordered += left
            self._wait(call, left.total_seconds())

    def _failing(self, call: Call, answer: Answer) -> None:
        after = after_of(answer.headers, self._clock.now())
        if after is not None:
            self._gate.close(after)
        if not call.safe:
            raise failures.unknown(self.system, f"it answered {answer.status}", answer.text())
        self._again(call, failures.failing(self.system, answer, after))

    def _lost(self, call: Call, error: Exception) -> None:
        self._note(call, None, lost=type(error).__name__)
        if not call.safe:
            why = "the connection was lost before it answered"
            raise failures.unknown(self.system, why, failures.reason(error)) from error
        self._again(call, failures.incomplete(self.system, self.host, error))

    def _again(self, call: Call, otherwise: Retryable) -> None:
        """Back off before the next attempt, or raise when enough were made or the deadline is over."""
        call.failures += 1
        if call.failures >= ATTEMPTS or call.spent(self._now()) > self._deadline:
            raise otherwise
        self._wait(call, self._backoff(call.failures, longest=15), ordered=False)

    # -- time and counting ---------------------------------------------------------------------------------------------

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _backoff(self, turn: int, *, longest: float) -> float:
        return min(longest, 0.5 * 2.0**turn) * (0.5 + self._random.random() / 2)

    def _wait(self, call: Call, seconds: float, *, ordered: bool = True) -> None:
        before = self._now()
        self._clock.sleep(seconds)
        if ordered:
            call.waited += self._now() - before

    def _count(self, call: Call) -> None:
        with self._count_lock:
            now = self._calls
            self._calls = replace(now, write=now.write + 1) if call.write else replace(now, read=now.read + 1)

    def _note(self, call: Call, response: httpx.Response | None, *, lost: str = "") -> None:
        if not _LOGGER.isEnabledFor(logging.DEBUG):
            return
        ids = [response.headers[name] for name in _REQUEST_IDS if name in response.headers] if response else []
        _log.debug(
            "call",
            system=self.system,
            method=call.method,
            path=redact(urlsplit(call.url).path, longest=200),
            status=response.status_code if response else None,
            lost=lost,
            attempt=call.failures + call.slow_downs + 1,
            request=redact(ids[0], longest=80) if ids else "",
        )
