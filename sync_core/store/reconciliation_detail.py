"""One row of the reconciliation in full: its fields, its lines side by side, and what was paid and credited on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import Any

from sync_core.errors import Rejected
from sync_core.model import Side
from sync_core.rules.balances import Balance, balance
from sync_core.rules.declaration import Entity, Kind
from sync_core.rules.entities import entity as registered
from sync_core.rules.mapping import loads
from sync_core.rules.reconcile import FAMILIES, NO_TERMS, Filters, Terms
from sync_core.rules.side_by_side import Pair, field_lines, pair_lines
from sync_core.store.cache import Cache
from sync_core.store.reconciliation import rows
from sync_core.views import Applied, Neighbour, RowDetail

Row = dict[str, Any]


def detail(cache: Cache, entity: str, row_id: str, terms: Terms = NO_TERMS) -> RowDetail:
    """The row ``row_id`` ("crm:<id>" or "xero:<id>") in full. Raises Rejected when there is no such row any more."""
    found = rows(cache, entity, Filters(rows=(row_id,)), terms).to_pylist()
    if not found:
        raise Rejected("That row is not there any more. Reload the page: it may stand beside another record now.")
    row, subject = found[0], registered(entity)
    records = _records(cache, entity, row)
    pair = _pair(subject, records)
    names = _names(cache, subject, pair)
    applied = tuple(_beside(cache, row, _APPLIED))
    return RowDetail(
        entity=entity,
        row=row,
        fields=field_lines(pair, lambda side, _, id_: names.get((str(side), id_), ("", None))[1], _called(names)),
        lines=pair_lines(subject, _lines(pair.crm), _lines(pair.xero)),
        applied=applied,
        together=tuple(_beside(cache, row, _TOGETHER)) if entity == "payments" else (),
        alternatives=tuple(_neighbours(cache, entity, dict(zip_longest(row["alternatives"], row["why"], fillvalue="")))),
        crm_run=records["crm"]["run"] if "crm" in records else "",
        xero_run=records["xero"]["run"] if "xero" in records else "",
        crm_balance=_balance(entity, Side.CRM, row, applied),
        xero_balance=_balance(entity, Side.XERO, row, applied),
    )


_SPREAD = ("invoices", "credit_notes", "batch_payments")


def _balance(entity: str, side: Side, row: Row, applied: Iterable[Applied]) -> Balance | None:
    """How much of the record is used. A payment is spread over others when it is an advance, that is, has an open balance."""
    total, told = row[f"{side}_total"], row[f"{side}_due"]
    if total is None or not (entity in _SPREAD or (entity == "payments" and told is not None)):
        return None
    pieces = [each.crm if side is Side.CRM else each.xero for each in applied]
    return balance(total, [piece for piece in pieces if piece is not None], told)


def _records(cache: Cache, entity: str, row: Row) -> dict[str, Row]:
    table = cache.query(
        "SELECT r.side, r.fields, r.run, a.fields AS agreed FROM record r "
        "LEFT JOIN agreed a ON a.entity = r.entity AND a.side = r.side AND a.id = r.id "
        "WHERE r.entity = $1 AND ((r.side = 'crm' AND r.id = $2) OR (r.side = 'xero' AND r.id = $3))",
        entity,
        row["crm_id"] or "",
        row["xero_id"] or "",
    )
    return {record["side"]: record for record in table.to_pylist()}


def _pair(subject: Entity, records: Mapping[str, Row]) -> Pair:
    def held(side: Side, column: str) -> Any:
        text = records.get(side, {}).get(column)
        return loads(subject, text) if text else None

    return Pair(subject, *(held(side, column) for column in ("fields", "agreed") for side in Side))


def _lines(fields: Mapping[str, Any] | None) -> tuple[Mapping[str, Any], ...]:
    return tuple((fields or {}).get("lines") or ())


def _names(cache: Cache, subject: Entity, pair: Pair) -> dict[tuple[str, str], tuple[str, str | None]]:
    """(side, id) -> (what people call it, its twin), of everything that the pair refers to."""
    specs = [spec for spec in subject.fields if spec.kind is Kind.REF]
    held = [fields for fields in (pair.crm, pair.xero, pair.agreed_crm, pair.agreed_xero) if fields]
    ids = sorted({str(fields[spec.name]) for fields in held for spec in specs if fields.get(spec.name)})
    table = cache.query(
        "SELECT side, id, coalesce(number, title, id) AS name, partner FROM record "
        "WHERE list_contains($1::VARCHAR[], id) AND list_contains($2::VARCHAR[], entity)",
        ids,
        [spec.entity for spec in specs],
    )
    return {(r["side"], r["id"]): (r["name"], r["partner"]) for r in table.to_pylist()}


def _called(names: Mapping[tuple[str, str], tuple[str, str | None]]) -> Any:
    by_id = {id_: name for (_, id_), (name, _) in names.items()}
    return lambda id_: by_id.get(id_, id_)


_PIECES = """
SELECT r.side, r.entity, r.id, coalesce(r.partner, '') AS twin, coalesce(r.kind, r.native_table) AS kind, r.doc_date,
  r.reference, r.state, r.total, coalesce(nullif(d.number, ''), d.title, '') AS document
