"""Starts both systems: two HTTP servers on loopback in one event loop, over one kernel.

``Sandbox`` runs them in a thread beside the caller (tests, demo); ``main`` is the command ``python -m sync_core
sandbox``. Ports of 0 mean any free port. With a state directory the rows and the clock survive a restart, and
nothing is seeded twice; free ports, faults and the request log do not survive.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sqlite3
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from sync_core.sandbox import identity
from sync_core.sandbox.company import demo_company
from sync_core.sandbox.control import Control
from sync_core.sandbox.edits import Desk, Person, Systems
from sync_core.sandbox.faults import Fault
from sync_core.sandbox.gate import Gate
from sync_core.sandbox.journal import FileJournal
from sync_core.sandbox.kernel import Kernel, LogEntry, Picture
from sync_core.sandbox.servers import HOST, PortTaken, Servers, bind, close
from sync_core.sandbox.systems import default_systems
from sync_core.sandbox.world import Company

ENV_FILE = "sandbox.env"
T = TypeVar("T")


class CannotStart(Exception):
    """The sandbox cannot start; the message is a sentence that says what to do."""


class Sandbox:
    """Both systems, running from ``start`` (or ``with``) to ``stop``.

    ``tls`` is a PEM file with key and certificate, for clients that insist on https. ``systems`` replaces the two
    APIs, for tests of this shell alone. ``company`` makes another company than the demo one, from seed and number of
    generated invoices.
    """

    kernel: Kernel

    def __init__(
        self,
        seed: int = 1,
        invoices: int = 0,
        *,
        port_dynamics: int = 0,
        port_xero: int = 0,
        state: Path | None = None,
        tls: Path | None = None,
        systems: Systems | None = None,
        company: Callable[[int, int], Company] = demo_company,
    ) -> None:
        self._seed, self._invoices, self._state, self._tls = seed, invoices, state, tls
        self._company = company
        self._ports = (port_dynamics, port_xero)
        self._systems = systems if systems is not None else default_systems()
        self._sockets: list[socket.socket] = []
        self._journal: FileJournal | None = None
        self._servers: Servers | None = None
        self.dynamics_url = self.xero_url = ""

    def start(self) -> Self:
        """Bind both ports, seed or restore, and serve; returns when both answer. Raises ``CannotStart``."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop both servers and close the journal; safe to call twice."""
        if self._servers:
            self._servers.stop()
        close(self._sockets)
        if self._journal:
            self._journal.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def environment(self) -> dict[str, str]:
        """Tieout's settings that point it at this sandbox."""
        known = identity.credentials(self.kernel)
        return {
            "TIEOUT_DYNAMICS_URL": self.dynamics_url,
            "TIEOUT_DYNAMICS_IDENTITY_URL": self.dynamics_url,
            "TIEOUT_DYNAMICS_TENANT_ID": known.tenant_id,
            "TIEOUT_DYNAMICS_CLIENT_ID": known.dynamics_client_id,
            "TIEOUT_DYNAMICS_CLIENT_SECRET": known.dynamics_client_secret,
            "TIEOUT_XERO_URL": self.xero_url,
            "TIEOUT_XERO_IDENTITY_URL": self.xero_url,
            "TIEOUT_XERO_CLIENT_ID": known.xero_client_id,
            "TIEOUT_XERO_CLIENT_SECRET": known.xero_client_secret,
            "TIEOUT_XERO_TENANT_ID": known.xero_tenant_id,
            "TIEOUT_ALLOW_LOOPBACK": "1",
        }

    def run(self, act: Callable[[], T]) -> T:
        """Run ``act`` between two requests, in the servers' thread, and make its changes durable."""

        async def between_requests() -> T:
            return act()

        return self._wait(between_requests())

    def reset(self, seed: int | None = None, invoices: int | None = None) -> None:
        """Start over with the same servers: freshly seeded rows, no faults, empty log, real time."""
        self.run(lambda: self._start_over(seed, invoices))

    def picture(self) -> Picture:
        """Both systems as they stand now, to come back to with ``return_to`` as often as wanted."""
        return self.run(self.kernel.picture)

    def return_to(self, picture: Picture) -> None:
        """Put both systems back to where they stood: rows, clock and random source; no faults, empty log."""
        self.run(lambda: self.kernel.return_to(picture))

    def fault(self, kind: str, **order: Any) -> Fault:
        """Order a fault (see ``faults``); its ``fired`` tells how often it struck."""
        return self.run(lambda: self.kernel.faults.add({"kind": kind, **order}))

    def edit(self, system: str, table: str, row_id: str, **values: Any) -> None:
        """A person changes a row through the system's own API. Raises ``ValueError`` when it is refused."""
        self._wait(self._person.edit({"system": system, "table": table, "id": row_id, "set": values}))

    def merge(self, system: str, table: str, loser: str, survivor: str) -> None:
        """A person merges ``loser`` into ``survivor``. Raises ``ValueError`` when it is refused."""
        order = {"system": system, "table": table, "loser": loser, "survivor": survivor}
        self._wait(self._person.merge(order))

    def log(self, system: str | None = None) -> list[LogEntry]:
        """The requests so far, oldest first."""
        return self.run(lambda: [e for e in self.kernel.log if system in (None, e.system)])

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.run(lambda: self.kernel.clock.advance(seconds))

    def _start(self) -> None:
        self._sockets = _bind(self._ports)
        scheme = "https" if self._tls else "http"
        self.dynamics_url, self.xero_url = (f"{scheme}://{HOST}:{s.getsockname()[1]}" for s in self._sockets)
        self._journal = _journal(self._state)
        with collector_off():
            apps = self._load()
        self._servers = Servers(apps, self._sockets, self._tls)
        self._servers.start()

    def _load(self) -> list[Gate]:
        self.kernel = Kernel(self._seed, self._journal)
        self._person = Person(self.kernel, self._systems)
        apps = self._apps()
        if self.kernel.restored:
            self.kernel.rebuild()
            self.kernel.save()
        else:
            self._fill()
        return apps

    def _apps(self) -> list[Gate]:
        kernel, dataverse, xero = self.kernel, self._systems["dataverse"], self._systems["xero"]
        return [
            self._gate("dataverse", [*dataverse.routes(kernel), *identity.entra_routes(kernel)]),
            self._gate("xero", [*xero.routes(kernel), *identity.xero_routes(kernel)]),
        ]

    def _gate(self, name: str, routes: list[BaseRoute]) -> Gate:
        control = Control(self.kernel, self._person, self._start_over)
        app = Starlette(routes=[*control.routes(), *routes])
        app.router.redirect_slashes = False
        self._person.desks[name] = Desk(self.kernel, app)
        return Gate(app, self.kernel, self._person)

    def _fill(self) -> None:
        company = self._company(self.kernel.seed, self._invoices)
        for system in self._systems.values():
            system.seed(self.kernel, company)
        self.kernel.collection("sandbox.company").put("size", {"invoices": self._invoices})
        self.kernel.rebuild()
        self.kernel.remember_start()
        self.kernel.save()

    def _start_over(self, seed: int | None, invoices: int | None) -> None:
        size = self.kernel.collection("sandbox.company").get("size") or {"invoices": self._invoices}
        self._invoices = size["invoices"] if invoices is None else invoices
        with collector_off():
            self.kernel.reset(self.kernel.seed if seed is None else seed)
            self._fill()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        async def saved() -> T:
            result = await work
            self.kernel.save()
            return result

        if self._servers is None:
            work.close()
            raise RuntimeError("the sandbox is not running")
        return self._servers.wait_for(saved())


