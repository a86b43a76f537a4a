"""The cache as it once stood: superseded versions, parted links, and what a new cache cannot know."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from sync_core.model import Link, Record, Side
from sync_core.rules.mapping import content_hash, dumps
from sync_core.store import records
from sync_core.store.cache_opening import open_cache
from sync_core.store.past import past
from sync_core.store.versions import known_since, versions

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def cache(tmp_path):
    made = open_cache(tmp_path / "cache.duckdb")
    yield made
    made.close()


def hold(cache, at, side=Side.CRM, row_id="i1", run="run-1", *, version="1", gone="", **fields):
    """A system holds an invoice from ``at`` on."""
    given = {"number": "INV-1", "total": Decimal("115.0000"), "due_date": date(2026, 12, 1)} | fields
    record = Record(side, "invoices", row_id, "invoice", version, given, gone)
    row = records.as_row(record, "number", content_hash(given), dumps(given).decode(), run)
    records.merge_records(cache, [row], at=at)


def seen(cache, at, tmp_path):
    """Total, partner and whether it is gone, of every record as it stood at ``at``."""
    made = past(cache, at, tmp_path / f"past-{at:%d%H%M%S%f}.duckdb")
    try:
        found = made.query("SELECT side, id, total, partner, gone FROM record ORDER BY side, id").to_pylist()
        return [(r["side"], r["id"], r["total"], r["partner"], r["gone"]) for r in found]
    finally:
        made.close()


def test_a_record_is_seen_as_it_stood_on_each_day(cache, tmp_path):
    hold(cache, MONDAY)
    hold(cache, MONDAY + DAY, total=Decimal("120.0000"), run="run-2")
    hold(cache, MONDAY + 2 * DAY, total=Decimal("120.0000"), gone="canceled", run="run-3")
    shown = [seen(cache, MONDAY + n * DAY / 2, tmp_path) for n in (-1, 0, 1, 2, 5)]
    assert shown == [
        [],
        [("crm", "i1", Decimal("115.0000"), None, "")],
        [("crm", "i1", Decimal("115.0000"), None, "")],
        [("crm", "i1", Decimal("120.0000"), None, "")],
        [("crm", "i1", Decimal("120.0000"), None, "canceled")],
    ]
    assert known_since(cache) == MONDAY


def test_an_echo_that_moves_only_the_version_keeps_no_version(cache):
    hold(cache, MONDAY)
    hold(cache, MONDAY + DAY, version="2")
    assert cache.scalar("SELECT count(*) FROM history") == 0
    assert cache.query("SELECT version, since FROM record").to_pylist() == [
        {"version": "2", "since": MONDAY.replace(tzinfo=None)}
    ]


def test_links_are_those_of_the_day(cache, tmp_path):
    for side, row_id in ((Side.CRM, "i1"), (Side.XERO, "x1"), (Side.XERO, "x2")):
        hold(cache, MONDAY, side, row_id)
    records.set_partners(cache, [Link("invoices", "i1", "x1", "a person", MONDAY + DAY)])
    for side, row_id in ((Side.CRM, "i1"), (Side.XERO, "x1")):
        records.clear_partner(cache, "invoices", side, row_id, MONDAY + 2 * DAY)
    records.set_partners(cache, [Link("invoices", "i1", "x2", "a person", MONDAY + 3 * DAY)])
    partners = [[row[3] for row in seen(cache, MONDAY + n * DAY / 2, tmp_path)] for n in (1, 3, 5, 7)]
    assert partners == [[None, None, None], ["x1", "i1", None], [None, None, None], ["x2", None, "i1"]]


def test_a_link_survives_in_the_past_of_a_record_that_changed_since(cache, tmp_path):
    for side, row_id in ((Side.CRM, "i1"), (Side.XERO, "x1")):
        hold(cache, MONDAY, side, row_id)
    records.set_partners(cache, [Link("invoices", "i1", "x1", "created", MONDAY)])
    hold(cache, MONDAY + DAY, total=Decimal("120.0000"))
    assert seen(cache, MONDAY, tmp_path) == [
        ("crm", "i1", Decimal("115.0000"), "x1", ""),
        ("xero", "x1", Decimal("115.0000"), "i1", ""),
    ]


def test_versions_tell_when_and_by_which_run(cache):
    hold(cache, MONDAY)
    hold(cache, MONDAY + DAY, total=Decimal("120.0000"), run="run-2")
    hold(cache, MONDAY + 2 * DAY, total=Decimal("130.0000"), run="run-3")
    found = versions(cache, "invoices", Side.CRM, ["i1", "nobody"], MONDAY + DAY)["i1"]
    assert [(v.run, v.since, v.until) for v in found] == [
        ("run-2", MONDAY + DAY, MONDAY + 2 * DAY),
        ("run-3", MONDAY + 2 * DAY, None),
    ]


def test_a_cache_from_before_there_was_a_history_says_that_it_knows_no_past(cache):
    hold(cache, MONDAY)
    with cache.transaction() as transaction:
        transaction.run("UPDATE record SET since = NULL")
    assert known_since(cache) is None


def test_an_older_cache_gets_what_it_lacks(tmp_path):
    made = open_cache(tmp_path / "old.duckdb")
    with made.transaction() as transaction:
        for statement in (
            "ALTER TABLE record DROP COLUMN since", "ALTER TABLE record DROP COLUMN linked", "DROP TABLE history",
        ):  # fmt: skip
            transaction.run(statement)
    made.close()
    again = open_cache(tmp_path / "old.duckdb")
    hold(again, MONDAY)
    assert known_since(again) == MONDAY
    again.close()
