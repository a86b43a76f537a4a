"""From nothing to the newest schema, and the newest schema as it is declared."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from durable import link
from sqlalchemy import create_engine, inspect, text

from sync_core.errors import Configure
from sync_core.store import migrate
from sync_core.store.tables import metadata


def test_the_migrations_make_exactly_the_declared_tables(state):
    with state._read() as connection:
        options = {"version_table": migrate.VERSION_TABLE, "compare_type": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


def test_every_table_carries_its_organisation():
    assert [table.name for table in metadata.tables.values() if "organisation" not in table.c] == []


def test_opening_twice_changes_nothing(state, open_here):
    state.add_links([link(1, 1)])
    again = open_here()
    assert again.link_counts() == {"invoice": 1}
    with again._write() as connection:
        migrate.to_head(connection)
    assert again.link_counts() == {"invoice": 1}


def test_there_is_one_line_of_migrations(state):
    with state._read() as connection:
        scripts = ScriptDirectory.from_config(migrate.alembic_config(connection))
    assert len(scripts.get_heads()) == len(scripts.get_bases()) == 1


def test_many_that_open_an_empty_database_at_once_all_succeed(open_here):
    start = Barrier(4)

    def try_it(number):
        start.wait()
        return open_here(f"org-{number}").check().schema

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(try_it, range(4))) == {"r0002"}


def test_a_newer_schema_is_left_alone(state, open_here):
    with state._write() as connection:
        connection.execute(text("UPDATE tieout_schema SET version_num = 'r9999'"))
    with pytest.raises(Configure, match="newer Tieout"):
        open_here()


def test_a_migration_that_fails_leaves_nothing_behind(state_url, open_here, monkeypatch):
    real = migrate.command.upgrade

    def half(config, target):
        real(config, target)
        raise RuntimeError("power cut")

    monkeypatch.setattr(migrate.command, "upgrade", half)
    with pytest.raises(RuntimeError, match="power cut"):
        open_here()
    engine = create_engine(state_url)
    assert inspect(engine).get_table_names() == []
    engine.dispose()
    monkeypatch.undo()
    assert open_here().check().schema == "r0002"
