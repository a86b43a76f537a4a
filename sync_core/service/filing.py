"""Files for the close: the reconciliation as a workbook, and the close pack. All are streamed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from sync_core.errors import Busy, Configure, Rejected
from sync_core.flows.casework import as_they_stand
from sync_core.rules.close_pack import Piece, pack, table
from sync_core.rules.closing import LATE_COLUMNS
from sync_core.rules.downloads import CsvFile
from sync_core.rules.entities import entity
from sync_core.rules.reasons import REASONS, STATUSES
from sync_core.rules.reconcile import Filters
from sync_core.rules.rulebook import eligibility_rules, field_rules
from sync_core.service.answers import Download
from sync_core.service.closing import Closing
from sync_core.service.reconciling import NO_FILTERS
from sync_core.service.workbook import XlsxFile, refuse_too_many
from sync_core.store.cases import case_row
from sync_core.store.past import copied
from sync_core.store.shelf import columns_of

PACKED = ("invoices", "payments", "credit_notes")
_ABOUT = """What this is: the reconciliation of Dynamics 365 and Xero as it stood when the pack was made.

invoices.csv, payments.csv, credit_notes.csv   every row, both sides beside each other; difference = Dynamics - Xero
*.control.json       what each of them adds up to, per currency, and how old the data was
differences.csv      what was open, since when, and what it put at risk
cases.csv, case_history.csv   what people did with differences
sign_offs.json       periods that were prepared, signed or opened again
late_changes.csv     what changed in signed periods since they were prepared, field by field
rules.json           the rules that were in force: reasons, field map, eligibility, settings
about.json           organisation, period, runs, age of the data, lock dates, and the head of the audit trail
MANIFEST.sha256      the sum of every file

