"""The stage that scenarios are played on, shared by all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sync_core.sandbox.serve import Sandbox
from tests.scenarios.books import Books, small_company
from tests.scenarios.stage import Stage


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Sandbox(seed=1, company=small_company) as sandbox:
        yield Stage(Books(sandbox, tmp_path_factory.mktemp("books")), tmp_path_factory.mktemp("stage"))
