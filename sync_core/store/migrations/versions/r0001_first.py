"""The first schema: links, statuses, runs, plans, leases, intents, mappings, credentials, audit, requests.

It repeats the columns in full instead of asking ``tables``, which moves on while this step stays as it is.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None
branch_labels = None
depends_on = None

_POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _make_records()
    _make_runs()
    _make_leases()
    _make_intents()
    _make_settings()
    _make_audit()
    _make_requests()
    _guard_audit()


def _text(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _maybe(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=True) for name in names]


def _at(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, _POSITION, nullable=False, autoincrement=False)


def _seq() -> sa.Column[Any]:
    return sa.Column("seq", _POSITION, nullable=False, autoincrement=True)


def _table(name: str, *parts: sa.Column[Any] | sa.Constraint, key: tuple[str, ...]) -> None:
    op.create_table(name, *parts, sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"))


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=f"uq_{table}_{'_'.join(columns)}")


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def _make_records() -> None:
    _table(
        "links",
        *_text("organisation", "entity", "crm_id", "xero_id", "matched_by"),
        _at("linked_at"),
        _unique("links", "organisation", "entity", "xero_id"),
        key=("organisation", "entity", "crm_id"),
    )
    _table(
        "record_status",
        *_text("organisation", "entity", "side", "id", "status", "reason", "remark"),
        _at("last_synced", nullable=True),
        _at("last_attempt"),
        *_text("run", "detail"),
        key=("organisation", "entity", "side", "id"),
    )
    _index("record_status", "organisation", "status", "entity")


def _make_runs() -> None:
    _table(
        "runs",
        *_text("organisation", "run", "status"),
        _at("started"),
        _at("finished", nullable=True),
        *_text("trigger", "scope", "counts", "calls", "by_entity", "message"),
        key=("organisation", "run"),
    )
    _index("runs", "organisation", "started")
    _table("plans", *_text("organisation", "hash", "run", "body"), _at("saved_at"), key=("organisation", "hash"))
    _table(
        "overrides",
        _seq(),
        *_text("organisation", "plan_hash", "rail", "who"),
        _at("granted_at"),
        _at("taken_at", nullable=True),
        key=("seq",),
    )
    _index("overrides", "organisation", "plan_hash")


def _make_leases() -> None:
    _table(
        "leases",
        *_text("organisation"),
        _number("fence"),
        *_maybe("holder"),
        _at("taken_at", nullable=True),
        _at("expires_at", nullable=True),
        key=("organisation",),
    )


def _make_intents() -> None:
    _table(
        "intents",
        _seq(),
        *_text("organisation", "id", "run"),
        _number("fence"),
        *_text("entity", "side", "table", "verb"),
        *_maybe("crm_id", "xero_id"),
        *_text("tag", "key", "body_hash"),
        sa.Column("attempt", sa.Integer(), nullable=False),
        *_text("status"),
        _at("planned_at"),
        _at("first_sent_at", nullable=True),
        *_maybe("remote_id"),
        *_text("reason"),
        _unique("intents", "organisation", "id"),
        key=("seq",),
    )
    for column in ("status", "run", "body_hash"):
        _index("intents", "organisation", column)


def _make_settings() -> None:
    _table(
        "mappings",
        *_text("organisation", "key", "value", "who"),
        _at("changed_at"),
        key=("organisation", "key"),
    )
    _table("credentials", *_text("organisation", "name", "sealed"), _at("saved_at"), key=("organisation", "name"))
    _table("key_salts", *_text("organisation", "salt"), key=("organisation",))
    _table("locks", *_text("organisation", "name"), key=("organisation", "name"))


def _make_audit() -> None:
    _table(
        "audit",
        *_text("organisation"),
        _number("position"),
        *_text("who", "act", "subject", "before", "after"),
        _at("at"),
        *_text("previous", "hash"),
        key=("organisation", "position"),
    )
    _index("audit", "organisation", "subject")
    _table("audit_heads", *_text("organisation"), _number("position"), *_text("hash"), key=("organisation",))


def _make_requests() -> None:
    _table(
        "requests",
        _seq(),
        *_text("organisation", "kind", "args"),
        *_maybe("dedupe_key"),
        *_text("status"),
        _at("asked_at"),
        *_maybe("claimed_by"),
        _at("claimed_at", nullable=True),
        _at("finished_at", nullable=True),
        *_text("run", "message"),
        _unique("requests", "organisation", "dedupe_key"),
        key=("seq",),
    )
    _index("requests", "organisation", "status")


def _guard_audit() -> None:
    """No statement of any program may change or remove an audit row."""
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{act.lower()} BEFORE {act} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION tieout_audit_guard() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'audit rows are never changed'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION tieout_audit_guard()"
    )


def downgrade() -> None:
    """State is never taken back: an older program refuses a newer schema, and a backup is the way back."""
    raise NotImplementedError("The state's schema only goes forward.")
