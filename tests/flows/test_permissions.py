"""A right that is lacking is nobody's fault but the role's: the record goes by itself once the right is given."""

from __future__ import annotations

from sync_core.model import RunStatus
from tests.flows.shop import at_rest, remark, rows, sell, sync
from tests.scenarios.books import Books


def test_what_a_lacking_right_kept_back_goes_once_it_is_given(books: Books):
    sell(books, "INV-1")
    fault = books.sandbox.fault("forbidden", system="dataverse", method="PATCH", path="invoices", times=None)
    assert {sync(books).summary.status for _ in range(4)} == {RunStatus.PARTIAL}
    assert "lacks a right" in remark(books, "INV-1")[1]
    fault.times = 0
    assert sync(books).summary.status is RunStatus.SUCCESS
    assert remark(books, "INV-1")[0] == "Success"
    (invoice,) = rows(books, "dataverse.invoice")
    (twin,) = rows(books, "xero.Invoices")
    assert invoice["tie_xeroid"] == twin["InvoiceID"]
    at_rest(books)


def test_a_list_that_the_app_may_not_read_and_can_do_without_is_named(books: Books):
    books.sandbox.fault("forbidden", system="xero", path="/BrandingThemes", times=None)
    result = sync(books)
    assert result.summary.status is RunStatus.SUCCESS
    assert "BrandingThemes: Skipped (not permitted)" in result.notes
