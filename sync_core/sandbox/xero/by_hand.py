"""What people do in Xero's own screens and no API call does: merge contacts, set lock dates."""

from __future__ import annotations

from typing import Any

from sync_core.sandbox.kernel import Kernel
from sync_core.sandbox.xero.store import BY_CONTACT, store_of


def merge_contacts(kernel: Kernel, loser: str, survivor: str) -> None:
    """Merge contact ``loser`` into ``survivor``: its documents and groups move, it is archived and points to
    it.

    Raises ``ValueError`` when one of them is unknown or not active.
    """
    store = store_of(kernel)
    gone, kept = store["Contacts"].get(loser), store["Contacts"].get(survivor)
    if gone is None or kept is None or loser == survivor:
        raise ValueError("Both contacts must exist and be two")
    if "ARCHIVED" in {gone["ContactStatus"], kept["ContactStatus"]}:
        raise ValueError("Both contacts must be active")
    for kind in BY_CONTACT:
        for row in list(store[kind].of_contact(loser)):
            store.put(kind, {**row, "ContactID": survivor})
    for group in list(store["ContactGroups"].values()):
        if loser in group["Contacts"]:
            moved = [survivor if member == loser else member for member in group["Contacts"]]
            store.put("ContactGroups", {**group, "Contacts": list(dict.fromkeys(moved))})
    flags = {flag: gone[flag] or kept[flag] for flag in ("IsCustomer", "IsSupplier")}
    store.put("Contacts", {**gone, "ContactStatus": "ARCHIVED", "MergedToContactID": survivor})
    store.put("Contacts", {**kept, **flags})


def change_organisation(kernel: Kernel, **values: Any) -> None:
    """Change settings of the organisation: ``PeriodLockDate``, ``EndOfYearLockDate``, ``Name`` ..."""
    store = store_of(kernel)
    store.put("Organisations", {**store.organisation, **values})
