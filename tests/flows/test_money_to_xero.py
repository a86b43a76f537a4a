"""Money that people enter in Dynamics goes to Xero once, whatever happens on the way: Xero itself would take a second copy.

Every test also proves that its fault really struck.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.flows.shop import act, at_rest, remark, rows, sell, sync
from tests.scenarios.books import Books

PAY = {"system": "xero", "method": "PUT", "path": "/Payments$"}
NOTE = {"system": "xero", "method": "PUT", "path": "/CreditNotes$"}
ALLOCATE = {"system": "xero", "method": "PUT", "path": "/Allocations$"}
FAULTS = [
    ("drop_before", {}),
    ("drop_after", {}),
    ("error_after", {}),
    ("status", {"status": 503}),
    ("html", {}),
    ("rate_limited", {"retry_after": 20}),
    ("reset_mid_body", {}),
    ("expire_tokens", {}),
]
LOST = {"drop_before", "error_after"}
ON_THE_WAY = [
    pytest.param(where, kind, options, id=f"{name}-{kind}", marks=[pytest.mark.soak] * (name != "payment" or kind not in LOST))
    for name, where in (("payment", PAY), ("credit note", NOTE), ("allocation", ALLOCATE))
    for kind, options in FAULTS
]
"""What is like another case is left to ``--every-point``."""
LINE = {"text": "Torn fly sheet", "amount": 80, "tax": 12, "account": 200, "tax rate": "OUTPUT2"}


@pytest.fixture
def open_books(books: Books) -> Books:
    """An invoice in both systems; the settings are on."""
    with books.open() as service:
        for key in ("payments.to_xero", "credit_notes.to_xero"):
            service.set_rule(key, "on", who="a person")
    sell(books, "INV-1")
    sync(books)
    return books


def enter(books: Books) -> None:
    """A part payment, and a credit note set against the same invoice."""
    act(books, "payment in Dynamics", {"invoice": "INV-1", "amount": 100, "reference": "Cheque 12"})
    note = {"number": "CN-1", "customer": "Kahu Guiding Co", "total": 92, "lines": [LINE]}
    act(books, "credit note in Dynamics", note)
    act(books, "allocation in Dynamics", {"credit note": "CN-1", "to": "INV-1", "amount": 50})


def arrived(books: Books) -> tuple[int, int, int]:
    """Payments, credit notes and allocations in Xero."""
    notes = rows(books, "xero.CreditNotes")
    return len(rows(books, "xero.Payments")), len(notes), sum(len(n["_allocations"]) for n in notes)


def sync_on(books: Books) -> None:
    """The syncs of an hour."""
    for _ in range(4):
        sync(books)
        assert max(arrived(books)) <= 1
        books.sandbox.advance(timedelta(minutes=15).total_seconds())


@pytest.mark.parametrize(("where", "kind", "options"), ON_THE_WAY)
def test_each_is_in_xero_exactly_once_whatever_happens_on_the_way(open_books, where, kind, options):
    enter(open_books)
    fault = open_books.sandbox.fault(kind, **where, **options)
    sync_on(open_books)
    assert fault.fired == 1
    assert arrived(open_books) == (1, 1, 1)
    at_rest(open_books)


@pytest.mark.parametrize("kind", ["drop_after", pytest.param("error_after", marks=pytest.mark.soak)])
@pytest.mark.parametrize(
    ("where", "place"), [(PAY, 0), pytest.param(ALLOCATE, 2, marks=pytest.mark.soak)], ids=["payment", "allocation"]
)
def test_what_arrived_without_an_answer_is_adopted_in_the_same_sync(open_books, kind, where, place):
    enter(open_books)
    fault = open_books.sandbox.fault(kind, **where)
    sync(open_books)
    assert (fault.fired, arrived(open_books)[place]) == (1, 1)
    at_rest(open_books)


def test_what_xero_does_not_show_after_a_lost_answer_is_not_sent_again_before_it_cannot_arrive_any_more(open_books):
    """The request may still be under way: a second one at once could pay twice."""
    act(open_books, "payment in Dynamics", {"invoice": "INV-1", "amount": 100, "name": "Cheque 12"})
    fault = open_books.sandbox.fault("reset_mid_body", times=None, **PAY)
    puts_before = _puts(open_books)
    for _ in range(3):
        sync(open_books)
        open_books.sandbox.advance(30)
    assert (fault.fired, _puts(open_books) - puts_before) == (1, 1)


def _puts(books: Books) -> int:
    return sum(1 for e in books.writes() if e.method == "PUT" and e.path.endswith("/Payments"))


def test_an_answer_that_is_lost_before_xero_heard_is_waited_for_and_said(open_books):
    act(open_books, "payment in Dynamics", {"invoice": "INV-1", "amount": 100, "name": "Cheque 12"})
    fault = open_books.sandbox.fault("drop_before", **PAY)
    sync(open_books)
    status, said = remark(open_books, "Cheque 12", "payments")
    assert fault.fired == 1
    assert status == "Syncing"
    assert "the answer was lost" in said
    assert "no payment is made twice" in said
    assert arrived(open_books)[0] == 0
    open_books.sandbox.advance(301)
    sync(open_books)
    assert arrived(open_books)[0] == 1
    at_rest(open_books)


def test_a_payment_names_its_row_in_dynamics_behind_what_people_wrote(open_books):
    enter(open_books)
    sync(open_books)
    (made,), (entered,) = rows(open_books, "xero.Payments"), rows(open_books, "dataverse.tie_payment")
    assert made["Reference"] == f"Cheque 12 (Dynamics {entered['tie_paymentid']})"
    assert entered["tie_reference"] == "Cheque 12"
    assert entered["tie_xeroid"] == made["PaymentID"]


@pytest.mark.soak
def test_a_lost_state_and_cache_find_every_one_again(open_books):
    enter(open_books)
    sync(open_books)
    open_books.forget("state.sqlite")
    open_books.forget("cache-")
    with open_books.open() as service:
        service.set_rule("payments.to_xero", "on", who="a person")
        service.set_rule("credit_notes.to_xero", "on", who="a person")
    sync(open_books)
    assert arrived(open_books) == (1, 1, 1)
    at_rest(open_books)


def test_a_payment_whose_xero_id_was_lost_in_dynamics_is_known_by_the_id_in_its_reference(open_books):
    enter(open_books)
    sync(open_books)
    (entered,) = rows(open_books, "dataverse.tie_payment")
    open_books.sandbox.edit("dataverse", "tie_payment", entered["tie_paymentid"], tie_xeroid=None)
    open_books.forget("state.sqlite")
    open_books.forget("cache-")
    with open_books.open() as service:
        service.set_rule("payments.to_xero", "on", who="a person")
    sync(open_books)
    assert arrived(open_books)[0] == 1
    with open_books.open() as service:
        (link,) = service._workspace.state.all_links("payments")
    assert (link.crm_id, link.matched_by) == (entered["tie_paymentid"], "Dynamics id held by Xero")


def test_two_payments_of_one_sync_share_what_is_due(open_books):
    for name, amount in (("First", 500), ("Second", 300)):
        act(open_books, "payment in Dynamics", {"invoice": "INV-1", "amount": amount, "name": name, "reference": name})
    sync(open_books)
    assert arrived(open_books)[0] == 1
    said = dict(remark(open_books, n, "payments") for n in ("First", "Second"))
    assert set(said) == {"Success", "Blocked"}
    assert "still open on the invoice INV-1" in said["Blocked"]
    at_rest(open_books)


def test_deleting_the_row_in_dynamics_deletes_nothing_in_xero_and_makes_nothing_there(open_books):
    """I7: taking money back is a person's act, in Xero; the copy in Dynamics is made again from there."""
    act(open_books, "payment in Dynamics", {"invoice": "INV-1", "amount": 100, "reference": "Cheque 12"})
    sync(open_books)
    act(open_books, "delete in Dynamics", {"payment": "Cheque 12"})
    sync(open_books)
    (made,), (copy,) = rows(open_books, "xero.Payments"), rows(open_books, "dataverse.tie_payment")
    assert made["Status"] == "AUTHORISED"
    assert (copy["tie_xeroid"], copy["tie_reference"]) == (made["PaymentID"], "Cheque 12")
    at_rest(open_books)


