"""Open differences over time: the worklist, its age, and what changed since yesterday or since the last close.

Differences are noted after every run in the background, and whenever somebody asks and something moved since. A difference that
is met for the first time counts from the instant at which the later of its two records came to hold what it holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from sync_core.flows.casework import as_they_stand, today
from sync_core.model import MatchStatus, Side
from sync_core.rules.ageing import (
    OPEN,
    Ageing,
    Bucket,
    Difference,
    Movement,
    ageing,
    at_risk,
    bucket,
    in_base,
    movements,
    noted,
    solved,
)
from sync_core.rules.cases import Case, RowKey
from sync_core.rules.reconcile import FAMILIES, Filters
from sync_core.service.desk import known
from sync_core.service.reconciling import Reconciling
from sync_core.store import reconciliation
from sync_core.store.differences import WorkFilters, WorkSort
from sync_core.store.versions import rates_of, since_of

_NOTED = "differences noted"
_CHUNK = 10_000
NO_WORK_FILTERS = WorkFilters()


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One open difference with its age in days (``days_due`` None: it has no due date) and the case on it, None without one."""

    difference: Difference
    days_open: int
    days_due: int | None
    seen_bucket: Bucket
    due_bucket: Bucket
    case: Case | None


@dataclass(frozen=True, slots=True)
class WorkPage:
    """One screen of the worklist. ``count`` is of all that the filters leave."""

    items: tuple[WorkItem, ...]
    count: int


