"""Native rows in the cache: pages merged under their cursor, and which records have to be read again because of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

import orjson
import pyarrow as pa

from sync_core.model import Native, Side
from sync_core.rules.entities import ENTITIES, Entity, Stream
from sync_core.store.cache import FEW, Cache, Transaction
from sync_core.store.versions import naive

RAW = pa.schema(
    [
        ("stream", pa.string()),
        ("id", pa.string()),
        ("parent_id", pa.string()),
        ("version", pa.string()),
        ("body", pa.string()),
        ("gone", pa.bool_()),
        ("run", pa.string()),
    ]
)
_CURSOR = pa.schema(
    [
        *((n, pa.string()) for n in ("stream", "cursor", "run")),
        ("pulled_at", pa.timestamp("us")),
        ("whole", pa.bool_()),
    ]
)


def body_text(native: Native) -> str:
    """A native row as it is kept: JSON with numbers that were ``Decimal`` as text, so that no digit is lost."""
    return orjson.dumps(native, default=str, option=orjson.OPT_SORT_KEYS).decode()


def version_of(stream: Stream, native: Native) -> str:
    """What tells two states of a row apart: the ETag of Dynamics, the stamp of Xero, else its content."""
    stamp = native.get("@odata.etag") if stream.side is Side.CRM else native.get("UpdatedDateUTC")
    return str(stamp) if stamp else hashlib.blake2b(body_text(native).encode(), digest_size=8).hexdigest()


def spelled(stream: Stream, native: Native) -> tuple[str, str]:
    """Version and text of a row, as they are kept."""
    return version_of(stream, native), body_text(native)


def row_id(stream: Stream, native: Native) -> str:
    value = str(native[stream.key])
    return value.lower() if stream.side is Side.CRM else value


class Reached(NamedTuple):
    """Where the next pull of a stream begins, and the instant (UTC) at which it was pulled to there.

    ``whole``: it was listed from its beginning, not only for what changed.
    """

    cursor: str
    at: datetime
    whole: bool = False


def merge_page(
    cache: Cache, stream: Stream, rows: Sequence[Native], gone: Sequence[str], run: str, reached: Reached | None
) -> None:
    """Keep one page and, when it is the last, its cursor: in one transaction, so that no cursor ever passes its rows (I8)."""
    with cache.transaction() as transaction:
        keep_rows(transaction, stream, rows, run)
        if gone:
            _bury(transaction, stream, list(gone), run)
        if reached is not None:
            _save_cursors(transaction, {stream.name: reached}, run)


class SmallPage(NamedTuple):
    """The only page of a stream, of a few rows, and how far the stream is pulled once it is kept."""

    stream: Stream
    rows: Sequence[Native]
    gone: Sequence[str]
    reached: Reached


def merge_pages(cache: Cache, pages: Sequence[SmallPage], quiet: Mapping[str, Reached], run: str) -> None:
    """Keep small pages together, and how far streams that brought nothing were pulled (``quiet``, by their names).

    What they bring is mostly what the cache holds: that is asked first, and nothing is written but what moved.
    """
    reached = {**quiet, **{page.stream.name: page.reached for page in pages}}
    if not reached:
        return
    moved, removed = _differences(cache, pages, run)
    with cache.transaction() as transaction:
        if moved:
            _merge_rows(transaction, moved)
        if removed:
            transaction.with_rows(
                "UPDATE raw SET gone = true, run = ? FROM incoming i WHERE raw.stream = i.stream AND raw.id = i.id",
                pa.table({"stream": [s for s, _ in removed], "id": [i for _, i in removed]}),
                run,
            )
        _mark_pages(transaction, pages, [(r["stream"], r["id"], r["parent_id"]) for r in moved], removed)
        for page in pages:
            if page.gone:
                _bury(transaction, page.stream, list(page.gone), run)
        _save_cursors(transaction, reached, run)


def _differences(cache: Cache, pages: Sequence[SmallPage], run: str) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """Rows of the pages, nested ones too, that the cache holds otherwise or not; (stream, id) of nested rows that are gone."""
    own = {(page.stream.name, row["id"]): row for page in pages for row in (_raw(page.stream, r, run) for r in page.rows)}
    inner, parents = {}, set[str]()
    for page in pages:
        for _, nested in nested_streams(page.stream):
            parents |= {row_id(page.stream, r) for r in page.rows}
            found = (_raw(nested, n, run) for r in page.rows for n in nested_rows(page.stream, nested, r))
            inner.update({(nested.name, row["id"]): row for row in found})
    names = sorted({nested.name for page in pages for _, nested in nested_streams(page.stream)})
    columns = "SELECT stream, id, version, body, gone FROM raw WHERE "
    held = cache.rows_among(f"{columns} id IN ({{ids}})", [i for _, i in own], wide=True)
    listed = ", ".join("?" * len(names)) or "NULL"
    inside = cache.rows_among(f"{columns} stream IN ({listed}) AND parent_id IN ({{ids}})", parents, *names, wide=True)
    known = {(stream, i): (version, body, gone) for stream, i, version, body, gone in (*held, *inside)}
    removed = [(stream, i) for stream, i, _, _, gone in inside if not gone and (stream, i) not in inner]
    wanted = {**own, **inner}
    return [row for key, row in wanted.items() if known.get(key) != (row["version"], row["body"], False)], removed


def _mark_pages(
    transaction: Transaction,
    pages: Sequence[SmallPage],
    moved: Sequence[tuple[str, str, str | None]],
    removed: Sequence[tuple[str, str]],
) -> None:
    for page in pages:
        _mark(transaction, page.stream, [(i, parent) for stream, i, parent in moved if stream == page.stream.name])
        for entity, nested in nested_streams(page.stream):
            ids = [i for stream, i, _ in moved if stream == nested.name] + [i for stream, i in removed if stream == nested.name]
            _mark_ids(transaction, entity.name, nested.side, ids)


def keep_rows(transaction: Transaction, stream: Stream, rows: Sequence[Native], run: str) -> None:
    """Merge rows that a system answered, nested rows apart, and mark what has to be read again."""
    if not rows:
        return
    moved = _merge(transaction, [_raw(stream, r, run) for r in rows])
    _mark(transaction, stream, moved)
    for entity, nested in nested_streams(stream):
        _keep_nested(transaction, entity, stream, nested, rows, run)


def _raw(stream: Stream, native: Native, run: str) -> dict[str, Any]:
    return {
        "stream": stream.name,
        "id": row_id(stream, native),
        "parent_id": _parent(stream, native),
        "version": version_of(stream, native),
        "body": body_text(native),
        "gone": False,
        "run": run,
    }


def _parent(stream: Stream, native: Native) -> str | None:
    value = native.get(stream.parent_key) if stream.parent_key else None
    return str(value).lower() if value and stream.side is Side.CRM else value


def _merge(transaction: Transaction, rows: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    """Keep rows; returns (id, parent's id) of those that are new or moved."""
    unique = {r["id"]: r for r in rows}
    if not unique:
        return []
    return [(row_id, parent) for _, row_id, parent in _merge_rows(transaction, list(unique.values()))]


def _merge_rows(transaction: Transaction, rows: list[dict[str, Any]]) -> list[tuple[str, str, str | None]]:
    """The same of rows of several streams, each once: (stream, id, parent's id)."""
    return transaction.changed_with(
        "MERGE INTO raw t USING incoming i ON t.stream = i.stream AND t.id = i.id "
        "WHEN MATCHED AND (t.version <> i.version OR t.body <> i.body OR t.gone) THEN UPDATE SET "
        "parent_id = i.parent_id, version = i.version, body = i.body, gone = i.gone, run = i.run "
        "WHEN NOT MATCHED THEN INSERT (stream, id, parent_id, version, body, gone, run) "
        "VALUES (i.stream, i.id, i.parent_id, i.version, i.body, i.gone, i.run) RETURNING stream, id, parent_id",
        pa.Table.from_pylist(rows, RAW),
    )


def _mark(transaction: Transaction, stream: Stream, ids: Sequence[tuple[str, str | None]]) -> None:
    for entity, as_child in _entities_of(stream):
        chosen = [parent if as_child else own for own, parent in ids]
        _mark_ids(transaction, entity.name, stream.side, [i for i in chosen if i])


def _mark_ids(transaction: Transaction, entity: str, side: Side, ids: Iterable[str]) -> None:
    marks = sorted(set(ids))
    if not marks:
        return
    if len(marks) <= FEW:
        values = ", ".join(["(?, ?, ?)"] * len(marks))
        transaction.run(f"INSERT INTO dirty VALUES {values}", *(v for i in marks for v in (entity, str(side), i)))  # noqa: S608  # placeholders
        return
    rows = pa.table({"id": pa.array(marks, pa.string())})
    transaction.with_rows("INSERT INTO dirty SELECT ?, ?, id FROM incoming", rows, entity, str(side))


def read_again(cache: Cache, entity: str, side: Side, ids: Sequence[str]) -> None:
    """Have these records made anew from their rows, although the rows did not move."""
    if ids:
        with cache.transaction() as transaction:
            _mark_ids(transaction, entity, side, ids)


def _entities_of(stream: Stream) -> Iterator[tuple[Entity, bool]]:
    for entity in ENTITIES:
        if any(s.name == stream.name for s in entity.streams(stream.side)):
            yield entity, False
        if any(s.name == stream.name for s in entity.children):
            yield entity, True


def nested_streams(stream: Stream) -> Iterator[tuple[Entity, Stream]]:
    """The streams whose rows stand inside the rows of ``stream``."""
    for entity in ENTITIES:
        for nested in entity.streams(stream.side):
            if nested.within and nested.table == stream.table and not stream.within:
                yield entity, nested


def _keep_nested(
    transaction: Transaction, entity: Entity, stream: Stream, nested: Stream, rows: Sequence[Native], run: str
) -> None:
    """Rows inside rows: the array is the whole truth, so what is no longer in it has been removed."""
    found = [row for parent in rows for row in nested_rows(stream, nested, parent)]
    moved = [row_id for row_id, _ in _merge(transaction, [_raw(nested, r, run) for r in found])]
    parents = pa.table({"parent_id": [row_id(stream, r) for r in rows]})
    present = pa.table({"id": pa.array([row_id(nested, r) for r in found], pa.string())})
    transaction.note_rows("CREATE OR REPLACE TEMP TABLE present AS SELECT * FROM incoming", present)
    removed = transaction.changed_with(
        "UPDATE raw SET gone = true, run = ? WHERE stream = ? AND NOT gone AND parent_id IN (SELECT parent_id FROM incoming) "
        "AND id NOT IN (SELECT id FROM present) RETURNING id",
        parents,
        run,
        nested.name,
    )
    _mark_ids(transaction, entity.name, nested.side, [*moved, *(row_id for (row_id,) in removed)])


def nested_rows(stream: Stream, nested: Stream, parent: Native) -> Iterator[Native]:
    """Nested elements as rows of their own: with their parent's id and currency, and an id where the system gave none.

    Such an id is made from the element's content, of other records in it only from their ids, since those may change by
    themselves; elements that are alike are counted, or they would be taken for one.
    """
    alike: Counter[str] = Counter()
    for element in parent.get(nested.within) or ():
        row = {"CurrencyCode": parent.get("CurrencyCode"), **element, nested.parent_key: parent[stream.key]}
        if not row.get(nested.key):
            content = f"{parent[stream.key]}/{body_text({name: _ids_of(value) for name, value in element.items()})}"
            row[nested.key] = str(uuid5(NAMESPACE_URL, f"{content}/{alike[content]}" if alike[content] else content))
            alike[content] += 1
        yield row


def _ids_of(value: Any) -> Any:
    """The ids of a record inside an element; any other value, or a record without one, as it is."""
    ids = {name: own for name, own in value.items() if name[-2:].upper() == "ID"} if isinstance(value, dict) else {}
    return ids or value


def nested_answer(cache: Cache, nested: Stream, parent_id: str, element: Native) -> Native:
    """A nested element that a system answered by itself, with what :func:`nested_rows` would give it."""
    carrying = replace(nested, within="")
    parent = native_rows(cache, carrying, [parent_id]).get(parent_id)
    return {"CurrencyCode": parent[0].get("CurrencyCode") if parent else None, **element, nested.parent_key: parent_id}


def _bury(transaction: Transaction, stream: Stream, ids: list[str], run: str) -> None:
    tombs = pa.table({"id": [i.lower() if stream.side is Side.CRM else i for i in ids]})
    transaction.with_rows(
        "UPDATE raw SET gone = true, version = 'gone', run = ? WHERE stream = ? AND id IN (SELECT id FROM incoming)",
        tombs,
        run,
        stream.name,
    )
    for entity, as_child in _entities_of(stream):
        transaction.with_rows(
            f"INSERT INTO dirty SELECT DISTINCT ?, ?, {'parent_id' if as_child else 'id'} FROM raw "  # noqa: S608  # two literals
            "WHERE stream = ? AND id IN (SELECT id FROM incoming)",
            tombs,
            entity.name,
            str(stream.side),
            stream.name,
        )


def bury(cache: Cache, stream: Stream, ids: Sequence[str], run: str) -> None:
    """Rows that a system said, one by one, are not there any more."""
    with cache.transaction() as transaction:
        _bury(transaction, stream, list(ids), run)


def any_alive(cache: Cache, stream: Stream) -> bool:
    """Whether any row of the stream is known."""
    return bool(cache.scalar("SELECT true FROM raw WHERE stream = ? AND NOT gone LIMIT 1", stream.name))


def alive(cache: Cache, streams: Sequence[str]) -> dict[str, dict[str, tuple[str, str]]]:
    """Version and text of every living row of small streams, by stream and id."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    sql = "SELECT stream, id, version, body FROM raw WHERE NOT gone AND stream = {value}"
    for stream, row_id, version, body in cache.rows_each(sql, streams):
        found.setdefault(stream, {})[row_id] = (version, body)
    return found


def unseen(cache: Cache, stream: Stream, seen: set[str]) -> list[str]:
    """Ids of rows that stand in the cache as alive and are not among ``seen``."""
    table = cache.query_with(
        "SELECT id FROM raw WHERE stream = ? AND NOT gone AND id NOT IN (SELECT id FROM incoming) ORDER BY id",
        pa.table({"id": pa.array(sorted(seen), pa.string())}),
        stream.name,
    )
    ids: list[str] = table["id"].to_pylist()
    return ids


def _save_cursors(transaction: Transaction, reached: Mapping[str, Reached], run: str) -> None:
    some = [
        {"stream": stream, "cursor": to.cursor, "run": run, "pulled_at": naive(to.at), "whole": to.whole}
        for stream, to in reached.items()
    ]
    transaction.note_rows(
        "MERGE INTO cursor t USING incoming i "
        "ON t.stream = i.stream WHEN MATCHED THEN UPDATE SET cursor = i.cursor, pulled_at = i.pulled_at, run = i.run, "
        "full_at = CASE WHEN i.whole THEN i.pulled_at ELSE t.full_at END "
        "WHEN NOT MATCHED THEN INSERT (stream, cursor, pulled_at, full_at, run) "
        "VALUES (i.stream, i.cursor, i.pulled_at, i.pulled_at, i.run)",
        pa.Table.from_pylist(some, _CURSOR),
    )


def cursors(cache: Cache, whole_since: datetime) -> dict[str, str]:
    """Where the next pull of each stream begins, by its name; those not listed whole since ``whole_since`` are left out."""
    return dict(cache.rows("SELECT stream, cursor FROM cursor WHERE full_at > ?", naive(whole_since)))


def pulled_at(cache: Cache) -> dict[str, datetime]:
    """When each stream was last pulled to its end (UTC), by its name."""
    return {stream: at.replace(tzinfo=UTC) for stream, at in cache.rows("SELECT stream, pulled_at FROM cursor")}


def cursor_of(cache: Cache, stream: Stream) -> str | None:
    """Where the next pull of ``stream`` begins, None for everything."""
    value = cache.scalar("SELECT cursor FROM cursor WHERE stream = ?", stream.name)
    return str(value) if value is not None else None


def forget_cursor(cache: Cache, stream: Stream) -> None:
    """The next pull of ``stream`` brings everything."""
    with cache.transaction() as transaction:
        transaction.note("DELETE FROM cursor WHERE stream = ?", stream.name)


def native_rows(cache: Cache, stream: Stream, ids: Collection[str]) -> dict[str, tuple[Native, str, bool]]:
    """Native row, version and whether it is gone, by id."""
    found = cache.rows_among(
        "SELECT id, body, version, gone FROM raw WHERE stream = ? AND id IN ({ids})", ids, stream.name, wide=True
    )
    return {row_id: (orjson.loads(body), version, gone) for row_id, body, version, gone in found}


def child_rows(cache: Cache, stream: Stream, parents: Collection[str]) -> dict[str, list[Native]]:
    """Rows of a child stream that are still there, by their parent's id."""
    sql = "SELECT parent_id, body FROM raw WHERE stream = ? AND NOT gone AND parent_id IN ({ids})"
    children: dict[str, list[Native]] = {}
    for parent, body in cache.rows_among(sql, parents, stream.name, wide=True):
        children.setdefault(parent, []).append(orjson.loads(body))
    return children


def all_rows(cache: Cache, stream: Stream) -> Iterator[Native]:
    """Every row of a small stream (settings, currencies) that is still there."""
    for (text,) in cache.rows("SELECT body FROM raw WHERE stream = ? AND NOT gone", stream.name):
        yield orjson.loads(text)
