"""Secrets at rest: sealed with Fernet (AES-128-CBC and HMAC-SHA256), under a key that never stands in the database."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from cryptography.fernet import InvalidToken
from sqlalchemy import Connection, select, update

from sync_core.errors import Configure
from sync_core.store.locks import PATIENCE_SECONDS, file_lock, row_lock
from sync_core.store.shelf import Shelf
from sync_core.store.tables import credentials, key_salts


class Credentials(Shelf):
    def save_credential(self, name: str, value: Mapping[str, Any]) -> None:
        """Durable when this returns: a token that replaces another is used only after that."""
        # The name goes in as well, so that a sealed value moved to another row does not open there.
        words = json.dumps([self._organisation, name, dict(value)], allow_nan=False).encode()
        with self._write() as connection:
            sealed = self._ground.keys.sealing(self._salt(connection)).encrypt(words).decode()
            row = {"organisation": self._organisation, "name": name, "sealed": sealed, "saved_at": self._now()}
            statement = self._insert(credentials).values(row)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["organisation", "name"],
                    set_={"sealed": statement.excluded.sealed, "saved_at": statement.excluded.saved_at},
                )
            )

    def load_credential(self, name: str) -> dict[str, Any] | None:
        """None when there is none. Raises Configure when the present keys do not open it."""
        with self._read() as connection:
            sealed = connection.scalar(select(credentials.c.sealed).where(*self._is_credential(name)))
            salt = connection.scalar(self._own_salt()) if sealed is not None else None
        if sealed is None:
            return None
        opened = self._ground.keys.opening(base64.b64decode(salt or ""))
        try:
            if opened is None:
                raise InvalidToken
            organisation, sealed_name, value = json.loads(opened.decrypt(sealed))
        except InvalidToken:
            raise _wrong_key(name) from None
        if (organisation, sealed_name) != (self._organisation, name):
            raise _wrong_key(name)
        return dict(value)

    def remove_credential(self, name: str) -> bool:
        """Forget it. False when there was none."""
        with self._write() as connection:
            return connection.execute(credentials.delete().where(*self._is_credential(name))).rowcount > 0

    def rotate_credentials(self) -> int:
        """Seal everything again under the first key, so that the old ones can be dropped; how many there were."""
        with self._write() as connection:
            keys = self._ground.keys.sealing(self._salt(connection))
            own = credentials.c.organisation == self._organisation
            rows = connection.execute(select(credentials.c.name, credentials.c.sealed).where(own)).all()
            for name, sealed in rows:
                try:
                    again = keys.rotate(sealed).decode()
                except InvalidToken:
                    raise _wrong_key(name) from None
                connection.execute(update(credentials).where(*self._is_credential(name)).values(sealed=again))
        return len(rows)

    def credential_store(self, name: str) -> CredentialStore:
        """One credential as the object that a token client keeps it in."""
        return CredentialStore(self, name)

    def credential_lock(self, name: str, patience: float = PATIENCE_SECONDS) -> AbstractContextManager[None]:
        """Held by one thread of one process; not reentrant. Raises Busy after ``patience`` seconds."""
        ground, what = self._ground, f"the credential {name}"
        if ground.database.dialect == "sqlite":
            return file_lock(ground.key_dir, self._organisation, what, patience)
        return ground.database.guarded(row_lock(ground.database.engine, self._organisation, what, patience))

    def _is_credential(self, name: str) -> tuple[Any, Any]:
        return credentials.c.organisation == self._organisation, credentials.c.name == name

    def _own_salt(self) -> Any:
        return select(key_salts.c.salt).where(key_salts.c.organisation == self._organisation)

    def _salt(self, connection: Connection) -> bytes:
        fresh = base64.b64encode(secrets.token_bytes(16)).decode()
        row = {"organisation": self._organisation, "salt": fresh}
        connection.execute(self._insert(key_salts).values(row).on_conflict_do_nothing())
        return base64.b64decode(connection.scalar(self._own_salt()))


class CredentialStore:
    """Loads and saves one credential; ``lock`` makes a renewal single-flight over threads and processes."""

    def __init__(self, shelf: Credentials, name: str) -> None:
        self._shelf = shelf
        self._name = name

    def load(self) -> dict[str, Any] | None:
        return self._shelf.load_credential(self._name)

    def save(self, value: dict[str, Any]) -> None:
        self._shelf.save_credential(self._name, value)

    def lock(self) -> AbstractContextManager[None]:
        return self._shelf.credential_lock(self._name)


def _wrong_key(name: str) -> Configure:
    return Configure(
        f"The saved credential {name} does not open with the present key. Set TIEOUT_SECRET_KEY to the key that it was "
        "saved with (several may stand there, separated by commas), or connect that system again."
    )
