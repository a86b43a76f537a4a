"""What a database driver says, turned into an error that names its remedy. Raw words go to ``detail`` only."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from sync_core.errors import Busy, Configure, Retryable, TieoutError

_WRITING = Busy("Another process is writing to the state database and did not finish in time. Try again in a minute.")
_FULL = Configure("The disk that holds the state database is full. Free some space, then try again.")
_READ_ONLY = Configure(
    "The state database cannot be written. Give this user the right to write to the file and its folder, then try again."
)
_BROKEN = Configure(
    "The state database is damaged or is not a Tieout state database. Restore it from a backup, or move the file "
    "away: Tieout then makes a new one and finds the links again from the tags in both systems."
)
_AWAY = Retryable("The state database did not answer. Check that its server runs, then try again.")
_DENIED = Configure("The state database refused this user. Check the user, the password and the rights of TIEOUT_STATE_URL.")

_SQLITE: tuple[tuple[str, TieoutError], ...] = (
    ("SQLITE_BUSY", _WRITING),
    ("SQLITE_LOCKED", _WRITING),
    ("SQLITE_FULL", _FULL),
    ("SQLITE_READONLY", _READ_ONLY),
    ("SQLITE_CANTOPEN", _READ_ONLY),
    ("SQLITE_PERM", _READ_ONLY),
    ("SQLITE_CORRUPT", _BROKEN),
    ("SQLITE_NOTADB", _BROKEN),
    ("SQLITE_IOERR", _BROKEN),
)
"""By the beginning of SQLite's error name (sqlite.org/rescode.html)."""

_POSTGRESQL: tuple[tuple[str, TieoutError], ...] = (
    ("55P03", _WRITING),
    ("40001", _WRITING),
    ("40P01", _WRITING),
    ("53100", _FULL),
    ("25006", _READ_ONLY),
    ("42501", _DENIED),
    ("28", _DENIED),
    ("3D000", _DENIED),
    ("08", _AWAY),
    ("57P", _AWAY),
)
"""By the beginning of the SQLSTATE (PostgreSQL manual, appendix A)."""


def translate(error: DBAPIError) -> TieoutError | None:
    """The error to raise instead, None when ``error`` is a fault of this program that must be seen as it is."""
    raw = error.orig
    name = getattr(raw, "sqlite_errorname", None)
    state = getattr(raw, "sqlstate", None)
    found = _find(_SQLITE, name) or _find(_POSTGRESQL, state)
    if found is None and (error.connection_invalidated or _never_arrived(error, name, state)):
        found = _AWAY
    return None if found is None else type(found)(found.message, detail=f"{type(raw).__name__}: {raw}")


def _never_arrived(error: DBAPIError, name: str | None, state: str | None) -> bool:
    """A connection that was not made or broke carries neither an error name nor a SQLSTATE."""
    return isinstance(error, OperationalError | InterfaceError) and not name and not state


def _find(table: tuple[tuple[str, TieoutError], ...], name: str | None) -> TieoutError | None:
    return next((error for beginning, error in table if (name or "").startswith(beginning)), None)
