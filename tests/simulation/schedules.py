"""A schedule: operations drawn by a seed, played one after the other; then calm, runs until one is silent, and the oracles."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from unittest.mock import patch

from sync_core.flows import apply
from sync_core.flows.run import Result
from sync_core.model import RunStatus, Side
from tests.simulation import (  # noqa: F401  # what can be drawn
    master_operations,
    operations,
    outgoing_operations,
    paper_operations,
)
from tests.simulation.arena import Arena
from tests.simulation.drawing import Op, draw
from tests.simulation.oracles import judge

RUNS_TO_CONVERGE = 3
A_DAY = 86_400
SHORT = ("short_listing", "empty_listing")


@dataclass(slots=True)
class Report:
    """What came of a schedule. ``breaches`` is empty when every promise held."""

    seed: int
    ops: list[Op]
    breaches: list[str] = field(default_factory=list)
    fired: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    runs: int = 0


def play(arena: Arena, seed: int, ops: Sequence[Op]) -> Report:
    """Play ``ops`` from the start. A fall of the engine is a breach like any other.

    Under odd seeds writes travel in waves of two, so that there is something between waves although the company is small.
    """
    report = Report(seed, list(ops))
    arena.begin()
    try:
        with patch.object(apply, "WAVE", 2 if seed % 2 else apply.WAVE):
            for op in ops:
                op.play(arena)
            settle(arena, report)
    except Exception as error:  # noqa: BLE001  # whatever falls, the schedule that made it fall is what is wanted
        last = traceback.extract_tb(error.__traceback__)[-1]
        report.breaches.append(f"fell: {type(error).__name__}: {error} ({last.filename.rpartition('/')[2]}:{last.lineno})")
    finally:
        arena.leave()
    report.fired, report.events = Counter(arena.fired), Counter(arena.events)
    return report


def settle(arena: Arena, report: Report) -> None:
    """No more faults: at most three runs that write, then one that writes nothing (I3, I4), and the oracles.

    A listing that left rows out, and a position after them, cannot be told from a true one, and Xero names some due dates in
    no list of changes: only a whole listing shows them, so then a day passes before the first calm run.
    """
    arena.calm()
    written: list[str] = ["anything"]
    if any(arena.fired[kind] for kind in SHORT) or any((e.side, e.field) == (Side.XERO, "due") for e in arena.edits):
        arena.sandbox.advance(A_DAY)
    while written and report.runs <= RUNS_TO_CONVERGE:
        arena.sandbox.advance(600)
        report.runs += 1
        written = _writes(arena, partial(_run, arena, report))
    report.breaches += [f"replay: {write}" for write in written]
    report.breaches += judge(arena)


def _run(arena: Arena, report: Report) -> None:
    """One run to the end; a plan that the rails stop is looked at and allowed."""
    outcome = arena.sync()
    if isinstance(outcome, Result) and outcome.summary.status is RunStatus.REFUSED:
        arena.service.allow_plan(outcome.plan.hash, who="Mere")
        outcome = arena.sync()
    if not isinstance(outcome, Result):
        report.breaches.append(f"a calm run could not begin: {outcome.message}")
    elif outcome.summary.status not in (RunStatus.SUCCESS, RunStatus.PARTIAL):
        report.breaches.append(f"a calm run ended {outcome.summary.status}: {outcome.summary.message}")


def _writes(arena: Arena, act: Callable[[], None]) -> list[str]:
    before = arena.books.logged
    act()
    return [f"{e.method} {e.path} {(e.detail.get('body') or '')[:160]}" for e in arena.books.writes(before)]


def drawn(seed: int, length: int) -> list[Op]:
    return draw(Random(seed), length)


def shrink(arena: Arena, report: Report, budget: int = 150) -> Report:
    """The shortest schedule found that breaks the same promise: halves, quarters, ... and then single operations left out."""
    best, size = report, max(1, len(report.ops) // 2)
    kind = report.breaches[0].split(":")[0]
    while budget > 0:
        shorter = None
        for start in range(0, len(best.ops), size):
            budget -= 1
            tried = play(arena, best.seed, best.ops[:start] + best.ops[start + size :])
            if any(b.split(":")[0] == kind for b in tried.breaches):
                shorter = tried
                break
            if budget <= 0:
                break
        if shorter is not None:
            best = shorter
        elif size == 1:
            break
        else:
            size = max(1, size // 2)
    return best


def told(report: Report) -> str:
    """A failure as a person reads it, and as ``python -m tests.soak.soak --again`` plays it once more."""
    ops = "\n".join(f"    Op({op.name!r}, {op.number})," for op in report.ops)
    return f"seed {report.seed}, {len(report.ops)} operations:\n" + "\n".join(report.breaches) + f"\n[\n{ops}\n]"
