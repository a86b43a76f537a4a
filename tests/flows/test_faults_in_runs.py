"""What breaks between Tieout and the systems, while it writes and while it reads: nothing doubled, nothing lost, words for it.

Every test also proves that its fault really struck.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from sync_core.flows import apply, rounds
from sync_core.model import RunStatus, Side
from sync_core.sandbox.xero.store import store_of
from sync_core.systems.xero import Xero
from tests.flows.shop import act, at_rest, numbers, remark, rows, sell, sync
from tests.scenarios.books import Books

CREATE = {"system": "xero", "method": "PUT", "path": "/Invoices$"}
UPDATE = {"system": "xero", "method": "POST", "path": "/Invoices"}
BACK = {"system": "dataverse", "method": "PATCH", "path": "/tie_payments"}
LIST = {"system": "xero", "method": "GET", "path": "/Invoices$"}
TABLE = {"system": "dataverse", "method": "GET", "path": "/invoices$"}
WRITE_FAULTS = [
    ("drop_before", {}),
    ("drop_after", {}),
    ("error_after", {}),
    ("status", {"status": 503}),
    ("html", {}),
    ("rate_limited", {"retry_after": 20}),
    ("rate_limited", {"retry_after": None}),
    ("reset_mid_body", {}),
    ("expire_tokens", {}),
]
NAMES = [f"{kind} {options or ''}".strip() for kind, options in WRITE_FAULTS]
TRIED_BACK = {"html", "expire_tokens"}
"""Faults that are tried on the way back; on the way out they are left to ``--every-point``."""
TWICE = {"drop_before", "status", "reset_mid_body", "rate_limited"}
"""Faults whose like is tried already on the way out; on the way back they are left to ``--every-point``."""
OUT_FAULTS = [
    pytest.param(k, o, id=n, marks=[pytest.mark.soak] * (k in TRIED_BACK))
    for (k, o), n in zip(WRITE_FAULTS, NAMES, strict=True)
]
BACK_FAULTS = [
    pytest.param(k, o, id=n, marks=[pytest.mark.soak] * (k in TWICE)) for (k, o), n in zip(WRITE_FAULTS, NAMES, strict=True)
]


def until_quiet(books: Books, done: Callable[[], bool]) -> int:
    """Sync until ``done``, at most three times (I3); returns how many it took."""
    for attempt in range(1, 4):
        sync(books)
        if done():
            return attempt
        books.sandbox.advance(600)
    raise AssertionError("three syncs were not enough")


@pytest.mark.parametrize(("kind", "options"), OUT_FAULTS)
def test_an_invoice_is_in_xero_exactly_once_whatever_happens_on_the_way(books, kind, options):
    sell(books, "INV-1", "INV-2")
    fault = books.sandbox.fault(kind, **CREATE, **options)
    until_quiet(books, lambda: numbers(books) == ["INV-1", "INV-2"])
    assert fault.fired == 1
    at_rest(books)


@pytest.mark.parametrize(("kind", "options"), BACK_FAULTS)
def test_a_payment_is_in_dynamics_exactly_once_whatever_happens_on_the_way(books, kind, options):
    sell(books, "INV-1")
    sync(books)
    act(books, "payment in Xero", {"invoice": "INV-1", "amount": 100})
    fault = books.sandbox.fault(kind, **BACK, **options)
    until_quiet(books, lambda: len(rows(books, "dataverse.tie_payment")) == 1)
    assert fault.fired == 1
    at_rest(books)


@pytest.mark.parametrize("kind", ["drop_after", "error_after"])
def test_an_answer_lost_after_the_write_is_looked_up_and_adopted_in_the_same_sync(books, kind):
    sell(books, "INV-1")
    fault = books.sandbox.fault(kind, **CREATE)
    result = sync(books)
    assert (fault.fired, numbers(books)) == (1, ["INV-1"])
    assert result.summary.status is RunStatus.SUCCESS
    puts = [e for e in books.writes() if e.method == "PUT" and e.path.endswith("/Invoices")]
    assert len(puts) == 1
    assert remark(books, "INV-1")[0] == "Success"


def test_a_write_whose_answer_was_lost_is_being_looked_up_and_failed_only_when_it_is_lost_again(books):
    sell(books, "INV-1")
    fault = books.sandbox.fault("drop_before", times=2, **CREATE)
    words = [("Syncing", "It is being looked up: the next sync looks once more"), ("Failed", "lost again")]
    for lost, (status, said) in enumerate(words, 1):
        counts = sync(books).summary.counts
        assert (fault.fired, numbers(books)) == (lost, [])
        assert counts["blocked" if lost == 1 else "failed"] == 1
        found = remark(books, "INV-1")
        assert found[0] == status
        assert said in found[1]
        books.sandbox.advance(600)
    until_quiet(books, lambda: numbers(books) == ["INV-1"])
    assert remark(books, "INV-1")[0] == "Success"
    at_rest(books)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("drop_before", {}), ("status", {"status": 500}), ("html", {}), ("forbidden", {})],
)
@pytest.mark.parametrize("where", [LIST, pytest.param(TABLE, marks=pytest.mark.soak)], ids=["Xero", "Dynamics"])
def test_a_listing_that_fails_for_good_stops_the_sync_before_any_write(books, where, kind, options):
    sell(books, "INV-1")
    fault = books.sandbox.fault(kind, times=None, **where, **options)
    since = books.logged
    summary = sync(books).summary
    assert fault.fired >= 1
    assert summary.status in (RunStatus.PARTIAL, RunStatus.CONFIGURE, RunStatus.FAILED)
    assert books.writes(since) == []
    assert summary.message.endswith(".")
    assert ("Xero" if where is LIST else "Dynamics") in summary.message


@pytest.mark.parametrize(
    ("kind", "options"),
    [("reset_mid_body", {}), ("rate_limited", {"retry_after": 30})],
)
@pytest.mark.parametrize("where", [LIST, TABLE], ids=["Xero", "Dynamics"])
def test_a_listing_that_fails_once_is_read_again(books, where, kind, options):
    sell(books, "INV-1")
    fault = books.sandbox.fault(kind, **where, **options)
    assert sync(books).summary.status is RunStatus.SUCCESS
    assert (fault.fired, numbers(books)) == (1, ["INV-1"])


def test_the_daily_limit_stops_the_sync_and_says_when_it_goes_on(books):
    sell(books, "INV-1")
    fault = books.sandbox.fault("rate_limited", times=None, retry_after=6 * 3600, problem="day", **CREATE)
    summary = sync(books).summary
    assert fault.fired >= 1
    assert summary.status is RunStatus.PARTIAL
    assert re.search(r"Xero's call limit of the day is used up; it resumes on 23 November 2026 07:\d\d UTC", summary.message)
    books.sandbox.run(books.sandbox.kernel.faults.clear)
    books.sandbox.advance(7 * 3600)
    until_quiet(books, lambda: numbers(books) == ["INV-1"])
    at_rest(books)


def test_some_elements_refused_inside_a_success_fail_alone(books):
    sell(books, "INV-1", "INV-2", "INV-3")
    fault = books.sandbox.fault("reject_elements", count=1, match="INV-2", message="The sandbox dislikes INV-2", **CREATE)
    summary = sync(books).summary
    assert (fault.fired, numbers(books)) == (1, ["INV-1", "INV-3"])
    assert (summary.status, summary.counts["created"], summary.counts["failed"]) == (RunStatus.PARTIAL, 2, 1)
    status, text = remark(books, "INV-2")
    assert status == "Failed"
    assert "The sandbox dislikes INV-2" in text


def test_three_of_fifty_refused_inside_a_success_fail_alone(books):
    sell(books, *(f"INV-{n:02}" for n in range(50)))
    fault = books.sandbox.fault("reject_elements", count=3, match="INV-[134]7", message="The sandbox dislikes it", **CREATE)
    since = books.logged
    summary = sync(books).summary
    assert (fault.fired, summary.counts["created"], summary.counts["failed"]) == (1, 47, 3)
    assert len([e for e in books.writes(since) if e.method == "PUT" and e.path.endswith("/Invoices")]) == 1
    assert {n for n in (f"INV-{n:02}" for n in range(50)) if n not in numbers(books)} == {"INV-17", "INV-37", "INV-47"}
    assert remark(books, "INV-37")[0] == "Failed"
    assert remark(books, "INV-38")[0] == "Success"


def test_what_was_refused_is_not_sent_again_until_it_changes(books):
    sell(books, "INV-1")
    books.sandbox.fault("reject_elements", match="INV-1", **CREATE)
    sync(books)
    since = books.logged
    sync(books)
    assert books.writes(since) == []
    act(books, "set in Dynamics", {"invoice": "INV-1", "due": "2027-01-31"})
    sync(books)
    assert numbers(books) == ["INV-1"]


def test_a_refusal_by_one_system_is_not_covered_up_by_what_the_other_one_took(books):
    act(books, "customer in Dynamics", {"name": "Mere Motors", "phone": "03 555 1000", "email": "a@mere.example"})
    sync(books)
    act(books, "set in Dynamics", {"customer": "Mere Motors", "phone": "03 555 1008"})
    to_xero = {"system": "xero", "method": "POST", "path": "/Contacts"}
    fault = books.sandbox.fault("reject_elements", match="555 1008", message="The sandbox dislikes this number", **to_xero)
    sync(books)
    assert (fault.fired, remark(books, "Mere Motors", "contacts")[0]) == (1, "Failed")
    act(books, "set in Xero", {"contact": "Mere Motors", "email": "b@mere.example"})
    counts = sync(books).summary.counts
    assert [r["emailaddress1"] for r in rows(books, "dataverse.account") if r["name"] == "Mere Motors"] == ["b@mere.example"]
    status, text = remark(books, "Mere Motors", "contacts")
    assert (counts["failed"], status) == (1, "Failed")
    assert "The sandbox dislikes this number" in text
    at_rest(books)


def test_expired_change_tracking_costs_a_full_pull_and_no_write(books):
    fault = books.sandbox.fault("expire_delta_tokens", system="dataverse")
    assert sync(books).summary.status is RunStatus.SUCCESS
    assert fault.fired == 1
    assert books.writes() == []


@pytest.mark.parametrize("where", [LIST, TABLE], ids=["Xero", "Dynamics"])
@pytest.mark.parametrize("kind", ["empty_listing", "short_listing"])
def test_a_listing_that_lacks_rows_removes_nothing(books, kind, where):
    sell(books, *(f"INV-{n}" for n in range(8)))
    sync(books)
    fault = books.sandbox.fault(kind, times=None, **where)
    since = books.logged
    with books.open() as service:
        from sync_core.service import Scope

        service.sync(Scope(full=True))
    assert fault.fired >= 1
    assert books.writes(since) == []
    books.sandbox.run(books.sandbox.kernel.faults.clear)
    at_rest(books)
    assert len(numbers(books)) == 8


# Somebody edits while Tieout works


def test_a_change_in_dynamics_between_reading_and_writing_is_not_lost(books):
    sell(books, "INV-1")
    sync(books)
    act(books, "payment in Xero", {"invoice": "INV-1", "amount": "711.85"})
    invoice = rows(books, "dataverse.invoice")[0]["invoiceid"]
    edit = {"system": "dataverse", "table": "invoice", "id": invoice, "set": {"duedate": "2027-03-31"}}
    fault = books.sandbox.fault("edit_before", system="dataverse", method="PATCH", path="/invoices", edit=edit)
    until_quiet(books, lambda: rows(books, "dataverse.invoice")[0].get("statecode") == 2)
    assert fault.fired == 1
    due = {str(rows(books, "dataverse.invoice")[0]["duedate"]), str(rows(books, "xero.Invoices")[0]["DueDate"])}
    assert "2027-03-31" in due
    at_rest(books)


def test_a_change_in_xero_just_before_writing_is_decided_again_and_shown_with_both_values(books):
    sell(books, "INV-1")
    sync(books)
    act(books, "set in Dynamics", {"invoice": "INV-1", "due": "2027-01-31"})
    invoice = rows(books, "xero.Invoices")[0]["InvoiceID"]
    edit = {"system": "xero", "table": "Invoices", "id": invoice, "set": {"DueDate": "2027-02-15"}}
    fault = books.sandbox.fault("edit_before", after=1, edit=edit, **LIST)
    sync(books)
    assert fault.fired == 1
    assert str(rows(books, "xero.Invoices")[0]["DueDate"]) == "2027-02-15"
    status, text = remark(books, "INV-1")
    assert status == "Conflict"
    assert "2027-01-31" in text
    assert "2027-02-15" in text


@pytest.mark.parametrize("strikes", [{"after": 1, **LIST}, UPDATE], ids=["before the first look", "while the first goes out"])
def test_what_changes_in_xero_while_earlier_waves_go_out_is_not_overwritten(books, monkeypatch, strikes):
    monkeypatch.setattr(apply, "WAVE", 1)
    monkeypatch.setattr(Xero, "batch_size_for", lambda *_: 1)
    sell(books, "INV-1", "INV-2")
    sync(books)
    for number in ("INV-1", "INV-2"):
        act(books, "set in Dynamics", {"invoice": number, "due": "2027-01-31"})
    ids = {row["InvoiceNumber"]: row["InvoiceID"] for row in rows(books, "xero.Invoices")}
    sent = [row["invoicenumber"] for row in sorted(rows(books, "dataverse.invoice"), key=lambda row: row["invoiceid"])]
    edit = {"system": "xero", "table": "Invoices", "id": ids[sent[1]], "set": {"DueDate": "2027-02-15"}}
    fault = books.sandbox.fault("edit_before", edit=edit, **strikes)
    sync(books)
    assert fault.fired == 1
    due = {row["InvoiceNumber"]: str(row["DueDate"]) for row in rows(books, "xero.Invoices")}
    assert [due[number] for number in sent] == ["2027-01-31", "2027-02-15"]
    assert remark(books, sent[1])[0] == "Conflict"


def test_what_changes_in_xero_after_the_last_look_in_another_field_comes_over(books):
    """Xero takes the write, and answers with a value that nobody has read yet: it is no agreed one."""
    sell(books, "INV-1")
    sync(books)
    (account,) = (row for row in rows(books, "dataverse.account") if row.get("tie_xeroid"))
    act(books, "set in Dynamics", {"customer": "Kahu Guiding Co", "city": "Levin"})
    edit = {"system": "xero", "table": "Contacts", "id": account["tie_xeroid"], "set": {"EmailAddress": "new@kahu.example"}}
    fault = books.sandbox.fault("edit_before", edit=edit, system="xero", method="POST", path="/Contacts$")
    sync(books)
    assert fault.fired == 1
    (account,) = (row for row in rows(books, "dataverse.account") if row["accountid"] == account["accountid"])
    assert (account["emailaddress1"], account["address1_city"]) == ("new@kahu.example", "Levin")
    at_rest(books)


def test_a_line_that_somebody_changes_in_dynamics_just_before_it_is_written_is_a_conflict(books):
    sell(books, "INV-1")
    sync(books)
    act(books, "line in Xero", {"invoice": "INV-1", "line": 1, "quantity": 3})
    (line,) = rows(books, "dataverse.invoicedetail")
    edit = {"system": "dataverse", "table": "invoicedetail", "id": line["invoicedetailid"], "set": {"quantity": 7}}
    fault = books.sandbox.fault("edit_before", edit=edit, system="dataverse", method="PATCH", path="/invoicedetails")
    sync(books)
    assert fault.fired == 1
    (line,) = rows(books, "dataverse.invoicedetail")
    assert (line["quantity"], remark(books, "INV-1")[0]) == (7, "Conflict")
    at_rest(books)


@pytest.mark.parametrize("first", ["INV-1", "INV-2"])
def test_what_changes_in_dynamics_while_others_are_written_is_decided_again(books, monkeypatch, first):
    """The lines of one invoice are brought, and Dynamics read for its totals; that brings an edit of the other one."""
    monkeypatch.setattr(rounds, "CHUNK", 1)
    monkeypatch.setattr(rounds, "TOGETHER", 1)
    other = "INV-2" if first == "INV-1" else "INV-1"
    sell(books, "INV-1", "INV-2")
    sync(books)
    act(books, "line in Xero", {"invoice": first, "line": 1, "quantity": 3})
    act(books, "set in Xero", {"invoice": other, "due": "2027-02-15"})
    (row,) = (row for row in rows(books, "dataverse.invoice") if row["invoicenumber"] == other)
    edit = {"system": "dataverse", "table": "invoice", "id": row["invoiceid"], "set": {"duedate": "2027-03-31"}}
    fault = books.sandbox.fault("edit_before", edit=edit, after=1, **TABLE)
    sync(books)
    assert fault.fired == 1
    sync(books)
    (row,) = (row for row in rows(books, "dataverse.invoice") if row["invoicenumber"] == other)
    assert str(row["duedate"]) == "2027-03-31"
    # Written before the other's lines, it was edited after its write: then the edit goes to Xero.
    to_xero = {str(r["DueDate"]) for r in rows(books, "xero.Invoices") if r["InvoiceNumber"] == other} == {"2027-03-31"}
    assert to_xero or remark(books, other)[0] == "Conflict"
    at_rest(books)


@pytest.mark.parametrize("first", ["Kahu Guiding Co", "Mere Motors"])
def test_what_changes_in_the_record_that_a_change_comes_from_is_decided_again(books, first):
    """One customer goes to Xero, the other comes from there; the look before the first brings one more edit of the second."""
    other = "Mere Motors" if first == "Kahu Guiding Co" else "Kahu Guiding Co"
    act(books, "customer in Dynamics", {"name": "Mere Motors"})
    sell(books, "INV-1")
    sync(books)
    twins = {row["name"]: row["tie_xeroid"] for row in rows(books, "dataverse.account")}
    act(books, "set in Dynamics", {"customer": first, "city": "Levin"})
    act(books, "set in Xero", {"contact": other, "name": f"{other} Ltd"})
    edit = {"system": "xero", "table": "Contacts", "id": twins[other], "set": {"EmailAddress": "new@person.example"}}
    fault = books.sandbox.fault("edit_before", edit=edit, system="xero", method="GET", path="/Contacts$", after=1)
    sync(books)
    assert fault.fired == 1
    sync(books)
    (account,) = (row for row in rows(books, "dataverse.account") if row.get("tie_xeroid") == twins[other])
    assert (account["emailaddress1"], account["name"]) == ("new@person.example", f"{other} Ltd")
    at_rest(books)


def test_xero_is_looked_at_again_before_every_five_calls(books, monkeypatch):
    monkeypatch.setattr(Xero, "batch_size_for", lambda *_: 1)
    seven = [f"INV-{n}" for n in range(1, 8)]
    sell(books, *seven)
    sync(books)
    for number in seven:
        act(books, "set in Dynamics", {"invoice": number, "due": "2027-01-31"})
    last = max(rows(books, "dataverse.invoice"), key=lambda row: row["invoiceid"])
    edit = {"system": "xero", "table": "Invoices", "id": last["tie_xeroid"], "set": {"DueDate": "2027-02-15"}}
    fault = books.sandbox.fault("edit_before", edit=edit, **UPDATE)
    sync(books)
    assert fault.fired == 1
    assert {str(r["DueDate"]) for r in rows(books, "xero.Invoices")} == {"2027-01-31", "2027-02-15"}
    assert remark(books, last["invoicenumber"])[0] == "Conflict"


def test_a_row_edited_while_paging_is_seen_now_or_next_time(books):
    sell(books, *(f"INV-{n}" for n in range(3)))
    sync(books)
    invoice = rows(books, "xero.Invoices")[0]["InvoiceID"]
    edit = {"system": "xero", "table": "Invoices", "id": invoice, "set": {"DueDate": "2027-02-15"}}
    fault = books.sandbox.fault("edit_while_paging", edit=edit, **LIST)
    sync(books)
    assert fault.fired == 1
    until_quiet(books, lambda: "2027-02-15" in {str(r["duedate"]) for r in rows(books, "dataverse.invoice")})
    at_rest(books)


def test_what_another_invoice_is_linked_to_is_not_taken_for_a_lost_answer(books):
    """Two invoices of one number in Dynamics: the second one's lost answer must not end in the first one's twin."""
    sell(books, "INV-1")
    sync(books)
    sell(books, "INV-1")
    fault = books.sandbox.fault("error_after", system="xero", method="PUT", path="/Invoices$")
    sync(books)
    assert fault.fired == 1
    result = sync(books)
    assert numbers(books) == ["INV-1"]
    assert result.summary.counts["failed"] == 1, result.summary


def test_several_records_with_its_number_after_a_lost_answer_wait_for_a_person(books):
    """Which of them is ours cannot be known: none is linked, and nothing is sent again until a person has linked one."""
    sell(books, "INV-1")
    fault = books.sandbox.fault("error_after", **CREATE)

    def twin_appears(name: str) -> None:
        if name == "answer lost":
            books.sandbox.run(lambda: _copy_of_the_only_invoice(books))

    with books.open(twin_appears) as service:
        service.sync()
        sent = service._workspace.state.intents(service.runs()[0].run)
    assert (fault.fired, [i.status for i in sent if i.entity == "invoices" and i.side is Side.XERO]) == (1, ["needs review"])
    since = books.logged
    status, words = remark(books, "INV-1")
    assert status == "Needs review"
    assert "2 invoices in Xero could be this one by document number. Nothing was linked. Link the right one by hand" in words
    sync(books)
    assert [e.path for e in books.writes(since) if e.system == "xero"] == []
    assert numbers(books) == ["INV-1", "INV-1"]


def test_what_was_linked_otherwise_before_its_answer_was_found_stops_no_run(books):
    """The link that is there stays, what was made stands alone and says so, and everybody else goes on (I15)."""
    (rival,) = [r["accountid"] for r in rows(books, "dataverse.account") if r["name"] == "Kahu Guiding Co"]
    act(books, "contact in Xero", {"name": "Ruru Cafe"})
    (new,) = [r["ContactID"] for r in rows(books, "xero.Contacts") if r["Name"] == "Ruru Cafe"]
    fault = books.sandbox.fault("drop_after", system="dataverse", method="PATCH", path="/accounts")

    def ends(name: str) -> None:
        if name == "answer lost":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), books.open(ends) as service:
        service.sync()
    assert fault.fired == 1
    with books.open() as service:
        (linked,) = service._workspace.state.links("contacts", Side.CRM, [rival]).values()
        service.unlink("contacts", rival, linked.xero_id, who="Ana")
        service.link("contacts", rival, new, who="Ana")
    sell(books, "INV-1")
    assert "linked already" not in sync(books).summary.message
    with books.open() as service:
        assert service._workspace.state.unsettled() == []
        assert service._workspace.state.links("contacts", Side.CRM, [rival])[rival].xero_id == new
    status, words = remark(books, "Ruru Cafe", "contacts")
    assert (status, "Ruru Cafe is already assigned to another contact" in words) == ("Failed", True)
    assert numbers(books) == ["INV-1"]


def test_what_another_person_made_under_its_number_is_not_overwritten_after_a_lost_answer(books):
    """One hit is taken for the answer, and what differs waits for a person with both values."""
    sell(books, "INV-1")
    fault = books.sandbox.fault("drop_before", **CREATE)
    act(books, "contact in Xero", {"name": "Somebody Else"})

    def somebody_takes_the_number(name: str) -> None:
        if name == "answer lost":
            line = {"text": "Their own work", "price": 5, "account": 200, "tax rate": "OUTPUT2"}
            act(
                books, "invoice in Xero", {"number": "INV-1", "contact": "Somebody Else", "date": "2026-11-01", "lines": [line]}
            )

    with books.open(somebody_takes_the_number) as service:
        service.sync()
    since = books.logged
    status, words = remark(books, "INV-1")
    assert (fault.fired, status, numbers(books)) == (1, "Conflict", ["INV-1"])
    for differing in ("Contact is another one", "Invoice date", "Lines differ: Dynamics"):
        assert differing in words
    sync(books)
    assert [e.path for e in books.writes(since) if e.path.endswith(("/Invoices", "/invoices"))] == []
    (theirs,) = rows(books, "xero.Invoices")
    assert [line["Description"] for line in theirs["LineItems"]] == ["Their own work"]


def _copy_of_the_only_invoice(books: Books) -> None:
    """Xero itself refuses a number twice; old books may hold it twice all the same."""
    (first,) = rows(books, "xero.Invoices")
    store_of(books.sandbox.kernel).put("Invoices", first | {"InvoiceID": "5d1f0d5e-0000-4000-8000-000000000001"})


def test_a_first_run_that_stops_half_way_leaves_no_word_that_all_was_read(books):
    """Dynamics was read to its end but for what comes after the list that failed, and nothing is called read before that."""
    books.begin_again(never_synced=True)
    books.sandbox.fault("status", status=503, times=None, system="xero", path="/Contacts$")
    with books.open() as service:
        assert service.sync().summary.status is not RunStatus.SUCCESS
        assert (service.data_age().crm, service.data_age().xero) == (None, None)
    books.sandbox.run(books.sandbox.kernel.faults.clear)
    books.sandbox.advance(600)
    with books.open() as service:
        assert service.sync().summary.status is RunStatus.SUCCESS
        assert None not in (service.data_age().crm, service.data_age().xero)
