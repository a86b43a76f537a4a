"""The durable state on SQLite, or on the PostgreSQL that TIEOUT_TEST_STATE_URL names (its schema tieout_test is wiped)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from durable import StillClock
from sqlalchemy import create_engine, make_url, text

from sync_core.store.cache import Cache
from sync_core.store.cache_opening import open_cache
from sync_core.store.state import State, open_state

Opener = Callable[..., State]
SECRET = "secret"


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    """A new cache of its own."""
    made = open_cache(tmp_path / "cache.duckdb")
    yield made
    made.close()


@pytest.fixture
def state_url(tmp_path: Path) -> str:
    given = os.environ.get("TIEOUT_TEST_STATE_URL")
    if not given:
        return f"sqlite:///{tmp_path / 'data' / 'state.sqlite'}"
    engine = create_engine(given)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA IF EXISTS tieout_test CASCADE"))
        connection.execute(text("CREATE SCHEMA tieout_test"))
    engine.dispose()
    url = make_url(given).update_query_dict({"options": "-csearch_path=tieout_test"})
    return url.render_as_string(hide_password=False)


@pytest.fixture
def state_clock() -> StillClock:
    return StillClock()


@pytest.fixture
def open_here(state_url: str, tmp_path: Path, state_clock: StillClock) -> Iterator[Opener]:
    """Opens the same database again, as another process of the same installation would."""
    opened: list[State] = []

    def opener(organisation: str = "org", secret_key: str | None = SECRET, key_dir: Path | None = None) -> State:
        opened.append(open_state(state_url, organisation, secret_key, key_dir or tmp_path / "data", now=state_clock))
        return opened[-1]

    yield opener
    for each in opened:
        each.close()


@pytest.fixture
def state(open_here: Opener) -> State:
    return open_here()
