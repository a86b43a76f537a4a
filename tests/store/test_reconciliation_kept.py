"""Kept reconciliations: made anew when something behind them moved, and only then."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from ledger_pair import Ledgers

from sync_core.model import MatchStatus
from sync_core.rules.reconcile import Filters, Terms
from sync_core.store import reconciliation_kept
from sync_core.store.cache_opening import open_cache
from sync_core.store.reconciliation import books, rows, summary


@pytest.fixture
def ledgers():
    made = Ledgers()
    made.customer()
    made.pair("A1")
    return made


@pytest.fixture
def made(monkeypatch):
    """The entities whose rows were made, in order."""
    names, whole = [], reconciliation_kept.make

    def counted(transaction, entity, terms, into, **how):
        names.append(entity)
        whole(transaction, entity, terms, into, **how)

    monkeypatch.setattr(reconciliation_kept, "make", counted)
    return names


def test_nothing_is_made_twice_until_something_moves(ledgers, made):
    rows(ledgers.cache, "invoices")
    summary(ledgers.cache, "invoices", Filters(search="a1"))
    with ledgers.cache.transaction() as transaction:
        transaction.run("INSERT INTO fact VALUES ('weather', 'fine')")
    assert rows(ledgers.cache, "invoices").num_rows == 1
    assert made == ["invoices"]
    ledgers.pair("A2")
    assert rows(ledgers.cache, "invoices").num_rows == 2
    assert made == ["invoices"] * 2


def test_a_look_that_brings_nothing_makes_nothing_anew_and_one_that_explains_a_difference_does(ledgers, made):
    nine = datetime(2026, 11, 23, 9, tzinfo=UTC).replace(tzinfo=None)
    ledgers.pair("A2", {"total": "120.00", "hash": "moved", "modified": nine + timedelta(minutes=20)})
    ledgers.pulled("crm.invoice", nine)
    ledgers.pulled("xero.Invoices", nine)

    def looked(side, minutes):
        ledgers.root.execute(
            "UPDATE cursor SET pulled_at = ? WHERE starts_with(stream, ?)", [nine + timedelta(minutes=minutes), side]
        ).fetchall()
        ledgers.cache.changes += 1
        return {row["row_id"]: row["status"] for row in rows(ledgers.cache, "invoices").to_pylist()}

    assert [looked("", minutes)["crm:c-A2"] for minutes in (1, 2, 10)] == [MatchStatus.DIFFERS] * 3
    assert made == ["invoices"], "nothing moved, and nothing is told apart by when it was read"
    assert looked("crm", 30)["crm:c-A2"] == MatchStatus.TIMING
    assert looked("crm", 40)["crm:c-A2"] == MatchStatus.TIMING
    assert made == ["invoices"] * 2


def test_what_moves_no_record_is_not_looked_for_among_the_records(ledgers, monkeypatch):
    rows(ledgers.cache, "invoices")
    monkeypatch.delattr(reconciliation_kept, "look")
    ledgers.cache.keep_until_moved("at rest")
    with ledgers.cache.transaction() as transaction:
        transaction.note("INSERT INTO fact VALUES ('weather', 'fine')")
    assert rows(ledgers.cache, "invoices").num_rows == 1
    assert ledgers.cache.until_moved() == "at rest"


def test_to_reconcile_moves_no_record(ledgers):
    ledgers.cache.keep_until_moved("at rest")
    rows(ledgers.cache, "invoices")
    assert ledgers.cache.until_moved() == "at rest"


def test_other_terms_make_it_anew_and_a_row_set_aside_does_not(ledgers, made):
    ledgers.pair("A2", {"total": "115.04"})
    kinds = [
        summary(ledgers.cache, "invoices", terms=terms).statuses
        for terms in (Terms(), Terms(ignored={"crm:c-A2": ""}), Terms(tolerance={"NZD": Decimal("0.05")}))
    ]
    assert [
        kinds[0][MatchStatus.DIFFERS],
        kinds[1][MatchStatus.IGNORED],
        kinds[2][MatchStatus.WITHIN_TOLERANCE],
    ] == [1, 1, 1]
    assert made == ["invoices"] * 2


def test_questions_about_one_moment_are_not_disturbed_by_a_change(ledgers):
    with books(ledgers.cache, "invoices") as both:
        before = both.summary().rows
        ledgers.pair("A2")
        assert rows(ledgers.cache, "invoices").num_rows == 2
        assert both.summary().rows == before == sum(batch.num_rows for batch in both.batches())


def test_a_cache_from_before_is_brought_up_to_date(tmp_path):
    """Its records get their numbers, agreed hashes, parents and rates from what stands in it."""
    path = tmp_path / "cache.duckdb"
    open_cache(path).close()
    old = duckdb.connect(str(path))
    for statement in (
        (
            "INSERT INTO record (entity, side, id, native_table, version, gone, hash, fields, partner, run) VALUES"
            " ('payments', 'crm', 'p', '', '1', '', 'h', '{\"batch\":\"b\",\"rate\":\"0.6125\"}', 'x', 'r')"
        ),
        "INSERT INTO agreed VALUES ('payments', 'crm', 'p', 'x', 'h', '{}', 'r', '')",
        *(f"ALTER TABLE record DROP COLUMN {name}" for name in ("seq", "agreed_hash", "parent", "rate")),
        "DROP SEQUENCE record_seq",
        "DROP TABLE reconciled",
    ):
        old.execute(statement).fetchall()
    old.close()
    cache = open_cache(path)
    found = cache.query("SELECT seq, agreed_hash, parent, rate FROM record").to_pylist()
    assert found == [{"seq": 1, "agreed_hash": "h", "parent": "b", "rate": Decimal("0.612500")}]
    assert rows(cache, "payments").num_rows == 1
    cache.close()
