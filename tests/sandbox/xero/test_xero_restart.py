"""Rows that were kept in a journal come back whole, and the API goes on where it stopped."""

from __future__ import annotations

import gc
import weakref

import pytest
from xero_api import NOW, Api, new_kernel

from sync_core.sandbox import xero
from sync_core.sandbox.company import demo_company
from sync_core.sandbox.journal import FileJournal
from sync_core.sandbox.kernel import Kernel


@pytest.fixture
def reopen(tmp_path):
    """Opens the state again and again, as restarts do."""
    opened = []

    def start():
        if opened:
            opened[-1].journal.close()
        opened.append(Kernel(1, FileJournal(tmp_path)))
        return opened[-1]

    yield start
    opened[-1].journal.close()


def test_everything_comes_back_after_a_restart(reopen):
    kernel = reopen()
    kernel.clock.set(NOW, frozen=True)
    xero.seed(kernel, demo_company(1, 0))
    api = Api(kernel)
    made = api.invoice(InvoiceNumber="R-1")
    payment = api.pay(made, "15.00")
    lists = [api.get(path, page=1) for path in ("Invoices", "Payments", "Contacts", "CreditNotes", "Items")]
    kernel.remember_start()
    kernel.save()
    again = Api(reopen())
    for before in lists:
        name = list(before)[-1]
        assert again.get(name, page=1)[name] == before[name]
    assert again.row("Payments", payment["PaymentID"])["Amount"] == payment["Amount"]


def test_numbers_and_stamps_go_on_after_a_restart(reopen):
    kernel = reopen()
    kernel.clock.set(NOW, frozen=True)
    xero.seed(kernel, demo_company(1, 0))
    first = Api(kernel).invoice()
    kernel.remember_start()
    kernel.save()
    second = Api(reopen()).invoice()
    assert [first["InvoiceNumber"], second["InvoiceNumber"]] == ["INV-0001", "INV-0002"]
    assert first["UpdatedDateUTC"] < second["UpdatedDateUTC"]
    assert first["InvoiceID"] != second["InvoiceID"]


def test_a_kernel_that_nobody_needs_is_let_go():
    gone = weakref.ref(new_kernel())
    gc.collect()
    assert gone() is None


def test_a_reset_empties_the_indexes(kernel):
    Api(kernel).invoice(InvoiceNumber="R-1")
    kernel.reset(1)
    xero.seed(kernel, demo_company(1, 0))
    assert len(Api(kernel).get("Invoices", InvoiceNumbers="R-1")["Invoices"]) == 0
