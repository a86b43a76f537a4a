"""Unlinked records that hold the same key: neither case nor spacing keeps a pair apart, so no customer is made twice."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sync_core.model import Record, Side
from sync_core.rules.mapping import content_hash, dumps
from sync_core.store import records
from sync_core.store.cache_opening import open_cache

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)


@pytest.fixture
def cache(tmp_path):
    made = open_cache(tmp_path / "cache.duckdb")
    yield made
    made.close()


def hold(cache, side, row_id, name):
    fields = {"name": name}
    record = Record(side, "contacts", row_id, "account", "1", fields, "")
    records.merge_records(cache, [records.as_row(record, "name", content_hash(fields), dumps(fields).decode(), "run")], at=NOW)


@pytest.mark.parametrize("spelling", ["POHARA boats", "Pohara  Boats", "Pohara\u00a0Boats", " Pohara \tBoats\u2003"])
def test_spelling_keeps_no_pair_apart(cache, spelling):
    hold(cache, Side.CRM, "c1", "Pohara Boats")
    hold(cache, Side.XERO, "x1", spelling)
    hold(cache, Side.XERO, "x2", "PoharaBoats")
    assert records.exact_matches(cache, "contacts", "name") == [("c1", "x1", 1, 1)]


def test_nothing_but_spaces_is_no_key(cache):
    hold(cache, Side.CRM, "c1", "\u00a0")
    hold(cache, Side.XERO, "x1", "  ")
    assert records.exact_matches(cache, "contacts", "name") == []
