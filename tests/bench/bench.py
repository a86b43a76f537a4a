"""``make bench``: what a first sync and later ones cost, per size of company, as a table.

Each size runs in a process of its own (``tests.bench.measure``). The least possible number of calls is one per page of
1,000 rows and list, and one per full batch of elements written (50 in Xero, Tieout's own batch size in Dynamics).
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from sync_core.systems.dataverse import BATCH_SIZE
from sync_core.systems.xero_operations import BATCH as XERO_BATCH

BATCH = {"dynamics": BATCH_SIZE, "xero": XERO_BATCH}
SIZES = (1_000, 10_000)
BIG = 100_000
COLUMNS = (
    "run",
    "Dynamics calls (least)",
    "Xero calls (least)",
    "elements written",
    "CPU s",
    "CPU ms a record",
    "peak MB",
    "Xero budget used",
)


def measured(count: int, kind: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.measure", str(count), kind]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def table(found: dict[str, Any]) -> str:
    where = "in both systems" if found["kind"] == "both" else "in Dynamics alone"
    lines = [
        f"### {found['count']:,} invoices {where}: {found['records']:,} records",
        "",
        f"| {' | '.join(COLUMNS)} |",
        "|" + "---|" * len(COLUMNS),
    ]
    lines += [_row(run, found) for run in found["runs"]]
    return "\n".join(lines)


def _row(run: dict[str, Any], found: dict[str, Any]) -> str:
    calls, written = run["calls"], run["elements"]
    cells = [run["run"]]
    for side in ("dynamics", "xero"):
        made = calls[side]["read"] + calls[side]["write"]
        first = run["run"] == "first"
        least_reads = found["least_reads"][side] if first else None
        writes = -(-written[side] // BATCH[side])
        cells.append(f"{made} ({least_reads + writes})" if least_reads is not None else f"{made} ({writes} to write)")
    cells += [
        f"{sum(written.values()):,}",
        f"{run['cpu']:.2f}",
        f"{run['cpu'] * 1000 / found['records']:.2f}",
        f"{run['peak_mb']:.0f}",
        _budget(run),
    ]
    return f"| {' | '.join(cells)} |"


def _budget(run: dict[str, Any]) -> str:
    """Xero calls against 60 a minute; below a minute's worth of calls there is nothing to use."""
    made = run["calls"]["xero"]["read"] + run["calls"]["xero"]["write"]
    if made <= 60 or not run["minutes"]:
        return "under a minute's worth"
    return f"{made / (60 * run['minutes']):.0%}"


def main() -> None:
    sizes = [*SIZES, *([BIG] if "--big" in sys.argv else [])]
    for count in sizes:
        for kind in ("both", *(["dynamics"] if count < BIG else [])):
            sys.stdout.write(f"{table(measured(count, kind))}\n\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
