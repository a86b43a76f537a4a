"""A sandbox that was set up once, shared by the tests of the clients: rows stay, so each test makes its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dynamics_bench import DynamicsBench

from sync_core.sandbox.serve import Sandbox
from sync_core.systems.provision import provision


@pytest.fixture(scope="session")
def ready_sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=1) as sandbox:
        bench = DynamicsBench(sandbox)
        provision(bench.system.http, bench.clock, lambda _text: None)
        bench.close()
        yield sandbox


@pytest.fixture
def quiet_sandbox(ready_sandbox: Sandbox) -> Sandbox:
    """The same without faults."""
    ready_sandbox.run(ready_sandbox.kernel.faults.clear)
    return ready_sandbox
