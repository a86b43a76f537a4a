"""Code lists as Xero holds them, archived ones included, and who uses a code (R8)."""

from __future__ import annotations

from dataclasses import dataclass

from sync_core.store.cache import Cache

_CODE = {"ledger_accounts": ("code", "account_code"), "tax_rates": ("tax_type", "tax_type")}
"""Per entity: the field that is the code, and the field under which products and lines hold it."""


@dataclass(frozen=True, slots=True)
class Code:
    """One code of a list. ``label`` is what people call it: "200 · Sales".

    ``bookable``: in use, and taken on the lines of documents. Xero takes no bank account there, and neither of the accounts
    that it keeps itself for what customers owe and what is owed to suppliers.
    """

    code: str
    label: str
    active: bool
    bookable: bool


def code_field(entity: str) -> str:
    """The field of an entity that lines and products hold as a code, "" where there is none."""
    return _CODE.get(entity, ("", ""))[0]


def codes(cache: Cache, entity: str) -> list[Code]:
    """Every code that Xero has or had, in order; records without one (some bank accounts) are left out."""
    field, _ = _CODE[entity]
    table = cache.query(
        "SELECT json_extract_string(r.fields, $1) AS code, r.title, r.gone = '' AND "
        "coalesce(json_extract_string(r.fields, '$.status'), 'ACTIVE') = 'ACTIVE' AS active, "
        "coalesce(json_extract_string(r.fields, '$.type'), '') <> 'BANK' "
        "AND coalesce(json_extract_string(a.body, '$.SystemAccount'), '') NOT IN ('DEBTORS', 'CREDITORS') AS of_lines "
        "FROM record r LEFT JOIN raw a ON a.stream = 'xero.Accounts' AND a.id = r.id "
        "WHERE r.entity = $2 AND r.side = 'xero' AND json_extract_string(r.fields, $1) <> '' ORDER BY code",
        f"$.{field}",
        entity,
    )
    return [
        Code(r["code"], _label(entity, r["code"], r["title"]), r["active"], r["active"] and r["of_lines"])
        for r in table.to_pylist()
    ]


def usual_taxes(cache: Cache) -> dict[str, str]:
    """By code of a ledger account the tax type that Xero proposes for it."""
    table = cache.query(
        "SELECT json_extract_string(fields, '$.code') AS code, json_extract_string(fields, '$.tax_type') AS tax FROM record "
        "WHERE entity = 'ledger_accounts' AND side = 'xero' AND gone = ''"
    )
    return {r["code"]: r["tax"] for r in table.to_pylist() if r["code"] and r["tax"]}


def _label(entity: str, code: str, title: str | None) -> str:
    return f"{code} · {title}" if entity == "ledger_accounts" else f"{title} ({code})"


def users(cache: Cache, entity: str) -> dict[str, tuple[int, int]]:
    """By code: how many products, and how many active invoices of Dynamics, hold it."""
    if entity not in _CODE:
        return {}
    _, field = _CODE[entity]
    table = cache.query(
        "WITH used AS (SELECT entity, id, json_extract_string(fields, $1) AS code FROM record "
        "WHERE entity = 'products' AND gone = '' "
        "UNION ALL SELECT entity, id, unnest(json_extract_string(fields, $2)) FROM record "
        "WHERE entity = 'invoices' AND side = 'crm' AND gone = '' AND state = '0') "
        "SELECT code, count(DISTINCT id) FILTER (entity = 'products') AS products, "
        "count(DISTINCT id) FILTER (entity = 'invoices') AS invoices FROM used WHERE code <> '' GROUP BY code",
        f"$.{field}",
        f"$.lines[*].{field}",
    )
    return {r["code"]: (r["products"], r["invoices"]) for r in table.to_pylist()}
