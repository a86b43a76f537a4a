"""What a click does: one call of the service, and a sentence of what came of it. No error reaches a page as a trace."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import streamlit as st

from console.door import service
from console.texts import plain
from sync_core.errors import TieoutError
from sync_core.model import Side
from sync_core.service import Scope

Answer = TypeVar("Answer")
WHO = "console"
FAILED = "failed"
ASKED = "asked"
"""Session state: what this session asked for and has not seen the end of, latest last."""
ANSWERED = "answered"
"""Session state: the sentence of the last request that came to its end, and whether it failed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of this session and what it was for, in words."""

    id: int
    label: str


def sync_now() -> None:
    _ask("Sync of everything", lambda: service().enqueue_sync(who=WHO))


def resync(entity: str, ids: Collection[str], label: str) -> None:
    """Sync just these records; ``ids`` are of either side."""
    scope = Scope(only={entity: frozenset(ids)})
    _ask(f"Resync of {label}", lambda: service().enqueue_sync(scope, who=WHO))


def resync_many(picked: dict[str, frozenset[str]], label: str) -> None:
    _ask(f"Resync of {label}", lambda: service().enqueue_sync(Scope(only=picked), who=WHO))


def preview(scope: Scope, label: str) -> int | None:
    """Ask what a sync would do; the request's id, None once its failure was said."""
    return _ask(f"Preview of {label}", lambda: service().enqueue_preview(scope, who=WHO))


def preview_of(find: Callable[[], Scope], label: str) -> int | None:
    """The same for a scope that has to be looked up first."""
    scope = _tell(find)
    return None if scope is None else preview(scope, label)


def agree(request: int, fingerprint: str, label: str) -> int | None:
    """Ask for exactly what the preview of that request showed."""

    def enqueue() -> int:
        return service().enqueue_agreed(service().scope_of_request(request), fingerprint, who=WHO)

    return _ask(f"Sync of {label}", enqueue)


def allow(plan: str) -> bool:
    """Let exactly this plan pass the rails, once. False once its failure was said."""

    def allowed() -> bool:
        service().allow_plan(plan, who=WHO)
        return True

    return _tell(allowed) is True


def stop() -> None:
    """End the run under way at its next point; what was written stays."""
    _tell(lambda: service().stop_run(who=WHO))


def keep(entity: str, crm_id: str, xero_id: str, chosen: Mapping[str, Side], label: str) -> None:
    """Keep the values of the chosen sides, and resync the pair so that it is carried out."""

    def decided() -> bool:
        service().resolve(entity, crm_id, chosen, who=WHO)
        return True

    if _tell(decided):
        resync(entity, [crm_id, xero_id], label)


def map_type(table: str, code: str, kind: str | None) -> None:
    """What a relationship type is in Xero from the next sync on; None goes back to the default."""
    _tell(lambda: service().set_type_mapping(table, code, kind, who=WHO))


def switch_types(*, on: bool) -> None:
    _tell(lambda: service().switch_types(on=on, who=WHO))


def set_rule(key: str, value: str) -> None:
    """A setting beside the rules, from the next sync on."""
    _tell(lambda: service().set_rule(key, value, who=WHO))


def link(entity: str, crm_id: str, xero_id: str, label: str) -> None:
    """Make a pair, and resync it so that both sides agree."""

    def linked() -> bool:
        service().link(entity, crm_id, xero_id, who=WHO)
        return True

    if _tell(linked):
        resync(entity, [crm_id, xero_id], label)


def unlink(entity: str, crm_id: str, xero_id: str) -> None:
    _tell(lambda: service().unlink(entity, crm_id, xero_id, who=WHO))


def keep_apart(entity: str, crm_id: str, xero_id: str) -> None:
    _tell(lambda: service().keep_apart(entity, crm_id, xero_id, who=WHO))


def let_match(entity: str, crm_id: str, xero_id: str) -> None:
    _tell(lambda: service().let_match(entity, crm_id, xero_id, who=WHO))


def verify(entity: str, ids: Collection[str], key: str) -> None:
    """Read both systems again for these records; what came of it stands in the session under ``key``."""
    found = _tell(lambda: (datetime.now(UTC), service().verify(entity, frozenset(ids))))
    if found is not None:
        st.session_state[key] = found


def pause() -> None:
    _tell(lambda: service().pause(WHO))


def set_minutes(minutes: int) -> None:
    _tell(lambda: service().set_minutes(minutes, who=WHO))


def resume() -> None:
    _tell(lambda: service().resume(WHO))


def _ask(label: str, enqueue: Callable[[], int]) -> int | None:
    asked = _tell(enqueue)
    if asked is not None:
        st.session_state[ASKED] = [*st.session_state.get(ASKED, []), Asked(asked, label)]
        st.session_state.pop(ANSWERED, None)
    return asked


def _tell(act: Callable[[], Answer]) -> Answer | None:
    """The answer of ``act``, or None once its failure was said."""
    try:
        return act()
    except TieoutError as error:
        st.error(plain(error.message))
        return None


def follow() -> bool:
    """Look after what this session asked for. True when something came to its end, so that the page is due."""
    waiting: list[Asked] = st.session_state.get(ASKED, [])
    left = []
    for asked in waiting:
        request = service().request(asked.id)
        if request is not None and request.finished_at is None:
            left.append(asked)
        elif request is not None:
            st.session_state[ANSWERED] = f"{asked.label}: {request.message}", request.status == FAILED
    st.session_state[ASKED] = left
    return len(left) < len(waiting)
