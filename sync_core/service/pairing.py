"""Pairs that people make and part, and taking back one's last act. Every act is audited and stands in the case of its row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from uuid import uuid4

from sync_core.errors import Rejected
from sync_core.flows.casework import record
from sync_core.flows.choices import apart_key
from sync_core.flows.leasing import held_lease
from sync_core.flows.linking import changing_links
from sync_core.model import Link, Side, Status
from sync_core.rules import remarks
from sync_core.rules.cases import QUIET, Case, CaseAct, CaseEntry, CaseStatus, RowKey, checked_who, on_row, opened
from sync_core.rules.people import Role
from sync_core.service.casework import Casework
from sync_core.service.desk import known
from sync_core.service.permission import needs
from sync_core.store import records
from sync_core.store.cases import case_from


class Pairing(Casework):
    """Writes to the state and repeats links in the cache; the next run carries the rest out.

    Under the lease: a run that is under way may be about to make what a person pairs, or to write what a person parts. So
    everything here that touches a link raises Busy while a sync is running.
    """

    @needs(Role.OPERATOR)
    def link(self, name: str, crm_id: str, xero_id: str, *, who: str) -> None:
        """A person makes a pair. Raises Rejected when either record is linked already."""
        known(name)
        apart = self._workspace.state.mapping(apart_key(name, crm_id, xero_id)) or ""
        person = checked_who(who)
        note = partial(self._keep_pairing, name, CaseAct.LINK, crm_id, xero_id, person, apart)
        self._join(name, crm_id, xero_id, person, note)

    @needs(Role.OPERATOR)
    def unlink(self, name: str, crm_id: str, xero_id: str, *, who: str) -> None:
        """A person takes a pair apart; it is not matched again by itself. Raises Rejected when there is no such link."""
        known(name)
        note = partial(self._keep_pairing, name, CaseAct.UNLINK, crm_id, xero_id, who, "")
        self._part(name, crm_id, xero_id, checked_who(who), note, apart="yes")

    @needs(Role.OPERATOR)
    def undo(self, *, who: str) -> str:
        """Take back the last act of this person, on all its rows; answers with what was taken back, in words.

        Raises Rejected when there is none, or when somebody did something with one of the rows since.
        """
        batch = self._workspace.state.last_batch(checked_who(who))
        if not batch:
            raise Rejected("There is nothing of yours to take back.")
        first = batch[0]
        after = case_from(first.after or {})
        if first.act == CaseAct.LINK:
            apart = str((first.after or {}).get("apart") or "")
            self._part(first.entity, *_ids(after.key), who, lambda: self._restore(batch, who), apart=apart)
        elif first.act == CaseAct.UNLINK:
            self._join(first.entity, *_ids(after.key), who, lambda: self._restore(batch, who))
        else:
            with self._workspace.state.together():
                self._restore(batch, who)
        rows = f"{len(batch):,} rows" if len(batch) > 1 else "1 row"
        return f"Taken back: {CaseAct(first.act).words}, {rows}."

    def _join(self, name: str, crm_id: str, xero_id: str, who: str, also: Callable[[], None]) -> None:
        state, now = self._workspace.state, self._workspace.clock.now()
        made = Link(name, crm_id, xero_id, "a person", now)
        with held_lease(self._workspace), changing_links(self._workspace):
            with state.together():
                state.add_links([made])
                state.remove_mapping(apart_key(name, crm_id, xero_id))
                self._await_sync(name, crm_id, xero_id, remarks.linked_by_hand(who))
                also()
            records.set_partners(self._workspace.cache, [made])

    def _part(self, name: str, crm_id: str, xero_id: str, who: str, also: Callable[[], None], *, apart: str) -> None:
        state, now = self._workspace.state, self._workspace.clock.now()
        with held_lease(self._workspace), changing_links(self._workspace):
            with state.together():
                if not state.remove_link(name, crm_id, xero_id):
                    raise Rejected("These two records are not linked. Reload the page.")
                if apart:
                    state.set_mapping(apart_key(name, crm_id, xero_id), apart, who, now)
                self._await_sync(name, crm_id, xero_id, remarks.parted_by_hand(who))
                also()
            for side, row_id in ((Side.CRM, crm_id), (Side.XERO, xero_id)):
                records.clear_partner(self._workspace.cache, name, side, row_id, now)

    def _await_sync(self, name: str, crm_id: str, xero_id: str, remark: str) -> None:
        """What the last sync said of these two is no longer so; the next one looks at them. A pair stands under its Dynamics
        id, so a Xero record that was never looked at by itself says so already.
        """
        state = self._workspace.state
        for side, row_id in ((Side.CRM, crm_id), (Side.XERO, xero_id)):
            known = state.statuses(name, side, [row_id]).values()
            state.set_statuses([replace(each, status=Status.QUEUED, reason="", remark=remark, detail="") for each in known])

    def _keep_pairing(self, name: str, act: CaseAct, crm_id: str, xero_id: str, who: str, apart: str) -> None:
        """A link that was made or parted goes into the history of the case of its row; an ignored row is open again."""
        key, now = RowKey(crm_id, xero_id), self._workspace.clock.now()
        before = self._found(name, [key]).get(key)
        after = replace(on_row(before or opened(name, key, who, now), key), changed_at=now, changed_by=who)
        if after.status is CaseStatus.IGNORED:
            after = replace(after, status=CaseStatus.OPEN, expires=None)
        record(self._workspace, uuid4().hex, act, who, "", before, after, apart=apart, xero=xero_id)

    def _restore(self, batch: Sequence[CaseEntry], who: str) -> None:
        """Put the cases of a batch back to what they were before it: in a few statements, however many."""
        state, now, first = self._workspace.state, self._workspace.clock.now(), batch[0]
        later = state.act_after(first.batch)
        if later is not None:
            raise Rejected(
                f"{later.who} did something with that row since ({CaseAct(later.act).words}). "
                "Change it by hand instead of taking your act back."
            )
        state.mark_undone(first.batch, now)
        worked = state.rows_with_acts(first.entity, [entry.row for entry in batch])
        state.remove_cases(first.entity, [entry.row for entry in batch if entry.row not in worked])
        state.keep_cases([_before(entry) for entry in batch if entry.row in worked and entry.act not in QUIET])
        told = [(f"{entry.entity}:{entry.row}", entry.after, entry.before) for entry in batch]
        state.append_audits(who, f"undo {first.act}", told, now)


def _before(entry: CaseEntry) -> Case:
    """The case as it was before an act; where the act opened it, as it is without it."""
    if entry.before is not None:
        return case_from(entry.before)
    after = case_from(entry.after or {})
    return opened(after.entity, after.key, after.changed_by, after.opened_at)


def _ids(key: RowKey) -> tuple[str, str]:
    return key.crm_id or "", key.xero_id or ""
