"""What the cache holds for one entity, so that it can be said what is missing."""

from __future__ import annotations

from pathlib import Path

from sync_core.model import Side
from sync_core.rules.entities import entity as registered
from sync_core.rules.gaps import Holdings
from sync_core.store.cache import Snapshot
from sync_core.store.reconciliation_sql import streams

_HELD = """
SELECT
  (SELECT count(DISTINCT stream) FROM cursor WHERE list_contains($2::VARCHAR[], stream)) AS crm_read,
  (SELECT count(DISTINCT stream) FROM cursor WHERE list_contains($3::VARCHAR[], stream)) AS xero_read,
  count(*) FILTER (side = 'crm') AS crm_records,
  count(*) FILTER (side = 'xero') AS xero_records,
  min(doc_date) AS first, max(doc_date) AS last,
  (SELECT count(DISTINCT (side, id)) FROM dirty WHERE entity = $1) AS waiting
FROM record WHERE entity = $1
"""
_UNRATED = """
SELECT currency, count(*) AS documents FROM record
WHERE entity = $1 AND side = 'xero' AND coalesce(currency, '') NOT IN ('', $2) AND rate IS NULL AND gone = ''
GROUP BY currency
"""


def holdings(snapshot: Snapshot, entity: str, base_currency: str, path: Path) -> Holdings:
    """What stands in the cache for ``entity``. ``path``: the cache's file; one that could not be read lies beside it."""
    names = {side: sorted({*streams(entity, side), *_children(entity, side)}) for side in Side}
    held = snapshot.query(_HELD, entity, names[Side.CRM], names[Side.XERO]).to_pylist()[0]
    unrated = snapshot.query(_UNRATED, entity, base_currency).to_pylist() if base_currency else []
    return Holdings(
        read={side: held[f"{side}_read"] for side in Side},
        lists={side: len(names[side]) for side in Side},
        records={side: held[f"{side}_records"] for side in Side},
        waiting=held["waiting"],
        unrated={row["currency"]: row["documents"] for row in unrated},
        base_currency=base_currency,
        first=held["first"],
        last=held["last"],
        begun_anew=path.with_suffix(".unreadable").exists(),
    )


def _children(entity: str, side: Side) -> list[str]:
    return [stream.name for stream in registered(entity).children if stream.side is side and not stream.within]
