"""Canonical records and agreed images in the cache, and the questions that the engine asks of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from sync_core.model import Link, Record, Side
from sync_core.store import prints
from sync_core.store import versions as kept
from sync_core.store.cache import Cache

MONEY = pa.decimal128(19, 4)
RECORD = pa.schema(
    [
        *((n, pa.string()) for n in ("entity", "side", "id", "native_table", "version")),
        ("modified", pa.timestamp("us")),
        *((n, pa.string()) for n in ("gone", "hash", "fields", "title", "number", "contact", "currency")),
        ("doc_date", pa.date32()),
        ("due_date", pa.date32()),
        *((n, pa.string()) for n in ("reference", "kind", "state", "document")),
        *((n, MONEY) for n in ("total", "total_tax", "amount_paid", "amount_credited", "amount_due")),
        ("parent", pa.string()),
        ("rate", pa.decimal128(19, 6)),
        ("run", pa.string()),
        ("partner", pa.string()),
        ("linked", pa.timestamp("us")),
    ]
)
_LINKED = pa.schema([*((n, pa.string()) for n in ("entity", "side", "id", "partner")), ("linked", pa.timestamp("us"))])
_PLACES = Decimal("0.0001")
_RATE_PLACES = Decimal("0.000001")
_PARENTS = {
    "payments": ("batch",),
    "allocations": ("credit_note", "advance"),
    "credit_note_lines": ("credit_note",),
}
"""What a record is part of: the field that holds the id, per entity."""

_TYPED = tuple(
    {
        "number": ("number",),
        "contact": ("contact",),
        "currency": ("currency",),
        "doc_date": ("date",),
        "due_date": ("due_date",),
        "reference": ("reference",),
        "kind": ("kind",),
        "state": ("state", "status"),
        "document": ("invoice", "credit_note", "advance"),
        "total": ("total", "amount"),
        "total_tax": ("total_tax",),
        "amount_paid": ("amount_paid",),
        "amount_credited": ("amount_credited",),
        "amount_due": ("amount_due", "remaining"),
    }.items()
)


def as_row(record: Record, title: str, digest: str, fields: str, run: str, link: Link | None = None) -> dict[str, Any]:
    """A record as the cache keeps it; ``fields`` is its canonical JSON and ``digest`` the hash of that.

    ``link``: the pair it is in, for a record that the cache does not hold yet. Of one that it holds, the link stays as it is.
    """
    row: dict[str, Any] = {
        "entity": record.entity,
        "side": str(record.side),
        "id": record.id,
        "native_table": record.table,
        "version": record.version,
        "modified": record.modified.astimezone(UTC).replace(tzinfo=None) if record.modified else None,
        "gone": record.gone,
        "hash": f"{digest}{record.gone}",
        "fields": fields,
        "title": _as_text(record.fields.get(title)),
        "run": run,
    }
    if link is not None:
        row["partner"] = link.xero_id if record.side is Side.CRM else link.crm_id
        row["linked"] = kept.naive(link.linked_at)
    fields_of = record.fields.get
    for column, places in _TYPED:
        value = None
        for name in places:
            value = fields_of(name)
            if value is not None:
                break
        row[column] = _typed(value)
    parents = (record.fields.get(name) for name in _PARENTS.get(record.entity, ()))
    row["parent"] = next((str(parent) for parent in parents if parent is not None), None)
    rate = record.fields.get("rate")
    row["rate"] = rate.quantize(_RATE_PLACES) if isinstance(rate, Decimal) else None
    return row


def _typed(value: Any) -> Any:
    if value is None or isinstance(value, str | date):
        return value
    return value.quantize(_PLACES) if isinstance(value, Decimal) else str(value)


def _as_text(value: Any) -> str | None:
    return None if value is None else str(value)


def merge_records(
    cache: Cache, rows: Sequence[dict[str, Any]], dropped: Sequence[tuple[str, str, str]] = (), *, at: datetime
) -> None:
    """Keep canonical records, leaving their links alone, and take their ids off the list of those to be read again.

    ``at``: the instant from which on they count; what they replace is kept as having counted until then.
    """
    done: dict[tuple[str, str], list[str]] = {}
    for entity, side, row_id in (*((r["entity"], r["side"], r["id"]) for r in rows), *dropped):
        done.setdefault((entity, side), []).append(row_id)
    known = _stamps(cache, {(r["entity"], r["side"], r["id"]) for r in rows})
    fresh = [r for r in rows if (r["entity"], r["side"], r["id"]) not in known]
    moved = [r for r in rows if known.get((r["entity"], r["side"], r["id"]), stamp := _stamp(r)) != stamp]
    with cache.transaction() as transaction:
        if fresh:
            transaction.with_rows(_INSERT, _as_table(fresh, at))
        if moved:
            kept.supersede(transaction, table := _as_table(moved, at), at)
            transaction.with_rows(_REPLACE, table)
        for of, ids in done.items():
            wanted = sorted(set(ids))
            transaction.run_among("DELETE FROM dirty WHERE entity = ? AND side = ? AND id IN ({ids})", wanted, *of)


_NAMES = ", ".join((*RECORD.names, "stamp", "since"))
_INSERT = (
    f"INSERT INTO record ({_NAMES}, {prints.NAMES}) SELECT {_NAMES}, {prints.prints_of('i')} "  # noqa: S608  # our own words
    "FROM (SELECT *, NULL AS agreed_hash FROM incoming) i"
)
_HELD = ", ".join(f"{n} = i.{n}" for n in (*RECORD.names, "stamp") if n not in ("entity", "side", "id", "partner", "linked"))
_REPRINTED = prints.set_prints("number", "document", "hash", "stamp", source="i")
_REPLACE = (
    f"UPDATE record SET {_HELD}, {_REPRINTED}, since = CASE WHEN record.hash <> i.hash THEN i.since ELSE record.since END "  # noqa: S608  # our own words
    "FROM incoming i WHERE record.entity = i.entity AND record.side = i.side AND record.id = i.id"
)
"""Links are set when a record comes into the cache, and left alone when it is read again."""


def _stamps(cache: Cache, keys: Collection[tuple[str, str, str]]) -> dict[tuple[str, str, str], str]:
    """The stamps of those that the cache holds."""
    groups: dict[tuple[str, str], list[str]] = {}
    for entity, side, row_id in keys:
        groups.setdefault((entity, side), []).append(row_id)
    sql = "SELECT id, stamp FROM record WHERE entity = ? AND side = ? AND id IN ({ids})"
    return {(*of, i): stamp for of, ids in groups.items() for i, stamp in cache.rows_among(sql, ids, *of)}


def _stamp(row: Mapping[str, Any]) -> str:
    """What tells two states of a record apart."""
    return f"{row['hash']}/{row['version']}"


def _as_table(rows: Sequence[dict[str, Any]], at: datetime) -> pa.Table:
    table = pa.Table.from_pylist(list(rows), RECORD)
    since = pa.array([kept.naive(at)] * len(rows), pa.timestamp("us"))
    return table.append_column("stamp", pa.array([_stamp(r) for r in rows], pa.string())).append_column("since", since)


_READ = ("id", "native_table", "version", "modified", "gone", "hash", "fields", "title", "partner", "total")


def dirty_ids(cache: Cache, entity: str, side: Side, limit: int) -> list[str]:
    """Up to ``limit`` ids whose native rows moved since their canonical form was made, as they came: so they stand together."""
    sql = "SELECT id FROM dirty WHERE entity = ? AND side = ? GROUP BY id ORDER BY min(rowid) LIMIT ?"
    return _ids(cache.rows(sql, entity, str(side), limit))


def dirty_sides(cache: Cache) -> frozenset[tuple[str, Side]]:
    """Entities and sides with rows that moved since their canonical form was made."""
    return cache.remembered(
        "dirty", lambda: frozenset((e, Side(s)) for e, s in cache.rows("SELECT DISTINCT entity, side FROM dirty"))
    )


def records(cache: Cache, entity: str, side: Side, ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """Cached records by id, each with its ``partner`` (None: unlinked)."""
    found = cache.rows_among(
        f"SELECT {', '.join(_READ)} FROM record WHERE entity = ? AND side = ? AND id IN ({{ids}})",  # noqa: S608  # our own words
        ids,
        entity,
        str(side),
        wide=True,
    )
    return {row[0]: dict(zip(_READ, row, strict=True)) for row in found}


def with_images(cache: Cache, entity: str, side: Side, ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """The same, each also with its ``agreed`` image (None: never) and the partner with which it was agreed."""
    some = records(cache, entity, side, ids)
    sql = "SELECT id, fields, partner FROM agreed WHERE entity = ? AND side = ? AND id IN ({ids})"
    images = {i: (fields, partner) for i, fields, partner in cache.rows_among(sql, some, entity, str(side), wide=True)}
    for row_id, row in some.items():
        row["agreed"], row["agreed_partner"] = images.get(row_id, (None, None))
    return some


def on_documents(cache: Cache, entity: str, side: Side, documents: Sequence[str], *, unlinked: bool) -> dict[str, list[str]]:
    """Ids of living records by the document that they stand on; ``unlinked``: only those without a partner."""
    table = cache.query_with(
        "SELECT document, id FROM record WHERE entity = ? AND side = ? AND gone = '' AND (partner IS NULL OR NOT ?) "
        "AND document IN (SELECT id FROM incoming) ORDER BY document, id",
        pa.table({"id": pa.array(sorted(set(documents)), pa.string())}),
        entity,
        str(side),
        unlinked,
    )
    found: dict[str, list[str]] = {}
    for row in table.to_pylist():
        found.setdefault(row["document"], []).append(row["id"])
    return found


def plain(text: str) -> str:
    """SQL of the text of an SQL expression without regard to case and to how many spaces, of whatever kind, stand where."""
    return f"lower(trim(regexp_replace({text}, '[\\s\\p{{Z}}]+', ' ', 'g')))"


def exact_matches(cache: Cache, entity: str, field: str) -> list[tuple[str, str, int, int]]:
    """Unlinked records of both sides that hold the same value in ``field``: (crm id, xero id, rivals in xero, rivals in crm).

    Values are compared without regard to case and to how many spaces stand where. Records that are alive come before those
    that are gone.
    """
    return cache.rows(
        f"WITH k AS (SELECT side, id, gone, {plain('json_extract_string(fields, ?)')} AS v FROM record "  # noqa: S608  # ours
        "WHERE entity = ? AND partner IS NULL), p AS ("
        "SELECT c.id AS crm, x.id AS xero, (c.gone <> '')::INT + (x.gone <> '')::INT AS dead "
        "FROM k c JOIN k x ON c.v = x.v WHERE c.side = 'crm' AND x.side = 'xero' AND c.v <> ''), "
        "best AS (SELECT crm, xero FROM p QUALIFY dead = min(dead) OVER (PARTITION BY crm) "
        "AND dead = min(dead) OVER (PARTITION BY xero)) "
        "SELECT crm, xero, count(*) OVER (PARTITION BY crm) AS in_xero, count(*) OVER (PARTITION BY xero) AS in_crm "
        "FROM best ORDER BY crm, xero",
        f"$.{field}",
        entity,
    )


def with_values(
    cache: Cache, entity: str, side: Side, field: str, values: Iterable[str], *, alive: bool = True
) -> dict[str, list[str]]:
    """By each of ``values`` the ids of living records (or of all) that hold it in ``field``, whatever its case."""
    wanted = sorted(set(values))
    if not wanted:
        return {}
    table = cache.query_with(
        "SELECT i.value, r.id FROM incoming i JOIN record r ON lower(json_extract_string(r.fields, ?)) = lower(i.value) "
        "WHERE r.entity = ? AND r.side = ? AND (r.gone = '' OR NOT ?) ORDER BY r.id",
        pa.table({"value": pa.array(wanted, pa.string())}),
        f"$.{field}",
        entity,
        str(side),
        alive,
    )
    found: dict[str, list[str]] = {}
    for value, row_id in zip(table["value"].to_pylist(), table["id"].to_pylist(), strict=True):
        found.setdefault(value, []).append(row_id)
    return found


def names(cache: Cache, entity: str, side: Side, ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """What each record is called (its id when it has no name), and how it ended."""
    found = cache.rows_among(
        "SELECT id, coalesce(nullif(title, ''), id) AS title, gone FROM record WHERE entity = ? AND side = ? AND id IN ({ids})",
        ids,
        entity,
        str(side),
    )
    return {i: (title, gone) for i, title, gone in found}


def versions(cache: Cache, entity: str, side: Side, ids: Sequence[str]) -> dict[str, str]:
    """The version of each record as it was last read."""
    sql = "SELECT id, version FROM record WHERE entity = ? AND side = ? AND id IN ({ids})"
    return dict(cache.rows_among(sql, ids, entity, str(side)))


def moved_in(cache: Cache, entity: str, run: str, ids: Iterable[str]) -> frozenset[str | None]:
    """Those of ``ids``, of either side, that this run read anew and found to hold something else."""
    sql = "SELECT id FROM record WHERE entity = ? AND run = ? AND id IN ({ids})"
    return frozenset(_ids(cache.rows_among(sql, ids, entity, run)))


def set_partners(cache: Cache, links: Sequence[Link]) -> None:
    """Repeat links from the state in the cache, where compare and reconciliation read them."""
    rows = [
        {"entity": e, "side": s, "id": i, "partner": p, "linked": kept.naive(link.linked_at)}
        for link in links
        for e, s, i, p in ((link.entity, "crm", link.crm_id, link.xero_id), (link.entity, "xero", link.xero_id, link.crm_id))
    ]
    if rows:
        with cache.transaction() as transaction:
            transaction.with_rows(
                f"UPDATE record SET {prints.printed('partner', 'i.partner')}, linked = i.linked FROM incoming i "  # noqa: S608  # our own words
                "WHERE record.entity = i.entity AND record.side = i.side AND record.id = i.id",
                pa.Table.from_pylist(rows, _LINKED),
            )


_UNLINK = "UPDATE record SET partner = NULL, partner_print = NULL"


def clear_partner(cache: Cache, entity: str, side: Side, row_id: str, at: datetime) -> None:
    """Forget the link of one record, on its own row only; it is kept as having been there until ``at``."""
    with cache.transaction() as transaction:
        kept.part(transaction, entity, side, row_id, at)
        transaction.run(f"{_UNLINK} WHERE entity = ? AND side = ? AND id = ?", entity, str(side), row_id)


def clear_partners(cache: Cache) -> None:
    """Forget every link; the agreed images stay, and count again once the same two records are linked again."""
    with cache.transaction() as transaction:
        transaction.run(f"{_UNLINK} WHERE partner IS NOT NULL")


def partners(cache: Cache, entity: str, side: Side, ids: Iterable[str]) -> dict[str, str]:
    """The linked partner's id, for those of ``ids`` (of ``side``) that have one."""
    sql = "SELECT id, partner FROM record WHERE entity = ? AND side = ? AND partner IS NOT NULL AND id IN ({ids})"
    return dict(cache.rows_among(sql, ids, entity, str(side)))


