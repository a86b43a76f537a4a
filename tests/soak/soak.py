"""``make soak``: thousands of random schedules in two processes, then real kills; a table of what struck and what broke.

    python -m tests.soak.soak --schedules 2000 --length 60 --kills 100

The exit code is 1 when any promise was broken; each failure is printed with its seed and the shortest schedule found.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import structlog

from tests.simulation.arena import arena
from tests.simulation.operations import FAULTS
from tests.simulation.schedules import Report, drawn, play, shrink, told
from tests.soak.kills import kill_many

PROCESSES = 2
MEANWHILE = ("edit_before", "edit_while_paging")
CLASSES = {
    "doubled or out of balance": ("once",),
    "lost": ("nothing_lost", "nobody_forgotten"),
    "not converged": ("in_step", "replay", "stamped", "settled", "a calm run"),
    "destroyed": ("no_destruction",),
    "order, limits, one at a time": ("parents_first", "within_limits", "one_at_a_time"),
    "fell": ("fell",),
}


def _quiet() -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())


def _worker(seeds: list[int], length: int, shrinking: bool, queue: multiprocessing.Queue[Report | None]) -> None:
    _quiet()
    with tempfile.TemporaryDirectory() as folder, arena(Path(folder)) as playground:
        for seed in seeds:
            report = play(playground, seed, drawn(seed, length))
            if report.breaches and shrinking:
                short = shrink(playground, report)
                report.ops, report.breaches = short.ops, short.breaches
            queue.put(report)
    queue.put(None)


def soak(seeds: list[int], length: int, processes: int, *, shrinking: bool) -> Iterator[Report]:
    """Reports as they come, from processes that share the seeds."""
    context = multiprocessing.get_context("spawn")
    queue: multiprocessing.Queue[Report | None] = context.Queue()
    shares = [seeds[n::processes] for n in range(processes)]
    workers = [context.Process(target=_worker, args=(s, length, shrinking, queue)) for s in shares]
    for worker in workers:
        worker.start()
    waiting = len(workers)
    while waiting:
        report = queue.get()
        if report is None:
            waiting -= 1
        else:
            yield report
    for worker in workers:
        worker.join()


def table(reports: list[Report], seconds: float) -> str:
    """What struck, and what broke."""
    fired, events = Counter[str](), Counter[str]()
    for report in reports:
        fired.update(report.fired)
        events.update(report.events)
    lines = [
        f"{len(reports)} schedules in {seconds:,.0f} s, {sum(len(r.ops) for r in reports):,} operations",
        "",
        "Faults that struck",
    ]
    lines += [f"  {kind:<24}{fired[kind]:>8,}" for kind in sorted({*FAULTS, *MEANWHILE})]
    lines += ["", "What happened", *(f"  {name:<40}{n:>8,}" for name, n in sorted(events.items()))]
    lines += ["", "Schedules in which a promise was broken"]
    for name, kinds in CLASSES.items():
        broken = [r.seed for r in reports if any(b.startswith(kinds) for b in r.breaches)]
        lines.append(f"  {name:<32}{len(broken):>6,}  {'seeds ' + ', '.join(map(str, broken[:20])) if broken else ''}".rstrip())
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=2000)
    parser.add_argument("--length", type=int, default=60)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seeds", type=int, nargs="+", help="these instead of counting from the first")
    parser.add_argument("--processes", type=int, default=PROCESSES)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--no-shrinking", action="store_true")
    chosen = parser.parse_args()
    _quiet()
    began, reports = time.monotonic(), []
    seeds = chosen.seeds or list(range(chosen.first, chosen.first + chosen.schedules))
    for report in soak(seeds, chosen.length, chosen.processes, shrinking=not chosen.no_shrinking):
        reports.append(report)
        if report.breaches:
            _say(told(report))
        elif len(reports) % 10 == 0:
            _say(f"{len(reports)} of {len(seeds)}, {time.monotonic() - began:,.0f} s")
    if reports:
        _say(table(reports, time.monotonic() - began))
    broken = any(r.breaches for r in reports)
    return int(_kills(chosen.kills) or broken) if chosen.kills else int(broken)


def _kills(times: int) -> bool:
    with tempfile.TemporaryDirectory() as folder, arena(Path(folder)) as playground:
        report = kill_many(playground, times)
    _say(f"\n{times} syncs started, kill -9 at random moments: {dict(report.events)}; {report.runs} calm runs to converge")
    _say("\n".join(report.breaches) or "Every promise held.")
    return bool(report.breaches)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
