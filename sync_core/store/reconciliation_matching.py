"""How records of the two sides are brought together: the part of ``reconciliation.sql`` that depends on the entity.

Exact passes come first, in the registry's order, each over what the ones before it left: a key counts when it stands once on
either side. Then come candidates by contact, amount, currency and date, scored out of 100. One that leads on both sides by
:data:`MARGIN` is taken, once; what could be several is never guessed, but shown with its score and why.
"""

# ruff: noqa: S608  # the pieces are made of names that stand in this program; whatever comes from data is in tables
from __future__ import annotations

from collections.abc import Iterable

from sync_core.model import Side
from sync_core.rules.declaration import Entity
from sync_core.rules.reconcile import FAMILIES
from sync_core.store.prints import NUMBER_KEY
from sync_core.store.records import plain

MARGIN = 12
"""Points by which a candidate has to lead. A week between two like invoices is worth 14, another contact of a like name 13."""

_NEAR = 7  # days between the dates of two documents that may still be the same one
_CROWD = 2500  # combinations of one party and amount beyond which only the same day makes a candidate
_ALIKE = 0.88  # Jaro-Winkler similarity from which two names may mean the same contact


def literal(text: str) -> str:
    """``text`` of this program as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def matching(subject: Entity) -> dict[str, str]:
    """The pieces of the statements that find pairs, possible pairs and duplicates."""
    numbered = any(f.name == "number" for f in subject.fields)
    documents = subject.name in FAMILIES
    tag = next((f"k{n}" for n, (field, _) in enumerate(subject.match) if field == "xero_id"), "")
    keys = [(f"k{n}", field, label) for n, (field, label) in enumerate(subject.match)]
    first = [_Pass(key, label, alive=True) for key, _, label in keys]
    if documents:
        first.append(_Pass("reference", "reference", alive=True, where=_SAME_PARTY))
    passes = [*first, *(_Pass(key, label, alive=False) for key, _, label in keys)]
    rendered = [step.render(n, twice=numbered) for n, step in enumerate(passes)]
    names = range(len(passes))
    return {
        "number_key": NUMBER_KEY.format("number") if numbered else "''",
        "crm_pool_keys": "".join(f", {_key(field, Side.CRM, 'c')} AS {key}" for key, field, _ in keys),
        "xero_pool_keys": "".join(f", {_key(field, Side.XERO, 'x')} AS {key}" for key, field, _ in keys),
        "passes": "".join(rendered),
        "exact": " UNION ALL ".join(f"SELECT * FROM pass_{n}" for n in names) or _NO_PAIRS,
        "candidates": _SCORED if documents else _shared_keys([(k, label) for k, field, label in keys if field not in _TAGS]),
        "kin_print": _KIN_PRINT if documents else "NULL::UBIGINT",
        **{f"claimed_{side}": _claimed_words(side) for side in Side},
        "duplicates": " UNION ALL ".join([*map(_claimed, Side), *(_same_tag(tag) if tag else ())]),
    }


_TAGS = ("xero_id", "crm_id")
_KIN_PRINT = """CASE WHEN contact IS NOT NULL AND total <> 0 AND doc_date IS NOT NULL
    THEN hash(side, contact, total, doc_date, cur, coalesce(document, ''), coalesce(kind, '')) END"""
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
  ANTI JOIN apart ON apart.crm_id = c.id AND apart.xero_id = x.id
  WHERE true{self.where}
),
"""

    def _once(self, side: Side, number: int, *, twice: bool) -> str:
        taken = "".join(f" ANTI JOIN pass_{n} ON pass_{n}.{side}_id = p.id" for n in range(number))
        alive = " AND NOT p.void AND NOT p.inactive" if self.alive else ""
        spare = ""
        if twice and self.label == "document number" and self.alive:
            spare = f" AND hash(p.{self.key}) NOT IN (SELECT number_print FROM often WHERE is_crm = {side is Side.CRM})"
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
        return plain(f"coalesce({table}.title, '')")
    return f"lower(trim(coalesce({table}.fields->>'$.{field}', '')))"


