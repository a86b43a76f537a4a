"""What Dynamics calls its tables in addresses, and whether it tracks their changes. Read once per process."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from sync_core.errors import Configure
from sync_core.systems import odata
from sync_core.systems.dataverse_errors import SETUP, cannot_list
from sync_core.systems.http import Http
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
        options = odata.query(
            select="LogicalName,EntitySetName,ChangeTrackingEnabled",
            filter=odata.any_of("LogicalName", sorted(names)),
        )
        # Strong: right after a set-up, some of Dynamics' servers do not know of it yet.
        headers = {**odata.READ_HEADERS, "Consistency": "Strong"}
        answer = self._http.request("GET", f"/{DEFINITIONS}{options}", headers=headers)
        if answer.status != 200:
            raise cannot_list(DEFINITIONS, odata.failure(answer.status, answer.body))
        return {
            row["LogicalName"]: TableFacts(row["EntitySetName"], bool(row.get("ChangeTrackingEnabled", True)))
            for row in answer.json()["value"]
        }
