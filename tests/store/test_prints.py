"""Prints stay those of the texts beside them, whatever is written, and are made anew where another DuckDB makes others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sync_core.model import Link, Record, Side
from sync_core.rules.mapping import content_hash, dumps
from sync_core.store import agreed_images, records
from sync_core.store.cache_opening import open_cache
from sync_core.store.past import past
from sync_core.store.prints import NAMES, prints_of

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)


def row(side, entity="invoices", link=None, **fields):
    fields = {"number": "INV 1 ", "total": Decimal("115.0000")} | fields
    record = Record(side, entity, f"{side}-1", "invoice", "1", fields, "")
    return records.as_row(record, "number", content_hash(fields), dumps(fields).decode(), "run", link)


def stale(cache):
    """Prints that are not those of the texts beside them."""
    return cache.rows(f"SELECT id, {NAMES} FROM record EXCEPT SELECT id, {prints_of('record')} FROM record")  # noqa: S608  # ours


def test_every_write_keeps_the_prints(tmp_path):
    cache = open_cache(tmp_path / "cache.duckdb")
    link = Link("invoices", "crm-1", "xero-1", "created", NOW)

    def written(what, *asked, **named):
        what(cache, *asked, **named)
        assert stale(cache) == [], what.__name__

    written(records.merge_records, [row(Side.CRM, link=link), row(Side.XERO)], at=NOW)
    written(records.set_partners, [link])
    stands = records.records(cache, "invoices", Side.CRM, ["crm-1"])["crm-1"]["hash"]
    written(agreed_images.keep_as_they_stand, "invoices", Side.CRM, [("crm-1", "xero-1", stands)], "run")
    image = {
        "entity": "invoices",
        "side": "xero",
        "id": "xero-1",
        "partner": "crm-1",
        "hash": "h",
        "fields": "{}",
        "run": "run",
    }
    written(agreed_images.keep, [image])
    found = cache.rows("SELECT count(partner_print), count(agreed_print), count(DISTINCT number_print) FROM record")
    assert found == [(2, 2, 1)]
    written(records.merge_records, [row(Side.CRM, number="", invoice="other")], at=NOW + timedelta(hours=1))
    for at in (NOW - timedelta(hours=1), NOW, NOW + timedelta(hours=2)):
        then = past(cache, at, tmp_path / f"past-{at:%H}.duckdb")
        assert stale(then) == []
        then.close()
    written(records.clear_partner, "invoices", Side.CRM, "crm-1", NOW + timedelta(hours=3))
    written(records.clear_partners)
    assert cache.rows("SELECT count(partner_print), count(number_print), count(document_print) FROM record") == [(0, 1, 1)]
    cache.close()


def test_prints_of_another_duckdb_are_made_anew(tmp_path):
    path = tmp_path / "cache.duckdb"
    cache = open_cache(path)
    records.merge_records(cache, [row(Side.CRM), row(Side.XERO)], at=NOW)
    with cache.transaction() as transaction:
        transaction.note("UPDATE record SET id_print = 1, hash_print = NULL")
    cache.set_fact("prints", "as another one makes them")
    assert len(stale(cache)) == 2
    cache.close()
    cache = open_cache(path)
    assert stale(cache) == []
    cache.close()
