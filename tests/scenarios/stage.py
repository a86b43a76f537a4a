"""Plays a scenario folder: people's acts and syncs in turn, what each sync did, and what both systems hold at the end.

``play`` plays it through. Of the numbered points that are asked for it keeps what a kill there would have left behind: both
systems and Tieout's files at that moment. ``survive_all`` lets the next sync find its way from there. ``crash`` shows the same
with a real death: it plays one sync again in a forked process that ends at the point, without any clean-up.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

from sync_core.flows import leasing
from sync_core.flows.run import Result
from sync_core.model import IntentStatus, RecordStatus
from sync_core.rules.entities import DETAILS
from sync_core.sandbox.kernel import Picture
from sync_core.service import Service
from sync_core.store import records
from tests.scenarios.books import Books
from tests.scenarios.desk import Desk
from tests.scenarios.holdings import Holdings, View, breaches, new_since
from tests.scenarios.people import WAIT, People

FOLDER = Path(__file__).parent
KILLED, FELL = 137, 1
LAST_PULLED = f"pulled {DETAILS.name}"
NEXT_SYNC = timedelta(minutes=15)
"""When somebody syncs again after a crash: what Xero would take twice is not sent again at once."""
OPEN_INTENTS = (IntentStatus.PLANNED, IntentStatus.SENDING, IntentStatus.UNKNOWN)


class _Loader(yaml.SafeLoader):
    """Amounts in scenarios are exact."""


_Loader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: Decimal(loader.construct_scalar(node)))


@dataclass(frozen=True, slots=True)
class Scenario:
    """One folder: a title, the story in plain words, and the steps. ``never_synced``: Tieout has not run yet."""

    name: str
    title: str
    story: str
    steps: tuple[tuple[str, Any], ...]
    never_synced: bool = False

    @property
    def golden(self) -> Path:
        return FOLDER / self.name / "outcome.yaml"


def scenarios() -> list[Scenario]:
    return [_scenario(path) for path in sorted(FOLDER.glob("*/scenario.yaml"))]


def _scenario(path: Path) -> Scenario:
    found = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506  # a safe loader with exact numbers
    steps = tuple((s, None) if isinstance(s, str) else next(iter(s.items())) for s in found["steps"])
    return Scenario(path.parent.name, found["title"], found["story"], steps, found.get("never synced", False))


@dataclass(frozen=True, slots=True)
class Wreck:
    """What a sync that is killed at a point leaves behind."""

    number: int
    name: str
    picture: Picture
    data: Path


Pick = Callable[[int, str], bool]
"""Whether the wreck at a point is wanted, by its number and name."""


@dataclass(slots=True)
class Checkpoint:
    """Everything as it stood just before a sync, the points that the sync passed, and what both systems held after it."""

    picture: Picture
    data: Path
    points: list[str] = field(default_factory=list)
    wrecks: list[Wreck] = field(default_factory=list)
    after: Holdings = field(default_factory=dict)
    statuses: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Played:
    """What came of a scenario: one report per sync, the end, and a checkpoint per sync."""

    runs: list[dict[str, Any]]
    end: Holdings
    checkpoints: list[Checkpoint]

    def as_golden(self) -> dict[str, Any]:
        return {"syncs": self.runs, **self.end}


class Stage:
    """Where scenarios are played, one after the other."""

    def __init__(self, books: Books, folder: Path) -> None:
        self.books, self._folder = books, folder
        books.begin_again()
        self._before = {False: self._holdings()}
        books.begin_again(never_synced=True)
        self._before[True] = self._holdings()

    def _holdings(self) -> Holdings:
        return View(self.books.sandbox.kernel).holdings()

    def play(self, scenario: Scenario, wanted: Pick | None = None) -> Played:
        """Play it to its end. Checks after each sync that nothing is doubled, out of balance or left half done.

        Keeps the wrecks at the points that are ``wanted``.
        """
        self.books.begin_again(never_synced=scenario.never_synced)
        runs: list[dict[str, Any]] = []
        checkpoints: list[Checkpoint] = []
        desk = Desk(self.books)
        with People(self.books.sandbox) as people:
            for act, given in scenario.steps:
                if act == "sync":
                    checkpoints.append(self._checkpoint(len(checkpoints)))
                    runs.append(self._sync(checkpoints[-1], wanted))
                elif desk.knows(act):
                    desk.act(act, given)
                elif act == "wait":
                    self.books.sandbox.advance(float(given))
                else:
                    self.books.sandbox.advance(WAIT.total_seconds())
                    people.act(act, given)
        return Played(runs, new_since(self._holdings(), self._before[scenario.never_synced]), checkpoints)

    def _checkpoint(self, number: int) -> Checkpoint:
        return Checkpoint(self.books.sandbox.picture(), self._copy(f"before-{number}"))

    def _copy(self, name: str) -> Path:
        """Tieout's files as they are now. By another process: who closes a file gives up the locks that it holds on it."""
        kept = self._folder / name
        shutil.rmtree(kept, ignore_errors=True)
        subprocess.run(["/bin/cp", "-R", self.books.data, kept], check=True)
        return kept

    def _sync(self, checkpoint: Checkpoint, wanted: Pick | None) -> dict[str, Any]:
        def step(name: str) -> None:
            number = len(checkpoint.points)
            checkpoint.points.append(name)
            if wanted is not None and wanted(number, name):
                kept = self._copy(f"{checkpoint.data.name}-{number}")
                checkpoint.wrecks.append(Wreck(number, name, self.books.sandbox.picture(), kept))

        with _somebody_dead() if wanted else nullcontext(), self.books.open(step) as service:
            result = service.sync()
            report = _report(service, result)
            checkpoint.statuses = _standing(service)
            self._check(service)
        checkpoint.after = self._holdings()
        return report

    def _check(self, service: Service) -> None:
        assert breaches(self.books.sandbox.kernel) == []
        by_status = service._workspace.state.count_by_status()
        assert not [s for s in OPEN_INTENTS if by_status.get(s)], by_status

    def replay(self) -> None:
        """Nothing happened since: another sync writes nothing to either system, by their own logs (I4)."""
        before = self.books.logged
        with self.books.open() as service:
            service.sync()
            self._check(service)
        assert [f"{e.method} {e.path}" for e in self.books.writes(before)] == []

    def survive_all(self, played: Played) -> int:
        """After a death at the point of any wreck the next sync must come to the same end, and then to rest."""
        wrecks = [(c, w) for c in played.checkpoints for w in c.wrecks]
        for checkpoint, wreck in wrecks:
            self._put_back(wreck.data, wreck.picture)
            try:
                self._goes_on_from_there(checkpoint)
            except AssertionError as error:
                error.add_note(f"killed at point {wreck.number}, {wreck.name!r}, of the sync in {wreck.data.name}")
                raise
        return len(wrecks)

    def crash(self, checkpoint: Checkpoint, point: int) -> None:
        """The same with a real death, at the point with this number."""
        self._put_back(checkpoint.data, checkpoint.picture)
        assert self._killed_at(point) == KILLED
        self._goes_on_from_there(checkpoint)

    def _put_back(self, data: Path, picture: Picture) -> None:
        shutil.rmtree(self.books.data)
        shutil.copytree(data, self.books.data)
        self.books.sandbox.return_to(picture)

    def _goes_on_from_there(self, checkpoint: Checkpoint) -> None:
        self.books.sandbox.advance(NEXT_SYNC.total_seconds())
        with self.books.open() as service:
            service.sync()
            self._check(service)
            statuses = _standing(service)
        assert self._holdings() == checkpoint.after
        assert statuses == checkpoint.statuses
        self.replay()

    def _killed_at(self, point: int) -> int:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the servers' thread stays behind; the child uses sockets only
            child = os.fork()
        if child == 0:
            self._die_at(point)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def _die_at(self, point: int) -> None:
        passed = 0

        def step(_name: str) -> None:
            nonlocal passed
            if passed == point:
                os._exit(KILLED)
            passed += 1

        try:
            with self.books.open(step) as service:
                service.sync()
        except BaseException:  # noqa: BLE001  # whatever it is, this copy of the process must not go on
            traceback.print_exc()
            os._exit(FELL)
        os._exit(0)


