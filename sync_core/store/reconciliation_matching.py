"""How records of the two sides are brought together: the part of ``reconciliation.sql`` that depends on the entity.

Exact passes come first, in the registry's order, each over what the ones before it left: a key counts when it stands once on
either side. Then come scored candidates by contact, amount, currency and date; what could be several is never guessed.
"""

# ruff: noqa: S608  # the pieces are made of names that stand in this program; whatever comes from data is bound
from __future__ import annotations

from collections.abc import Iterable

from sync_core.model import Side
from sync_core.rules.declaration import Entity
from sync_core.rules.reconcile import FAMILIES

_NEAR = 7  # days between the dates of two documents that may still be the same one
_CROWD = 2500  # combinations of one party and amount beyond which only the same day makes a candidate


def literal(text: str) -> str:
    """``text`` of this program as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def matching(subject: Entity) -> dict[str, str]:
    """The pieces of the statement that find pairs, possible pairs and duplicates."""
    numbered = any(f.name == "number" for f in subject.fields)
    documents = subject.name in FAMILIES
    keys = [(f"k{n}", field, label) for n, (field, label) in enumerate(subject.match)]
    first = [_Pass(key, label, alive=True) for key, _, label in keys]
    if documents:
        first.append(_Pass("reference", "reference", alive=True, where=_SAME_PARTY))
    passes = [*first, *(_Pass(key, label, alive=False) for key, _, label in keys)]
    rendered = [step.render(n, twice=numbered) for n, step in enumerate(passes)]
    names = range(len(passes))
    return {
        "number_key": "lower(replace(trim(coalesce(number, '')), ' ', ''))" if numbered else "''",
        "crm_pool_keys": "".join(f", {_key(field, Side.CRM, 'c')} AS {key}" for key, field, _ in keys),
        "xero_pool_keys": "".join(f", {_key(field, Side.XERO, 'x')} AS {key}" for key, field, _ in keys),
        "crm_pool_join": " LEFT JOIN record f ON f.entity = $1 AND f.side = 'crm' AND f.id = c.id",
        "xero_pool_join": " LEFT JOIN record f ON f.entity = $1 AND f.side = 'xero' AND f.id = x.id",
        "passes": "".join(rendered),
        "exact": " UNION ALL ".join(f"SELECT * FROM pass_{n}" for n in names) or _NO_PAIRS,
        "candidates": _SCORED if documents else _shared_keys([key for key, field, _ in keys if field not in _TAGS]),
        "duplicates": _duplicates(numbered, documents, next((key for key, field, _ in keys if field == "xero_id"), "")),
    }


_TAGS = ("xero_id", "crm_id")
_NO_PAIRS = "SELECT '' AS crm_id, '' AS xero_id, '' AS matched_by, true AS same_currency WHERE false"
_SAME_PARTY = """ AND c.cur = x.cur AND c.document = x.document AND (c.contact_twin = x.contact
    OR coalesce(c.contact_twin, '') = '' AND lower(trim(c.contact_name)) = lower(trim(x.contact_name)))"""


class _Pass:
    """One way of finding exact pairs: a key that stands once on either side among what is left."""

    def __init__(self, key: str, label: str, *, alive: bool, where: str = "") -> None:
        self.key, self.label, self.alive, self.where = key, label, alive, where

    def render(self, number: int, *, twice: bool) -> str:
        """The common table expression ``pass_<number>``. ``twice``: a number that the whole side has twice does not count."""
        crm, xero = (self._once(side, number, twice=twice) for side in Side)
        return f"""pass_{number} AS MATERIALIZED (
  SELECT c.id AS crm_id, x.id AS xero_id, {literal(self.label)} AS matched_by,
    c.cur = x.cur OR '' IN (c.cur, x.cur) AS same_currency
  FROM {crm} kc JOIN {xero} kx USING (key) JOIN crm_pool c ON c.id = kc.id JOIN xero_pool x ON x.id = kx.id
  WHERE true{self.where}
),
"""

    def _once(self, side: Side, number: int, *, twice: bool) -> str:
        taken = "".join(f" ANTI JOIN pass_{n} ON pass_{n}.{side}_id = p.id" for n in range(number))
        alive = " AND NOT p.void AND NOT p.inactive" if self.alive else ""
        spare = ""
        if twice and self.label == "document number" and self.alive:
            often = f"SELECT number_key FROM {side} WHERE number_key <> '' AND NOT void GROUP BY 1 HAVING count(*) > 1"
            spare = f" AND p.{self.key} NOT IN ({often})"
        return (
            f"(SELECT p.{self.key} AS key, min(p.id) AS id FROM {side}_pool p{taken}"
            f" WHERE p.{self.key} <> ''{alive}{spare} GROUP BY 1 HAVING count(*) = 1)"
        )


def _key(field: str, side: Side, table: str) -> str:
    if field == f"{side}_id":
        return f"lower({table}.id)"
    if field == "number":
        return f"{table}.number_key"
    if field == "name":
        return f"lower(trim(coalesce({table}.title, '')))"
    return f"lower(trim(coalesce(f.fields->>'$.{field}', '')))"


_SCORED = f"""open_crm AS MATERIALIZED (
  SELECT p.*, CASE WHEN contact_twin <> '' THEN 'id:' || contact_twin ELSE 'name:' || lower(trim(contact_name)) END AS party
  FROM crm_pool p ANTI JOIN exact ON exact.crm_id = p.id WHERE NOT void AND total <> 0 AND contact_name IS NOT NULL
),
open_xero AS MATERIALIZED (
  SELECT p.*, unnest(['id:' || contact, 'name:' || lower(trim(contact_name))]) AS party
  FROM xero_pool p ANTI JOIN exact ON exact.xero_id = p.id WHERE NOT void AND total <> 0 AND contact IS NOT NULL
),
crowds AS MATERIALIZED (
  SELECT party, cur, total, document, c.members * x.members > {_CROWD} AS crowded
  FROM (SELECT party, cur, total, document, count(*) AS members FROM open_crm GROUP BY ALL) c
  JOIN (SELECT party, cur, total, document, count(*) AS members FROM open_xero GROUP BY ALL) x
    USING (party, cur, total, document)
),
candidates AS MATERIALIZED (
  SELECT c.id AS crm_id, x.id AS xero_id,
    {_NEAR} - abs(c.doc_date - x.doc_date) + CASE WHEN c.party LIKE 'id:%' THEN 10 ELSE 0 END AS score,
    c.number_key = '' OR x.number_key = '' OR c.number_key = x.number_key OR c.doc_date = x.doc_date AS plain
  FROM open_crm c
  JOIN crowds ON crowds.party = c.party AND crowds.cur = c.cur AND crowds.total = c.total AND crowds.document = c.document
  JOIN open_xero x ON x.party = c.party AND x.cur = c.cur AND x.total = c.total AND x.document = c.document
    AND x.doc_date BETWEEN c.doc_date - {_NEAR} AND c.doc_date + {_NEAR} AND (NOT crowded OR x.doc_date = c.doc_date)
),
accepted AS MATERIALIZED (
  SELECT crm_id, xero_id, 'contact, amount and date' AS matched_by FROM candidates
  QUALIFY count(*) OVER (PARTITION BY crm_id) = 1 AND count(*) OVER (PARTITION BY xero_id) = 1 AND plain
),
doubtful AS MATERIALIZED (SELECT crm_id, xero_id, score FROM candidates ANTI JOIN accepted USING (crm_id, xero_id)),
"""


def _shared_keys(keys: Iterable[str]) -> str:
    """Records without amounts: what shares a key with several on the other side may belong to any of them."""
    shared = [
        f"SELECT c.id AS crm_id, x.id AS xero_id, {-n} AS score"
        f" FROM open_crm c JOIN open_xero x ON c.{key} = x.{key} AND c.{key} <> ''"
        for n, key in enumerate(keys)
    ]
    every = " UNION ALL ".join(shared) or "SELECT '' AS crm_id, '' AS xero_id, 0 AS score WHERE false"
    left = "".join(
        f"open_{side} AS MATERIALIZED (\n  SELECT * FROM {side}_pool p ANTI JOIN exact ON exact.{side}_id = p.id"
        " WHERE NOT inactive AND NOT void\n),\n"
        for side in Side
    )
    return f"""{left}
