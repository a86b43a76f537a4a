"""The durable state: what must survive everything and cannot be pulled again. The one name to import is :func:`open_state`.

Each part is a shelf in a module of its own: links, statuses, runs and plans, leases, intents, mappings, credentials, audit,
requests. A verb is one transaction; :meth:`State.together` makes several verbs one. Bulk verbs take and give whole sequences.
Every verb may raise Configure (damaged, full or read-only), Busy (another writer did not finish) or Retryable (unreachable).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sync_core.errors import Configure
from sync_core.store.audit import Audit
from sync_core.store.cases import Cases
from sync_core.store.closes import Closes
from sync_core.store.credentials import Credentials
from sync_core.store.database import open_database
from sync_core.store.differences import Differences
from sync_core.store.intents import Intents
from sync_core.store.keys import Keys
from sync_core.store.mappings import Mappings
from sync_core.store.migrate import revision
from sync_core.store.requests import Requests
from sync_core.store.runs import Plans, Runs
from sync_core.store.shelf import Ground, Now, utc_now
from sync_core.store.verifications import Verifications

KEY_FILE = "secret.key"


@dataclass(frozen=True, slots=True)
class Health:
    """``database`` is "sqlite" or "postgresql"; ``schema`` the migration at which it stands."""

    database: str
    schema: str


class State(Intents, Runs, Plans, Mappings, Credentials, Audit, Requests, Verifications, Cases, Differences, Closes):
    """All shelves of one organisation. Safe to share between threads."""

    @contextmanager
    def together(self) -> Iterator[None]:
        """Verbs called inside by the same thread are kept together, or lost together when an exception leaves the block."""
        with self._write():
            yield

    def check(self) -> Health:
        """Prove that the state is whole, current and can be written. Raises what is wrong by its remedy."""
        database = self._ground.database
        with self._read() as connection:
            if database.dialect == "sqlite":
                found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
                if found != "ok":
                    raise Configure("The state database is damaged. Restore it from a backup.", detail=str(found))
        with self._write() as connection:
            schema = revision(connection)
        return Health(database.dialect, schema or "")

    def close(self) -> None:
        self._ground.database.close()


def open_state(url: str, organisation: str, secret_key: str | None, key_dir: Path, *, now: Now = utc_now) -> State:
    """Open the state of one organisation and bring its tables to the newest migration.

    ``url``: SQLAlchemy's, sqlite or postgresql. ``secret_key``: see :class:`sync_core.store.keys.Keys`; without one a key file
    is made in ``key_dir``. ``now`` gives aware UTC. Raises Configure when the place cannot be written, is damaged, or
    belongs to a newer Tieout.
    """
    database = open_database(url)
    return State(Ground(database, organisation, now, Keys(secret_key, key_dir / KEY_FILE), key_dir))
