"""What single records hold now, in short: for cases that are to open again when either side changes."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from sync_core.model import Side
from sync_core.rules.cases import RowKey, Standing
from sync_core.store.cache import Cache

_SETTLED = """
WITH settled AS (
  SELECT document, string_agg(total::VARCHAR, ',' ORDER BY id) AS sums FROM record
  WHERE entity IN ('payments', 'allocations') AND side = 'crm' AND gone = ''
    AND coalesce(state, '') NOT IN ('DELETED', 'VOIDED') AND document IN (SELECT id FROM incoming WHERE side = 'crm')
  GROUP BY document
)
SELECT r.side, r.id, concat_ws('/', r.hash, s.sums) AS print, coalesce(r.partner, '') AS partner
FROM record r JOIN incoming i ON i.side = r.side AND i.id = r.id LEFT JOIN settled s ON r.side = 'crm' AND s.document = r.id
WHERE r.entity = ?
"""


def standings(cache: Cache, entity: str, records: Iterable[tuple[Side, str]]) -> dict[tuple[Side, str], Standing]:
    """By side and id; what is not in the cache is left out.

    A print changes with any canonical field of the record, and, on an invoice of Dynamics, with what is paid or credited on it.
    """
    wanted = sorted(set(records))
    if not wanted:
        return {}
    rows = pa.table({"side": [str(side) for side, _ in wanted], "id": [id_ for _, id_ in wanted]})
    found = cache.query_with(_SETTLED, rows, entity).to_pylist()
    return {(Side(row["side"]), row["id"]): Standing(row["print"], row["partner"]) for row in found}


_PAIRED = """
SELECT c.id AS crm_id, x.id AS xero_id
FROM incoming i JOIN record c ON c.entity = $1 AND c.side = 'crm' AND c.id = i.id
JOIN record x ON x.entity = $1 AND x.side = 'xero' AND x.id = c.partner AND x.partner = c.id
WHERE c.gone <> 'deleted' AND x.gone <> 'deleted' AND (c.currency = x.currency OR c.currency IS NULL OR x.currency IS NULL)
"""


def linked_rows(cache: Cache, entity: str, row_ids: Iterable[str]) -> dict[str, RowKey]:
    """Those of ``row_ids`` that are linked pairs, told without laying everything side by side."""
    ids = sorted({row_id.removeprefix("crm:") for row_id in row_ids if row_id.startswith("crm:")})
    if not ids:
        return {}
    found = cache.query_with(_PAIRED, pa.table({"id": pa.array(ids, pa.string())}), entity).to_pylist()
    keys = [RowKey(row["crm_id"], row["xero_id"]) for row in found]
    return {key.row_id: key for key in keys}
