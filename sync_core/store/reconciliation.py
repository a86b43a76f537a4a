"""The reconciliation as the cache answers it: rows, pages, sums. Rows are Arrow tables, so that amounts stay decimals.

Every verb takes ``query``, the cache's way to run one statement on a cursor of its own. Nothing here writes. A page and its
sums are two statements; a caller that needs them to be of one moment asks between two merges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from sync_core.model import DataAge, MatchStatus, Side
from sync_core.rules.entities import entity as registered
from sync_core.rules.reasons import Reason
from sync_core.rules.reconcile import (
    DECIMALS,
    EVERYTHING,
    FAMILIES,
    NO_TERMS,
    Filters,
    Part,
    Reconciliation,
    Sort,
    Terms,
    reconciliation,
)
from sync_core.store.reconciliation_sql import relation
from sync_core.views import ReconciliationPage

Query = Callable[..., pa.Table]

COLUMNS: tuple[str, ...] = (
    "row_id",
    "status",
    "reason",
    "words",
    "matched_by",
    "alternatives",
    "number",
    "currency",
    "contact",
    *(f"crm_{name}" for name in ("id", "number", "contact", "date", "due_date", "reference", "state")),
    *(f"crm_{name}" for name in ("total", "tax", "paid", "credited", "due", "amount")),
    "difference",
    *(f"xero_{name}" for name in ("amount", "total", "tax", "paid", "credited", "due")),
    *(f"xero_{name}" for name in ("state", "reference", "due_date", "date", "contact", "number", "id")),
    "differing",
    "crm_modified",
    "xero_modified",
)
"""What a row holds. ``*_total`` is the signed amount of the document; ``*_amount`` is what counts: 0 when void or absent."""

_SORTS = {
    Sort.NUMBER: "number",
    Sort.CONTACT: "contact",
    Sort.DATE: "coalesce(crm_date, xero_date)",
    Sort.DUE_DATE: "coalesce(crm_due_date, xero_due_date)",
    Sort.STATUS: "status",
    Sort.REASON: "reason",
    Sort.CURRENCY: "currency",
    Sort.DIFFERENCE: "abs(difference)",
    Sort.CRM_TOTAL: "crm_total",
    Sort.XERO_TOTAL: "xero_total",
}

_WHERE = """
WHERE (len($12::VARCHAR[]) = 0 OR list_contains($12::VARCHAR[], status))
  AND (len($13::VARCHAR[]) = 0 OR list_contains($13::VARCHAR[], reason))
  AND ($14::VARCHAR IS NULL OR currency = $14::VARCHAR)
  AND ($15::VARCHAR = '' OR contains(lower(concat_ws(chr(10), crm_contact, xero_contact)), lower($15::VARCHAR)))
  AND ($16::VARCHAR = '' OR contains(lower(concat_ws(chr(10), number, crm_number, xero_number, crm_reference, xero_reference,
    crm_contact, xero_contact, crm_id, xero_id)), lower($16::VARCHAR)))
  AND ($17::DATE IS NULL OR coalesce(crm_date, xero_date) >= $17::DATE)
  AND ($18::DATE IS NULL OR coalesce(crm_date, xero_date) <= $18::DATE)
  AND ($19::DECIMAL(19,4) IS NULL OR $19::DECIMAL(19,4) IN (abs(crm_total), abs(xero_total), abs(difference)))
  AND (len($20::VARCHAR[]) = 0 OR list_contains($20::VARCHAR[], row_id))
"""


def rows(
    query: Query,
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
    way = "DESC" if filters.descending else "ASC"
    order = f"ORDER BY {_SORTS[filters.sort]} {way} NULLS LAST, row_id LIMIT $21 OFFSET $22"
    statement = f"{relation(entity)} SELECT {', '.join(COLUMNS)} FROM rows {_WHERE} {order}"  # noqa: S608  # our own names only
    return query(statement, *_parameters(entity, terms), *_bound(filters), limit, offset)


def summary(query: Query, entity: str, filters: Filters = EVERYTHING, terms: Terms = NO_TERMS) -> Reconciliation:
    """Status counts and control totals of the rows that ``filters`` leave."""
    statement = f"{relation(entity)} {_SUMS} FROM rows {_WHERE} GROUP BY currency, status, reason"
    parts = query(statement, *_parameters(entity, terms), *_bound(filters)).to_pylist()
    return reconciliation(entity, [_part(part) for part in parts])


_SUMS = """
SELECT currency, status, reason, count(*) AS rows,
  count(*) FILTER (crm_counts) AS crm_count, count(*) FILTER (xero_counts) AS xero_count,
  sum(crm_amount) AS crm, sum(xero_amount) AS xero
"""


def _part(part: dict[str, Any]) -> Part:
    return Part(**part | {"status": MatchStatus(part["status"]), "reason": Reason(part["reason"])})


def page(
    query: Query,
    entity: str,
    filters: Filters = EVERYTHING,
    terms: Terms = NO_TERMS,
    *,
    limit: int = 100,
    offset: int = 0,
) -> ReconciliationPage:
    """One screen of rows with the sums of all rows that ``filters`` leave and the age of both systems' data."""
    sums = summary(query, entity, filters, terms)
    return ReconciliationPage(
        entity=entity,
        rows=rows(query, entity, filters, terms, limit=limit, offset=offset),
        row_count=sums.rows,
        status_counts=sums.statuses,
        reason_counts=sums.reasons,
        totals=sums.totals,
        age=data_age(query, entity),
        offset=offset,
    )


def batches(
    query: Query,
    entity: str,
    filters: Filters = EVERYTHING,
    terms: Terms = NO_TERMS,
    *,
    size: int = 8192,
) -> Iterator[pa.RecordBatch]:
    """All rows that ``filters`` leave, of one moment, a batch at a time, for a file."""
    yield from rows(query, entity, filters, terms).to_batches(max_chunksize=size)


def data_age(query: Query, entity: str) -> DataAge:
    """When each system was last read to its end for ``entity``: the oldest of its streams that were read at all."""
    found = query(
        "SELECT min(pulled_at) FILTER (list_contains($1::VARCHAR[], stream)) AS crm,"
        " min(pulled_at) FILTER (list_contains($2::VARCHAR[], stream)) AS xero FROM cursor",
        *(_streams(entity, side) for side in Side),
    ).to_pylist()[0]
    return DataAge(_aware(found["crm"]), _aware(found["xero"]))


def _aware(instant: datetime | None) -> datetime | None:
    return instant and instant.replace(tzinfo=UTC)


def _streams(entity: str, side: Side) -> list[str]:
    """Names of the lists that are pulled for ``entity``: nested rows come with the list that holds them."""
    return [f"{side}.{stream.table}" for stream in registered(entity).streams(side)]


def _parameters(entity: str, terms: Terms) -> Sequence[object]:
    family = FAMILIES.get(entity)
    return (
        entity,
        _streams(entity, Side.CRM),
        _streams(entity, Side.XERO),
        family.sign if family else 1,
        list(family.turned) if family else [],
        list(terms.ignored),
        list(terms.ignored.values()),
        list(terms.tolerance),
        list(terms.tolerance.values()),
        list(DECIMALS),
        [Decimal(1).scaleb(-places) for places in DECIMALS.values()],
    )


def _bound(filters: Filters) -> Sequence[object]:
    return (
        [str(status) for status in filters.statuses],
        [str(reason) for reason in filters.reasons],
        filters.currency,
        filters.contact.strip(),
        filters.search.strip(),
        filters.since,
        filters.until,
        None if filters.amount is None else abs(filters.amount),
        list(filters.rows),
    )
