"""The tables of the durable state, as they stand at the newest migration. Every one carries its organisation.

``seq`` columns keep the order in which rows came. JSON stands in text columns, because its exact characters are hashed or
handed back. A change here needs a migration beside it: tests/store/test_migrations.py compares the two.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, MetaData, Table, Text, UniqueConstraint

from sync_core.store.columns import Instant, PlainText, Position

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def _seq() -> Column[int]:
    return Column("seq", Position, primary_key=True, autoincrement=True)


def _number(name: str) -> Column[int]:
    return Column(name, Position, nullable=False, autoincrement=False)


def _text(name: str) -> Column[str]:
    return Column(name, PlainText, nullable=False)


def _name(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, Instant, nullable=nullable)


links = Table(
    "links",
    metadata,
    _key("organisation"),
    _key("entity"),
    _key("crm_id"),
    _name("xero_id"),
    _text("matched_by"),
    _at("linked_at"),
    UniqueConstraint("organisation", "entity", "xero_id"),
)

record_status = Table(
    "record_status",
    metadata,
    _key("organisation"),
    _key("entity"),
    _key("side"),
    _key("id"),
    _name("status"),
    _text("reason"),
    _text("remark"),
    _at("last_synced", nullable=True),
    _at("last_attempt"),
    _name("run"),
    _text("detail"),
    Index(None, "organisation", "status", "entity"),
)

runs = Table(
    "runs",
    metadata,
    _key("organisation"),
    _key("run"),
    _name("status"),
    _at("started"),
    _at("finished", nullable=True),
    _name("trigger"),
    _text("scope"),
    _name("counts"),
    _name("calls"),
    _name("by_entity"),
    _text("message"),
    Index(None, "organisation", "started"),
)

plans = Table("plans", metadata, _key("organisation"), _key("hash"), _name("run"), _name("body"), _at("saved_at"))

overrides = Table(
    "overrides",
    metadata,
    _seq(),
    _name("organisation"),
    _name("plan_hash"),
    _name("rail"),
    _text("who"),
    _at("granted_at"),
    _at("taken_at", nullable=True),
    Index(None, "organisation", "plan_hash"),
)

leases = Table(
    "leases",
    metadata,
    _key("organisation"),
    _number("fence"),
    Column("holder", PlainText, nullable=True),
    _at("taken_at", nullable=True),
    _at("expires_at", nullable=True),
)

intents = Table(
    "intents",
    metadata,
    _seq(),
    _name("organisation"),
    _name("id"),
    _name("run"),
    _number("fence"),
    _name("entity"),
    _name("side"),
    _name("table"),
    _name("verb"),
    _name("crm_id", nullable=True),
    _name("xero_id", nullable=True),
    _text("tag"),
    _name("key"),
    _name("body_hash"),
    Column("attempt", Integer, nullable=False),
    _name("status"),
    _at("planned_at"),
    _at("first_sent_at", nullable=True),
    _name("remote_id", nullable=True),
    _text("reason"),
    UniqueConstraint("organisation", "id"),
    Index(None, "organisation", "status"),
    Index(None, "organisation", "run"),
    Index(None, "organisation", "body_hash"),
)

mappings = Table("mappings", metadata, _key("organisation"), _key("key"), _text("value"), _text("who"), _at("changed_at"))

credentials = Table("credentials", metadata, _key("organisation"), _key("name"), _name("sealed"), _at("saved_at"))

key_salts = Table("key_salts", metadata, _key("organisation"), _name("salt"))

locks = Table("locks", metadata, _key("organisation"), _key("name"))

audit = Table(
    "audit",
    metadata,
    _key("organisation"),
    Column("position", Position, primary_key=True, autoincrement=False),
    _name("who"),
    _name("act"),
    _name("subject"),
    _name("before"),
    _name("after"),
    _at("at"),
    _name("previous"),
    _name("hash"),
    Index(None, "organisation", "subject"),
)

audit_heads = Table(
    "audit_heads",
    metadata,
    _key("organisation"),
    _number("position"),
    _name("hash"),
)

requests = Table(
    "requests",
    metadata,
    _seq(),
    _name("organisation"),
    _name("kind"),
    _name("args"),
    _name("dedupe_key", nullable=True),
    _name("status"),
    _at("asked_at"),
    _name("claimed_by", nullable=True),
    _at("claimed_at", nullable=True),
    _at("finished_at", nullable=True),
    _name("run"),
    _text("message"),
    UniqueConstraint("organisation", "dedupe_key"),
    Index(None, "organisation", "status"),
)

verifications = Table(
    "verifications",
    metadata,
    _key("organisation"),
    _key("entity"),
    _key("crm_id"),
    _name("xero_id"),
    _text("title"),
    Column("agrees", Integer, nullable=False),
    _name("missing"),
    _name("differences"),
    _name("hash"),
    _name("crm_hash"),
    _name("xero_hash"),
    _at("at"),
    _name("run"),
    Index(None, "organisation", "entity", "xero_id"),
)

cases = Table(
    "cases",
    metadata,
    _key("organisation"),
    _key("entity"),
    _key("row"),
    _name("crm_id", nullable=True),
    _name("xero_id", nullable=True),
    _name("status"),
    _text("assignee"),
    _text("reason"),
    _name("expires", nullable=True),
    _name("crm_print"),
    _name("xero_print"),
    _at("opened_at"),
    _at("changed_at"),
    _text("changed_by"),
    Index(None, "organisation", "status"),
    Index(None, "organisation", "entity", "xero_id"),
)

case_acts = Table(
    "case_acts",
    metadata,
    _seq(),
    _name("organisation"),
    _name("batch"),
    _name("entity"),
    _name("row"),
    _text("who"),
    _name("act"),
    _text("note"),
    _name("before"),
    _name("after"),
    _at("at"),
    _at("undone_at", nullable=True),
    Index(None, "organisation", "entity", "row"),
    Index(None, "organisation", "batch"),
)

differences = Table(
    "differences",
    metadata,
    _seq(),
    _name("organisation"),
    _name("entity"),
    _name("row"),
    _name("crm_id", nullable=True),
    _name("xero_id", nullable=True),
    _at("first_seen"),
    _at("since"),
    _at("until", nullable=True),
    _name("run"),
    _name("status"),
    _name("reason"),
    _text("words"),
    _text("number"),
    _text("contact"),
    _name("currency"),
    _name("doc_date", nullable=True),
    _name("due_date", nullable=True),
    _name("difference"),
    _name("at_risk"),
    _name("rate", nullable=True),
    _name("base_at_risk", nullable=True),
    _number("weight"),
    Index(None, "organisation", "entity", "until"),
    Index(None, "organisation", "entity", "row"),
)

closes = Table(
    "closes",
    metadata,
    _seq(),
    _name("organisation"),
    _name("starts"),
    _name("ends"),
    _name("status"),
    _text("preparer"),
    _at("prepared_at"),
    _text("reviewer"),
    _at("signed_at", nullable=True),
    _text("reopened_by"),
    _at("reopened_at", nullable=True),
    _text("note"),
    _name("run"),
    _name("totals"),
    _name("about"),
    _name("digest"),
    Index(None, "organisation", "ends"),
)

close_records = Table(
    "close_records",
    metadata,
    _key("organisation"),
    Column("close", Position, primary_key=True, autoincrement=False),
    _key("entity"),
    _key("side"),
    _key("id"),
    _name("hash"),
    _name("held"),
)
