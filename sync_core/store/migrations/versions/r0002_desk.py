"""What people do with differences: verifications, cases and their acts, the differences themselves, periods signed off."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001"
branch_labels = None
depends_on = None

_POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _make_verifications()
    _make_cases()
    _make_differences()
    _make_closes()


def _text(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _maybe(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=True) for name in names]


def _at(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _seq() -> sa.Column[Any]:
    return sa.Column("seq", _POSITION, nullable=False, autoincrement=True)


def _table(name: str, *parts: sa.Column[Any], key: tuple[str, ...]) -> None:
    op.create_table(name, *parts, sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"))


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def _make_verifications() -> None:
    _table(
        "verifications",
        *_text("organisation", "entity", "crm_id", "xero_id", "title"),
        sa.Column("agrees", sa.Integer(), nullable=False),
        *_text("missing", "differences", "hash", "crm_hash", "xero_hash"),
        _at("at"),
        *_text("run"),
        key=("organisation", "entity", "crm_id"),
    )
    _index("verifications", "organisation", "entity", "xero_id")


def _make_cases() -> None:
    _table(
        "cases",
        *_text("organisation", "entity", "row"),
        *_maybe("crm_id", "xero_id"),
        *_text("status", "assignee", "reason"),
        *_maybe("expires"),
        *_text("crm_print", "xero_print"),
        _at("opened_at"),
        _at("changed_at"),
        *_text("changed_by"),
        key=("organisation", "entity", "row"),
    )
    _index("cases", "organisation", "status")
    _index("cases", "organisation", "entity", "xero_id")
    _table(
        "case_acts",
        _seq(),
        *_text("organisation", "batch", "entity", "row", "who", "act", "note", "before", "after"),
        _at("at"),
        _at("undone_at", nullable=True),
        key=("seq",),
    )
    _index("case_acts", "organisation", "entity", "row")
    _index("case_acts", "organisation", "batch")


def _make_differences() -> None:
    _table(
        "differences",
        _seq(),
        *_text("organisation", "entity", "row"),
        *_maybe("crm_id", "xero_id"),
        _at("first_seen"),
        _at("since"),
        _at("until", nullable=True),
        *_text("run", "status", "reason", "words", "number", "contact", "currency"),
        *_maybe("doc_date", "due_date"),
        *_text("difference", "at_risk"),
        *_maybe("rate", "base_at_risk"),
        sa.Column("weight", _POSITION, nullable=False, autoincrement=False),
        key=("seq",),
    )
    _index("differences", "organisation", "entity", "until")
    _index("differences", "organisation", "entity", "row")


def _make_closes() -> None:
    _table(
        "closes",
        _seq(),
        *_text("organisation", "starts", "ends", "status", "preparer"),
        _at("prepared_at"),
        *_text("reviewer"),
        _at("signed_at", nullable=True),
        *_text("reopened_by"),
        _at("reopened_at", nullable=True),
        *_text("note", "run", "totals", "about", "digest"),
        key=("seq",),
    )
    _index("closes", "organisation", "ends")
    _table(
        "close_records",
        *_text("organisation"),
        sa.Column("close", _POSITION, nullable=False, autoincrement=False),
        *_text("entity", "side", "id", "hash", "held"),
        key=("organisation", "close", "entity", "side", "id"),
    )


def downgrade() -> None:
    """State is never taken back: an older program refuses a newer schema, and a backup is the way back."""
    raise NotImplementedError("The state's schema only goes forward.")
