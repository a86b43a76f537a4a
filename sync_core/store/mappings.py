"""What people set up: a key ("type.account.3", "field.contact.phone.owner") and its value as text."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from sync_core.store.shelf import Shelf
from sync_core.store.tables import mappings


class Mappings(Shelf):
    def mapping(self, key: str) -> str | None:
        own = mappings.c.organisation == self._organisation, mappings.c.key == key
        with self._read() as connection:
            return connection.scalar(select(mappings.c.value).where(*own))

    def set_mapping(self, key: str, value: str, who: str, at: datetime) -> None:
        row = {"organisation": self._organisation, "key": key, "value": value, "who": who, "changed_at": at}
        statement = self._insert(mappings).values(row)
        changes = {name: statement.excluded[name] for name in ("value", "who", "changed_at")}
        with self._write() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["organisation", "key"], set_=changes))

    def remove_mapping(self, key: str) -> bool:
        """Back to the default. False when there was nothing."""
        own = mappings.c.organisation == self._organisation, mappings.c.key == key
        with self._write() as connection:
            return connection.execute(mappings.delete().where(*own)).rowcount > 0

    def mappings(self, prefix: str = "") -> dict[str, str]:
        """All whose key begins with ``prefix``, in order of the key."""
        own = mappings.c.organisation == self._organisation, mappings.c.key.startswith(prefix, autoescape=True)
        statement = select(mappings.c.key, mappings.c.value).where(*own)
        with self._read() as connection:
            rows = [(key, value) for key, value in connection.execute(statement) if key.startswith(prefix)]
        return dict(sorted(rows))
