"""What people do with differences through the service: cases, their history, what opens them again, and taking acts back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from sync_core.errors import Rejected
from sync_core.model import MatchStatus
from sync_core.rules.reconcile import Filters
from sync_core.service import Case, CaseStatus, RowKey, Service, WorkFilters
from tests.flows.shop import act, sell, sync
from tests.scenarios.books import Books

DAYS = 86_400


@pytest.fixture(scope="module")
def photographed(small_books: Books, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, object]:
    """Three invoices in step, and INV-1 then due on another day in Xero; nobody synced since. Made once, and photographed."""
    small_books.begin_again()
    sell(small_books, "INV-1", "INV-2", "INV-3")
    sync(small_books)
    act(small_books, "set in Xero", {"invoice": "INV-1", "due": "2027-05-05"})
    with small_books.open() as service:
        service.verify("invoices")
    return shutil.copytree(small_books.data, tmp_path_factory.mktemp("differing") / "data"), small_books.sandbox.picture()


@pytest.fixture
def differing(small_books: Books, photographed: tuple[Path, object]) -> Books:
    """The photographed company, as if nobody had touched it."""
    shutil.rmtree(small_books.data)
    shutil.copytree(photographed[0], small_books.data)
    small_books.sandbox.return_to(photographed[1])
    return small_books


def row(service: Service, number: str) -> dict:
    (found,) = service.reconciliation_rows("invoices", Filters(search=number), limit=2).to_pylist()
    return found


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is asked of the state's database meanwhile."""
    made: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        made.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield made
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def told(service: Service) -> list[tuple[str, str]]:
    """The audit trail, oldest first: who did what."""
    return [(entry.who, entry.act) for entry in reversed(service._workspace.state.audit(50))]


def test_a_case_is_assigned_talked_about_and_resolved(differing):
    with differing.open() as service:
        here = row(service, "INV-1")["row_id"]
        assert service.case("invoices", here) is None
        service.assign("invoices", [here], "Ben", who="Ana")
        service.comment("invoices", [here], "Asked the customer.", who="Ben")
        service.resolve_case("invoices", [here], "They pay in May.", who="Ben")
        case = service.case("invoices", here)
        history = [(e.who, e.act, e.note) for e in service.case_history("invoices", here)]
        assert (case.status, case.assignee, case.reason, case.changed_by) == ("Resolved", "Ben", "They pay in May.", "Ben")
        assert history == [
            ("Ana", "assign", "Ben"),
            ("Ben", "comment", "Asked the customer."),
            ("Ben", "resolve case", "They pay in May."),
        ]
        assert told(service)[-3:] == [("Ana", "assign"), ("Ben", "comment"), ("Ben", "resolve case")]
        assert service._workspace.state.audit(1)[0].before["status"] == "Open"
        assert service.case_counts() == {"invoices": {CaseStatus.RESOLVED: 1}}
        assert [case.row for case in service.cases(assignee="Ben")] == [here]
        assert service._workspace.state.verify_audit() == []


def test_an_ignored_row_is_set_aside_until_its_day_is_over(differing):
    with differing.open() as service:
        here = row(service, "INV-1")["row_id"]
        service.ignore("invoices", [here], "Agreed by phone", until=date(2026, 11, 24), who="Ana")
        shown = row(service, "INV-1")
        assert (shown["status"], shown["words"]) == (MatchStatus.IGNORED, "Set aside by a person: Agreed by phone")
        differing.sandbox.advance(2 * DAYS)
        assert row(service, "INV-1")["status"] == MatchStatus.DIFFERS
        case = service.case("invoices", here)
        assert (case.status, case.opened_again) == (CaseStatus.OPEN, "It was ignored until 2026-11-24.")
        with pytest.raises(Rejected, match="is over"):
            service.ignore("invoices", [here], "Again", until=date(2026, 11, 24), who="Ana")


