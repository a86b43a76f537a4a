"""What came of verifying a pair last: one row per pair, the latest verification only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from sync_core.model import FieldDifference, Side, Verification
from sync_core.store.shelf import Row, Shelf, canonical_json, chunks
from sync_core.store.tables import verifications as table

_IDENTITY = ("organisation", "entity", "crm_id")
_CHANGING = ("xero_id", "title", "agrees", "missing", "differences", "hash", "crm_hash", "xero_hash", "at", "run")
_SAME = ("entity", "crm_id", "xero_id", "title", "missing", "hash", "crm_hash", "xero_hash", "run")
_COLUMNS = [column for column in table.c if column.name != "organisation"]


class Verifications(Shelf):
    def keep_verifications(self, made: Sequence[Verification]) -> None:
        """Insert or replace. Raises ValueError for one that says not when it was made."""
        if not made:
            return
        statement = self._insert(table)
        changes = {name: statement.excluded[name] for name in _CHANGING}
        with self._write() as connection:
            rows = [{"organisation": self._organisation, **_row(one)} for one in made]
            connection.execute(statement.on_conflict_do_update(index_elements=_IDENTITY, set_=changes), rows)

    def verifications(self, entity: str, side: Side, ids: Sequence[str]) -> dict[str, Verification]:
        """The last verification of each of those records, by the id on ``side``; those never verified are left out."""
        column = table.c.crm_id if side is Side.CRM else table.c.xero_id
        own = table.c.organisation == self._organisation, table.c.entity == entity
        found: dict[str, Verification] = {}
        with self._read() as connection:
            for some in chunks(ids):
                for row in connection.execute(select(*_COLUMNS).where(*own, column.in_(some)).order_by(table.c.at)):
                    one = _verification(row._asdict())
                    found[one.crm_id if side is Side.CRM else one.xero_id] = one
        return found

    def failed_verifications(self, entity: str | None = None, limit: int = 1000) -> list[Verification]:
        """Pairs whose last verification found a difference, the latest first."""
        wanted = [table.c.organisation == self._organisation, table.c.agrees == 0]
        if entity is not None:
            wanted.append(table.c.entity == entity)
        statement = select(*_COLUMNS).where(*wanted).order_by(table.c.at.desc(), table.c.crm_id).limit(limit)
        with self._read() as connection:
            return [_verification(row._asdict()) for row in connection.execute(statement)]


def _row(one: Verification) -> dict[str, Any]:
    if one.at is None:
        raise ValueError("A verification is kept with the instant at which both systems were read.")
    differences = canonical_json([[d.field, d.crm, d.xero] for d in one.differences])
    same = {name: getattr(one, name) for name in _SAME}
    return {**same, "agrees": int(one.agrees), "differences": differences, "at": one.at}


def _verification(row: Row) -> Verification:
    differences = tuple(FieldDifference(*each) for each in json.loads(row["differences"]))
    return Verification(**{name: row[name] for name in _SAME}, differences=differences, at=row["at"])
