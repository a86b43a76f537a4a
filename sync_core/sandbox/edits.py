"""A person's work in the systems themselves: editing a row and merging two, past the engine's back.

``Person`` takes the orders of the control routes and hands them to the system, whose own rules decide.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from sync_core.sandbox.kernel import Kernel, Row
from sync_core.sandbox.world import Company


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a person works: the kernel, and one server's routes without the gate (no faults, no log)."""

    kernel: Kernel
    app: ASGIApp


@dataclass(frozen=True, slots=True)
class System:
    """One sandboxed API: its name, its routes, how it seeds a company, and how a person edits and merges in it.

    ``edit(desk, table, id, values)`` and ``merge(desk, table, loser, survivor)`` raise ``ValueError`` with a
    sentence when the system refuses. ``expire_deltas`` makes all change-tracking tokens issued so far useless.
    """

    name: str
    routes: Callable[[Kernel], Sequence[BaseRoute]]
    seed: Callable[[Kernel, Company], None]
    edit: Callable[[Desk, str, str, Row], Awaitable[None]]
    merge: Callable[[Desk, str, str, str], Awaitable[None]]
    expire_deltas: Callable[[Kernel], None] | None = None


Systems = Mapping[str, System]
SIDES = ("loser", "survivor")


class RowGoneError(ValueError):
    """No row is what an edit names: it never was, or has vanished since."""


class RefusedError(ValueError):
    """The system itself refuses what a person does in it."""


class Person:
    """Somebody who works in both systems. Every method raises ``ValueError`` with a sentence for a bad order."""

    def __init__(self, kernel: Kernel, systems: Systems) -> None:
        self.kernel, self.systems = kernel, systems
        self.desks: dict[str, Desk] = {}

    async def edit(self, order: Any) -> str:
        """Edit one row; ``order`` is the body of ``POST /_sandbox/edit``. Returns the row's id."""
        system, table = self.check(order)
        row_id = _row_id(self.kernel, f"{system.name}.{table}", order)
        await system.edit(self.desks[system.name], table, row_id, dict(order["set"]))
        return row_id

    async def edit_if_possible(self, order: Any) -> bool:
        """The same for an edit that was ordered earlier: False when its row has vanished, or the system refuses it by now."""
        try:
            await self.edit(order)
        except (RowGoneError, RefusedError):
            return False
        return True

    async def merge(self, order: Mapping[str, Any]) -> None:
        """Merge ``loser`` into ``survivor`` (ids); ``order`` is the body of ``POST /_sandbox/merge``."""
        system, table = self._target(order)
        known = self.kernel.collection(f"{system.name}.{table}")
        for side in SIDES:
            if not isinstance(order.get(side), str) or order[side] not in known:
                raise ValueError(f"The {side} {order.get(side)!r} is not among the rows of {known.name}.")
        if order["loser"] == order["survivor"]:
            raise ValueError("A row cannot be merged into itself.")
        await system.merge(self.desks[system.name], table, order["loser"], order["survivor"])

    def check(self, order: Any) -> tuple[System, str]:
        """The system and table that an edit names."""
        if not isinstance(order, Mapping) or not isinstance(order.get("set"), Mapping) or not order["set"]:
            raise ValueError("An edit needs system, table, id (or match) and set with at least one field.")
        if not isinstance(order.get("id"), str) and not isinstance(order.get("match"), Mapping):
            raise ValueError("An edit needs the id of a row, or match with the fields that tell it apart.")
        return self._target(order)

    def _target(self, order: Mapping[str, Any]) -> tuple[System, str]:
        system = self.systems.get(str(order.get("system")))
        if system is None:
            known = ", ".join(self.systems)
            raise ValueError(f"Unknown system {order.get('system')!r}. Known systems: {known}.")
        if not isinstance(order.get("table"), str) or not order["table"]:
            raise ValueError("The key 'table' is missing: the collection's name after the system's, as in state.")
        return system, order["table"]


def _row_id(kernel: Kernel, name: str, order: Mapping[str, Any]) -> str:
    rows = kernel.collection(name)
    if isinstance(order.get("id"), str):
        if order["id"] not in rows:
            raise RowGoneError(f"{name} has no row {order['id']!r}.")
        return str(order["id"])
    match = order["match"]
    found = [row_id for row_id, row in rows.items() if all(_same(row.get(k), v) for k, v in match.items())]
    if not found:
        raise RowGoneError(f"0 rows of {name} match; an edit needs exactly one.")
    if len(found) != 1:
        raise ValueError(f"{len(found)} rows of {name} match; an edit needs exactly one.")
    return found[0]


def _same(held: Any, wanted: Any) -> bool:
    if isinstance(wanted, str) and held is not None and not isinstance(held, (str, bool)):
        return str(held) == wanted or (isinstance(held, Decimal) and wanted == f"{held:f}")
    return bool(held == wanted)
