"""What people do in Tieout itself, and what befalls its data, in plain words; each act is a method, as in ``people``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sync_core.model import Side
from sync_core.service import LineCodes, Service
from tests.scenarios.books import Books

SIDES = {"Dynamics": Side.CRM, "Xero": Side.XERO}
COLUMNS = {"invoices": "number"}


class Desk:
    """Somebody at Tieout's console."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def knows(self, act: str) -> bool:
        return hasattr(self, act.replace(" ", "_"))

    def act(self, name: str, given: Any) -> None:
        getattr(self, name.replace(" ", "_"))(given)

    def setting(self, given: Mapping[str, Any]) -> None:
        with self._books.open() as service:
            for key, value in given.items():
                service.set_rule(key, str(value), who="a person")

    def keep(self, given: Mapping[str, str]) -> None:
        """Decide a conflict: per field, the system whose value stays. The first key is the kind of record, with its name."""
        (entity, name), *fields = given.items()
        with self._books.open() as service:
            crm_id = _called(service, entity, name)
            service.resolve(entity, crm_id, {field: SIDES[side] for field, side in fields}, who="a person")

    def choose_codes(self, given: Mapping[str, Any]) -> None:
        """Choose one ledger account and tax rate for every line of some invoices that waits for them."""
        codes = LineCodes(str(given["account"]), str(given["tax rate"]))
        with self._books.open() as service:
            waiting = service.uncoded_lines("invoices", [_called(service, "invoices", name) for name in given["invoices"]])
            chosen: dict[str, dict[str, LineCodes]] = defaultdict(dict)
            for line in waiting:
                chosen[line.document][line.id] = codes
            service.code_lines("invoices", chosen, who="a person")

    def lose_the_cache(self, _given: Any) -> None:
        self._books.forget("cache-")

    def let_change_tracking_expire(self, _given: Any) -> None:
        """Dynamics forgets what it told Tieout last; it answers with an error, and tells everything anew."""
        self._books.sandbox.fault("expire_delta_tokens")


def _called(service: Service, entity: str, name: str) -> str:
    """The Dynamics id of the record that people call so."""
    sql = f"SELECT id FROM record WHERE entity = ? AND side = 'crm' AND {COLUMNS.get(entity, 'title')} = ?"  # noqa: S608  # two literals
    (crm_id,) = service.query(sql, entity, name)["id"].to_pylist()
    return str(crm_id)
