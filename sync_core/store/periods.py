"""The records of a period in the cache: for a sign-off, and to see what changed in it since."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from sync_core.model import Side
from sync_core.store.cache import Cache
from sync_core.store.closes import HeldRecord

HELD = (
    *("number", "title", "contact", "currency", "doc_date", "due_date", "reference", "kind", "state", "gone"),
    *("total", "total_tax", "amount_paid", "amount_credited", "amount_due"),
)
"""Columns of a record that are kept with a sign-off."""
_CHUNK = 10_000


def in_period(cache: Cache, entity: str, starts: date, ends: date) -> Iterator[list[HeldRecord]]:
    """Every record with a date in the period, by side and id, some thousand at a time."""
    table = cache.query(
        f"SELECT side, id, hash, {', '.join(HELD)} FROM record "  # noqa: S608  # our own names
        "WHERE entity = ? AND doc_date BETWEEN ? AND ? AND gone <> 'deleted' ORDER BY side, id",
        entity,
        starts,
        ends,
    )
    for batch in table.to_batches(max_chunksize=_CHUNK):
        yield [
            HeldRecord(entity, Side(row["side"]), row["id"], row["hash"], {name: row[name] for name in HELD})
            for row in batch.to_pylist()
        ]


def moved(cache: Cache, entity: str, held: Sequence[HeldRecord]) -> list[HeldRecord]:
    """Those of ``held`` whose record has another content now. Records that the cache does not know are left out."""
    if not held:
        return []
    rows = pa.table({"side": [str(r.side) for r in held], "id": [r.id for r in held], "hash": [r.hash for r in held]})
    found = cache.query_with(
        "SELECT i.side, i.id FROM incoming i JOIN record r ON r.entity = ? AND r.side = i.side AND r.id = i.id "
        "WHERE r.hash <> i.hash",
        rows,
        entity,
    )
    changed = set(zip(found["side"].to_pylist(), found["id"].to_pylist(), strict=True))
    return [record for record in held if (str(record.side), record.id) in changed]


def came_later(
    cache: Cache, entity: str, starts: date, ends: date, known: Iterable[tuple[Side, str]]
) -> list[tuple[Side, str]]:
    """Records with a date in the period that are not among ``known``."""
    pairs = list(known)
    rows = pa.table(
        {"side": pa.array([str(side) for side, _ in pairs], pa.string()), "id": pa.array([i for _, i in pairs], pa.string())}
    )
    found = cache.query_with(
        "SELECT side, id FROM record r WHERE entity = ? AND doc_date BETWEEN ? AND ? AND gone <> 'deleted' "
        "AND NOT EXISTS (SELECT 1 FROM incoming i WHERE i.side = r.side AND i.id = r.id) ORDER BY side, id",
        rows,
        entity,
        starts,
        ends,
    )
    return [(Side(side), row_id) for side, row_id in zip(found["side"].to_pylist(), found["id"].to_pylist(), strict=True)]


def names(cache: Cache, ids: Iterable[str]) -> dict[str, str]:
    """What people call records, by id, of whatever kind they are."""
    table = cache.query_with(
        "SELECT id, coalesce(nullif(number, ''), title, id) AS name FROM record WHERE id IN (SELECT id FROM incoming)",
        pa.table({"id": pa.array(sorted(set(ids)), pa.string())}),
    )
    return dict(zip(table["id"].to_pylist(), table["name"].to_pylist(), strict=True))


def held_now(cache: Cache, entity: str, side: Side, row_id: str) -> dict[str, Any]:
    """The columns of :data:`HELD` as they stand now; empty when the cache does not know the record."""
    sql = f"SELECT {', '.join(HELD)} FROM record WHERE entity = ? AND side = ? AND id = ?"  # noqa: S608  # our own names
    return next(iter(cache.query(sql, entity, str(side), row_id).to_pylist()), {})
