-- Both systems side by side, one row per pair or lone record. Every record stands in exactly one row.
-- Statements are parted by lines "-- step <name>" and run in this order on one connection, in one transaction. Names in double
-- braces are rendered by reconciliation_sql.py from the entity registry and from rules.reasons; the temporary tables `term`
-- (one row) and `tolerance` hold what people chose.
-- The many pairs that agree in everything are kept apart, in few columns; only the others go through the steps after that.

-- step present
-- A hard-deleted row is absent. A voided one is there and counts nothing.
CREATE TEMP VIEW present AS
SELECT *,
  coalesce(currency, '') AS cur,
  coalesce(partner, '') AS twin,
  {{number_key}} AS number_key,
  gone IN ('voided', 'deleted', 'canceled') OR coalesce(state, '') IN ('VOIDED', 'DELETED') AS void,
  gone IN ('archived', 'merged', 'draft') AS inactive,
  {{sign}} AS sign
FROM record
WHERE entity = {{entity}} AND NOT (gone = 'deleted' AND coalesce(state, '') <> 'DELETED');

-- step people
CREATE TEMP TABLE people AS
SELECT k.seq, k.side, k.id, k.id_print AS print, k.title, coalesce(k.partner, '') AS twin, t.seq AS twin_seq,
  k.gone = 'merged' OR coalesce(t.gone = 'merged', false) AS merged
FROM record k LEFT JOIN record t ON t.entity = 'contacts' AND t.side <> k.side AND t.id = k.partner
WHERE k.entity = 'contacts';

-- step settled
-- What Dynamics' own payments and allocations settle of each document.
CREATE TEMP TABLE settled AS {{settled}};

-- step outline
-- Every record in numbers: ids and texts as prints of 64 bits (see prints.py), NULL where there is none.
CREATE TEMP VIEW outline AS SELECT {{outline}} FROM present;

-- step linkable
-- What tells whether a pair agrees, of the records that are asked about.
{{linkable}};

-- step beside
-- Linked pairs that agree in everything, and alone whatever else there is.
CREATE TEMP TABLE beside AS
WITH c AS (
  SELECT o.* EXCLUDE (paid, rest), {{outline_settlement}}, k.seq AS contact_seq, k.twin_seq
  FROM linkable o LEFT JOIN people k ON k.side = 'crm' AND k.print = o.contact_print {{outline_settled}}
  WHERE o.is_crm
),
x AS (
  SELECT o.*, k.seq AS contact_seq
  FROM linkable o LEFT JOIN people k ON k.side = 'xero' AND k.print = o.contact_print
  WHERE NOT o.is_crm
)
SELECT c.seq AS crm_seq, x.seq AS xero_seq, c.contact_seq AS crm_contact, x.contact_seq AS xero_contact,
  coalesce(nullif(c.cur, ''), x.cur) AS currency, c.paid, c.rest
FROM c FULL JOIN x ON c.pair_print = x.pair_print AND c.value_print = x.value_print
  AND (c.cur = x.cur OR '' IN (c.cur, x.cur)) AND coalesce(c.paid = x.paid, true) AND coalesce(c.rest = x.rest, true)
  AND (c.contact_print IS NULL OR x.contact_print IS NULL OR c.twin_seq = x.contact_seq)
  AND coalesce(c.rate = x.rate, true) AND coalesce(c.state_mark = x.state_mark, true);

-- step agreeing
CREATE TEMP VIEW agreeing AS FROM beside WHERE crm_seq IS NOT NULL AND xero_seq IS NOT NULL;

-- step open
-- All others: what is decided step by step from here on.
CREATE TEMP TABLE open AS {{open}};

-- step agreed
-- Kept of those that agree is what pages sort, filter and add up by; what is the same of all is not written a million times.
INSERT INTO {{agreed}} BY NAME
SELECT crm_seq, xero_seq, crm_contact, xero_contact, coalesce(nullif(p.number, ''), p.title) AS number, a.currency,
  p.doc_date AS date, p.due_date, p.sign * p.total AS total, {{agreed_settlement}}
FROM agreeing a JOIN (FROM present WHERE side = 'crm') p ON p.seq = a.crm_seq;

-- step opened
-- Looked up once for both sides: most of what it costs is to read the other columns of whoever stands between them.
CREATE TEMP TABLE opened AS
SELECT p.seq, p.side, p.id, p.id_print, p.native_table, p.cur, p.twin, p.number_key, p.void, p.inactive, p.hash, p.agreed_hash, p.modified,
  p.gone, p.number, p.title, p.contact, p.doc_date, p.due_date, p.reference, p.kind, p.state, p.rate, p.fields,
  p.sign * p.total AS total, p.sign * p.total_tax AS tax,
  {{opened_settlement}},
  k.seq AS contact_seq, k.title AS contact_name, k.twin AS contact_twin, coalesce(k.merged, false) AS contact_merged,
  CASE p.side WHEN 'crm' THEN {{crm_document_twin}} ELSE coalesce(p.document, '') END AS document
