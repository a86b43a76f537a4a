"""The SELECTs over a kept reconciliation: its rows with everything that people see, and its sums.

A kept row names its records by number. What is shown of them is joined when it is read, for the rows of one screen only.
Only names and words that are written in this program are rendered; whatever comes from a person or a system is bound.
"""

# ruff: noqa: S608  # see above
from __future__ import annotations

from decimal import Decimal

from sync_core.model import MatchStatus, Side
from sync_core.rules.reasons import REASONS, Reason
from sync_core.rules.reconcile import CRM_INVOICE_STATES, Filters, Sort, Terms, decimals
from sync_core.store.reconciliation_matching import literal
from sync_core.store.reconciliation_sql import agreed_name, sign

COLUMNS: tuple[str, ...] = (
    "row_id",
    "status",
    "reason",
    "words",
    "matched_by",
    "alternatives",
    "number",
    "currency",
    "contact",
    *(f"crm_{name}" for name in ("id", "number", "contact", "date", "due_date", "reference", "state")),
    *(f"crm_{name}" for name in ("total", "tax", "paid", "credited", "due", "amount")),
    "difference",
    *(f"xero_{name}" for name in ("amount", "total", "tax", "paid", "credited", "due")),
    *(f"xero_{name}" for name in ("state", "reference", "due_date", "date", "contact", "number", "id")),
    "differing",
    "crm_modified",
    "xero_modified",
    "why",
    "base_currency",
    "crm_rate",
    "crm_base",
    "xero_rate",
    "xero_base",
    "base_difference",
    "rate_note",
    "parts",
)
"""What a row holds. ``*_total`` is the signed amount of the document; ``*_amount`` is what counts: 0 when void or absent.

``why`` says of each of the ``alternatives`` why it could be meant. ``*_base`` is ``*_amount`` in Xero's base currency by that
side's own rate (units of the document's currency for one of the base), blank where there is no rate; ``rate_note`` says so.
``parts``: the difference split over several reasons, where it was; it adds up to ``difference``.
"""

_SORTS = {
    Sort.NUMBER: "number",
    Sort.CONTACT: "called.rank",
    Sort.DATE: "date",
    Sort.DUE_DATE: "due_date",
    Sort.STATUS: "status",
    Sort.REASON: "reason",
    Sort.CURRENCY: "currency",
    Sort.DIFFERENCE: "abs(difference)",
    Sort.CRM_TOTAL: "crm_total",
    Sort.XERO_TOTAL: "xero_total",
}

Statement = tuple[str, list[object]]


