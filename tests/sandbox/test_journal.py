"""Rows on disk: exact, in order, all or nothing, and there after kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from sync_core.sandbox.journal import FileJournal, decode, encode
from sync_core.sandbox.kernel import Kernel

ROW = {
    "money": Decimal("20000.0000"),
    "tiny": Decimal("1E-7"),
    "when": datetime(2026, 11, 20, 9, 0, 0, 123000, tzinfo=UTC),
    "day": date(2026, 11, 20),
    "lines": [{"tax": Decimal("11.44")}, None, True, 3],
    "text": "Kōwhai \u202e ![x](http://127.0.0.1:9/x)",
}


@pytest.fixture
def journal(tmp_path):
    opened = FileJournal(tmp_path)
    yield opened
    opened.close()


def test_a_row_comes_back_exactly():
    back = decode(encode(ROW))
    assert back == ROW
    assert str(back["money"]) == "20000.0000"
    assert type(back["day"]) is date


def test_something_that_a_row_cannot_hold_is_refused():
    with pytest.raises(TypeError, match="a row cannot hold set"):
        encode({"bad": {1}})


def test_order_of_insertion_survives_a_change(journal):
    journal.save({"a": {"2": {"n": 1}, "1": {"n": 2}}})
    journal.save({"a": {"2": {"n": 3}, "0": {"n": 4}}, "b": {"9": {}}})
    assert list(journal.load("a")) == ["2", "1", "0"]
    assert journal.names() == ["a", "b"]


def test_a_save_that_fails_leaves_nothing_behind(journal):
    journal.save({"a": {"1": {"n": 1}}})
    with pytest.raises(TypeError):
        journal.save({"a": {"1": None, "2": {"n": 2}}, "b": {"3": {"bad": {1}}}})
    assert journal.load("a") == {"1": {"n": 1}}


def test_a_second_life_has_the_rows_the_clock_and_fresh_ids(tmp_path):
    first = FileJournal(tmp_path)
    kernel = Kernel(7, first)
    assert not kernel.restored
    kernel.clock.set(datetime(2027, 1, 1, tzinfo=UTC), frozen=True)
    kernel.remember_start()
    kernel.collection("x.Things").put("gone", {})
    kernel.collection("x.Things").put("kept", ROW)
    kernel.collection("x.Things").remove("gone")
    early = kernel.new_id()
    kernel.save()
    first.close()

    second = FileJournal(tmp_path)
    again = Kernel(1, second)
    assert (again.restored, again.seed) == (True, 7)
    assert dict(again.collection("x.Things").items()) == {"kept": ROW}
    assert again.clock.now() == datetime(2027, 1, 1, tzinfo=UTC)
    assert again.new_id() != early
    second.close()


CHILD = """
import sys
from pathlib import Path
from sync_core.sandbox.journal import FileJournal
from sync_core.sandbox.kernel import Kernel
kernel = Kernel(1, FileJournal(Path(sys.argv[1])))
for n in range(10**6):
    for side in "ab":
        kernel.collection(side).put(str(n), {"n": n})
    kernel.save()
    print(n, flush=True)
"""


def test_what_was_saved_survives_kill_9_and_pairs_stay_whole(tmp_path):
    command = [sys.executable, "-c", CHILD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        said = [child.stdout.readline() for _ in range(50)]
        os.kill(child.pid, signal.SIGKILL)
        said += child.stdout.readlines()
    journal = FileJournal(tmp_path)
    a, b = journal.load("a"), journal.load("b")
    journal.close()
    assert a == b
    assert len(a) >= len([line for line in said if line.endswith("\n")])