def _report(service: Service, result: Result) -> dict[str, Any]:
    summary = result.summary
    plan = [f"{verb} {count} {entity} in {side.label}" for (entity, side, verb), count in sorted(result.plan.writes().items())]
    told = [s for s in _statuses(service) if s.run == summary.run]
    report: dict[str, Any] = {"status": str(summary.status), "message": summary.message, "planned": plan}
    report["counts"] = {k: v for k, v in summary.counts.items() if v and k != "unchanged"}
    report["records"] = sorted(f"{_named(service, s)}: {s.status}. {s.remark}" for s in told)
    return {k: v for k, v in report.items() if v}


def _standing(service: Service) -> list[str]:
    """How every record stands, without the words of how it came to that."""
    return sorted(f"{_named(service, s)}: {s.status} {s.reason}".rstrip() for s in _statuses(service))


def _statuses(service: Service) -> Iterator[RecordStatus]:
    yield from service._workspace.state.find_statuses(None, None, 1000, 0)


def _named(service: Service, status: RecordStatus) -> str:
    row = records.records(service._workspace.cache, status.entity, status.side, [status.id]).get(status.id)
    return f"{status.entity} {(row or {}).get('title') or 'without a name'} ({status.side.label})"


def write_golden(scenario: Scenario, played: Played) -> None:
    text = yaml.safe_dump(played.as_golden(), allow_unicode=True, sort_keys=False, width=160)
    scenario.golden.write_text(f"# What came of it. Rewritten by: pytest tests/scenarios --golden\n{text}", encoding="utf-8")


def read_golden(scenario: Scenario) -> dict[str, Any]:
    assert scenario.golden.exists(), "run pytest tests/scenarios --golden, and read what it wrote"
    return yaml.safe_load(scenario.golden.read_text(encoding="utf-8"))


def _somebody_dead() -> AbstractContextManager[Any]:
    """The lease of a wreck belongs to a process that is no more."""
    nobody = subprocess.Popen(["/bin/cp", os.devnull, os.devnull])
    nobody.wait()
    return mock.patch.object(leasing, "holder_name", return_value=f"{socket.gethostname()}:{nobody.pid}")


def interesting(number: int, name: str) -> bool:
    """The points at which something was written, and the first and last of the pages that were only read."""
    return number == 0 or not name.startswith("pulled") or name == LAST_PULLED
