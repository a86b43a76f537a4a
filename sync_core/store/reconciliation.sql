-- Both systems side by side, one row per pair or lone record. Every record stands in exactly one row.
-- Names in double braces are rendered by reconciliation.py from the entity registry and from rules.reasons; values are bound:
--   $1 entity  $2 Dynamics streams  $3 Xero streams  $4 sign  $5 kinds of the other sign
--   $6, $7 rows set aside and why  $8, $9 currencies and their tolerance  $10, $11 currencies and their smallest unit

-- A hard-deleted row is absent. A voided one is there and counts nothing.
WITH present AS (
  SELECT *,
    coalesce(r.currency, '') AS cur,
    coalesce(r.partner, '') AS twin,
    {{number_key}} AS number_key,
    gone IN ('voided', 'deleted', 'canceled') OR coalesce(state, '') IN ('VOIDED', 'DELETED') AS void,
    gone IN ('archived', 'merged', 'draft') AS inactive,
    CASE WHEN list_contains($5::VARCHAR[], coalesce(kind, '')) THEN -$4::INTEGER ELSE $4::INTEGER END AS sign
  FROM record r
  WHERE entity = $1 AND NOT (gone = 'deleted' AND coalesce(state, '') <> 'DELETED')
),
contacts AS MATERIALIZED (
  SELECT side, id, title, coalesce(partner, '') AS twin, gone = 'merged' AS merged FROM record WHERE entity = 'contacts'
),
people AS MATERIALIZED (
  SELECT k.side, k.id, k.title, k.twin, k.merged OR coalesce(t.merged, false) AS merged
  FROM contacts k LEFT JOIN contacts t ON t.side <> k.side AND t.id = k.twin
),
settled AS ({{settled}}),
crm AS MATERIALIZED (
  SELECT p.id, p.native_table, p.cur, p.twin, p.number_key, p.void, p.inactive, p.hash, p.modified, p.gone,
    p.number, p.title, p.contact, p.doc_date, p.due_date, p.reference, p.kind, p.state,
    p.sign * p.total AS total, p.sign * p.total_tax AS tax,
    {{crm_settlement}},
    k.title AS contact_name, k.twin AS contact_twin, coalesce(k.merged, false) AS contact_merged,
    {{crm_document_twin}} AS document
  FROM present p
  LEFT JOIN people k ON k.side = 'crm' AND k.id = p.contact
  LEFT JOIN settled s ON s.document = p.id
  {{crm_document_join}}
  WHERE p.side = 'crm'
),
xero AS MATERIALIZED (
  SELECT p.id, p.native_table, p.cur, p.twin, p.number_key, p.void, p.inactive, p.hash, p.modified, p.gone,
    p.number, p.title, p.contact, p.doc_date, p.due_date, p.reference, p.kind, p.state,
    p.sign * p.total AS total, p.sign * p.total_tax AS tax,
    p.sign * p.amount_paid AS paid, p.sign * p.amount_credited AS credited, p.sign * p.amount_due AS due,
    k.title AS contact_name, k.twin AS contact_twin, coalesce(k.merged, false) AS contact_merged,
    coalesce(p.document, '') AS document
  FROM present p LEFT JOIN people k ON k.side = 'xero' AND k.id = p.contact
  WHERE p.side = 'xero'
),

