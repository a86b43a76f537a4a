"""A process that is gone at one of its numbered points, for tests that look at what the next one makes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.scenarios.books import Books


class KilledError(BaseException):
    """The process is gone: nothing that waits for an ordinary error sees this one."""


def killed_at(books: Books, point: str, nth: int = 1) -> None:
    """Begin a run that is gone when it passes ``point`` for the ``nth`` time."""
    with pytest.raises(KilledError), books.open(_die_at(point, nth)) as service:
        service.sync()


def _die_at(point: str, nth: int) -> Callable[[str], None]:
    passed = 0

    def step(name: str) -> None:
        nonlocal passed
        passed += name == point
        if name == point and passed == nth:
            raise KilledError

    return step
