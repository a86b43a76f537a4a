"""What rules need to know beside a record, gathered from the cache: code lists, the organisation's books, its time zone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from tzlocal.windows_tz import win_tz

from sync_core.model import Native, Side
from sync_core.rules.books import Books
from sync_core.rules.dates import parse_xero_date
from sync_core.rules.entities import ORGANISATION
from sync_core.rules.mapping import Context
from sync_core.rules.rulebook import OFF
from sync_core.store import rows
from sync_core.store.cache import Cache
from sync_core.store.state import State

CODES = {"currencies": "name", "products": "code", "ledger_accounts": "code", "tax_rates": "tax_type"}
"""Entities whose Dynamics ids are shown as codes, and the field that is the code."""

_KINDS = {"currencies": "currency", "products": "product", "ledger_accounts": "account", "tax_rates": "tax"}
_ZONES = {name.replace(" ", "").replace(".", "").upper(): iana for name, iana in win_tz.items()}


class Surroundings:
    """Read from the cache when first asked for, and again after :meth:`forget`, where anything moved since."""

    def __init__(self, cache: Cache, state: State) -> None:
        self._cache, self._state = cache, state
        self._context: Context | None = None
        self._books: Books | None = None
        self._chosen: Mapping[str, str] | None = None

    def forget(self) -> None:
        """The cache or a setting moved: gather everything anew when it is asked for."""
        self._context = self._books = self._chosen = None

    @property
    def organisation(self) -> Native:
        """Xero's own row of the organisation, {} before the first pull."""
        return self._cache.remembered("organisation", lambda: next(rows.all_rows(self._cache, ORGANISATION), {}))

    @property
    def context(self) -> Context:
        """Code lists as they stand in the cache."""
        if self._context is None:
            self._context = self._cache.remembered("context", self._gathered)
        return self._context

    @property
    def books(self) -> Books:
        """What Xero allows: lock dates, currencies, and the codes that are active there."""
        if self._books is None:
            self._books = self._kept()
        return self._books

    @property
    def chosen(self) -> Mapping[str, str]:
        """The settings of people."""
        if self._chosen is None:
            self._chosen = self._state.mappings()
        return self._chosen

    @property
    def switches(self) -> frozenset[str]:
        """The settings that are switched on."""
        return frozenset(key for key, value in self.chosen.items() if value == "on")

    @property
    def switched_off(self) -> frozenset[str]:
        """The settings that are switched off; what is not said is on."""
        return frozenset(key for key, value in self.chosen.items() if value == OFF)

    def _gathered(self) -> Context:
        codes: dict[str, str] = {}
        ids: dict[str, str] = {}
        for entity, field in CODES.items():
            for row_id, value in self._values(entity, field):
                codes[row_id] = value
                ids[f"{_KINDS[entity]} {value}"] = row_id
        ids |= {f"unit {codes[product]}": unit for product, unit in self._values("products", "unit") if product in codes}
        currency_ids = {key.removeprefix("currency "): i for key, i in ids.items() if key.startswith("currency ")}
        return Context(codes, currency_ids, ids, self._bank_names(), zone_of(self.organisation))

    def _bank_names(self) -> dict[str, str]:
        """What people may write for an account that takes payments; a code goes before a name."""
        accounts = [a for a in self._fields("ledger_accounts") if _takes_payments(a)]
        return {
            str(a[word]).lower(): str(a["xero_id"]) for word in ("name", "code", "xero_id") for a in accounts if a.get(word)
        }

    def _kept(self) -> Books:
        rates = [f for f in self._fields("tax_rates") if f.get("status") in (None, "ACTIVE")]
        accounts = [f for f in self._fields("ledger_accounts") if f.get("status") in (None, "ACTIVE")]
        items = {
            str(f["code"]): (str(f.get("account_code") or ""), str(f.get("tax_type") or ""))
            for f in self._fields("products")
            if f.get("code")
        }
        chosen = self.chosen
        base = str(self.organisation.get("BaseCurrency") or "")
        return Books(
            locked_until=locked_until(self.organisation),
            currencies=frozenset(str(f["name"]) for f in self._fields("currencies")),
            accounts=frozenset(str(f["code"]) for f in accounts if f.get("code")),
            taxes=frozenset(str(f["tax_type"]) for f in rates),
            tax_rates={str(f["tax_type"]): Decimal(f["rate"]) for f in rates if f.get("rate") is not None},
            items=items,
            default_account=chosen.get("default.sales_account", ""),
            default_tax=chosen.get("default.sales_tax", ""),
            freight_account=chosen.get("freight.account", ""),
            freight_tax=chosen.get("freight.tax", ""),
            banks={str(f["xero_id"]): str(f.get("held_in") or base) for f in accounts if _takes_payments(f)},
            base_currency=base,
            xero_computes_tax=chosen.get("tax.untaxed_lines") == "xero computes",
        )

    def _fields(self, entity: str) -> list[dict[str, Any]]:
        """What Xero's living records of a code list hold."""
        return [fields for _, fields, gone in self._lists().get((entity, Side.XERO), ()) if gone == ""]

    def _values(self, entity: str, field: str) -> list[tuple[str, str]]:
        some = self._lists().get((entity, Side.CRM), ())
        return [(i, str(fields[field])) for i, fields, gone in some if gone != "deleted" and fields.get(field) is not None]

    def _lists(self) -> Mapping[tuple[str, Side], list[tuple[str, dict[str, Any], str]]]:
        """Id, fields and end of every record of the code lists, of both sides."""

        def ask() -> dict[tuple[str, Side], list[tuple[str, dict[str, Any], str]]]:
            found: dict[tuple[str, Side], list[tuple[str, dict[str, Any], str]]] = {}
            sql = "SELECT entity, side, id, fields, gone FROM record WHERE entity = {value}"
            for entity, side, row_id, text, gone in self._cache.rows_each(sql, CODES):
                found.setdefault((entity, Side(side)), []).append((row_id, orjson.loads(text), gone))
            return found

        return self._cache.remembered("code lists", ask)


def _takes_payments(account: dict[str, Any]) -> bool:
    active = account.get("status") in (None, "ACTIVE")
    return active and (account.get("type") == "BANK" or account.get("takes_payments") is True)


def zone_of(organisation: Native) -> tzinfo:
    """The organisation's time zone; Xero spells Windows names without spaces (NEWZEALANDSTANDARDTIME)."""
    iana = _ZONES.get(str(organisation.get("Timezone", "")).upper())
    return ZoneInfo(iana) if iana else UTC


def locked_until(organisation: Native) -> date | None:
    """The last locked date, inclusive; the later one of the period and the end-of-year lock."""
    texts = (organisation.get("PeriodLockDate"), organisation.get("EndOfYearLockDate"))
    return max((parse_xero_date(str(text)) for text in texts if text), default=None)
