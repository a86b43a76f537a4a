"""The guard before every act: whose service this is, and whether that person may."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from sync_core.rules.people import Role, permit
from sync_core.service.desk import Desk

Rest = ParamSpec("Rest")
Answer = TypeVar("Answer")
Office = TypeVar("Office", bound=Desk)


def needs(
    role: Role,
) -> Callable[[Callable[Concatenate[Office, Rest], Answer]], Callable[Concatenate[Office, Rest], Answer]]:
    """Let a verb through for those who have ``role``. Raises Forbidden for others.

    The keyword ``who`` of somebody who signed in is the name that they signed in with, whatever a caller says.
    """

    def guard(verb: Callable[Concatenate[Office, Rest], Answer]) -> Callable[Concatenate[Office, Rest], Answer]:
        @wraps(verb)
        def guarded(desk: Office, /, *args: Rest.args, **kwargs: Rest.kwargs) -> Answer:
            permit(desk.person, role, desk.now())
            if desk.person.is_signed_in and "who" in kwargs:
                kwargs["who"] = desk.person.name
            return verb(desk, *args, **kwargs)

        guarded.needs = role  # type: ignore[attr-defined]  # role_of asks for it
        return guarded

    return guard


def role_of(verb: Callable[..., Any]) -> Role:
    """The role that a verb of the service takes; any will do for one that only looks."""
    return getattr(verb, "needs", Role.VIEWER)
