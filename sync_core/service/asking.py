"""What may be asked of an organisation while another process has its cache: it answers, or the state alone does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from sync_core.errors import Busy
from sync_core.flows.scope import Scope
from sync_core.model import DataAge, RunSummary
from sync_core.service.answers import Overview
from sync_core.service.opening import Service, SystemClock, open_service, state_alone
from sync_core.service.questions import SET_UP, answer, answer_of, set_up_json
from sync_core.settings import Settings, load_settings
from sync_core.store.cache_opening import open_cache
from sync_core.store.requests import Request
from sync_core.store.state import State
from sync_core.systems.base import Clock

TAKEN_WITHIN = timedelta(seconds=10)
T = TypeVar("T")


def follow_sync(settings: Settings, scope: Scope, *, who: str, clock: Clock | None = None) -> RunSummary:
    """Hand a sync to the process that owns the cache, and wait for what comes of it. Raises Busy when nobody takes it."""
    ticking = clock or SystemClock()
    with state_alone(settings, ticking) as state:
        request = _handed_over(state, settings, "sync", scope.as_json() | {"who": who}, ticking)
        summary = state.run(request.run) if request.run else None
        if summary is None:
            raise Busy(request.message)
        return summary


def ask(kind: str, args: Mapping[str, Any], *, settings: Settings | None = None, clock: Clock | None = None) -> dict[str, Any]:
    """The answer to a question (see ``questions``), by this process or by the one that has the cache.

    Raises TieoutError with what is wrong, Busy when another process has the cache and takes no requests.
    """
    chosen, ticking = settings if settings is not None else load_settings(), clock or SystemClock()
    here = _here(chosen, ticking, lambda service: answer(service, kind, args))
    return here if here is not None else ask_elsewhere(kind, args, chosen, ticking)


def ask_elsewhere(kind: str, args: Mapping[str, Any], settings: Settings, clock: Clock) -> dict[str, Any]:
    """The answer of the process that has the cache. Raises as :func:`ask`."""
    with state_alone(settings, clock) as state:
        return answer_of(_handed_over(state, settings, kind, args, clock))


def set_up_anywhere(
    progress: Callable[[str], None], *, settings: Settings | None = None, clock: Clock | None = None
) -> dict[str, Any]:
    """Set Dynamics up, by this process or by the one that has the cache, which says what it made only at the end.

    Raises as :func:`ask`.
    """
    chosen, ticking = settings if settings is not None else load_settings(), clock or SystemClock()
    here = _here(chosen, ticking, lambda service: set_up_json(service, progress))
    if here is not None:
        return here
    progress("Another Tieout process has the cache. It makes them, which can take some minutes.")
    return ask_elsewhere(SET_UP, {}, chosen, ticking)


def overview_of(settings: Settings | None = None, *, clock: Clock | None = None) -> Overview:
    """How the organisation stands, also while another process has its cache.

    How old the data are is told by the cache; without it, they are as old as the last sync that went well.
    """
    chosen, ticking = settings if settings is not None else load_settings(), clock or SystemClock()
    here = _here(chosen, ticking, lambda service: service.overview())
    if here is not None:
        return here
    with state_alone(chosen, ticking) as state:
        last = state.last_success()
        age = DataAge(last.started, last.started) if last is not None else DataAge(None, None)
        return Overview("", state.status_counts(), age, tuple(state.runs(10)), chosen.demo)


def _here(settings: Settings, clock: Clock, work: Callable[[Service], T]) -> T | None:
    """What ``work`` makes of the opened organisation, None when another process has the cache."""
    opened = False
    try:
        with open_service(settings, clock=clock) as service:
            opened = True
            return work(service)
    except Busy:
        if opened:
            raise
        return None


def _handed_over(state: State, settings: Settings, kind: str, args: Mapping[str, Any], clock: Clock) -> Request:
    """The request once the process that has the cache is done with it. Raises Busy when nobody takes it or its taker ended."""
    asked = state.enqueue(kind, args, None, clock.now())
    look, left = clock.now() + TAKEN_WITHIN, False
    while (request := state.request(asked)) is not None and request.finished_at is None:
        if clock.now() > look:
            if request.claimed_at is None and not _at_work(state):
                state.finish_request(asked, "Nobody took it.", failed=True)
                raise Busy(
                    "Another Tieout process holds the cache but takes no requests. Wait until it is done, then try again."
                )
            if request.claimed_at is not None:
                # Twice in a row: one that is started anew goes on with what it had taken.
                was_left, left, look = left, _nobody_has(settings), clock.now() + TAKEN_WITHIN
                if was_left and left:
                    state.finish_request(asked, "Who took it has ended.", failed=True)
                    raise Busy("The Tieout process that had taken this ended before it was done. Try again.")
        clock.sleep(0.2)
    if request is None:
        raise Busy("The request was lost. Try again.")
    return request


def _nobody_has(settings: Settings) -> bool:
    """Whether no process has the cache, so that whoever took a request is no longer there."""
    try:
        open_cache(settings.cache_path).close()
    except Busy:
        return False
    return True


def _at_work(state: State) -> bool:
    """Whether the process that has the cache takes requests and has one in hand: the next one's turn comes."""
    return state.current_lease() is not None and state.has_claimed()
