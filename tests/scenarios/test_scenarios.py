"""Every scenario folder, played through: what each sync did and said, and what both systems hold afterwards."""

from __future__ import annotations

import pytest

from tests.scenarios.stage import Scenario, Stage, read_golden, scenarios, write_golden


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda s: s.name)
def test_a_scenario_comes_out_as_written_and_then_comes_to_rest(
    stage: Stage, scenario: Scenario, request: pytest.FixtureRequest
) -> None:
    played = stage.play(scenario)
    if request.config.getoption("--golden"):
        write_golden(scenario, played)
    assert played.as_golden() == read_golden(scenario)
    stage.replay()
