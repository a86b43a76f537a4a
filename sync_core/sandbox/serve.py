"""Starts both systems: two HTTP servers on loopback in one event loop, over one kernel.

``Sandbox`` runs them in a thread beside the caller (tests, demo); ``main`` is the command ``python -m sync_core
sandbox``. Ports of 0 mean any free port. With a state directory the rows survive a restart, and nothing is seeded
twice; ports and the request log do not survive.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sqlite3
import sys
import threading
from collections.abc import Callable, Coroutine, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from uvicorn.protocols.http.h11_impl import H11Protocol

from sync_core.sandbox import identity
from sync_core.sandbox.company import demo_company
from sync_core.sandbox.control import Control
from sync_core.sandbox.edits import Desk, Person, System, Systems
from sync_core.sandbox.faults import Fault
from sync_core.sandbox.gate import Gate
from sync_core.sandbox.journal import FileJournal
from sync_core.sandbox.kernel import Kernel, LogEntry
from sync_core.sandbox.person import edit_dataverse, edit_xero, merge_dataverse

HOST = "127.0.0.1"
ENV_FILE = "sandbox.env"
START_SECONDS = 30
T = TypeVar("T")


class CannotStart(Exception):  # noqa: N818  reads as a sentence where it is raised
    """The sandbox cannot start; the message is a sentence that says what to do."""


class Sandbox:
    """Both systems, running from ``start`` (or ``with``) to ``stop``.

    ``tls`` is a PEM file with key and certificate, for clients that insist on https. ``systems`` replaces the two
    APIs, for tests of this shell alone. Raises ``CannotStart``.
    """

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
    ) -> None:
        self._journal = _journal(state)
        self._tls, self._ports = tls, (port_dynamics, port_xero)
        self._invoices = invoices
        self._systems = systems if systems is not None else default_systems()
        self.kernel = Kernel(seed, self._journal)
        self._person = Person(self.kernel, self._systems)
        self._apps = self._build()
        if self.kernel.restored:
            self.kernel.rebuild()
            self.kernel.save()
        else:
            self._seed()
        self._servers: list[uvicorn.Server] = []
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: BaseException | None = None
        self.dynamics_url = self.xero_url = ""

    def start(self) -> Self:
        """Bind both ports and serve; returns when both answer."""
        try:
            sockets = _bind(self._ports)
        except CannotStart:
            self.stop()
            raise
        scheme = "https" if self._tls else "http"
        self.dynamics_url, self.xero_url = (f"{scheme}://{HOST}:{s.getsockname()[1]}" for s in sockets)
        ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(sockets, ready), name="sandbox", daemon=True)
        self._thread.start()
        if not ready.wait(START_SECONDS) or self._failure:
            raise CannotStart(f"The sandbox's servers did not start: {self._failure or 'no answer in time'}.")
        return self

    def stop(self) -> None:
        """Stop both servers and close the journal; safe to call twice."""
        for server in self._servers:
            server.should_exit = True
        if self._thread:
            self._thread.join()
            self._thread = None
        if self._journal:
            self._journal.close()
            self._journal = None

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

    def fault(self, kind: str, **order: Any) -> Fault:
        """Order a fault (see ``faults``); its ``fired`` tells how often it struck."""
        return self.run(lambda: self.kernel.faults.add({"kind": kind, **order}))

    def edit(self, system: str, table: str, row_id: str, **values: Any) -> None:
        """A person changes a row."""
        self._wait(self._person.edit({"system": system, "table": table, "id": row_id, "set": values}))

    def merge(self, system: str, table: str, loser: str, survivor: str) -> None:
        """A person merges ``loser`` into ``survivor``."""
        order = {"system": system, "table": table, "loser": loser, "survivor": survivor}
        self._wait(self._person.merge(order))

    def log(self, system: str | None = None) -> list[LogEntry]:
        """The requests so far, oldest first."""
        return self.run(lambda: [e for e in self.kernel.log if system in (None, e.system)])

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.run(lambda: self.kernel.clock.advance(seconds))

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        async def saved() -> T:
            result = await work
            self.kernel.save()
            return result

        if self._loop is None:
            work.close()
            raise RuntimeError("the sandbox is not running")
        return asyncio.run_coroutine_threadsafe(saved(), self._loop).result()

    def _build(self) -> list[Gate]:
        kernel, dataverse, xero = self.kernel, self._systems["dataverse"], self._systems["xero"]
        control = Control(kernel, self._person, self._start_over)
        sides: list[Sequence[BaseRoute]] = [
            (*dataverse.routes(kernel), *identity.entra_routes(kernel)),
            (*xero.routes(kernel), *identity.xero_routes(kernel)),
        ]
        names = (dataverse.name, xero.name)
        return [self._gate(name, [*control.routes(), *own]) for name, own in zip(names, sides, strict=True)]

    def _gate(self, name: str, routes: list[BaseRoute]) -> Gate:
        app = Starlette(routes=routes)
        app.router.redirect_slashes = False
        self._person.desks[name] = Desk(self.kernel, app)
        return Gate(app, self.kernel, self._person.edit)

    def _seed(self) -> None:
        company = demo_company(self.kernel.seed, self._invoices)
        for system in self._systems.values():
            system.seed(self.kernel, company)
        self.kernel.collection("sandbox.company").put("size", {"invoices": self._invoices})
        self.kernel.rebuild()
        self.kernel.remember_start()
        self.kernel.save()

    def _start_over(self, seed: int | None, invoices: int | None) -> None:
        size = self.kernel.collection("sandbox.company").get("size") or {"invoices": self._invoices}
        self._invoices = size["invoices"] if invoices is None else invoices
        self.kernel.reset(self.kernel.seed if seed is None else seed)
        self._seed()

    def _serve(self, sockets: list[socket.socket], ready: threading.Event) -> None:
        try:
            asyncio.run(self._serve_both(sockets, ready))
        except BaseException as error:
            self._failure = error
            raise
        finally:
            ready.set()

    async def _serve_both(self, sockets: list[socket.socket], ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._servers = [_Server(self._config(app)) for app in self._apps]
        pairs = zip(self._servers, sockets, strict=True)
        tasks = [asyncio.create_task(server.serve([listener])) for server, listener in pairs]
        # uvicorn says that it has started by a flag only, hence the polling.
        while not all(s.started for s in self._servers) and not any(t.done() for t in tasks):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        ready.set()
        await asyncio.gather(*tasks)

    def _config(self, app: Gate) -> uvicorn.Config:
        return uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
            ssl_certfile=self._tls,
        )


class Connection(H11Protocol):
    """uvicorn's connection, which also lets the gate hang up on the caller."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the parent
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class _Server(uvicorn.Server):
    """A server that leaves the signals to ``main``."""

    @contextmanager
    def capture_signals(self) -> Any:
        yield


