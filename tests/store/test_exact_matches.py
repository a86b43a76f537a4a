"""Unlinked records that hold the same key: neither case nor spacing keeps a pair apart, so no customer is made twice."""

from __future__ import annotations

import pytest
from held import hold

from sync_core.model import Side
from sync_core.store import records


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
