"""A company at rest: when nothing moved since a run that found nothing to do, the next one has nothing to decide.

The memory lives with the process that owns the cache, and only a run over everything fills it. It counts as long as no row
of the cache moved, and neither the settings nor the standing of any record did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sync_core.store.cache import Cache
from sync_core.store.state import State


@dataclass(frozen=True, slots=True)
class Rest:
    """What the last run came to, per entity and outcome, and what it stood on."""

    generation: int
    standing: Any
    by_entity: Mapping[str, Mapping[str, int]]


@dataclass(slots=True)
class Memory:
    """Of one process. ``rest`` is None when the next run must look at everything."""

    rest: Rest | None = field(default=None)


def standing(state: State) -> Any:
    """All that a decision depends on beside the cache: settings and choices, and where records stand."""
    return state.mappings(), state.status_counts()


def at_rest(rest: Rest | None, cache: Cache, state: State) -> bool:
    """Whether ``rest`` still counts. A write that nobody answered, and that may still arrive, is no rest."""
    if rest is None or rest.generation != cache.generation or state.unsettled():
        return False
    return bool(rest.standing == standing(state))