_DAYS = "abs(c.doc_date - x.doc_date)"
_SCORED = f"""
WITH open_crm AS MATERIALIZED (
  SELECT p.*, lower(trim(contact_name)) AS called,
    CASE WHEN contact_twin <> '' THEN 'id:' || contact_twin ELSE 'name:' || lower(trim(contact_name)) END AS party
  FROM crm_pool p ANTI JOIN exact ON exact.crm_id = p.id WHERE NOT void AND total <> 0 AND contact_name IS NOT NULL
),
open_xero AS MATERIALIZED (
  SELECT p.*, lower(trim(contact_name)) AS called
  FROM xero_pool p ANTI JOIN exact ON exact.xero_id = p.id WHERE NOT void AND total <> 0 AND contact IS NOT NULL
),
parties AS MATERIALIZED (SELECT *, unnest(['id:' || contact, 'name:' || called]) AS party FROM open_xero),
crowds AS MATERIALIZED (
  SELECT party, cur, total, document, c.members * x.members > {_CROWD} AS crowded
  FROM (SELECT party, cur, total, document, count(*) AS members FROM open_crm GROUP BY ALL) c
  JOIN (SELECT party, cur, total, document, count(*) AS members FROM parties GROUP BY ALL) x
    USING (party, cur, total, document)
),
sums AS MATERIALIZED (
  SELECT cur, total, document
  FROM (SELECT cur, total, document, count(*) AS members FROM open_crm GROUP BY ALL) c
  JOIN (SELECT cur, total, document, count(*) AS members FROM open_xero GROUP BY ALL) x USING (cur, total, document)
  WHERE c.members * x.members <= {_CROWD}
),
near AS (
  SELECT c.id AS crm_id, x.id AS xero_id, {_DAYS} AS days, c.number_key AS number_c, x.number_key AS number_x, true AS known,
    CASE WHEN c.party LIKE 'id:%' THEN 40 ELSE 36 END AS party_points,
    CASE WHEN c.party LIKE 'id:%' THEN 'same contact' ELSE 'same contact name' END AS party_words
  FROM open_crm c
  JOIN crowds ON crowds.party = c.party AND crowds.cur = c.cur AND crowds.total = c.total AND crowds.document = c.document
  JOIN parties x ON x.party = c.party AND x.cur = c.cur AND x.total = c.total AND x.document = c.document
    AND x.doc_date BETWEEN c.doc_date - {_NEAR} AND c.doc_date + {_NEAR} AND (NOT crowded OR x.doc_date = c.doc_date)
  UNION ALL
  SELECT c.id, x.id, {_DAYS}, c.number_key, x.number_key, false, CAST(round(30 * likeness) AS INTEGER),
    'similar contact name ' || printf('%.2f', likeness)
  FROM open_crm c JOIN sums USING (cur, total, document)
  JOIN open_xero x ON x.cur = c.cur AND x.total = c.total AND x.document = c.document
    AND x.doc_date BETWEEN c.doc_date - {_NEAR} AND c.doc_date + {_NEAR}
    AND c.party NOT IN ('id:' || x.contact, 'name:' || x.called)
  CROSS JOIN LATERAL (SELECT jaro_winkler_similarity(c.called, x.called) AS likeness)
  WHERE likeness >= {_ALIKE}
)
SELECT crm_id, xero_id,
  party_points + 30 + 20 - 2 * days
    + CASE WHEN '' IN (number_c, number_x) THEN 5 WHEN number_c = number_x THEN 10 ELSE 0 END AS score,
  concat_ws(', ', 'same amount', CASE days WHEN 0 THEN 'same day' WHEN 1 THEN '1 day apart' ELSE days || ' days apart' END,
    party_words, CASE WHEN '' NOT IN (number_c, number_x) AND number_c <> number_x THEN 'another number' END) AS why,
  known AND ('' IN (number_c, number_x) OR number_c = number_x OR days = 0) AS plain
FROM near ANTI JOIN apart USING (crm_id, xero_id)
"""

