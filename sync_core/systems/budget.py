"""Xero's call budget, kept on this side so that its limits are never met: 60 calls a minute, 5 at once.

Own and small because a limiter from a package counts when a call starts on its own clock; here what counts is when
the call may have *arrived* (the answer is the only proof), calls in flight are limited as well, the waits run on our
clock, and Xero's headers correct the count when somebody else uses the same organisation.
Source of the limits: developer.xero.com, "API rate limits" (per organisation and app: 5 concurrent, 60 a minute,
5,000 a day, 1,000 on the Starter tier).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync_core.systems.base import Clock

MINUTE = 60.0
AT_ONCE = 5
_ARRIVES_WITHIN = 2.0
_NAP = 0.05


class Slot:
    """One permitted call; ``release`` it when the answer is there, ``give_back`` when nothing was sent."""

    def __init__(self, budget: Budget, started: float) -> None:
        self._budget, self.started = budget, started

    def release(self) -> None:
        self._budget.settle(self, sent=True)

    def give_back(self) -> None:
        self._budget.settle(self, sent=False)


class Budget:
    """At most ``per_minute`` calls in any 60 seconds and ``at_once`` in flight, over all threads.

    A call is booked for 60 seconds from the latest moment at which Xero may have counted it: its answer, or two
    seconds after it was sent when the answer takes longer (so that slow answers do not cost throughput).
    """

    def __init__(self, clock: Clock, *, per_minute: int = 60, at_once: int = AT_ONCE) -> None:
        self._clock, self._per_minute, self._at_once = clock, per_minute, at_once
        self._changed = threading.Condition()
        self._turnstile = threading.Lock()
        self._booked: deque[float] = deque()
        self._in_flight = 0
        self._foreign, self._foreign_until = 0, 0.0
        self._today: int | None = None
        self._waits_until: datetime | None = None

    @property
    def waits_until(self) -> datetime | None:
        """When the minute has room again for who waits for it now; None when nobody does."""
        return self._waits_until

    def remaining_today(self) -> int | None:
        """Calls left today as Xero last said, None when it has not said yet."""
        return self._today

    def acquire(self) -> Slot:
        """Wait for a free place. Waits for the minute run on the clock, waits for another thread's answer do not.

        One caller waits at a time and the others stand behind it, so that a place that comes free is taken once.
        """
        with self._turnstile:
            while True:
                with self._changed:
                    wait = self._wait()
                    if wait == 0:
                        self._in_flight += 1
                        return Slot(self, self._now())
                    if wait is None:
                        self._changed.wait()
                        continue
                self._waits_until = self._clock.now() + timedelta(seconds=wait)
                try:
                    self._clock.sleep(wait)
                finally:
                    self._waits_until = None

    def settle(self, slot: Slot, *, sent: bool) -> None:
        """Called by the slot."""
        with self._changed:
            self._in_flight -= 1
            if sent:
                counted = min(self._now(), slot.started + _ARRIVES_WITHIN)
                # Kept in order: threads settle as their answers come.
                while self._booked and self._booked[-1] > counted:
                    counted = self._booked[-1]
                self._booked.append(counted)
            self._changed.notify_all()

    def observe(self, headers: Mapping[str, str]) -> None:
        """Learn from an answer's headers how much of minute and day is left, whoever used it."""
        minute, today = _number(headers, "x-minlimit-remaining"), _number(headers, "x-daylimit-remaining")
        with self._changed:
            if today is not None:
                self._today = today
            if minute is not None:
                ours = self._per_minute - self._used()
                self._foreign = max(0, ours - minute)
                self._foreign_until = self._now() + MINUTE

    def _wait(self) -> float | None:
        """0: go; None: wait for a call in flight; else seconds until the minute has room."""
        if self._in_flight >= self._at_once:
            return None
        now, foreign = self._now(), self._foreigners()
        if self._used() + foreign < self._per_minute:
            return 0
        ends = [self._booked[0] + MINUTE] if self._booked else []
        if foreign:
            ends.append(self._foreign_until)
        if not ends:
            return None
        return max(min(ends) - now, _NAP)

    def _used(self) -> int:
        horizon = self._now() - MINUTE
        while self._booked and self._booked[0] <= horizon:
            self._booked.popleft()
        return len(self._booked) + self._in_flight

    def _foreigners(self) -> int:
        return self._foreign if self._now() < self._foreign_until else 0

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "")
    return int(text) if text.isdecimal() else None