FROM (FROM present WHERE seq IN (FROM open)) p
LEFT JOIN people k ON k.side = p.side AND k.id = p.contact
LEFT JOIN settled s ON s.print = CASE p.side WHEN 'crm' THEN p.id_print END
{{crm_document_join}};

-- step crm
CREATE TEMP VIEW crm AS SELECT * EXCLUDE (side) FROM opened WHERE side = 'crm';

-- step xero
CREATE TEMP VIEW xero AS SELECT * EXCLUDE (side) FROM opened WHERE side = 'xero';

-- step pools
-- Pairs: stored links first, then one pass after the other over what is left.
CREATE TEMP TABLE linked AS
SELECT c.id AS crm_id, x.id AS xero_id, c.cur = x.cur OR '' IN (c.cur, x.cur) AS same_currency
FROM crm c JOIN xero x ON c.twin = x.id AND x.twin = c.id;

-- step crm_pool
CREATE TEMP TABLE crm_pool AS
SELECT c.id, c.cur, c.void, c.inactive, c.number_key, c.contact, c.contact_name, c.contact_twin, c.doc_date, c.total, c.document,
  lower(trim(coalesce(c.reference, ''))) AS reference{{crm_pool_keys}}
FROM crm c WHERE c.twin = '';

-- step xero_pool
CREATE TEMP TABLE xero_pool AS
SELECT x.id, x.cur, x.void, x.inactive, x.number_key, x.contact, x.contact_name, x.doc_date, x.total, x.document,
  lower(trim(coalesce(x.reference, ''))) AS reference{{xero_pool_keys}}
FROM xero x WHERE x.twin = '';

-- step often
-- Numbers that a whole side has twice, of those that are still asked about.
CREATE TEMP TABLE often AS
SELECT is_crm, number_print FROM outline
WHERE NOT void AND number_print IN (
  SELECT hash(number_key) FROM (SELECT number_key FROM crm_pool UNION ALL SELECT number_key FROM xero_pool)
)
GROUP BY ALL HAVING count(*) > 1;

-- step exact
CREATE TEMP TABLE exact AS
WITH {{passes}}
nothing AS (SELECT 1)
{{exact}};

-- step candidates
CREATE TEMP TABLE candidates AS {{candidates}};

-- step accepted
CREATE TEMP TABLE accepted (crm_id VARCHAR, xero_id VARCHAR);

-- step pairs
CREATE TEMP TABLE pairs AS
SELECT crm_id, xero_id, 'stored link' AS matched_by FROM linked WHERE same_currency
UNION ALL SELECT crm_id, xero_id, matched_by FROM exact WHERE same_currency
UNION ALL SELECT crm_id, xero_id, 'contact, amount and date' FROM accepted;

-- step lone_crm
CREATE TEMP TABLE lone_crm AS SELECT * FROM crm ANTI JOIN pairs ON pairs.crm_id = crm.id;

-- step lone_xero
CREATE TEMP TABLE lone_xero AS SELECT * FROM xero ANTI JOIN pairs ON pairs.xero_id = xero.id;

-- step lone
CREATE TEMP TABLE lone AS
SELECT seq, is_crm, void, twin_print, number_print, kin_print
FROM outline WHERE seq IN (SELECT seq FROM lone_crm UNION ALL SELECT seq FROM lone_xero);

-- step kin
-- Records that share with a lone one what makes it their duplicate: told by prints, of which equal ones are looked up.
CREATE TEMP TABLE kin AS
SELECT l.seq, o.seq AS other,
  CASE WHEN l.is_crm THEN {{claimed_crm}} ELSE {{claimed_xero}} END AS why
FROM lone l JOIN outline o ON o.twin_print = l.twin_print AND o.is_crm = l.is_crm
WHERE NOT l.void AND o.seq NOT IN (SELECT seq FROM lone)
UNION ALL
SELECT l.seq, o.seq, 'same number'
FROM lone l JOIN outline o ON o.number_print = l.number_print AND o.is_crm = l.is_crm AND o.seq <> l.seq
WHERE NOT l.void AND NOT o.void
UNION ALL
SELECT l.seq, o.seq, 'same contact, amount and date as a record that has its twin'
FROM lone l JOIN outline o ON o.kin_print = l.kin_print
WHERE NOT l.void AND NOT o.void AND o.seq NOT IN (SELECT seq FROM lone);

