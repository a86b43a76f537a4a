"""Closing a period: prepared by one, signed by another, and what changes in it afterwards is named field by field."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from sync_core.errors import Rejected
from sync_core.model import MatchStatus, Side
from sync_core.rules.reconcile import Filters
from sync_core.service import CloseStatus, Service
from tests.flows.shop import act, sell, sync
from tests.scenarios.books import START, Books

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 23)


@pytest.fixture(scope="module")
def photographed(small_books: Books, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, object]:
    """Two invoices in step, made once."""
    small_books.begin_again()
    sell(small_books, "INV-1", "INV-2")
    sync(small_books)
    return shutil.copytree(small_books.data, tmp_path_factory.mktemp("closing") / "data"), small_books.sandbox.picture()


@pytest.fixture
def month(small_books: Books, photographed: tuple[Path, object]) -> Books:
    shutil.rmtree(small_books.data)
    shutil.copytree(photographed[0], small_books.data)
    small_books.sandbox.return_to(photographed[1])
    return small_books


def total(service: Service, number: str) -> Decimal:
    (row,) = service.reconciliation_rows("invoices", Filters(search=number), limit=2).to_pylist()
    return row["xero_total"]


def test_one_prepares_and_another_signs(month):
    with month.open() as service:
        made = service.prepare_close(FIRST, LAST, who="Ana", note="November")
        assert (made.status, made.preparer, made.about["records"], len(made.digest)) == (CloseStatus.PREPARED, "Ana", 4, 64)
        assert [(t["currency"], t["crm"], t["unexplained"]) for t in made.totals["invoices"]] == [("NZD", "1423.70", "0.00")]
        assert made.about["lock_dates"] == {"period": "2026-06-30", "end_of_year": None}
        with pytest.raises(Rejected, match="Somebody else must sign"):
            service.sign_close(made.number, who="  ana ")
        signed = service.sign_close(made.number, who="Ben")
        assert (signed.status, signed.reviewer, service.last_close()) == (CloseStatus.SIGNED, "Ben", signed)
        assert service.since_last_close() == made.prepared_at
        with pytest.raises(Rejected, match="signed already"):
            service.sign_close(made.number, who="Cleo")
        with pytest.raises(Rejected, match="2026-11-01 to 2026-11-23 is signed"):
            service.prepare_close(LAST, LAST, who="Ana")
        opened = service.reopen_close(made.number, "A credit note is missing", who="Cleo")
        assert (opened.status, opened.note, opened.reopened_by) == (CloseStatus.REOPENED, "A credit note is missing", "Cleo")
        assert service.prepare_close(FIRST, LAST, who="Ana").status is CloseStatus.PREPARED
        acts = [(entry.who, entry.act) for entry in reversed(service._workspace.state.audit(9))][-4:]
        assert acts == [("Ana", "prepare close"), ("Ben", "sign close"), ("Cleo", "reopen close"), ("Ana", "prepare close")]
        assert service._workspace.state.verify_audit() == []


@pytest.mark.parametrize(
    ("starts", "ends", "words"),
    [(LAST, FIRST, "Turn the days round"), (FIRST, LAST + timedelta(9), "not over before 2026-12-02")],
)
def test_days_that_are_no_period_are_refused(month, starts, ends, words):
    with month.open() as service, pytest.raises(Rejected, match=words):
        service.prepare_close(starts, ends, who="Ana")


def test_a_period_of_books_that_were_never_read_is_refused(month):
    month.forget("cache-")
    with month.open() as service:
        with pytest.raises(Rejected, match="were never read"):
            service.prepare_close(FIRST, LAST, who="Ana")
        with pytest.raises(Rejected, match="never filled"):
            service.as_of(LAST)


def test_what_changes_in_a_signed_period_is_named_field_by_field(month):
    with month.open() as service:
        number = service.prepare_close(FIRST, LAST, who="Ana").number
        service.sign_close(number, who="Ben")
        assert service.close_changes(number) == []
        assert service.late_counts() == {}
    act(month, "set in Xero", {"invoice": "INV-1", "due": "2027-05-05"})
    run = sync(month).summary.run
    sell(month, "INV-3")
    late = sync(month).summary.run
    with month.open() as service:
        changes = service.close_changes(number)
        told = [(c.side, c.number, c.label, c.after, c.run) for c in changes]
        assert (Side.XERO, "INV-1", "Due date", "2027-05-05", run) in told
        assert (Side.CRM, "INV-3", "Record", "in the period", late) in told
        assert {c.before for c in changes if c.label == "Due date" and c.side is Side.XERO} == {"2026-12-20"}
        assert all(c.at > START for c in changes)
        assert service.late_counts() == {number: len({(c.entity, c.side, c.id) for c in changes})}
        paged = [c for at in range(service.late_count(number)) for c in service.close_changes(number, limit=1, offset=at)]
        assert paged == changes
        file = b"".join(service.late_csv(number).chunks).decode("utf-8-sig")
        assert [row["label"] for row in csv.DictReader(io.StringIO(file, newline=""))] == [c.label for c in changes]


def test_what_was_changed_between_preparing_and_signing_keeps_it_from_being_signed(month):
    with month.open() as service:
        number = service.prepare_close(FIRST, LAST, who="Ana").number
    act(month, "set in Xero", {"invoice": "INV-1", "due": "2027-05-05"})
    with month.open() as service:
        service.verify("invoices")
        with pytest.raises(Rejected, match="Due date of INV-1 changed in Xero since this period was prepared"):
            service.sign_close(number, who="Ben")


def test_a_lost_cache_still_shows_what_changed(month):
    with month.open() as service:
        number = service.prepare_close(FIRST, LAST, who="Ana").number
        service.sign_close(number, who="Ben")
    month.forget("cache-")
    sync(month)
    with month.open() as service:
        assert service.late_counts() == {}
    month.forget("cache-")
    act(month, "set in Xero", {"invoice": "INV-1", "due": "2027-05-05"})
    sync(month)
    with month.open() as service:
        changes = service.close_changes(number)
    assert ("INV-1", "Due date", "2026-12-20", "2027-05-05") in {(c.number, c.label, c.before, c.after) for c in changes}


def test_an_earlier_run_is_reconciled_as_it_was(month):
    with month.open() as service:
        before = service.runs(1)[0].run
    act(month, "set in Xero", {"invoice": "INV-1", "due": "2027-05-05"})
    month.sandbox.advance(2 * 86_400)
    with month.open() as service:
        service.verify("invoices")
        now = service.reconciliation_summary("invoices").statuses
        past = service.as_of(before)
        then = past.reconciliation_summary("invoices").statuses
        assert (now[MatchStatus.DIFFERS], then[MatchStatus.DIFFERS], then[MatchStatus.MATCHED]) == (1, 0, 2)
        detail = past.reconciliation_detail("invoices", past.reconciliation_rows("invoices")["row_id"][0].as_py())
        assert all(line.same for line in detail.fields)
        assert service.as_of(before) is past
        assert service.as_of(date(2026, 11, 23)).reconciliation_summary("invoices").statuses == then
        for when, words in ((START - timedelta(days=400), "is not known"), ("no-such-run", "no finished run"),
                            (date(2027, 1, 1), "not over yet")):  # fmt: skip
            with pytest.raises(Rejected, match=words):
                service.as_of(when)
    assert not list(month.data.glob("past-*"))


def test_the_close_pack_holds_everything_and_proves_itself(month, tmp_path):
    with month.open() as service:
        here = service.reconciliation_rows("invoices")["row_id"][0].as_py()
        service.comment("invoices", [here], "=looks like a formula", who="Ana")
        number = service.prepare_close(FIRST, LAST, who="Ana").number
        service.sign_close(number, who="Ben")
        pack = service.close_pack(FIRST, LAST)
        path = tmp_path / pack.name
        path.write_bytes(b"".join(pack.chunks))
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        csvs = {f"{n}.{kind}" for n in ("invoices", "payments", "credit_notes") for kind in ("csv", "control.json")}
        assert names == csvs | {
            *("differences.csv", "cases.csv", "case_history.csv", "sign_offs.json", "rules.json", "about.json"),
            *("late_changes.csv", "README.txt", "verify_pack.py", "MANIFEST.sha256"),
        }
        about, rules = json.loads(archive.read("about.json")), json.loads(archive.read("rules.json"))
        assert (about["organisation"], about["runs"][0]["status"]) == ("Takaka Tents Ltd", "success")
        assert about["lock_dates"]["period"] == "2026-06-30"
        assert rules["reasons"][0]["words"] == "Set aside by a person"
        assert json.loads(archive.read("sign_offs.json"))[0]["reviewer"] == "Ben"
        assert b"'=looks like a formula" in archive.read("case_history.csv")
        (tmp_path / "verify_pack.py").write_bytes(archive.read("verify_pack.py"))
    done = subprocess.run(
        [sys.executable, "-I", tmp_path / "verify_pack.py", path], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "All 15 files are as they were packed, and the sums agree.\n")


def test_a_workbook_comes_with_its_control_file(month):
    with month.open() as service:
        made = service.reconciliation_xlsx("invoices")
        raw = b"".join(made.chunks)
        control = json.loads(made.control())
    assert zipfile.ZipFile(io.BytesIO(raw)).testzip() is None
    assert (made.name, control["rows"], control["totals"][0]["crm"]) == ("invoices.xlsx", 2, "1423.70")
