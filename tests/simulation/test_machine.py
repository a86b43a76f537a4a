"""The same operations, chosen by Hypothesis instead of a seed: it looks for the shortest way to break a promise."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.simulation.arena import Arena
from tests.simulation.drawing import OPERATIONS, Op
from tests.simulation.oracles import never_doubled, no_destruction, one_at_a_time, within_limits
from tests.simulation.schedules import Report, settle

EXAMPLES, STEPS = int(os.environ.get("TIEOUT_EXAMPLES", "2")), 15
NUMBERS = st.integers(0, 2**16)
ENGINE = ("sync", "sync_of_one_record", "killed_sync", "second_runner_at_once", "second_runner_takes_over", "preview")


class TwoBooks(RuleBasedStateMachine):
    """Both systems and Tieout. After every step what must never happen has not; at the end, in calm, all promises hold."""

    playground: Arena

    def __init__(self) -> None:
        super().__init__()
        self.playground.begin()
        self.played: list[Op] = []

    @rule(number=NUMBERS)
    def sync(self, number: int) -> None:
        self._play("sync", number)

    @rule(name=st.sampled_from(ENGINE), number=NUMBERS)
    def tieout(self, name: str, number: int) -> None:
        self._play(name, number)

    @rule(name=st.sampled_from([n for n in OPERATIONS if n not in ENGINE and n != "fault"]), number=NUMBERS)
    def people(self, name: str, number: int) -> None:
        self._play(name, number)

    @rule(number=NUMBERS)
    @precondition(lambda self: len(self.played) < STEPS)
    def trouble(self, number: int) -> None:
        self._play("fault", number)

    def _play(self, name: str, number: int) -> None:
        self.played.append(Op(name, number))
        self.played[-1].play(self.playground)

    @invariant()
    def nothing_that_must_never_happen(self) -> None:
        for oracle in (no_destruction, one_at_a_time, within_limits, never_doubled):
            assert oracle(self.playground) == []

    def teardown(self) -> None:
        report = Report(0, self.played)
        try:
            settle(self.playground, report)
        finally:
            self.playground.leave()
        assert report.breaches == []


def test_no_sequence_of_steps_breaks_a_promise(playground: Arena) -> None:
    TwoBooks.playground = playground
    quick = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    run_state_machine_as_test(TwoBooks, settings=quick)
