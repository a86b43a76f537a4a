"""The reconciliation as it is kept in the cache: a table of its own per entity, made anew only when something moved.

Pages, sums and files read that table, so that none of them matches and compares again. What it is made from is told by prints
of the records, links and agreed images behind it, by what changed while the lists were read, and by the terms; pairs that
agreed and that nothing which moved can touch are left in it. Rows that a person set aside are laid over it when it is read,
and need no new table.
"""

# ruff: noqa: S608  # the pieces are names that stand in this program; whatever comes from data is in tables
from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal

import pyarrow as pa

from sync_core.rules.entities import entity as registered
from sync_core.rules.line_differences import trace
from sync_core.rules.mapping import loads
from sync_core.rules.reconcile import DECIMALS, Terms
from sync_core.store.cache import Cache, Snapshot, Transaction
from sync_core.store.reconciliation_matching import ACCEPT
from sync_core.store.reconciliation_moved import anything, few, look, note, take_out
from sync_core.store.reconciliation_sql import agreed_table, between, steps

FORM = 6
"""Version of the kept rows: another one makes all of them anew."""

_ALSO = ("contacts", "payments", "allocations", "invoices", "credit_notes")
"""Entities that a reconciliation reads beside its own: names, and what is settled."""

_PARTS = pa.list_(pa.struct([("reason", pa.string()), ("amount", pa.decimal128(19, 4))]))
_SAME = ("crm_print", "xero_print", "difference", "smallest")
"""What makes two pairs be told the same of their lines."""
_NOTES = pa.schema([("crm_id", pa.string()), ("main", pa.string()), ("notes", pa.string()), ("parts", _PARTS)])
_TOLERANCE = pa.schema(
    [
        ("currency", pa.string()),
        ("absolute", pa.decimal128(19, 4)),
        ("percent", pa.decimal128(9, 4)),
        ("smallest", pa.decimal128(19, 4)),
    ]
)
_APART = pa.schema([("crm_id", pa.string()), ("xero_id", pa.string())])
_TERM = pa.schema([("base_currency", pa.string()), ("locked_until", pa.date32())])
_PLACES = Decimal("0.0001")


def kept_name(entity: str) -> str:
    """The table that holds the rows of ``entity``."""
    return f"reconciled_{registered(entity).name}"


def said_name(entity: str) -> str:
    """The table that holds what was said of lines that differ."""
    return f"reconciled_lines_{registered(entity).name}"


_NOTHING_SAID = """
SELECT 0::UBIGINT AS crm_print, 0::UBIGINT AS xero_print, 0::DECIMAL(38,4) AS difference, 0::DECIMAL(38,4) AS smallest,
  '' AS main, '' AS notes, NULL::STRUCT(reason VARCHAR, amount DECIMAL(19,4))[] AS parts
WHERE false
"""


def noted_name(entity: str) -> str:
    """The table that holds the prints of what these rows were made from."""
    return f"reconciled_print_{registered(entity).name}"


@dataclass(frozen=True, slots=True)
class _Known:
    """For what state of the cache, and which terms, the kept table of an entity is known to be good.

    A change that moves no record and no agreed image leaves the ``touches`` of the cache as they are; then only what is
    ``between`` is looked at.
    """

    changes: int
    terms: str
    touches: int
    between: str


Found = dict[tuple[str, str], tuple[int, pa.Table]]
"""Per entity and text searched for: the cache's generation at that moment, and the numbers of the records that held it."""


class Keeper:
    """Makes and renews the kept tables of one cache. One for each cache, whoever asks. ``found``: the last searches."""

    def __init__(self, cache: Cache) -> None:
        self.found: Found = {}
        self._cache = cache
        self._known: dict[str, _Known] = {}
        self._making = threading.Lock()

    @contextmanager
    def reading(self, entity: str, terms: Terms) -> Iterator[Snapshot]:
        """Questions about one moment at which the kept table of ``entity`` is up to date."""
        self.renew(entity, terms)
        with self._cache.snapshot() as snapshot:
            yield snapshot

    def renew(self, entity: str, terms: Terms) -> None:
        """Make the rows of ``entity`` anew if anything behind them moved. Raises KeyError for a name that is not registered."""
        asked = _terms_text(terms)
        if self._is_good(entity, asked):
            return
        with self._making:
            if self._is_good(entity, asked):
                return
            with self._cache.transaction(counted=False) as transaction:
                now = _Known(self._cache.changes, asked, self._cache.touches, _between(transaction, entity))
                known = self._known.get(entity)
                if known is None or replace(now, changes=known.changes) != known:
                    self._renew(transaction, entity, terms, f"{FORM} {asked} {now.between}")
                    now = replace(now, touches=now.touches + transaction.touched)
            self._known[entity] = now

    def _renew(self, transaction: Transaction, entity: str, terms: Terms, now: str) -> None:
        look(transaction, entity, sorted({entity, *_ALSO}), noted_name(entity))
        before = _kept_from(transaction, entity)
        if now == before and not anything(transaction):
            return
        make(transaction, entity, terms, kept_name(entity), partly=before.startswith(f"{FORM} ") and few(transaction))
        note(transaction, noted_name(entity))
        transaction.run("DELETE FROM reconciled WHERE entity = ?", entity)
        transaction.run("INSERT INTO reconciled VALUES (?, ?)", entity, now)

    def _is_good(self, entity: str, terms: str) -> bool:
        known = self._known.get(entity)
        return known is not None and known.changes == self._cache.changes and known.terms == terms