class Reading:
    """The statements for one entity under given terms.

    A search reads the temporary table `hit`, made of :meth:`hits`; an order by contact the table `called`, of :data:`CALLED`.
    """

    def __init__(self, entity: str, kept: str, terms: Terms) -> None:
        self._entity, self._kept, self._terms = entity, kept, terms

    def rows(self, filters: Filters, limit: int | None, offset: int) -> Statement:
        """The rows in the order of ``filters``, with the columns of :data:`COLUMNS`."""
        asked = _Asked()
        picked = self._ordered("spot", filters, asked) + f" LIMIT {asked.bind(limit)} OFFSET {asked.bind(offset)}"
        # First which rows, then what they hold: or what nobody will see is carried through the sort.
        found = self._overlaid(asked, self._may_agree(filters), _OF_PICKED)
        chosen = (
            f"WITH picked AS MATERIALIZED (SELECT spot, row_number() OVER () AS place FROM ({picked}))"
            f" SELECT t.*, place FROM picked JOIN ({found}) t USING (spot)"
        )
        return self._whole(chosen), asked.values

    def ordered(self, filters: Filters) -> Statement:
        """Kept rows alone in their order, each with its ``place`` from 1 on: what :meth:`part` reads a part of."""
        asked = _Asked()
        return f"SELECT *, row_number() OVER () AS place FROM ({self._ordered('*', filters, asked)})", asked.values

    def part(self, ordered: str) -> str:
        """The rows of the table ``ordered`` whose place is over $1 and at most $2, with the columns of :data:`COLUMNS`."""
        return self._whole(f"SELECT * FROM {ordered} WHERE place > $1 AND place <= $2")

    def _ordered(self, names: str, filters: Filters, asked: _Asked) -> str:
        source = self._chosen(filters, asked)
        order = f"{_SORTS[filters.sort]} {'DESC' if filters.descending else 'ASC'} NULLS LAST"
        ranked = _RANKED if filters.sort is Sort.CONTACT else ""
        return f"SELECT t.{names} FROM ({source}) t {ranked} ORDER BY {order}, crm_seq NULLS LAST, xero_seq"

    def _whole(self, chosen: str) -> str:
        return f"""
WITH chosen AS MATERIALIZED ({chosen}),
named AS {_NAMED},
people AS {_PEOPLE},
shown AS ({self._shown()})
SELECT {", ".join(COLUMNS)} FROM shown ORDER BY place"""

    def sums(self, filters: Filters) -> Statement:
        """Rows and amounts per currency, status and reason."""
        asked = _Asked()
        if self._terms.ignored or not self._may_agree(filters):
            return _SUMS.format(source=self._chosen(filters, asked)), asked.values
        # Of a million pairs that agree, status and reason need not be told apart.
        agreed = self._left(_AGREED.format(name=agreed_name(self._kept), only=""), filters, asked)
        others = self._left(f"FROM {self._kept}", filters, asked)
        return f"{_AGREED_TOTALS.format(source=agreed)} UNION ALL BY NAME {_SUMS.format(source=others)}", asked.values

    def shares(self, filters: Filters) -> Statement:
        """Parts of differences that count under another reason than that of their row."""
        asked = _Asked()
        source = self._left(self._overlaid(asked, agreed=False), filters, asked)
        return (
            (
                'SELECT currency, reason, part.reason AS "to", sum(part.amount) AS amount'
                f" FROM (SELECT currency, reason, unnest(parts) AS part FROM ({source}) WHERE parts IS NOT NULL)"
                " WHERE part.reason <> reason GROUP BY ALL"
            ),
            asked.values,
        )

    def _chosen(self, filters: Filters, asked: _Asked) -> str:
        """Kept rows with what people set aside laid over them, and of these the ones that ``filters`` leave."""
        return self._left(self._overlaid(asked, self._may_agree(filters)), filters, asked)

    def _left(self, rows: str, filters: Filters, asked: _Asked) -> str:
        where = " AND ".join(f"({each})" for each in self._conditions(filters, asked)) or "true"
        return f"SELECT * FROM ({rows}) t WHERE {where}"

    def _may_agree(self, filters: Filters) -> bool:
        """Whether a pair that agrees can be among the rows that ``filters`` leave."""
        statuses, reasons = {MatchStatus.MATCHED}, {Reason.NONE}
        if self._terms.ignored:
            statuses.add(MatchStatus.IGNORED)
            reasons.add(Reason.IGNORED)
        elsewhere = filters.statuses and statuses.isdisjoint(filters.statuses)
        return not (elsewhere or (filters.reasons and reasons.isdisjoint(filters.reasons)))

    def _kept_rows(self, agreed: bool, only: tuple[str, str]) -> str:
        """The rows of those that differ, and if ``agreed`` the pairs that agree, spelled out. ``only``: of which of either."""
        others = f"SELECT *, rowid AS spot FROM {self._kept} {only[1]}"
        if not agreed:
            return others
        return f"{_AGREED.format(name=agreed_name(self._kept), only=only[0])} UNION ALL BY NAME {others}"

    def _overlaid(self, asked: _Asked, agreed: bool, only: tuple[str, str] = ("", "")) -> str:
        if not self._terms.ignored:
            return self._kept_rows(agreed, only)
        rows, reasons = asked.bind(list(self._terms.ignored)), asked.bind(list(self._terms.ignored.values()))
        words = next(rule.words for rule in REASONS if rule.reason is Reason.IGNORED)
        return f"""
SELECT k.* REPLACE (
  CASE WHEN a.seq IS NULL THEN status ELSE 'Ignored' END AS status,
  CASE WHEN a.seq IS NULL THEN reason ELSE {literal(Reason.IGNORED)} END AS reason,
  CASE WHEN a.seq IS NULL THEN words WHEN a.told = '' THEN {literal(words)} ELSE {literal(f"{words}: ")} || a.told END AS words,
  CASE WHEN a.seq IS NULL THEN parts END AS parts)
FROM ({self._kept_rows(agreed, only)}) k
LEFT JOIN (
  SELECT r.seq, r.side, any_value(g.told) AS told
  FROM (SELECT unnest({rows}::VARCHAR[]) AS row_id, unnest({reasons}::VARCHAR[]) AS told) g
  JOIN record r ON r.side = split_part(g.row_id, ':', 1) AND r.id = substr(g.row_id, strpos(g.row_id, ':') + 1)
  WHERE r.entity = {literal(self._entity)} GROUP BY ALL
) a ON a.seq = coalesce(k.crm_seq, k.xero_seq)"""

    def _conditions(self, filters: Filters, asked: _Asked) -> list[str]:
        found = []
        if filters.statuses:
            found.append(f"list_contains({asked.bind([str(s) for s in filters.statuses])}::VARCHAR[], status)")
        if filters.reasons:
            found.append(f"list_contains({asked.bind([str(r) for r in filters.reasons])}::VARCHAR[], reason)")
        if filters.currency is not None:
            found.append(f"currency = {asked.bind(filters.currency)}::VARCHAR")
        if contact := filters.contact.strip():
            found.append(_either("contact", _CALLED.format(asked.bind(contact))))
        if search := filters.search.strip():
            columns = ("crm_seq", "xero_seq", "crm_contact", "xero_contact")
            found.append(" OR ".join([_holds("t.number", search, asked), *(f"{name} IN (FROM hit)" for name in columns)]))
        if filters.since:
            found.append(f"date >= {asked.bind(filters.since)}::DATE")
        if filters.until:
            found.append(f"date <= {asked.bind(filters.until)}::DATE")
        if filters.amount is not None:
            amount = f"{asked.bind(abs(filters.amount))}::DECIMAL(19,4)"
            found.append(f"{amount} IN (abs(crm_total), abs(xero_total), abs(difference))")
        if filters.rows:
            found.append(self._named(asked.bind(list(filters.rows))))
        return found

    def hits(self, search: str) -> Statement:
        """The numbers of the records that hold the text ``search``: what a search in the rows asks the table `hit` for."""
        asked = _Asked()
        held = " OR ".join(_holds(column, search, asked) for column in ("number", "reference", "id"))
        own = f"SELECT seq FROM record WHERE entity = {literal(self._entity)} AND ({held})"
        return (
            f"{own} UNION ALL SELECT seq FROM record WHERE entity = 'contacts' AND {_holds('title', search, asked)}",
            asked.values,
        )

    def _named(self, rows: str) -> str:
        records = (
            f"SELECT r.seq FROM (SELECT unnest({rows}::VARCHAR[]) AS row_id) g"
            " JOIN record r ON r.side = split_part(g.row_id, ':', 1) AND r.id = substr(g.row_id, strpos(g.row_id, ':') + 1)"
            f" WHERE r.entity = {literal(self._entity)}"
        )
        return f"coalesce(crm_seq, xero_seq) IN ({records})"

    def _shown(self) -> str:
        signs = {side: sign(self._entity, f"{side[0]}.kind") for side in Side}
        return f"""
SELECT t.place,
  CASE WHEN t.crm_seq IS NULL THEN 'xero:' || x.id ELSE 'crm:' || c.id END AS row_id,
  t.status, t.reason, t.words, t.matched_by, coalesce(t.alternatives, []) AS alternatives, t.number, t.currency,
  coalesce(kc.title, kx.title) AS contact,
  c.id AS crm_id, c.number AS crm_number, kc.title AS crm_contact, c.doc_date AS crm_date, c.due_date AS crm_due_date,
  c.reference AS crm_reference, {self._crm_state()} AS crm_state,
  t.crm_total, ({signs[Side.CRM]}) * c.total_tax AS crm_tax, t.crm_paid, t.crm_credited, t.crm_due,
  t.crm_amount::DECIMAL(19,4) AS crm_amount,
  t.difference::DECIMAL(19,4) AS difference,
  t.xero_amount::DECIMAL(19,4) AS xero_amount,
  t.xero_total, ({signs[Side.XERO]}) * x.total_tax AS xero_tax, ({signs[Side.XERO]}) * x.amount_paid AS xero_paid,
  ({signs[Side.XERO]}) * x.amount_credited AS xero_credited, ({signs[Side.XERO]}) * x.amount_due AS xero_due,
  x.state AS xero_state, x.reference AS xero_reference, x.due_date AS xero_due_date, x.doc_date AS xero_date,
  kx.title AS xero_contact, x.number AS xero_number, x.id AS xero_id,
  coalesce(t.differing, []) AS differing,
  c.modified AS crm_modified, x.modified AS xero_modified,
  coalesce(t.whys, []) AS why,
  {self._rates()},
  coalesce(t.parts, []) AS parts
FROM chosen t
LEFT JOIN named c ON c.seq = t.crm_seq
LEFT JOIN named x ON x.seq = t.xero_seq
LEFT JOIN people kc ON kc.seq = t.crm_contact
LEFT JOIN people kx ON kx.seq = t.xero_contact"""

    def _crm_state(self) -> str:
        if self._entity != "invoices":
            return "c.state"
        arms = " ".join(f"WHEN {literal(code)} THEN {literal(words)}" for code, words in CRM_INVOICE_STATES.items())
        return f"CASE c.state {arms} ELSE c.state END"

    def _rates(self) -> str:
        base = literal(self._terms.base_currency)
        foreign = f"({base} <> '' AND t.currency NOT IN ('', {base}))"
        crm, xero = (self._in_base(f"t.{side}_amount", f"{side[0]}.rate", foreign) for side in Side)
        return f"""{base} AS base_currency,
  CASE WHEN {foreign} THEN c.rate END AS crm_rate,
  {crm} AS crm_base,
  CASE WHEN {foreign} THEN x.rate END AS xero_rate,
  {xero} AS xero_base,
  crm_base - xero_base AS base_difference,
  CASE WHEN NOT {foreign} OR t.crm_total IS NULL AND t.xero_total IS NULL THEN ''
    WHEN x.rate IS NULL AND c.rate IS NULL THEN 'Neither system gives a rate for ' || t.currency
    ELSE 'One ' || {base} || ' is ' || concat_ws(', ', {_rate_words("c", "Dynamics")}, {_rate_words("x", "Xero")})
  END AS rate_note"""

    def _in_base(self, amount: str, rate: str, foreign: str) -> str:
        """``amount`` / ``rate`` to the base currency's smallest unit, half away from zero, in whole numbers throughout."""
        places = decimals(self._terms.base_currency)
        unit = f"CAST('{Decimal(1).scaleb(-places):f}' AS DECIMAL(5,4))"
        whole = f"CAST(abs({amount}) * 10000 AS HUGEINT) * {10 ** (places + 2)}"
        divisor = f"CAST({rate} * 1000000 AS HUGEINT)"
        rounded = f"((2 * {whole} + {divisor}) // (2 * {divisor}))"
        value = f"CAST(CAST(sign({amount}) * {rounded} AS DECIMAL(15,0)) * {unit} AS DECIMAL(19,4))"
        return f"CASE WHEN NOT {foreign} THEN CAST({amount} AS DECIMAL(19,4)) WHEN {rate} > 0 THEN {value} END"


