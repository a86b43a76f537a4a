"""Brings the state database to the newest schema with Alembic, inside the caller's transaction.

Two processes that start at once do not both migrate: on SQLite the caller's write transaction keeps the second one waiting,
on PostgreSQL an advisory lock does.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from sync_core.errors import Configure
from sync_core.store.tables import metadata

VERSION_TABLE = "tieout_schema"
"""Not Alembic's usual name, so that the tables can stand in a PostgreSQL schema that another program shares."""

_ADVISORY_LOCK = 7_201_984_113


def is_current(connection: Connection) -> bool:
    """Whether the database stands at this program's newest migration."""
    return revision(connection) == ScriptDirectory.from_config(alembic_config(connection)).get_current_head()


def to_head(connection: Connection) -> None:
    """Run the migrations that are missing. Raises Configure when the schema is newer than this program, or foreign."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    config = alembic_config(connection)
    scripts = ScriptDirectory.from_config(config)
    present = revision(connection)
    if present == scripts.get_current_head():
        return
    if present is None:
        _refuse_foreign_tables(connection)
    elif present not in {script.revision for script in scripts.walk_revisions()}:
        raise Configure(
            f"The state database was written by a newer Tieout (schema {present}). "
            "Install that version again; this one would damage it."
        )
    command.upgrade(config, "head")


def revision(connection: Connection) -> str | None:
    """The migration at which the database stands, None for an empty one."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration, made here because the project has no alembic.ini to lose."""
    config = Config()
    place = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", place.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _refuse_foreign_tables(connection: Connection) -> None:
    taken = sorted(set(inspect(connection).get_table_names()) & set(metadata.tables))
    if taken:
        raise Configure(
            f"The state database already holds a table named {taken[0]} that is not Tieout's. "
            "Point TIEOUT_STATE_URL to a database of its own."
        )
