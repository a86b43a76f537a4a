"""Roles: who may do what, and for how long a sign-in is good for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from sync_core.errors import Forbidden
from sync_core.rules.people import AT_THIS_MACHINE, FRESH, Person, Role, permit, role_among

NOW = datetime(2026, 5, 1, 9, tzinfo=UTC)
ROLES = some.sampled_from(Role)


@given(ROLES, ROLES, ROLES)
def test_roles_stand_in_one_order(one: Role, other: Role, third: Role):
    assert one.covers(one)
    assert one.covers(other) or other.covers(one)
    assert one is other or not (one.covers(other) and other.covers(one))
    assert not (one.covers(other) and other.covers(third)) or one.covers(third)


@given(ROLES, ROLES)
def test_only_a_role_that_covers_what_is_needed_may(has: Role, needed: Role):
    person = Person("ana@example.com", has, NOW)
    if has.covers(needed):
        permit(person, needed, NOW)
    else:
        with pytest.raises(Forbidden, match=rf"ana@example\.com with the role {has}; this needs the role {needed}\."):
            permit(person, needed, NOW)


@pytest.mark.parametrize(("needed", "oldest"), FRESH.items())
def test_an_old_sign_in_has_to_be_renewed(needed: Role, oldest: timedelta):
    person = Person("ana@example.com", Role.ADMIN, NOW)
    permit(person, needed, NOW + oldest)
    with pytest.raises(Forbidden, match="Sign out and in again"):
        permit(person, needed, NOW + oldest + timedelta(seconds=1))


def test_looking_needs_no_fresh_sign_in_and_this_machine_none_at_all():
    permit(Person("ana@example.com", Role.VIEWER, NOW), Role.VIEWER, NOW + timedelta(days=30))
    permit(AT_THIS_MACHINE, Role.ADMIN, NOW)


@pytest.mark.parametrize(
    ("claimed", "role"),
    [
        (["Viewer"], Role.VIEWER),
        (["operator", "VIEWER"], Role.OPERATOR),
        (["Viewer", "Admin", "Operator"], Role.ADMIN),
        (["Approver"], None),
        ([], None),
    ],
)
def test_the_strongest_of_several_app_roles_counts(claimed: list[str], role: Role | None):
    assert role_among(claimed) is role
