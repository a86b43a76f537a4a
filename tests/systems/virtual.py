"""A clock that passes only when somebody sleeps on it, and a system that answers by a script."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from sync_core.systems.http import Http

BASE = "https://api.test"
Step = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class VirtualClock:
    """Starts at a fixed instant; ``sleep`` moves it at once. ``slept`` lists the waits."""

    def __init__(self, start: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)) -> None:
        self._now = start
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self._now += timedelta(seconds=seconds)


class Script(httpx.MockTransport):
    """Plays one step per request (an answer, an exception, or a function of the request) and keeps the requests."""

    def __init__(self, *steps: Step) -> None:
        super().__init__(self._play)
        self._steps = list(steps)
        self.requests: list[httpx.Request] = []

    def _play(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        assert self._steps, f"nobody expected {request.method} {request.url}"
        step = self._steps.pop(0) if len(self._steps) > 1 else self._steps[0]
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, httpx.Response) else step(request)

    @property
    def seen(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request in self.requests]


def answer(status: int = 200, body: Any = None, **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    """A fresh JSON response each time it is played; header names with _ for -."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _request: httpx.Response(status, json={} if body is None else body, headers=named)


def http_on(script: httpx.BaseTransport, clock: VirtualClock, **changes: Any) -> Http:
    settings: dict[str, Any] = {
        "system": "Xero",
        "base_url": BASE,
        "clock": clock,
        "token": None,
        "run_id": lambda: "run-1",
        "allow_loopback": True,
        "seed": 1,
    }
    return Http(transport=script, **(settings | changes))
