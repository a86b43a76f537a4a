"""Renders ``reconciliation.sql`` for one entity from the registry and from the table of reasons.

Only names and words that are written in this program are rendered; whatever comes from a person or a system is bound.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from sync_core.rules.declaration import Entity, Field, Kind
from sync_core.rules.entities import entity as registered
from sync_core.rules.reasons import REASONS, STATUSES, Finding, Reason
from sync_core.rules.reconcile import CRM_INVOICE_STATES
from sync_core.store.reconciliation_matching import literal, matching

_TEMPLATE = Path(__file__).with_name("reconciliation.sql").read_text(encoding="utf-8")
_PLACE = re.compile(r"\{\{(\w+)\}\}")
_NUMBER = "DECIMAL(28,10)"
_NUMBERS = (Kind.MONEY, Kind.QUANTITY, Kind.RATE, Kind.COUNT)
_TYPED = frozenset({"number", "date", "due_date", "currency", "contact", "state", "status", "total", "total_tax", "amount"})
"""Fields that have a column of their own in the cache and are compared there."""


@cache
def relation(name: str) -> str:
    """``WITH ... rows AS (...)`` for the entity ``name``; a SELECT from ``rows`` follows. Parameters $1 to $11 are its own.

    Raises KeyError for a name that is not in the registry.
    """
    subject = registered(name)
    pieces = {**_amounts(subject), **matching(subject), **_depth(subject), **_verdicts()}
    return _PLACE.sub(lambda place: pieces[place[1]], _TEMPLATE)


def _amounts(subject: Entity) -> dict[str, str]:
    invoices = subject.name == "invoices"
    twin = subject.name in ("payments", "allocations")
    return {
        "settled": _SETTLED if invoices else "SELECT '' AS document, 0 AS paid, 0 AS credited WHERE false",
        "crm_settlement": _CRM_SUMS if invoices else _CRM_COLUMNS,
        "crm_document_twin": _DOCUMENT_TWIN if twin else "''",
        "crm_document_join": _DOCUMENT_JOIN if twin else "",
        "state_differs": _INVOICE_STATE if invoices else _PLAIN_STATE,
        "crm_state": _state_words() if invoices else "c.state",
        "credited_differs": "c.credited <> x.credited" if invoices else "c.due <> x.due",
        "from_advance": "b.xero_id IN (SELECT document FROM advances)" if invoices else f"{subject.name == 'payments'}",
        "advances": _ADVANCES if invoices else "SELECT '' AS document WHERE false",
    }


_SETTLED = """
  SELECT document,
    sum(total) FILTER (entity = 'payments') AS paid,
    sum(total) FILTER (entity = 'allocations') AS credited
  FROM record
  WHERE entity IN ('payments', 'allocations') AND side = 'crm' AND gone = '' AND coalesce(document, '') <> ''
    AND coalesce(state, '') NOT IN ('DELETED', 'VOIDED')
  GROUP BY document
"""
_CRM_SUMS = """coalesce(s.paid, 0) AS paid, coalesce(s.credited, 0) AS credited,
    CASE WHEN p.void THEN 0 ELSE p.total - coalesce(s.paid, 0) - coalesce(s.credited, 0) END AS due"""
_CRM_COLUMNS = "p.sign * p.amount_paid AS paid, p.sign * p.amount_credited AS credited, p.sign * p.amount_due AS due"
_DOCUMENT_TWIN = "CASE WHEN coalesce(p.document, '') = '' THEN '' ELSE coalesce(d.partner, '?') END"
_DOCUMENT_JOIN = """LEFT JOIN record d
    ON d.entity IN ('invoices', 'credit_notes', 'payments') AND d.side = 'crm' AND d.id = p.document"""
_INVOICE_STATE = "(coalesce(c.state, '') = '2') <> (coalesce(x.state, '') = 'PAID')"
_PLAIN_STATE = "coalesce(c.state <> x.state AND c.state <> '' AND x.state <> '', false)"
_ADVANCES = """
  SELECT DISTINCT document FROM record
  WHERE entity = 'allocations' AND side = 'xero' AND native_table IN ('Prepayments', 'Overpayments')
    AND coalesce(partner, '') = '' AND gone = '' AND document IS NOT NULL
