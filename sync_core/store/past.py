"""The cache as it stands or once stood: a cache of its own in another file, to be asked like the present one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sync_core.model import Record, Side
from sync_core.rules.entities import ENTITIES, Entity
from sync_core.rules.mapping import loads
from sync_core.store import records
from sync_core.store.cache import Cache, Snapshot
from sync_core.store.cache_opening import open_cache
from sync_core.store.prints import printed
from sync_core.store.versions import aware, naive

_CHUNK = 50_000
_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_name <> 'reconciled'"
"""All but what says which rows of reconciliations are kept: those are made anew where they are asked for."""
_ALIVE = "coalesce(since, TIMESTAMP '1970-01-01') <= ?"


def past(cache: Cache, at: datetime, path: Path) -> Cache:
    """A cache of its own in the new file ``path``: records and links as they stood at ``at``. Close it and remove the file."""
    made = open_cache(path)
    try:
        _copy(cache, made, "record", f"WHERE {_ALIVE}", at)
        _copy(cache, made, "agreed", "", None)
        _copy(cache, made, "cursor", "", None)
        for entity in ENTITIES:
            for chunk in _superseded(cache, entity, at):
                records.merge_records(made, chunk, at=at)
        with made.transaction() as transaction:
            transaction.run("UPDATE cursor SET pulled_at = least(pulled_at, ?)", naive(at))
            transaction.run("UPDATE record SET partner = NULL, partner_print = NULL WHERE linked > ?", naive(at))
            transaction.run(
                f"UPDATE record SET {printed('agreed_hash', 'a.hash')} FROM agreed a "  # noqa: S608  # our own words
                "WHERE agreed_hash IS NULL AND a.entity = record.entity AND a.side = record.side AND a.id = record.id"
            )
        _relink(cache, made, at)
    except BaseException:
        made.close()
        raise
    return made


def copied(cache: Cache, path: Path) -> None:
    """All that an open cache holds at this moment, in the new file ``path``, whatever is written to it meanwhile.

    Its own file must not be copied: whoever closes it in this process gives up the lock on it.
    """
    made = open_cache(path)
    try:
        with made.transaction() as transaction:
            transaction.run("DELETE FROM fact")
        tables = made.query(_TABLES)["table_name"].to_pylist()
        with cache.snapshot() as moment:
            for table in tables:
                _copy(moment, made, table, "", None)
    finally:
        made.close()


def _copy(cache: Cache | Snapshot, made: Cache, table: str, where: str, at: datetime | None) -> None:
    """Row by row in chunks, so that a large cache needs little memory. What the table numbers by itself is numbered anew."""
    params = () if at is None else (naive(at),)
    names = cache.query(f"SELECT * FROM {table} LIMIT 0").column_names  # noqa: S608  # our own names
    listed = ", ".join(name for name in names if name != "seq")
    last = cache.query(f"SELECT max(rowid) AS last FROM {table}")["last"][0].as_py()  # noqa: S608  # our own names
    for start in range(0, (-1 if last is None else last) + 1, _CHUNK):
        sql = f"SELECT {listed} FROM (SELECT *, rowid AS place FROM {table} {where}) WHERE place >= ? AND place < ?"  # noqa: S608  # our own names
        some = cache.query(sql, *params, start, start + _CHUNK)
        if some.num_rows:
            with made.transaction() as transaction:
                transaction.with_rows(f"INSERT INTO {table} ({listed}) SELECT {listed} FROM incoming", some)  # noqa: S608  # our own names


def _superseded(cache: Cache, entity: Entity, at: datetime) -> Iterator[list[dict[str, Any]]]:
    """Rows of the versions that stood at ``at`` and were replaced later."""
    where = f"FROM history WHERE entity = ? AND {_ALIVE} AND until > ?"
    table = cache.query(f"SELECT * {where}", entity.name, naive(at), naive(at))  # our own names
    for batch in table.to_batches(max_chunksize=_CHUNK):
        yield [_row(entity, row) for row in batch.to_pylist()]


def _row(entity: Entity, row: dict[str, Any]) -> dict[str, Any]:
    fields = loads(entity, row["fields"])
    record = Record(
        Side(row["side"]), entity.name, row["id"], row["native_table"], row["version"], fields, row["gone"],
        aware(row["modified"]),
    )  # fmt: skip
    digest = str(row["hash"]).removesuffix(row["gone"])
    return records.as_row(record, entity.title, digest, row["fields"], row["run"])


def _relink(cache: Cache, made: Cache, at: datetime) -> None:
    """Links as they were at ``at``: of the records that were superseded, and those that were parted later."""
    present = cache.query(
        "SELECT entity, side, id, partner FROM record WHERE partner IS NOT NULL AND coalesce(linked <= $1, true) UNION ALL "
        "SELECT entity, side, id, partner FROM parted WHERE coalesce(linked <= $1, true) AND until > $1",
        naive(at),
    )
    with made.transaction() as transaction:
        transaction.with_rows(
            f"UPDATE record SET {printed('partner', 'i.partner')} FROM incoming i "  # noqa: S608  # our own words
            "WHERE record.entity = i.entity AND record.side = i.side "
            "AND record.id = i.id AND record.partner IS DISTINCT FROM i.partner",
            present,
        )
