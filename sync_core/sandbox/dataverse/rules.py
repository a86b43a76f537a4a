"""Business rules of the standard tables, called around each write.

A rule may change the row that is about to be written and may refuse it. Rules of invoices are in ``invoicing``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sync_core.sandbox.dataverse import errors, invoicing
from sync_core.sandbox.dataverse.schema import Table
from sync_core.sandbox.dataverse.session import Session
from sync_core.sandbox.kernel import Row

Change = Callable[[Session, Row, Row | None, set[str]], None]
Removal = Callable[[Session, Row], None]


@dataclass(frozen=True, slots=True)
class Rules:
    """What happens around writes of one table.

    ``before`` and ``after`` get the new row, the old one (None at create) and the names of the columns sent.
    """

    before: Change = lambda _session, _row, _old, _sent: None
    after: Change = lambda _session, _row, _old, _sent: None
    before_delete: Removal = lambda _session, _row: None
    after_delete: Removal = lambda _session, _row: None


def _full_name(_session: Session, row: Row, _old: Row | None, _sent: set[str]) -> None:
    row["fullname"] = " ".join(part for part in (row.get("firstname"), row.get("lastname")) if part) or None


def _price_list_entry(session: Session, row: Row, _old: Row | None, _sent: set[str]) -> None:
    """One price per list, product and unit, in the list's currency."""
    price_list = session.env.row("pricelevel", row["pricelevelid"]) or {}
    row["transactioncurrencyid"] = price_list.get("transactioncurrencyid")
    rows = session.env.store.rows("productpricelevel")
    for other_id in rows.children("productid", row["productid"]):
        other = rows.get(other_id) or {}
        same = all(other.get(c) == row.get(c) for c in ("pricelevelid", "uomid"))
        if same and other_id != row["productpricelevelid"]:
            raise errors.rule_broken("The product and unit combination has a price for this price list.")


def _currency(session: Session, row: Row, old: Row | None, sent: set[str]) -> None:
    if old is not None and "exchangerate" in sent and row["transactioncurrencyid"] == session.env.base_currency:
        raise errors.rule_broken("The exchange rate of the base currency cannot be modified.")


def _keep_base_currency(session: Session, row: Row) -> None:
    if row["transactioncurrencyid"] == session.env.base_currency:
        raise errors.rule_broken("The base currency cannot be deleted.")


def _never_deleted(table: str) -> Removal:
    def refuse(_session: Session, _row: Row) -> None:
        message = f"The method 'Delete' is not supported for the entity '{table}'."
        raise errors.DataverseError(405, errors.NOT_SUPPORTED, message)

    return refuse


RULES: dict[str, Rules] = {
    **{name: Rules(before_delete=_never_deleted(name)) for name in ("organization", "businessunit")},
    "contact": Rules(before=_full_name),
    "systemuser": Rules(before=_full_name, before_delete=_never_deleted("systemuser")),
    "productpricelevel": Rules(before=_price_list_entry),
    "transactioncurrency": Rules(before=_currency, before_delete=_keep_base_currency),
    "invoice": Rules(before=invoicing.before_invoice),
    "invoicedetail": Rules(
        before=invoicing.before_line,
        after=invoicing.after_line,
        before_delete=invoicing.before_line_delete,
        after_delete=invoicing.after_line_delete,
    ),
}
NONE = Rules()


def rules_of(table: str) -> Rules:
    return RULES.get(table, NONE)


def check_state(table: Table, row: Row, old: Row | None, sent: set[str]) -> None:
    """Keep status reason and status in step; rows are always created in the table's first state.

    Raises:
        DataverseError: the status reason does not belong to the status.
    """
    states = table.states
    if not states:
        return
    if "statecode" in sent and old is not None and row.get("statecode") is None:
        raise errors.value_missing("statecode")
    if old is None:
        row["statecode"] = table.columns["statecode"].default
    state = row.get("statecode", table.columns["statecode"].default)
    allowed = states.get(state, [])
    if "statuscode" not in sent or row.get("statuscode") is None:
        keep = old is not None and row.get("statuscode") in allowed
        row["statuscode"] = row.get("statuscode") if keep else allowed[0]
    elif row["statuscode"] not in allowed:
        label = next(o.label for o in table.columns["statecode"].options if o.value == state)
        message = (
            f"{row['statuscode']} is not a valid status code for state code {table.schema}State.{label} "
            f"on {table.logical} with Id {row[table.primary_id]}."
        )
        raise errors.DataverseError(400, errors.STATUS_PAIR, message)
