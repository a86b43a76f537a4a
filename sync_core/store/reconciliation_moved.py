"""What moved since the rows of a reconciliation were made, so that only what it may touch is decided anew.

Every record has a print of what the rows are made from; records that stand near each other share one, or there would be as
many as records. A kept row that agreed is left as it is when neither its records nor their contacts are near one that moved,
and its document is settled by the same amounts. All others are taken out, to be made anew like rows that are not there yet.
"""

# ruff: noqa: S608  # the pieces are names that stand in this program; whatever comes from data is in tables
from __future__ import annotations

from collections.abc import Sequence

from sync_core.model import Side
from sync_core.store.cache import Transaction
from sync_core.store.prints import MISSING, printed
from sync_core.store.reconciliation_matching import literal
from sync_core.store.reconciliation_sql import agreed_name

_NEAR = 64
"""Records that share a print."""
_MANY = 0.3
"""Share of the prints that may have moved; beyond it, making everything anew is quicker."""


def look(transaction: Transaction, entity: str, entities: Sequence[str], noted: str) -> None:
    """Fill the temporary tables `print`, of the records of ``entities``, and `moved`, where ``noted`` holds another one.

    Links of ``entity`` whose agreed image is not told of in the record are looked up first.
    """
    if _count(transaction, "record WHERE id_print IS NULL"):
        transaction.run(MISSING)
    _look(transaction, entity, entities)
    if _count(transaction, "print WHERE unagreed") and transaction.rows(_AGREED, entity)[0][0]:
        _look(transaction, entity, entities)
    transaction.run(f"CREATE TABLE IF NOT EXISTS {noted} (near BIGINT, print UBIGINT)")
    transaction.run(
        f"CREATE TEMP TABLE moved AS SELECT near FROM print FULL JOIN {noted} old USING (near)"
        " WHERE print.print IS DISTINCT FROM old.print"
    )


_AGREED = f"""
UPDATE record SET {printed("agreed_hash", "a.hash")} FROM agreed a
WHERE record.entity = ? AND record.agreed_hash IS NULL AND record.partner IS NOT NULL
  AND a.entity = record.entity AND a.side = record.side AND a.id = record.id
"""
"""A record that was made by a run is agreed before its row is there."""


def _look(transaction: Transaction, entity: str, entities: Sequence[str]) -> None:
    listed = ", ".join(map(literal, entities))
    transaction.run(
        f"CREATE OR REPLACE TEMP TABLE print AS SELECT seq // {_NEAR} AS near,"
        f" bool_or(entity = {literal(entity)} AND agreed_print IS NULL AND partner_print IS NOT NULL) AS unagreed,"
        f" bit_xor(hash(seq, stamp_print, partner_print, agreed_print)) AS print"
        f" FROM record WHERE entity IN ({listed}) GROUP BY near"
    )


def anything(transaction: Transaction) -> bool:
    """Whether a record moved, after :func:`look`."""
    return bool(_count(transaction, "moved"))


def few(transaction: Transaction) -> bool:
    """Whether so little moved that it is worth looking for what it touches."""
    return _count(transaction, "moved") <= _MANY * _count(transaction, "print")


def note(transaction: Transaction, noted: str) -> None:
    """Keep the prints in the table ``noted`` for the next time."""
    transaction.run(f"CREATE OR REPLACE TABLE {noted} AS SELECT near, print FROM print")


def take_out(transaction: Transaction, entity: str, kept: str) -> None:
    """Delete from the pairs that agreed what has to be looked at anew.

    The temporary table `touched` has the Dynamics records of which it is to be asked whether they agree. Rows that did not are
    always made anew, but only those that something touched may agree now.
    """
    agreed = agreed_name(kept)
    near = f"seq // {_NEAR} IN (FROM moved)"
    transaction.run(f"CREATE TEMP TABLE nearby AS SELECT seq, entity, side, id, partner FROM record WHERE {near}")
    seqs = ("crm_seq", "xero_seq", "crm_contact", "xero_contact")
    touched = [f"{name} // {_NEAR} IN (FROM moved)" for name in seqs]
    if _count(transaction, "nearby WHERE entity = 'contacts'"):
        # A contact that was not there may be there now.
        transaction.run(
            f"CREATE TEMP TABLE theirs AS SELECT seq FROM record WHERE entity = {literal(entity)}"
            " AND contact IN (SELECT id FROM nearby WHERE entity = 'contacts')"
        )
        touched += ["crm_seq IN (FROM theirs)", "xero_seq IN (FROM theirs)"]
    if entity == "invoices" and _count(transaction, "nearby WHERE entity IN ('payments', 'allocations') AND side = 'crm'"):
        transaction.run(_SETTLED_OTHERWISE.format(agreed=agreed, others=kept))
        touched.append("crm_seq IN (FROM settled_otherwise)")
    out = " OR ".join(touched)
    rows = " UNION ALL ".join(f"SELECT crm_seq FROM {name} WHERE {out}" for name in (agreed, kept))
    transaction.run(f"CREATE TEMP TABLE out AS {rows}")
    transaction.run(f"DELETE FROM {agreed} WHERE {out}")
    own = f"FROM nearby WHERE entity = {literal(entity)}"
    transaction.run(
        f"CREATE TEMP TABLE touched AS SELECT seq, id_print FROM record"
        f" WHERE entity = {literal(entity)} AND side = '{Side.CRM}' "
        f" AND (seq IN (SELECT crm_seq FROM out UNION ALL SELECT seq {own})"
        f" OR id IN (SELECT partner {own} AND side = '{Side.XERO}' AND partner IS NOT NULL)"
        f" AND seq NOT IN (SELECT crm_seq FROM {agreed}))"
    )


_SETTLED_OTHERWISE = """
CREATE TEMP TABLE settled_otherwise AS
SELECT k.crm_seq
FROM (SELECT crm_seq, crm_paid, crm_credited FROM {agreed} UNION ALL SELECT crm_seq, crm_paid, crm_credited FROM {others}) k
JOIN record r ON r.seq = k.crm_seq AND r.entity = 'invoices' AND r.side = 'crm'
LEFT JOIN settled s ON s.print = r.id_print
WHERE coalesce(s.paid, 0) <> k.crm_paid OR coalesce(s.credited, 0) <> k.crm_credited
"""
"""A payment that moved may settle another document than before, which nothing tells but the amounts."""


def _count(transaction: Transaction, what: str) -> int:
    counted: int = transaction.query(f"SELECT count(*) AS n FROM {what}")["n"][0].as_py()
    return counted
