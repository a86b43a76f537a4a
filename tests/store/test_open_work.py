"""What is still to be decided, told by the records alone; and small pages, of which only what moved is written."""

from __future__ import annotations

import duckdb
import pytest
from held import NOW, hold

from sync_core.model import Link, Side
from sync_core.rules.entities import entity
from sync_core.store import agreed_images, open_work, records, rows
from sync_core.store.cache_opening import open_cache


def paired(cache, crm, xero):
    records.set_partners(cache, [Link("contacts", crm, xero, "created", NOW)])


def agreed(cache, crm, xero):
    for side, own, other in ((Side.CRM, crm, xero), (Side.XERO, xero, crm)):
        stands = records.records(cache, "contacts", side, [own])[own]["hash"]
        agreed_images.keep_as_they_stand(cache, "contacts", side, [(own, other, stands)], "run")


def pairs(cache):
    return open_work.changed_pairs(cache, "contacts")


@pytest.mark.parametrize("many", [open_work.MANY, 0])
def test_a_pair_is_open_until_it_agreed_and_again_when_either_side_or_its_partner_is_another(cache, monkeypatch, many):
    monkeypatch.setattr(open_work, "MANY", many)
    for side, ids in ((Side.CRM, ("c1", "c2")), (Side.XERO, ("x1", "x2"))):
        for row_id in ids:
            hold(cache, side, row_id, "Mere")
    assert open_work.unlinked(cache, "contacts", Side.CRM) == ["c1", "c2"]
    paired(cache, "c1", "x1")
    assert (pairs(cache), open_work.unlinked(cache, "contacts", Side.XERO)) == ([("c1", "x1")], ["x2"])
    agreed(cache, "c1", "x1")
    assert (pairs(cache), open_work.open_entities(cache)) == ([], {"contacts"})
    for side, row_id in ((Side.CRM, "c1"), (Side.XERO, "x1")):
        hold(cache, side, row_id, "Tarn")
        assert pairs(cache) == [("c1", "x1")]
        agreed(cache, "c1", "x1")
    records.clear_partners(cache)
    paired(cache, "c1", "x2")
    assert pairs(cache) == [("c1", "x2")]
    records.clear_partners(cache)
    paired(cache, "c1", "x1")
    assert pairs(cache) == []


def test_a_cache_from_before_knows_with_whom_its_records_agreed(cache, tmp_path):
    hold(cache, Side.CRM, "c1", "Mere")
    hold(cache, Side.XERO, "x1", "Mere")
    paired(cache, "c1", "x1")
    agreed(cache, "c1", "x1")
    cache.close()
    old = duckdb.connect(str(tmp_path / "cache.duckdb"))
    old.execute("ALTER TABLE record DROP COLUMN agreed_partner").fetchall()
    old.close()
    again = open_cache(tmp_path / "cache.duckdb")
    assert pairs(again) == []
    again.close()


def test_of_a_small_page_only_what_moved_is_written_and_the_cursor_goes_on(cache):
    notes = entity("credit_notes").xero[0]
    inner = {"AppliedAmount": 5, "Date": "2026-11-01", "Invoice": {"InvoiceID": "i1"}}
    first = {"CreditNoteID": "n1", "UpdatedDateUTC": "1", "LineItems": [], "Allocations": [{**inner, "AllocationID": "a1"}]}
    page = rows.SmallPage(notes, [first], [], rows.Reached("one", NOW))
    for cursor, marks in (("one", {"n1", "a1"}), ("two", {"n1", "a1"})):
        rows.merge_pages(cache, [page._replace(reached=rows.Reached(cursor, NOW))], {}, cursor)
        assert {i for (i,) in cache.rows("SELECT id FROM dirty")} == marks
        assert rows.cursor_of(cache, notes) == cursor
        assert {run for (run,) in cache.rows("SELECT run FROM raw")} == {"one"}
    moved = {**first, "Allocations": [{**inner, "AllocationID": "a2"}]}
    rows.merge_pages(cache, [page._replace(rows=[moved])], {"crm.account": rows.Reached("far", NOW)}, "three")
    assert dict(cache.rows("SELECT id, gone FROM raw")) == {"n1": False, "a1": True, "a2": False}
    assert rows.cursor_of(cache, entity("contacts").crm[0]) == "far"
