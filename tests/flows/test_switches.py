"""Lists of Xero's that people switch off: no call is made for them, and what Dynamics holds of them stays."""

from __future__ import annotations

import pytest

from sync_core.errors import Rejected
from tests.flows.shop import rows, sync


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
