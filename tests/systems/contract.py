"""What every client of a system must do, whichever system it is. One suite, run against the sandbox on both clients.

A *bench* knows what differs: how a customer is spelt, which writes are refused, how a row goes. What the system really
holds is read from the sandbox's own rows, never through the client under test.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from sync_core.errors import Configure, Rejected, Retryable, Stale, Unknown
from sync_core.model import Native, Side
from sync_core.rules.entities import Stream
from sync_core.sandbox.serve import Sandbox
from sync_core.settings import Settings
from sync_core.systems.base import Page, System, Write

_numbers = count(1)


class SandboxClock:
    """The sandbox's own time; sleeping makes it pass, so that no test waits."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._sandbox.kernel.clock.now()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._sandbox.advance(seconds)


class Bench(ABC):
    """One system with a client on it. ``stream`` lists customers; ``tag`` is the field that they are found by."""

    side: Side
    name: str
    stream: Stream
    tag: str
    missing_id: str
    wrong: tuple[dict[str, Any], ...]

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.clock = SandboxClock(sandbox)
        self._open: list[Any] = []
        self.system = self.connect(self.settings())

    def settings(self, **changes: Any) -> Settings:
        known = {name.removeprefix("TIEOUT_").lower(): value for name, value in self.sandbox.environment().items()}
        return Settings(**{"_env_file": None, **known, **changes})

    @abstractmethod
    def connect(self, settings: Settings) -> System:
        """A client; what must be closed in the end goes through ``keep``."""

    @abstractmethod
    def new(self, tag: str) -> Write:
        """Make a customer that carries ``tag``."""

    @abstractmethod
    def rename(self, row: Native, name: str, version: str | None = None) -> Write: ...

    @abstractmethod
    def refused(self, tag: str) -> Write:
        """A new customer that the system will not take."""

    @abstractmethod
    def person_renames(self, row_id: str, name: str) -> None: ...

    @abstractmethod
    def goes(self, row: Native) -> None:
        """The customer ceases: deleted, or archived where the system cannot delete."""

    @abstractmethod
    def is_gone(self, pages: list[Page], row_id: str) -> bool: ...

    @abstractmethod
    def name_of(self, row: Native) -> str: ...

    @abstractmethod
    def version_of(self, row: Native) -> str: ...

    @abstractmethod
    def held(self) -> list[dict[str, Any]]:
        """The customers as the system holds them."""

    # -- the same for all ----------------------------------------------------------------------------------------------

    def keep(self, opened: Any) -> Any:
        self._open.append(opened)
        return opened

    def close(self) -> None:
        for opened in self._open:
            opened.close()

    def fresh_tag(self) -> str:
        return f"contract-{next(_numbers)}"

    def made(self) -> Native:
        (receipt,) = self.system.write([self.new(self.fresh_tag())])
        assert receipt.native is not None, receipt.error
        return receipt.native

    def id_of(self, row: Native) -> str:
        return str(row[self.stream.key])

    def held_with(self, tag: str) -> list[dict[str, Any]]:
        return [row for row in self.held() if row.get(self.tag) == tag]

    def fault(self, kind: str, **order: Any) -> Any:
        return self.sandbox.fault(kind, system=self.name, **order)

    def pull(self, cursor: str | None = None) -> list[Page]:
        return list(self.system.changed_since(self.stream, cursor))

    def cursor(self) -> str:
        cursor = self.pull()[-1].cursor
        assert cursor
        return cursor


def rows_of(pages: list[Page]) -> list[Native]:
    return [row for page in pages for row in page.rows]


