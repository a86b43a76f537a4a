"""Opening the cache: made where there is none, brought up to date, set aside where it cannot be read, locked down."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb

from sync_core.errors import Busy, Configure
from sync_core.store.cache import Cache
from sync_core.store.prints import EVERY, PROBE

SETTINGS = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    # Sorts and joins that need more go to disk; a console on a small server keeps its memory.
    "memory_limit": "600MB",
    # Every checkpoint writes the tables anew that were changed: at the default of 16 MB a first sync makes dozens.
    "wal_autocheckpoint": "128MB",
}
_AGREED_PARTNERS = (
    "UPDATE record SET agreed_partner = a.partner FROM agreed a "
    "WHERE a.entity = record.entity AND a.side = record.side AND a.id = record.id"
)


def open_cache(path: Path) -> Cache:
    """Open or make the cache. A file that cannot be read is set aside and a new one begun (I19).

    Raises Busy when another process has it, Configure when the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        root = _connect(path)
    except OSError as error:
        raise Configure(
            f"The folder {path.parent} cannot be written ({error.strerror}). Set TIEOUT_DATA_DIR to one that can."
        ) from None
    cache, older, without_partners = Cache(root, path), _lacks(root, "seq"), _lacks(root, "agreed_partner")
    with cache.transaction() as transaction:
        if older:
            transaction.run(_sql("schema_upgrade.sql"))
        transaction.note(_sql("schema.sql"))
        if without_partners:
            transaction.run(_AGREED_PARTNERS)
        made = transaction.rows(PROBE)[0][0]
        if transaction.rows("SELECT value FROM fact WHERE name = 'prints'") != [(made,)]:
            transaction.note(EVERY)
            transaction.note("DELETE FROM fact WHERE name = 'prints'")
            transaction.note("INSERT INTO fact VALUES ('prints', ?)", made)
    return cache


def copy_cache(path: Path, to: Path) -> None:
    """A copy of a cache that nobody has open, for a reader of its own. While it is copied, nobody can open it to write.

    Raises Configure when there is none or it cannot be read, Busy when another process, or another part of this one, has it.
    """
    if not path.exists():
        raise Configure(f"There is no cache at {path}. Run a sync first, in the folder whose settings you use here.")
    try:
        held = duckdb.connect(str(path), read_only=True, config=SETTINGS)
    except (duckdb.IOException, duckdb.ConnectionException) as error:
        if "lock" not in str(error) and isinstance(error, duckdb.IOException):
            raise Configure(f"The cache {path} cannot be read. Run a sync: it is made anew.", detail=str(error)) from None
        raise Busy(
            f"Another Tieout process is using the cache {path}. Stop it, or wait until it is done, and try again.",
            detail=str(error),
        ) from None
    try:
        with ExitStack() as sources:  # whoever closes one of them in this process gives up the lock on it
            for each in (path, path.with_name(f"{path.name}.wal")):
                if each.exists():
                    source = sources.enter_context(each.open("rb"))
                    with to.with_name(each.name.replace(path.name, to.name)).open("wb") as target:
                        shutil.copyfileobj(source, target)
    finally:
        held.close()


def _lacks(root: Any, column: str) -> bool:
    """Whether the cache is from before this column of its records."""
    try:
        root.cursor().sql(f"SELECT {column} FROM record LIMIT 0").to_arrow_table()  # noqa: S608  # our own words
    except duckdb.CatalogException:  # there is no such table yet
        return False
    except duckdb.BinderException:  # there is, without this column
        return True
    return False


def _sql(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _connect(path: Path) -> Any:
    try:
        return _locked_down(duckdb.connect(str(path), config=SETTINGS))
    except duckdb.IOException as error:
        if "lock" in str(error):
            raise Busy(
                f"Another Tieout process is using the cache {path}. Use its console, or stop it and try again.",
                detail=str(error),
            ) from None
        if path.exists() and path.stat().st_size:
            return _locked_down(_begin_anew(path))
        raise Configure(f"The cache {path} cannot be opened. Check the disk and its permissions.", detail=str(error)) from None
    except (duckdb.SerializationException, duckdb.FatalException, duckdb.InternalException):
        return _locked_down(_begin_anew(path))


def _begin_anew(path: Path) -> Any:
    spoiled = path.with_suffix(".unreadable")
    path.replace(spoiled)
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
    return duckdb.connect(str(path), config=SETTINGS)


def _locked_down(root: Any) -> Any:
    """No statement of ours or of a reader may reach files, the network or other settings."""
    root.execute("SET enable_external_access = false").fetchall()
    root.execute("SET lock_configuration = true").fetchall()
    return root