-- step duplicates
-- A lone record is a duplicate when its number or tag is there twice, its twin belongs to another, or it equals a paired one.
CREATE TEMP TABLE duplicates AS
WITH named AS MATERIALIZED (
  SELECT seq, side || ':' || id AS row_id FROM record WHERE seq IN (SELECT seq FROM kin UNION ALL SELECT other FROM kin)
)
SELECT row_id, list(other ORDER BY other) AS others, list(why ORDER BY other) AS whys
FROM (
  SELECT row_id, other, min(why) AS why
  FROM (
    SELECT l.row_id, o.row_id AS other, kin.why
    FROM kin JOIN named l ON l.seq = kin.seq JOIN named o ON o.seq = kin.other
    UNION ALL {{duplicates}}
  )
  GROUP BY ALL
)
GROUP BY row_id;

-- step possible
-- What a record could belong to, the likeliest first.
CREATE TEMP TABLE possible AS
WITH doubtful AS (
  SELECT * FROM candidates
  WHERE crm_id NOT IN (SELECT crm_id FROM pairs) AND xero_id NOT IN (SELECT xero_id FROM pairs)
)
SELECT 'crm:' || crm_id AS row_id, list('xero:' || xero_id ORDER BY score DESC, xero_id) AS others,
  list(score || ' of 100: ' || why ORDER BY score DESC, xero_id) AS whys
FROM doubtful GROUP BY crm_id
UNION ALL
SELECT 'xero:' || xero_id, list('crm:' || crm_id ORDER BY score DESC, crm_id),
  list(score || ' of 100: ' || why ORDER BY score DESC, crm_id)
FROM doubtful GROUP BY xero_id;

-- step estranged
CREATE TEMP TABLE estranged AS
WITH apart AS (
  SELECT crm_id, xero_id FROM linked WHERE NOT same_currency UNION ALL SELECT crm_id, xero_id FROM exact WHERE NOT same_currency
)
SELECT 'crm:' || crm_id AS row_id, ['xero:' || xero_id] AS others FROM apart
UNION ALL SELECT 'xero:' || xero_id, ['crm:' || crm_id] FROM apart;

-- step side_by_side
-- What stands beside each other.
CREATE TEMP TABLE side_by_side AS
SELECT p.crm_id, p.xero_id, p.matched_by, c, x,
  CASE WHEN p.crm_id IS NULL THEN 'xero:' || p.xero_id ELSE 'crm:' || p.crm_id END AS row_id,
  coalesce(nullif(c.cur, ''), x.cur, '') AS currency,
  c.hash IS DISTINCT FROM c.agreed_hash AS crm_moved,
  x.hash IS DISTINCT FROM x.agreed_hash AS xero_moved
FROM (
  SELECT crm_id, xero_id, matched_by FROM pairs
  UNION ALL SELECT id, NULL, '' FROM lone_crm
  UNION ALL SELECT NULL, id, '' FROM lone_xero
) p
LEFT JOIN (SELECT * EXCLUDE (fields) FROM crm) c ON c.id = p.crm_id
LEFT JOIN (SELECT * EXCLUDE (fields) FROM xero) x ON x.id = p.xero_id;

-- step deep
-- Only pairs that moved since they agreed, or do not add up, have their other fields and lines compared.
CREATE TEMP TABLE deep AS
WITH bodies AS (
  SELECT crm_id, from_json(crm.fields, '{{shape}}') AS jc, from_json(xero.fields, '{{shape}}') AS jx,
    c.native_table AS native_table
  FROM side_by_side JOIN crm ON crm.id = crm_id JOIN xero ON xero.id = xero_id
  WHERE NOT c.void AND NOT x.void
    AND (crm_moved OR xero_moved OR c.total IS DISTINCT FROM x.total OR c.tax IS DISTINCT FROM x.tax)
),
opened AS (SELECT crm_id, jc AS c, jx AS x, native_table FROM bodies),
lined AS (
  SELECT crm_id,
    {{rate_differs}} AS other_rate,
    {{field_labels}} AS labels,
    {{lines_crm}} AS lc,
    {{lines_xero}} AS lx
  FROM opened
)
SELECT crm_id, other_rate, labels, greatest(len(lc), len(lx), 1) AS line_count, {{lines_differ}} AS other_lines FROM lined;

