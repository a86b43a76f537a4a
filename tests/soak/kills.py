"""Real ``kill -9`` of ``python -m sync_core sync`` at random moments beside a living sandbox; then the same oracles."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from random import Random
from typing import Any

from tests.simulation.arena import Arena
from tests.simulation.drawing import draw
from tests.simulation.schedules import Report, settle

MEASURED_EVERY = 10
"""So often a sync is left alone, to learn how long one takes on this machine now; the others die within that time."""
A_MINUTE_ON = 61
PEOPLE = ("invoice", "customer", "contact", "due", "payment", "credit", "both", "account")


def kill_many(arena: Arena, times: int, seed: int = 1) -> Report:
    """People work, a sync is started and killed, ``times`` over. Time is real, but jumps between syncs (call budgets).

    The events tell how far each got: killed before it asked anything, while it only read, or after its first write.
    """
    chance = Random(seed)
    report = Report(seed, [])
    arena.begin()
    arena.leave()
    arena.sandbox.run(arena.kernel.clock.reset)
    outcomes: Counter[str] = Counter()
    takes = 0.0
    for n in range(times):
        if n % MEASURED_EVERY == 0:
            _work(arena, chance, report)
            began = time.monotonic()
            outcomes[_sync_killed_after(arena, None)] += 1
            takes = time.monotonic() - began
        _work(arena, chance, report)
        outcomes[_sync_killed_after(arena, chance.uniform(0.4, 1) * takes)] += 1
    report.events = outcomes
    try:
        settle(arena, report)
    finally:
        arena.leave()
    return report


def _work(arena: Arena, chance: Random, report: Report) -> None:
    drawn = [op for op in draw(chance, 30) if op.name.startswith(PEOPLE) and "merged" not in op.name]
    for op in drawn[: chance.randint(1, 4)]:
        op.play(arena)
        report.ops.append(op)
    arena.leave()
    arena.sandbox.advance(A_MINUTE_ON)


def _sync_killed_after(arena: Arena, seconds: float | None) -> str:
    arena.runs += 1
    before = arena.books.logged
    process = subprocess.Popen(
        [sys.executable, "-m", "sync_core", "sync"],
        env=_environment(arena),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        return f"killed {_how_far(arena, before)}"
    return f"over by itself, exit code {code}"


def _how_far(arena: Arena, before: int) -> str:
    if arena.books.writes(before):
        return "after its first write"
    asked = any(e.number > before and e.run is not None for e in arena.sandbox.log())
    return "while it read" if asked else "before it asked anything"


def _environment(arena: Arena) -> dict[str, Any]:
    known = {k: v for k, v in os.environ.items() if not k.startswith("TIEOUT_")}
    mine = {"TIEOUT_DATA_DIR": str(arena.books.data), "TIEOUT_SECRET_KEY": "for tests only"}
    return {**known, **arena.sandbox.environment(), **mine}
