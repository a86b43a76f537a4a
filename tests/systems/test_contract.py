"""The contract of both clients, on the sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from contract import SystemContract
from dynamics_bench import DynamicsBench

from sync_core.sandbox.serve import Sandbox


class TestDynamics(SystemContract):
    @pytest.fixture
    def bench(self, quiet_sandbox: Sandbox) -> Iterator[DynamicsBench]:
        bench = DynamicsBench(quiet_sandbox)
        yield bench
        bench.close()
