"""The reconciliation as the cache answers it: rows, pages, sums. Rows are Arrow tables, so that amounts stay decimals.

Every verb takes the cache, and reads the rows that it keeps (see ``reconciliation_kept``); they are made anew first when
anything behind them moved. A page and its sums, or a file and its control totals, are of one moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from sync_core.model import DataAge, MatchStatus, Side
from sync_core.rules.entities import entity as registered
from sync_core.rules.gaps import Gap, gaps
from sync_core.rules.reasons import Reason
from sync_core.rules.reconcile import EVERYTHING, NO_TERMS, Filters, Part, Reconciliation, Share, Sort, Terms, reconciliation
from sync_core.store.cache import Cache, Snapshot
from sync_core.store.reconciliation_gaps import holdings
from sync_core.store.reconciliation_kept import Found, keeper, kept_name
from sync_core.store.reconciliation_reading import CALLED, COLUMNS, Reading
from sync_core.store.reconciliation_sql import streams
from sync_core.views import ReconciliationPage

__all__ = ["COLUMNS", "Books", "batches", "books", "data_age", "page", "rows", "summary"]

_PART = 40_000
"""Rows of a file that are looked up at once."""
_SEARCHES, _MANY = 8, 10_000
"""How many searches are remembered, and of how many records that hold the text."""


class Books:
    """Both sides of one entity at one moment. Made by :func:`books` only."""

    def __init__(self, snapshot: Snapshot, entity: str, terms: Terms, path: Path, found: Found) -> None:
        self._snapshot, self._entity, self._terms, self._path, self._found = snapshot, entity, terms, path, found
        self._reading = Reading(entity, kept_name(entity), terms)
        self._searched = ""

    def rows(self, filters: Filters = EVERYTHING, *, limit: int | None = None, offset: int = 0) -> pa.Table:
        """The rows that ``filters`` leave, in their order, with the columns of :data:`COLUMNS`. ``limit`` None means all."""
        self._prepare(filters)
        sql, params = self._reading.rows(filters, limit, offset)
        return self._snapshot.query(sql, *params)

    def batches(self, filters: Filters = EVERYTHING, *, size: int = 8192) -> Iterator[pa.RecordBatch]:
        """The same rows, ``size`` at a time, in bounded memory: put in order first, then looked up part by part."""
        self._prepare(filters)
        sql, params = self._reading.ordered(filters)
        self._snapshot.run(f"CREATE OR REPLACE TEMP TABLE ordered AS {sql}", *params)
        count = self._snapshot.query("SELECT count(*) AS n FROM ordered")["n"][0].as_py()
        part = self._reading.part("ordered")
        for start in range(0, count, _PART):
            yield from self._snapshot.query(part, start, start + _PART).to_batches(max_chunksize=size)

    def summary(self, filters: Filters = EVERYTHING) -> Reconciliation:
        """Status counts and control totals of the rows that ``filters`` leave."""
        self._prepare(filters)
        sql, params = self._reading.sums(filters)
        parts = [_part(row) for row in self._snapshot.query(sql, *params).to_pylist()]
        sql, params = self._reading.shares(filters)
        shares = [_share(row) for row in self._snapshot.query(sql, *params).to_pylist()]
        return reconciliation(self._entity, parts, shares)

    def _prepare(self, filters: Filters) -> None:
        """Look once for what several statements about the same filters ask."""
        text = filters.search.strip()
        if text and text != self._searched:
            self._look_for(text)
            self._searched = text
        if filters.sort is Sort.CONTACT:
            self._snapshot.run(f"CREATE TEMP TABLE IF NOT EXISTS called AS {CALLED}")

    def _look_for(self, text: str) -> None:
        """Fill the table `hit`, as long as no record moved from what was found before: to read every text takes longest."""
        moment, name = self._snapshot.generation, (self._entity, text)
        known, found = self._found.get(name, (None, None))
        if moment is not None and known == moment:
            self._snapshot.run_with("CREATE OR REPLACE TEMP TABLE hit AS FROM incoming", found)
            return
        sql, params = self._reading.hits(text)
        self._snapshot.run(f"CREATE OR REPLACE TEMP TABLE hit AS {sql}", *params)
        found = self._snapshot.query(f"FROM hit LIMIT {_MANY + 1}")
        if moment is not None and found.num_rows <= _MANY:
            self._found.pop(name, None)
            self._found[name] = moment, found
            for old in list(self._found)[:-_SEARCHES]:
                self._found.pop(old, None)

    def age(self) -> DataAge:
        """When each system was last read to its end for the entity."""
        return _data_age(self._snapshot, self._entity)

    def gaps(self, filters: Filters, rows: int) -> tuple[Gap, ...]:
        """What is missing behind the ``rows`` that ``filters`` leave."""
        held = holdings(self._snapshot, self._entity, self._terms.base_currency, self._path)
        return gaps(registered(self._entity), filters, held, rows)


@contextmanager
def books(cache: Cache, entity: str, terms: Terms = NO_TERMS) -> Iterator[Books]:
    """Several questions about ``entity`` that are answered of one moment. Raises KeyError for a name that is not registered."""
    with keeper(cache).reading(entity, terms) as snapshot:
        yield Books(snapshot, entity, terms, cache.path, keeper(cache).found)


def rows(
    cache: Cache,
    entity: str,
    filters: Filters = EVERYTHING,
    terms: Terms = NO_TERMS,
    *,
    limit: int | None = None,
    offset: int = 0,
) -> pa.Table:
    """The rows that ``filters`` leave, in their order, with the columns of :data:`COLUMNS`. ``limit`` None means all.

    Raises KeyError for an entity that is not in the registry.
    """
    with books(cache, entity, terms) as both:
        return both.rows(filters, limit=limit, offset=offset)


def summary(cache: Cache, entity: str, filters: Filters = EVERYTHING, terms: Terms = NO_TERMS) -> Reconciliation:
    """Status counts and control totals of the rows that ``filters`` leave."""
    with books(cache, entity, terms) as both:
        return both.summary(filters)


def page(
    cache: Cache,
    entity: str,
    filters: Filters = EVERYTHING,
    terms: Terms = NO_TERMS,
    *,
    limit: int = 100,
    offset: int = 0,
) -> ReconciliationPage:
    """One screen of rows with the sums of all rows that ``filters`` leave and the age of both systems' data."""
    with books(cache, entity, terms) as both:
        sums = both.summary(filters)
        return ReconciliationPage(
            entity=entity,
            rows=both.rows(filters, limit=limit, offset=offset),
            row_count=sums.rows,
            status_counts=sums.statuses,
            reason_counts=sums.reasons,
            totals=sums.totals,
            age=both.age(),
            offset=offset,
            gaps=both.gaps(filters, sums.rows),
        )


