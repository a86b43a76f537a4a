"""A sync of a scenario again, ended dead at a numbered point: the next one comes to the same end, and then to rest.

By default one sync is killed at every point that writes, and every sixth scenario at one point of its own; with
``--every-point`` all scenarios are killed at all of them.
"""

from __future__ import annotations

import pytest

from tests.scenarios.stage import Checkpoint, Scenario, Stage, interesting, scenarios

ALL = scenarios()
THOROUGH = next(s for s in ALL if s.name == "08-full-payment")


def kill(stage: Stage, checkpoint: Checkpoint, point: int) -> None:
    try:
        stage.crash(checkpoint, point)
    except AssertionError as error:
        error.add_note(f"killed at point {point}, {checkpoint.points[point]!r}, of {checkpoint.data.name}")
        raise


def test_a_sync_killed_at_any_point_comes_to_the_same_end(stage: Stage) -> None:
    """A payment that settles its invoice: a create in Dynamics, an update of another record, and both their stamps."""
    checkpoint = stage.play(THOROUGH).checkpoints[-1]
    for point in interesting(checkpoint.points):
        kill(stage, checkpoint, point)


@pytest.mark.parametrize("scenario", ALL[::6], ids=lambda s: s.name)
def test_a_scenario_killed_at_one_point_comes_to_the_same_end(stage: Stage, scenario: Scenario) -> None:
    points = [(c, n) for c in stage.play(scenario).checkpoints for n in interesting(c.points)]
    kill(stage, *points[int(scenario.name[:2]) * 7 % len(points)])


@pytest.mark.soak
@pytest.mark.parametrize("scenario", ALL, ids=lambda s: s.name)
def test_every_scenario_killed_at_every_point_comes_to_the_same_end(stage: Stage, scenario: Scenario) -> None:
    for checkpoint in stage.play(scenario).checkpoints:
        for point in interesting(checkpoint.points):
            kill(stage, checkpoint, point)
