"""What people switch off: lists of Xero's, for which no call is made then, and new accounts that go to Xero by themselves."""

from __future__ import annotations

import pytest

from sync_core.errors import Rejected
from sync_core.flows.scope import Scope
from tests.flows.shop import act, at_rest, numbers, remark, rows, sync
from tests.scenarios.holdings import STAMPS


def asked(books, since):
    return [entry.path for entry in books.sandbox.kernel.log[since:] if "BrandingThemes" in entry.path]


def test_branding_themes_that_are_switched_off_are_not_asked_for_and_stay(books):
    sync(books)
    held = len(rows(books, "dataverse.tie_brandingtheme"))
    with books.open() as service:
        service.set_rule("brandingthemes", "off", who="Mere")
    since = books.logged
    result = sync(books)
    assert (asked(books, since), len(rows(books, "dataverse.tie_brandingtheme"))) == ([], held)
    assert "BrandingThemes: Skipped (off)" in result.notes
    assert str(result.summary.status) == "success"
    with books.open() as service:
        service.set_rule("brandingthemes", "", who="Mere")
    since = books.logged
    sync(books)
    assert asked(books, since)


def test_only_off_can_be_chosen(books):
    with books.open() as service, pytest.raises(Rejected):
        service.set_rule("brandingthemes", "never", who="Mere")


def test_a_new_account_waits_for_a_person_while_that_is_chosen(books):
    """R19: on, it is in Xero after the next sync; off, it stays Never synced until somebody names it."""
    with books.open() as service:
        service.set_rule("contacts.on_create", "off", who="Mere")
    act(books, "customer in Dynamics", {"name": "Tarn Tours"})
    (row,) = (r["accountid"] for r in rows(books, "dataverse.account") if r["name"] == "Tarn Tours")
    act(books, "invoice in Dynamics", {"number": "INV-1", "customer": "Tarn Tours", "lines": [{"product": "TENT"}]})
    for _ in range(2):
        assert str(sync(books).summary.status) == "success"
        assert not [r for r in rows(books, "xero.Contacts") if r["Name"] == "Tarn Tours"]
    status, words = remark(books, "Tarn Tours", "contacts")
    assert (status, "Select this one and sync it" in words) == ("Never synced", True)
    status, words = remark(books, "INV-1")
    assert (status, "Tarn Tours" in words) == ("Blocked", True)
    shown = next(r for r in rows(books, "dataverse.tie_xerodetail") if r["tie_recordkey"] == f"account:{row}")
    assert STAMPS[shown["tie_syncstatus"]] == "Never synced"
    sync(books, scope=Scope(only={"contacts": frozenset({row})}))
    assert [r["Name"] for r in rows(books, "xero.Contacts") if r["Name"] == "Tarn Tours"] == ["Tarn Tours"]
    sync(books)
    assert numbers(books) == ["INV-1"]
    at_rest(books)
    with books.open() as service:
        service.set_rule("contacts.on_create", "", who="Mere")
    act(books, "customer in Dynamics", {"name": "Ruru Cafe"})
    sync(books)
    assert remark(books, "Ruru Cafe", "contacts")[0] == "Success"
