"""Links and record statuses."""

from __future__ import annotations

import pytest
from durable import MINUTE, NOON, link, status

from sync_core.errors import Rejected
from sync_core.model import Side, Status


def test_links_are_found_from_either_side(state):
    state.add_links([link(1, 1), link(2, 2), link(1, 1, entity="contact")])
    assert state.links("invoice", Side.CRM, ["c1", "c9"]) == {"c1": link(1, 1)}
    assert state.links("invoice", Side.XERO, ["x2"]) == {"x2": link(2, 2)}
    assert state.link_counts() == {"invoice": 2, "contact": 1}


@pytest.mark.parametrize("clash", [link(1, 2), link(2, 1)])
def test_a_record_in_two_links_is_refused_naming_both(state, clash):
    state.add_links([link(1, 1)])
    with pytest.raises(Rejected) as refused:
        state.add_links([link(3, 3), clash])
    assert all(name in refused.value.message for name in ("c1 with x1", clash.crm_id, clash.xero_id))
    assert list(state.all_links("invoice")) == [link(1, 1)]


def test_a_clash_inside_one_call_is_refused(state):
    with pytest.raises(Rejected, match="c1 with x1"):
        state.add_links([link(1, 1), link(2, 1)])
    assert state.link_counts() == {}


def test_the_same_link_twice_is_one(state):
    state.add_links([link(1, 1)])
    state.add_links([link(1, 1)])
    assert state.link_counts() == {"invoice": 1}


def test_only_the_named_pair_is_parted(state):
    state.add_links([link(1, 1)])
    assert not state.remove_link("invoice", "c1", "x2")
    assert state.remove_link("invoice", "c1", "x1")
    assert list(state.all_links("invoice")) == []


def test_an_attempt_does_not_move_last_synced(state):
    state.set_statuses([status(1)])
    later = status(1, Status.FAILED, last_synced=None, last_attempt=NOON + MINUTE, remark="Xero refused it.")
    state.set_statuses([later])
    found = state.statuses("invoice", Side.CRM, ["c1"])["c1"]
    assert (found.status, found.last_synced, found.last_attempt) == (Status.FAILED, NOON, NOON + MINUTE)
    assert found.last_attempt.utcoffset().total_seconds() == 0


def test_statuses_are_counted_and_paged(state):
    state.set_statuses([status(n, last_attempt=NOON + n * MINUTE) for n in range(5)])
    state.set_statuses([status(9, Status.BLOCKED), status(1, entity="contact")])
    assert state.status_counts() == {"invoice": {Status.SUCCESS: 5, Status.BLOCKED: 1}, "contact": {Status.SUCCESS: 1}}
    page = state.find_statuses("invoice", Status.SUCCESS, limit=2, offset=1)
    assert [row.id for row in page] == ["c3", "c2"]
    assert [row.entity for row in state.find_statuses(None, Status.BLOCKED, 9)] == ["invoice"]


def test_text_that_no_database_takes_is_kept_readable(state):
    state.set_statuses([status(1, remark="nul \x00 half \ud83d whole 😀 ‮ '; drop table links")])
    found = state.statuses("invoice", Side.CRM, ["c1"])["c1"]
    assert found.remark == "nul \ufffd half \ufffd whole 😀 ‮ '; drop table links"


def test_an_instant_without_a_zone_is_refused(state):
    with pytest.raises(Exception, match="without a time zone"):
        state.set_statuses([status(1, last_attempt=NOON.replace(tzinfo=None))])


def test_organisations_do_not_see_each_other(state, open_here):
    other = open_here("other")
    state.add_links([link(1, 1)])
    state.set_statuses([status(1)])
    other.add_links([link(1, 2)])
    assert list(other.all_links("invoice")) == [link(1, 2)]
    assert (other.status_counts(), other.statuses("invoice", Side.CRM, ["c1"])) == ({}, {})


def test_twenty_thousand_records_in_bulk(state):
    many = range(20_000)
    state.add_links([link(f"{n:05}", n) for n in many])
    state.set_statuses([status(f"{n:05}") for n in many])
    ids = [f"c{n:05}" for n in many]
    assert [found.crm_id for found in state.all_links("invoice")] == ids
    assert len(state.links("invoice", Side.CRM, ids)) == len(state.statuses("invoice", Side.CRM, ids)) == 20_000
