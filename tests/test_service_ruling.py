"""Settings beside the rules: only what Xero has in use can be chosen, a choice is audited, and flagged once archived."""

from __future__ import annotations

import pytest

from sync_core.errors import Rejected
from tests.flows.shop import sync
from tests.scenarios.books import Books
from tests.scenarios.people import People


def setting(service, key):
    return next(s for s in service.rule_settings() if s.key == key)


def test_a_default_is_chosen_from_what_xero_has_in_use(books: Books):
    sync(books)
    with books.open() as service:
        before = setting(service, "default.sales_account")
        assert before.value == ""
        codes = [value for value, _ in before.options]
        assert codes[0] == ""
        assert "200" in codes
        service.set_rule("default.sales_account", "200", who="Ana")
        assert setting(service, "default.sales_account").value == "200"
        assert service._workspace.surroundings.books.default_account == "200"
        (entry,) = [e for e in service._workspace.state.audit(5) if e.act == "setting"]
        assert (entry.who, entry.subject, entry.after) == ("Ana", "default.sales_account", {"value": "200"})
        service.set_rule("default.sales_account", "", who="Ana")
        assert setting(service, "default.sales_account").value == ""


@pytest.mark.parametrize(
    ("key", "value"), [("default.sales_account", "no such code"), ("tax.untaxed_lines", "maybe"), ("x", "")]
)
def test_what_is_no_option_is_refused(books: Books, key, value):
    with books.open() as service, pytest.raises(Rejected):
        service.set_rule(key, value, who="Ana")


def test_a_chosen_account_that_is_archived_in_xero_is_flagged(books: Books):
    with books.open() as service:
        service.set_rule("default.sales_account", "200", who="Ana")
    with People(books.sandbox) as people:
        account = people.find("xero.Accounts", Code="200")
        people.xero("POST", f"/Accounts/{account}", {"Accounts": [{"AccountID": account, "Status": "ARCHIVED"}]})
    books.sandbox.advance(60)
    sync(books)
    with books.open() as service:
        found = setting(service, "default.sales_account")
        assert found.value == "200"
        assert "Sales is archived in Xero" in found.trouble
        with pytest.raises(Rejected, match="not in use in Xero"):
            service.set_rule("default.sales_account", "200", who="Ana")
