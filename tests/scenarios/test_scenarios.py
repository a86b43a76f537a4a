"""Every scenario folder, played through: what each sync did and said, and what both systems hold afterwards.

Most are also killed at a point of a sync that writes, another one in each, so that together they meet many kinds of
point; tests/scenarios/test_crashes.py has all of them.
"""

from __future__ import annotations

import pytest

from tests.scenarios.stage import Pick, Scenario, Stage, interesting, read_golden, scenarios, write_golden

ONE_IN = 60


def some(scenario: Scenario) -> Pick:
    """Every sixtieth of the interesting points, beginning at another of the first twelve in each scenario."""
    met = iter(range(ONE_IN - int(scenario.name[:2]) % 12, 10_000))
    return lambda number, name: interesting(number, name) and next(met) % ONE_IN == 0


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda s: s.name)
def test_a_scenario_comes_out_as_written_and_then_comes_to_rest_also_after_a_kill(
    stage: Stage, scenario: Scenario, request: pytest.FixtureRequest
) -> None:
    played = stage.play(scenario, some(scenario))
    if request.config.getoption("--golden"):
        write_golden(scenario, played)
    assert played.as_golden() == read_golden(scenario)
    stage.replay()
    stage.survive_all(played)
