"""``make bench``: what a first sync and later ones cost, per size of company, as a table. ``--big`` adds 100,000 invoices.

Each size runs in a process of its own (``tests.bench.measure``). The least possible number of calls is one per list and
full page (5,000 rows in Dynamics, 1,000 in Xero), and one per full batch of each kind of element written (100 and 50).
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

SIZES = (1_000, 10_000)
BIG = 100_000
COLUMNS = (
    "run",
    "Dynamics calls (least)",
    "Xero calls (least)",
    "elements written",
    "engine CPU s",
    "CPU ms a record",
    "records a second",
    "peak MB",
    "Xero's minute used",
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
    cells = [run["run"]]
    for side in ("dynamics", "xero"):
        made = run["calls"][side]["read"] + run["calls"][side]["write"]
        reads = found["least_reads" if run["run"] == "first" else "streams"][side]
        cells.append(f"{made} ({reads + run['least_writes'][side]})")
    cells += [
        f"{sum(run['elements'].values()):,}",
        f"{run['cpu']:.2f}",
        f"{run['cpu'] * 1000 / found['records']:.2f}",
        f"{found['records'] / run['cpu']:,.0f}",
        f"{run['peak_mb']:.0f}",
        "under a minute's worth" if run["budget"] is None else f"{run['budget']:.0%}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    sizes = [*SIZES, *([BIG] if "--big" in sys.argv else [])]
    for count in sizes:
        for kind in ("both", "dynamics"):
            sys.stdout.write(f"{table(measured(count, kind))}\n\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