"""


def _state_words() -> str:
    arms = " ".join(f"WHEN {literal(code)} THEN {literal(words)}" for code, words in CRM_INVOICE_STATES.items())
    return f"CASE c.state {arms} ELSE c.state END"


def _depth(subject: Entity) -> dict[str, str]:
    rate = [f for f in subject.fields if f.kind is Kind.RATE and f.name == "rate" and f.crm and f.xero]
    others = [f for f in subject.fields if _comparable(f) and f not in rate]
    header = [f for f in subject.fields if f.name in ("header_discount", "freight")]
    lined = any(f.kind is Kind.LINES for f in subject.fields)
    return {
        "shape": _shape([*rate, *others, *header], lined=lined),
        "rate_differs": " OR ".join(_differs(f) for f in rate) or "false",
        "header_discount": " OR ".join(f"coalesce(c.{f.name}, 0) <> 0" for f in header) or "false",
        "field_labels": _labels(others),
        "lines_crm": "coalesce(c.lines, [])" if lined else "[]::INTEGER[]",
        "lines_xero": "coalesce(x.lines, [])" if lined else "[]::INTEGER[]",
        "lines_differ": _lines_differ("quantity", "net", "tax", "description") if lined else "false",
        "nets_differ": _lines_differ("quantity", "net") if lined else "false",
        "prices_differ": _lines_differ("quantity", "unit_price") if lined else "false",
        "cents_differ": _lines_differ("quantity", "round(unit_price)") if lined else "false",
    }


def _shape(fields: Sequence[Field], *, lined: bool) -> str:
    """What is read out of the canonical JSON, in one go: the fields compared here, and of lines what makes them equal."""
    shape: dict[str, object] = {"xero_id": "VARCHAR"}
    shape.update({f.name: _NUMBER if f.kind in _NUMBERS else "VARCHAR" for f in fields})
    if lined:
        shape["lines"] = [dict.fromkeys(("quantity", "unit_price", "net", "tax"), _NUMBER) | {"description": "VARCHAR"}]
    return json.dumps(shape)


def _comparable(field: Field) -> bool:
    plain = field.kind not in (Kind.REF, Kind.LINES, Kind.FLAG) and not field.hidden and not field.once
    return plain and field.crm is not None and field.xero is not None and field.name not in _TYPED


def _labels(fields: Sequence[Field]) -> str:
    cases = ", ".join(f"CASE WHEN {_differs(field)} THEN {literal(field.label)} END" for field in fields)
    return f"list_filter([{cases}], lambda label: label IS NOT NULL)" if cases else "[]::VARCHAR[]"


def _differs(field: Field) -> str:
    if field.kind in _NUMBERS:
        return f"c.{field.name} IS DISTINCT FROM x.{field.name}"
    values = [_text(field, f"coalesce({side}.{field.name}, '')") for side in "cx"]
    differs = f"{values[0]} <> {values[1]}"
    absent = [literal(table) for table, path in (field.crm.tables if field.crm else ()) if not path]
    return f"native_table NOT IN ({', '.join(absent)}) AND {differs}" if absent else differs


def _text(field: Field, value: str) -> str:
    """Text as ``rules.compare`` compares it: cut to what both sides can hold, spaces folded; of phones only the digits."""
    if field.kind is Kind.PHONE:
        return f"ltrim(regexp_replace({value}, '\\D', '', 'g'), '0')"
    limits = [at.limit for at in (field.crm, field.xero) if at and at.limit]
    cut = f"left({value}, {min(limits)})" if limits else value
    return f"trim(regexp_replace({cut}, '\\s+', ' ', 'g'))"


def _lines_differ(*names: str) -> str:
    """Whether the lines of both sides, in any order, differ in one of ``names`` (numbers by value, text with spaces folded)."""
    each = f"lambda l: concat_ws('|', {', '.join(map(_line_value, names))})"
    return (
        f"CASE WHEN lc = lx THEN false ELSE list_sort(list_transform(lc, {each})) <> list_sort(list_transform(lx, {each})) END"
    )


def _line_value(name: str) -> str:
    if name == "description":
        return "trim(regexp_replace(coalesce(l.description, ''), '\\s+', ' ', 'g'))"
    if name == "round(unit_price)":
        return "round(coalesce(l.unit_price, 0), 2)"
    return f"coalesce(l.{name}, 0)"


def _verdicts() -> dict[str, str]:
    return {
        "status_case": _case((when, str(status)) for when, status in STATUSES),
        "reason_case": _case((rule.when, str(rule.reason)) for rule in REASONS),
        "words_case": _case((rule.when, rule.words) for rule in REASONS),
        "field_reason": str(Reason.FIELD),
    }


def _case(rules: Iterable[tuple[Sequence[Finding], str]]) -> str:
    arms = [f"WHEN {' AND '.join(when) or 'true'} THEN {literal(text)}" for when, text in rules]
    return "CASE " + "\n      ".join(arms) + " END"