def tables_of(cache: Cache, entity: str, side: Side, ids: Iterable[str], *, standing: bool = False) -> dict[str, str]:
    """The native table that each record stands in; ``standing``: without those that are deleted."""
    found = cache.rows_among(
        "SELECT id, native_table FROM record WHERE entity = ? AND side = ? AND (NOT ? OR gone <> 'deleted') AND id IN ({ids})",
        ids,
        entity,
        str(side),
        standing,
    )
    return dict(found)


_TYPED_READ = (
    *("id", "native_table", "title", "number", "kind", "state", "currency"),
    *("amount_due", "amount_paid", "amount_credited", "partner", "gone"),
)


def typed(cache: Cache, entity: str, side: Side, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The typed columns of records, by id, and their partners and ends."""
    found = cache.rows_among(
        f"SELECT {', '.join(_TYPED_READ)} FROM record WHERE entity = ? AND side = ? AND id IN ({{ids}})",  # noqa: S608  # our own words
        ids,
        entity,
        str(side),
    )
    return {row[0]: dict(zip(_TYPED_READ, row, strict=True)) for row in found}


def linked_and_gone(cache: Cache) -> tuple[dict[str, int], dict[str, list[str]]]:
    """Per entity, how many pairs are linked; and of those of which a side is gone that was alive when they last agreed, the
    Dynamics ids."""
    found = cache.rows(
        "SELECT entity, count(*) FILTER (side = 'crm'), list(CASE side WHEN 'crm' THEN id ELSE partner END) "
        "FILTER (gone = 'deleted' AND agreed_hash <> hash) FROM record WHERE partner IS NOT NULL GROUP BY entity"
    )
    return {e: linked for e, linked, _ in found if linked}, {e: gone for e, _, gone in found if gone}


def merged(cache: Cache) -> list[tuple[str, Side, str, str]]:
    """(entity, side, id, partner) of linked records that were merged into another one, in a stable order."""
    sql = "SELECT entity, side, id, partner FROM record WHERE gone = 'merged' AND partner IS NOT NULL ORDER BY entity, side, id"
    return cache.remembered("merged", lambda: [(e, Side(s), i, p) for e, s, i, p in cache.rows(sql)])


def merged_holders(cache: Cache, entity: str) -> list[tuple[str, str, str]]:
    """(native table, id, version) of merged Dynamics records that still name a Xero record which is another one's by now."""
    sql = (
        "SELECT c.entity, c.native_table, c.id, c.version FROM record c JOIN record x "
        "ON x.entity = c.entity AND x.side = 'xero' AND x.id = json_extract_string(c.fields, '$.xero_id') "
        "WHERE c.side = 'crm' AND c.gone = 'merged' AND c.partner IS NULL AND x.partner <> c.id ORDER BY c.entity, c.id"
    )
    found = cache.remembered("merged holders", lambda: cache.rows(sql))
    return [(table, row_id, version) for of, table, row_id, version in found if of == entity]


def _ids(found: Sequence[tuple[Any, ...]]) -> list[str]:
    return [row_id for row_id, *_ in found]


def chunks(ids: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
