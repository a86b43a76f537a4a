"""A slice of the seeded simulation; ``make soak`` plays thousands of longer schedules. A failure prints what to play again."""

from __future__ import annotations

from random import Random

import pytest

from tests.simulation.arena import Arena
from tests.simulation.drawing import OPERATIONS, Op, draw
from tests.simulation.schedules import Report, drawn, play, settle, shrink, told

SEEDS = (1, pytest.param(2, marks=pytest.mark.soak))
LENGTH = 20


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_nothing_is_doubled_lost_or_wrong(playground: Arena, seed: int) -> None:
    report = play(playground, seed, drawn(seed, LENGTH))
    if report.breaches:
        pytest.fail(told(shrink(playground, report, budget=25)))


BUSY_DAY = (
    Op("invoice_in_dynamics", 1),
    Op("invoice_in_dynamics", 2),
    Op("account_in_dynamics", 3),
    Op("sync", 4),
    Op("payment_in_xero", 5),
    Op("due_changes_in_dynamics", 6),
    Op("contact_changes_in_xero", 7),
)
STRUCK: dict[str, dict[str, str]] = {
    "invalid_grant": {},
    "drop_after": {"system": "xero", "method": "PUT", "path": "/Invoices$"},
    "error_after": {"system": "xero", "method": "PUT", "path": "/Invoices$"},
    "short_listing": {"system": "xero", "path": "/Invoices$"},
}
"""Kinds that strike seldom in a short schedule; tests/flows/test_faults.py has every other one by itself."""


@pytest.mark.parametrize("kind", [k if k == "short_listing" else pytest.param(k, marks=pytest.mark.soak) for k in STRUCK])
def test_a_fault_strikes_and_is_outlived(playground: Arena, kind: str) -> None:
    playground.begin()
    report = Report(0, [])
    try:
        fault = playground.arm(kind, **STRUCK[kind])
        for op in BUSY_DAY:
            op.play(playground)
        settle(playground, report)
    finally:
        playground.leave()
    assert fault.fired >= 1
    assert report.breaches == []


def test_every_operation_is_drawn() -> None:
    assert {op.name for op in draw(Random(0), 5000)} == set(OPERATIONS)