class _Asked:
    """Values in the order in which a statement names them."""

    def __init__(self) -> None:
        self.values: list[object] = []

    def bind(self, value: object) -> str:
        self.values.append(value)
        return f"${len(self.values)}"


_AGREED = """
SELECT crm_seq, xero_seq, crm_contact, xero_contact,
  'Matched' AS status, '' AS reason, '' AS words, 'stored link' AS matched_by,
  NULL::VARCHAR[] AS alternatives, NULL::VARCHAR[] AS whys,
  number, currency, date, due_date, total AS crm_total, total AS xero_total, crm_paid, crm_credited, crm_due,
  coalesce(total, 0) AS crm_amount, coalesce(total, 0) AS xero_amount, 0::DECIMAL(19,4) AS difference,
  NULL::VARCHAR[] AS differing, NULL::STRUCT(reason VARCHAR, amount DECIMAL(19,4))[] AS parts,
  true AS crm_counts, true AS xero_counts, -1 - rowid AS spot
FROM {name} {only}"""
"""Pairs that agree in everything differ from each other in few columns: only these are kept. `spot` names a kept row."""
_TOTALS = """count(*) AS rows, count(*) FILTER (crm_counts) AS crm_count, count(*) FILTER (xero_counts) AS xero_count,
  sum(crm_amount) AS crm, sum(xero_amount) AS xero FROM ({source})"""
