"""One size of company, measured in a process of its own; the sandbox runs in another one, so CPU and memory are the engine's.

    python -m tests.bench.measure COUNT both|dynamics [--profile FILE]

prints one JSON object. The run at rest has a process of its own again, so that its memory is not that of the first sync.
Waits run on a virtual clock: they move the sandbox's time on and take none.
"""

from __future__ import annotations

import cProfile
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

import structlog
from sqlalchemy import and_, case, func, select

from sync_core.flows import stamp
from sync_core.flows.pull import streams_of
from sync_core.model import RunSummary, Side
from sync_core.rules.entities import CONTACT_GROUPS, ENTITIES
from sync_core.service import Service, load_settings, open_service
from sync_core.store.tables import intents
from sync_core.systems.dataverse import BATCH_SIZE
from sync_core.systems.dataverse import PAGE_SIZE as DYNAMICS_PAGE
from sync_core.systems.xero_listing import PAGE_SIZE as XERO_PAGE
from sync_core.systems.xero_operations import BATCH as XERO_BATCH

BATCH = {"dynamics": BATCH_SIZE, "xero": XERO_BATCH}
PAGE = {Side.CRM: DYNAMICS_PAGE, Side.XERO: XERO_PAGE}
GROUPS = 1
"""The list of contact groups, which is in no list of changes."""
AT_REST = "nothing again"
"""The run that finds nothing to do, in a process of its own."""
PAUSE = 900
"""Seconds between two runs, as in use; within five minutes a pull would read the same rows again, by design."""


class VirtualClock:
    """Real time, and what was slept on top of it, here and in the sandbox. Two who sleep at once sleep once."""

    def __init__(self, url: str, slept: timedelta = timedelta()) -> None:
        self._url, self.slept, self._lock = f"{url}/_sandbox/clock", slept, Lock()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.slept

    def sleep(self, seconds: float) -> None:
        until = self.now() + timedelta(seconds=seconds)
        with self._lock:
            left = (until - self.now()).total_seconds()
            if left > 0:
                post(self._url, {"advance_seconds": round(left, 3)})
                self.slept += timedelta(seconds=left)


def post(url: str, body: Any) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode())  # noqa: S310  # our own address
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.load(answer)


