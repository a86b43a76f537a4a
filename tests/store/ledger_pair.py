"""A small cache for tests: two ledgers filled line by line, queried as the real cache is."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa

from sync_core.store.cache import Cache
from sync_core.store.prints import printed
from sync_core.store.records import RECORD

SCHEMA = Path(__file__).parents[2] / "sync_core" / "store" / "schema.sql"
DAY = date(2026, 11, 2)


class Ledgers:
    """``add`` one record, ``pair`` two that are linked; ``cache`` is what the reconciliation asks."""

    def __init__(self):
        self.root = duckdb.connect()
        self.root.execute(SCHEMA.read_text()).fetchall()
        self.cache = Cache(self.root, Path("in memory"))

    def add(self, entity, side, id_, **other):
        """One record; ``fields`` are canonical, amounts are given as text."""
        amounts = {
            name: Decimal(other[name])
            for name in other
            if name.startswith(("total", "amount", "rate")) and other[name] is not None
        }
        row = {
            "entity": entity, "side": side, "id": id_, "native_table": "", "version": "1", "gone": "",
            "hash": f"hash of {id_}", "run": "run-1",
        } | other | amounts  # fmt: skip
        row["fields"] = json.dumps(row.get("fields", {}))
        self._insert("record", pa.Table.from_pylist([row], RECORD))

    def invoice(self, side, id_, total="115.00", *, tax="15.00", **other):
        """An invoice of 2 November for customer K; the Xero one is open with all due unless told otherwise."""
        paid = other.get("amount_paid", "0")
        xero = {"amount_paid": paid, "amount_credited": "0", "amount_due": str(Decimal(total or 0) - Decimal(paid))}
        usual = {
            "contact": f"{side}-k", "currency": "NZD", "doc_date": DAY, "due_date": DAY, "total": total, "total_tax": tax,
            "state": "0" if side == "crm" else "AUTHORISED",
        } | ({} if side == "crm" else xero)  # fmt: skip
        self.add("invoices", side, id_, **(usual | other))

    def pair(self, name, crm=None, xero=None, *, agreed=True, **both):
        """A linked pair of invoices, ``c-<name>`` and ``x-<name>``, with what differs per side."""
        for side, other, own in (("crm", "x", crm or {}), ("xero", "c", xero or {})):
            self.invoice(side, f"{side[0]}-{name}", partner=f"{other}-{name}", **({"number": name} | both | own))
        if agreed:
            self.agree("invoices", f"c-{name}", f"x-{name}")

    def agree(self, entity, crm_id, xero_id, **fields):
        images = [
            {"entity": entity, "side": side, "id": own, "partner": other, "hash": f"hash of {own}",
             "fields": json.dumps(fields), "run": "run-1", "stamp": ""}
            for side, own, other in (("crm", crm_id, xero_id), ("xero", xero_id, crm_id))
        ]  # fmt: skip
        self._insert("agreed", pa.Table.from_pylist(images))
        self.root.execute(
            f"UPDATE record SET {printed('agreed_hash', 'a.hash')} FROM agreed a"  # noqa: S608  # our own words
            " WHERE a.entity = record.entity AND a.side = record.side AND a.id = record.id"
        ).fetchall()

    def customer(self, crm_id="crm-k", xero_id="xero-k", title="Kea Ltd"):
        """A contact that is linked on both sides."""
        for side, own, other in (("crm", crm_id, xero_id), ("xero", xero_id, crm_id)):
            self.add("contacts", side, own, title=title, partner=other)

    def pulled(self, stream, at: datetime):
        row = {"stream": stream, "cursor": "c", "pulled_at": at, "full_at": at, "run": "run-1"}
        self._insert("cursor", pa.Table.from_pylist([row]))

    def _insert(self, table, rows):
        self.root.register("incoming", rows)
        self.root.execute(f"INSERT INTO {table} BY NAME SELECT * FROM incoming").fetchall()  # noqa: S608  # two names of our own
        self.root.unregister("incoming")
        self.cache.changes += 1
        self.cache.touches += 1
