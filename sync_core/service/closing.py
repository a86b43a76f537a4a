"""Closing a period: looking at an earlier day, preparing, signing, opening again, and what changed in it since."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sync_core.errors import Busy, Configure, Rejected
from sync_core.flows import closing
from sync_core.flows.casework import today
from sync_core.flows.workspace import Workspace
from sync_core.model import DataAge
from sync_core.rules.cases import checked_note, checked_who
from sync_core.rules.close_pack import table
from sync_core.rules.closing import (
    LATE_COLUMNS,
    CloseStatus,
    LateChange,
    LockDates,
    SignOff,
    checked_period,
    checked_reviewer,
    digest,
)
from sync_core.rules.downloads import total_json
from sync_core.rules.entities import entity
from sync_core.rules.people import Role
from sync_core.rules.reconcile import FAMILIES, Filters
from sync_core.service.answers import Download
from sync_core.service.desk import RunningRun
from sync_core.service.permission import needs
from sync_core.service.reconciling import Reconciling
from sync_core.service.worklist import Worklist
from sync_core.settings import Settings
from sync_core.store import periods, reconciliation
from sync_core.store.past import past
from sync_core.store.shelf import canonical_json, columns_of
from sync_core.store.versions import known_since

_PASTS = 2


class Past(Reconciling):
    """The reconciliation as it stood at ``at``. It answers like the present one, and never changes."""

    at: datetime


class Closing(Worklist):
    """Reads the cache and its history; writes sign-offs to the state."""

    def __init__(self, settings: Settings, workspace: Workspace, running: RunningRun) -> None:
        super().__init__(settings, workspace, running)
        self._pasts: dict[datetime, tuple[Past, ExitStack]] = {}
        self._one_past = threading.Lock()

    def as_of(self, when: datetime | date | str) -> Past:
        """Both sides as they stood at an instant, at the end of a day (the organisation's), or when a run had finished.

        Raises Rejected for what is not known: before the cache began, in the future, a run that there was not.
        """
        at = self._instant(when)
        self._refuse_unknown(at)
        with self._one_past:
            if at not in self._pasts:
                while len(self._pasts) >= _PASTS:
                    self._pasts.pop(next(iter(self._pasts)))[1].close()
                self._pasts[at] = self._made_past(at)
            return self._pasts[at][0]

    def history_begins(self) -> datetime | None:
        """From when on earlier days can be looked at; None when nothing was pulled yet."""
        return known_since(self._workspace.cache)

    def lock_dates(self) -> LockDates:
        """Xero's lock dates as they were last read. Tieout sends nothing that is dated on or before them."""
        return closing.lock_dates(self._workspace)

    def sign_offs(self) -> list[SignOff]:
        """Every period that was prepared, signed or opened again, the latest first."""
        return self._workspace.state.sign_offs()

    def last_close(self) -> SignOff | None:
        """The signed period that ends last."""
        return next((each for each in self.sign_offs() if each.status is CloseStatus.SIGNED), None)

    def since_last_close(self) -> datetime | None:
        """The instant from which on something changed since the last close; None when no period was signed yet."""
        last = self.last_close()
        return None if last is None else last.prepared_at

    @needs(Role.OPERATOR)
    def prepare_close(self, starts: date, ends: date, *, who: str, note: str = "") -> SignOff:
        """Take the totals and every record of a period as they stand now, for somebody else to sign."""
        person = checked_who(who)
        if self._running.id is not None:
            raise Busy("A sync is at work, so the figures would not be of one moment. Try again when it is done.")
        checked_period(starts, ends, today(self._workspace), self.sign_offs())
        self._refuse_unpulled()
        state, now = self._workspace.state, self._workspace.clock.now()
        last = state.runs(1)
        made = self._snapshot(starts, ends, person, now, note.strip(), last[0].run if last else "")
        pages = (page for name in FAMILIES for page in periods.in_period(self._workspace.cache, name, starts, ends))
        with state.together():
            kept = state.keep_close(made, pages)
            state.append_audit(person, "prepare close", f"close:{kept.number}", None, _told(kept), now)
        return kept

    @needs(Role.OPERATOR)
    def sign_close(self, number: int, *, who: str) -> SignOff:
        """Sign a prepared period. Raises Rejected for the one who prepared it, and when anything in it changed since."""
        state, now = self._workspace.state, self._workspace.clock.now()
        before = state.sign_off(number)
        person = checked_reviewer(before, checked_who(who))
        changed = next(self._late(before), None)
        if changed is not None:
            raise Rejected(
                f"{changed.label} of {changed.number} changed in {changed.side.label} since this period was prepared. "
                "Open it again and prepare it anew."
            )
        return self._move(before, CloseStatus.SIGNED, "sign close", person, reviewer=person, signed_at=now)

    @needs(Role.ADMIN)
    def reopen_close(self, number: int, reason: str, *, who: str) -> SignOff:
        """Open a signed or prepared period again, and say why."""
        before = self._workspace.state.sign_off(number)
        said, person = checked_note(reason, "The reason"), checked_who(who)
        if before.status is CloseStatus.REOPENED:
            raise Rejected(f"The period {before.label} is open already. Reload the page.")
        now = self._workspace.clock.now()
        return self._move(before, CloseStatus.REOPENED, "reopen close", person, reopened_by=person, reopened_at=now, note=said)

    def close_changes(self, number: int, *, limit: int | None = None, offset: int = 0) -> list[LateChange]:
        """What changed in a period since it was prepared: field by field, with the run that brought it.

        ``limit`` and ``offset`` count documents, see :meth:`late_count`; None: all of them.
        """
        return list(self._late(self._workspace.state.sign_off(number), limit, offset))

    def late_count(self, number: int) -> int:
        """How many documents changed in a period since it was prepared, those that came into it later included."""
        return len(closing.changed_since(self._workspace, self._workspace.state.sign_off(number)))

    def late_counts(self) -> dict[int, int]:
        """The same of every signed period, by its number; periods in which nothing changed are left out."""
        signed = (each.number for each in self.sign_offs() if each.status is CloseStatus.SIGNED)
        return {number: documents for number in signed if (documents := self.late_count(number))}

    def late_csv(self, number: int) -> Download:
        """All of :meth:`close_changes` as a file, streamed."""
        sign_off = self._workspace.state.sign_off(number)
        rows = (columns_of(each) for each in self._late(sign_off))
        name = f"changed-after-{sign_off.starts}-{sign_off.ends}.csv"
        return Download(name, table(LATE_COLUMNS, rows), "", lambda: "")

    def _late(self, sign_off: SignOff, limit: int | None = None, offset: int = 0) -> Iterator[LateChange]:
        found = closing.changed_since(self._workspace, sign_off)
        end = None if limit is None else offset + limit
        return closing.late_changes(self._workspace, sign_off, found[offset:end])

    def close_pasts(self) -> None:
        """Let go of the earlier days that were looked at."""
        with self._one_past:
            for _, opened in self._pasts.values():
                opened.close()
            self._pasts.clear()

    def _move(self, before: SignOff, status: CloseStatus, act: str, who: str, **values: str | datetime) -> SignOff:
        state, now = self._workspace.state, self._workspace.clock.now()
        with state.together():
            after = state.move_close(before.number, status, **values)
            state.append_audit(who, act, f"close:{before.number}", _told(before), _told(after), now)
        return after

    def _snapshot(self, starts: date, ends: date, who: str, now: datetime, note: str, run: str) -> SignOff:
        cache, inside = self._workspace.cache, Filters(since=starts, until=ends)
        totals = {name: [total_json(t) for t in self.reconciliation_summary(name, inside).totals] for name in FAMILIES}
        hashes = [
            (name, str(record.side), record.id, record.hash)
            for name in FAMILIES
            for page in periods.in_period(cache, name, starts, ends)
            for record in page
        ]
        position, head = self._workspace.state.audit_head()
        about = {
            "records": len(hashes),
            "data_age": {name: asdict(self._age(name)) for name in FAMILIES},
            "lock_dates": asdict(self.lock_dates()),
            "audit": {"entries": position, "head": head},
        }
        nobody: dict[str, Any] = {"reviewer": "", "signed_at": None, "reopened_by": "", "reopened_at": None}
        return SignOff(
            number=0, starts=starts, ends=ends, status=CloseStatus.PREPARED, preparer=who, prepared_at=now, note=note, run=run,
            totals=totals, about=about, digest=digest(canonical_json(totals), hashes), **nobody,
        )  # fmt: skip

    def _age(self, name: str) -> DataAge:
        return reconciliation.data_age(self._workspace.cache, name)

    def _refuse_unpulled(self) -> None:
        for name in ("invoices", "payments", "credit_notes"):
            age = self._age(name)
            for side, at in (("Dynamics", age.crm), ("Xero", age.xero)):
                if at is None:
                    raise Rejected(f"The {entity(name).label.lower()} of {side} were never read. Sync first, then close.")

    def _instant(self, when: datetime | date | str) -> datetime:
        if isinstance(when, datetime):
            return when
        if isinstance(when, date):
            zone = self._workspace.surroundings.context.zone
            return datetime.combine(when + timedelta(days=1), time(), zone) - timedelta(microseconds=1)
        run = self._workspace.state.run(when)
        if run is None or run.finished is None:
            raise Rejected(f"There is no finished run {when}. Choose one of the list of runs.")
        return run.finished

    def _refuse_unknown(self, at: datetime) -> None:
        first = known_since(self._workspace.cache)
        if first is None:
            raise Rejected("Nothing is known of earlier days: the cache was never filled. Sync first.")
        if at < first:
            raise Rejected(
                f"What stood before {first:%Y-%m-%d %H:%M} UTC is not known: the cache began then. Choose a later day."
            )
        if at > self._workspace.clock.now():
            raise Rejected("That day is not over yet. Choose an earlier one.")

    def _made_past(self, at: datetime) -> tuple[Past, ExitStack]:
        with ExitStack() as opened:
            try:
                folder = opened.enter_context(TemporaryDirectory(prefix="past-", dir=self.settings.data_dir))
            except OSError as error:
                raise Configure(
                    f"The folder {self.settings.data_dir} cannot be written ({error.strerror}). Give Tieout the right to write "
                    "there, or free some space."
                ) from None
            cache = past(self._workspace.cache, at, Path(folder) / "cache.duckdb")
            opened.callback(cache.close)
            made = Past(self.settings, replace(self._workspace, cache=cache), self._running)
            made.at = at
            return made, opened.pop_all()


def _told(sign_off: SignOff) -> dict[str, Any]:
    names = ("starts", "ends", "status", "preparer", "reviewer", "reopened_by", "note", "digest")
    return {name: getattr(sign_off, name) for name in names}
