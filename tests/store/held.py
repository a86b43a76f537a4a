"""A cache and single contacts in it, for tests of what the cache is asked."""

from __future__ import annotations

from datetime import UTC, datetime

from sync_core.model import Record
from sync_core.rules.mapping import sealed
from sync_core.store import records

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)


def hold(cache, side, row_id, name):
    """Have the cache hold a contact of this name."""
    record = Record(side, "contacts", row_id, "account", "1", {"name": name}, "")
    records.merge_records(cache, [records.as_row(record, "name", *sealed(record.fields), "run")], at=NOW)
