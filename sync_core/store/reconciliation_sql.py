"""Renders ``reconciliation.sql`` for one entity from the registry and from the table of reasons.

Only names and words that are written in this program are rendered; whatever comes from a person or a system is in a table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from sync_core.model import Side
from sync_core.rules.declaration import Entity, Field, Kind
from sync_core.rules.entities import entity as registered
from sync_core.rules.reasons import LINE_CAUSES, OVERRULING, REASONS, STATUSES, Finding, Reason
from sync_core.rules.reconcile import FAMILIES
from sync_core.store.reconciliation_matching import literal, matching

_TEMPLATE = Path(__file__).with_name("reconciliation.sql").read_text(encoding="utf-8")
_PLACE = re.compile(r"\{\{(\w+)\}\}")
_STEP = re.compile(r"^-- step (\w+)\n", re.MULTILINE)
_NUMBER = "DECIMAL(28,10)"
_NUMBERS = (Kind.MONEY, Kind.QUANTITY, Kind.RATE, Kind.COUNT)
_TYPED = frozenset({"number", "date", "due_date", "currency", "contact", "state", "status", "total", "total_tax", "amount"})
"""Fields that have a column of their own in the cache and are compared there."""


def agreed_name(kept: str) -> str:
    """The table beside ``kept`` that holds the pairs which agree in everything."""
    return f"{kept}_agreed"


@cache
def steps(name: str, kept: str, *, partly: bool = False) -> dict[str, str]:
    """The statements of the entity ``name`` by the name of their step, in order. ``kept``: the table that they fill.

    ``partly``: it has rows already, and pairs that agree are looked for only among the records in the temporary table
    `touched`. Raises KeyError for a name that is not in the registry.
    """
    subject, agreed = registered(name), agreed_name(kept)
    pieces = {
        "kept": kept,
        "agreed": agreed,
        "open": _STILL_OPEN.format(agreed) if partly else _ALONE,
        **_entity(subject),
        **_amounts(subject),
        **matching(subject),
        "outline": _OUTLINE,
        "linkable": _SOME_LINKABLE if partly else f"CREATE TEMP VIEW linkable AS {_LINKABLE}",
        **_depth(subject),
        **_verdicts(),
    }
    text = _TEMPLATE
    while _PLACE.search(text):  # a piece may have places of its own
        text = _PLACE.sub(lambda place: pieces[place[1]], text)
    found = _STEP.split(text)[1:]
    return dict(zip(found[::2], found[1::2], strict=True))


_ALONE = "SELECT coalesce(crm_seq, xero_seq) AS seq FROM beside WHERE crm_seq IS NULL OR xero_seq IS NULL"
_STILL_OPEN = """SELECT seq FROM outline ANTI JOIN (
  SELECT crm_seq AS seq FROM agreeing UNION ALL SELECT xero_seq FROM agreeing
  UNION ALL SELECT crm_seq FROM {0} UNION ALL SELECT xero_seq FROM {0}
) done USING (seq)"""  # the name of a table


def agreed_table(name: str, kept: str) -> str:
    """The statement that makes the table of the pairs of the entity ``name`` that agree, empty.

    Numbers stay as they are: to try how they could be packed takes longer than everything else that is written, and a search
    reads them sooner.
    """
    settlement = "DECIMAL(38,4)" if name == "invoices" else "DECIMAL(29,4)"
    return f"""CREATE OR REPLACE TABLE {agreed_name(kept)} (
  crm_seq BIGINT, xero_seq BIGINT, crm_contact BIGINT, xero_contact BIGINT, number VARCHAR USING COMPRESSION uncompressed,
  currency VARCHAR, date DATE, due_date DATE, total DECIMAL(29,4),
  crm_paid {settlement}, crm_credited {settlement}, crm_due {settlement}
)"""


_OUTLINE = """
  seq, side = 'crm' AS is_crm, void, partner_print AS twin_print, number_print, {{kin_print}} AS kin_print"""
_LINKABLE = """
SELECT seq, side = 'crm' AS is_crm, id_print,
  CASE WHEN NOT (void OR inactive) AND hash_print = agreed_print AND {{named}} AND partner_print IS NOT NULL
    THEN CASE side WHEN 'crm' THEN hash(id_print, partner_print) ELSE hash(partner_print, id_print) END END AS pair_print,
  CASE WHEN contact IS NOT NULL THEN hash(contact) END AS contact_print,
  hash(number_print, sign, total, total_tax, doc_date, due_date) AS value_print,
  cur, rate, {{state_mark}} AS state_mark, amount_paid AS paid, {{outline_rest}} AS rest
