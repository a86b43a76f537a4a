"""A sync of a scenario, ended dead at a numbered point: the next one comes to the same end, and then to rest.

One sync is killed for real, in a process of its own; with ``--every-point`` each sync of each scenario is ended at every point
that writes. (tests/scenarios/test_scenarios.py ends each at some of them.)
"""

from __future__ import annotations

import pytest

from tests.scenarios.stage import Scenario, Stage, interesting, scenarios

ALL = scenarios()
HALF_DONE = next(s for s in ALL if s.name == "41-credit-note-not-allocated-yet")
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


def test_what_is_half_done_says_so_after_a_death_as_well(stage: Stage) -> None:
    """A credit note reached Xero and its allocation did not: killed before that was said, the next sync says it."""
    played = stage.play(HALF_DONE, lambda _number, name: name == "agreed images kept")
    played.checkpoints = played.checkpoints[1:2]
    assert stage.survive_all(played) > 0
