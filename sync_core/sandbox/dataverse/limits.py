"""Service protection: how much one user may ask for, measured on the kernel's clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from sync_core.sandbox.dataverse.errors import DataverseError
from sync_core.sandbox.kernel import Kernel

WINDOW = timedelta(minutes=5)
MAX_REQUESTS = 6000
MAX_CONCURRENT = 52


@dataclass(slots=True)
class _Use:
    times: deque[datetime] = field(default_factory=deque)
    running: int = 0


class Limits:
    """Requests of each user in the last five minutes, and how many are running now. Forgotten at a reset."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._users: dict[str, _Use] = {}
        kernel.on_reset.append(self._users.clear)

    @contextmanager
    def admit(self, user: str) -> Iterator[int]:
        """Count one request of ``user``; gives how many are left in the window.

        Raises:
            DataverseError: 429, with Retry-After in seconds.
        """
        use, now = self._users.setdefault(user, _Use()), self._kernel.clock.now()
        while use.times and now - use.times[0] >= WINDOW:
            use.times.popleft()
        if len(use.times) >= MAX_REQUESTS:
            wait = ceil((use.times[0] + WINDOW - now).total_seconds())
            raise _too_many(
                "0x80072322", "Number of requests exceeded the limit of 6000 over time window of 300 seconds.", wait
            )
        if use.running >= MAX_CONCURRENT:
            raise _too_many("0x80072326", "Number of concurrent requests exceeded the limit of 52.", 1)
        use.times.append(now)
        use.running += 1
        try:
            yield MAX_REQUESTS - len(use.times)
        finally:
            use.running -= 1


def _too_many(code: str, message: str, seconds: int) -> DataverseError:
    return DataverseError(429, code, message, {"Retry-After": str(max(1, seconds))})
