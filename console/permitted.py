"""Widgets of acts that this person's role does not cover: they stand there, cannot be used, and say which role it takes.

The service refuses such an act all the same; this only spares a click.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

from console import sign_in
from sync_core.service import role_of


class Held(TypedDict):
    """What a widget is drawn with."""

    disabled: bool
    help: str | None


def held(verb: Callable[..., Any], *, disabled: bool = False, help: str | None = None) -> Held:  # noqa: A002  # as widgets spell it
    """``disabled`` and ``help`` as given, or held back where the person at this page may not use that verb of the service."""
    needed = role_of(verb)
    if sign_in.person().role.covers(needed):
        return {"disabled": disabled, "help": help}
    return {"disabled": True, "help": f"This needs the role {needed}. Ask whoever manages Tieout's app roles for it."}
