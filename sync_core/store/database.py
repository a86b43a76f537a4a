"""The connection to the state database: SQLite in WAL mode by default, PostgreSQL by URL, one transaction per verb.

A verb that is called inside another transaction of the same thread joins it (as a savepoint), so that several verbs can be
kept or lost together.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from sync_core.errors import Configure, Retryable
from sync_core.store.failures import translate
from sync_core.store.locks import file_lock
from sync_core.store.migrate import is_current, to_head

_BUSY_MILLISECONDS = 15_000
_BEGIN = "tieout_begin"


class Database:
    """One engine. :meth:`read` and :meth:`write` give a connection inside a transaction; errors come out by remedy."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.dialect = engine.dialect.name
        self._writer = engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
        self._mine = threading.local()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        joined = self._joined()
        if joined is not None:
            yield joined
            return
        with _by_remedy(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Commits at the end; any exception undoes all of it. On SQLite this waits for other writers first."""
        joined = self._joined()
        if joined is not None:
            with joined.begin_nested():
                yield joined
            return
        with _by_remedy(), self._writer.begin() as connection:
            self._mine.connection = connection
            try:
                yield connection
            finally:
                self._mine.connection = None

    @contextmanager
    def guarded(self, inner: AbstractContextManager[None]) -> Iterator[None]:
        """``inner``, with the database's errors by remedy."""
        with _by_remedy(), inner:
            yield

    def close(self) -> None:
        self.engine.dispose()

    def _joined(self) -> Connection | None:
        connection: Connection | None = getattr(self._mine, "connection", None)
        return connection


def open_database(url: str) -> Database:
    """Open ``url``, make its file or bring its tables to the newest migration. Raises Configure with one sentence."""
    database = Database(_engine(_address(url)))
    try:
        _prepare(database)
    except BaseException:
        database.close()
        raise
    return database


def _prepare(database: Database) -> None:
    try:
        if database.dialect == "sqlite":
            _use_wal(database.engine)
        # Opening a current database must not wait for another process that is writing.
        with database.read() as connection:
            current = is_current(connection)
        if not current:
            with database.write() as connection:
                to_head(connection)
    except (Retryable, DBAPIError) as error:
        detail = error.detail if isinstance(error, Retryable) else f"{type(error.orig).__name__}: {error.orig}"
        raise Configure(
            f"The state database at {database.engine.url.render_as_string(hide_password=True)} could not be opened. "
            "Check TIEOUT_STATE_URL and that the database runs.",
            detail=detail,
        ) from error


def _use_wal(engine: Engine) -> None:
    """SQLite does not wait when two switch a new file at once: one of them fails. A lock beside the file lets them queue."""
    path = Path(engine.url.database or "")
    with file_lock(path.parent, path.name, "the state database"), _by_remedy(), engine.connect() as connection:
        connection.execution_options(**{_BEGIN: ""}).exec_driver_sql("PRAGMA journal_mode=WAL")


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError:
        raise Configure("TIEOUT_STATE_URL is not a database address. It must begin with sqlite:/// or postgresql://.") from None
    backend = address.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise Configure(
            f"TIEOUT_STATE_URL names {backend}. Tieout keeps its state in SQLite or PostgreSQL only; choose one of these."
        )
    if backend == "sqlite":
        _make_file(address)
    return address


def _make_file(address: URL) -> None:
    if not address.database or address.database == ":memory:":
        raise Configure("TIEOUT_STATE_URL must name a file: give it a path, for state that is only in memory would be lost.")
    path = Path(address.database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        # SQLite gives its -wal and -shm files the mode of the main file.
        path.chmod(0o600)
    except OSError as error:
        raise Configure(
            f"The state database {path} cannot be opened for writing. Choose another place with TIEOUT_DATA_DIR or "
            "TIEOUT_STATE_URL, or give this user the right to write there.",
            detail=str(error),
        ) from error


def _engine(address: URL) -> Engine:
    try:
        engine = create_engine(address, hide_parameters=True, pool_pre_ping=address.get_backend_name() != "sqlite")
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise Configure(
            f"The database driver that TIEOUT_STATE_URL asks for is not installed ({address.drivername}). "
            "For PostgreSQL: pip install 'psycopg[binary]'.",
            detail=str(error),
        ) from error
    if address.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _record: object) -> None:
    # The driver's own idea of when a transaction begins leaves DDL and reads outside of it.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={_BUSY_MILLISECONDS}",
        "synchronous=FULL",
        "foreign_keys=ON",
        "trusted_schema=OFF",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later would fail at once when another writer came between.
    begin = connection.get_execution_options().get(_BEGIN, "BEGIN")
    if begin:
        connection.exec_driver_sql(begin)


@contextmanager
def _by_remedy() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        known = translate(error)
        if known is None:
            raise
        raise known from error
