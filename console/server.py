"""The console as an ASGI application: Streamlit's pages, Tieout's routes, and one service from its start to its end."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import streamlit as st
import structlog
import uvicorn
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from console import sign_in
from console.door import DOOR, STARTING
from console.hardening import ADDRESS, hosts
from console.headers import SecurityHeaders
from console.routes import ROUTES
from console.texts import plain
from sync_core.errors import Busy, Retryable, TieoutError
from sync_core.service import open_service

SCRIPT = Path(__file__).with_name("app.py")
RETRY_SECONDS = 5.0
LAST_ANSWERS_SECONDS = 5
log = structlog.get_logger(__name__)


class House:
    """Opens the service beside the event loop, and closes it at the end. What cannot pass by itself ends the server."""

    def __init__(self, on_open: Callable[[], None], on_failure: Callable[[TieoutError], None]) -> None:
        self._on_open, self._on_failure = on_open, on_failure
        self._opened = ExitStack()
        self._closing = asyncio.Event()

    @asynccontextmanager
    async def lifespan(self, _app: st.App) -> AsyncIterator[None]:
        opening = asyncio.create_task(self._open())
        try:
            yield
        finally:
            self._closing.set()
            await opening
            DOOR.shut("Tieout is closing.")
            await asyncio.to_thread(self._opened.close)

    async def _open(self) -> None:
        DOOR.shut(STARTING)
        while not self._closing.is_set():
            try:
                await asyncio.to_thread(self._enter)
            except Retryable as error:
                DOOR.shut(error.message)
                log.warning("not ready", reason=error.message)
                await self._wait()
            except TieoutError as error:
                self._on_failure(error)
                return
            else:
                self._on_open()
                return

    def _enter(self) -> None:
        service = self._opened.enter_context(open_service())
        service.start_background()
        DOOR.hold(service)

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._closing.wait(), RETRY_SECONDS)
        except TimeoutError:
            return


def application(house: House) -> st.App:
    """Pages, routes and middleware. Nothing is opened before the application is served."""
    return st.App(
        SCRIPT,
        lifespan=house.lifespan,
        routes=ROUTES,
        middleware=[
            Middleware(SecurityHeaders, encrypted=sign_in.is_encrypted(), names_browsers=not sign_in.is_needed()),
            Middleware(TrustedHostMiddleware, allowed_hosts=hosts()),
        ],
        on_script_error=say_instead,
    )


def say_instead(error: Exception) -> bool:
    """What a page shows when it fails: a sentence. The trace goes to the log."""
    if isinstance(error, TieoutError):
        st.error(plain(error.message))
        return True
    log.error("page failed", exc_info=error)
    st.error("This page could not be drawn. Reload it; if that does not help, the server's log says where it failed.")
    return True


def serve(port: int, address: str = ADDRESS) -> int:
    """Serve until SIGTERM or SIGINT; the exit code. Raises Busy when the port is taken."""
    failures: list[TieoutError] = []

    def failed(error: TieoutError) -> None:
        failures.append(error)
        server.should_exit = True

    listening = _listen(address, port)
    bound = listening.getsockname()[1]
    house = House(lambda: _say(f"Tieout is ready: http://{address}:{bound}"), failed)
    server = uvicorn.Server(
        uvicorn.Config(
            application(house),
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            ws="websockets-sansio",
            timeout_graceful_shutdown=LAST_ANSWERS_SECONDS,
        )
    )
    try:
        server.run(sockets=[listening])
    finally:
        listening.close()
    if failures:
        raise failures[0]
    return 0 if server.started else 1


def _listen(address: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise Busy(
            f"Port {port} on {address} cannot be used ({error.strerror}). Another console may be running there; stop it, or"
            " choose another port with --port."
        ) from None
    return listening


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