-- Pairs: stored links first, then one pass after the other over what is left.
linked AS MATERIALIZED (
  SELECT c.id AS crm_id, x.id AS xero_id, c.cur = x.cur OR '' IN (c.cur, x.cur) AS same_currency
  FROM crm c JOIN xero x ON c.twin = x.id AND x.twin = c.id
),
crm_pool AS MATERIALIZED (
  SELECT c.id, c.cur, c.void, c.inactive, c.number_key, c.contact, c.contact_name, c.contact_twin, c.doc_date, c.total, c.document,
    lower(trim(coalesce(c.reference, ''))) AS reference{{crm_pool_keys}}
  FROM crm c{{crm_pool_join}} WHERE c.twin = ''
),
xero_pool AS MATERIALIZED (
  SELECT x.id, x.cur, x.void, x.inactive, x.number_key, x.contact, x.contact_name, x.doc_date, x.total, x.document,
    lower(trim(coalesce(x.reference, ''))) AS reference{{xero_pool_keys}}
  FROM xero x{{xero_pool_join}} WHERE x.twin = ''
),
{{passes}}
exact AS MATERIALIZED ({{exact}}),
{{candidates}}
pairs AS MATERIALIZED (
  SELECT crm_id, xero_id, 'stored link' AS matched_by FROM linked WHERE same_currency
  UNION ALL SELECT crm_id, xero_id, matched_by FROM exact WHERE same_currency
  UNION ALL SELECT crm_id, xero_id, matched_by FROM accepted
),
apart AS (
  SELECT crm_id, xero_id FROM linked WHERE NOT same_currency UNION ALL SELECT crm_id, xero_id FROM exact WHERE NOT same_currency
),
possible AS (
  SELECT 'crm:' || crm_id AS row_id, list('xero:' || xero_id ORDER BY score DESC, xero_id) AS others
  FROM doubtful GROUP BY crm_id
  UNION ALL
  SELECT 'xero:' || xero_id, list('crm:' || crm_id ORDER BY score DESC, crm_id) FROM doubtful GROUP BY xero_id
),
estranged AS (
  SELECT 'crm:' || crm_id AS row_id, ['xero:' || xero_id] AS others FROM apart
  UNION ALL SELECT 'xero:' || xero_id, ['crm:' || crm_id] FROM apart
),
lone_crm AS MATERIALIZED (SELECT * FROM crm ANTI JOIN pairs ON pairs.crm_id = crm.id),
lone_xero AS MATERIALIZED (SELECT * FROM xero ANTI JOIN pairs ON pairs.xero_id = xero.id),

-- A lone record is a duplicate when its number or tag is there twice, its twin belongs to another, or it equals a paired one.
duplicates AS MATERIALIZED ({{duplicates}}),

-- What stands beside each other.
side_by_side AS MATERIALIZED (
  SELECT p.crm_id, p.xero_id, p.matched_by, c, x,
    CASE WHEN p.crm_id IS NULL THEN 'xero:' || p.xero_id ELSE 'crm:' || p.crm_id END AS row_id,
    coalesce(nullif(c.cur, ''), x.cur, '') AS currency,
    c.hash IS DISTINCT FROM ac.hash AS crm_moved,
    x.hash IS DISTINCT FROM ax.hash AS xero_moved
  FROM (
    SELECT crm_id, xero_id, matched_by FROM pairs
    UNION ALL SELECT id, NULL, '' FROM lone_crm
    UNION ALL SELECT NULL, id, '' FROM lone_xero
  ) p
  LEFT JOIN crm c ON c.id = p.crm_id
  LEFT JOIN xero x ON x.id = p.xero_id
  LEFT JOIN (SELECT id, hash FROM agreed WHERE entity = $1 AND side = 'crm') ac ON ac.id = p.crm_id
  LEFT JOIN (SELECT id, hash FROM agreed WHERE entity = $1 AND side = 'xero') ax ON ax.id = p.xero_id
),