_SUMS = f"SELECT currency, status, reason, {_TOTALS} GROUP BY currency, status, reason"
_AGREED_TOTALS = f"SELECT currency, 'Matched' AS status, '' AS reason, {_TOTALS} GROUP BY currency"
_OF_PICKED = (
    "WHERE rowid IN (SELECT -1 - spot FROM picked WHERE spot < 0)",
    "WHERE rowid IN (SELECT spot FROM picked WHERE spot >= 0)",
)

_NAMED = """MATERIALIZED (
  SELECT seq, id, number, doc_date, due_date, reference, kind, state, total_tax, amount_paid, amount_credited, amount_due,
    modified, rate
  FROM record
  WHERE seq IN (SELECT unnest([crm_seq, xero_seq]) FROM chosen)
)"""
"""The records that the chosen rows name. They are looked up first, or the joins would read all of them."""
_PEOPLE = """MATERIALIZED (
  SELECT seq, title FROM record
  WHERE entity = 'contacts' AND seq IN (SELECT unnest([crm_contact, xero_contact]) FROM chosen)
)"""
"""Their contacts, apart: of documents no title is shown, and text takes longest to read."""

_CALLED = "SELECT seq FROM record WHERE entity = 'contacts' AND contains(lower(title), lower({}::VARCHAR))"


