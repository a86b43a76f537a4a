"""The arena in which planted bugs must be caught."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog

from tests.simulation.arena import Arena, arena


@pytest.fixture(scope="session")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    with arena(tmp_path_factory.mktemp("plants")) as made, structlog.testing.capture_logs():
        yield made