-- Only pairs that moved since they agreed, or do not add up, have their other fields and lines compared.
suspects AS MATERIALIZED (
  SELECT crm_id, xero_id FROM side_by_side
  WHERE crm_id IS NOT NULL AND xero_id IS NOT NULL AND NOT c.void AND NOT x.void
    AND (crm_moved OR xero_moved OR c.total IS DISTINCT FROM x.total OR c.tax IS DISTINCT FROM x.tax)
),
bodies AS (
  SELECT s.crm_id, from_json(fc.fields, '{{shape}}') AS c, from_json(fx.fields, '{{shape}}') AS x, fc.native_table
  FROM suspects s
  JOIN record fc ON fc.entity = $1 AND fc.side = 'crm' AND fc.id = s.crm_id
  JOIN record fx ON fx.entity = $1 AND fx.side = 'xero' AND fx.id = s.xero_id
),
lined AS (
  SELECT crm_id,
    {{rate_differs}} AS rate_differs,
    {{header_discount}} AS header_discount,
    {{field_labels}} AS labels,
    {{lines_crm}} AS lc,
    {{lines_xero}} AS lx
  FROM bodies
),
deep AS MATERIALIZED (
  SELECT crm_id, rate_differs AS other_rate, labels,
    greatest(len(lc), len(lx), 1) AS line_count,
    len(lc) <> len(lx) AS other_count,
    {{lines_differ}} AS other_lines,
    CASE WHEN other_lines AND NOT other_count THEN {{prices_differ}} AND NOT {{cents_differ}} END AS other_precision,
    header_discount OR CASE WHEN other_lines AND NOT other_count THEN {{nets_differ}} AND NOT {{prices_differ}} END AS other_discount
  FROM lined
),
advances AS ({{advances}}),
pulled AS (
  SELECT min(pulled_at) FILTER (list_contains($2::VARCHAR[], stream)) AS crm_first,
    max(pulled_at) FILTER (list_contains($2::VARCHAR[], stream)) AS crm_last,
    min(pulled_at) FILTER (list_contains($3::VARCHAR[], stream)) AS xero_first,
    max(pulled_at) FILTER (list_contains($3::VARCHAR[], stream)) AS xero_last
  FROM cursor
),
found AS (
  SELECT b.*, d.labels, p.others,
    p.row_id IS NOT NULL AS ambiguous,
    u.row_id IS NOT NULL AS duplicate, u.others AS copies,
    o.row_id IS NOT NULL AS other_currency, o.others AS foreign_twin,
    b.xero_id IS NULL AS only_crm,
    b.crm_id IS NULL AS only_xero,
    coalesce(c.void, false) AS void_crm,
    coalesce(x.void, false) AS void_xero,
    coalesce(c.inactive, false) AS inactive_crm,
    coalesce(x.inactive, false) AS inactive_xero,
    coalesce(crm_moved AND c.modified > xero_first AND c.modified <= crm_last, false)
      OR coalesce(xero_moved AND x.modified > crm_first AND x.modified <= xero_last, false) AS timing,
    b.crm_id IS NOT NULL AND b.xero_id IS NOT NULL AND NOT c.void AND NOT x.void AS comparable,
    coalesce(($9::DECIMAL(19,4)[])[list_position($8::VARCHAR[], b.currency)], 0) AS tolerance,
    coalesce(($11::DECIMAL(19,4)[])[list_position($10::VARCHAR[], b.currency)], 0.01) AS smallest,
    comparable AND c.total IS DISTINCT FROM x.total AS total_differs,
    comparable AND c.tax IS DISTINCT FROM x.tax AS tax_differs,
    comparable AND coalesce(c.paid <> x.paid, false) AS paid_differs,
    comparable AND coalesce({{credited_differs}}, false) AS credited_differs,
    total_differs OR tax_differs OR paid_differs OR credited_differs AS amount_differs,
    coalesce(abs(c.total - x.total), 0) <= tolerance AND coalesce(abs(c.tax - x.tax), 0) <= tolerance
      AND coalesce(abs(c.paid - x.paid), 0) <= tolerance AND coalesce(abs(c.credited - x.credited), 0) <= tolerance
      AND (c.total IS NULL) = (x.total IS NULL) AND (c.tax IS NULL) = (x.tax IS NULL) AS within,
    total_differs AND coalesce(c.total - x.total = c.tax - x.tax, false)
      AND abs(c.total - x.total) <= smallest * coalesce(d.line_count, 1) AS tax_rounding,
    coalesce(d.other_precision, false) AS price_precision,
    coalesce(d.other_discount, false) AS discount,
    coalesce(d.other_count, false) AS line_missing,
    coalesce(d.other_lines, false) AS lines_differ,
    coalesce({{from_advance}}, false) AS from_advance,
    comparable AND coalesce(c.contact, '') <> '' AND coalesce(x.contact, '') <> ''
      AND (coalesce(c.contact_twin, '') <> '' OR coalesce(x.contact_twin, '') <> '')
      AND NOT (coalesce(c.contact_twin, '') = x.contact OR coalesce(x.contact_twin, '') = c.contact) AS contact_differs,
    contact_differs AND (c.contact_merged OR x.contact_merged) AS contact_merged,
    comparable AND {{state_differs}} AS state_differs,
    comparable AND c.due_date IS DISTINCT FROM x.due_date AS due_differs,
    comparable AND c.doc_date IS DISTINCT FROM x.doc_date AS date_differs,
    comparable AND c.number_key <> x.number_key AND c.number_key <> '' AND x.number_key <> '' AS number_differs,
    coalesce(d.other_rate, false) AS rate_differs,
    number_differs OR date_differs OR coalesce(len(d.labels) > 0, false) AS field_differs,
    contact_differs OR state_differs OR due_differs OR field_differs OR rate_differs
      OR (comparable AND c.inactive <> x.inactive)
      OR (NOT (total_differs OR tax_differs) AND lines_differ) AS detail_differs,
    list_position($6::VARCHAR[], b.row_id) AS put_aside,
    put_aside IS NOT NULL AS ignored,
    CASE WHEN void_crm THEN 0 ELSE coalesce(c.total, 0) END AS crm_amount,
    CASE WHEN void_xero THEN 0 ELSE coalesce(x.total, 0) END AS xero_amount,
    crm_amount - xero_amount AS difference
  FROM side_by_side b
  CROSS JOIN pulled
  LEFT JOIN deep d ON d.crm_id = b.crm_id
  LEFT JOIN possible p ON p.row_id = b.row_id
  LEFT JOIN duplicates u ON u.row_id = b.row_id
  LEFT JOIN estranged o ON o.row_id = b.row_id
),
judged AS (
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
        CASE WHEN line_missing OR lines_differ THEN 'Lines' END, CASE WHEN rate_differs THEN 'Exchange rate' END
      ], lambda label: label IS NOT NULL),
      coalesce(labels, [])
    ) AS differing
  FROM found
),
rows AS (
  SELECT row_id, status, reason,
    CASE
      WHEN ignored AND ($7::VARCHAR[])[put_aside] <> '' THEN plain_words || ': ' || ($7::VARCHAR[])[put_aside]
      WHEN reason = '{{field_reason}}' THEN 'Differs: ' || array_to_string(differing, ', ')
      ELSE plain_words
    END AS words,
    matched_by,
    coalesce(others, copies, foreign_twin, []) AS alternatives,
    coalesce(nullif(c.number, ''), nullif(x.number, ''), c.title, x.title) AS number,
    currency,
    coalesce(c.contact_name, x.contact_name) AS contact,
    crm_id, c.number AS crm_number, c.contact_name AS crm_contact, c.doc_date AS crm_date, c.due_date AS crm_due_date,
    c.reference AS crm_reference, {{crm_state}} AS crm_state,
    c.total AS crm_total, c.tax AS crm_tax, c.paid AS crm_paid, c.credited AS crm_credited, c.due AS crm_due, crm_amount,
    difference,
    xero_amount, x.total AS xero_total, x.tax AS xero_tax, x.paid AS xero_paid, x.credited AS xero_credited, x.due AS xero_due,
    x.state AS xero_state, x.reference AS xero_reference, x.due_date AS xero_due_date, x.doc_date AS xero_date,
    x.contact_name AS xero_contact, x.number AS xero_number, xero_id,
    differing,
    c.modified AS crm_modified, x.modified AS xero_modified,
    NOT only_xero AND NOT void_crm AS crm_counts, NOT only_crm AND NOT void_xero AS xero_counts
  FROM judged
)
