"""A sync that is looked at first: the preview says what would be written, and what is agreed to is done, or nothing."""

from __future__ import annotations

from datetime import date

import pytest

from sync_core.errors import Rejected, TieoutError
from sync_core.flows.schedule import Runner
from sync_core.model import RunStatus, Side
from sync_core.service import Filters, Scope
from sync_core.store import reconciliation_kept
from tests.flows.shop import act, numbers, sell, sync
from tests.scenarios.books import Books


def answered(service, request: int):
    """Do what waits, as the server's runner does, and give back the answer."""
    Runner(service._workspace.state, service._perform).work_off()
    return service.request(request)


def previewed(service, scope: Scope):
    asked = service.enqueue_preview(scope, who="Ana")
    return asked, service.preview(answered(service, asked).run)


@pytest.fixture
def sold(books: Books) -> Books:
    sell(books, "INV-1")
    sync(books)
    return books


def test_a_preview_shows_before_and_after_and_writes_nothing(sold):
    act(sold, "set in Dynamics", {"invoice": "INV-1", "due": "2027-01-31"})
    before = sold.logged
    with sold.open() as service:
        _, made = previewed(service, Scope())
        assert [e.path for e in sold.writes(before)] == []
        [record] = made.written
        [change] = record.changes
        assert (record.title, record.outcome) == ("INV-1", "updated")
        assert (change.side, change.field, change.after) == ("Xero", "Due date", "2027-01-31")
        assert change.before != change.after
        assert made.writes == (("invoices", "xero", "update", 1),)
        assert made.calls["xero"] == 1
        assert made.reads["xero"] > 0
        assert made.left_today > 0
        assert sum(made.counts.values()) == len(made.written) + len(made.left) + made.counts.get("unchanged", 0)


def test_a_preview_is_a_run_of_its_own_kind_and_makes_no_reconciliation_anew(sold, monkeypatch):
    sell(sold, "INV-2")
    made, whole = [], reconciliation_kept.make

    def counted(transaction, entity, *rest, **how):
        made.append(entity)
        whole(transaction, entity, *rest, **how)

    monkeypatch.setattr(reconciliation_kept, "make", counted)
    with sold.open() as service:
        asked, _ = previewed(service, Scope())
        run = service.runs(1)[0]
        assert (run.run, run.status) == (service.request(asked).run, RunStatus.PREVIEW)
        assert run.counts["created"] == 1
        assert service.reconciliation("invoices").row_count == 2
        made.clear()
        previewed(service, Scope())
        assert service.reconciliation("invoices").row_count == 2
    assert made == []


def test_a_new_record_is_shown_with_all_that_it_is_made_with(sold):
    sell(sold, "INV-2")
    with sold.open() as service:
        _, made = previewed(service, Scope(entities=("invoices",)))
    [record] = made.written
    shown = {change.field: change.after for change in record.changes}
    assert record.outcome == "created"
    assert shown["Number"] == "INV-2"
    assert shown["Contact"] == "Kahu Guiding Co"
    assert all(change.before == "" for change in record.changes)


def test_what_is_agreed_to_is_done_and_nothing_else(sold):
    sell(sold, "INV-2")
    with sold.open() as service:
        asked, made = previewed(service, Scope())
        done = answered(service, service.enqueue_agreed(service.scope_of_request(asked), made.fingerprint, who="Ana"))
    assert done.status == "done"
    assert numbers(sold) == ["INV-1", "INV-2"]


def test_what_moved_since_the_preview_is_not_done_but_shown_anew(sold):
    sell(sold, "INV-2")
    with sold.open() as service:
        asked, made = previewed(service, Scope())
        act(sold, "set in Dynamics", {"invoice": "INV-2", "due": "2027-03-31"})
        before = sold.logged
        done = answered(service, service.enqueue_agreed(service.scope_of_request(asked), made.fingerprint, who="Ana"))
        assert done.status == "failed"
        assert "Records moved since the preview" in done.message
        assert [e.path for e in sold.writes(before)] == []
        again = service.preview(done.run)
        assert again.fingerprint != made.fingerprint
        shown = {change.field: change.after for change in again.written[0].changes}
        assert shown["Due date"] == "2027-03-31"
        service.enqueue_agreed(service.scope_of_request(asked), again.fingerprint, who="Ana")
        Runner(service._workspace.state, service._perform).work_off()
    assert numbers(sold) == ["INV-1", "INV-2"]


def test_scopes_name_what_they_hold(sold):
    with sold.open() as service:
        one = service.scope_of_filters("invoices", Filters(search="INV-1"))
        assert len(one.only["invoices"]) == 1
        dated = service.scope_of_dates(["invoices", "payments"], date(2000, 1, 1), date(2100, 1, 1))
        assert dated.only == one.only
        with pytest.raises(Rejected, match="No document is dated from 1999-01-01"):
            service.scope_of_dates(["invoices"], date(1999, 1, 1), date(1999, 1, 2))
        with pytest.raises(Rejected, match="No row is left"):
            service.scope_of_filters("invoices", Filters(search="nobody"))
        with pytest.raises(Rejected, match="No record failed"):
            service.scope_of_failed()


def test_many_records_are_counted_in_the_label_of_a_run():
    assert Scope(only={"invoices": frozenset(map(str, range(1200)))}).label == "1,200 invoices"


def test_a_preview_that_a_rail_stops_can_be_allowed_once(sold):
    sell(sold, *(f"INV-{n}" for n in range(2, 40)))
    sync(sold)
    for n in range(2, 40):
        act(sold, "set in Dynamics", {"invoice": f"INV-{n}", "due": "2027-05-31"})
    with sold.open() as service:
        asked, made = previewed(service, Scope())
        assert "would change at once" in made.stopped[0]
        service.allow_plan(made.plan, who="Ana")
        done = answered(service, service.enqueue_agreed(service.scope_of_request(asked), made.fingerprint, who="Ana"))
        assert done.status == "done"
        assert service.runs(1)[0].counts["updated"] == 38


def test_a_run_is_stopped_by_a_person_and_the_next_goes_on(sold):
    sell(sold, "INV-2", "INV-3")
    with sold.open() as service:
        watched = service._running.step

        def impatient(name):
            if name.startswith("pulled"):
                assert service.progress().read >= 0
                service.stop_run(who="Ana")
            watched(name)

        service._running.step = impatient
        stopped = service.sync().summary
        service._running.step = watched
        assert stopped.status is RunStatus.PARTIAL
        assert stopped.message.startswith("Stopped by Ana.")
        assert service.progress() is None
        service.sync()
        with pytest.raises(Rejected, match="No sync is running"):
            service.stop_run(who="Ana")
    assert numbers(sold) == ["INV-1", "INV-2", "INV-3"]


def test_a_preview_that_is_not_kept_any_more_is_said(sold):
    with sold.open() as service:
        assert service.preview("nothing") is None
        with pytest.raises(TieoutError, match="not known any more"):
            service.scope_of_request(999)
        assert service.status_of("invoices", Side.CRM, "nobody") is None
