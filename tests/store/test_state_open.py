"""Opening, transactions and what goes wrong with a database."""

from __future__ import annotations

import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from durable import MINUTE, NOON, another_process, link, status

from sync_core.errors import Busy, Configure, Rejected
from sync_core.model import Side
from sync_core.store import database
from sync_core.store.shelf import Shelf
from sync_core.store.state import State, open_state

on_sqlite = pytest.mark.skipif(bool(os.environ.get("TIEOUT_TEST_STATE_URL")), reason="is about the SQLite file")


def state_file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def test_verbs_together_are_kept_or_lost_together(state):
    def link_and_tell(xero):
        with state.together():
            state.append_audit("kim", "link", "c1", None, {"xero": xero}, NOON)
            state.add_links([link(1, xero)])

    link_and_tell(1)
    with pytest.raises(Rejected):
        link_and_tell(2)
    assert (state.link_counts(), len(state.audit(9))) == ({"invoice": 1}, 1)


def test_a_verb_that_fails_inside_leaves_nothing_though_the_block_goes_on(state):
    state.add_links([link(1, 1)])
    with state.together():
        with pytest.raises(Rejected):
            state.add_links([link(2, 2), link(3, 1)])
        state.add_links([link(4, 4)])
    assert list(state.all_links("invoice")) == [link(1, 1), link(4, 4)]


def test_two_shelves_never_share_a_private_name():
    shelves = [shelf for shelf in State.__mro__ if issubclass(shelf, Shelf) and shelf is not Shelf]
    names = [name for shelf in shelves for name in vars(shelf) if not name.startswith("__")]
    assert len(names) == len(set(names))


def test_a_process_killed_in_a_transaction_leaves_nothing_and_blocks_nobody(state, state_url, tmp_path):
    code = "with state.together():\n    state.add_links([link(1, 1)])\n    say('written')\n    sys.stdin.readline()"
    with another_process(state_url, tmp_path, code) as process:
        assert process.stdout.readline() == "written\n"
        process.kill()
    state.add_links([link(2, 2)])
    assert list(state.all_links("invoice")) == [link(2, 2)]


def test_what_was_acknowledged_survives_a_kill(state, state_url, tmp_path):
    code = "state.add_links([link(1, 1)])\nstate.set_statuses([status(1)])\nsay('kept')\nsys.stdin.readline()"
    with another_process(state_url, tmp_path, code) as process:
        assert process.stdout.readline() == "kept\n"
        process.kill()
    assert list(state.all_links("invoice")) == [link(1, 1)]
    assert state.statuses("invoice", Side.CRM, ["c1"]) == {"c1": status(1)}


def test_many_threads_write_at_once(state):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: state.add_links([link(n, n)]), range(40)))
    assert state.link_counts() == {"invoice": 40}


def test_check_tells_where_it_stands(state):
    assert state.check().schema == "r0002"


@on_sqlite
def test_file_and_folder_are_for_their_owner_only(state, state_url):
    state.add_links([link(1, 1)])
    path = state_file(state_url)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}
    assert set(modes) >= {"state.sqlite", "state.sqlite-wal", "state.sqlite-shm"}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@on_sqlite
def test_commits_reach_the_disk(state):
    with state._read() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


@on_sqlite
def test_a_writer_that_does_not_end_is_told(state, open_here, state_url, monkeypatch):
    monkeypatch.setattr(database, "_BUSY_MILLISECONDS", 20)
    waiting = open_here()
    with state.together(), pytest.raises(Busy, match="Another process is writing"):
        ThreadPoolExecutor(1).submit(waiting.add_links, [link(1, 1)]).result()


@on_sqlite
def test_a_file_that_is_no_database_is_named(state_url, open_here):
    path = state_file(state_url)
    path.parent.mkdir()
    path.write_bytes(b"this is a text file, much longer than a header" * 100)
    with pytest.raises(Configure, match="damaged or is not a Tieout state database"):
        open_here()


@on_sqlite
def test_a_damaged_page_is_found(state, open_here, state_url):
    state.add_links([link(n, n) for n in range(3_000)])
    state.close()
    path = state_file(state_url)
    content = bytearray(path.read_bytes())
    content[20_480:] = b"\xff" * (len(content) - 20_480)
    path.write_bytes(content)
    with pytest.raises(Configure, match="damaged"):
        open_here().check()


@on_sqlite
def test_a_full_disk_is_told_and_nothing_is_half_written(state, monkeypatch):
    with state._read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(Configure, match="Free some space"):
        state.add_links([link(n, n) for n in range(3_000)])
    assert state.link_counts() == {}


@on_sqlite
def test_a_database_that_turned_read_only_is_told(state):
    with state._read() as connection:
        connection.exec_driver_sql("PRAGMA query_only=1")
    with pytest.raises(Configure, match="cannot be written"):
        state.add_links([link(1, 1)])


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nonsense", "is not a database address"),
        ("mysql://host/db", "SQLite or PostgreSQL only"),
        ("sqlite://", "must name a file"),
        ("sqlite:////proc/none/state.sqlite", "cannot be opened for writing"),
        ("postgresql+asyncpg9://host/db", "is not installed"),
    ],
)
def test_a_wrong_address_is_one_sentence(url, sentence, tmp_path):
    with pytest.raises(Configure, match=sentence):
        open_state(url, "org", None, tmp_path)


def test_a_password_is_not_told(tmp_path):
    with pytest.raises(Configure) as refused:
        open_state("postgresql://kim:canary-word@127.0.0.1:9/none?connect_timeout=1", "org", None, tmp_path)
    assert "canary-word" not in refused.value.message + refused.value.detail


@on_sqlite
def test_tables_of_another_program_are_left_alone(state_url, open_here):
    path = state_file(state_url)
    path.parent.mkdir()
    with sqlite3.connect(path) as foreign:
        foreign.execute("CREATE TABLE links (a)")
    foreign.close()
    with pytest.raises(Configure, match="already holds a table named links"):
        open_here()


def test_a_reader_sees_the_last_commit_while_another_writes(state, open_here):
    state.set_statuses([status(1)])
    with state.together():
        state.set_statuses([status(1, last_attempt=NOON + MINUTE)])
        seen = ThreadPoolExecutor(1).submit(open_here().statuses, "invoice", Side.CRM, ["c1"]).result()
    assert seen["c1"].last_attempt == NOON
