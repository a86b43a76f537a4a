"""The stage that scenarios are played on, shared by all of them."""

from __future__ import annotations

import pytest

from tests.scenarios.books import Books
from tests.scenarios.stage import Stage


@pytest.fixture(scope="session")
def stage(small_books: Books, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(small_books, tmp_path_factory.mktemp("stage"))
