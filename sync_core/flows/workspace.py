"""What a flow works with: the cache, the state and both systems of one organisation, under one clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sync_core.flows.surroundings import Surroundings
from sync_core.model import Calls, Side
from sync_core.store.cache import Cache
from sync_core.store.state import State
from sync_core.systems.base import Clock, System

Step = Callable[[str], None]
"""Called with the name of each numbered point of a run; tests stop a run there."""


def no_step(_name: str) -> None:
    """The step of a run that nobody watches."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """One organisation, opened. ``options`` are the switches that change what is done (``brandingthemes``: "off")."""

    organisation: str
    cache: Cache
    state: State
    systems: Mapping[Side, System]
    clock: Clock
    surroundings: Surroundings
    step: Step = no_step
    options: Mapping[str, str] = field(default_factory=dict)

    def calls_since(self, before: Mapping[Side, Calls]) -> dict[str, Calls]:
        """What was asked of each system since, by the names that people read."""
        made = {side: (system.calls, before[side]) for side, system in self.systems.items()}
        return {
            ("dynamics" if side is Side.CRM else "xero"): Calls(now.read - then.read, now.write - then.write, now.slowest)
            for side, (now, then) in made.items()
        }

    def close(self) -> None:
        for system in self.systems.values():
            system.close()
        self.cache.close()
        self.state.close()
