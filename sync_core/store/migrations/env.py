"""Alembic's entry: runs the steps on the connection that it is handed, in that connection's transaction."""

from __future__ import annotations

from alembic import context

from sync_core.store.migrate import VERSION_TABLE
from sync_core.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    # The caller's BEGIN covers the steps: SQLite's DDL can be undone as well, once the driver stays out of the way.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
