"""Rails: when a run is stopped before any write, and when it is not."""

from __future__ import annotations

from datetime import date

import pytest

from sync_core.model import Side, Status
from sync_core.rules.plan import Act, Decision, Plan
from sync_core.rules.rails import refusals


def changes(count: int, entity: str = "invoices", name: str = "due_date", **more) -> tuple[Decision, ...]:
    value = {Side.XERO: {name: date(2026, 12, 1)}}
    return tuple(
        Decision(entity, Act.UPDATE, f"c{n}", f"x{n}", Status.SUCCESS, "", changes=value, **more) for n in range(count)
    )


def rails(*decisions: Decision, linked: int, gone: int = 0) -> list[str]:
    return [r.rail for r in refusals(Plan("org", decisions, {"invoices": linked}, {"invoices": gone}))]


@pytest.mark.parametrize(
    ("linked", "gone", "expected"),
    [
        (0, 0, []),
        (5, 5, []),
        (6, 6, ["all gone"]),
        (6, 5, []),
        (1000, 100, []),
        (1000, 101, ["many gone"]),
        (1000, 1000, ["all gone"]),
        (30, 6, ["many gone"]),
    ],
)
def test_what_is_gone_at_once(linked, gone, expected):
    assert rails(linked=linked, gone=gone) == expected


@pytest.mark.parametrize(
    ("linked", "changed", "expected"),
    [(10, 10, []), (30, 20, []), (30, 21, ["many changes"]), (100, 30, []), (100, 31, ["many changes"])],
)
def test_what_would_change_at_once(linked, changed, expected):
    assert rails(*changes(changed), linked=linked) == expected


def test_links_noted_and_copies_of_what_xero_owns_overwrite_nobody():
    assert rails(*changes(50, name="xero_id"), linked=60) == []
    assert rails(*changes(50, name="settled"), linked=60) == []
    assert rails(*changes(50, matched_by="document number"), linked=60) == []


def test_new_records_are_no_change():
    new = tuple(Decision("invoices", Act.CREATE, f"c{n}", None, Status.SUCCESS, "", target=Side.XERO) for n in range(50))
    assert rails(*new, linked=10) == []


def test_both_rails_may_hold_at_once_and_say_their_numbers():
    found = refusals(Plan("org", changes(31), {"invoices": 100}, {"invoices": 11}))
    assert [r.message for r in found] == [
        "11 of 100 linked invoices are gone at once; 10 % is the limit.",
        "31 of 100 linked invoices would change at once; 30 % is the limit.",
    ]


def test_another_entity_is_counted_apart():
    assert rails(*changes(40, "contacts", "city"), linked=100) == []


def ground(*decisions: Decision, linked: int = 8, **facts) -> list[str]:
    return [r.message for r in refusals(Plan("org", decisions, {"invoices": linked}, **facts))]


def test_another_system_behind_the_same_address_is_refused_once_anything_is_linked():
    assert ground(strangers=("Harbour (copy)",)) == ["Harbour (copy): not the one that was synced with these records before."]
    assert ground(linked=0, strangers=("Harbour (copy)",)) == []


def test_a_list_that_is_suddenly_empty_is_named():
    assert ground(emptied=("xero.Invoices",)) == [
        "These lists came back empty although many of their records are known: Invoices."
    ]


def test_other_rules_hold_only_what_they_would_overwrite():
    assert ground(rules_changed=True) == []
    assert ground(*changes(2), rules_changed=True) == [
        "The field map or its settings changed since the last sync; 2 records would change."
    ]
