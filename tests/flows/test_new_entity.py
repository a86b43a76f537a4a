"""A kind of record that Tieout does not know yet, declared here and nowhere else: pulled, compared, written and reconciled.

Tracking categories of Xero, with a table of their own in Dynamics. The sandbox plays them as it plays everything; no line of
the engine, of the console or of the command line knows their name.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import pytest

from sync_core.model import MatchStatus
from sync_core.rules import entities
from sync_core.rules.declaration import Entity, Kind, Stream
from sync_core.rules.entities.builders import TO_CRM, XERO, mirror, own, with_columns, xero_id
from sync_core.rules.rulebook import field_rules
from sync_core.systems import own_tables
from sync_core.systems.own_tables import Column, Table, Type
from tests.flows.shop import at_rest, rows, sync
from tests.scenarios.books import Books
from tests.scenarios.people import People

CATEGORIES = with_columns(
    Entity(
        "tracking_categories",
        "Tracking categories",
        "tracking category",
        crm=(own("tie_trackingcategory"),),
        xero=(Stream(XERO, "TrackingCategories", "TrackingCategoryID", incremental=False, paged=False, archived=True),),
        fields=(
            mirror("name", "Name", Kind.TEXT, "tie_name", "Name", limit=300),
            xero_id("TrackingCategoryID"),
            mirror("status", "Status", Kind.TEXT, "tie_status", "Status", limit=50),
        ),
        create_in=TO_CRM,
        match=(("xero_id", "Xero id held by Dynamics"),),
    )
)
TABLE = Table(
    "tie_trackingcategory",
    "Tracking category",
    "Tracking categories",
    "What Xero reports by, beside its ledger accounts.",
    (Column("tie_xeroid", "Xero id", Type.TEXT, 100), Column("tie_status", "Xero status", Type.TEXT, 50)),
)


def declare(patch: pytest.MonkeyPatch, name: str, known: Sequence[Any], more: Any) -> None:
    """As if ``more`` stood at the end of the declaration ``name`` that others import."""
    for module in [m for key, m in sys.modules.items() if key.startswith("sync_core.")]:
        if getattr(module, name, None) is known:
            patch.setattr(module, name, (*known, more))


@pytest.fixture
def with_categories(books: Books, monkeypatch: pytest.MonkeyPatch) -> Books:
    declare(monkeypatch, "ENTITIES", entities.ENTITIES, CATEGORIES)
    declare(monkeypatch, "TABLES", own_tables.TABLES, TABLE)
    for module in ("own_tables", "provision"):
        monkeypatch.setattr(f"sync_core.systems.{module}.VERSION", "1.0.1.0")
    with books.open() as service:
        service.set_up()
    categorise(books, "PUT", "TrackingCategories", {"Name": "Region"})
    return books


def categorise(books: Books, method: str, path: str, body: dict[str, str]) -> None:
    books.sandbox.advance(60)
    with People(books.sandbox) as people:
        people.xero(method, path, body)


def category_id(books: Books) -> str:
    (row,) = rows(books, "xero.TrackingCategories")
    return str(row["TrackingCategoryID"])


def held(books: Books) -> list[tuple[str, str, str]]:
    return [(r["tie_name"], r["tie_status"], r["tie_xeroid"]) for r in rows(books, "dataverse.tie_trackingcategory")]


def test_it_is_pulled_and_written_and_comes_to_rest(with_categories):
    summary = sync(with_categories).summary
    assert summary.by_entity["tracking_categories"]["created"] == 1
    assert held(with_categories) == [("Region", "ACTIVE", category_id(with_categories))]
    at_rest(with_categories)


def test_it_is_compared_and_follows(with_categories):
    sync(with_categories)
    path = f"TrackingCategories/{category_id(with_categories)}"
    categorise(with_categories, "POST", path, {"Name": "Area", "Status": "ARCHIVED"})
    sync(with_categories)
    assert held(with_categories) == [("Area", "ARCHIVED", category_id(with_categories))]
    with with_categories.open() as service:
        (standing,) = service._workspace.state.find_statuses("tracking_categories", None, 10, 0)
    assert standing.remark == "Name, Status brought to Dynamics."
    at_rest(with_categories)


def test_it_is_verified_against_both_systems(with_categories):
    sync(with_categories)
    with with_categories.open() as service:
        assert [v.agrees for v in service.verify("tracking_categories")] == [True]
    (row,) = rows(with_categories, "dataverse.tie_trackingcategory")
    with_categories.sandbox.edit("dataverse", "tie_trackingcategory", row["tie_trackingcategoryid"], tie_name="Tampered")
    with with_categories.open() as service:
        (found,) = service.verify("tracking_categories")
    assert [(d.field, d.crm, d.xero) for d in found.differences] == [("Name", "“Tampered”", "“Region”")]


def test_it_is_reconciled(with_categories):
    sync(with_categories)
    with with_categories.open() as service:
        counts = service.reconciliation_summary("tracking_categories").statuses
    assert {status: n for status, n in counts.items() if n} == {MatchStatus.MATCHED: 1}


def test_it_is_rebuilt_after_a_lost_cache_without_a_write(with_categories):
    sync(with_categories)
    with_categories.forget("cache-")
    before = with_categories.logged
    sync(with_categories)
    assert with_categories.writes(before) == []


def test_it_stands_in_the_field_map():
    assert [rule.label for rule in field_rules([CATEGORIES])] == ["Name", "Xero id", "Status"]
