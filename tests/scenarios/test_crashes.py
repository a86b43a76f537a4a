"""Each sync of a scenario again, ended dead at every numbered point: the next one comes to the same end, and then to rest.

The default is every point of the scenarios below and one point of each other one; ``--every-point`` kills them all.
"""

from __future__ import annotations

import pytest

from tests.scenarios.stage import Scenario, Stage, interesting, scenarios

THOROUGH = ("01-new-customer-and-invoice", "08-full-payment")


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda s: s.name)
def test_a_sync_killed_at_any_point_comes_to_the_same_end(
    stage: Stage, scenario: Scenario, request: pytest.FixtureRequest
) -> None:
    every = request.config.getoption("--every-point")
    played = stage.play(scenario)
    points = [(c, n) for c in played.checkpoints for n in interesting(c.points)]
    if not every and scenario.name not in THOROUGH:
        turn = int(scenario.name[:2])
        points = [points[turn * 7 % len(points)]]
    for checkpoint, point in points:
        try:
            stage.crash(checkpoint, point)
        except AssertionError as error:
            error.add_note(f"killed at point {point}, {checkpoint.points[point]!r}, of {checkpoint.data.name}")
            raise
