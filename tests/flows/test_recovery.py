"""What a run left open when it was gone: the next one finds out what came of it before it sends anything."""

from __future__ import annotations

import pytest

from tests.flows.killed import killed_at
from tests.flows.shop import act, at_rest, remark, rows, sell, sync


@pytest.mark.parametrize("point", ["answered", "answers kept", "agreed images kept", "settled"])
def test_an_invoice_that_somebody_voids_before_the_next_run_is_the_one_that_was_sent(books, point):
    sync(books)
    sell(books, "INV-1")
    killed_at(books, point)
    act(books, "void in Xero", "INV-1")
    sync(books)
    assert [(r["InvoiceNumber"], r["Status"]) for r in rows(books, "xero.Invoices")] == [("INV-1", "VOIDED")]
    status, why = remark(books, "INV-1")
    assert status == "Needs review"
    assert "voided in Xero but still stands in Dynamics" in why
    with books.open() as service:
        (invoice,) = rows(books, "dataverse.invoice")
        (link,) = service._workspace.state.all_links("invoices")
    assert (link.crm_id, link.xero_id) == (invoice["invoiceid"], rows(books, "xero.Invoices")[0]["InvoiceID"])
    at_rest(books)
