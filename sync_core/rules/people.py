"""Who may do what: a viewer looks, an operator works and syncs, an admin changes rules, the schedule and what rails let pass.

The service asks :func:`permit` before every act (``sync_core.service.permission``), so that no page can forget to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sync_core.errors import Forbidden


class Role(StrEnum):
    """In the order of what they may do. The values are those of the app roles in Microsoft Entra ID."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def covers(self, needed: Role) -> bool:
        """Whether whoever has this role may do what ``needed`` may."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(needed)


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks. ``signed_in_at`` is an instant in UTC, None for whoever sits at this machine, where nobody signs in."""

    name: str
    role: Role
    signed_in_at: datetime | None = None

    @property
    def is_signed_in(self) -> bool:
        return self.signed_in_at is not None


AT_THIS_MACHINE = Person("", Role.ADMIN)
"""Whoever can start Tieout here can read its settings and its data too: there is nothing to keep from them."""

FRESH = {Role.OPERATOR: timedelta(hours=24), Role.ADMIN: timedelta(hours=8)}
"""How old a sign-in may be for what a role does. The browser keeps it for 30 days; a role may have been taken away since."""


def permit(person: Person, needed: Role, now: datetime) -> None:
    """Raise Forbidden, saying what helps, when ``person`` may not do what ``needed`` may, or signed in too long ago."""
    if not person.role.covers(needed):
        raise Forbidden(
            f"You are signed in as {person.name} with the role {person.role}; this needs the role {needed}."
            " Ask whoever manages Tieout's app roles in Microsoft Entra ID for it, then sign in again."
        )
    oldest = FRESH.get(needed)
    if person.signed_in_at is not None and oldest is not None and now - person.signed_in_at > oldest:
        hours = int(oldest / timedelta(hours=1))
        raise Forbidden(f"You signed in more than {hours} hours ago. Sign out and in again, then repeat this.")


def role_among(claimed: Iterable[str]) -> Role | None:
    """The role that may do most among the app roles that a sign-in brought; None when there is none of ours."""
    names = {str(each).casefold() for each in claimed}
    return next((role for role in reversed(Role) if role.value in names), None)
