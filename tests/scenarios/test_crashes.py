"""A sync of a scenario, ended dead at a numbered point: the next one comes to the same end, and then to rest.

One sync is killed for real, in a process of its own; with ``--every-point`` each sync of each scenario is ended at every point
that writes. (tests/scenarios/test_scenarios.py ends each at some of them.)
"""

from __future__ import annotations

import pytest

from tests.scenarios.stage import Scenario, Stage, interesting, scenarios

ALL = scenarios()
PAID = next(s for s in ALL if s.name == "08-full-payment")


@pytest.mark.soak
@pytest.mark.parametrize("scenario", ALL, ids=lambda s: s.name)
def test_a_scenario_killed_at_every_point_comes_to_the_same_end(stage: Stage, scenario: Scenario) -> None:
    assert stage.survive_all(stage.play(scenario, interesting)) > 0


@pytest.mark.parametrize(
    "name",
    ["answered", *(pytest.param(n, marks=pytest.mark.soak) for n in ("marked as sending", "agreed images kept"))],
)
def test_a_real_death_is_survived_as_well(stage: Stage, name: str) -> None:
    """A payment that settles its invoice: a create in Dynamics, an update of another record, and both their stamps."""
    checkpoint = stage.play(PAID).checkpoints[-1]
    stage.crash(checkpoint, checkpoint.points.index(name))
