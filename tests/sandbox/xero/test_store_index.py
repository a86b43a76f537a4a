"""The index by update stamp holds when a change leaves the stamp alone, as marking a customer does."""

from __future__ import annotations

from sync_core.sandbox import xero
from sync_core.sandbox.company import demo_company
from sync_core.sandbox.kernel import Kernel
from sync_core.sandbox.xero.store import store_of


def test_a_row_put_back_with_its_old_stamp_can_be_put_again():
    kernel = Kernel(1)
    xero.seed(kernel, demo_company(1))
    store = store_of(kernel)
    for contact in list(store["Contacts"].values()):
        for mark in (True, False):
            store.put("Contacts", {**store["Contacts"].get(contact["ContactID"]), "IsSupplier": mark}, bump=False)
    stamps = store["Contacts"].stamps
    assert stamps == sorted(stamps)
    assert len(stamps) == len(store["Contacts"].rows)
