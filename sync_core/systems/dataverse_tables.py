"""What Dynamics calls its tables in addresses, and whether it tracks their changes. Read once per process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sync_core.errors import Configure
from sync_core.systems import odata
from sync_core.systems.dataverse_errors import SETUP, cannot_list
from sync_core.systems.http import Answer, Http
from sync_core.systems.own_tables import TABLES

_READ_ONLY_TABLES = ("transactioncurrency", "pricelevel", "productpricelevel", "uom", "uomschedule")
DEFINITIONS = "EntityDefinitions"


class NoSuchTable(Configure):
    """The environment lacks a table."""

    def __init__(self, table: str) -> None:
        super().__init__(f"Dynamics does not have the table {table}. {SETUP}")


@dataclass(frozen=True, slots=True)
class TableFacts:
    """``set_name`` is what stands in addresses: it cannot be derived from the logical name. ``tracked`` is taken for granted
    where it is not said: a list that is not tracked in fact is noticed when it is read.
    """

    set_name: str
    tracked: bool


class Tables:
    """Facts of every table that Tieout uses, fetched together in one call when the first is asked for."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._lock = threading.Lock()
        self._facts: dict[str, TableFacts] = {}

    def __getitem__(self, table: str) -> TableFacts:
        """Raises NoSuchTable. What was not found is asked for again next time: setup may have run in between."""
        with self._lock:
            if table not in self._facts:
                self._facts |= self._read({table, *_READ_ONLY_TABLES, *(t.name for t in TABLES)})
            if table not in self._facts:
                raise NoSuchTable(table)
            return self._facts[table]

    def again(self, table: str) -> TableFacts:
        """The same, read anew: a set-up may have changed it since."""
        with self._lock:
            self._facts.pop(table, None)
        return self[table]

    def _read(self, names: set[str]) -> dict[str, TableFacts]:
        rows, refused = definitions(self._ask, names, "LogicalName,EntitySetName,ChangeTrackingEnabled")
        if refused is not None:
            raise cannot_list(DEFINITIONS, odata.failure(refused.status, refused.body))
        return {
            row["LogicalName"]: TableFacts(row["EntitySetName"], bool(row.get("ChangeTrackingEnabled", True))) for row in rows
        }

    def _ask(self, address: str) -> Answer:
        # Strong: right after a set-up, some of Dynamics' servers do not know of it yet.
        return self._http.request("GET", address, headers={**odata.READ_HEADERS, "Consistency": "Strong"})


def definitions(
    ask: Callable[[str], Answer], names: Iterable[str], select: str, expand: str = ""
) -> tuple[list[dict[str, Any]], Answer | None]:
    """The definitions of those of these tables that are there, and the refusal when a server shows none at all.

    One call, as a rule. A server that does not expand a list is asked without; one that has no list, for each table by itself.
    """
    wanted = sorted(names)
    condition = odata.any_of("LogicalName", wanted)
    for parts in dict.fromkeys((expand, "")):
        answer = ask(f"/{DEFINITIONS}{odata.query(select=select, filter=condition, expand=parts)}")
        if answer.status == 200:
            return answer.json()["value"], None
    each = [ask(f"/{DEFINITIONS}(LogicalName={odata.literal(name)}){odata.query(select=select)}") for name in wanted]
    rows = [one.json() for one in each if one.status == 200]
    return rows, None if rows else answer
