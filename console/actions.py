"""What a click does: one call of the service, and a sentence of what came of it. No error reaches a page as a trace."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TypeVar

import streamlit as st

from console import answers, sign_in
from console.door import service
from console.texts import count, plain
from sync_core.errors import Rejected, TieoutError
from sync_core.model import Side
from sync_core.service import LineCodes, Scope

Answer = TypeVar("Answer")
WHO = "console"
NAME = "your name"
"""Session state: who sits at this console, as they say; it stands in the audit trail."""
TOLD = "told"
"""Session state: a sentence of what came of a click, said once."""
REFUSED = "refused"
"""Session state: the last act was refused, and said so: what was typed stays."""
FAILED = "failed"
LOOKED = "Preview of"
"""How the label of a request begins that writes nothing, so that its end is no success."""
ASKED = "asked"
"""Session state: what this session asked for and has not seen the end of, latest last."""
ANSWERED = "answered"
"""Session state: the sentence of the last request that came to its end, and whether it failed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of this session and what it was for, in words."""

    id: int
    label: str


def who() -> str:
    """The name that acts of this session are kept under: what a person signed in with, or else what they say."""
    return sign_in.person().name or str(st.session_state.get(NAME) or "").strip() or WHO


def set_up() -> bool:
    """Make Tieout's own tables in Dynamics. False once its failure was said."""
    report = _tell(lambda: service().set_up())
    if report is not None:
        st.session_state[TOLD] = f"Dynamics is set up: {count(len(report.created), 'piece')} made. Now sync."
    return report is not None


def sync_now() -> None:
    _ask("Sync of everything", lambda: service().enqueue_sync(who=who()))


def resync(entity: str, ids: Collection[str], label: str) -> None:
    """Sync just these records; ``ids`` are of either side."""
    scope = Scope(only={entity: frozenset(ids)})
    _ask(f"Resync of {label}", lambda: service().enqueue_sync(scope, who=who()))


def preview(scope: Scope, label: str) -> int | None:
    """Ask what a sync would do; the request's id, None once its failure was said."""
    return _ask(f"{LOOKED} {label}", lambda: service().enqueue_preview(scope, who=who()))


def preview_of(find: Callable[[], Scope], label: str) -> int | None:
    """The same for a scope that has to be looked up first."""
    scope = _tell(find)
    return None if scope is None else preview(scope, label)


def agree(request: int, fingerprint: str, label: str) -> int | None:
    """Ask for exactly what the preview of that request showed."""

    def enqueue() -> int:
        return service().enqueue_agreed(service().scope_of_request(request), fingerprint, who=who())

    return _ask(f"Sync of {label}", enqueue)


def allow(plan: str) -> bool:
    """Let exactly this plan pass the rails, once. False once its failure was said."""

    def allowed() -> bool:
        service().allow_plan(plan, who=who())
        return True

    return _tell(allowed) is True


def stop() -> None:
    """End the run under way at its next point; what was written stays."""
    _tell(lambda: service().stop_run(who=who()))


def keep(entity: str, crm_id: str, xero_id: str, chosen: Mapping[str, Side], label: str) -> None:
    """Keep the values of the chosen sides, and resync the pair so that it is carried out."""

    def decided() -> bool:
        service().resolve(entity, crm_id, chosen, who=who())
        return True

    if _tell(decided):
        resync(entity, [crm_id, xero_id], label)


def code_lines(entity: str, chosen: Mapping[str, Mapping[str, LineCodes]], documents: Sequence[str], label: str) -> None:
    """Put what was chosen on the lines in Dynamics, and resync ``documents`` so that what is complete is sent."""
    if _tell(lambda: service().code_lines(entity, chosen, who=who())) is not None:
        resync(entity, documents, label)


def map_type(table: str, code: str, kind: str | None) -> None:
    """What a relationship type is in Xero from the next sync on; None goes back to the default."""
    _tell(lambda: service().set_type_mapping(table, code, kind, who=who()))


def switch_types(*, on: bool) -> None:
    _tell(lambda: service().switch_types(on=on, who=who()))


