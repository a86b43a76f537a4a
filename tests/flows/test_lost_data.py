"""Tieout's own data lost, wholly or in part: nothing is made twice, and every pair is found again."""

from __future__ import annotations

import pytest

from sync_core.model import Link, RunStatus
from sync_core.rules.entities import ENTITIES
from sync_core.service import Scope
from sync_core.store.rows import body_text
from tests.flows.shop import act, at_rest, numbers, rows, sell, sync
from tests.scenarios.books import Books


def links(books: Books) -> set[tuple[str, str, str]]:
    with books.open() as service:
        found: list[Link] = [k for e in ENTITIES for k in service._workspace.state.all_links(e.name)]
    return {(k.entity, k.crm_id, k.xero_id) for k in found}


def creates(books: Books, since: int) -> list[str]:
    """Documents made since then, in either system: by what stands in them, and by what was asked of them."""
    return [f"{e.method} {e.path}" for e in books.writes(since) if e.method == "PUT" or e.status == 201]


@pytest.fixture
def full_books(books: Books) -> Books:
    """A paid, a part-paid and an open invoice, a credit note with its allocation, all in step."""
    sell(books, "INV-1", "INV-2", "INV-3")
    sync(books)
    act(books, "payment in Xero", {"invoice": "INV-1", "amount": "711.85"})
    act(books, "payment in Xero", {"invoice": "INV-2", "amount": 100})
    note = {"number": "CN-1", "contact": "Kahu Guiding Co", "lines": [{"text": "Returned", "price": 80}]}
    act(books, "credit note in Xero", note)
    act(books, "allocate in Xero", {"credit note": "CN-1", "to": "INV-3", "amount": 50})
    sync(books)
    at_rest(books)
    return books


def held(books: Books) -> dict[str, int]:
    names = ("xero.Invoices", "xero.Contacts", "xero.Payments", "dataverse.tie_payment", "dataverse.tie_creditnote")
    more = ("dataverse.tie_allocation", "dataverse.tie_xerodetail", "dataverse.tie_creditnoteline", "xero.CreditNotes")
    return {name: len(rows(books, name)) for name in (*names, *more)}


def test_a_lost_cache_costs_a_full_pull_and_nothing_else(full_books):
    before, had, since = links(full_books), held(full_books), full_books.logged
    full_books.forget("cache-")
    summary = sync(full_books).summary
    assert summary.status is RunStatus.SUCCESS
    assert creates(full_books, since) == []
    assert (links(full_books), held(full_books)) == (before, had)
    at_rest(full_books)


@pytest.mark.parametrize(
    ("system", "path"), [pytest.param("xero", "/Contacts$", marks=pytest.mark.soak), ("dataverse", "/invoices$")]
)
def test_a_list_that_comes_empty_into_a_new_cache_does_not_part_its_pairs(full_books, system, path):
    """The records come in later, after the links were loaded: they are linked still, and no copies of them are made."""
    before, had, since = links(full_books), held(full_books), full_books.logged
    full_books.forget("cache-")
    fault = full_books.sandbox.fault("empty_listing", system=system, path=path)
    sync(full_books)
    assert fault.fired == 1
    sync(full_books, scope=Scope(full=True))
    assert creates(full_books, since) == []
    assert (links(full_books), held(full_books)) == (before, had)
    at_rest(full_books)


def test_a_pair_that_the_cache_does_not_know_as_linked_is_one_again_once_a_side_moves(full_books):
    """Another runner may have linked it: both its rows are told, not only the one that moved."""
    before, since = links(full_books), full_books.logged
    with full_books.open() as service, service._workspace.cache.transaction() as transaction:
        transaction.run("UPDATE record SET partner = NULL, partner_print = NULL WHERE entity = 'invoices'")
    act(full_books, "payment in Xero", {"invoice": "INV-3", "amount": 10})
    with full_books.open() as service:
        service.sync()
        found = service.query(
            "SELECT side, partner IS NULL AS alone FROM record WHERE entity = 'invoices' AND number = 'INV-3'"
        )
    assert sorted(map(tuple, (row.values() for row in found.to_pylist()))) == [("crm", False), ("xero", False)]
    assert links(full_books) > before
    assert [e for e in creates(full_books, since) if "/Invoices" in e] == []
    at_rest(full_books)


