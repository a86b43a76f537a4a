"""Where schedules are played: a model company in both systems, Tieout beside it, people, faults, kills, and one frozen clock.

Time is the sandbox's and stands still between steps, so a schedule takes no longer than its work. Faults strike Tieout's
requests only: while people act they are set aside. Every value that a person enters is noted, for the oracles.
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sync_core.errors import Busy, TieoutError
from sync_core.flows.run import Result
from sync_core.flows.scope import Scope
from sync_core.model import Side
from sync_core.sandbox.faults import Fault, Faults
from sync_core.sandbox.kernel import Row
from sync_core.sandbox.serve import Sandbox
from sync_core.sandbox.world import Company, Party, Product
from sync_core.service import Service, open_service
from tests.scenarios.books import Books, SandboxClock, small_company
from tests.scenarios.people import People, Refused

KILLED, FELL = 137, 1
LEASE_AND_MORE = 120
"""Seconds after which a run that has not renewed its lease has lost it."""
TICK = 0.007


def model_company(_seed: int = 1, _invoices: int = 0) -> Company:
    """Three customers and three products that both systems know; no papers yet."""
    small = small_company()
    parties = (
        *small.parties,
        Party("mere", "account", "Mere Motors", email="office@mere.example", account_number="A-1002"),
        Party("tama", "contact", "Tama Reid", first_name="Tama", last_name="Reid", email="tama@reid.example"),
    )
    products = (*small.products, Product("rope", "ROPE", "Rope, per metre", Decimal("3.15")))
    return Company(
        name=small.name,
        organisation_short_code=small.organisation_short_code,
        period_lock_date=small.period_lock_date,
        currencies=small.currencies,
        ledger_accounts=small.ledger_accounts,
        tax_rates=small.tax_rates,
        branding_themes=small.branding_themes,
        parties=parties,
        products=products,
    )


@dataclass(frozen=True, slots=True)
class Edit:
    """A person set ``field`` of a record; ``before`` is what that person saw there. ``runs``: how many runs began before."""

    number: int
    entity: str
    side: Side
    id: str
    field: str
    value: str
    before: str
    runs: int


@dataclass(frozen=True, slots=True)
class Entered:
    """What somebody enters in the middle of a run, in a field that nobody else edits; it belongs to the record ``owner``."""

    collection: str
    id: str
    field: str
    value: str
    owner: str


class StepClock(SandboxClock):
    """The sandbox's frozen time, which moves on a little whenever Tieout looks at it: no two acts share an instant.

    A fork does not move it, because its copy would run ahead of the sandbox's own clock.
    """

    def now(self) -> datetime:
        if os.getpid() == self._owner:
            self._sandbox.kernel.clock.advance(TICK)
        return super().now()


class Arena:
    """The model company, ready to be played with. ``begin`` puts it back to the start."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.books = Books(sandbox, folder)
        self.books.clock = StepClock(sandbox)
        self.sandbox, self.kernel = sandbox, sandbox.kernel
        self._second = folder / "second"
        self._open = ExitStack()
        self._service: Service | None = None
        self.ended: list[int] = []
        self._people = People(sandbox)
        self.begin()

    def begin(self) -> None:
        """Everything as it stood after set-up and first sync, with time standing still."""
        self.leave()
        self.books.begin_again()
        self.sandbox.run(lambda: self.kernel.clock.set(self.kernel.clock.now(), frozen=True))
        self.edits: list[Edit] = []
        self._noted = self.runs = 0
        self.meanwhile: list[tuple[Entered, Fault]] = []
        self.fired: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.count = 0
        self.ended = []

    def leave(self) -> None:
        """Close Tieout, as at the end of its process; ``ended`` notes how many requests were logged by then."""
        self._open.close()
        self._service = None
        self.ended.append(self.books.logged)

    def close(self) -> None:
        self.leave()
        self._people.close()

    # People

    @contextmanager
    def people(self) -> Iterator[People]:
        """People at work; no fault strikes them. What a system refuses them is nobody's loss."""
        armed, calm = self.kernel.faults, Faults()
        self.sandbox.run(lambda: setattr(self.kernel, "faults", calm))
        try:
            yield self._people
        except (Refused, ValueError):
            self.events["refused to a person"] += 1
        finally:
            self.sandbox.run(lambda: setattr(self.kernel, "faults", armed))

    def rows(self, name: str) -> list[Row]:
        return list(self.kernel.collection(name).values())

    def new_number(self) -> int:
        self.count += 1
        return self.count

    def note(self, entity: str, side: Side, row_id: str, field: str, value: str, before: Any) -> None:
        """Keep what came of a person's edits since the last run: what was taken back before anybody looked is no edit."""
        self._noted += 1
        made = Edit(self._noted, entity, side, row_id.lower(), field, value, str(before), self.runs)
        where = made.entity, made.side, made.id, made.field, made.runs
        earlier = next((e for e in self.edits if (e.entity, e.side, e.id, e.field, e.runs) == where), made)
        self.edits = [e for e in self.edits if e is not earlier]
        if earlier.before != value:
            self.edits.append(replace(made, before=earlier.before))

    def decided(self, crm_id: str) -> None:
        """A person chose between both values of an invoice, so that one of them may go."""
        twin = (self.kernel.collection("dataverse.invoice").get(crm_id) or {}).get("tie_xeroid")
        self.edits = [e for e in self.edits if e.id not in (crm_id, twin)]
        self.meanwhile = [(e, fault) for e, fault in self.meanwhile if e.owner != crm_id]

    # Tieout

    @property
    def service(self) -> Service:
        if self._service is None:
            self._service = self._open.enter_context(self.books.open(self._at_point))
        return self._service

    step: Callable[[str], None] | None = None

    def _at_point(self, name: str) -> None:
        if self.step is not None:
            self.step(name)

    def sync(self, scope: Scope = Scope(), **more: Any) -> Result | TieoutError:  # noqa: B008  # frozen
        """One run; what it came to, or why it could not begin. Then the process ends, as the command line's does.

        (Microsoft's library keeps a refusal for a minute of real time, which no clock of ours moves on.)
        """
        self.runs += 1
        try:
            result = self.service.sync(scope, **more)
        except TieoutError as error:
            self.events[f"no run: {type(error).__name__}"] += 1
            self.leave()
            return error
        self.events[f"run: {result.summary.status}"] += 1
        return result

    def kill(self, point: int) -> bool:
        """A run in a process of its own that ends dead at a numbered point. False: it was over before that point."""
        self.leave()
        self.runs += 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the servers' thread stays behind; the child uses sockets only
            child = os.fork()
        if child == 0:
            self._die_at(point)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        self.ended.append(self.books.logged)
        assert code in (0, KILLED), f"the killed run fell by itself: {code}"
        return code == KILLED

    def _die_at(self, point: int) -> None:
        passed = 0

        def step(_name: str) -> None:
            nonlocal passed
            if passed == point:
                os._exit(KILLED)
            passed += 1

        code = FELL
        try:
            with self.books.open(step) as service:
                service.sync()
            code = 0
        except TieoutError:
            code = 0
        finally:
            os._exit(code)

    @contextmanager
    def second_runner(self) -> Iterator[Service]:
        """Another Tieout on the same state, with a cache of its own that knows nothing yet."""
        shutil.rmtree(self._second, ignore_errors=True)
        address = self.books.settings.state_address
        settings = self.books.settings.model_copy(update={"data_dir": self._second, "state_url": address})
        with open_service(settings, clock=self.books.clock) as service:
            yield service

    def contend(self, point: int, *, wait: float = 0) -> Result | TieoutError:
        """At a numbered point of a run a second runner tries as well: at once, or after the first one's lease ran out."""
        passed = 0

        def step(_name: str) -> None:
            nonlocal passed
            passed += 1
            if passed == point + 1:
                self._contender(wait)

        self.step = step
        try:
            return self.sync()
        finally:
            self.step = None

    def _contender(self, wait: float) -> None:
        self.books.clock.sleep(wait)
        with self.second_runner() as second:
            try:
                second.sync(trigger="second runner")
                self.events["taken over"] += 1
                assert wait, "a second runner got in beside the first"
            except Busy:
                self.events["second runner busy"] += 1
            except TieoutError as error:
                self.events[f"second runner stopped: {type(error).__name__}"] += 1

    def lose_cache(self) -> None:
        self.leave()
        self.books.forget("cache-")

    # Faults

    def arm(self, kind: str, **order: Any) -> Fault:
        return self.sandbox.fault(kind, **order)

    def calm(self) -> None:
        """No more faults; note how often each kind struck."""
        for fault in self.kernel.faults.all():
            self.fired[fault.kind] += fault.fired
        self.sandbox.run(self.kernel.faults.clear)


@contextmanager
def arena(folder: Path) -> Iterator[Arena]:
    """A running sandbox with the model company, and an arena in it."""
    with Sandbox(seed=1, company=model_company) as sandbox:
        made = Arena(sandbox, folder)
        try:
            yield made
        finally:
            made.close()
