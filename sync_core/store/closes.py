"""Periods that were prepared, signed or opened again, with the hash of every record in them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import ColumnElement, Select, select, update

from sync_core.errors import Rejected
from sync_core.model import Side
from sync_core.rules.closing import CloseStatus, SignOff
from sync_core.store.shelf import Row, Shelf, canonical_json, chunks
from sync_core.store.tables import close_records, closes

_SAME = ("status", "preparer", "prepared_at", "reviewer", "signed_at", "reopened_by", "reopened_at", "note", "run", "digest")


@dataclass(frozen=True, slots=True)
class HeldRecord:
    """A record as it stood when its period was prepared. ``held``: what is compared where its old version is lost."""

    entity: str
    side: Side
    id: str
    hash: str
    held: Mapping[str, Any]


class Closes(Shelf):
    def sign_offs(self) -> list[SignOff]:
        """All of them, the latest period first."""
        order = closes.c.ends.desc(), closes.c.seq.desc()
        with self._read() as connection:
            return [_sign_off(row._asdict()) for row in connection.execute(self._select().order_by(*order))]

    def sign_off(self, number: int) -> SignOff:
        """Raises Rejected when there is none of that number."""
        with self._read() as connection:
            row = connection.execute(self._select().where(closes.c.seq == number)).one_or_none()
        if row is None:
            raise Rejected(f"There is no sign-off with number {number}. Reload the page.")
        return _sign_off(row._asdict())

    def keep_close(self, made: SignOff, records: Iterable[Sequence[HeldRecord]]) -> SignOff:
        """Keep a new one with its records, in pieces; answers with its number filled in."""
        row = {name: getattr(made, name) for name in _SAME} | {"status": str(made.status)}
        texts = {"totals": canonical_json(made.totals), "about": canonical_json(made.about)}
        days = {"starts": made.starts.isoformat(), "ends": made.ends.isoformat()}
        with self._write() as connection:
            insert = closes.insert().values(organisation=self._organisation, **row, **texts, **days)
            number = connection.execute(insert.returning(closes.c.seq)).scalar_one()
            for some in records:
                rows = [
                    {"organisation": self._organisation, "close": number, "entity": r.entity, "side": str(r.side), "id": r.id}
                    | {"hash": r.hash, "held": canonical_json(r.held)}
                    for r in some
                ]
                if rows:
                    connection.execute(close_records.insert(), rows)
        return self.sign_off(number)

    def move_close(self, number: int, status: CloseStatus, **values: str | datetime) -> SignOff:
        """Another status, with who and when."""
        own = closes.c.organisation == self._organisation, closes.c.seq == number
        with self._write() as connection:
            connection.execute(update(closes).where(*own).values(status=str(status), **values))
        return self.sign_off(number)

    def close_hashes(self, number: int, entity: str) -> pa.Table:
        """What each record of a sign-off held, by its hash: side, id, hash."""
        names = ("side", "id", "hash")
        statement = select(*(close_records.c[name] for name in names)).where(*self._records_of(number, entity))
        with self._read() as connection:
            rows = connection.execute(statement).all()
        values = zip(*rows, strict=True) if rows else ([], [], [])
        return pa.table({name: pa.array(list(column), pa.string()) for name, column in zip(names, values, strict=True)})

    def close_records(self, number: int, entity: str, side: Side, ids: Sequence[str]) -> dict[str, HeldRecord]:
        """By id, those of ``ids`` that were in a sign-off, as they stood then."""
        table = close_records
        found: dict[str, HeldRecord] = {}
        for some in chunks(ids):
            own = *self._records_of(number, entity), table.c.side == str(side), table.c.id.in_(some)
            with self._read() as connection:
                rows = connection.execute(select(table).where(*own)).all()
            found |= {row.id: HeldRecord(entity, side, row.id, row.hash, json.loads(row.held)) for row in rows}
        return found

    def _records_of(self, number: int, entity: str) -> tuple[ColumnElement[bool], ...]:
        table = close_records
        return table.c.organisation == self._organisation, table.c.close == number, table.c.entity == entity

    def _select(self) -> Select[Any]:
        return select(closes).where(closes.c.organisation == self._organisation)


def _sign_off(row: Row) -> SignOff:
    values: dict[str, Any] = {name: row[name] for name in _SAME} | {"status": CloseStatus(row["status"])}
    days: dict[str, Any] = {name: date.fromisoformat(row[name]) for name in ("starts", "ends")}
    return SignOff(number=row["seq"], **values, **days, totals=json.loads(row["totals"]), about=json.loads(row["about"]))
