"""HTTP servers on loopback in a thread of their own, all in one event loop.

A thin shell round uvicorn: sockets are bound first, so that a taken port is found before anything slow is done, and
each connection lets the gate hang up on its caller.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

HOST = "127.0.0.1"
START_SECONDS = 30
T = TypeVar("T")


class Connection(H11Protocol):
    """uvicorn's connection, whose transport the application finds in ``scope["state"]["transport"]``."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the parent
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class Server(uvicorn.Server):
    """A server that leaves the process's signals alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Servers:
    """One server per application, on sockets from ``bind``. ``tls`` is a PEM file with key and certificate."""

    def __init__(self, apps: Sequence[ASGIApp], sockets: Sequence[socket.socket], tls: Path | None) -> None:
        self._servers = [Server(_config(app, tls)) for app in apps]
        self._sockets = sockets
        self._ready = threading.Event()
        self._failure: Exception | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)

    def start(self) -> None:
        """Returns when all servers answer; raises ``RuntimeError`` when they do not."""
        self._thread.start()
        if not self._ready.wait(START_SECONDS) or self._failure:
            raise RuntimeError(f"the servers did not start: {self._failure or 'no answer in time'}")

    def stop(self) -> None:
        """Stop all servers and wait until they have; safe to call twice."""
        for server in self._servers:
            server.should_exit = True
        if self._thread.is_alive():
            self._thread.join()

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """Run ``work`` in the servers' loop and return what it returns or raises."""
        if self._loop is None or not self._thread.is_alive():
            work.close()
            raise RuntimeError("the sandbox is not running")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:
            self._failure = error
            raise
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        pairs = zip(self._servers, self._sockets, strict=True)
        tasks = [asyncio.create_task(server.serve([listener])) for server, listener in pairs]
        # uvicorn says that it has started by a flag only, hence the polling.
        while not all(s.started for s in self._servers) and not any(t.done() for t in tasks):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        self._ready.set()
        await asyncio.gather(*tasks)


def _config(app: ASGIApp, tls: Path | None) -> uvicorn.Config:
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
        ssl_certfile=tls,
    )


def bind(ports: Sequence[int]) -> list[socket.socket]:
    """Sockets on loopback, listening; port 0 is any free one. Raises ``PortTaken`` and leaves none open."""
    bound: list[socket.socket] = []
    for port in ports:
        # Named TCP, so that asyncio switches Nagle's delay (40 ms an answer) off on accepted connections.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        bound.append(listener)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen()
        except (OSError, OverflowError) as error:
            close(bound)
            raise PortTaken(port, str(error)) from error
    return bound


def close(sockets: Sequence[socket.socket]) -> None:
    """Close ``sockets``, whether open or not."""
    for opened in sockets:
        opened.close()


class PortTaken(Exception):
    """``port`` cannot be listened on, for the given reason."""

    def __init__(self, port: int, reason: str) -> None:
        super().__init__(f"port {port}: {reason}")
        self.port = port
