"""From intents to answers: many elements of one kind made durable together, sent batch by batch, several batches at once.

A system answers a batch when all of it is done, which takes seconds; waiting for one after the other would leave most of
Xero's calls a minute unused. What is written about the answers comes afterwards, for all of them together: one statement
costs nearly as much for 50 rows as for 1,000. Cut off in between, they are *sending*, and looked up by the next run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from sync_core.errors import Busy, Configure, Retryable, TieoutError, Unknown
from sync_core.flows.arrivals import NOT_SENT
from sync_core.flows.workspace import Workspace
from sync_core.model import Intent, IntentStatus
from sync_core.store.leases import Lease
from sync_core.systems.base import Receipt, System, Write

WAVE = 2000
"""Elements that are on their way together, at most."""


class Element(Protocol):
    """One element on its way to a system."""

    @property
    def intent(self) -> Intent: ...

    def write(self) -> Write: ...


E = TypeVar("E", bound=Element)
T = TypeVar("T")


@dataclass(slots=True)
class Delivery(Generic[E]):
    """What came of a wave. ``answered``: each element with its receipt, in order. ``lost``: batches without an answer, and why.

    ``ended``: why the rest was not sent; whoever asked raises it once what was answered is kept.
    """

    answered: list[tuple[E, Receipt]] = field(default_factory=list)
    lost: list[tuple[Sequence[E], Unknown]] = field(default_factory=list)
    ended: TieoutError | None = None


class Courier:
    """Sends for one run, under its lease."""

    def __init__(self, workspace: Workspace, lease: Lease) -> None:
        self._workspace, self._state = workspace, workspace.state
        self.lease = lease

    def deliver(self, batches: Sequence[Sequence[E]], word: str = "", *, in_turn: bool = False) -> Delivery[E]:
        """Send ``batches``, all of one stream and verb, a call each. ``word`` goes before the names of the steps.

        ``in_turn``: one after the other, where two may concern one document. Raises Busy when the lease is lost; nothing more
        is sent then.
        """
        self.lease = self._state.renew(self.lease)
        self._state.plan_intents([e.intent for batch in batches for e in batch])
        self._workspace.step(f"{word}intents planned")
        delivery: Delivery[E] = Delivery()
        system, sent = self._workspace.systems[batches[0][0].intent.side], 0

        def mark(batch: Sequence[E]) -> None:
            nonlocal sent
            self._mark(batch)
            self._pass(f"{word}marked as sending", delivery)
            sent += delivery.ended is None

        at_once = 1 if in_turn else system.at_once
        flown = in_flight(system, batches, lambda e: e.write(), mark, lambda: delivery.ended is None, at_once)
        with closing(flown) as flights:
            for batch, answer in flights:
                self._collect(batch, answer, delivery, word)
        if delivery.ended is not None:
            self._not_sent(batches[sent:], delivery.ended)
        return delivery

    def _pass(self, point: str, delivery: Delivery[E]) -> None:
        """A numbered point at which a person may stop the run: what was answered by then is still kept."""
        try:
            self._workspace.step(point)
        except Busy:
            raise
        except TieoutError as error:
            delivery.ended = delivery.ended or error

    def _mark(self, batch: Sequence[E]) -> None:
        with self._state.together():
            self.lease = self._state.renew(self.lease)
            self._state.mark_sending([e.intent.id for e in batch], self._workspace.clock.now(), self.lease)

    def _collect(self, batch: Sequence[E], future: Future[list[Receipt]], delivery: Delivery[E], word: str) -> None:
        try:
            receipts = future.result()
        except Unknown as error:
            delivery.lost.append((batch, error))
        except (Retryable, Configure) as error:
            delivery.ended = delivery.ended or error
            self._not_sent([batch], error)
        else:
            delivery.answered += zip(batch, receipts, strict=True)
            self._pass(f"{word}answered", delivery)

    def _not_sent(self, batches: Sequence[Sequence[E]], error: TieoutError) -> None:
        self._state.settle(
            [(e.intent.id, IntentStatus.REJECTED, None, f"{NOT_SENT}{error.message}") for batch in batches for e in batch]
        )


def in_flight(
    system: System,
    batches: Sequence[Sequence[T]],
    as_write: Callable[[T], Write],
    ready: Callable[[Sequence[T]], None],
    go_on: Callable[[], bool],
    at_once: int,
) -> Generator[tuple[Sequence[T], Future[list[Receipt]]]]:
    """Send ``batches``, up to ``at_once`` together; each comes back with its answer, in order.

    ``ready`` is called before each is sent. Once ``go_on`` says no, only those on their way come back.
    """
    flying: deque[tuple[Sequence[T], Future[list[Receipt]]]] = deque()
    waiting = deque(batches)
    with ExitStack() as stack:
        # Alone, a batch needs no second thread.
        many = len(batches) > 1 and at_once > 1
        pool = stack.enter_context(ThreadPoolExecutor(at_once)) if many else None
        while True:
            while waiting and go_on() and len(flying) < (at_once if pool else 1):
                batch = waiting.popleft()
                ready(batch)
                if go_on():
                    flying.append((batch, _started(pool, system, [as_write(each) for each in batch])))
            if not flying:
                return
            yield flying.popleft()


def _started(pool: ThreadPoolExecutor | None, system: System, writes: list[Write]) -> Future[list[Receipt]]:
    if pool is not None:
        return pool.submit(system.write, writes)
    done: Future[list[Receipt]] = Future()
    try:
        done.set_result(system.write(writes))
    except TieoutError as error:
        done.set_exception(error)
    return done