FROM present
"""
_SOME_LINKABLE = f"""CREATE TEMP TABLE linkable AS {_LINKABLE}
WHERE seq IN (
  SELECT seq FROM touched
  UNION ALL SELECT seq FROM outline WHERE NOT is_crm AND twin_print IN (SELECT id_print FROM touched)
)"""  # noqa: S608  # the pieces above


def streams(entity: str, side: Side) -> list[str]:
    """Names of the lists that are pulled for ``entity``: nested rows come with the list that holds them."""
    return [f"{side}.{stream.table}" for stream in registered(entity).streams(side)]


def pulled(entity: str) -> str:
    """When the lists behind ``entity`` were read on either side, first and last, as one row of SQL."""
    listed = {side: ", ".join(map(literal, streams(entity, side))) for side in Side}
    times = (
        f"{pick}(pulled_at) FILTER (stream IN ({listed[side]})) AS {side}_{name}"
        for side in Side
        for name, pick in (("first", "min"), ("last", "max"))
    )
    return f"SELECT {', '.join(times)} FROM cursor"  # noqa: S608  # names of streams, from the registry


_BETWEEN = {
    Side.CRM: "{of}.modified > xero_first AND {of}.modified <= crm_last",
    Side.XERO: "{of}.modified > crm_first AND {of}.modified <= xero_last",
}
"""Whether a record was changed after the other side was read and before its own was: all that the instants decide."""


def between(entity: str) -> str:
    """How many records of ``entity`` moved between the two sides' being read, and a print of which, as one row of SQL."""
    sides = " OR ".join(f"r.side = {literal(side)} AND {words.format(of='r')}" for side, words in _BETWEEN.items())
    return (
        f"WITH pulled AS ({pulled(entity)}) SELECT count(*) AS n, bit_xor(hash(seq)) AS print"  # noqa: S608  # the same
        f" FROM record r CROSS JOIN pulled WHERE r.entity = {literal(entity)} AND ({sides})"
    )


def sign(name: str, kind: str = "kind") -> str:
    """How amounts of the entity count, as SQL over the column ``kind``."""
    family = FAMILIES.get(name)
    if family is None or not family.turned:
        return str(family.sign if family else 1)
    turned = ", ".join(map(literal, family.turned))
    return f"CASE WHEN coalesce({kind}, '') IN ({turned}) THEN {-family.sign} ELSE {family.sign} END"


def _entity(subject: Entity) -> dict[str, str]:
    documents = subject.name in FAMILIES
    return {
        "entity": literal(subject.name),
        "sign": sign(subject.name),
        "pulled": pulled(subject.name),
        "crm_between": _BETWEEN[Side.CRM].format(of="c"),
        "xero_between": _BETWEEN[Side.XERO].format(of="x"),
        "approved": "coalesce(x.state IN ('AUTHORISED', 'PAID'), false)" if documents else "false",
        "approved_kind": str(documents),
        "named": "number_print IS NOT NULL" if documents and any(f.name == "number" for f in subject.fields) else _NAMED,
    }


def _amounts(subject: Entity) -> dict[str, str]:
    invoices = subject.name == "invoices"
    twin = subject.name in ("payments", "allocations")
    return {
        "settled": _SETTLED if invoices else "SELECT 0::UBIGINT AS print, 0 AS paid, 0 AS credited WHERE false",
        "outline_settled": "LEFT JOIN settled s ON s.print = o.id_print" if invoices else "",
        "outline_settlement": "coalesce(s.paid, 0) AS paid, coalesce(s.credited, 0) AS rest" if invoices else "o.paid, o.rest",
        "outline_rest": "amount_credited" if invoices else "amount_due",
        "agreed_settlement": _AGREED_SUMS if invoices else _AGREED_COLUMNS,
        "state_mark": _INVOICE_MARK if invoices else "CASE WHEN coalesce(state, '') <> '' THEN hash(state) END",
        "opened_settlement": _OPENED_SUMS if invoices else _OPENED_COLUMNS,
        "crm_document_twin": _DOCUMENT_TWIN if twin else "''",
        "crm_document_join": _DOCUMENT_JOIN if twin else "",
        "state_differs": _INVOICE_STATE if invoices else _PLAIN_STATE,
        "credited_differs": "c.credited <> x.credited" if invoices else "c.due <> x.due",
        "from_advance": "b.xero_id IN (SELECT document FROM advances)" if invoices else f"{subject.name == 'payments'}",
        "advances": _ADVANCES if invoices else "SELECT '' AS document WHERE false",
        "money_bound": _BOUND,
    }


_BOUND = """greatest(coalesce(t.absolute, 0),
    coalesce(t.percent, 0) * greatest(abs(coalesce(c.total, 0)), abs(coalesce(x.total, 0))) * 0.01::DECIMAL(3,2))"""
