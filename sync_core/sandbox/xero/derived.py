"""What is read from other records, or is never there in this organisation: journals, reports, users, budgets and services.

All of it is read only. Where the organisation has none of something, the answer is an empty list under the right name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sync_core.sandbox.identity import credentials
from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero import wire
from sync_core.sandbox.xero.errors import not_allowed, not_found
from sync_core.sandbox.xero.fields import id_of
from sync_core.sandbox.xero.journals import Ledger
from sync_core.sandbox.xero.listing import Query
from sync_core.sandbox.xero.reports import report
from sync_core.sandbox.xero.store import Store

Answer = Callable[[Store, tuple[str, ...], Query], Row]


@dataclass(frozen=True, slots=True)
class Derived:
    """One of these endpoints: the scopes of which one is needed, and what it answers to the segments after its name."""

    areas: tuple[str, ...]
    answer: Answer


def _journals(store: Store, below: tuple[str, ...], query: Query) -> Row:
    if len(below) > 1:
        raise not_found()
    return {"Journals": [Ledger(store).one(below[0])] if below else Ledger(store).page(query)}


def _reports(store: Store, below: tuple[str, ...], query: Query) -> Row:
    """A report by its name; the list of published ones is empty."""
    if len(below) > 1:
        raise not_found()
    return {"Reports": report(store, below[0], query) if below else []}


def _users(store: Store, below: tuple[str, ...], _query: Query) -> Row:
    """The person who keeps these books."""
    known = credentials(store.kernel)
    user: Row = {
        "UserID": store.kernel.stable_id("xero", "user", known.xero_tenant_id),
        "EmailAddress": "books@harbourandpine.example",
        "FirstName": "Aroha",
        "LastName": "Pine",
        "UpdatedDateUTC": wire.ms_instant(store.organisation["CreatedDateUTC"]),
        "IsSubscriber": True,
        "OrganisationRole": "STANDARD",
    }
    if below and (len(below) > 1 or id_of(below[0]) != user["UserID"]):
        raise not_found()
    return {"Users": [user]}


def _reminders(_store: Store, below: tuple[str, ...], _query: Query) -> Row:
    if [part.lower() for part in below] != ["settings"]:
        raise not_found()
    return {"InvoiceReminders": [{"Enabled": False}]}


def _none(name: str) -> Answer:
    """An endpoint of which this organisation has nothing."""

    def answer(_store: Store, below: tuple[str, ...], _query: Query) -> Row:
        if below:
            raise not_found()
        return {name: []}

    return answer


REPORT_AREAS = ("aged", "balancesheet", "banksummary", "budgetsummary", "executivesummary", "profitandloss", "trialbalance")
DERIVED: dict[str, Derived] = {
    "journals": Derived(("journals",), _journals),
    "reports": Derived(("reports", *(f"reports.{area}" for area in REPORT_AREAS)), _reports),
    "users": Derived(("settings",), _users),
    "invoicereminders": Derived(("settings",), _reminders),
    "paymentservices": Derived(("settings",), _none("PaymentServices")),
    "budgets": Derived(("budgets", "transactions", "settings"), _none("Budgets")),
    "employees": Derived(("settings", "transactions"), _none("Employees")),
    "expenseclaims": Derived(("transactions", "settings"), _none("ExpenseClaims")),
    "receipts": Derived(("transactions", "settings"), _none("Receipts")),
}


def derived_answer(store: Store, method: str, path: tuple[str, ...], query: Query) -> Row | None:
    """The content for a path that begins with one of these names; None for all other paths."""
    found = DERIVED.get(path[0].lower()) if path else None
    if found is None:
        return None
    if method != "GET":
        raise not_allowed()
    return found.answer(store, path[1:], query)
