"""Values for the tests of the durable state, numbered so that a test says only what matters to it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sync_core.model import Intent, IntentStatus, Link, RecordStatus, RunStatus, RunSummary, Side, Status, Verb

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ROOT = Path(__file__).parents[2]


class StillClock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, time: timedelta) -> None:
        self.at += time


def link(crm: object, xero: object, entity: str = "invoice") -> Link:
    return Link(entity, f"c{crm}", f"x{xero}", "created", NOON)


def status(number: object, what: Status = Status.SUCCESS, **changes: object) -> RecordStatus:
    made = RecordStatus("invoice", Side.CRM, f"c{number}", what, "", "Created in Xero.", NOON, NOON, "run-1")
    return replace(made, **changes)


def intent(number: object, **changes: object) -> Intent:
    made = Intent(
        id=f"i{number}",
        run="run-1",
        fence=1,
        entity="invoice",
        side=Side.XERO,
        table="Invoices",
        verb=Verb.CREATE,
        crm_id=f"c{number}",
        xero_id=None,
        tag=f"INV-{number}",
        key=f"key-{number}",
        body_hash=f"hash-{number}",
        attempt=1,
        status=IntentStatus.PLANNED,
        planned_at=NOON,
    )
    return replace(made, **changes)


def summary(run: str, what: RunStatus, started: datetime = NOON, **changes: object) -> RunSummary:
    return replace(RunSummary(run, what, started, started + MINUTE, "hand", "all", {"created": 2}, {}), **changes)


def another_process(state_url: str, key_dir: Path, code: str) -> subprocess.Popen[str]:
    """Runs ``code`` with ``state`` open; it tells and is told things by lines."""
    script = (
        "import sys\nfrom datetime import timedelta\nfrom pathlib import Path\n"
        "from sync_core.errors import Busy\nfrom sync_core.store.state import open_state\n"
        "from tests.store.durable import *\n"
        f"state = open_state({state_url!r}, 'org', 'secret', Path({str(key_dir)!r}))\n"
        f"def say(word):\n    print(word, flush=True)\n{code}\n"
    )
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