FROM record r
LEFT JOIN record d ON d.entity IN ('invoices', 'credit_notes', 'payments', 'batch_payments') AND d.side = $1
  AND d.id = CASE WHEN r.document = $2 THEN r.parent ELSE r.document END
WHERE r.entity IN ('payments', 'allocations') AND r.gone NOT IN ('deleted', 'voided')
  AND coalesce(r.state, '') NOT IN ('DELETED', 'VOIDED') AND r.side = $1 AND """
_APPLIED = f"{_PIECES} r.id <> $2 AND $2 IN (r.document, r.parent) ORDER BY r.doc_date, r.id"
"""Payments and allocations that name the document."""
_TOGETHER = (
    f"{_PIECES} r.entity = 'payments' AND r.parent = "  # noqa: S608  # made of our own words, ids are bound
    "(SELECT parent FROM record WHERE entity = 'payments' AND side = $1 AND id = $2) ORDER BY document, r.id"
)
"""All payments of the batch that a payment is part of, itself too."""


def _beside(cache: Cache, row: Row, asked: str) -> Iterable[Applied]:
    """What ``asked`` finds of the row's record on either side, linked ones in one line."""
    crm, xero = (cache.query(asked, str(side), row[f"{side}_id"]).to_pylist() if row[f"{side}_id"] else [] for side in Side)
    twins = {(each["entity"], each["id"]): each for each in xero}
    for each in crm:
        yield _line(each, twins.pop((each["entity"], each["twin"]), None))
    for each in twins.values():
        yield _line(None, each)


def _line(crm: Row | None, xero: Row | None) -> Applied:
    some = xero or crm or {}
    return Applied(
        entity=some["entity"],
        kind=some["kind"],
        crm_id=crm["id"] if crm else None,
        xero_id=xero["id"] if xero else None,
        date=some["doc_date"],
        reference=some["reference"] or "",
        state=some["state"] or "",
        crm=crm["total"] if crm else None,
        xero=xero["total"] if xero else None,
        document=some["document"],
    )


def _neighbours(cache: Cache, entity: str, whys: Mapping[str, str]) -> Iterable[Neighbour]:
    """Other records by their row, each with why it could be meant, in that order."""
    if not whys:
        return
    row_ids = list(whys)
    family = FAMILIES.get(entity)
    table = cache.query(
        "SELECT r.side || ':' || r.id AS row_id, coalesce(r.number, r.title, '') AS number, coalesce(k.title, '') AS contact, "
        "r.doc_date AS date, coalesce(r.currency, '') AS currency, "
        "r.total * CASE WHEN list_contains($4::VARCHAR[], coalesce(r.kind, '')) THEN -$3::INT ELSE $3::INT END AS amount"
        " FROM record r LEFT JOIN record k ON k.entity = 'contacts' AND k.side = r.side AND k.id = r.contact "
        "WHERE r.entity = $1 AND list_contains($2::VARCHAR[], r.side || ':' || r.id) "
        "ORDER BY list_position($2::VARCHAR[], r.side || ':' || r.id)",
        entity,
        row_ids,
        family.sign if family else 1,
        list(family.turned) if family else [],
    )
    for each in table.to_pylist():
        yield Neighbour(**each, why=whys[each["row_id"]])