def test_a_payment_deleted_in_xero_is_marked_in_dynamics_and_not_made_again(open_books):
    act(open_books, "payment in Dynamics", {"invoice": "INV-1", "amount": 100, "name": "Cheque 12"})
    sync(open_books)
    act(open_books, "delete payment in Xero", "INV-1")
    sync(open_books)
    assert [r["Status"] for r in rows(open_books, "xero.Payments")] == ["DELETED"]
    assert [r["tie_status"] for r in rows(open_books, "dataverse.tie_payment")] == ["DELETED"]
    at_rest(open_books)


def test_a_foreign_invoice_is_paid_at_the_rate_of_the_bank(open_books):
    sell(open_books, "INV-2", currency="USD")
    sync(open_books)
    more = {"invoice": "INV-2", "amount": 60, "name": "Wire", "currency": "USD"}
    act(open_books, "payment in Dynamics", more)
    sync(open_books)
    assert "Enter the bank's exchange rate: how many USD for one NZD" in remark(open_books, "Wire", "payments")[1]
    act(open_books, "set in Dynamics", {"payment": "Wire", "tie_rate": Decimal("0.59")})
    sync(open_books)
    (made,) = rows(open_books, "xero.Payments")
    assert str(made["CurrencyRate"]) == "0.590000"
    at_rest(open_books)


def test_a_payment_in_another_currency_than_its_invoice_waits(open_books):
    sell(open_books, "INV-2", currency="USD")
    sync(open_books)
    act(open_books, "payment in Dynamics", {"invoice": "INV-2", "amount": 60, "name": "Wire"})
    sync(open_books)
    assert "Its currency is NZD, that of the invoice INV-2 is USD" in remark(open_books, "Wire", "payments")[1]