_keepers_lock = threading.Lock()


def keeper(cache: Cache) -> Keeper:
    """The keeper of ``cache``, made when it is first asked for."""
    with _keepers_lock:
        if cache.keeper is None:
            cache.keeper = Keeper(cache)
        found: Keeper = cache.keeper
        return found


def _terms_text(terms: Terms) -> str:
    """The terms that the kept rows depend on, spelled one way."""
    absolute = sorted((currency, f"{amount:f}") for currency, amount in terms.tolerance.items())
    percent = sorted((currency, f"{share:f}") for currency, share in terms.percent.items())
    return f"{absolute} {percent} {terms.base_currency} {terms.locked_until} {sorted(terms.apart) or ''}"


def _kept_from(transaction: Transaction, entity: str) -> str:
    found = transaction.query("SELECT fingerprint FROM reconciled WHERE entity = ?", entity)["fingerprint"].to_pylist()
    return found[0] if found else ""


def _between(transaction: Transaction, entity: str) -> str:
    """Which records changed while the lists behind ``entity`` were read.

    The instants themselves move with every look at the systems, also with one that brings nothing.
    """
    (found,) = transaction.query(between(entity)).to_pylist()
    return f"{found['n']} {found['print']}"


def make(transaction: Transaction, entity: str, terms: Terms, into: str, *, partly: bool = False) -> None:
    """Reconcile ``entity`` as the cache stands in ``transaction``, and write the rows into the table ``into``.

    ``partly``: the table is there, and what did not move since is left in it (see ``reconciliation_moved``). The temporary
    tables last as long as the transaction.
    """
    _lay_out(transaction, terms)
    if not partly:
        transaction.run(f"CREATE OR REPLACE TABLE {said_name(entity)} AS {_NOTHING_SAID}")
        transaction.run(agreed_table(entity, into))
    for name, statement in steps(entity, into, partly=partly).items():
        if name == "outline" and partly:
            take_out(transaction, entity, into)
        transaction.run(statement)
        if name == "accepted":
            _assign(transaction)
        elif name == "bodies":
            _trace_lines(transaction, entity)


def _lay_out(transaction: Transaction, terms: Terms) -> None:
    currencies = sorted({*terms.tolerance, *terms.percent, *DECIMALS})
    tolerance = [
        {
            "currency": currency,
            "absolute": terms.tolerance.get(currency, Decimal(0)).quantize(_PLACES),
            "percent": terms.percent.get(currency, Decimal(0)).quantize(_PLACES),
            "smallest": Decimal(1).scaleb(-DECIMALS.get(currency, 2)).quantize(_PLACES),
        }
        for currency in currencies
    ]
    transaction.with_rows("CREATE TEMP TABLE tolerance AS FROM incoming", pa.Table.from_pylist(tolerance, _TOLERANCE))
    apart = [{"crm_id": crm_id, "xero_id": xero_id} for crm_id, xero_id in sorted(terms.apart)]
    transaction.with_rows("CREATE TEMP TABLE apart AS FROM incoming", pa.Table.from_pylist(apart, _APART))
    term = [{"base_currency": terms.base_currency, "locked_until": terms.locked_until}]
    transaction.with_rows("CREATE TEMP TABLE term AS FROM incoming", pa.Table.from_pylist(term, _TERM))


def _assign(transaction: Transaction) -> None:
    """Take candidates that lead, round after round, until none does."""
    taken = -1
    while (now := transaction.query("SELECT count(*) AS n FROM accepted")["n"][0].as_py()) > taken:
        taken = now
        transaction.run(ACCEPT)


def _trace_lines(transaction: Transaction, entity: str) -> None:
    """Say of each pair whose lines or totals differ what its lines contribute. What was said of the same two before is kept."""
    subject, said, same = registered(entity), said_name(entity), " AND ".join(f"s.{name} = b.{name}" for name in _SAME)
    transaction.run(f"CREATE TEMP TABLE to_trace AS FROM bodies b ANTI JOIN {said} s ON {same}")
    notes = []
    for row in transaction.query("FROM to_trace").to_pylist():
        crm, xero = (loads(subject, row[name]) for name in ("crm_fields", "xero_fields"))
        traced = trace(crm, xero, row["difference"], row["smallest"])
        parts = [{"reason": str(reason), "amount": amount} for reason, amount in traced.parts.items()]
        told = {"main": str(traced.main), "notes": traced.words or None, "parts": parts or None}
        notes.append({"crm_id": row["crm_id"]} | told)
    transaction.with_rows("CREATE TEMP TABLE line_note AS FROM incoming", pa.Table.from_pylist(notes, _NOTES))
    transaction.run(f"INSERT INTO line_note SELECT b.crm_id, s.main, s.notes, s.parts FROM bodies b JOIN {said} s ON {same}")
    transaction.run(
        f"CREATE OR REPLACE TABLE {said} AS SELECT DISTINCT ON ({', '.join(_SAME)}) {', '.join(_SAME)}, main, notes, parts"
        " FROM bodies JOIN line_note USING (crm_id)"
    )
