-- The cache: what both systems held when they were last asked. Disposable: every row can be pulled again.
-- Instants are UTC without a zone; money is DECIMAL(19,4) in the document's currency; ids and codes are text.

-- Rows as their system spells them. A nested row (a Xero line, an allocation) has its parent's stream + "." + the array's name.
CREATE TABLE IF NOT EXISTS raw (
  stream    VARCHAR NOT NULL,
  id        VARCHAR NOT NULL,
  parent_id VARCHAR,
  version   VARCHAR NOT NULL,
  body      VARCHAR NOT NULL,
  gone      BOOLEAN NOT NULL,
  run       VARCHAR NOT NULL
);

-- Records whose rows moved since their canonical form was last made.
CREATE TABLE IF NOT EXISTS dirty (entity VARCHAR NOT NULL, side VARCHAR NOT NULL, id VARCHAR NOT NULL);

-- One canonical record per entity, side and id. The typed columns feed the reconciliation; NULL where the entity has none.
-- `seq` is a short name of the row that never changes, so that what is kept of a reconciliation needs no long ids.
-- `parent` is what a payment or allocation is part of: its batch, its credit note, its prepayment or overpayment.
-- Numbers and references are not packed: of a row that stands far from others, all texts packed with it would be unpacked.
-- `agreed_hash` and `agreed_partner` repeat them of the agreed image: whether a record moved is then told without a join.
CREATE SEQUENCE IF NOT EXISTS record_seq;
CREATE TABLE IF NOT EXISTS record (
  entity          VARCHAR NOT NULL,
  side            VARCHAR NOT NULL,
  id              VARCHAR NOT NULL,
  native_table    VARCHAR NOT NULL,
  version         VARCHAR NOT NULL,
  modified        TIMESTAMP,
  gone            VARCHAR NOT NULL,
  hash            VARCHAR NOT NULL,
  fields          VARCHAR NOT NULL,
  title           VARCHAR,
  number          VARCHAR USING COMPRESSION uncompressed,
  contact         VARCHAR,
  currency        VARCHAR,
  doc_date        DATE,
  due_date        DATE,
  reference       VARCHAR USING COMPRESSION uncompressed,
  kind            VARCHAR,
  state           VARCHAR,
  document        VARCHAR,
  total           DECIMAL(19,4),
  total_tax       DECIMAL(19,4),
  amount_paid     DECIMAL(19,4),
  amount_credited DECIMAL(19,4),
  amount_due      DECIMAL(19,4),
  partner         VARCHAR,
  stamp           VARCHAR,
  run             VARCHAR NOT NULL,
  seq             BIGINT DEFAULT nextval('record_seq'),
  agreed_hash     VARCHAR,
  parent          VARCHAR,
  rate            DECIMAL(19,6)
);

-- What each side held when the pair last agreed. `partner` repeats the link, so that compare needs no other database.
CREATE TABLE IF NOT EXISTS agreed (
  entity  VARCHAR NOT NULL,
  side    VARCHAR NOT NULL,
  id      VARCHAR NOT NULL,
  partner VARCHAR NOT NULL,
  hash    VARCHAR NOT NULL,
  fields  VARCHAR NOT NULL,
  run     VARCHAR NOT NULL,
  stamp   VARCHAR NOT NULL
);

-- How far each stream has been pulled; written in the transaction of the last page.
CREATE TABLE IF NOT EXISTS cursor (
  stream     VARCHAR NOT NULL,
  cursor     VARCHAR NOT NULL,
  pulled_at  TIMESTAMP NOT NULL,
  full_at    TIMESTAMP NOT NULL,
  run        VARCHAR NOT NULL
);

CREATE TABLE IF NOT EXISTS fact (name VARCHAR NOT NULL, value VARCHAR NOT NULL);

-- What was held before, so that an earlier day can be looked at again: a record's versions that were superseded, and links that
-- were parted. The present version stands in `record`, with `since` and `linked`; nothing is kept twice.
ALTER TABLE record ADD COLUMN IF NOT EXISTS since TIMESTAMP;
ALTER TABLE record ADD COLUMN IF NOT EXISTS linked TIMESTAMP;
ALTER TABLE record ADD COLUMN IF NOT EXISTS agreed_partner VARCHAR;

-- Prints of texts, see prints.py.
ALTER TABLE record ADD COLUMN IF NOT EXISTS id_print UBIGINT;
ALTER TABLE record ADD COLUMN IF NOT EXISTS partner_print UBIGINT;
ALTER TABLE record ADD COLUMN IF NOT EXISTS number_print UBIGINT;
ALTER TABLE record ADD COLUMN IF NOT EXISTS document_print UBIGINT;
ALTER TABLE record ADD COLUMN IF NOT EXISTS hash_print UBIGINT;
ALTER TABLE record ADD COLUMN IF NOT EXISTS agreed_print UBIGINT;
ALTER TABLE record ADD COLUMN IF NOT EXISTS stamp_print UBIGINT;

CREATE TABLE IF NOT EXISTS history (
  entity       VARCHAR NOT NULL,
  side         VARCHAR NOT NULL,
  id           VARCHAR NOT NULL,
  native_table VARCHAR NOT NULL,
  version      VARCHAR NOT NULL,
  modified     TIMESTAMP,
  gone         VARCHAR NOT NULL,
  hash         VARCHAR NOT NULL,
  fields       VARCHAR NOT NULL,
  run          VARCHAR NOT NULL,
  since        TIMESTAMP,
  until        TIMESTAMP NOT NULL
);

CREATE TABLE IF NOT EXISTS parted (
  entity  VARCHAR NOT NULL,
  side    VARCHAR NOT NULL,
  id      VARCHAR NOT NULL,
  partner VARCHAR NOT NULL,
  linked  TIMESTAMP,
  until   TIMESTAMP NOT NULL
);

-- Which reconciliations are kept, and what each was made from. The rows stand in tables of their own, reconciled_<entity>.
CREATE TABLE IF NOT EXISTS reconciled (entity VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL);
