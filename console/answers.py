"""Answers that stay the same until a run comes to its end: what a click draws again is not asked for again."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from console.door import DOOR, service
from console.filters import moment
from sync_core.model import RunStatus
from sync_core.service import Filters, Gap, Past, Reconciliation, RowDetail, Service

Answer = TypeVar("Answer")
BLOCK = 1_000
MOST = 64
SECONDS = 30.0
"""A person may set a tolerance or set a row aside between two runs: so long at most is an older answer given."""


class Answers:
    """A few answers, the oldest forgotten first. ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, compute: Callable[[], Answer]) -> Answer:
        """The answer kept under ``key``, or a new one. ``key`` must say which data it is of."""
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and self._clock() - kept[0] < SECONDS:
            found: Answer = kept[1]
            return found
        made = compute()
        with self._lock:
            self._kept[key] = (self._clock(), made)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return made

    def forget(self) -> None:
        """Everything: a person just did something that the answers tell of."""
        with self._lock:
            self._kept.clear()


_ANSWERS = Answers()


def forget() -> None:
    _ANSWERS.forget()


def source(as_of: str = "") -> Past | Service:
    """What the reconciliation is asked of: the present, or an earlier day or run. Raises Rejected for what is not known."""
    return service().as_of(moment(as_of)) if as_of else service()


def summary(entity: str, filters: Filters, as_of: str = "") -> Reconciliation:
    """Status counts and control totals of what ``filters`` leave."""
    return _kept(("summary", entity, filters, as_of), lambda: source(as_of).reconciliation_summary(entity, filters))


def rows(entity: str, filters: Filters, limit: int, offset: int, as_of: str = "") -> list[dict[str, object]]:
    """One screen of rows. They are asked for in larger blocks, because a block costs no more: the next screens are there."""
    block, start = divmod(offset, BLOCK)
    held = _kept(
        ("rows", entity, filters, block, as_of),
        lambda: source(as_of).reconciliation_rows(entity, filters, limit=BLOCK, offset=block * BLOCK),
    )
    return list(held.slice(start, limit).to_pylist())


def detail(entity: str, row_id: str, as_of: str = "") -> RowDetail:
    """One row in full. Raises Rejected when it is not there any more."""
    return _kept(("detail", entity, row_id, as_of), lambda: source(as_of).reconciliation_detail(entity, row_id))


def gaps(entity: str) -> tuple[Gap, ...]:
    """What is missing behind the reconciliation of now."""
    return _kept(("gaps", entity), lambda: service().gaps(entity))


def _kept(key: Hashable, compute: Callable[[], Answer]) -> Answer:
    """While a run is under way the data move, so nothing is kept."""
    latest = service().runs(1)
    if service().running is not None or (latest and latest[0].status is RunStatus.RUNNING):
        return compute()
    return _ANSWERS.get((id(DOOR.service()), *((run.run, run.finished) for run in latest), key), compute)
