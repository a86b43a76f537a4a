"""Real ``kill -9`` of ``python -m sync_core sync`` at random moments beside a living sandbox; then the same oracles."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from random import Random
from typing import Any

from tests.simulation.arena import Arena
from tests.simulation.operations import Op, draw
from tests.simulation.schedules import Report, settle

LONGEST = 3.5
"""Seconds after its start within which a sync is killed: a short one is over by then, a long one in the middle."""
A_MINUTE_ON = 61
PEOPLE = ("invoice", "customer", "contact", "due", "payment", "credit", "both", "account")


def kill_many(arena: Arena, times: int, seed: int = 1) -> Report:
    """People work, a sync is started and killed, ``times`` over. Time is real, but jumps between syncs (call budgets)."""
    chance = Random(seed)
    report = Report(seed, [])
    arena.begin()
    arena.leave()
    arena.sandbox.run(arena.kernel.clock.reset)
    outcomes: Counter[str] = Counter()
    for _ in range(times):
        for op in _work(chance):
            op.play(arena)
            report.ops.append(op)
        arena.leave()
        arena.sandbox.advance(A_MINUTE_ON)
        outcomes[_sync_killed_after(arena, chance.uniform(0.3, LONGEST))] += 1
    report.events = outcomes
    try:
        settle(arena, report)
    finally:
        arena.leave()
    return report


def _work(chance: Random) -> list[Op]:
    drawn = [op for op in draw(chance, 30) if op.name.startswith(PEOPLE) and "merged" not in op.name]
    return drawn[: chance.randint(1, 4)]


def _sync_killed_after(arena: Arena, seconds: float) -> str:
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
        return "killed"
    return f"over by then, exit code {code}"


def _environment(arena: Arena) -> dict[str, Any]:
    known = {k: v for k, v in os.environ.items() if not k.startswith("TIEOUT_")}
    mine = {"TIEOUT_DATA_DIR": str(arena.books.data), "TIEOUT_SECRET_KEY": "for tests only"}
    return {**known, **arena.sandbox.environment(), **mine}