CALLED = "SELECT seq, rank() OVER (ORDER BY title) AS rank FROM record WHERE entity = 'contacts' AND title IS NOT NULL"
"""Contacts in the order of their names, for the table `called`: a million names are slow to sort by, their places are not."""
_RANKED = "LEFT JOIN called ON called.seq = coalesce(t.crm_contact, t.xero_contact)"


def _holds(column: str, text: str, asked: _Asked) -> str:
    """Whether ``column`` holds ``text`` somewhere, in any case."""
    plain = text.translate(_MEANT)
    escape = "" if plain == text else " ESCAPE '\\'"
    return f"{column} ILIKE {asked.bind(f'%{plain}%')}::VARCHAR{escape}"


_MEANT = str.maketrans({sign: f"\\{sign}" for sign in "\\%_"})
"""What a pattern would read as more than itself."""


def _either(name: str, records: str) -> str:
    return f"(crm_{name} IN ({records}) OR xero_{name} IN ({records}))"


def _rate_words(table: str, system: str) -> str:
    number = f"rtrim(rtrim(CAST({table}.rate AS VARCHAR), '0'), '.')"
    return (
        f"CASE WHEN {table}.rate IS NULL THEN 'not known in {system}' ELSE {number} || ' ' || t.currency || ' in {system}' END"
    )