def set_tolerance(currency: str, absolute: str, percent: str) -> None:
    """What is small enough in a currency; both as typed."""

    def chosen() -> None:
        amounts = []
        for text in (absolute, percent):
            try:
                amounts.append(Decimal(text.strip() or "0"))
            except InvalidOperation:
                raise Rejected(f"“{text}” is no number. Write it as 0.05.") from None
        service().set_tolerance(currency, *amounts, who=who())

    _said(chosen, "Kept.")
    answers.forget()


def set_rule(key: str, value: str) -> None:
    """A setting beside the rules, from the next sync on."""
    _tell(lambda: service().set_rule(key, value, who=who()))


def link(entity: str, crm_id: str, xero_id: str, label: str) -> None:
    """Make a pair, and resync it so that both sides agree."""

    def linked() -> bool:
        service().link(entity, crm_id, xero_id, who=who())
        return True

    if _tell(linked):
        answers.forget()
        resync(entity, [crm_id, xero_id], label)


def unlink(entity: str, crm_id: str, xero_id: str) -> None:
    _tell(lambda: service().unlink(entity, crm_id, xero_id, who=who()))
    answers.forget()


def keep_apart(entity: str, crm_id: str, xero_id: str) -> None:
    _tell(lambda: service().keep_apart(entity, crm_id, xero_id, who=who()))
    answers.forget()


def assign(entity: str, rows: Sequence[str], person: str) -> None:
    _work(lambda: service().assign(entity, rows, person, who=who()), f"Given to {person or 'nobody'}:")


def comment(entity: str, rows: Sequence[str], text: str) -> None:
    _work(lambda: service().comment(entity, rows, text, who=who()), "Comment kept on:")


def set_aside(entity: str, rows: Sequence[str], reason: str, until: date | None) -> None:
    _work(lambda: service().ignore(entity, rows, reason, until=until, who=who()), "Set aside:")


def call_done(entity: str, rows: Sequence[str], note: str) -> None:
    _work(lambda: service().resolve_case(entity, rows, note, who=who()), "Called done:")


def open_again(entity: str, rows: Sequence[str], reason: str) -> None:
    _work(lambda: service().reopen_case(entity, rows, reason, who=who()), "Opened again:")


def prepare_close(starts: date, ends: date, note: str) -> None:
    _said(lambda: service().prepare_close(starts, ends, who=named(), note=note), "Prepared. Somebody else signs it.")


def sign_close(number: int) -> None:
    _said(lambda: service().sign_close(number, who=named()), "Signed.")


def reopen_close(number: int, reason: str) -> None:
    _said(lambda: service().reopen_close(number, reason, who=named()), "Opened again.")


def named() -> str:
    """Who signs: two different people must, so each says who. Raises Rejected without a name."""
    if who() == WHO:
        raise Rejected("Write your name at the left first: a period is prepared by one person and signed by another.")
    return who()


def _said(act: Callable[[], object], words: str) -> None:
    def done() -> bool:
        act()
        return True

    well = _tell(done) is True
    st.session_state[REFUSED] = not well
    if well:
        st.session_state[TOLD] = words


def undo() -> None:
    """Take back the last act of this person, on all its rows."""
    told = _tell(lambda: service().undo(who=who()))
    if told is not None:
        answers.forget()
        st.session_state[TOLD] = told


def _work(act: Callable[[], Collection[object]], words: str) -> None:
    """One act on rows: what was done, on how many, is said; a refusal leaves what was typed."""
    done = _tell(act)
    st.session_state[REFUSED] = done is None
    if done is not None:
        answers.forget()
        st.session_state[TOLD] = f"{words} {count(len(done), 'row')}."


def let_match(entity: str, crm_id: str, xero_id: str) -> None:
    _tell(lambda: service().let_match(entity, crm_id, xero_id, who=who()))
    answers.forget()


def verify(entity: str, ids: Collection[str], key: str) -> None:
    """Read both systems again for these records; what came of it stands in the session under ``key``."""
    found = _tell(lambda: (datetime.now(UTC), service().verify(entity, frozenset(ids))))
    answers.forget()
    if found is not None:
        st.session_state[key] = found


def pause() -> None:
    _tell(lambda: service().pause(who=who()))


def set_minutes(minutes: int) -> None:
    _tell(lambda: service().set_minutes(minutes, who=who()))


def resume() -> None:
    _tell(lambda: service().resume(who=who()))


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
