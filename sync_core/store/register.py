"""Records of one entity as a list: both sides of a pair in one line, with where it stands.

Statuses live in the state, so they come in as rows: (side, id, status). A pair stands under its Dynamics id.
"""

# ruff: noqa: S608  # the pieces are made of names that stand in this program; whatever comes from data is bound
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from sync_core.model import Side, Status
from sync_core.store.cache import Cache

Row = dict[str, Any]
Standings = Iterable[tuple[str, str, str]]

_PAIRS = """
WITH pair AS (
  SELECT c.id AS crm_id, x.id AS xero_id, 'crm' AS side, c.id AS id, c.native_table, c.title, c.number, c.gone AS crm_gone,
    x.gone AS xero_gone, c.fields AS crm_fields, x.fields AS xero_fields
  FROM record c LEFT JOIN record x ON x.entity = $1 AND x.side = 'xero' AND x.id = c.partner
  WHERE c.entity = $1 AND c.side = 'crm'
  UNION ALL
  SELECT NULL, x.id, 'xero', x.id, x.native_table, x.title, x.number, NULL, x.gone, NULL, x.fields
  FROM record x ANTI JOIN record c ON c.entity = $1 AND c.side = 'crm' AND c.id = x.partner AND c.partner = x.id
  WHERE x.entity = $1 AND x.side = 'xero'
), line AS (
  SELECT p.*, coalesce(s.status, 'Never synced') AS status FROM pair p
  LEFT JOIN incoming s ON s.side = p.side AND s.id = p.id
), found AS (
  SELECT * FROM line WHERE $2 = '' OR contains(lower(concat_ws(' ', title, number, crm_id, xero_id)), lower($2))
    OR contains(lower(crm_fields), lower($2)) OR contains(lower(xero_fields), lower($2))
)
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lines are asked for. ``statuses``: all when empty. ``search``: text found anywhere in either record."""

    entity: str
    statuses: Sequence[Status] = ()
    search: str = ""


def lines(cache: Cache, asked: Asked, standings: Standings, limit: int, offset: int) -> list[Row]:
    """One screen of lines, by name."""
    table = cache.query_with(
        _PAIRS + "SELECT * FROM found WHERE len($3::VARCHAR[]) = 0 OR list_contains($3::VARCHAR[], status) "
        "ORDER BY lower(coalesce(title, number, id)), id LIMIT $4 OFFSET $5",
        _incoming(standings),
        asked.entity,
        asked.search,
        [str(status) for status in asked.statuses],
        limit,
        offset,
    )
    found: list[Row] = table.to_pylist()
    return found


def counts(cache: Cache, asked: Asked, standings: Standings) -> dict[Status, int]:
    """How many lines stand how, whatever statuses are asked for."""
    table = cache.query_with(
        _PAIRS + "SELECT status, count(*) AS n FROM found GROUP BY status", _incoming(standings), asked.entity, asked.search
    )
    return {Status(row["status"]): row["n"] for row in table.to_pylist()}


def _incoming(standings: Standings) -> pa.Table:
    rows = list(standings)
    return pa.table({name: pa.array([r[at] for r in rows], pa.string()) for at, name in enumerate(("side", "id", "status"))})


_CANDIDATES = """
WITH own AS (SELECT *, lower(trim(coalesce(title, ''))) AS name FROM record WHERE entity = $1 AND side = $2 AND id = $3),
other AS (SELECT r.*, lower(trim(coalesce(r.title, ''))) AS name FROM record r
  WHERE r.entity = $1 AND r.side = $4 AND r.partner IS NULL AND r.gone = ''),
scored AS (
  SELECT r.id, r.title, r.number, r.native_table, r.doc_date, r.currency, r.total, r.fields,
    CASE WHEN o.total IS NULL THEN jaro_winkler_similarity(o.name, r.name) ELSE 0 END AS alike,
    EXISTS (SELECT 1 FROM record k WHERE k.entity = 'contacts' AND k.side = $2 AND k.id = o.contact AND k.partner = r.contact)
      AS same_contact,
    o.total IS NOT NULL AND o.total = r.total AND coalesce(o.currency, '') = coalesce(r.currency, '') AS same_total,
    o.doc_date IS NOT NULL AND abs(date_diff('day', o.doc_date, r.doc_date)) <= 7 AS near,
    list_filter($5::VARCHAR[], lambda f: json_extract_string(r.fields, '$.' || f) <> '' AND
      lower(trim(json_extract_string(o.fields, '$.' || f))) = lower(trim(json_extract_string(r.fields, '$.' || f)))) AS shared
  FROM other r, own o WHERE $6 = '' OR contains(lower(concat_ws(' ', r.title, r.number, r.id, r.fields)), lower($6))
)
SELECT *, 100 * least(1, 0.6 * (len(shared) > 0)::INT + 0.15 * greatest(len(shared) - 1, 0)
  + 0.35 * (alike >= 0.85)::INT * alike + 0.3 * same_total::INT + 0.25 * same_contact::INT
  + 0.1 * near::INT) AS score FROM scored
WHERE $6 <> '' OR alike >= 0.85 OR same_total OR len(shared) > 0 OR (same_contact AND near)
ORDER BY score DESC, alike DESC, id LIMIT $7
"""


def candidates(cache: Cache, entity: str, side: Side, row_id: str, fields: Sequence[str], search: str, limit: int) -> list[Row]:
    """Living records of the other side without a partner that could be this one, the likeliest first.

    ``fields``: those that count when both hold the same. With ``search``, whatever holds that text. ``score`` is 0 to 100.
    """
    table = cache.query(_CANDIDATES, entity, str(side), row_id, str(side.other), list(fields), search, limit)
    found: list[Row] = table.to_pylist()
    return found