@pytest.mark.parametrize("side", ["Dynamics", "Xero"])
def test_an_ignored_row_opens_by_itself_when_either_side_changes(differing, side):
    with differing.open() as service:
        here, other = row(service, "INV-1")["row_id"], row(service, "INV-2")["row_id"]
        service.ignore("invoices", [here, other], "Agreed by phone", who="Ana")
    act(differing, f"set in {side}", {"invoice": "INV-1", "due": "2027-06-06"})
    with differing.open() as service:
        assert row(service, "INV-1")["status"] == MatchStatus.IGNORED
        service.verify("invoices")
        assert row(service, "INV-1")["status"] == MatchStatus.DIFFERS
        assert row(service, "INV-2")["status"] == MatchStatus.IGNORED
        last = service.case_history("invoices", here)[-1]
        assert (last.who, last.act, last.note) == ("Tieout", "reopen", f"It changed in {side} since it was set aside.")
        assert told(service)[-1] == ("Tieout", "reopen")
        assert service.case("invoices", here).status is CaseStatus.OPEN


def test_linking_and_parting_stand_in_the_history_of_the_row(differing):
    with differing.open() as service:
        found = row(service, "INV-1")
        crm_id, xero_id, here = found["crm_id"], found["xero_id"], found["row_id"]
        service.ignore("invoices", [here], "Small", who="Ana")
        service.unlink("invoices", crm_id, xero_id, who="Ana")
        service.link("invoices", crm_id, xero_id, who="Ben")
        case = service.case("invoices", here)
        assert (case.crm_id, case.xero_id, case.status, case.changed_by) == (crm_id, xero_id, CaseStatus.OPEN, "Ben")
        assert [e.act for e in service.case_history("invoices", here)] == ["ignore", "unlink", "link"]


def test_a_case_on_a_lone_record_is_found_by_its_pair(books):
    invoice = {"number": "INV-9", "contact": "Kahu Guiding Co", "lines": [{"text": "Tent", "price": 80}]}
    act(books, "invoice in Xero", invoice)
    sync(books)
    with books.open() as service:
        alone = row(service, "INV-9")
        service.assign("invoices", [alone["row_id"]], "Ben", who="Ana")
        key = RowKey("somebody-in-dynamics", alone["xero_id"])
        assert service.row_cases("invoices", [key])[key.row_id].assignee == "Ben"


def test_many_rows_are_one_act_and_one_undo(differing):
    with differing.open() as service:
        shown = service.reconciliation_rows("invoices").to_pylist()
        rows = [each["row_id"] for each in sorted(shown, key=lambda each: each["number"])]
        before = len(told(service))
        made: list[Case] = service.assign("invoices", rows, "Ben", who="Ana")
        assert len(made) == len(told(service)) - before == 3
        service.ignore("invoices", rows[:2], "Small", who="Ana")
        assert service.undo(who="Ana") == "Taken back: set aside, 2 rows."
        assert [service.case("invoices", each).status for each in rows] == ["Open", "Open", "Open"]
        assert row(service, "INV-1")["status"] == MatchStatus.DIFFERS
        assert service.undo(who="Ana") == "Taken back: given to somebody, 3 rows."
        assert [service.case("invoices", each) for each in rows] == [None, None, None]
        assert all(entry.undone_at for each in rows for entry in service.case_history("invoices", each))
        with pytest.raises(Rejected, match="nothing of yours"):
            service.undo(who="Ana")
        assert told(service)[-3:] == [("Ana", "undo assign")] * 3
        assert service._workspace.state.verify_audit() == []


def test_taking_back_many_rows_takes_no_more_statements_than_one(differing):
    with differing.open() as service:
        rows = [each["row_id"] for each in service.reconciliation_rows("invoices").to_pylist()]
        needed = []
        for some in (rows[:1], rows):
            service.assign("invoices", some, "Ben", who="Ana")
            with statements() as made:
                service.undo(who="Ana")
            needed.append(len(made))
        assert len(rows) == 3
        assert needed[0] == needed[1]


