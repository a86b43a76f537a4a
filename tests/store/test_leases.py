"""One run at a time per organisation, and a fence for the one that slept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from durable import MINUTE, NOON, another_process

from sync_core.errors import Busy


def test_the_second_is_told_who_and_since_when(state, state_clock):
    state.acquire("run-1", 5 * MINUTE)
    state_clock.pass_(MINUTE)
    with pytest.raises(Busy, match="run-1 has been syncing this organisation since 2026-11-20 12:00:00 UTC"):
        state.acquire("run-2", 5 * MINUTE)
    assert state.current_lease() == ("run-1", NOON, NOON + 5 * MINUTE)


def test_the_fence_only_grows(state, state_clock):
    fences = []
    for _ in range(3):
        lease = state.acquire("run", MINUTE)
        fences.append(lease.fence)
        state.release(lease)
    state.acquire("run", MINUTE)
    state_clock.pass_(2 * MINUTE)
    fences.append(state.acquire("run", MINUTE).fence)
    assert fences == [1, 2, 3, 5]


def test_a_lease_that_ran_out_is_taken_over_and_its_holder_is_stopped(state, state_clock):
    old = state.acquire("run-1", MINUTE)
    state_clock.pass_(MINUTE)
    new = state.acquire("run-2", MINUTE)
    for verb in (state.check_fence, state.renew):
        with pytest.raises(Busy, match="run-2 took over"):
            verb(old)
    state.release(old)
    state.check_fence(new)


def test_a_lease_that_ran_out_sends_nothing_until_it_is_renewed(state, state_clock):
    lease = state.acquire("run-1", MINUTE)
    state_clock.pass_(2 * MINUTE)
    assert state.current_lease() is None
    with pytest.raises(Busy, match="ran out at 2026-11-20 12:01:00 UTC"):
        state.check_fence(lease)
    renewed = state.renew(lease)
    state.check_fence(renewed)
    assert (renewed.fence, renewed.expires_at) == (lease.fence, NOON + 3 * MINUTE)


def test_a_lease_given_back_is_no_longer_held(state):
    lease = state.acquire("run-1", MINUTE)
    state.release(lease)
    assert state.current_lease() is None
    with pytest.raises(Busy, match="given back"):
        state.check_fence(lease)


def test_each_organisation_has_its_own(state, open_here):
    lease = state.acquire("run-1", MINUTE)
    assert open_here("other").acquire("run-2", MINUTE).fence == 1
    assert state.current_lease()[0] == "run-1"
    state.check_fence(lease)


def test_one_of_many_threads_gets_it(state, open_here):
    start = Barrier(6)
    states = [state, *(open_here() for _ in range(5))]

    def try_it(number):
        start.wait()
        try:
            return states[number].acquire(f"run-{number}", MINUTE)
        except Busy:
            return None

    with ThreadPoolExecutor(6) as pool:
        assert sum(lease is not None for lease in pool.map(try_it, range(6))) == 1


def test_one_of_two_processes_gets_it_also_on_an_empty_database(state_url, tmp_path):
    code = (
        "say('ready')\nsys.stdin.readline()\n"
        "try:\n    say(f'fence {state.acquire(str(id(state)), timedelta(hours=1)).fence}')\n"
        "except Busy:\n    say('busy')"
    )
    processes = [another_process(state_url, tmp_path, code) for _ in range(2)]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    assert sorted(process.communicate()[0] for process in processes) == ["busy\n", "fence 1\n"]
