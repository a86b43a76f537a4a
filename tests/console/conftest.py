"""Consoles, each in its own process, that serve a copy of a synced data folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.console.synced import WEBHOOK_KEY

ROOT = Path(__file__).parents[2]


def free():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment_of(synced, folder):
    """What a console needs to serve a copy of the synced folder."""
    made, settings = synced
    shutil.copytree(made, folder)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TIEOUT_", "STREAMLIT_"))}
    ours = {"TIEOUT_DATA_DIR": str(folder), "TIEOUT_SYNC_MINUTES": "600", "TIEOUT_XERO_WEBHOOK_KEY": WEBHOOK_KEY}
    return kept | settings | ours


@pytest.fixture
def environment(synced, tmp_path):
    return environment_of(synced, tmp_path / "data")


@pytest.fixture
def free_port():
    return free()


@pytest.fixture(scope="session")
def served(synced, tmp_path_factory):
    """One console for all tests that only look."""
    console = Console(environment_of(synced, tmp_path_factory.mktemp("served") / "data"), free())
    yield console.wait_until_ready()
    console.end()


class Console:
    """``python -m console`` as its own process."""

    def __init__(self, environment, port):
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "console", "--port", str(port)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def wait_until_ready(self, seconds=30):
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/api/ready", timeout=2).close()  # noqa: S310  # our own address
            except OSError:
                time.sleep(0.1)
            else:
                return self
        raise AssertionError(self.end()[1])

    def end(self):
        """Exit code and everything that it wrote to stderr."""
        if self.process.poll() is None:
            self.process.terminate()
        _, errors = self.process.communicate(timeout=60)
        return self.process.returncode, errors


@pytest.fixture
def start(environment, free_port):
    """Starts consoles; ends those that the test left running."""
    started = []

    def starter(port=free_port, **changes):
        started.append(Console(environment | changes, port))
        return started[-1]

    yield starter
    for console in started:
        console.end()