-- step bodies
-- The lines that Python aligns: those of pairs whose totals or lines differ.
CREATE TEMP VIEW bodies AS
SELECT b.crm_id, crm.fields AS crm_fields, xero.fields AS xero_fields,
  coalesce(b.c.total, 0) - coalesce(b.x.total, 0) AS difference, coalesce(t.smallest, 0.01) AS smallest,
  hash(crm.fields) AS crm_print, hash(xero.fields) AS xero_print
FROM side_by_side b JOIN deep d ON d.crm_id = b.crm_id JOIN crm ON crm.id = b.crm_id JOIN xero ON xero.id = b.xero_id
LEFT JOIN tolerance t ON t.currency = b.currency
WHERE d.other_lines OR b.c.total IS DISTINCT FROM b.x.total;

-- step found
-- In three turns: what one turn names, the next ones use; in one, every name would be written out wherever it stands.
CREATE TEMP TABLE found AS
WITH pulled AS ({{pulled}}),
advances AS ({{advances}}),
beside AS (
  SELECT b.*, term.locked_until, term.base_currency, d.labels, d.line_count, p.others, p.whys AS reasons_for, g.notes, g.parts,
    false AS ignored,
    p.row_id IS NOT NULL AS ambiguous,
    u.row_id IS NOT NULL AS duplicate, u.others AS copies, u.whys AS copied,
    o.row_id IS NOT NULL AS other_currency, o.others AS foreign_twin,
    b.xero_id IS NULL AS only_crm,
    b.crm_id IS NULL AS only_xero,
    coalesce(c.void, false) AS void_crm,
    coalesce(x.void, false) AS void_xero,
    coalesce(c.inactive, false) AS inactive_crm,
    coalesce(x.inactive, false) AS inactive_xero,
    coalesce(crm_moved AND {{crm_between}}, false) OR coalesce(xero_moved AND {{xero_between}}, false) AS timing,
    b.crm_id IS NOT NULL AND b.xero_id IS NOT NULL AND NOT c.void AND NOT x.void AS comparable,
    coalesce(t.smallest, 0.01) AS cent,
    {{money_bound}} AS bound,
    coalesce(g.main = 'unit-price precision', false) AS price_precision,
    coalesce(g.main = 'discount', false) AS discount,
    coalesce(g.main = 'missing line', false) AS line_missing,
    coalesce(g.main = 'line differs', false) AS line_told,
    coalesce(d.other_lines, false) AS other_lines,
    coalesce(d.other_rate, false) AS kept_rate_differs,
    coalesce({{from_advance}}, false) AS from_advance,
    {{approved}} AS approved,
    {{approved_kind}} AND coalesce(coalesce(x.doc_date, c.doc_date) <= term.locked_until, false) AS locked,
    CASE WHEN coalesce(c.void, false) THEN 0 ELSE coalesce(c.total, 0) END AS crm_amount,
    CASE WHEN coalesce(x.void, false) THEN 0 ELSE coalesce(x.total, 0) END AS xero_amount
  FROM side_by_side b
  CROSS JOIN pulled
  CROSS JOIN term
  LEFT JOIN tolerance t ON t.currency = b.currency
  LEFT JOIN deep d ON d.crm_id = b.crm_id
  LEFT JOIN line_note g ON g.crm_id = b.crm_id
  LEFT JOIN possible p ON p.row_id = b.row_id
  LEFT JOIN duplicates u ON u.row_id = b.row_id
  LEFT JOIN estranged o ON o.row_id = b.row_id
),
compared AS (
  SELECT *,
    comparable AND c.total IS DISTINCT FROM x.total AS total_differs,
    comparable AND c.tax IS DISTINCT FROM x.tax AS tax_differs,
    comparable AND coalesce(c.paid <> x.paid, false) AS paid_differs,
    comparable AND coalesce({{credited_differs}}, false) AS credited_differs,
    coalesce(abs(c.total - x.total), 0) <= bound AND coalesce(abs(c.tax - x.tax), 0) <= bound
      AND coalesce(abs(c.paid - x.paid), 0) <= bound AND coalesce(abs(c.credited - x.credited), 0) <= bound
      AND (c.total IS NULL) = (x.total IS NULL) AND (c.tax IS NULL) = (x.tax IS NULL) AS within,
    comparable AND coalesce(c.contact, '') <> '' AND coalesce(x.contact, '') <> ''
      AND (coalesce(c.contact_twin, '') <> '' OR coalesce(x.contact_twin, '') <> '')
      AND NOT (coalesce(c.contact_twin, '') = x.contact OR coalesce(x.contact_twin, '') = c.contact) AS contact_differs,
    comparable AND {{state_differs}} AS state_differs,
    comparable AND c.due_date IS DISTINCT FROM x.due_date AS due_differs,
    comparable AND c.doc_date IS DISTINCT FROM x.doc_date AS date_differs,
    comparable AND c.number_key <> x.number_key AND c.number_key <> '' AND x.number_key <> '' AS number_differs,
    kept_rate_differs OR comparable AND coalesce(c.rate <> x.rate, false) AND c.cur <> base_currency AS rate_differs,
    approved AND comparable AND c.agreed_hash IS NOT NULL AND x.agreed_hash IS NOT NULL AS agreed_once,
    crm_amount - xero_amount AS difference
  FROM beside
)
SELECT *,
  total_differs OR tax_differs AS value_differs,
  total_differs OR tax_differs OR paid_differs OR credited_differs AS amount_differs,
  total_differs AND coalesce(c.total - x.total = c.tax - x.tax, false)
    AND abs(c.total - x.total) <= cent * coalesce(line_count, 1) AS tax_rounding,
  other_lines AND (NOT (total_differs OR tax_differs) OR line_told) AS lines_differ,
  contact_differs AND (c.contact_merged OR x.contact_merged) AS contact_merged,
  number_differs OR date_differs OR coalesce(len(labels) > 0, false) AS field_differs,
  contact_differs OR state_differs OR due_differs OR number_differs OR date_differs OR coalesce(len(labels) > 0, false)
    OR kept_rate_differs OR (comparable AND c.inactive <> x.inactive)
    OR (other_lines AND NOT (total_differs OR tax_differs)) AS detail_differs,
  agreed_once AND crm_moved AS edited_crm,
  agreed_once AND xero_moved AS edited_xero
