"""The audit trail: only ever added to, and a break in it is found."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal

import pytest
from durable import MINUTE, NOON
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError


@pytest.fixture
def told(state):
    for number in range(1, 6):
        state.append_audit("kim", "link", f"invoice/c{number}", None, {"xero": f"x{number}"}, NOON + number * MINUTE)
    return state


def by_force(state, statement):
    """As somebody does who has the database's own rights."""
    with state._write() as connection:
        if connection.dialect.name == "sqlite":
            for act in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS audit_no_{act}"))
        else:
            connection.execute(text("DROP TRIGGER IF EXISTS audit_guard ON audit"))
        connection.execute(text(statement))


def test_entries_come_latest_first_and_by_subject(told):
    assert [entry.position for entry in told.audit(2)] == [5, 4]
    only = told.audit(9, "invoice/c3")[0]
    assert (only.who, only.act, only.before, only.after, only.at) == ("kim", "link", None, {"xero": "x3"}, NOON + 3 * MINUTE)
    assert told.verify_audit() == []


def test_one_act_on_many_records_is_as_many_links_of_the_chain(told):
    many = [(f"invoice/d{number}", None, {"assignee": "Ben"}) for number in range(1, 4)]
    assert told.append_audits("ana", "assign", many, NOON) == 8
    assert [entry.subject for entry in told.audit(3)] == ["invoice/d3", "invoice/d2", "invoice/d1"]
    assert told.append_audits("ana", "assign", [], NOON) == 8
    assert told.append_audit("kim", "link", "invoice/c9", None, None, NOON) == 9
    assert told.verify_audit() == []


def test_values_are_told_exactly(state):
    state.append_audit("kim \x00", "void", "i1", {"total": Decimal("10.10"), "due": date(2026, 11, 20)}, {"at": NOON}, NOON)
    entry = state.audit(1)[0]
    assert entry.before == {"total": "10.10", "due": "2026-11-20"}
    assert (entry.after, state.verify_audit()) == ({"at": "2026-11-20T12:00:00+00:00"}, [])


@pytest.mark.parametrize("statement", ["UPDATE audit SET who = 'eve'", "DELETE FROM audit"])
def test_the_database_refuses_to_change_a_row(told, statement):
    with pytest.raises(DBAPIError, match="never changed"), told._write() as connection:
        connection.execute(text(statement))
    assert (len(told.audit(9)), told.verify_audit()) == (5, [])


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit SET who = 'eve' WHERE position = 3", [3]),
        ("UPDATE audit SET after = '{}' WHERE position = 5", [5]),
        ("UPDATE audit SET hash = 'f00' WHERE position = 2", [2, 3]),
        ("DELETE FROM audit WHERE position = 3", [3]),
        ("DELETE FROM audit WHERE position = 1", [1]),
        ("DELETE FROM audit WHERE position > 3", [4, 5]),
        ("DELETE FROM audit", [1, 2, 3, 4, 5]),
        ("UPDATE audit_heads SET position = 4", [5]),
        ("UPDATE audit_heads SET hash = 'f00'", [5]),
        ("DELETE FROM audit_heads", [5]),
    ],
)
def test_a_break_is_found_where_it_is(told, statement, broken):
    by_force(told, statement)
    assert told.verify_audit() == broken


def test_many_writers_make_one_chain(state, open_here):
    states = [state, *(open_here() for _ in range(3))]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: states[n % 4].append_audit("kim", "link", f"c{n}", None, None, NOON), range(24)))
    assert sorted(entry.position for entry in state.audit(99)) == list(range(1, 25))
    assert state.verify_audit() == []


def test_each_organisation_has_its_own_chain(told, open_here):
    other = open_here("other")
    assert (other.audit(9), other.verify_audit()) == ([], [])
    assert other.append_audit("kim", "link", "c1", None, None, NOON) == 1
    assert told.verify_audit() == other.verify_audit() == []
