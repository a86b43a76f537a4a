"""What the cache holds that is still to be decided: records without a partner, and pairs that moved since they agreed.

All of it is asked for at once, and again only once something moved: a small question costs as much as one over everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sync_core.model import Side
from sync_core.store.cache import Cache
from sync_core.store.records import partners, tables_of

MANY = 10_000
"""Open records that are remembered together, at most; of more each entity is asked for by itself."""
_OPEN = "(partner IS NULL OR agreed_hash IS DISTINCT FROM hash OR agreed_partner IS DISTINCT FROM partner)"
_READ = f"SELECT entity, side, id, partner FROM record WHERE {_OPEN}"  # noqa: S608  # our own words
_LINKED = "partner IS NOT NULL"
_UNLINKED = {side: f"partner IS NULL AND side = '{side}'" for side in Side}
_ORDER = "ORDER BY entity, side, doc_date NULLS FIRST, id"
Open = tuple[str, str, str | None]
"""Side, id and partner of a record that is open."""


def open_entities(cache: Cache) -> frozenset[str]:
    """Entities with anything to decide: a record without a partner, or a pair that moved since it agreed."""
    found = _all(cache)
    if found is not None:
        return frozenset(found)
    return cache.remembered(
        "open entities",
        lambda: frozenset(entity for (entity,) in cache.rows(f"SELECT DISTINCT entity FROM record WHERE {_OPEN}")),  # noqa: S608  # our own words
    )


def changed_pairs(cache: Cache, entity: str) -> list[tuple[str, str]]:
    """Linked pairs of which a side differs from its own agreed image, or has none. Only these reach Python."""
    linked = [(side, row_id, partner) for side, row_id, partner in _of(cache, entity, _LINKED) if partner is not None]
    moved = {(row_id, partner) for side, row_id, partner in linked if side == "crm"}
    # Of the others only the Xero side moved: they are pairs where the Dynamics side says the same.
    there = {(partner, row_id) for side, row_id, partner in linked if side == "xero"} - moved
    known = partners(cache, entity, Side.CRM, [crm for crm, _ in there])
    return sorted(moved | {(crm, xero) for crm, xero in there if known.get(crm) == xero})


def unlinked(cache: Cache, entity: str, side: Side) -> list[str]:
    """Ids of records without a partner, in a stable order."""
    return [row_id for of, row_id, partner in _of(cache, entity, _UNLINKED[side]) if partner is None and of == side]


def absent(cache: Cache, entity: str, side: Side) -> dict[str, str]:
    """Ids of ``side`` that open records of the other one are linked to and the cache does not hold, and whose they are."""
    linked = {
        partner: row_id for of, row_id, partner in _of(cache, entity, _LINKED) if of == side.other and partner is not None
    }
    there = tables_of(cache, entity, side, linked)
    return {row_id: twin for row_id, twin in linked.items() if row_id not in there}


def _of(cache: Cache, entity: str, such: str) -> Iterable[Open]:
    """What is open of an entity, all of it; only what is ``such`` where it is much."""
    found = _all(cache)
    if found is not None:
        return found.get(entity, ())
    sql = f"{_READ} AND {such} AND entity = ? {_ORDER}"
    return ((side, row_id, partner) for _, side, row_id, partner in cache.rows(sql, entity))


def _all(cache: Cache) -> dict[str, list[Open]] | None:
    """All that is open, by entity; None when it is much."""

    def ask() -> dict[str, list[Open]] | None:
        rows: list[Any] = cache.rows(f"{_READ} {_ORDER} LIMIT ?", MANY + 1)
        found: dict[str, list[Open]] = {}
        for entity, side, row_id, partner in rows:
            found.setdefault(entity, []).append((side, row_id, partner))
        return found if len(rows) <= MANY else None

    return cache.remembered("open", ask)
