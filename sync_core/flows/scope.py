"""What a run covers: everything, some entities, or single records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sync_core.rules.declaration import Entity
from sync_core.rules.entities import ENTITIES

NAMED = 5
"""A run of more records than these counts them in its label instead of naming each."""
_NAMES = frozenset(each.name for each in ENTITIES)


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

    @classmethod
    def of_label(cls, label: str) -> Scope | None:
        """What a run with this label covered; None where it only counted its records, which says nothing of which."""
        if label == cls().label:
            return cls()
        parts = [part.partition(":") for part in label.split(", ")]
        if any(name not in _NAMES for name, _, _ in parts):
            return None
        if not any(separator for _, separator, _ in parts):
            return cls(tuple(name for name, _, _ in parts))
        only: dict[str, set[str]] = {}
        for name, _, row_id in parts:
            only.setdefault(name, set()).add(row_id)
        return cls(only={name: frozenset(ids) for name, ids in only.items()})

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