@dataclass(slots=True)
class Bench:
    """An open service beside its sandbox. ``calls_at``: when Xero was called; ``writes_at``: when it was asked to write."""

    service: Service
    clock: VirtualClock
    xero_url: str
    stamps: int = 0
    calls_at: list[float] = field(default_factory=list)
    writes_at: list[float] = field(default_factory=list)

    def run(self, name: str) -> dict[str, Any]:
        self.clock.sleep(PAUSE)
        began, cpu = time.perf_counter(), time.process_time()
        self.stamps = 0
        self.calls_at.clear()
        self.writes_at.clear()
        summary = self.service.sync(trigger=name).summary
        used = time.process_time() - cpu
        if summary.status not in ("success", "partial"):
            raise SystemExit(f"{name}: {summary.status}: {summary.message}")
        found = {"run": name, "cpu": used, "wall": time.perf_counter() - began, "peak_mb": peak_mb()}
        whole = {**found, **self._numbers(summary), "budget": self.budget_used()}
        sys.stderr.write(f"{json.dumps(whole)}\n")
        return whole

    def _numbers(self, summary: RunSummary) -> dict[str, Any]:
        calls = {name: {"read": c.read, "write": c.write} for name, c in summary.calls.items()}
        kinds = self.kinds(summary.run)
        return {
            "calls": calls,
            "counts": dict(summary.counts),
            "elements": {side: sum(n for s, *_, n in kinds if s == side) for side in calls},
            "least_writes": {side: sum(-(-n // BATCH[side]) for s, *_, n in kinds if s == side) for side in calls},
        }

    def kinds(self, run: str) -> list[tuple[str, str, str, int]]:
        """Elements written, by side, table and verb: no call takes two kinds. Stamps have no intents and are counted apart.

        A call makes one contact group, or puts contacts into one group: these are a kind for each group.
        """
        state = self.service._workspace.state
        in_group = case((intents.c.table == CONTACT_GROUPS.table, intents.c.tag), else_="")
        makes_group = and_(intents.c.table == CONTACT_GROUPS.table, intents.c.xero_id == intents.c.tag)
        columns = intents.c.side, intents.c.table, intents.c.verb, in_group, makes_group
        with state._read() as connection:
            found = connection.execute(select(*columns, func.count()).where(intents.c.run == run).group_by(*columns)).all()
        kinds = [("dynamics" if side == Side.CRM else "xero", table, verb, number) for side, table, verb, *_, number in found]
        return [*kinds, ("dynamics", "stamps", "create", self.stamps)]

    def budget_used(self) -> float | None:
        """How much of Xero's 60 calls a minute was used while there was something to write: least minutes to minutes taken."""
        if not self.writes_at:
            return None
        calls = [at for at in self.calls_at if self.writes_at[0] <= at <= self.writes_at[-1]]
        least = (len(calls) - 1) // 60
        return least * 60 / (calls[least * 60] - calls[0]) if least > 0 else None

    def least_reads(self) -> dict[str, int]:
        """The fewest pages that hold every row, one per empty list: what a first pull costs at least."""
        found = {"dynamics": 0, "xero": 0}
        table = self.service.query("SELECT stream, count(*) AS n FROM raw GROUP BY stream").to_pylist()
        rows = {r["stream"]: r["n"] for r in table}
        for stream in streams_of(ENTITIES):
            # Tieout's own tables are empty when the first sync begins.
            pages = 1 if stream.own else max(1, -(-rows.get(stream.name, 0) // PAGE[stream.side]))
            found["dynamics" if stream.side is Side.CRM else "xero"] += pages
        return found | {"xero": found["xero"] + GROUPS}

    def streams(self) -> dict[str, int]:
        """One call for each list: what a run without a change costs at least."""
        sides = [stream.side for stream in streams_of(ENTITIES)]
        return {"dynamics": sides.count(Side.CRM), "xero": sides.count(Side.XERO) + GROUPS}

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


@contextmanager
def watched_xero(opened: Bench) -> Iterator[None]:
    """Note when Xero is called, and when it is asked to write."""
    xero = opened.service._workspace.systems[Side.XERO]
    acquire, write = xero.budget.acquire, xero.write

    def acquiring() -> Any:
        slot = acquire()
        opened.calls_at.append(slot.started)
        return slot

    def writing(writes: Any) -> Any:
        opened.writes_at.append(opened.clock.now().timestamp())
        return write(writes)

    xero.budget.acquire, xero.write = acquiring, writing
    yield
    xero.budget.acquire, xero.write = acquire, write


def peak_mb() -> float:
    """Of this program alone: what getrusage tells of a process begins with the memory of the one that started it."""
    told = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert told is not None
    return int(told[1]) / 1024


@contextmanager
def company(count: int, kind: str) -> Iterator[dict[str, str]]:
    """Start the sandbox; its environment, with a folder for Tieout's own data."""
    command = [sys.executable, "-m", "tests.bench.company", str(count), kind]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        assert server.stdout is not None
        own = {"TIEOUT_DATA_DIR": folder, "TIEOUT_SECRET_KEY": "for the bench only"}
        yield json.loads(server.stdout.readline()) | own
        assert server.stdin is not None
        server.stdin.close()


@contextmanager
def opened(env: dict[str, str], clock: VirtualClock) -> Iterator[Bench]:
    """The service open beside the sandbox, with what it writes and asks for being counted."""
    settings = load_settings(**{name.removeprefix("TIEOUT_").lower(): value for name, value in env.items()})
    with open_service(settings, clock=clock) as service:
        bench = Bench(service, clock, env["TIEOUT_XERO_URL"])
        with counted_stamps(bench), watched_xero(bench):
            yield bench


def at_rest(env: dict[str, str], clock: VirtualClock) -> dict[str, Any]:
    """A run that finds nothing to do, in a process that does nothing else."""
    command = [sys.executable, "-m", "tests.bench.measure", AT_REST, str(clock.slept.total_seconds())]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, **env})
    found = dict(json.loads(done.stdout.splitlines()[-1]))
    clock.slept = timedelta(seconds=found.pop("slept"))
    return found


def run_at_rest(slept: float) -> dict[str, Any]:
    env = {name: value for name, value in os.environ.items() if name.startswith("TIEOUT_")}
    clock = VirtualClock(env["TIEOUT_XERO_URL"], timedelta(seconds=slept))
    with opened(env, clock) as bench:
        return bench.run(AT_REST) | {"slept": clock.slept.total_seconds()}


def measured(count: int, kind: str, profiled: Callable[[Callable[[], Any]], Any]) -> dict[str, Any]:
    with company(count, kind) as env:
        clock = VirtualClock(env["TIEOUT_XERO_URL"])
        with opened(env, clock) as bench:
            bench.service.set_up()
            idle_mb = peak_mb()
            first = profiled(lambda: bench.run("first"))
            runs = [first, bench.run("settling"), bench.run("nothing changed")]
        runs.append(at_rest(env, clock))
        with opened(env, clock) as bench:
            if kind == "both":
                bench.edit(1, "2027-05-05")
                runs.append(bench.run("one changed"))
                bench.edit(max(1, count // 100), "2027-06-06")
                runs.append(bench.run("1 % changed"))
            body = {"count": count, "kind": kind, "idle_mb": idle_mb, "records": bench.records(), "runs": runs}
            return {**body, "least_reads": bench.least_reads(), "streams": bench.streams()}


def main() -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    if sys.argv[1] == AT_REST:
        sys.stdout.write(json.dumps(run_at_rest(float(sys.argv[2]))) + "\n")
        return
    profile = cProfile.Profile(time.thread_time) if "--profile" in sys.argv else None
    found = measured(int(sys.argv[1]), sys.argv[2], profile.runcall if profile else lambda act: act())
    if profile is not None:
        profile.dump_stats(sys.argv[sys.argv.index("--profile") + 1])
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