@contextmanager
def collector_off() -> Iterator[None]:
    """No search for reference cycles meanwhile: among millions of new rows it takes half of the time for nothing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def main(
    port_dynamics: int = 0,
    port_xero: int = 0,
    seed: int = 1,
    invoices: int = 0,
    state: Path | None = None,
    systems: Systems | None = None,
) -> int:
    """Serve until SIGINT or SIGTERM; the settings are printed and written to ``sandbox.env``. The exit code."""
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    sandbox = Sandbox(seed, invoices, port_dynamics=port_dynamics, port_xero=port_xero, state=state, systems=systems)
    try:
        with sandbox:
            gc.freeze()  # the rows stay for the life of the process
            _announce(sandbox)
            over.wait()
    except CannotStart as reason:
        sys.stderr.write(f"{reason}\n")
        return 2
    return 0


def _announce(sandbox: Sandbox) -> None:
    lines = "".join(f"{name}={value}\n" for name, value in sandbox.environment().items())
    path = Path.cwd() / ENV_FILE
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(lines)
    sys.stdout.write(f"{lines}# These settings are also in {path}. Stop the sandbox with Ctrl+C.\n")
    sys.stdout.flush()


def _bind(ports: tuple[int, int]) -> list[socket.socket]:
    try:
        return bind(ports)
    except PortTaken as taken:
        option = ("--port-dynamics", "--port-xero")[ports.index(taken.port)]
        advice = f"choose another with {option}, or 0 for any free port."
        raise CannotStart(f"The sandbox cannot listen on {taken}: {advice}") from taken


def _journal(state: Path | None) -> FileJournal | None:
    if state is None:
        return None
    try:
        return FileJournal(state)
    except (OSError, sqlite3.Error) as error:
        raise CannotStart(f"The state directory {state} cannot be used: {error}.") from error