FROM compared;

-- step judged
CREATE OR REPLACE TABLE {{kept}} AS
WITH judged AS (
  SELECT *,
    {{status_case}} AS status,
    {{reason_case}} AS reason,
    {{words_case}} AS plain_words,
    list_concat(
      list_filter([
        CASE WHEN number_differs THEN 'Number' END, CASE WHEN date_differs THEN 'Date' END,
        CASE WHEN due_differs THEN 'Due date' END, CASE WHEN contact_differs THEN 'Contact' END,
        CASE WHEN state_differs OR inactive_crm <> inactive_xero AND comparable THEN 'Status' END,
        CASE WHEN total_differs THEN 'Total' END, CASE WHEN tax_differs THEN 'Tax' END,
        CASE WHEN paid_differs THEN 'Paid' END, CASE WHEN credited_differs THEN 'Credited' END,
        CASE WHEN other_lines THEN 'Lines' END, CASE WHEN rate_differs THEN 'Exchange rate' END
      ], lambda label: label IS NOT NULL),
      coalesce(labels, [])
    ) AS labelled
  FROM found
)
SELECT c.seq AS crm_seq, x.seq AS xero_seq, c.contact_seq AS crm_contact, x.contact_seq AS xero_contact,
  status, reason,
  CASE
    WHEN reason = {{field_reason}} THEN 'Differs: ' || array_to_string(labelled, ', ')
    WHEN reason = {{rate_reason}} AND c.rate IS NOT NULL AND x.rate IS NOT NULL
      THEN plain_words || ': ' || {{crm_rate_text}} || ' in Dynamics, ' || {{xero_rate_text}} || ' in Xero'
    WHEN reason = {{locked_reason}} THEN concat_ws('; ', plain_words || ' until ' || locked_until, notes)
    WHEN notes IS NOT NULL AND reason IN ({{line_causes}}, {{overruling}}) THEN plain_words || ': ' || notes
    ELSE plain_words
  END AS words,
  matched_by,
  coalesce(others, copies, foreign_twin) AS alternatives,
  coalesce(reasons_for, copied) AS whys,
  coalesce(nullif(c.number, ''), nullif(x.number, ''), c.title, x.title) AS number,
  currency,
  coalesce(c.doc_date, x.doc_date) AS date, coalesce(c.due_date, x.due_date) AS due_date,
  c.total AS crm_total, x.total AS xero_total, c.paid AS crm_paid, c.credited AS crm_credited, c.due AS crm_due,
  crm_amount, xero_amount, difference,
  labelled AS differing,
  CASE WHEN reason IN ({{overruling}})
      THEN list_transform(parts, lambda p: {'reason': CASE WHEN p.reason IN ({{line_causes}}) THEN reason ELSE p.reason END,
        'amount': p.amount})
    WHEN reason IN ({{line_causes}}) THEN parts END AS parts,
  NOT only_xero AND NOT void_crm AS crm_counts, NOT only_crm AND NOT void_xero AS xero_counts
FROM judged;