class SystemContract:
    """The tests. A subclass brings the fixture ``bench``."""

    def test_check_says_who_answers(self, bench: Bench):
        peer = bench.system.check()
        assert peer.id
        assert peer.name

    def test_a_full_pull_brings_every_row_once_and_a_cursor(self, bench: Bench):
        pages = bench.pull()
        ids = [bench.id_of(row) for row in rows_of(pages)]
        assert sorted(ids) == sorted(row[bench.stream.key] for row in bench.held())
        assert [bool(page.cursor) for page in pages] == [False] * (len(pages) - 1) + [True]
        assert {page.expected for page in pages} <= {None, len(ids)}

    def test_when_nothing_changed_nothing_new_comes(self, bench: Bench):
        first = bench.pull()
        known = {bench.id_of(row): bench.version_of(row) for row in rows_of(first)}
        again = bench.pull(first[-1].cursor)
        assert again[-1].cursor
        assert again[-1].gone == []
        assert {bench.id_of(row): bench.version_of(row) for row in rows_of(again)}.items() <= known.items()

    def test_a_change_comes_with_the_next_pull(self, bench: Bench):
        row_id, cursor = bench.id_of(bench.made()), bench.cursor()
        name = bench.fresh_tag()
        bench.person_renames(row_id, name)
        changed = {bench.id_of(row): row for row in rows_of(bench.pull(cursor))}
        assert bench.name_of(changed[row_id]) == name

    def test_the_end_of_a_record_can_be_seen(self, bench: Bench):
        row, cursor = bench.made(), bench.cursor()
        bench.goes(row)
        assert bench.is_gone(bench.pull(cursor), bench.id_of(row))

    def test_get_brings_the_row_as_it_stands(self, bench: Bench):
        row = bench.made()
        got = bench.system.get(bench.stream, bench.id_of(row))
        assert got is not None
        assert bench.name_of(got) == bench.name_of(row)

    def test_get_says_when_there_is_none(self, bench: Bench):
        assert bench.system.get(bench.stream, bench.missing_id) is None

    def test_a_row_is_found_by_its_tag(self, bench: Bench):
        tag = bench.fresh_tag()
        bench.system.write([bench.new(tag)])
        assert [row[bench.tag] for row in bench.system.find(bench.stream, bench.tag, tag)] == [tag]
        assert bench.system.find(bench.stream, bench.tag, "no' such \"tag") == []

    def test_a_create_answers_with_the_row(self, bench: Bench):
        tag = bench.fresh_tag()
        (receipt,) = bench.system.write([bench.new(tag)])
        assert receipt.error is None
        assert receipt.native is not None
        assert receipt.native[bench.tag] == tag
        assert [row[bench.stream.key] for row in bench.held_with(tag)] == [receipt.id]

    def test_an_update_answers_with_the_row_in_a_new_version(self, bench: Bench):
        row, name = bench.made(), bench.fresh_tag()
        (receipt,) = bench.system.write([bench.rename(row, name, bench.version_of(row))])
        assert receipt.native is not None
        assert bench.name_of(receipt.native) == name
        assert bench.version_of(receipt.native) != bench.version_of(row)

    def test_a_refused_element_stands_beside_accepted_ones(self, bench: Bench):
        tags = [bench.fresh_tag() for _ in range(3)]
        writes = [bench.new(tags[0]), bench.refused(tags[1]), bench.new(tags[2])]
        first, second, third = bench.system.write(writes)
        assert [r.native is not None and r.native[bench.tag] for r in (first, third)] == [tags[0], tags[2]]
        assert isinstance(second.error, Rejected)
        assert second.error.message
        assert [len(bench.held_with(tag)) for tag in tags] == [1, 0, 1]

    @pytest.mark.parametrize("kind", ["drop_after", "error_after"])
    @pytest.mark.parametrize("several", [False, True])
    def test_a_lost_answer_is_unknown_and_the_row_is_there_once(self, bench: Bench, kind: str, several: bool):
        tags = [bench.fresh_tag() for _ in range(2 if several else 1)]
        writes = [bench.new(tag) for tag in tags]
        bench.system.find(bench.stream, bench.tag, tags[0])
        fault = bench.fault(kind, method=bench_method(bench, several))
        with pytest.raises(Unknown):
            bench.system.write(writes)
        assert fault.fired == 1
        assert [len(bench.held_with(tag)) for tag in tags] == [1] * len(tags)
        assert len(bench.system.find(bench.stream, bench.tag, tags[0])) == 1

    @pytest.mark.parametrize("act", ["read", "write"])
    def test_a_limit_is_waited_for(self, bench: Bench, act: str):
        row, before = bench.made(), bench.clock.now()
        fault = bench.fault("rate_limited", retry_after=17)
        if act == "read":
            assert bench.system.get(bench.stream, bench.id_of(row))
        else:
            (receipt,) = bench.system.write([bench.new(bench.fresh_tag())])
            assert receipt.error is None
        assert fault.fired == 1
        assert (bench.clock.now() - before).total_seconds() >= 17

    @pytest.mark.parametrize("act", ["read", "write"])
    def test_a_limit_of_hours_is_reported_and_nothing_is_sent_before_its_end(self, bench: Bench, act: str):
        row, tag = bench.made(), bench.fresh_tag()
        fault = bench.fault("rate_limited", retry_after=40_000, problem="day")
        for _ in range(2):
            with pytest.raises(Retryable) as caught:
                bench.system.get(bench.stream, bench.id_of(row)) if act == "read" else bench.system.write([bench.new(tag)])
            assert caught.value.after
            assert caught.value.after > timedelta(hours=11)
        assert (fault.seen, fault.fired) == (1, 1)
        assert bench.held_with(tag) == []

    @pytest.mark.parametrize("act", ["read", "write"])
    def test_an_expired_token_is_replaced_on_the_way(self, bench: Bench, act: str):
        cursor = bench.cursor()
        fault = bench.fault("expire_tokens")
        if act == "read":
            assert bench.pull(cursor)[-1].cursor
        else:
            assert bench.made()
        assert fault.fired == 1

    @pytest.mark.parametrize("kind", ["drop_before", "reset_mid_body", "status"])
    def test_a_read_survives_a_passing_failure(self, bench: Bench, kind: str):
        row = bench.made()
        fault = bench.fault(kind, method="GET")
        got = bench.system.get(bench.stream, bench.id_of(row))
        assert got is not None
        assert bench.name_of(got) == bench.name_of(row)
        assert fault.fired == 1

    def test_a_write_that_may_not_have_arrived_is_unknown_too(self, bench: Bench):
        tag = bench.fresh_tag()
        bench.system.find(bench.stream, bench.tag, tag)
        bench.fault("drop_before")
        with pytest.raises(Unknown):
            bench.system.write([bench.new(tag)])
        assert bench.system.find(bench.stream, bench.tag, tag) == []

    def test_a_missing_permission_is_a_matter_of_configuration(self, bench: Bench):
        cursor = bench.cursor()
        bench.fault("forbidden", times=None)
        with pytest.raises(Configure):
            bench.pull(cursor)
        with pytest.raises(Configure):
            bench.system.check()

    def test_the_sandbox_is_told_the_run(self, bench: Bench):
        bench.made()
        last = [entry for entry in bench.sandbox.log(bench.name) if entry.method != "GET"][-1]
        assert last.run == "contract"

    def test_wrong_credentials_are_a_matter_of_configuration(self, bench: Bench):
        for changes in bench.wrong:
            system = bench.connect(bench.settings(**changes))
            with pytest.raises(Configure) as caught:
                system.check()
            assert caught.value.message.endswith(".")

    def test_a_page_instead_of_data_is_never_taken_for_an_empty_list(self, bench: Bench):
        cursor = bench.cursor()
        fault = bench.fault("html", times=None)
        with pytest.raises(Exception, match="page instead of data"):
            bench.pull(cursor)
        assert fault.fired

    def test_calls_are_counted_reads_and_writes_apart(self, bench: Bench):
        bench.made()
        before = bench.system.calls
        bench.system.write([bench.new(bench.fresh_tag()), bench.new(bench.fresh_tag())])
        after = bench.system.calls
        assert (after.write - before.write, after.read - before.read) == (1, 0)


class GuardedWrites:
    """For systems with conditional writes; the others must be read again before they are written."""

    def test_an_update_of_an_old_version_is_stale(self, bench: Bench):
        row = bench.made()
        bench.person_renames(bench.id_of(row), bench.fresh_tag())
        (receipt,) = bench.system.write([bench.rename(row, "lost update", bench.version_of(row))])
        assert isinstance(receipt.error, Stale)
        assert "lost update" not in str(bench.held_with(row[bench.tag]))


def bench_method(bench: Bench, several: bool) -> str:
    """How the system is told to make rows: Xero with PUT, Dynamics with PATCH or a POST of a batch."""
    if bench.side is Side.XERO:
        return "PUT"
    return "POST" if several else "PATCH"
