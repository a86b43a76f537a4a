"""What a run covers: everything, some entities, or single records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sync_core.rules.declaration import Entity

NAMED = 5
"""A run of more records than these counts them in its label instead of naming each."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run covers. ``entities``: all when empty. ``only``: per entity the ids (of either side) it is limited to.

    ``plan``: the fingerprint of the preview that a person agreed to; another plan is not carried out.
    """

    entities: tuple[str, ...] = ()
    only: Mapping[str, frozenset[str]] | None = None
    full: bool = False
    plan: str = ""

    @property
    def label(self) -> str:
        if self.only is not None and sum(map(len, self.only.values())) > NAMED:
            return ", ".join(f"{len(ids):,} {name.replace('_', ' ')}" for name, ids in sorted(self.only.items()))
        if self.only is not None:
            return ", ".join(f"{e}:{i}" for e, ids in sorted(self.only.items()) for i in sorted(ids))
        return ", ".join(self.entities) or "everything"

    def as_json(self) -> dict[str, Any]:
        """As a request keeps it."""
        only = None if self.only is None else {name: sorted(ids) for name, ids in self.only.items()}
        return {"entities": list(self.entities), "only": only, "full": self.full, "plan": self.plan}

    @classmethod
    def of_json(cls, args: Mapping[str, Any]) -> Scope:
        only = args.get("only")
        picked = None if only is None else {name: frozenset(ids) for name, ids in only.items()}
        return cls(tuple(args.get("entities") or ()), picked, bool(args.get("full")), str(args.get("plan") or ""))

    def covers(self, entity: Entity) -> bool:
        if self.only is not None:
            return entity.name in self.only
        return not self.entities or entity.name in self.entities
