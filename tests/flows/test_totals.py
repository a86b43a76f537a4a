"""Totals read back after a write: what both systems came to is compared at once, and said on the record."""

from __future__ import annotations

from tests.flows.shop import act, at_rest, remark, sync

UNTAXED = {"text": "Guided walk", "price": 100, "account": 200, "tax rate": "OUTPUT2"}


def test_another_total_in_xero_is_said_on_the_invoice(books):
    """Dynamics holds no tax on the line; Xero was told to compute it, and so comes to another total."""
    with books.open() as service:
        service._workspace.state.set_mapping("tax.untaxed_lines", "xero computes", "Mere", books.clock.now())
    act(books, "invoice in Dynamics", {"number": "INV-1", "customer": "Kahu Guiding Co", "lines": [{**UNTAXED, "tax": 0}]})
    sync(books)
    status, words = remark(books, "INV-1")
    assert status == "Success"
    assert words.endswith(
        "Read back after writing, the totals differ: Dynamics 100.00, Xero 115.00. Compare the lines and tax of this invoice."
    )
    at_rest(books)


def test_the_same_total_goes_without_a_word(books):
    act(books, "invoice in Dynamics", {"number": "INV-1", "customer": "Kahu Guiding Co", "lines": [{"product": "TENT"}]})
    sync(books)
    assert "totals differ" not in remark(books, "INV-1")[1]