class Worklist(Reconciling):
    """Reads the cache, and notes in the state what it saw."""

    def note_differences(self, *, run: str = "") -> None:
        """Note every open difference as it stands now, unless nothing moved since that was done last."""
        mark = self._noting_mark()
        if mark is None or self._workspace.cache.fact(_NOTED) == mark:
            return
        for name in FAMILIES:
            age = reconciliation.data_age(self._workspace.cache, name)
            if age.crm is not None and age.xero is not None:
                self._note_entity(name, run)
        self._workspace.cache.set_fact(_NOTED, mark)

    def worklist(
        self,
        asked: WorkFilters = NO_WORK_FILTERS,
        *,
        sort: WorkSort = WorkSort.AT_RISK,
        descending: bool = True,
        limit: int = 100,
        offset: int = 0,
    ) -> WorkPage:
        """Open differences, by default the largest money at risk first."""
        self.note_differences()
        page, count = self._workspace.state.worklist(asked, sort, descending=descending, limit=limit, offset=offset)
        found = self._work_cases(page)
        return WorkPage(tuple(self._work_item(each, found.get((each.entity, each.row))) for each in page), count)

    def ageing(self, name: str | None = None) -> Ageing:
        """Open differences per bucket and currency, of one entity or of all."""
        if name is not None:
            known(name)
        self.note_differences()
        return ageing(self._workspace.state.aged(name, self._day_of), today(self._workspace))

    def first_seen(self, name: str, row_ids: Sequence[str]) -> dict[str, datetime]:
        """By row on screen, since when its difference is open; rows without a difference are left out."""
        self.note_differences()
        return self._workspace.state.first_seen(name, row_ids)

    def differences_on(self, name: str, row_ids: Sequence[str]) -> dict[str, Difference]:
        """By row ("crm:<id>", "xero:<id>"), the open difference in which that record stands; without one it is left out."""
        known(name)
        self.note_differences()
        return self._workspace.state.differences_on(name, row_ids)

    def changes_since(self, since: datetime, name: str | None = None) -> list[Movement]:
        """Differences that are new, changed or solved since an instant, the largest money at risk first."""
        self.note_differences()
        return movements(self._workspace.state.moved_differences(since, name), since)

    def solved_since(self, since: datetime, name: str | None = None) -> list[Movement]:
        """Differences that are open no more since an instant, also those that opened after it; set-aside ones too."""
        self.note_differences()
        return solved(self._workspace.state.moved_differences(since, name), since)

    def start_of_today(self) -> datetime:
        """Midnight in the organisation's zone: what changed after it, changed since yesterday."""
        zone = self._workspace.surroundings.context.zone
        return datetime.combine(today(self._workspace), time(), zone)

    def _work_item(self, each: Difference, case: Case | None) -> WorkItem:
        day = today(self._workspace)
        days_open = max(0, (day - self._day_of(each.first_seen)).days)
        days_due = None if each.due_date is None else (day - each.due_date).days
        due = bucket(days_open if days_due is None else days_due)
        return WorkItem(each, days_open, days_due, bucket(days_open), due, case)

    def _day_of(self, instant: datetime) -> date:
        return instant.astimezone(self._workspace.surroundings.context.zone).date()

    def _work_cases(self, page: Sequence[Difference]) -> dict[tuple[str, str], Case]:
        found = {}
        for name in {each.entity for each in page}:
            some = [each for each in page if each.entity == name]
            kept = self._workspace.state.cases_on(
                name, [row for each in some for row in RowKey(each.crm_id, each.xero_id).names]
            )
            for each in some:
                case = next((kept[row] for row in RowKey(each.crm_id, each.xero_id).names if row in kept), None)
                if case is not None:
                    (found[name, each.row],) = as_they_stand(self._workspace, [case])
        return found

    def _noting_mark(self) -> str | None:
        """What tells two moments apart at which something else may be found; None while a run is at work."""
        if self._running.id is not None:
            return None
        state, cache = self._workspace.state, self._workspace.cache
        last = state.runs(1)
        position, _ = state.audit_head()
        moved = cache.scalar("SELECT max(since) FROM record")
        pulled = cache.scalar("SELECT max(pulled_at) FROM cursor")
        run = f"{last[0].run} {last[0].finished}" if last else ""
        return f"{run} {position} {moved} {pulled} {today(self._workspace)} {sorted(state.mappings('tolerance.').items())}"

    def _note_entity(self, name: str, run: str) -> None:
        now = self._workspace.clock.now()
        notes = noted(self._workspace.state.open_differences(name), self._open_now(name, run, now), now)
        if notes.ended or notes.new:
            self._workspace.state.note_differences(notes)

    def _open_now(self, name: str, run: str, now: datetime) -> Iterator[Difference]:
        terms = self._terms(name)
        base = str(self._workspace.surroundings.organisation.get("BaseCurrency") or "")
        for batch in reconciliation.batches(self._workspace.cache, name, Filters(statuses=OPEN), terms, size=_CHUNK):
            rows = batch.select(_COLUMNS).to_pylist()
            ids = {side: [row[f"{side}_id"] for row in rows if row[f"{side}_id"]] for side in Side}
            since = {side: since_of(self._workspace.cache, name, side, ids[side]) for side in Side}
            foreign = [row["xero_id"] for row in rows if row["xero_id"] and row["currency"] != base]
            rates = rates_of(self._workspace.cache, name, foreign)
            for row in rows:
                rate = Decimal(1) if base and row["currency"] == base else rates.get(row["xero_id"] or "")
                yield _difference(name, row, rate, _came_about(row, since, now), now, run)


_COLUMNS = [
    *("row_id", "crm_id", "xero_id", "status", "reason", "words", "number", "contact", "currency", "difference"),
    *(f"{side}_{name}" for side in ("crm", "xero") for name in ("date", "due_date", "due")),
]


def _came_about(row: Mapping[str, Any], since: Mapping[Side, Mapping[str, datetime]], now: datetime) -> datetime:
    known_at = [at for side in Side if (at := since[side].get(row[f"{side}_id"] or "")) is not None]
    return min(max(known_at, default=now), now)


def _difference(
    name: str, row: Mapping[str, Any], rate: Decimal | None, first_seen: datetime, now: datetime, run: str
) -> Difference:
    risk = at_risk(row["difference"], row["crm_due"], row["xero_due"])
    return Difference(
        entity=name,
        row=row["row_id"],
        crm_id=row["crm_id"],
        xero_id=row["xero_id"],
        first_seen=first_seen,
        since=now,
        until=None,
        run=run,
        status=MatchStatus(row["status"]),
        reason=row["reason"],
        words=row["words"] or "",
        number=row["number"] or "",
        contact=row["contact"] or "",
        currency=row["currency"],
        doc_date=row["crm_date"] or row["xero_date"],
        due_date=row["crm_due_date"] or row["xero_due_date"],
        difference=row["difference"],
        at_risk=risk,
        rate=rate,
        base_at_risk=in_base(risk, rate),
    )
