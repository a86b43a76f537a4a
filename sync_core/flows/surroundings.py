"""What rules need to know beside a record, gathered from the cache: code lists, the organisation's books, its time zone."""

from __future__ import annotations

from datetime import UTC, date, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from tzlocal.windows_tz import win_tz

from sync_core.flows.workspace import Workspace
from sync_core.model import Native, Side
from sync_core.rules.dates import parse_xero_date
from sync_core.rules.eligibility import Books
from sync_core.rules.entities import ORGANISATION
from sync_core.rules.mapping import Context
from sync_core.store import rows
from sync_core.store.cache import Cache

_ZONES = {name.replace(" ", "").replace(".", "").upper(): iana for name, iana in win_tz.items()}
_CODES = (("currencies", "name"), ("products", "code"), ("ledger_accounts", "code"), ("tax_rates", "tax_type"))


def organisation_of(cache: Cache) -> Native:
    """Xero's own row of the organisation, {} before the first pull."""
    return next(rows.all_rows(cache, ORGANISATION), {})


def zone_of(organisation: Native) -> tzinfo:
    """The organisation's time zone; Xero spells Windows names without spaces (NEWZEALANDSTANDARDTIME)."""
    iana = _ZONES.get(str(organisation.get("Timezone", "")).upper())
    return ZoneInfo(iana) if iana else UTC


def context_of(workspace: Workspace) -> Context:
    """Code lists as they stand in the cache now."""
    codes: dict[str, str] = {}
    currency_ids: dict[str, str] = {}
    for entity, field in _CODES:
        for row_id, value in _values(workspace.cache, entity, Side.CRM, field):
            codes[row_id] = value
            if entity == "currencies":
                currency_ids[value] = row_id
    return Context(codes, currency_ids, zone_of(organisation_of(workspace.cache)))


def books_of(workspace: Workspace) -> Books:
    """What Xero allows now: lock dates, currencies, and the codes that are active there."""
    cache, organisation = workspace.cache, organisation_of(workspace.cache)
    items = {
        code: (str(fields.get("account_code") or ""), str(fields.get("tax_type") or ""))
        for fields in _fields(cache, "products", Side.XERO)
        if (code := fields.get("code"))
    }
    return Books(
        locked_until=_locked_until(organisation),
        currencies=frozenset(str(f.get("name")) for f in _fields(cache, "currencies", Side.XERO)),
        accounts=_active(cache, "ledger_accounts", "code"),
        taxes=_active(cache, "tax_rates", "tax_type"),
        tax_rates={
            str(f["tax_type"]): Decimal(f["rate"]) for f in _fields(cache, "tax_rates", Side.XERO) if f.get("rate") is not None
        },
        items=items,
        default_account=workspace.state.mapping("default.sales_account") or "",
        default_tax=workspace.state.mapping("default.sales_tax") or "",
        xero_computes_tax=workspace.state.mapping("tax.untaxed_lines") == "xero computes",
    )


def _locked_until(organisation: Native) -> date | None:
    texts = (organisation.get("PeriodLockDate"), organisation.get("EndOfYearLockDate"))
    return max((parse_xero_date(str(t)) for t in texts if t), default=None)


def _active(cache: Cache, entity: str, field: str) -> frozenset[str]:
    return frozenset(
        str(f[field]) for f in _fields(cache, entity, Side.XERO) if f.get(field) and f.get("status") in (None, "ACTIVE")
    )


def _fields(cache: Cache, entity: str, side: Side) -> list[dict[str, Any]]:
    table = cache.query("SELECT fields FROM record WHERE entity = ? AND side = ? AND gone = ''", entity, str(side))
    return [orjson.loads(text) for text in table.column("fields").to_pylist()]


def _values(cache: Cache, entity: str, side: Side, field: str) -> list[tuple[str, str]]:
    table = cache.query(
        "SELECT id, json_extract_string(fields, ?) AS v FROM record WHERE entity = ? AND side = ? AND gone <> 'deleted'",
        f"$.{field}",
        entity,
        str(side),
    )
    return [(i, v) for i, v in zip(table["id"].to_pylist(), table["v"].to_pylist(), strict=True) if v is not None]
