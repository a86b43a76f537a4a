"""A company at rest: when nothing moved since a run that found nothing to do, the next one has nothing to decide.

Only a run over everything says so. It counts, in later processes too, as long as no row of the cache moved, neither the
settings nor the standing of any record did, and for a day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from sync_core.model import Outcome
from sync_core.rules.mapping import content_hash
from sync_core.store.cache import Cache
from sync_core.store.state import State

COUNTS_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rest:
    """What the last run came to, per entity and outcome; what it stood on; and when it was (UTC)."""

    by_entity: Mapping[str, Mapping[str, int]]
    standing: str
    at: datetime

    @property
    def failed(self) -> int:
        return sum(some[str(Outcome.FAILED)] for some in self.by_entity.values())

    def counts(self, entity: str, meanwhile: Counter[Outcome]) -> dict[str, int]:
        """What a run comes to that decided nothing anew. ``meanwhile``: what became of records that were unchanged before."""
        moved = Counter(self.by_entity[entity]) + Counter({str(o): n for o, n in meanwhile.items()})
        moved[str(Outcome.UNCHANGED)] -= meanwhile.total()
        return {str(o): moved[str(o)] for o in Outcome}


def remember(cache: Cache, state: State, now: datetime, by_entity: Mapping[str, Mapping[str, int]]) -> None:
    """Keep that a run, just now, found nothing to do. Where a write may still arrive there is something to do."""
    if not state.unsettled():
        cache.keep_until_moved(orjson.dumps(Rest(by_entity, _standing(state), now)).decode())


def recall(cache: Cache, state: State, now: datetime) -> Rest | None:
    """What is kept, if it still counts."""
    kept = cache.until_moved()
    if not kept or state.unsettled():
        return None
    found = orjson.loads(kept)
    rest = Rest(found["by_entity"], found["standing"], datetime.fromisoformat(found["at"]))
    return rest if rest.standing == _standing(state) and now - rest.at < COUNTS_FOR else None


def _standing(state: State) -> str:
    """All that a decision depends on beside the cache: settings and choices, and where records stand."""
    settings = tuple(sorted(state.mappings().items()))
    counts = tuple(sorted((entity, str(s), n) for entity, some in state.status_counts().items() for s, n in some.items()))
    return content_hash({"settings": settings, "counts": counts})