accepted AS (SELECT '' AS crm_id, '' AS xero_id, '' AS matched_by WHERE false),
doubtful AS MATERIALIZED (SELECT crm_id, xero_id, max(score) AS score FROM ({every}) GROUP BY ALL),
"""


def _duplicates(numbered: bool, documents: bool, tag: str) -> str:
    parts = [_claimed(side) for side in Side]
    if tag:
        parts.append(_same_tag(tag))
    if numbered:
        parts += [_same_number(side) for side in Side]
    if documents:
        parts += [_same_as_paired(side) for side in Side]
    return f"SELECT row_id, list_distinct(flatten(list(others))) AS others FROM ({' UNION ALL '.join(parts)}) GROUP BY row_id"


def _claimed(side: Side) -> str:
    return f"""
  SELECT '{side}:' || l.id AS row_id, ['{side}:' || p.{side}_id] AS others
  FROM lone_{side} l JOIN pairs p ON p.{side.other}_id = l.twin WHERE l.twin <> '' AND NOT l.void"""


def _same_tag(key: str) -> str:
    return f"""
  SELECT 'crm:' || l.id AS row_id, ['crm:' || p.crm_id] AS others
  FROM lone_crm l JOIN crm_pool k ON k.id = l.id AND k.{key} <> '' JOIN pairs p ON lower(p.xero_id) = k.{key} WHERE NOT l.void
  UNION ALL
  SELECT 'crm:' || l.id, list('crm:' || o.id)
  FROM lone_crm l JOIN crm_pool k ON k.id = l.id AND k.{key} <> '' JOIN crm_pool o ON o.{key} = k.{key} AND o.id <> k.id
  WHERE NOT l.void AND NOT o.void GROUP BY l.id"""


def _same_number(side: Side) -> str:
    return f"""
  SELECT '{side}:' || l.id AS row_id, list('{side}:' || o.id) AS others
  FROM lone_{side} l JOIN {side} o ON o.number_key = l.number_key AND o.id <> l.id
  WHERE l.number_key <> '' AND NOT l.void AND NOT o.void GROUP BY l.id"""


def _same_as_paired(side: Side) -> str:
    return f"""
  SELECT '{side}:' || l.id AS row_id, list('{side}:' || o.id) AS others
  FROM lone_{side} l
  JOIN {side} o ON o.contact = l.contact AND o.total = l.total AND o.doc_date = l.doc_date AND o.cur = l.cur
    AND o.document = l.document AND coalesce(o.kind, '') = coalesce(l.kind, '')
  SEMI JOIN pairs ON pairs.{side}_id = o.id
  WHERE NOT l.void AND NOT o.void AND l.total <> 0 GROUP BY l.id"""
