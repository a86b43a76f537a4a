"""A person's work in the systems themselves: editing a row and merging two, past the engine's back.

Both go through the system's own update path, so that versions, stamps and derived amounts follow its rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from starlette.routing import BaseRoute

from sync_core.sandbox.kernel import Kernel, Row
from sync_core.sandbox.world import Company

Edit = Callable[[Kernel, str, str, Row], None]
Merge = Callable[[Kernel, str, str, str], None]


@dataclass(frozen=True, slots=True)
class System:
    """One sandboxed API: its name, its routes, how it seeds a company, and how a person edits and merges in it.

    ``edit(kernel, table, id, values)`` and ``merge(kernel, table, loser, survivor)`` raise ``ValueError`` with a
    sentence when the system refuses.
    """

    name: str
    routes: Callable[[Kernel], list[BaseRoute]]
    seed: Callable[[Kernel, Company], None]
    edit: Edit
    merge: Merge


Systems = Mapping[str, System]


def perform_edit(kernel: Kernel, systems: Systems, order: Mapping[str, Any]) -> str:
    """Edit one row as a person would; ``order`` is the body of ``POST /_sandbox/edit``. Returns the row's id.

    Raises ``ValueError`` with a sentence when no row or several match, or when the system refuses.
    """
    system, table = check_edit(systems, order)
    row_id = _row_id(kernel, f"{system.name}.{table}", order)
    system.edit(kernel, table, row_id, order["set"])
    return row_id


def check_edit(systems: Systems, order: Any) -> tuple[System, str]:
    """The system and table that ``order`` names; raises ``ValueError`` when its shape is wrong."""
    if not isinstance(order, Mapping) or not isinstance(order.get("set"), Mapping) or not order["set"]:
        raise ValueError("An edit needs system, table, id (or match) and set with at least one field.")
    if not isinstance(order.get("id"), str) and not isinstance(order.get("match"), Mapping):
        raise ValueError("An edit needs the id of a row, or match with the fields that tell it apart.")
    return _target(systems, order)


def perform_merge(kernel: Kernel, systems: Systems, order: Mapping[str, Any]) -> None:
    """Merge ``loser`` into ``survivor`` (ids) as a person would; raises ``ValueError`` with a sentence."""
    system, table = _target(systems, order)
    pair = [order.get(side) for side in ("loser", "survivor")]
    known = kernel.collection(f"{system.name}.{table}")
    for side, row_id in zip(("loser", "survivor"), pair, strict=True):
        if not isinstance(row_id, str) or row_id not in known:
            raise ValueError(f"The {side} {row_id!r} is not among the rows of {known.name}.")
    if pair[0] == pair[1]:
        raise ValueError("A row cannot be merged into itself.")
    system.merge(kernel, table, str(pair[0]), str(pair[1]))


def _target(systems: Systems, order: Mapping[str, Any]) -> tuple[System, str]:
    system = systems.get(str(order.get("system")))
    if system is None:
        raise ValueError(f"Unknown system {order.get('system')!r}. Known systems: {', '.join(systems)}.")
    if not isinstance(order.get("table"), str) or not order["table"]:
        raise ValueError("The key 'table' is missing: the collection's name after the system's, as in state.")
    return system, order["table"]


def _row_id(kernel: Kernel, name: str, order: Mapping[str, Any]) -> str:
    rows = kernel.collection(name)
    if isinstance(order.get("id"), str):
        if order["id"] not in rows:
            raise ValueError(f"{name} has no row {order['id']!r}.")
        return str(order["id"])
    match = order["match"]
    found = [row_id for row_id, row in rows.items() if all(_same(row.get(k), v) for k, v in match.items())]
    if len(found) != 1:
        raise ValueError(f"{len(found)} rows of {name} match; an edit needs exactly one.")
    return found[0]


def _same(held: Any, wanted: Any) -> bool:
    if isinstance(held, Decimal) and isinstance(wanted, (str, int, Decimal)):
        return str(held) == str(wanted) or (not isinstance(wanted, str) and held == wanted)
    return bool(held == wanted) or (held is not None and not isinstance(held, bool) and str(held) == wanted)
