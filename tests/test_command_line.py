"""The command line as people and programs use it: one JSON object as the last line, exit codes, one sentence on stderr."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

import sync_core.__main__ as command_line
from sync_core.errors import Busy, Configure
from sync_core.flows.schedule import Runner
from sync_core.flows.scope import Scope
from sync_core.printing import say
from sync_core.sandbox.xero import set_limits
from sync_core.service.asking import follow_sync
from sync_core.service.opening import SystemClock, state_alone
from tests.flows.shop import act, numbers, rows, sell
from tests.scenarios.books import Books

ROOT = Path(__file__).parent.parent
COUNTS = {"created", "updated", "unchanged", "skipped", "blocked", "conflict", "failed"}
TOTAL = {"currency", "crm", "xero", "difference", "explained", "unexplained"}


class CommandLine:
    """Runs ``python -m sync_core`` beside the small company."""

    def __init__(self, books: Books) -> None:
        self.books = books
        books.sandbox.run(lambda: set_limits(books.sandbox.kernel, minute=10_000))
        plain = {n: v.get_secret_value() if isinstance(v, SecretStr) else v for n, v in books.settings.model_dump().items()}
        wanted = {f"TIEOUT_{n.upper()}": str(v) for n, v in plain.items() if v not in (None, "", False)}
        self.environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **wanted}

    def run(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "sync_core", *words],
            cwd=self.books.data,
            env=self.environment | settings,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def json(self, *words: str, code: int = 0, **settings: str) -> dict[str, Any]:
        done = self.run(*words, "--json", **settings)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def command(books: Books) -> CommandLine:
    return CommandLine(books)


def test_two_syncs_and_a_reconciliation(command, tmp_path):
    books = command.books
    sell(books, "INV-1", "INV-2")
    first = command.json("sync")
    assert set(first) >= {"run", "status", "counts", "calls", "seconds"}
    assert (first["status"], set(first["counts"]), first["counts"]["created"]) == ("success", COUNTS, 2)
    assert set(first["calls"]) == {"dynamics", "xero"}
    assert first["calls"]["xero"]["write"] == len([e for e in books.writes() if e.system == "xero"])
    since = books.logged
    second = command.json("sync")
    assert [calls["write"] for calls in second["calls"].values()] == [0, 0]
    assert books.writes(since) == []
    body = command.json("reconcile", "invoices", "--out", str(tmp_path / "out"))
    assert (body["rows"], body["status"]["Matched"]) == (2, 2)
    assert [set(total) for total in body["totals"]] == [TOTAL]
    total = body["totals"][0]
    assert (total["crm"], total["xero"], total["difference"], total["unexplained"]) == ("1423.70", "1423.70", "0.00", "0.00")
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"invoices.csv", "invoices.control.json"}


@pytest.mark.parametrize(("kind", "first"), [("xlsx", "invoices.xlsx"), ("pack", "close-pack-*.zip")])
def test_a_reconciliation_is_written_as_a_workbook_or_a_close_pack(command, tmp_path, kind, first):
    body = command.json("reconcile", "invoices", "--out", str(tmp_path / "out"), "--format", kind)
    written = sorted((tmp_path / "out").iterdir())
    assert sorted(body["files"]) == [str(path) for path in written]
    assert written[-1].match(first)
    assert len(written) == (2 if kind == "xlsx" else 1)


@pytest.mark.parametrize("entity", ["payments", "credit_notes", "contacts"])
def test_every_reconciliation_has_the_same_shape(command, entity):
    body = command.json("reconcile", entity)
    assert set(body) >= {"rows", "status", "totals"}
    assert sum(body["status"].values()) == body["rows"]
    assert all(set(total) == TOTAL for total in body["totals"])


def test_a_record_that_fails_is_a_partial_sync(command):
    act(command.books, "customer in Dynamics", {"name": "Broken Mail Ltd", "email": "this is no address"})
    body = command.json("sync", code=1)
    assert (body["status"], body["counts"]["failed"]) == ("partial", 1)


def test_a_preview_writes_nothing_and_shows_its_plan(command):
    sell(command.books, "INV-1")
    since = command.books.logged
    body = command.json("sync", "--dry-run")
    assert body["plan"]["writes"] == 1
    assert command.books.writes(since) == []


def test_a_refused_plan_has_its_own_code_and_can_be_allowed(command):
    books = command.books
    sold = [f"INV-{n}" for n in range(6)]
    sell(books, *sold)
    command.json("sync")
    for number in sold:
        act(books, "delete in Dynamics", {"invoice": number})
    refused = command.json("sync", code=3)
    assert refused["status"] == "refused"
    assert command.json("sync", "--allow", refused["plan"]["hash"])["status"] == "success"
    assert len(numbers(books)) == 6


def test_one_record_and_only_it(command):
    sell(command.books, "INV-1", "INV-2")
    wanted = next(r["invoiceid"] for r in rows(command.books, "dataverse.invoice") if r["invoicenumber"] == "INV-2")
    assert command.json("sync", "--record", f"invoices:{wanted}")["counts"]["created"] == 1
    assert numbers(command.books) == ["INV-2"]


@pytest.mark.parametrize(
    ("words", "settings", "expected"),
    [
        (("sync",), {"TIEOUT_DYNAMICS_CLIENT_SECRET": "wrong-secret"}, "secret"),
        (("sync",), {"TIEOUT_DYNAMICS_CLIENT_SECRET": ""}, "TIEOUT_DYNAMICS_CLIENT_SECRET is missing"),
        (
            ("doctor",),
            {"TIEOUT_XERO_CLIENT_ID": "", "TIEOUT_XERO_TENANT_ID": ""},
            "TIEOUT_XERO_CLIENT_ID and TIEOUT_XERO_TENANT_ID are missing",
        ),
        (("sync",), {"TIEOUT_DATA_DIR": "/proc/tieout"}, "TIEOUT_DATA_DIR"),
        (("sync", "unicorns"), {}, "unicorns"),
        (("sync", "--record", "invoices"), {}, "ENTITY:ID"),
        (("reconcile", "unicorns"), {}, "unicorns"),
        (("reconcile", "invoices", "--out", "/proc/tieout"), {}, "/proc/tieout"),
        (("reconcile", "invoices", "--out", ".", "--format", "pdf"), {}, "csv, xlsx, pack"),
    ],
)
def test_a_wrong_setting_or_word_is_one_sentence_and_code_2(command, words, settings, expected):
    sell(command.books, "INV-1")
    since = command.books.logged
    done = command.run(*words, **settings)
    assert done.returncode == 2, done.stdout + done.stderr
    assert expected in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "wrong-secret" not in done.stdout + done.stderr
    assert command.books.writes(since) == []


def test_json_keeps_its_shape_when_something_is_wrong(command):
    body = command.json("sync", code=2, TIEOUT_XERO_CLIENT_SECRET="wrong-secret")
    assert body["status"] == "configure"
    assert "Xero" in body["error"]


@pytest.mark.parametrize("words", [("sync", "--bogus"), ("frobnicate",), ("sync", "a", "--record")])
def test_wrong_use_is_told_as_json_to_whoever_asked_for_it(words):
    done = subprocess.run(
        [sys.executable, "-m", "sync_core", "--json", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    body = json.loads(done.stdout.splitlines()[-1])
    assert body["status"] == "configure"
    assert body["error"]


def test_another_process_that_holds_the_cache_is_busy(command):
    with command.books.open():
        done = command.run("sync", "--dry-run")
    assert done.returncode == 4
    assert "Another Tieout process is using the cache" in done.stderr


def test_dynamics_is_set_up_by_the_process_that_has_the_cache(command):
    with command.books.open() as service:
        runner = Runner(service._workspace.state, service._perform, poll=timedelta(milliseconds=50))
        runner.start()
        try:
            told = command.run("setup")
            asked = command.json("setup")
        finally:
            runner.stop()
    assert (told.returncode, asked["status"], asked["created"]) == (0, "success", [])
    assert "Another Tieout process has the cache." in told.stdout
    assert told.stdout.splitlines()[-1] == f"Set-up is complete: 0 pieces made, {asked['already']} were there."


def test_what_another_process_answers_is_what_this_one_would(command, tmp_path):
    books = command.books
    sell(books, "INV-1")
    command.json("sync")
    asked = (
        (("verify", "invoices"), 0),
        (("reconcile", "--out", str(tmp_path / "out")), 0),
        (("verify", "--record", "none-such"), 2),
        (("doctor",), 0),
    )
    alone = [command.json(*words, code=code) for words, code in asked]
    status = command.json("status")
    with books.open() as service:
        runner = Runner(service._workspace.state, service._perform, poll=timedelta(milliseconds=50))
        runner.start()
        try:
            followed = [command.json(*words, code=code) for words, code in asked]
            beside = command.json("status")
        finally:
            runner.stop()
    assert followed == alone
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"invoices.csv", "invoices.control.json"}
    assert (beside["records"], len(beside["runs"])) == (status["records"], len(status["runs"]))
    assert None not in beside["age"].values()


def test_who_waits_for_a_process_that_died_over_it_is_told_so(command):
    """A worker took the request and was killed: nobody has the cache any more, and nobody will answer."""
    settings = command.books.settings

    class Clock(SystemClock):
        at, slept = datetime(2026, 11, 28, tzinfo=UTC), 0

        def now(self):
            return self.at

        def sleep(self, seconds):
            if not self.slept:
                with state_alone(settings, self) as state:
                    assert state.next_request() is not None
            self.slept += 1
            assert self.slept < 200, "it waits for ever"
            self.at += timedelta(seconds=seconds)

    with pytest.raises(Busy, match="ended before it was done"):
        follow_sync(settings, Scope(), who="somebody", clock=Clock())
    assert command.json("sync")["status"] == "success"


def test_verify_finds_what_somebody_tampered_with(command):
    books = command.books
    sell(books, "INV-1")
    command.json("sync")
    assert command.json("verify", "invoices") == {"checked": 1, "agree": 1, "differ": 0, "differences": []}
    act(books, "set in Xero", {"invoice": "INV-1", "due": "2027-05-05"})
    body = command.json("verify", "invoices", code=1)
    (difference,) = body["differences"][0]["differences"]
    assert (difference["field"], difference["xero"]) == ("Due date", "2027-05-05")
    assert "No linked record" in command.json("verify", "--record", "none-such", code=2)["error"]


def test_set_up_again_changes_nothing_and_the_doctor_is_content(command):
    assert command.json("setup")["created"] == []
    body = command.json("doctor")
    assert body["status"] == "success"
    assert all(check["good"] for check in body["checks"])
    assert command.json("status")["organisation"] == "Takaka Tents Ltd"


def test_help_needs_no_settings():
    done = subprocess.run([sys.executable, "-m", "sync_core", "--help"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert all(word in done.stdout for word in ("sync", "reconcile", "sandbox", "setup", "doctor", "demo"))


def test_a_broken_audit_trail_is_named_and_has_code_1(command):
    books = command.books
    with books.open() as service:
        service.switch_types(on=False, who="Ana")
        service.switch_types(on=True, who="Ben")
    whole = command.json("verify-audit")
    assert (whole["status"], whole["entries"], len(whole["head"]), whole["broken"]) == ("whole", 2, 64, [])
    with sqlite3.connect(books.data / "state.sqlite") as state:
        state.execute("DROP TRIGGER audit_no_update")
        state.execute("UPDATE audit SET who = 'Eve' WHERE position = 1")
    state.close()
    broken = command.json("verify-audit", code=1)
    assert (broken["status"], broken["broken"]) == ("broken", [1])
    assert "Entry 1 was changed" in broken["first"]
    assert "Eve, switch types" in command.run("verify-audit").stdout


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_letters_that_a_pipe_does_not_have_are_written_as_escapes(monkeypatch, encoding):
    pipe = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", pipe)
    monkeypatch.setattr("sync_core.service.run_worker", lambda: (_ for _ in ()).throw(Configure("Ōtautahi \U0001f6f6 \ud800")))
    assert command_line.main(["worker", "--json"]) == 2
    say("Ōtautahi")
    said = pipe.buffer.getvalue().decode(encoding).splitlines()
    assert json.loads(said[0])["error"] == "Ōtautahi \U0001f6f6 \ud800"
    assert said[1] == r"\u014ctautahi"


def test_the_worker_says_as_json_that_it_was_stopped(monkeypatch, capsys):
    monkeypatch.setattr("sync_core.service.run_worker", lambda: None)
    assert command_line.main(["worker", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["status"] == "success"
