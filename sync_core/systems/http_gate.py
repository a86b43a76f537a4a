"""Retry-After, obeyed by everybody: a gate that one thread closes and all threads wait at."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from sync_core.errors import Retryable

if TYPE_CHECKING:
    from sync_core.systems.base import Clock

_LONGEST = timedelta(days=2)
_SECONDS = re.compile(r"\d{1,9}(\.\d+)?")


class Gate:
    """Closed until an instant of the clock. Share one between all clients of the same tenant."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: datetime | None = None
        self._daily = False

    def close(self, wait: timedelta, *, daily: bool = False) -> None:
        """Let nobody pass for ``wait``; an earlier, longer closure stays."""
        until = self._clock.now() + wait
        with self._lock:
            if self._until is None or until > self._until:
                self._until, self._daily = until, daily

    def remaining(self) -> timedelta:
        """How long it stays closed; zero when it is open."""
        with self._lock:
            if self._until is None:
                return timedelta()
            left = self._until - self._clock.now()
            if left <= timedelta():
                self._until = None
                return timedelta()
            return left

    def refusal(self, system: str, left: timedelta) -> Retryable:
        """What to say when waiting would take too long."""
        resumes = f"{self._clock.now() + left:%d %B %Y %H:%M} UTC"
        if self._daily:
            message = f"{system}'s call limit of the day is used up; it resumes on {resumes}. Until then nothing is sent."
        else:
            message = f"{system} asked to be left alone until {resumes}. Until then nothing is sent."
        return Retryable(message, after=left)


def after_of(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """The Retry-After header, in seconds or as a date; None when it is absent or unreadable."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    wait = timedelta(seconds=min(float(text), 1e6)) if _SECONDS.fullmatch(text) else _until(text, now)
    return None if wait is None else min(max(wait, timedelta()), _LONGEST)


def _until(text: str, now: datetime) -> timedelta | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