ACCEPT = f"""
INSERT INTO accepted
WITH free AS (
  SELECT * FROM candidates ANTI JOIN accepted a USING (crm_id) ANTI JOIN accepted b USING (xero_id)
),
ranked AS (
  SELECT *, max(score) OVER (PARTITION BY crm_id ORDER BY score DESC, xero_id
      ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS next_crm,
    max(score) OVER (PARTITION BY xero_id ORDER BY score DESC, crm_id
      ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS next_xero,
    row_number() OVER (PARTITION BY crm_id ORDER BY score DESC, xero_id) AS place_crm,
    row_number() OVER (PARTITION BY xero_id ORDER BY score DESC, crm_id) AS place_xero
  FROM free
)
SELECT crm_id, xero_id FROM ranked
WHERE plain AND place_crm = 1 AND place_xero = 1
  AND score - coalesce(next_crm, score - {MARGIN}) >= {MARGIN} AND score - coalesce(next_xero, score - {MARGIN}) >= {MARGIN}
"""
"""One round: candidates that lead on both sides are taken. A taken record leaves its rivals with less choice: ask again."""


def _shared_keys(keys: Iterable[tuple[str, str]]) -> str:
    """Records without amounts: what shares a key with several on the other side may belong to any of them."""
    shared = [
        f"SELECT c.id AS crm_id, x.id AS xero_id, {50 - n} AS score, {literal(f'same {label}')} AS why"
        f" FROM open_crm c JOIN open_xero x ON c.{key} = x.{key} AND c.{key} <> ''"
        for n, (key, label) in enumerate(keys)
    ]
    every = " UNION ALL ".join(shared) or "SELECT '' AS crm_id, '' AS xero_id, 0 AS score, '' AS why WHERE false"
    left = ", ".join(
        f"open_{side} AS MATERIALIZED (\n  SELECT * FROM {side}_pool p ANTI JOIN exact ON exact.{side}_id = p.id"
        " WHERE NOT inactive AND NOT void\n)"
        for side in Side
    )
    return (
        f"WITH {left} SELECT crm_id, xero_id, max(score) AS score, arg_max(why, score) AS why, false AS plain"
        f" FROM ({every}) ANTI JOIN apart USING (crm_id, xero_id) GROUP BY ALL"
    )


def _claimed_words(side: Side) -> str:
    return literal(f"linked to the same record of {side.other.label}")


def _claimed(side: Side) -> str:
    return f"""
  SELECT '{side}:' || l.id AS row_id, '{side}:' || p.{side}_id AS other, {_claimed_words(side)} AS why
  FROM lone_{side} l JOIN pairs p ON p.{side.other}_id = l.twin WHERE l.twin <> '' AND NOT l.void"""


def _same_tag(key: str) -> Iterable[str]:
    why = literal("holds the same Xero id")
    lone = f"lone_crm l JOIN crm_pool k ON k.id = l.id AND k.{key} <> ''"
    tags = f"SELECT {key} FROM crm_pool WHERE {key} <> ''"
    tagged = f"SELECT seq, id, twin FROM present WHERE side = 'crm' AND lower(twin) IN ({tags})"
    yield f"""
  SELECT 'crm:' || l.id, 'crm:' || p.crm_id, {why}
  FROM {lone} JOIN pairs p ON lower(p.xero_id) = k.{key} WHERE NOT l.void"""
    yield f"""
  SELECT 'crm:' || l.id, 'crm:' || o.id, {why}
  FROM {lone} JOIN ({tagged}) o ON lower(o.twin) = k.{key} AND o.id <> l.id
  ANTI JOIN lone_crm z ON z.seq = o.seq WHERE NOT l.void"""
    yield f"""
  SELECT 'crm:' || l.id, 'crm:' || o.id, {why}
  FROM {lone} JOIN crm_pool o ON o.{key} = k.{key} AND o.id <> k.id WHERE NOT l.void AND NOT o.void"""
