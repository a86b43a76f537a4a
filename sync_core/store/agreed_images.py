"""What each side held when a pair last agreed, kept in the cache beside the records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa

from sync_core.model import Side
from sync_core.store.cache import Cache, Transaction
from sync_core.store.prints import printed

AGREED = pa.schema([(n, pa.string()) for n in ("entity", "side", "id", "partner", "hash", "fields", "run")])


@contextmanager
def _agreeing(cache: Cache) -> Iterator[Transaction]:
    """What both last agreed on is kept beside the records; none of them moves by it."""
    with cache.transaction() as transaction:
        yield transaction
        transaction.moved = False


def keep(cache: Cache, images: Sequence[dict[str, str]]) -> None:
    """Keep new agreed images (rows of :data:`AGREED`)."""
    if images:
        with _agreeing(cache) as transaction:
            table = pa.Table.from_pylist(list(images), AGREED)
            stamps = [f"{r['hash']}/{r['partner']}" for r in images]
            transaction.merge("agreed", table.append_column("stamp", pa.array(stamps)), ("entity", "side", "id"), "stamp")
            transaction.with_rows(
                f"UPDATE record SET {printed('agreed_hash', 'i.hash')}, agreed_partner = i.partner FROM incoming i "  # noqa: S608  # our own words
                "WHERE record.entity = i.entity AND record.side = i.side AND record.id = i.id "
                "AND (record.agreed_hash IS DISTINCT FROM i.hash OR record.agreed_partner IS DISTINCT FROM i.partner)",
                table,
            )


def keep_as_they_stand(cache: Cache, entity: str, side: Side, pairs: Sequence[tuple[str, str, str]], run: str) -> None:
    """Take records of one side (id, partner's id, hash) for their agreed images, where they still stand at that hash."""
    if not pairs:
        return
    of = entity, str(side)
    ids, partners, hashes = zip(*pairs, strict=True)
    some = pa.table({"id": list(ids), "partner": list(partners), "hash": list(hashes)})
    with _agreeing(cache) as transaction:
        transaction.with_rows(
            "MERGE INTO agreed t USING (SELECT r.entity, r.side, r.id, i.partner, r.hash, r.fields, r.hash || '/' || i.partner "
            "AS stamp FROM incoming i JOIN record r ON r.id = i.id AND r.hash = i.hash WHERE r.entity = ? AND r.side = ?) n "
            "ON t.entity = n.entity AND t.side = n.side AND t.id = n.id "
            "WHEN MATCHED AND t.stamp IS DISTINCT FROM n.stamp THEN UPDATE SET "
            "partner = n.partner, hash = n.hash, fields = n.fields, run = ?, stamp = n.stamp "
            "WHEN NOT MATCHED THEN INSERT (entity, side, id, partner, hash, fields, run, stamp) "
            "VALUES (n.entity, n.side, n.id, n.partner, n.hash, n.fields, ?, n.stamp)",
            some,
            *of,
            run,
            run,
        )
        transaction.with_rows(
            f"UPDATE record SET {printed('agreed_hash', 'record.hash')}, agreed_partner = i.partner FROM incoming i "  # noqa: S608  # our own words
            "WHERE record.entity = ? AND record.side = ? AND record.id = i.id AND record.hash = i.hash "
            "AND (record.agreed_hash IS DISTINCT FROM record.hash OR record.agreed_partner IS DISTINCT FROM i.partner)",
            some,
            *of,
        )