_SETTLED = """
  SELECT document_print AS print,
    sum(total) FILTER (entity = 'payments') AS paid,
    sum(total) FILTER (entity = 'allocations') AS credited
  FROM record
  WHERE entity IN ('payments', 'allocations') AND side = 'crm' AND gone = '' AND document_print IS NOT NULL
    AND coalesce(state, '') NOT IN ('DELETED', 'VOIDED')
  GROUP BY print
"""
_NAMED = "coalesce(nullif(number, ''), title) IS NOT NULL"
_AGREED_SUMS = "a.paid AS crm_paid, a.rest AS crm_credited, p.total - a.paid - a.rest AS crm_due"
_AGREED_COLUMNS = """p.sign * p.amount_paid AS crm_paid, p.sign * p.amount_credited AS crm_credited,
  p.sign * p.amount_due AS crm_due"""
_INVOICE_MARK = "coalesce(state, '') = CASE side WHEN 'crm' THEN '2' ELSE 'PAID' END"
_OPENED_COLUMNS = "p.sign * p.amount_paid AS paid, p.sign * p.amount_credited AS credited, p.sign * p.amount_due AS due"
_OPENED_SUMS = """CASE p.side WHEN 'crm' THEN coalesce(s.paid, 0) ELSE p.sign * p.amount_paid END AS paid,
  CASE p.side WHEN 'crm' THEN coalesce(s.credited, 0) ELSE p.sign * p.amount_credited END AS credited,
  CASE WHEN p.side <> 'crm' THEN p.sign * p.amount_due
    WHEN p.void THEN 0 ELSE p.total - coalesce(s.paid, 0) - coalesce(s.credited, 0) END AS due"""
_DOCUMENT_TWIN = "CASE WHEN coalesce(p.document, '') = '' THEN '' ELSE coalesce(d.partner, '?') END"
_DOCUMENT_JOIN = """LEFT JOIN record d
    ON d.entity IN ('invoices', 'credit_notes', 'payments') AND d.side = 'crm'
    AND d.id = CASE p.side WHEN 'crm' THEN p.document END"""
_INVOICE_STATE = "(coalesce(c.state, '') = '2') <> (coalesce(x.state, '') = 'PAID')"
_PLAIN_STATE = "coalesce(c.state <> x.state AND c.state <> '' AND x.state <> '', false)"
_ADVANCES = """
  SELECT DISTINCT document FROM record
  WHERE entity = 'allocations' AND side = 'xero' AND native_table IN ('Prepayments', 'Overpayments')
    AND coalesce(partner, '') = '' AND gone = '' AND document IS NOT NULL
"""


def _depth(subject: Entity) -> dict[str, str]:
    rate = [f for f in subject.fields if f.kind is Kind.RATE and f.name == "rate" and f.crm and f.xero and f.to]
    others = [f for f in subject.fields if _comparable(f) and f not in rate]
    lined = any(f.kind is Kind.LINES for f in subject.fields)
    return {
        "shape": _shape([*rate, *others], lined=lined),
        "rate_differs": " OR ".join(_differs(f) for f in rate) or "false",
        "field_labels": _labels(others),
        "lines_crm": "coalesce(c.lines, [])" if lined else "[]::INTEGER[]",
        "lines_xero": "coalesce(x.lines, [])" if lined else "[]::INTEGER[]",
        "lines_differ": _lines_differ("quantity", "net", "tax", "description") if lined else "false",
    }


def _shape(fields: Sequence[Field], *, lined: bool) -> str:
    """What is read out of the canonical JSON, in one go: the fields compared here, and of lines what makes them equal."""
    shape: dict[str, object] = {"xero_id": "VARCHAR"}
    shape.update({f.name: _NUMBER if f.kind in _NUMBERS else "VARCHAR" for f in fields})
    if lined:
        shape["lines"] = [dict.fromkeys(("quantity", "net", "tax"), _NUMBER) | {"description": "VARCHAR"}]
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
    return f"coalesce(l.{name}, 0)"


def _verdicts() -> dict[str, str]:
    causes = ", ".join(sorted(map(literal, LINE_CAUSES)))
    overruling = ", ".join(sorted(map(literal, OVERRULING)))
    return {
        "status_case": _case((when, str(status)) for when, status in STATUSES),
        "reason_case": _case((rule.when, str(rule.reason)) for rule in REASONS),
        "words_case": _case((rule.when, rule.words) for rule in REASONS),
        "field_reason": literal(Reason.FIELD),
        "rate_reason": literal(Reason.EXCHANGE_RATE),
        "locked_reason": literal(Reason.LOCKED),
        "line_causes": causes,
        "overruling": overruling,
        "crm_rate_text": _rate_text("c.rate"),
        "xero_rate_text": _rate_text("x.rate"),
    }


def _rate_text(rate: str) -> str:
    return f"rtrim(rtrim(CAST({rate} AS VARCHAR), '0'), '.')"


def _case(rules: Iterable[tuple[Sequence[Finding], str]]) -> str:
    arms = [f"WHEN {' AND '.join(when) or 'true'} THEN {literal(text)}" for when, text in rules]
    return "CASE " + "\n      ".join(arms) + " END"
