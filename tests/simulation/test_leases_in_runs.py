"""What the simulation found about runs that take long, or sleep while another one takes over; each by itself."""

from __future__ import annotations

import pytest

from sync_core.model import RunStatus
from tests.simulation.arena import LEASE_AND_MORE, Arena
from tests.simulation.drawing import Op
from tests.simulation.oracles import one_at_a_time
from tests.simulation.schedules import Report, settle

SOLD = (Op("invoice_in_dynamics", 1), Op("invoice_in_dynamics", 2))


@pytest.fixture
def sold(playground: Arena) -> Arena:
    playground.begin()
    for op in SOLD:
        op.play(playground)
    return playground


@pytest.mark.parametrize("where", ["pulled xero.Invoices", "marked as sending", "answered"])
def test_a_run_that_takes_longer_than_its_lease_goes_on_when_nobody_wants_it(sold: Arena, where: str) -> None:
    def slow(name: str) -> None:
        if name == where:
            sold.books.clock.sleep(LEASE_AND_MORE)

    sold.step = slow
    try:
        result = sold.service.sync()
    finally:
        sold.step = None
    assert result.summary.status is RunStatus.SUCCESS, result.summary.message


@pytest.mark.parametrize("point", [20, 32, 40, *(pytest.param(n, marks=pytest.mark.soak) for n in (30, 34, 37))])
def test_a_run_that_sleeps_while_another_takes_over_writes_nothing_more(sold: Arena, point: int) -> None:
    sold.contend(point, wait=LEASE_AND_MORE)
    assert sold.events["taken over"] == 1
    assert one_at_a_time(sold) == []
    report = Report(0, [])
    settle(sold, report)
    assert report.breaches == []
