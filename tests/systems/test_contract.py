"""The contract of both clients, on the sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from contract import GuardedWrites, SystemContract
from dynamics_bench import DynamicsBench
from xero_bench import XeroBench

from sync_core.sandbox.serve import Sandbox


class TestDynamics(SystemContract, GuardedWrites):
    @pytest.fixture
    def bench(self, quiet_sandbox: Sandbox) -> Iterator[DynamicsBench]:
        bench = DynamicsBench(quiet_sandbox)
        yield bench
        bench.close()


class TestXero(SystemContract):
    @pytest.fixture
    def bench(self, quiet_sandbox: Sandbox) -> Iterator[XeroBench]:
        bench = XeroBench(quiet_sandbox)
        yield bench
        bench.close()
