"""Verifying reads both systems again, also for rows that have no address of their own."""

from __future__ import annotations

import pytest

from sync_core.model import Side
from tests.flows.shop import act, sell, sync
from tests.scenarios.books import Books

OPENED = {"from": "INV-1", "credit note": "CN-1"}


@pytest.fixture
def credited(books: Books) -> Books:
    """One credit note, part of it set against one invoice, in step."""
    sell(books, "INV-1")
    sync(books)
    note = {"number": "CN-1", "contact": "Kahu Guiding Co", "lines": [{"text": "Returned", "price": 80}]}
    act(books, "credit note in Xero", note)
    act(books, "allocate in Xero", {"credit note": "CN-1", "to": "INV-1", "amount": 50})
    sync(books)
    return books


def verified(books: Books, only: bool = False) -> list[tuple[bool, str, list[str]]]:
    with books.open() as service:
        ids = frozenset(k.crm_id for k in service._workspace.state.all_links("allocations")) if only else None
        return [(v.agrees, v.missing, [d.field for d in v.differences]) for v in service.verify("allocations", ids)]


@pytest.mark.parametrize("only", [False, True])
def test_an_allocation_is_read_with_the_credit_note_it_stands_in(credited, only):
    assert verified(credited, only) == [(True, "", [])]
    act(credited, "unallocate in Xero", OPENED)
    assert verified(credited, only) == [(False, "", ["Status"])]


@pytest.mark.parametrize("only", [False, True])
def test_a_removed_allocation_agrees_once_dynamics_says_so_too(credited, only):
    act(credited, "unallocate in Xero", OPENED)
    sync(credited)
    assert verified(credited, only) == [(True, "", [])]


def test_the_lines_of_one_invoice_are_read_again_with_it(books):
    sell(books, "INV-1")
    sync(books)
    act(books, "line in Dynamics", {"invoice": "INV-1", "line": 1, "quantity": 3, "tax": 278.55})
    with books.open() as service:
        (link,) = service._workspace.state.all_links("invoices")
        (found,) = service.verify("invoices", frozenset({link.crm_id}))
    assert "Lines" in [d.field for d in found.differences]


def test_what_was_found_is_kept_until_the_next_time(books):
    sell(books, "INV-1")
    sync(books)
    with books.open() as service:
        (link,) = service._workspace.state.all_links("invoices")
        assert service.last_verification("invoices", Side.CRM, link.crm_id) is None
        service.verify("invoices")
    act(books, "set in Xero", {"invoice": "INV-1", "due": "2027-05-05"})
    with books.open() as service:
        good = service.last_verification("invoices", Side.CRM, link.crm_id)
        assert (good.agrees, good.title, service.failed_verifications()) == (True, "INV-1", [])
        service.verify("invoices", frozenset({link.xero_id}))
    with books.open() as service:
        red = service.last_verification("invoices", Side.XERO, link.xero_id)
        assert [(d.field, d.xero) for d in red.differences] == [("Due date", "2027-05-05")]
        assert (red.agrees, red.crm_hash == good.crm_hash, red.xero_hash == good.xero_hash) == (False, True, False)
        assert red.at > good.at
        assert service.failed_verifications("invoices") == [red]
