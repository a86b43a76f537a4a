"""Ours beside the same job in plain DuckDB, polars, pandas and datacompy, and the floor: reading both sides' tables.

    python -m tests.bench.reconcile_bench [--big] [--pairs N] [--rounds N]     (make bench-reconcile, BIG=1 for 1,000,000 pairs)

Each measurement runs in a process of its own; engines take turns, and the median of three is told. The peers get a throw-away
environment, because their pins clash with ours; one that cannot be installed is skipped, with the reason.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

from sync_core.model import MatchStatus
from sync_core.rules.reconcile import Filters, Sort
from sync_core.store import reconciliation
from tests.bench.reconcile_data import generate, opened
from tests.bench.reconcile_engines import peak_mb

ROUNDS = 3
HEAD = "| engine | job | s | CPU s | peak MB | exceptions |\n|---|---|---|---|---|---|\n"
HERE = Path(__file__).parent
PEERS = {"polars": ("polars", "pyarrow"), "pandas": ("pandas", "pyarrow"), "datacompy": ("datacompy", "polars", "pyarrow")}
PAGES = {
    "by number": Filters(),
    "what differs, largest first": Filters(statuses=(MatchStatus.DIFFERS,), sort=Sort.DIFFERENCE, descending=True),
    "one currency, by date, from the end": Filters(currency="USD", sort=Sort.DATE, descending=True),
    "search": Filters(search="inv-7777"),
}


def ours(path: Path) -> dict[str, Any]:
    """Everything from nothing: matching, fields, lines, payments, reasons, sums; then pages of the rows that are kept."""
    cache = opened(path)
    began, cpu = time.perf_counter(), time.process_time()
    sums = reconciliation.summary(cache, "invoices")
    told = {"engine": "ours", "job": "full", "seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    told["exceptions"] = sums.rows - sums.statuses[MatchStatus.MATCHED]
    told["pages"] = {name: _page(cache, asked) for name, asked in PAGES.items()}
    cache.close()
    return told | {"peak_mb": peak_mb()}


def _page(cache: Any, asked: Filters) -> float:
    """Milliseconds of 50 rows, filtered and sorted: the median of five."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        reconciliation.rows(cache, "invoices", asked, limit=50)
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def environments(folder: Path) -> dict[str, str]:
    """Per peer the Python that can import it, or "skipped: <why>"."""
    found = {}
    for name, wanted in PEERS.items():
        venv.create(folder / name, with_pip=True)
        python = folder / name / "bin" / "python"
        made = subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], capture_output=True, text=True)
        last = (made.stderr.strip().splitlines() or ["no reason given"])[-1]
        found[name] = str(python) if made.returncode == 0 else f"skipped: {last}"
    return found


def measured(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return {"skipped": (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]}
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def run(count: int, folder: Path, pythons: dict[str, str], rounds: int) -> None:
    path = generate(count, folder)
    commands = {("ours", "full"): [sys.executable, "-m", "tests.bench.reconcile_bench", "--ours", str(path)]}
    for job in ("header", "full"):
        for engine in ("floor", "plain DuckDB", *(p for p in PEERS if p != "datacompy" or job == "header")):
            python = pythons.get(engine, sys.executable)
            if python.startswith("skipped"):
                sys.stdout.write(f"{engine}, {job}: {python}\n")
                continue
            commands[engine, job] = [python, str(HERE / "reconcile_engines.py"), engine, job, str(folder)]
    answers: dict[tuple[str, str], list[dict[str, Any]]] = {key: [] for key in commands}
    for _ in range(rounds):
        for key, command in commands.items():
            answers[key].append(measured(command))
    sys.stdout.write(f"\n{count:,} pairs, median of {rounds}\n\n{HEAD}")
    for (engine, job), given in answers.items():
        sys.stdout.write(_line(engine, job, given))
    for name in PAGES:
        pages = [each["pages"][name] for each in answers["ours", "full"] if "pages" in each]
        if pages:
            sys.stdout.write(f"page, {name}: {statistics.median(pages):.0f} ms\n")


def _line(engine: str, job: str, given: list[dict[str, Any]]) -> str:
    if any("skipped" in each for each in given):
        return f"| {engine} | {job} | skipped: {given[0].get('skipped')} | | | |\n"
    seconds, cpu, peak = (statistics.median(each[name] for each in given) for name in ("seconds", "cpu", "peak_mb"))
    return f"| {engine} | {job} | {seconds:.2f} | {cpu:.2f} | {peak:.0f} | {given[0]['exceptions']} |\n"


def main() -> None:
    reader = argparse.ArgumentParser()
    reader.add_argument("--big", action="store_true", help="1,000,000 pairs after the first size")
    reader.add_argument("--pairs", type=int, default=100_000, help="the first size")
    reader.add_argument("--rounds", type=int, default=ROUNDS)
    reader.add_argument("--ours", type=Path, metavar="CACHE", help="only ours, on a cache that is there: what each round runs")
    asked = reader.parse_args()
    if asked.ours:
        sys.stdout.write(json.dumps(ours(asked.ours)) + "\n")
        return
    sizes = (asked.pairs, *((1_000_000,) if asked.big else ()))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pythons = environments(folder / "peers")
        for count in sizes:
            run(count, folder / str(count), pythons, asked.rounds)


if __name__ == "__main__":
    main()
