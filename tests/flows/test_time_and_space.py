"""Time that runs out and space that runs out in the middle of a sync: a sentence for it, nothing doubled, nothing lost.

Each test proves that its trouble really struck.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from sqlalchemy import event

from sync_core.errors import Configure
from sync_core.model import RunStatus
from sync_core.service import Service, open_service
from tests.flows.shop import at_rest, numbers, remark, sell, sync
from tests.scenarios.books import Books, SandboxClock

AFTER_IT = (httpx.ReadTimeout,)
"""Time-outs that strike when the request has arrived."""


@pytest.mark.parametrize(
    ("timeout", "method"),
    [
        (httpx.ReadTimeout, "GET"),
        (httpx.ReadTimeout, "PUT"),
        (httpx.WriteTimeout, "PUT"),
        pytest.param(httpx.WriteTimeout, "GET", marks=pytest.mark.soak),
        pytest.param(httpx.ConnectTimeout, "GET", marks=pytest.mark.soak),
        pytest.param(httpx.ConnectTimeout, "PUT", marks=pytest.mark.soak),
    ],
)
def test_a_time_out_is_outlived(books: Books, monkeypatch: pytest.MonkeyPatch, timeout: type[Exception], method: str):
    struck = time_out_once(monkeypatch, method, timeout)
    sell(books, "INV-1")
    first = sync(books).summary
    assert struck == [method]
    if method == "PUT" and timeout is httpx.WriteTimeout:
        assert (first.status, first.counts["failed"], numbers(books)) == (RunStatus.SUCCESS, 0, [])
        status, text = remark(books, "INV-1")
        assert status == "Syncing"
        assert text.endswith("the next sync looks once more, and sends it again if it is still due.")
        first = sync(books).summary
    assert (first.status, numbers(books)) == (RunStatus.SUCCESS, ["INV-1"])
    at_rest(books)


def time_out_once(monkeypatch: pytest.MonkeyPatch, method: str, timeout: type[Exception]) -> list[str]:
    """The first such request for invoices in Xero ends so; a read time-out strikes when the request was carried out."""
    handle, struck = httpx.HTTPTransport.handle_request, []

    def late(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        if struck or request.method != method or not request.url.path.endswith("/2.0/Invoices"):
            return handle(self, request)
        struck.append(request.method)
        if timeout in AFTER_IT:
            handle(self, request).close()
        raise timeout("in the test", request=request)  # type: ignore[call-arg]  # an error of httpx

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", late)
    return struck


def test_a_body_that_dribbles_for_minutes_is_given_up_in_words(books: Books):
    sell(books, "INV-1")
    fault = books.sandbox.fault("slow_body", system="xero", method="GET", path="/Invoices$", seconds=0.2, pieces=10)

    class Hurried(SandboxClock):
        def now(self) -> Any:
            if fault.fired == 1:
                books.sandbox.advance(30)
            return super().now()

    since = books.logged
    with open_service(books.settings, clock=Hurried(books.sandbox)) as service:
        summary = service.sync().summary
    assert fault.fired == 1
    assert summary.status is RunStatus.PARTIAL
    assert "did not answer completely. Check the network connection, then try again." in summary.message
    assert books.writes(since) == []
    assert sync(books).summary.status is RunStatus.SUCCESS
    at_rest(books)


# A full disk

FULL = 'TransactionContext Error: Failed to commit: Could not write file "cache.duckdb.wal": No space left on device'
"""As DuckDB 2.0 says it on a full file system (measured on a tmpfs of 5 MB)."""


class FullDisk:
    """Stands before DuckDB: reads go through, a commit does not."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def cursor(self) -> FullDisk:
        return FullDisk(self._inner.cursor())

    def execute(self, sql: str, *params: Any) -> Any:
        if sql == "COMMIT":
            raise duckdb.TransactionException(FULL)
        return self._inner.execute(sql, *params)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def no_room_for_the_cache(service: Service) -> None:
    cache = service._workspace.cache
    cache._root = FullDisk(cache._root)


def no_room_for_the_state(service: Service) -> None:
    """SQLite may grow no more; whatever statement asks for a page then fails as on a full disk."""

    def stop(connection: Any) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS filler (x)")

    event.listen(service._workspace.state._ground.database.engine, "begin", stop)


@pytest.mark.parametrize(
    "at",
    ["pulled xero.Contacts", "answered", *(pytest.param(n, marks=pytest.mark.soak) for n in ("marked as sending", "settled"))],
)
@pytest.mark.parametrize("fill", [no_room_for_the_cache, no_room_for_the_state], ids=["cache", "state"])
def test_a_full_disk_is_named_and_once_there_is_room_the_sync_goes_on(books: Books, fill: Callable[[Service], None], at: str):
    sell(books, "INV-1")

    def step(name: str) -> None:
        if name == at and at not in passed:
            passed.append(at)
            fill(service)

    passed: list[str] = []
    with books.open(step) as service:
        try:
            said = service.sync().summary.message
        except Configure as error:
            said = error.message
    assert passed == [at]
    assert "The disk that holds the" in said
    assert "is full. Free some space, then" in said
    books.sandbox.advance(600)
    assert sync(books).summary.status is RunStatus.SUCCESS
    assert numbers(books) == ["INV-1"]
    at_rest(books)


def test_no_file_of_ours_is_left_behind_by_a_full_disk(books: Books):
    """The cache that could not be written is used again as it is: it is not set aside as one that cannot be read."""
    with books.open(lambda name: no_room_for_the_cache(service) if name == "pulled xero.Contacts" else None) as service:
        service.sync()
    sync(books)
    assert not list(Path(books.data).rglob("*.unreadable"))
