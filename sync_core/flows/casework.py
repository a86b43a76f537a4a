"""Cases against what the cache holds now: which ignored ones are open again, and the sweep that makes it so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby
from uuid import uuid4

from sync_core.flows.workspace import Workspace
from sync_core.model import Side
from sync_core.rules.cases import Case, CaseAct, CaseEntry, CaseStatus, RowKey, Standing, why_open
from sync_core.store.cases import case_row
from sync_core.store.standings import standings

TIEOUT = "Tieout"
_TOLD = ("status", "assignee", "reason", "expires")


def today(workspace: Workspace) -> date:
    """The day it is for the organisation."""
    return workspace.clock.now().astimezone(workspace.surroundings.context.zone).date()


def as_they_stand(workspace: Workspace, some: Sequence[Case]) -> list[Case]:
    """Cases as they are now: an ignored one whose time is over, or whose records changed, is open and says why."""
    why = _reasons(workspace, some)
    return [
        replace(case, status=CaseStatus.OPEN, opened_again=why[case.entity, case.row])
        if why.get((case.entity, case.row))
        else case
        for case in some
    ]


def ignored_rows(workspace: Workspace, entity: str) -> dict[str, str]:
    """Rows of ``entity`` that are set aside now, and why."""
    kept = as_they_stand(workspace, workspace.state.cases(entity, CaseStatus.IGNORED))
    return {case.row_id: case.reason for case in kept if case.status is CaseStatus.IGNORED}


def prints(workspace: Workspace, entity: str, keys: Iterable[RowKey]) -> dict[tuple[Side, str], Standing]:
    """What the records of those rows hold now."""
    pairs = [(side, id_) for key in keys for side, id_ in ((Side.CRM, key.crm_id), (Side.XERO, key.xero_id)) if id_]
    return standings(workspace.cache, entity, pairs)


def open_again(workspace: Workspace) -> list[Case]:
    """Open every ignored case whose time is over or whose records changed: each in the history and in the audit trail."""
    changed = [case for case in as_they_stand(workspace, workspace.state.cases(status=CaseStatus.IGNORED)) if case.opened_again]
    if changed:
        now, batch = workspace.clock.now(), uuid4().hex
        by_reason: dict[str, list[tuple[Case | None, Case]]] = {}
        for case in changed:
            after = replace(case, changed_at=now, changed_by=TIEOUT, expires=None)
            by_reason.setdefault(case.opened_again, []).append((replace(case, status=CaseStatus.IGNORED), after))
        with workspace.state.together():
            for reason, made in by_reason.items():
                record_all(workspace, batch, CaseAct.REOPEN, TIEOUT, reason, made)
    return changed


def record(
    workspace: Workspace, batch: str, act: CaseAct, who: str, note: str, before: Case | None, after: Case, **more: str
) -> None:
    """Keep a case as an act made it, the act in its history, and the act in the audit trail."""
    record_all(workspace, batch, act, who, note, [(before, after)], **more)


def record_all(
    workspace: Workspace, batch: str, act: CaseAct, who: str, note: str, made: Sequence[tuple[Case | None, Case]], **more: str
) -> None:
    """The same for all rows of one act, each as it was before and as it is after: in a few statements, however many."""
    state, now = workspace.state, workspace.clock.now()
    entries, told = [], []
    for before, after in made:
        was = None if before is None else case_row(before)
        entries.append(CaseEntry(0, batch, after.entity, after.row, who, act, note, was, case_row(after) | more, now))
        what = _told(after) | more | ({"note": note} if note else {})
        told.append((f"{after.entity}:{after.row_id}", None if before is None else _told(before), what))
    state.keep_cases([after for _, after in made])
    state.add_case_acts(entries)
    state.append_audits(who, act, told, now)


def _told(case: Case) -> dict[str, object]:
    row = case_row(case)
    return {name: row[name] for name in _TOLD}


def _reasons(workspace: Workspace, some: Sequence[Case]) -> dict[tuple[str, str], str]:
    ignored = sorted((c for c in some if c.status is CaseStatus.IGNORED), key=lambda case: (case.entity, case.row))
    found: dict[tuple[str, str], str] = {}
    if not ignored:
        return found
    day = today(workspace)
    for entity, group in groupby(ignored, key=lambda case: case.entity):
        each = list(group)
        now = prints(workspace, entity, [case.key for case in each])
        for case in each:
            crm, xero = now.get((Side.CRM, case.crm_id or "")), now.get((Side.XERO, case.xero_id or ""))
            found[case.entity, case.row] = why_open(case, crm, xero, day)
    return found
