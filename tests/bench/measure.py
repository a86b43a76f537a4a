"""One size of company, measured in a process of its own; the sandbox runs in another one, so CPU and memory are the engine's.

    python -m tests.bench.measure COUNT both|dynamics [--profile FILE]

prints one JSON object. Waits run on a virtual clock: they move the sandbox's time on and take none.
"""

from __future__ import annotations

import cProfile
import json
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from sync_core.flows import stamp
from sync_core.flows.pull import streams_of
from sync_core.model import RunSummary, Side
from sync_core.rules.entities import ENTITIES
from sync_core.service import Service, load_settings, open_service

PAGE = 1000
PAUSE = 900
"""Seconds between two runs, as in use; within five minutes a pull would read the same rows again, by design."""


class VirtualClock:
    """Real time, and what was slept on top of it, here and in the sandbox."""

    def __init__(self, url: str) -> None:
        self._url, self._slept = f"{url}/_sandbox/clock", timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._slept

    def sleep(self, seconds: float) -> None:
        post(self._url, {"advance_seconds": round(seconds, 3)})
        self._slept += timedelta(seconds=seconds)


def post(url: str, body: Any) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode())  # noqa: S310  # our own address
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.load(answer)


@dataclass(slots=True)
class Bench:
    """An open service beside its sandbox."""

    service: Service
    clock: VirtualClock
    xero_url: str
    stamps: int = 0

    def run(self, name: str) -> dict[str, Any]:
        self.clock.sleep(PAUSE)
        began, cpu = time.perf_counter(), time.process_time()
        self.stamps = 0
        summary = self.service.sync(trigger=name).summary
        used = time.process_time() - cpu
        if summary.status not in ("success", "partial"):
            raise SystemExit(f"{name}: {summary.status}: {summary.message}")
        return {"run": name, "cpu": used, "wall": time.perf_counter() - began, **self._numbers(summary), "peak_mb": peak_mb()}

    def _numbers(self, summary: RunSummary) -> dict[str, Any]:
        minutes = (summary.finished - summary.started).total_seconds() / 60 if summary.finished else 0
        calls = {name: {"read": c.read, "write": c.write} for name, c in summary.calls.items()}
        return {"calls": calls, "minutes": minutes, "counts": dict(summary.counts), "elements": self.elements(summary.run)}

    def elements(self, run: str) -> dict[str, int]:
        """What was written, by side: records by their intents, and the stamps."""
        written = {"dynamics": 0, "xero": 0}
        for intent in self.service._workspace.state.intents(run):
            written["dynamics" if intent.side is Side.CRM else "xero"] += 1
        written["dynamics"] += self.stamps
        return written

    def least_reads(self) -> dict[str, int]:
        """The fewest pages of 1,000 that hold every row, one per empty list."""
        found = {"dynamics": 0, "xero": 0}
        table = self.service.query("SELECT stream, count(*) AS n FROM raw GROUP BY stream").to_pylist()
        rows = {r["stream"]: r["n"] for r in table}
        for stream in streams_of(ENTITIES):
            if stream.own:
                found["dynamics"] += 1  # Tieout's own tables are empty when the first sync begins
                continue
            pages = max(1, -(-rows.get(stream.name, 0) // PAGE))
            found["dynamics" if stream.side is Side.CRM else "xero"] += pages
        return found

    def records(self) -> int:
        return int(self.service.query("SELECT count(*) AS n FROM record")["n"].to_pylist()[0])

    def edit(self, count: int, due: str) -> None:
        """A person moves the due date of ``count`` open invoices in Dynamics that agree on both sides."""
        sql = (
            "SELECT c.id FROM record c JOIN record x ON x.entity = c.entity AND x.side = 'xero' AND x.id = c.partner "
            "WHERE c.entity = 'invoices' AND c.side = 'crm' AND c.state = '0' AND x.state = 'AUTHORISED' "
            "AND x.amount_paid = 0 AND x.amount_credited = 0 AND c.due_date = x.due_date AND c.number LIKE 'B-%' "
            "ORDER BY c.id LIMIT ?"
        )
        for row_id in self.service.query(sql, count)["id"].to_pylist():
            order = {"system": "dataverse", "table": "invoice", "id": row_id, "set": {"duedate": due}}
            post(f"{self.xero_url}/_sandbox/edit", order)


@contextmanager
def counted_stamps(opened: Bench) -> Iterator[None]:
    """Count the stamps as they are sent: they have no intents."""
    write = stamp._write

    def counting(workspace: Any, run: str, lease: Any, bodies: Any) -> int:
        opened.stamps += len(bodies)
        return write(workspace, run, lease, bodies)

    stamp._write = counting
    try:
        yield
    finally:
        stamp._write = write


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def bench(count: int, kind: str) -> Iterator[Bench]:
    """Start the sandbox and open the service on fresh data, set up."""
    command = [sys.executable, "-m", "tests.bench.company", str(count), kind]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        assert server.stdout is not None
        env = json.loads(server.stdout.readline())
        names = {n.removeprefix("TIEOUT_").lower(): v for n, v in env.items()}
        settings = load_settings(**names, data_dir=Path(folder), secret_key="for the bench only")
        clock = VirtualClock(env["TIEOUT_XERO_URL"])
        with open_service(settings, clock=clock) as service:
            service.set_up()
            yield Bench(service, clock, env["TIEOUT_XERO_URL"])
        assert server.stdin is not None
        server.stdin.close()


def measured(count: int, kind: str, profiled: Callable[[Callable[[], Any]], Any]) -> dict[str, Any]:
    with bench(count, kind) as opened, counted_stamps(opened):
        idle_mb = peak_mb()
        first = profiled(lambda: opened.run("first"))
        runs = [first, opened.run("settling"), opened.run("nothing changed")]
        if kind == "both":
            opened.edit(1, "2027-05-05")
            runs.append(opened.run("one changed"))
            opened.edit(max(1, count // 100), "2027-06-06")
            runs.append(opened.run("1 % changed"))
        body = {"count": count, "kind": kind, "idle_mb": idle_mb, "records": opened.records(), "runs": runs}
        return {**body, "least_reads": opened.least_reads()}


def main() -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    profile = cProfile.Profile() if "--profile" in sys.argv else None
    found = measured(int(sys.argv[1]), sys.argv[2], profile.runcall if profile else lambda act: act())
    if profile is not None:
        profile.dump_stats(sys.argv[sys.argv.index("--profile") + 1])
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