def batches(
    cache: Cache,
    entity: str,
    filters: Filters = EVERYTHING,
    terms: Terms = NO_TERMS,
    *,
    size: int = 8192,
) -> Iterator[pa.RecordBatch]:
    """All rows that ``filters`` leave, of one moment, a batch at a time, for a file."""
    with books(cache, entity, terms) as both:
        yield from both.batches(filters, size=size)


def data_age(cache: Cache, entity: str) -> DataAge:
    """When each system was last read to its end for ``entity``: the oldest of its streams that were read at all."""
    with cache.snapshot() as snapshot:
        return _data_age(snapshot, entity)


def _data_age(snapshot: Snapshot, entity: str) -> DataAge:
    found = snapshot.query(
        "SELECT min(pulled_at) FILTER (list_contains($1::VARCHAR[], stream)) AS crm,"
        " min(pulled_at) FILTER (list_contains($2::VARCHAR[], stream)) AS xero FROM cursor",
        *(streams(entity, side) for side in Side),
    ).to_pylist()[0]
    return DataAge(_aware(found["crm"]), _aware(found["xero"]))


def _aware(instant: datetime | None) -> datetime | None:
    return instant and instant.replace(tzinfo=UTC)


def _part(row: dict[str, Any]) -> Part:
    return Part(**row | {"status": MatchStatus(row["status"]), "reason": Reason(row["reason"])})


def _share(row: dict[str, Any]) -> Share:
    return Share(row["currency"], Reason(row["reason"]), Reason(row["to"]), row["amount"])
