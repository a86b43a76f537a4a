"""Rails in a real run: refused before any write, and let through once, for exactly the plan that was looked at."""

from __future__ import annotations

import pytest

from sync_core.errors import Configure
from sync_core.model import RunStatus
from tests.flows.shop import act, at_rest, numbers, rows, sell, sync
from tests.scenarios.books import Books

NUMBERS = [f"INV-{n}" for n in range(8)]


@pytest.fixture
def sold(books: Books) -> Books:
    sell(books, *NUMBERS)
    sync(books)
    return books


def delete_all(books: Books) -> None:
    for number in NUMBERS:
        act(books, "delete in Dynamics", {"invoice": number})


def test_everything_gone_at_once_is_refused_before_any_write(sold):
    delete_all(sold)
    sell(sold, "INV-NEW")
    since = sold.logged
    result = sync(sold)
    assert (result.summary.status, result.summary.status.exit_code) == (RunStatus.REFUSED, 3)
    assert "All 8 linked invoices are gone from one system at once" in result.summary.message
    assert sold.writes(since) == []
    assert len(numbers(sold)) == 8


def test_an_allowed_plan_goes_through_once(sold):
    delete_all(sold)
    sell(sold, "INV-NEW")
    with sold.open() as service:
        refused = service.sync()
        service.allow_plan(refused.plan.hash, who="Mere")
        assert service.sync().summary.status is RunStatus.SUCCESS
        told = [entry.act for entry in service._workspace.state.audit(10)]
    assert "allow plan" in told
    assert len(numbers(sold)) == 9, "nothing was deleted or voided in Xero"
    at_rest(sold)


def test_what_was_let_through_once_is_not_held_against_later_runs(sold):
    delete_all(sold)
    with sold.open() as service:
        service.allow_plan(service.sync().plan.hash, who="Mere")
        assert service.sync().summary.status is RunStatus.SUCCESS
        sell(sold, "INV-NEW")
        assert service.sync().summary.status is RunStatus.SUCCESS
    assert "INV-NEW" in numbers(sold)


def test_more_that_is_gone_afterwards_is_an_alarm_again(sold):
    more = [f"INV-{n}" for n in range(8, 14)]
    sell(sold, *more)
    sync(sold)
    delete_all(sold)
    with sold.open() as service:
        service.allow_plan(service.sync().plan.hash, who="Mere")
        assert service.sync().summary.status is RunStatus.SUCCESS
        for number in more:
            act(sold, "delete in Dynamics", {"invoice": number})
        assert "6 of 14 linked invoices are gone at once" in service.sync().summary.message


def test_permission_for_another_plan_is_no_permission(sold):
    delete_all(sold)
    with sold.open() as service:
        refused = service.sync()
        service.allow_plan(refused.plan.hash, who="Mere")
    sell(sold, "INV-NEW")
    assert sync(sold).summary.status is RunStatus.REFUSED
    assert "INV-NEW" not in numbers(sold)


def test_a_plan_that_nobody_kept_cannot_be_allowed(sold):
    with sold.open() as service, pytest.raises(Configure, match="There is no refused plan"):
        service.allow_plan("0" * 32, who="Mere")


def test_a_preview_writes_nothing_and_says_what_it_would_write(books):
    sell(books, "INV-1", "INV-2")
    since = books.logged
    with books.open() as service:
        result = service.sync(dry_run=True)
        view = service.plan_view(result)
    assert books.writes(since) == []
    assert (view["writes"], result.summary.counts["created"]) == (2, 2)
    assert sync(books).plan.hash == view["hash"]
    assert len(numbers(books)) == 2


def test_a_targeted_sync_touches_only_its_record(books):
    from sync_core.service import Scope

    sell(books, "INV-1", "INV-2")
    wanted = next(r["invoiceid"] for r in rows(books, "dataverse.invoice") if r["invoicenumber"] == "INV-2")
    with books.open() as service:
        summary = service.sync(Scope(only={"invoices": frozenset({wanted})})).summary
    assert (summary.counts["created"], numbers(books)) == (1, ["INV-2"])


def test_a_copy_of_the_environment_is_another_system(sold):
    """A restored backup answers under the same address with another organisation id."""
    held = next(iter(rows(sold, "dataverse.organization")))
    with sold.open() as service:
        since = sold.logged
        service._workspace.state.set_mapping("ground.crm", "another environment", "Tieout", sold.clock.now())
        refused = service.sync()
        assert refused.summary.status is RunStatus.REFUSED
        assert held["name"] in refused.summary.message
        assert sold.writes(since) == []
        service.allow_plan(refused.plan.hash, who="Mere")
        assert service.sync().summary.status is RunStatus.SUCCESS
    assert sync(sold).summary.status is RunStatus.SUCCESS, "what was allowed is what the next run stands on"


def test_a_list_that_is_suddenly_empty_stops_the_run_until_it_is_whole_again(sold):
    from sync_core.service import Scope

    act(sold, "set in Dynamics", {"invoice": "INV-0", "due": "2027-03-31"})
    fault = sold.sandbox.fault("empty_listing", system="xero", path="/Invoices$", times=None)
    since = sold.logged
    with sold.open() as service:
        refused = service.sync(Scope(full=True)).summary
    assert (refused.status, fault.fired >= 1, sold.writes(since)) == (RunStatus.REFUSED, True, [])
    assert "came back empty although many of their records are known: Invoices" in refused.message
    assert sync(sold).summary.status is RunStatus.REFUSED, "it is listed whole until it has rows again"
    sold.sandbox.run(sold.sandbox.kernel.faults.clear)
    assert sync(sold).summary.status is RunStatus.SUCCESS
    at_rest(sold)


def test_a_changed_setting_of_the_field_map_is_looked_at_before_it_rewrites_records(sold):
    act(sold, "set in Dynamics", {"invoice": "INV-0", "due": "2027-03-31"})
    with sold.open() as service:
        service._workspace.state.set_mapping("tax.untaxed_lines", "xero computes", "Mere", sold.clock.now())
        refused = service.sync()
        assert refused.summary.status is RunStatus.REFUSED
        assert "1 records would change" in refused.summary.message
        service.allow_plan(refused.plan.hash, who="Mere")
        assert service.sync().summary.status is RunStatus.SUCCESS
    at_rest(sold)


def test_another_organisation_in_the_same_folder_has_a_cache_of_its_own(sold):
    mine = sold.settings
    theirs = mine.model_copy(update={"xero_tenant_id": "another-organisation"})
    assert mine.cache_path != theirs.cache_path
    assert mine.cache_path.exists()
    assert mine.cache_path.parent == theirs.cache_path.parent
