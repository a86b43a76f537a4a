"""Fixtures for every room: the two systems over real HTTP, and a copy of them that is as good as new per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sync_core.sandbox.serve import Sandbox
from tests.console.synced import company, synced
from tests.scenarios.books import Books, small_company

__all__ = ["company", "synced"]


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[Sandbox]:
    """One running sandbox for the whole session; its rows are whatever the last test left. Prefer ``sandbox``."""
    with Sandbox(seed=1) as server:
        yield server


@pytest.fixture(scope="session")
def small_books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    """The small company, set up and synced once; ``begin_again`` puts it back to that."""
    with Sandbox(seed=1, company=small_company) as server:
        yield Books(server, tmp_path_factory.mktemp("books"))


@pytest.fixture
def books(small_books: Books) -> Books:
    """The small company in step, as if nobody had touched it."""
    small_books.begin_again()
    return small_books


@pytest.fixture
def sandbox(sandbox_server: Sandbox) -> Sandbox:
    """The running sandbox with the demo company freshly seeded, no faults, an empty log and real time."""
    sandbox_server.reset(seed=1, invoices=0)
    return sandbox_server


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="Write the outcomes of the scenarios anew; then read the diff.")
    parser.addoption(
        "--every-point", action="store_true", help="Kill every scenario at every point that writes; try every fault."
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked ``soak`` are left to ``--every-point``."""
    if not config.getoption("--every-point"):
        left = [item for item in items if item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]