def test_one_row_that_is_not_there_keeps_the_others_as_they_were(differing):
    with differing.open() as service:
        here = row(service, "INV-1")["row_id"]
        with pytest.raises(Rejected, match="crm:nobody is not there any more"):
            service.assign("invoices", [here, "crm:nobody"], "Ben", who="Ana")
        assert service.case("invoices", here) is None


def test_what_somebody_else_did_since_is_not_wiped_out(differing):
    with differing.open() as service:
        here = row(service, "INV-1")["row_id"]
        service.assign("invoices", [here], "Ben", who="Ana")
        service.resolve_case("invoices", [here], "Done", who="Ben")
        with pytest.raises(Rejected, match="Ben did something with that row since"):
            service.undo(who="Ana")
        service.undo(who="Ben")
        service.comment("invoices", [here], "Looking at it", who="Ben")
        service.undo(who="Ana")
        case = service.case("invoices", here)
        assert (case.status, case.assignee) == (CaseStatus.OPEN, "")


def test_a_link_that_was_parted_is_taken_back(differing):
    with differing.open() as service:
        found = row(service, "INV-1")
        pair = found["crm_id"], found["xero_id"]
        service.unlink("invoices", *pair, who="Ana")
        assert service.undo(who="Ana") == "Taken back: link taken apart, 1 row."
        assert row(service, "INV-1")["matched_by"] == "stored link"
        assert service._workspace.state.mappings("apart.") == {}
        service.unlink("invoices", *pair, who="Ana")
        service.link("invoices", *pair, who="Ben")
        service.undo(who="Ben")
        assert list(service._workspace.state.mappings("apart.").values()) == ["yes"]
        assert service._workspace.state.links("invoices", "crm", [pair[0]]) == {}


@pytest.mark.parametrize(
    ("said", "who", "words"),
    [("  ", "Ana", "The comment is empty"), ("x" * 4001, "Ana", "4,001 characters"), ("Fine", " ", "Nobody is named")],
)
def test_what_nobody_could_follow_is_refused(differing, said, who, words):
    with differing.open() as service:
        here = row(service, "INV-1")["row_id"]
        with pytest.raises(Rejected, match=words):
            service.comment("invoices", [here], said, who=who)


def test_the_worklist_ages_what_is_open_and_says_what_changed(differing):
    with differing.open() as service:
        (item,) = service.worklist().items
        each = item.difference
        assert (each.number, each.status, each.at_risk, each.currency) == ("INV-1", MatchStatus.DIFFERS, 0, "NZD")
        assert (item.days_open, item.seen_bucket, item.case) == (0, "0-7 days", None)
        first = each.first_seen
        service.assign("invoices", [each.row], "Ben", who="Ana")
        assert service.worklist(WorkFilters(assignee="Ben")).items[0].case.assignee == "Ben"
        assert service.worklist(WorkFilters(assignee="")).count == 0
    differing.sandbox.advance(40 * DAYS)
    act(differing, "payment in Xero", {"invoice": "INV-2", "amount": 100})
    with differing.open() as service:
        service.verify("invoices")
        items = service.worklist().items
        assert [(i.difference.number, i.difference.at_risk, i.difference.base_at_risk) for i in items] == [
            ("INV-2", 100, 100),
            ("INV-1", 0, 0),
        ]
        assert (items[1].difference.first_seen, items[1].seen_bucket) == (first, "31-60 days")
        assert {line.bucket: line.count for line in service.ageing().by_seen} == {"0-7 days": 1, "31-60 days": 1}
        moved = service.changes_since(service.start_of_today())
        assert [(m.moved, m.difference.number) for m in moved] == [("new", "INV-2")]
        service.sync()
        assert service.worklist().count == 0
        assert {m.difference.number: m.moved for m in service.changes_since(first + timedelta(days=1))} == {"INV-1": "solved"}
