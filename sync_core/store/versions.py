"""What records held before: versions that were superseded, kept beside the present ones.

A version counts from the instant at which Tieout read it until the instant at which it read another one. A new cache knows
nothing of the time before it was filled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa

from sync_core.model import Side
from sync_core.store.cache import Cache, Transaction

_VERSION = ("entity", "side", "id", "native_table", "version", "modified", "gone", "hash", "fields", "run", "since")


@dataclass(frozen=True, slots=True)
class Version:
    """What a record held from ``since`` (None: since the cache began) until ``until`` (None: now), and the run that read it."""

    side: Side
    id: str
    hash: str
    gone: str
    fields: str
    run: str
    since: datetime | None
    until: datetime | None


def supersede(transaction: Transaction, incoming: pa.Table, at: datetime) -> None:
    """Before ``incoming`` replaces records: keep those whose content it changes, as having counted until ``at``."""
    columns = ", ".join(f"r.{name}" for name in _VERSION)
    same = "r.entity = i.entity AND r.side = i.side AND r.id = i.id AND r.hash <> i.hash"
    transaction.with_rows(
        f"INSERT INTO history ({', '.join(_VERSION)}, until) SELECT {columns}, ? FROM record r JOIN incoming i ON {same}",  # noqa: S608  # our own names
        incoming,
        naive(at),
    )


def part(transaction: Transaction, entity: str, side: Side, row_id: str, at: datetime) -> None:
    """Before the link of a record is forgotten: keep that it was there."""
    transaction.run(
        "INSERT INTO parted SELECT entity, side, id, partner, linked, ? FROM record "
        "WHERE entity = ? AND side = ? AND id = ? AND partner IS NOT NULL",
        naive(at),
        entity,
        str(side),
        row_id,
    )


def versions(cache: Cache, entity: str, side: Side, ids: Sequence[str], since: datetime) -> dict[str, list[Version]]:
    """By id, what each record held from ``since`` on, the oldest first: the version that stood then, and all later ones."""
    columns = "side, id, hash, gone, fields, run, since"
    table = cache.query_with(
        f"SELECT {columns}, until FROM history WHERE entity = $1 AND side = $2 AND until > $3 "  # noqa: S608  # our own names
        "AND id IN (SELECT id FROM incoming) "
        f"UNION ALL SELECT {columns}, NULL FROM record WHERE entity = $1 AND side = $2 AND id IN (SELECT id FROM incoming) "
        "ORDER BY id, until NULLS LAST",
        pa.table({"id": pa.array(sorted(set(ids)), pa.string())}),
        entity,
        str(side),
        naive(since),
    )
    found: dict[str, list[Version]] = {}
    for row in table.to_pylist():
        instants = {name: aware(row[name]) for name in ("since", "until")}
        found.setdefault(row["id"], []).append(Version(**row | instants | {"side": Side(row["side"])}))
    return found


def known_since(cache: Cache) -> datetime | None:
    """The instant from which on the cache knows what records held; None when it is empty, or older than its own history."""
    first: datetime | None = cache.scalar("SELECT CASE WHEN count(*) = count(since) THEN min(since) END FROM ("
                                          "SELECT since FROM record UNION ALL SELECT since FROM history)")  # fmt: skip
    return aware(first)


def naive(at: datetime) -> datetime:
    """As the cache keeps instants: UTC without a zone."""
    return at.astimezone(UTC).replace(tzinfo=None)


def aware(at: datetime | None) -> datetime | None:
    return at and at.replace(tzinfo=UTC)


def since_of(cache: Cache, entity: str, side: Side, ids: Sequence[str]) -> dict[str, datetime]:
    """Since when each record holds what it holds; those of which that is not known are left out."""
    table = cache.query_with(
        "SELECT id, since FROM record WHERE entity = ? AND side = ? AND since IS NOT NULL AND id IN (SELECT id FROM incoming)",
        pa.table({"id": pa.array(sorted(set(ids)), pa.string())}),
        entity,
        str(side),
    )
    return {row["id"]: row["since"].replace(tzinfo=UTC) for row in table.to_pylist()}


def rates_of(cache: Cache, entity: str, xero_ids: Sequence[str]) -> dict[str, Decimal]:
    """Xero's exchange rate of documents: units of their currency per one of the base currency. Those without are left out."""
    table = cache.query_with(
        "SELECT id, json_extract_string(fields, '$.rate') AS rate FROM record "
        "WHERE entity = ? AND side = 'xero' AND id IN (SELECT id FROM incoming)",
        pa.table({"id": pa.array(sorted(set(xero_ids)), pa.string())}),
        entity,
    )
    return {row["id"]: Decimal(row["rate"]) for row in table.to_pylist() if row["rate"]}
