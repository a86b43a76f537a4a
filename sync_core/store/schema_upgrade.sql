-- A cache from before these columns: they are added and filled from what is there, so that no full pull is needed.
CREATE SEQUENCE IF NOT EXISTS record_seq;
ALTER TABLE record ADD COLUMN seq BIGINT DEFAULT nextval('record_seq');
ALTER TABLE record ADD COLUMN agreed_hash VARCHAR;
ALTER TABLE record ADD COLUMN parent VARCHAR;
ALTER TABLE record ADD COLUMN rate DECIMAL(19,6);
UPDATE record SET agreed_hash = a.hash FROM agreed a WHERE a.entity = record.entity AND a.side = record.side AND a.id = record.id;
UPDATE record SET parent = fields->>'$.batch' WHERE entity = 'payments';
UPDATE record SET parent = coalesce(fields->>'$.credit_note', fields->>'$.advance') WHERE entity IN ('allocations', 'credit_note_lines');
UPDATE record SET rate = TRY_CAST(fields->>'$.rate' AS DECIMAL(19,6)) WHERE entity IN ('invoices', 'credit_notes', 'payments');
