"""A lock that one thread of one process holds at a time, set free by the system when that process dies.

On SQLite it is a transaction on a small file of its own, so that a slow answer of an identity server does not keep other
writers out of the state. On PostgreSQL it is a row, which works across machines as well.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Engine, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

from sync_core.errors import Busy, Configure
from sync_core.store.tables import locks

PATIENCE_SECONDS = 60
_LOCK_NOT_AVAILABLE = "55P03"  # SQLSTATE, PostgreSQL manual, appendix A


@contextmanager
def file_lock(folder: Path, scope: str, name: str, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """``scope`` and ``name`` say what is locked. Raises Busy after ``patience`` seconds."""
    digest = hashlib.sha256(f"{scope}\n{name}".encode()).hexdigest()[:16]
    path = folder / f"lock-{digest}.sqlite"
    with closing(_open(path, patience)) as connection:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if (error.sqlite_errorname or "").startswith("SQLITE_BUSY"):
                raise _busy(name) from error
            raise _unusable(path, error) from error
        try:
            yield
        finally:
            connection.rollback()


def _open(path: Path, patience: float) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        return sqlite3.connect(path, timeout=patience, isolation_level=None)
    except (OSError, sqlite3.OperationalError) as error:
        raise _unusable(path, error) from error


@contextmanager
def row_lock(engine: Engine, organisation: str, name: str, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """The same on PostgreSQL. The row is committed first, so that holders differ only in who locks it."""
    row = {"organisation": organisation, "name": name}
    with engine.begin() as connection:
        connection.execute(postgresql.insert(locks).values(row).on_conflict_do_nothing())
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL lock_timeout = {int(patience * 1000)}"))
        wanted = select(locks.c.name).where(locks.c.organisation == organisation, locks.c.name == name)
        try:
            connection.execute(wanted.with_for_update())
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
                raise _busy(name) from error
            raise
        yield


def _busy(name: str) -> Busy:
    return Busy(f"Another process is busy with {name} and did not finish in time. Try again in a minute.")


def _unusable(path: Path, error: Exception) -> Configure:
    return Configure(
        f"The lock file {path} cannot be used. Give this user the right to write in that folder.", detail=str(error)
    )