def test_a_cache_that_cannot_be_read_is_set_aside(full_books):
    before, since = links(full_books), full_books.logged
    cache = full_books.settings.cache_path
    full_books.forget(f"{cache.name}.wal")
    cache.write_bytes(b"this is no database" * 400)
    sync(full_books)
    assert creates(full_books, since) == []
    assert links(full_books) == before
    assert cache.with_suffix(".unreadable").exists()


@pytest.mark.parametrize("also_the_cache", [pytest.param(False, marks=pytest.mark.soak), True])
def test_a_lost_state_is_found_again_from_what_both_systems_hold(full_books, also_the_cache):
    before, had, since = links(full_books), held(full_books), full_books.logged
    full_books.forget("state.sqlite")
    if also_the_cache:
        full_books.forget("cache-")
    assert sync(full_books).summary.status is RunStatus.SUCCESS
    assert creates(full_books, since) == []
    assert (links(full_books), held(full_books)) == (before, had)
    at_rest(full_books)


def test_what_changed_while_the_cache_was_lost_is_brought_over_or_shown(full_books):
    act(full_books, "set in Dynamics", {"invoice": "INV-3", "due": "2027-01-31"})
    full_books.forget("cache-")
    sync(full_books)
    with full_books.open() as service:
        conflicts = [s.remark for s in service.statuses("invoices") if s.status == "Conflict"]
    assert len(conflicts) == 1
    assert "2027-01-31" in conflicts[0]
    assert numbers(full_books) == ["INV-1", "INV-2", "INV-3"]


def test_the_cache_holds_every_row_that_the_systems_hold(full_books):
    """I20: nothing is silently left out."""
    with full_books.open() as service:
        cached = service.query("SELECT stream, count(*) AS n FROM raw WHERE NOT gone GROUP BY stream").to_pylist()
    counts = {r["stream"]: r["n"] for r in cached}
    for stream, collection in (
        ("crm.invoice", "dataverse.invoice"),
        ("crm.tie_payment", "dataverse.tie_payment"),
        ("xero.Invoices", "xero.Invoices"),
        ("xero.Payments", "xero.Payments"),
        ("xero.Contacts", "xero.Contacts"),
    ):
        assert counts[stream] == len(rows(full_books, collection)), stream


def test_no_secret_stands_in_tieouts_data(full_books):
    secrets = [
        v.get_secret_value() for v in (full_books.settings.dynamics_client_secret, full_books.settings.xero_client_secret)
    ]
    tokens = [i for i, _ in full_books.sandbox.kernel.collection("identity.tokens").items()]
    for path in full_books.data.iterdir():
        content = path.read_bytes()
        assert not [s for s in (*secrets, *tokens) if s.encode() in content], path.name
    assert body_text({}) == "{}"


@pytest.mark.parametrize(
    "forgotten", [pytest.param(False, id="cache kept", marks=pytest.mark.soak), pytest.param(True, id="cache lost")]
)
def test_money_of_a_customer_that_is_deleted_in_dynamics_comes_without_the_customer(books, forgotten):
    act(books, "customer in Dynamics", {"name": "Pohara Boats"})
    sync(books)
    act(books, "delete in Dynamics", {"customer": "Pohara Boats"})
    act(books, "prepayment in Xero", {"contact": "Pohara Boats", "amount": 300, "reference": "Ahead"})
    if forgotten:
        books.forget("cache-")
    assert sync(books).summary.counts["failed"] == 0
    (payment,) = rows(books, "dataverse.tie_payment")
    assert (payment["tie_amount"], payment.get("tie_accountid")) == (300, None)
    at_rest(books)