def default_systems() -> Systems:
    """The two sandboxed APIs."""
    dataverse, xero = (import_module(f"sync_core.sandbox.{name}") for name in ("dataverse", "xero"))

    async def merge_xero(desk: Desk, _table: str, loser: str, survivor: str) -> None:
        xero.merge_contacts(desk.kernel, loser, survivor)

    return {
        "dataverse": System("dataverse", dataverse.routes, dataverse.seed, edit_dataverse, merge_dataverse),
        "xero": System("xero", xero.routes, xero.seed, edit_xero, merge_xero),
    }


def main(
    port_dynamics: int = 0,
    port_xero: int = 0,
    seed: int = 1,
    invoices: int = 0,
    state: Path | None = None,
    systems: Systems | None = None,
) -> int:
    """Serve until SIGINT or SIGTERM; prints the settings and writes them to ``sandbox.env``. Returns the exit code."""
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    try:
        with Sandbox(seed, invoices, port_dynamics=port_dynamics, port_xero=port_xero, state=state, systems=systems) as sandbox:
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
    bound: list[socket.socket] = []
    for port, option in zip(ports, ("--port-dynamics", "--port-xero"), strict=True):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        bound.append(listener)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen()
        except (OSError, OverflowError) as error:
            for opened in bound:
                opened.close()
            raise CannotStart(
                f"Port {port} cannot be used ({error}): choose another with {option}, or 0 for any free port."
            ) from error
    return bound


def _journal(state: Path | None) -> FileJournal | None:
    if state is None:
        return None
    try:
        return FileJournal(state)
    except (OSError, sqlite3.Error) as error:
        raise CannotStart(f"The state directory {state} cannot be used: {error}.") from error
