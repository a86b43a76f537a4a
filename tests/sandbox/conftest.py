"""The sandbox's shell with stand-in systems, and a client for each port."""

from __future__ import annotations

import httpx
import pytest
from stand_ins import systems

from sync_core.sandbox.serve import Sandbox


@pytest.fixture(scope="module")
def shell_server():
    with Sandbox(seed=1, systems=systems()) as server:
        yield server


@pytest.fixture
def shell(shell_server):
    shell_server.reset(seed=1)
    return shell_server


@pytest.fixture
def xero(shell):
    with httpx.Client(base_url=shell.xero_url, timeout=5) as client:
        yield client


@pytest.fixture
def dynamics(shell):
    with httpx.Client(base_url=shell.dynamics_url, timeout=5) as client:
        yield client
