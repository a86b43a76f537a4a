"""The DuckDB cache: one owner process, one root connection, a fresh cursor for each statement, one write lock.

Rules that measuring taught: rows come and go as Arrow (``.df()`` makes floats of decimals, ``executemany`` takes minutes),
MERGE writes only what changed, and the file lock of DuckDB is also what keeps a second server out.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from sync_core.errors import Configure

FEW = 32
LARGE = 32 * 2**20
T = TypeVar("T")
_UNTIL_MOVED = "until moved"
_FORGET = "DELETE FROM fact WHERE name = ?"


class Transaction:
    """Statements that commit together. Made by :meth:`Cache.transaction` only."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.moved = False
        """Whether records, rows or links are other ones afterwards."""
        self.touched = False
        """The same, and whether what was agreed is."""

    def run(self, sql: str, *params: Any) -> None:
        self.moved = self.touched = True
        self.note(sql, *params)

    def note(self, sql: str, *params: Any) -> None:
        """Run a statement that moves no record: a position, a fact, something passing."""
        self._connection.execute(sql, list(params)).fetchall()

    def query(self, sql: str, *params: Any) -> pa.Table:
        return self._connection.sql(sql, params=list(params)).to_arrow_table()

    def rows(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """Rows of one SELECT that are few, see :meth:`Cache.rows`."""
        found: list[tuple[Any, ...]] = self._connection.execute(sql, list(params)).fetchall()
        return found

    def merge(self, table: str, rows: pa.Table, keys: tuple[str, ...], changed: str) -> None:
        """Insert ``rows`` or update those whose column ``changed`` differs."""
        if rows.num_rows == 0:
            return
        on = " AND ".join(f"t.{k} = i.{k}" for k in keys)
        sets = ", ".join(f"{c} = i.{c}" for c in rows.column_names if c not in keys)
        names = ", ".join(rows.column_names)
        values = ", ".join(f"i.{c}" for c in rows.column_names)
        self.with_rows(
            f"MERGE INTO {table} t USING incoming i ON {on} "  # noqa: S608  # names come from our schema, never from data
            f"WHEN MATCHED AND t.{changed} IS DISTINCT FROM i.{changed} THEN UPDATE SET {sets} "
            f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({values})",
            rows,
        )

    def insert(self, table: str, rows: pa.Table) -> None:
        """Insert ``rows``, which the table is known not to hold."""
        names = ", ".join(rows.column_names)
        self.with_rows(f"INSERT INTO {table} ({names}) SELECT {names} FROM incoming", rows)  # noqa: S608  # names come from our schema

    def with_rows(self, sql: str, rows: pa.Table, *params: Any) -> None:
        """Run ``sql`` that reads ``rows`` under the name ``incoming``."""
        with self._incoming(rows):
            self.run(sql, *params)

    def run_among(self, sql: str, ids: Sequence[str], *params: Any) -> None:
        """Run ``sql`` whose last condition is on ``{ids}``, see :meth:`Cache.query_among`."""
        if len(ids) > FEW:
            table = pa.table({"id": pa.array(ids, pa.string())})
            self.with_rows(sql.format(ids="SELECT id FROM incoming"), table, *params)
        else:
            self.run(sql.format(ids=", ".join("?" * len(ids)) or "NULL"), *params, *ids)

    def note_rows(self, sql: str, rows: pa.Table) -> None:
        """The same, for a statement that moves no record."""
        with self._incoming(rows):
            self.note(sql)

    def changed_with(self, sql: str, rows: pa.Table, *params: Any) -> list[tuple[Any, ...]]:
        """The same, for a statement that changes rows and returns those that it changed."""
        with self._incoming(rows):
            changed = self.rows(sql, *params)
        if changed:
            self.moved = self.touched = True
        return changed

    @contextmanager
    def _incoming(self, rows: pa.Table) -> Iterator[None]:
        self._connection.register("incoming", rows)
        try:
            yield
        finally:
            self._connection.unregister("incoming")


class Snapshot:
    """The cache as it stood at one moment. Made by :meth:`Cache.snapshot` only.

    ``generation``: what the cache's was at that moment; None when somebody was writing just then, and it cannot be told.
    """

    def __init__(self, connection: Any, generation: int | None) -> None:
        self._connection = connection
        self.generation = generation

    def query(self, sql: str, *params: Any) -> pa.Table:
        return self._connection.sql(sql, params=list(params)).to_arrow_table()

    def run(self, sql: str, *params: Any) -> None:
        """Make a temporary table; it goes with the snapshot."""
        self._connection.execute(sql, list(params)).fetchall()

    def run_with(self, sql: str, rows: pa.Table) -> None:
        """The same, of ``rows`` under the name ``incoming``."""
        self._connection.register("incoming", rows)
        try:
            self.run(sql)
        finally:
            self._connection.unregister("incoming")


class Cache:
    """Both systems' records, as they were when they were last asked. Losing it costs a full pull and nothing else.

    ``changes`` counts what was committed since it was opened; ``keeper`` makes the reconciliations that it keeps.
    """

    def __init__(self, root: Any, path: Path) -> None:
        self._root = root
        self._writing = threading.RLock()
        self.path = path
        self.changes = 0
        self.keeper: Any = None
        self.generation = 0
        """Grows whenever a record, a row or a link moved."""
        self.touches = 0
        """Grows also whenever what was agreed is another, or :attr:`Transaction.touched` says that it may be."""
        self._remembered: dict[Hashable, tuple[int, Any]] = {}
        self._facts: dict[str, str] | None = None

    def query(self, sql: str, *params: Any) -> pa.Table:
        """Rows of one SELECT, decimals kept."""
        return self._root.cursor().sql(sql, params=list(params)).to_arrow_table()

    def query_with(self, sql: str, rows: pa.Table, *params: Any) -> pa.Table:
        """Rows of one SELECT that also reads ``rows`` under the name ``incoming``."""
        cursor = self._root.cursor()
        cursor.register("incoming", rows)
        try:
            return cursor.sql(sql, params=list(params)).to_arrow_table()
        finally:
            cursor.unregister("incoming")

    def rows(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """Rows of one SELECT as plain values: for what Python reads row by row, at half the price of a table."""
        found: list[tuple[Any, ...]] = self._root.cursor().execute(sql, list(params)).fetchall()
        return found

    def rows_among(self, sql: str, ids: Iterable[str], *params: Any, wide: bool = False) -> list[tuple[Any, ...]]:
        """The same of a SELECT whose last condition is on ``{ids}``, see :meth:`query_among`. Of no ids nothing is asked.

        ``wide``: it reads long texts.
        """
        wanted = sorted(set(ids))
        if not wanted:
            return []
        if len(wanted) <= FEW:
            few = sql.format(ids=", ".join("?" * len(wanted)))
            return self.rows(_found_first(few) if wide and self._large else few, *params, *wanted)
        cursor = self._root.cursor()
        cursor.register("incoming", pa.table({"id": pa.array(wanted, pa.string())}))
        found: list[tuple[Any, ...]] = cursor.execute(sql.format(ids="SELECT id FROM incoming"), list(params)).fetchall()
        cursor.close()
        return found

    def rows_each(self, sql: str, values: Iterable[str]) -> list[tuple[Any, ...]]:
        """Rows of one SELECT whose last condition is ``= {value}``, of all ``values``."""
        if not self._large:
            return self.rows_among(sql.replace("= {value}", "IN ({ids})"), values)
        return [row for value in sorted(set(values)) for row in self.rows(sql.format(value="?"), value)]

    @property
    def _large(self) -> bool:
        """Whether scanning costs more than a further statement. What was written last stands beside the file."""
        beside = self.path.with_name(f"{self.path.name}.wal")
        return sum(each.stat().st_size for each in (self.path, beside) if each.exists()) > LARGE

    def remembered(self, name: Hashable, ask: Callable[[], T]) -> T:
        """The answer to a question of the records, rows, links and agreed images, asked again only once one of them moved."""
        known = self._remembered.get(name)
        if known is None or known[0] != self.touches:
            known = self._remembered[name] = self.touches, ask()
        answer: T = known[1]
        return answer

    def query_among(self, sql: str, ids: Iterable[str], *params: Any) -> pa.Table:
        """Rows of one SELECT whose last condition is on ``{ids}``.

        A few ids go in as parameters: a join with a table of them costs several milliseconds however short it is.
        """
        wanted = sorted(set(ids))
        if len(wanted) > FEW:
            rows = pa.table({"id": pa.array(wanted, pa.string())})
            return self.query_with(sql.format(ids="SELECT id FROM incoming"), rows, *params)
        return self.query(sql.format(ids=", ".join("?" * len(wanted)) or "NULL"), *params, *wanted)

    def scalar(self, sql: str, *params: Any) -> Any:
        found = self._root.cursor().execute(sql, list(params)).fetchone()
        return found[0] if found else None

    @contextmanager
    def transaction(self, *, counted: bool = True) -> Iterator[Transaction]:
        """All or nothing; writers take turns. Not ``counted``: it moves nothing that others would have to read again.

        Raises Configure when the disk is full.
        """
        with self._writing, _by_remedy(self.path):
            connection = self._root.cursor()
            connection.execute("BEGIN").fetchall()
            transaction = Transaction(connection)
            try:
                yield transaction
                moved = counted and transaction.moved
                forgotten = moved and _UNTIL_MOVED in self._known_facts(transaction)
                if forgotten:
                    transaction.note(_FORGET, _UNTIL_MOVED)
            except BaseException:
                connection.execute("ROLLBACK").fetchall()
                connection.close()
                raise
            connection.execute("COMMIT").fetchall()
            connection.close()  # its temporary tables go with it
            self.changes += counted
            self.generation += moved
            self.touches += transaction.touched
            if forgotten:
                self._known_facts().pop(_UNTIL_MOVED, None)

    def _known_facts(self, within: Transaction | None = None) -> dict[str, str]:
        """All facts: they are few, and nobody else writes them while the file is ours."""
        if self._facts is None:
            self._facts = dict((within or self).rows("SELECT name, value FROM fact"))
        return self._facts

    def fact(self, name: str) -> str | None:
        """A word that is kept under a name. It outlives the process."""
        return self._known_facts().get(name)

    def set_fact(self, name: str, value: str, *, counted: bool = True) -> None:
        """Keep a word under a name, in place of the one before. "" keeps none."""
        if (self.fact(name) or "") == value:
            return
        with self.transaction(counted=counted) as transaction:
            transaction.note(_FORGET, name)
            if value:
                transaction.note("INSERT INTO fact VALUES (?, ?)", name, value)
        self._known_facts().pop(name, None)
        if value:
            self._known_facts()[name] = value

    def keep_until_moved(self, value: str) -> None:
        """Keep a word, in place of the one before, until a record, a row or a link moves. "" keeps none."""
        self.set_fact(_UNTIL_MOVED, value, counted=False)

    def until_moved(self) -> str:
        """The word of :meth:`keep_until_moved`, "" once something moved. It outlives the process."""
        return self.fact(_UNTIL_MOVED) or ""

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Several questions that are answered of one moment, whatever is written meanwhile."""
        connection = self._root.cursor()
        generation = None
        nobody_writes = self._writing.acquire(blocking=False)
        try:
            connection.execute("BEGIN").fetchall()
            if nobody_writes:
                connection.execute("SELECT name FROM fact LIMIT 0").fetchall()  # the moment is that of the first question
                generation = self.generation
        finally:
            if nobody_writes:
                self._writing.release()
        try:
            yield Snapshot(connection, generation)
        finally:
            connection.execute("ROLLBACK").fetchall()
            connection.close()

    def close(self) -> None:
        self._root.close()


def _found_first(sql: str) -> str:
    """A SELECT of few rows of one table that looks for them first, and reads wide columns of these rows only."""
    head, _, condition = sql.partition(" WHERE ")
    table = head.rpartition(" FROM ")[2]
    return f"{head} WHERE rowid IN (SELECT rowid FROM {table} WHERE {condition})"  # noqa: S608  # the caller's own words


@contextmanager
def _by_remedy(path: Path) -> Iterator[None]:
    """DuckDB passes on what the system says of a full disk in words only."""
    try:
        yield
    except duckdb.Error as error:
        if os.strerror(errno.ENOSPC) not in str(error):
            raise
        raise Configure(
            f"The disk that holds the cache {path} is full. Free some space, then sync again: nothing is lost.",
            detail=str(error),
        ) from error
