"""The journal of the organisation: numbered and never changed. A paper that changes is reversed and posted again.

Nothing is written when papers are: the journal catches up with them when somebody looks, so what a paper went through
between two looks is one step. Source of the shapes: the
public description's example of ``GET /Journals``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid5

from sync_core.sandbox.kernel import Collection, Row
from sync_core.sandbox.xero import wire
from sync_core.sandbox.xero.errors import not_found
from sync_core.sandbox.xero.ledger import POSTERS, Entry, Posting, posting_of
from sync_core.sandbox.xero.listing import Query
from sync_core.sandbox.xero.store import Store

PAGE = 100
STATE = "state"
BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
LAST = "\uffff"
PAYMENTS = ("PAYMENT", "CASHREC", "CASHPAID", "TRANSFER")


class Ledger:
    """The journal of one store, with what each paper has posted."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._journals: Collection = store.kernel.collection("xero.Journals")
        self._posted: Collection = store.kernel.collection("xero.Posted")

    def catch_up(self) -> None:
        """Post what has been written since the last look, in the order in which it was written."""
        state = self._posted.get(STATE) or {"seen": BEGINNING, "last": 0}
        changed = sorted(self._changed(state["seen"]))
        if not changed:
            return
        number = state["last"]
        for stamp, resource, row_id in changed:
            for posting, source in self._steps(resource, row_id):
                number += 1
                self._journals.put(f"{number:09d}", _journal(number, stamp, source, posting))
        self._posted.put(STATE, {"seen": changed[-1][0], "last": number})

    def _changed(self, seen: datetime) -> Iterator[tuple[datetime, str, str]]:
        for resource in POSTERS:
            stamps = self._store[resource].stamps
            yield from ((at, resource, i) for at, i in stamps[bisect_right(stamps, (seen, LAST)) :])

    def _steps(self, resource: str, row_id: str) -> Iterator[tuple[Posting, str]]:
        """What must be posted so that the ledger says of this row what it says itself."""
        row = self._store[resource].get(row_id)
        wanted = posting_of(self._store, resource, row) if row else None
        kept = self._posted.get(row_id)
        now = _kept(wanted) if wanted else None
        if kept == now:
            return
        if kept is not None:
            yield _reversed(read_posting(kept)), row_id
            self._posted.remove(row_id)
        if wanted is not None and now is not None:
            yield wanted, row_id
            self._posted.put(row_id, now)

    def postings(self) -> Iterator[Posting]:
        """What stands in the ledger now, without what was reversed."""
        self.catch_up()
        return (read_posting(row) for row_id, row in self._posted.items() if row_id != STATE)

    def page(self, query: Query) -> list[Row]:
        """At most a hundred journals after the number ``offset``."""
        self.catch_up()
        number = max(query.whole("offset", 0), 0)
        found: list[Row] = []
        while len(found) < PAGE and (row := self._journals.get(f"{number + 1:09d}")) is not None:
            number += 1
            paid = not query.flag("paymentsonly") or row["SourceType"].endswith(PAYMENTS)
            if paid and (query.since is None or row["CreatedDateUTC"] >= query.since):
                found.append(self.shown(row))
        return found

    def one(self, key: str) -> Row:
        """The journal with this number or id; a 404 when there is none."""
        self.catch_up()
        row = self._journals.get(f"{int(key):09d}") if key.isdecimal() and len(key) < 10 else None
        row = row or next((r for r in self._journals.values() if r["JournalID"] == key.lower()), None)
        if row is None:
            raise not_found()
        return self.shown(row)

    def shown(self, row: Row) -> Row:
        """A journal as it travels."""
        lines = [self._line(row, number, entry) for number, entry in enumerate(row["entries"])]
        head = {name: value for name, value in row.items() if name != "entries"}
        return {**wire.plain(head), "JournalLines": lines}

    def _line(self, row: Row, number: int, entry: Row) -> Row:
        account = self._store["Accounts"].get(entry["account"]) or {}
        shown: Row = {
            "JournalLineID": self._store.kernel.stable_id("xero", "journal", row["JournalNumber"], number),
            "AccountID": entry["account"],
            "AccountCode": account.get("Code", ""),
            "AccountType": account.get("Type", ""),
            "AccountName": account.get("Name", ""),
            "Description": entry["description"],
            "NetAmount": entry["net"],
            "GrossAmount": entry["net"] + entry["tax"],
            "TaxAmount": entry["tax"],
            "TrackingCategories": [],
        }
        rate = self._store["TaxRates"].get(entry["tax_type"])
        return shown | ({"TaxType": rate["TaxType"], "TaxName": rate["Name"]} if rate else {})


def _journal(number: int, stamp: datetime, source: str, posting: Posting) -> Row:
    return {
        "JournalID": str(uuid5(UUID(source), str(number))),
        "JournalDate": posting.day,
        "JournalNumber": number,
        "CreatedDateUTC": stamp,
        "Reference": posting.reference,
        "SourceID": source,
        "SourceType": posting.kind,
        "entries": [asdict(entry) for entry in posting.entries],
    }


def _kept(posting: Posting) -> Row:
    return {
        "kind": posting.kind,
        "day": posting.day,
        "reference": posting.reference,
        "entries": [asdict(entry) for entry in posting.entries],
    }


def read_posting(row: Row) -> Posting:
    """A posting out of how it is kept."""
    day: date = row["day"]
    entries: list[dict[str, Any]] = row["entries"]
    return Posting(row["kind"], day, row["reference"], tuple(Entry(**entry) for entry in entries))


def _reversed(posting: Posting) -> Posting:
    return replace(posting, entries=tuple(replace(e, net=-e.net, tax=-e.tax) for e in posting.entries))