To check it: python verify_pack.py (Python 3.9 or newer, nothing else), or sha256sum -c MANIFEST.sha256
"""
_DIFFERENCES = (
    *("entity", "row", "number", "contact", "status", "reason", "words", "currency", "difference", "at_risk", "rate"),
    *("base_at_risk", "doc_date", "due_date", "first_seen", "crm_id", "xero_id"),
)
_CASES = (
    *("entity", "row", "status", "assignee", "reason", "expires", "opened_at", "changed_at", "changed_by", "opened_again"),
    *("crm_id", "xero_id"),
)
_ACTS = ("number", "entity", "row", "at", "who", "act", "note", "undone_at")


class Filing(Closing):
    """Reads cache and state."""

    def reconciliation_xlsx(self, name: str, filters: Filters = NO_FILTERS) -> Download:
        """What the filters leave, as a workbook with its control file. Raises Rejected when Excel cannot hold it."""
        refuse_too_many(self.reconciliation_summary(name, filters).rows)
        rows, control = self._read_out(name, filters)
        file = XlsxFile(rows, sheet=entity(name).label, made=self._workspace.clock.now())
        return Download(f"{name}.xlsx", file, f"{name}.control.json", lambda: control(file))

    def close_pack(self, since: date | None = None, until: date | None = None) -> Download:
        """One zip that proves a close: files, controls, rules, cases and sign-offs, with a manifest and the script to check it.

        ``since`` and ``until``: documents of that time only, both days included. Raises Busy while a run is at work.
        """
        if self._running.id is not None:
            raise Busy("A sync is at work, so the files would not be of one moment. Try again when it is done.")
        if since is not None and until is not None and since > until:
            raise Rejected(f"The period ends ({until}) before it begins ({since}). Turn the days round.", field="until")
        made = self._workspace.clock.now()
        named = f"close-pack-{until or made.date()}.zip"
        return Download(named, pack(self._pieces(Filters(since=since, until=until), made), made), "", lambda: "")

    def copy_cache(self, to: Path) -> None:
        """All that is cached, in the new file ``to``, for a reader of its own."""
        copied(self._workspace.cache, to)

    def write_files(self, name: str, folder: Path, kind: str = "csv") -> list[Path]:
        """Write what ``reconcile --out`` asks for: "csv", "xlsx" or "pack". Raises Configure when it cannot be written."""
        makers = {"csv": self.reconciliation_csv, "xlsx": self.reconciliation_xlsx, "pack": lambda _name: self.close_pack()}
        if kind not in makers:
            raise Configure(f"There is no format {kind}. Choose one of: {', '.join(makers)}.")
        made = makers[kind](name)
        paths = [folder / made.name]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with paths[0].open("wb") as file:
                for chunk in made.chunks:
                    file.write(chunk)
            if made.control_name:
                paths.append(folder / made.control_name)
                paths[1].write_text(made.control(), encoding="utf-8")
        except OSError as error:
            raise Configure(f"The folder {folder} cannot be written ({error.strerror}). Choose another one.") from None
        return paths

    def _pieces(self, filters: Filters, made: datetime) -> Iterator[Piece]:
        for name in PACKED:
            rows, control = self._read_out(name, filters)
            file = CsvFile(rows)
            yield Piece(f"{name}.csv", file)
            yield Piece(f"{name}.control.json", _text(control(file)))
        self.note_differences()
        state = self._workspace.state
        noted = (asdict(each) for name in PACKED for each in state.open_differences(name))
        yield Piece("differences.csv", table(_DIFFERENCES, noted))
        cases = as_they_stand(self._workspace, state.cases())
        yield Piece("cases.csv", table(_CASES, (case_row(c) | {"opened_again": c.opened_again} for c in cases)))
        acts = (asdict(entry) for entry in state.all_case_acts())
        yield Piece("case_history.csv", table(_ACTS, acts))
        yield Piece("sign_offs.json", _json([asdict(each) for each in self.sign_offs()]))
        late = ((number, change) for number in self.late_counts() for change in self.close_changes(number))
        yield Piece("late_changes.csv", table(("close", *LATE_COLUMNS), ({"close": n} | columns_of(c) for n, c in late)))
        yield Piece("rules.json", _json(self._rules()))
        yield Piece("about.json", _json(self._about(filters, made)))
        yield Piece("README.txt", _text(_ABOUT))
        yield Piece("verify_pack.py", [files(__package__).joinpath("verify_pack.py").read_bytes()])

    def _rules(self) -> dict[str, Any]:
        """What was in force: the tables of reasons, the field map, eligibility, and what people set beside them."""
        hidden = ("keep.", "apart.", "state.")
        settings = {k: v for k, v in self._workspace.state.mappings().items() if not k.startswith(hidden)}
        return {
            "reasons": [{"when": list(rule.when), "reason": rule.reason, "words": rule.words} for rule in REASONS],
            "statuses": [{"when": list(when), "status": status} for when, status in STATUSES],
            "fields": [asdict(rule) for rule in field_rules()],
            "eligibility": [asdict(rule) for rule in eligibility_rules()],
            "settings": settings,
        }

    def _about(self, filters: Filters, made: datetime) -> dict[str, Any]:
        state = self._workspace.state
        position, head = state.audit_head()
        return {
            "organisation": str(self._workspace.surroundings.organisation.get("Name") or ""),
            "made": made,
            "period": {"since": filters.since, "until": filters.until},
            "data_age": {name: asdict(self._age(name)) for name in PACKED},
            "lock_dates": asdict(self.lock_dates()),
            "runs": [{"run": r.run, "status": r.status, "started": r.started, "finished": r.finished} for r in state.runs(50)],
            "audit": {"entries": position, "head": head},
            "late_changes": {str(number): documents for number, documents in self.late_counts().items()},
        }


def _text(text: str) -> Iterable[bytes]:
    return [text.encode()]


def _json(body: Any) -> Iterable[bytes]:
    return [(json.dumps(body, ensure_ascii=False, indent=2, default=_spelled) + "\n").encode()]


def _spelled(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else str(value)
