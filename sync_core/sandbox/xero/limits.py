"""Xero's limits per app and organisation: 5 calls at once, 60 a minute, 5,000 a day, in fixed windows.

The windows run on the kernel's clock; the day begins at a time of the organisation's own. What may differ in
a test is set with :func:`set_limits`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sync_core.sandbox.kernel import Kernel, Row
from sync_core.sandbox.xero.errors import RefusedError, problem

MINUTE, DAY = 60, 86_400
DEFAULTS = {"minute": 60, "day": 5000, "concurrent": 5, "app_minute": 10_000}
HEADERS = {
    "minute": "X-MinLimit-Remaining",
    "day": "X-DayLimit-Remaining",
    "app_minute": "X-AppMinLimit-Remaining",
}
PROBLEMS = {"minute": "minute", "day": "day", "app_minute": "appminute"}


def set_limits(kernel: Kernel, **limits: int) -> None:
    """Change ``minute``, ``day``, ``concurrent`` or ``app_minute``; the others keep their values."""
    settings = kernel.collection("xero.settings")
    settings.put("limits", {**(settings.get("limits") or DEFAULTS), **limits})


@dataclass(frozen=True, slots=True)
class Window:
    """One fixed window: whose calls it counts, how long it is, when it begins."""

    name: str
    owner: str
    seconds: int
    offset: int = 0

    def index(self, now: datetime) -> int:
        return (int(now.timestamp()) - self.offset) // self.seconds

    def left(self, now: datetime) -> int:
        """Seconds until the window ends."""
        return self.seconds - (int(now.timestamp()) - self.offset) % self.seconds


class Limiter:
    """Counts calls. What is in flight is the only thing that it keeps outside of the rows."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.in_flight: Counter[str] = Counter()

    def enter(self, app: str, tenant: str, held: int = 0) -> dict[str, str]:
        """Count one call and give the headers that every answer carries; refuse it with 429 over a limit.

        ``held`` is how many other calls somebody in front of this server knows to be unanswered.
        """
        limits = self.kernel.collection("xero.settings").get("limits") or DEFAULTS
        key, now = f"{app}/{tenant}", self.kernel.clock.now()
        windows = _windows(app, key, tenant)
        counts = {window.name: self._count(window, now) for window in windows}
        for window in reversed(windows):
            if counts[window.name] >= limits[window.name]:
                raise self._refused(PROBLEMS[window.name], limits, counts, window.left(now))
        if max(self.in_flight[key], held) >= limits["concurrent"]:
            raise self._refused("concurrent", limits, counts, None)
        self.in_flight[key] += 1
        rows = self.kernel.collection("xero.limits")
        for window in windows:
            counts[window.name] += 1
            row: Row = {"window": window.index(now), "count": counts[window.name]}
            rows.put(f"{window.owner}/{window.name}", row)
        return _headers(limits, counts)

    def leave(self, app: str, tenant: str) -> None:
        self.in_flight[f"{app}/{tenant}"] -= 1

    def _count(self, window: Window, now: datetime) -> int:
        row = self.kernel.collection("xero.limits").get(f"{window.owner}/{window.name}")
        return int(row["count"]) if row and row["window"] == window.index(now) else 0

    def _refused(self, which: str, limits: dict[str, int], counts: dict[str, int], wait: int | None) -> RefusedError:
        headers = {**_headers(limits, counts), "X-Rate-Limit-Problem": which}
        if wait is not None:
            headers["Retry-After"] = str(wait)
        return problem(429, "TooManyRequests", f"The {which} rate limit has been exceeded", headers)


def _windows(app: str, key: str, tenant: str) -> list[Window]:
    offset = int(tenant[:4], 16) % DAY
    return [
        Window("minute", key, MINUTE, offset % MINUTE),
        Window("app_minute", app, MINUTE),
        Window("day", key, DAY, offset),
    ]


def _headers(limits: dict[str, int], counts: dict[str, int]) -> dict[str, str]:
    return {header: str(max(limits[name] - counts[name], 0)) for name, header in HEADERS.items()}
