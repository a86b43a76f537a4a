"""Ours beside the same job in plain DuckDB, polars, pandas and datacompy, and the floor: reading both sides' tables.

    python -m tests.bench.reconcile_bench [--big] [--pairs N] [--rounds N]   (make bench-reconcile, BIG=1 for 1,000,000 pairs)

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
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from sync_core.model import MatchStatus
from sync_core.rules.downloads import CsvFile
from sync_core.rules.reconcile import Filters, Sort
from sync_core.service.workbook import XlsxFile
from sync_core.store import reconciliation
from sync_core.store.cache import Cache
from sync_core.store.reconciliation_kept import keeper
from sync_core.store.reconciliation_sql import steps
from tests.bench.reconcile_data import generate, opened
from tests.bench.reconcile_engines import held_mb, peak_mb

ROUNDS = 3
CHANGES = {
    "another commit, nothing moved": "INSERT INTO fact VALUES ('weather', 'fine')",
    "one record in a thousand changed": (
        "UPDATE record SET total = total + 1, hash = uuid(), stamp = uuid(), id_print = NULL"
        " WHERE entity = 'invoices' AND side = 'crm' AND seq // 1000 * 1000 = seq"
    ),
}
FILES: dict[str, Callable[[Iterator[pa.RecordBatch]], Iterable[bytes]]] = {
    "CSV": CsvFile,
    "XLSX": lambda batches: XlsxFile(batches, sheet="Invoices", made=datetime.now(UTC)),
}
HEAD = "| engine | job | s | CPU s | peak MB | exceptions |\n|---|---|---|---|---|---|\n"
HERE = Path(__file__).parent
PEERS = {"polars": ("polars", "pyarrow"), "pandas": ("pandas", "pyarrow"), "datacompy": ("datacompy", "polars", "pyarrow")}
PAGES = {
    "by number": Filters(),
    "what differs, largest first": Filters(statuses=(MatchStatus.DIFFERS,), sort=Sort.DIFFERENCE, descending=True),
    "one currency, by date, from the end": Filters(currency="USD", sort=Sort.DATE, descending=True),
    "by contact": Filters(sort=Sort.CONTACT),
    "search": Filters(search="inv-7777"),
    "search, the same again": Filters(search="inv-7777"),
}


def ours(path: Path, job: str) -> dict[str, Any]:
    """``full``: everything from nothing: matching, fields, lines, payments, reasons, sums; then what a change and pages cost.

    ``header``: only the pass that lays linked pairs beside each other, compares their headers and lists the
    records of all others: nothing is written to the cache, as none of the peers writes what agrees.
    """
    cache = opened(path)
    cache.query_with("FROM incoming", pa.table({"one": [1]}))  # what any first table loads, as the others load theirs
    began, cpu = time.perf_counter(), time.process_time()
    told: dict[str, Any] = {"engine": "ours", "job": job}
    if job == "header":
        with cache.transaction(counted=False) as transaction:
            for name, statement in steps("invoices", "tried").items():
                transaction.run(statement)
                if name == "open":
                    break
            told["exceptions"] = transaction.query("SELECT count(*) AS n FROM open")["n"][0].as_py()
    else:
        sums = reconciliation.summary(cache, "invoices")
        told["exceptions"] = sums.rows - sums.statuses[MatchStatus.MATCHED]
    told |= {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu, "peak_mb": peak_mb()}
    if job == "full":
        told["renewals"] = {name: _renewal(cache, change) for name, change in CHANGES.items()}
        told["pages"] = {name: _page(cache, asked, anew=name == "search") for name, asked in PAGES.items()}
        told["files"] = {name: _file(cache, make) for name, make in FILES.items()}
    cache.close()
    return told


def _renewal(cache: Cache, change: str) -> float:
    """CPU seconds of the first question after ``change``."""
    with cache.transaction() as transaction:
        transaction.run(change)
    cpu = time.process_time()
    reconciliation.summary(cache, "invoices")
    return time.process_time() - cpu


def _file(cache: Cache, make: Callable[[Iterator[pa.RecordBatch]], Iterable[bytes]]) -> tuple[float, int, int]:
    """CPU seconds of a file of up to 100,000 rows, and MB held after its first rows and at most."""
    cpu, held = time.process_time(), []
    for _ in make(_noting(cache, held)):
        pass
    return time.process_time() - cpu, held[0], max(held)


def _noting(cache: Cache, held: list[int]) -> Iterator[pa.RecordBatch]:
    rows = 0
    for batch in reconciliation.batches(cache, "invoices"):
        if rows >= 100_000:
            return
        rows += batch.num_rows
        yield batch
        held.append(held_mb())


def _page(cache: Cache, asked: Filters, *, anew: bool) -> tuple[float, float]:
    """Milliseconds of 50 rows, filtered and sorted, and of CPU: medians of five. ``anew``: nobody searched for that before."""
    times = []
    for _ in range(5):
        if anew:
            keeper(cache).found.clear()
        began, cpu = time.perf_counter(), time.process_time()
        reconciliation.rows(cache, "invoices", asked, limit=50)
        times.append((1000 * (time.perf_counter() - began), 1000 * (time.process_time() - cpu)))
    return statistics.median(wall for wall, _ in times), statistics.median(cpu for _, cpu in times)


def environments(folder: Path) -> dict[str, str]:
    """Per peer the Python that can import it, or "skipped: <why>"."""
    found = {}
    for name, wanted in PEERS.items():
        python = folder / name / "bin" / "python"
        if not python.exists():
            venv.create(folder / name, with_pip=True)
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
    own = [sys.executable, "-m", "tests.bench.reconcile_bench", "--ours", str(path), "--job"]
    commands = {("ours", job): [*own, job] for job in ("header", "full")}
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
    whole = [each for each in answers["ours", "full"] if "pages" in each]
    if whole:
        _tell_more(whole)


def _tell_more(whole: list[dict[str, Any]]) -> None:
    for name in CHANGES:
        sys.stdout.write(f"renewed, {name}: {statistics.median(each['renewals'][name] for each in whole):.2f} CPU s\n")
    for name in PAGES:
        milliseconds, cpu = (statistics.median(each["pages"][name][n] for each in whole) for n in (0, 1))
        sys.stdout.write(f"page, {name}: {milliseconds:.0f} ms, {cpu:.0f} ms of CPU\n")
    for name in FILES:
        seconds, first, most = (statistics.median(each["files"][name][n] for each in whole) for n in range(3))
        sys.stdout.write(f"file of at most 100,000 rows, {name}: {seconds:.1f} CPU s, {first:.0f} to {most:.0f} MB\n")


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
    reader.add_argument("--job", choices=("header", "full"), default="full", help="of ours alone")
    reader.add_argument("--peers", type=Path, help="folder of the peers' environments, to be kept for the next time")
    asked = reader.parse_args()
    if asked.ours:
        sys.stdout.write(json.dumps(ours(asked.ours, asked.job)) + "\n")
        return
    sizes = (asked.pairs, *((1_000_000,) if asked.big else ()))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pythons = environments(asked.peers or folder / "peers")
        for count in sizes:
            run(count, folder / str(count), pythons, asked.rounds)


if __name__ == "__main__":
    main()
