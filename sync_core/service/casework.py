"""What people do with differences: assign, comment, ignore, resolve, open again. Every act is audited.

Rows are named as the reconciliation names them ("crm:<id>", "xero:<id>"). An act on many rows is kept or lost as one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from uuid import uuid4

from sync_core.errors import Rejected
from sync_core.flows.casework import as_they_stand, prints, record_all, today
from sync_core.model import Side
from sync_core.rules.cases import (
    Case,
    CaseAct,
    CaseEntry,
    CaseStatus,
    RowKey,
    Standing,
    checked_note,
    checked_who,
    on_row,
    opened,
)
from sync_core.rules.people import Role
from sync_core.rules.reconcile import Filters
from sync_core.service.deciding import Deciding
from sync_core.service.desk import known
from sync_core.service.permission import needs
from sync_core.service.tolerances import Tolerances
from sync_core.store import reconciliation
from sync_core.store.standings import linked_rows

Change = Callable[[Case], Case]


class Casework(Deciding, Tolerances):
    """Writes to the state only."""

    def cases(
        self,
        name: str | None = None,
        status: CaseStatus | None = None,
        assignee: str | None = None,
        *,
        limit: int | None = 100,
        offset: int = 0,
    ) -> list[Case]:
        """Cases as they stand now, the one changed last first. ``status`` is what was last kept of them.

        ``limit`` None means all.
        """
        return as_they_stand(self._workspace, self._workspace.state.cases(name, status, assignee, limit=limit, offset=offset))

    def case_counts(self) -> dict[str, dict[CaseStatus, int]]:
        """How many cases there are, per entity and status."""
        return self._workspace.state.case_counts()

    def case(self, name: str, row_id: str) -> Case | None:
        """The case of one row, None when nobody opened any."""
        return self.row_cases(name, [self._key(name, row_id)]).get(row_id)

    def row_cases(self, name: str, rows: Iterable[RowKey]) -> dict[str, Case]:
        """The cases of rows on screen, by row id; rows that have none are left out."""
        keys = list(rows)
        found = self._found(name, keys)
        standing = dict(zip(found, as_they_stand(self._workspace, list(found.values())), strict=True))
        return {key.row_id: standing[key] for key in keys if key in standing}

    def rows_among(self, name: str, row_ids: Sequence[str]) -> list[str]:
        """Those of ``row_ids`` that stand in the reconciliation as rows of their own, so that people can act on them."""
        known(name)
        found = self._pairs(name, row_ids)
        return [row_id for row_id in row_ids if row_id in found]

    def case_history(self, name: str, row_id: str) -> list[CaseEntry]:
        """Everything that was done with the case of a row, in order; what was taken back says when."""
        key = self._key(name, row_id)
        return self._workspace.state.case_acts(name, key.names)

    @needs(Role.OPERATOR)
    def assign(self, name: str, row_ids: Sequence[str], assignee: str, *, who: str) -> list[Case]:
        """Give rows to a person to work on; "" gives them to nobody."""
        given = assignee.strip()
        return self._act(name, row_ids, CaseAct.ASSIGN, who, given or "nobody", lambda case: replace(case, assignee=given))

    @needs(Role.OPERATOR)
    def comment(self, name: str, row_ids: Sequence[str], text: str, *, who: str) -> list[Case]:
        """Say something about rows."""
        return self._act(name, row_ids, CaseAct.COMMENT, who, checked_note(text, "The comment"), lambda case: case)

    @needs(Role.OPERATOR)
    def ignore(self, name: str, row_ids: Sequence[str], reason: str, *, until: date | None = None, who: str) -> list[Case]:
        """Set rows aside until that day (included), or for good. They open by themselves when either side changes."""
        if until is not None and until < today(self._workspace):
            raise Rejected(f"{until.isoformat()} is over. Choose a later day, or leave it open.", field="until")
        said = checked_note(reason, "The reason")

        def aside(case: Case) -> Case:
            return replace(case, status=CaseStatus.IGNORED, reason=said, expires=until)

        return self._act(name, row_ids, CaseAct.IGNORE, who, said, aside)

    @needs(Role.OPERATOR)
    def resolve_case(self, name: str, row_ids: Sequence[str], note: str, *, who: str) -> list[Case]:
        """Call the work on rows done, and say what was done. The difference itself is shown until both sides agree."""
        said = checked_note(note, "The note")
        return self._act(
            name, row_ids, CaseAct.RESOLVE, who, said, lambda case: replace(case, status=CaseStatus.RESOLVED, reason=said)
        )

    @needs(Role.OPERATOR)
    def reopen_case(self, name: str, row_ids: Sequence[str], note: str, *, who: str) -> list[Case]:
        """Take rows up again that were ignored or resolved."""
        said = checked_note(note, "The reason")
        return self._act(
            name, row_ids, CaseAct.REOPEN, who, said, lambda case: replace(case, status=CaseStatus.OPEN, expires=None)
        )

    def _act(self, name: str, row_ids: Sequence[str], act: CaseAct, who: str, note: str, change: Change) -> list[Case]:
        known(name)
        person, now, batch = checked_who(who), self._workspace.clock.now(), uuid4().hex
        keys = self._rows(name, row_ids)
        standing = prints(self._workspace, name, keys) if act is CaseAct.IGNORE else {}
        made = []
        with self._workspace.state.together():
            found = self._found(name, keys)
            present = dict(zip(found, as_they_stand(self._workspace, list(found.values())), strict=True))
            for key in keys:
                before = present.get(key)
                case = on_row(before or opened(name, key, person, now), key)
                after = replace(_printed(change(case), standing), changed_at=now, changed_by=person, opened_again="")
                made.append((before, after))
            record_all(self._workspace, batch, act, person, note, made)
        return [after for _, after in made]

    def _found(self, name: str, keys: Sequence[RowKey]) -> dict[RowKey, Case]:
        kept = self._workspace.state.cases_on(name, [row for key in keys for row in key.names])
        return {key: next(kept[row] for row in key.names if row in kept) for key in keys if kept.keys() & set(key.names)}

    def _key(self, name: str, row_id: str) -> RowKey:
        """Both records of a row; of one that is not there any more, what is known of it."""
        known(name)
        found = self._pairs(name, [row_id])
        return found.get(row_id) or RowKey.of_row(row_id)

    def _rows(self, name: str, row_ids: Sequence[str]) -> list[RowKey]:
        """Both records of each row. Raises Rejected naming a row that neither stands in the reconciliation nor has a case."""
        wanted = list(dict.fromkeys(row_ids))
        if not wanted:
            raise Rejected("No row is chosen. Choose at least one.")
        found = self._pairs(name, wanted)
        lost = [row_id for row_id in wanted if row_id not in found]
        kept = {row: case.key for row, case in self._workspace.state.cases_on(name, lost).items()}
        for row_id in lost:
            if row_id not in kept:
                raise Rejected(
                    f"The row {row_id} is not there any more. Reload the page: it may stand beside another record now."
                )
        return list(dict.fromkeys((found | kept)[row_id] for row_id in wanted))

    def _pairs(self, name: str, row_ids: Sequence[str]) -> dict[str, RowKey]:
        linked = linked_rows(self._workspace.cache, name, row_ids)
        others = tuple(row_id for row_id in row_ids if row_id not in linked)
        if not others:
            return linked
        table = reconciliation.rows(self._workspace.cache, name, Filters(rows=others), self._terms(name))
        columns = (table[column].to_pylist() for column in ("row_id", "crm_id", "xero_id"))
        return linked | {row: RowKey(crm, xero) for row, crm, xero in zip(*columns, strict=True)}


def _printed(case: Case, standing: dict[tuple[Side, str], Standing]) -> Case:
    if not standing:
        return case
    nothing = Standing("", "")
    crm, xero = standing.get((Side.CRM, case.crm_id or ""), nothing), standing.get((Side.XERO, case.xero_id or ""), nothing)
    return replace(case, crm_print=crm.print, xero_print=xero.print)
