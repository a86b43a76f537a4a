"""The records of a period in the cache: for a sign-off, and to see what changed in it since."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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


def changed(cache: Cache, entity: str, starts: date, ends: date, held: pa.Table) -> pa.Table:
    """Records that hold something else than ``held`` (side, id, hash) says, or came into the period since: side, id, later.

    Records that the cache does not know are left out. In the order of their numbers, both sides of one beside each other.
    """
    return cache.query_with(
        "SELECT r.side, r.id, i.id IS NULL AS later FROM record r LEFT JOIN incoming i ON i.side = r.side AND i.id = r.id "
        "WHERE r.entity = $1 AND (r.hash <> i.hash "
        "OR (i.id IS NULL AND r.doc_date BETWEEN $2 AND $3 AND r.gone <> 'deleted')) ORDER BY r.number, r.side, r.id",
        held,
        entity,
        starts,
        ends,
    )


def names(cache: Cache, ids: Iterable[str]) -> dict[str, str]:
    """What people call records, by id, of whatever kind they are."""
    table = cache.query_with(
        "SELECT id, coalesce(nullif(number, ''), title, id) AS name FROM record WHERE id IN (SELECT id FROM incoming)",
        pa.table({"id": pa.array(sorted(set(ids)), pa.string())}),
    )
    return dict(zip(table["id"].to_pylist(), table["name"].to_pylist(), strict=True))


def held_now(cache: Cache, entity: str, side: Side, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """By id, the columns of :data:`HELD` as they stand now. Records that the cache does not know are left out."""
    sql = f"SELECT id, {', '.join(HELD)} FROM record WHERE entity = ? AND side = ? AND id IN ({{ids}})"  # noqa: S608  # our own names
    return {row.pop("id"): row for row in cache.query_among(sql, ids, entity, str(side)).to_pylist()}
