"""Wrong settings and systems that cannot be used: one sentence that says what to do, and nothing written anywhere."""

from __future__ import annotations

import socket
import threading
from datetime import timedelta
from typing import Any

import pytest

from sync_core.errors import Busy, Configure, Retryable, TieoutError
from sync_core.flows.schedule import Runner
from sync_core.model import RunStatus
from sync_core.service import load_settings, open_service, run_worker
from sync_core.store.leases import Lease
from sync_core.store.requests import RequestStatus
from tests.flows.shop import at_rest, numbers, sell, sync
from tests.scenarios.books import Books

NOBODY = "11111111-2222-3333-4444-555555555555"


def unused_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def refusal(books: Books, **changes: Any) -> TieoutError:
    """What a sync with these settings ends with."""
    known = books.settings.model_dump() | changes
    since = books.logged
    with pytest.raises(TieoutError) as error, open_service(load_settings(**known), clock=books.clock) as service:
        service.sync()
    assert books.writes(since) == []
    assert error.value.message.endswith(".")
    assert "\n" not in error.value.message
    return error.value


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dynamics_client_secret": "wrong"}, "secret"),
        ({"dynamics_client_id": NOBODY}, "TIEOUT_DYNAMICS_CLIENT_ID"),
        ({"dynamics_tenant_id": NOBODY}, "tenant"),
        ({"xero_client_secret": "wrong"}, "Xero"),
        ({"xero_client_id": "0" * 32}, "Xero"),
        ({"xero_tenant_id": NOBODY}, "TIEOUT_XERO_TENANT_ID"),
        ({"dynamics_client_secret": ""}, "TIEOUT_DYNAMICS_CLIENT_SECRET is missing"),
        ({"xero_tenant_id": ""}, "TIEOUT_XERO_TENANT_ID is missing"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_wrong_setting_is_named(books, changes, words):
    sell(books, "INV-1")
    error = refusal(books, **changes)
    assert (type(error), error.exit_code) == (Configure, 2)
    assert words.lower() in error.message.lower()
    assert "wrong" not in (error.detail or "").replace("is wrong", "")


@pytest.mark.parametrize("side", ["dynamics", "xero"])
def test_an_unreachable_system_is_named(books, side):
    sell(books, "INV-1")
    changes = {f"{side}_url": unused_address()}
    error = refusal(books, **changes)
    assert isinstance(error, Configure | Retryable)
    assert side in error.message.lower()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dynamics_url": "http://example.com"}, "https://"),
        ({"xero_url": "ftp://example.com"}, "web address"),
        ({"dynamics_url": "https://me:secret@example.com"}, "user name or password"),
    ],
)
def test_an_unsafe_address_is_refused_before_anything_is_opened(books, changes, words):
    with pytest.raises(Configure, match=words) as error:
        load_settings(**(books.settings.model_dump() | changes))
    assert "secret@" not in error.value.message


@pytest.mark.parametrize("system", ["dataverse", "xero"])
def test_a_system_that_forbids_is_named_and_nothing_is_written(books, system):
    sell(books, "INV-1")
    fault = books.sandbox.fault("forbidden", system=system, times=None)
    error = refusal(books)
    assert fault.fired >= 1
    assert isinstance(error, Configure)


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"dynamics_client_secret": "wrong"}, RunStatus.CONFIGURE), ({"xero_url": ""}, RunStatus.FAILED)],
    ids=["a wrong setting", "nobody there"],
)
def test_a_sync_that_reached_nobody_is_among_the_runs(books, changes, status):
    known = books.settings.model_dump() | {name: value or unused_address() for name, value in changes.items()}
    with open_service(load_settings(**known), clock=books.clock) as service:
        with pytest.raises(TieoutError) as error:
            service.sync(trigger="by hand")
        asked = service.enqueue_sync(who="Kim")
        assert Runner(service._workspace.state, service._perform).work_off()
        request, runs = service.request(asked), {run.trigger: run for run in service.runs(2)}
    first, later = runs["by hand"], runs["Kim"]
    assert (first.status, first.message, first.trigger) == (status, error.value.message, "by hand")
    assert first.finished is not None
    assert not any(first.counts.values())
    assert (request.run, request.status, request.message) == (later.run, RequestStatus.FAILED, later.message)


def test_a_worker_that_starts_before_its_network_goes_on_by_itself(books):
    over = threading.Event()
    settings = load_settings(**books.settings.model_dump() | {"xero_url": unused_address()})
    over.set()
    run_worker(settings, stop=over)
    with open_service(settings) as service:
        assert service._workspace.state.next_request().kind == "sync", "it had asked for one"


def test_a_worker_with_a_wrong_setting_says_so_and_ends(books):
    settings = load_settings(**books.settings.model_dump() | {"xero_client_secret": "wrong"})
    with pytest.raises(Configure, match="Xero"):
        run_worker(settings, stop=threading.Event())


def test_a_grant_that_xero_refuses_asks_for_a_new_connection(books):
    fault = books.sandbox.fault("invalid_grant", system="identity", times=None)
    error = refusal(books)
    assert fault.fired >= 1
    assert isinstance(error, Configure)


def test_after_the_setting_is_mended_everything_goes_on(books):
    sell(books, "INV-1")
    refusal(books, dynamics_client_secret="wrong")
    assert sync(books).summary.status is RunStatus.SUCCESS
    assert numbers(books) == ["INV-1"]
    at_rest(books)


# One run at a time


def lease_of_another(books: Books, service: Any) -> Lease:
    return service._workspace.state.acquire("another-machine:1", timedelta(seconds=90))


def test_a_second_run_is_told_who_is_at_work_and_writes_nothing(books):
    sell(books, "INV-1")
    with books.open() as service:
        lease_of_another(books, service)
        since = books.logged
        with pytest.raises(Busy, match="another-machine") as busy:
            service.sync()
        assert books.writes(since) == []
    assert busy.value.exit_code == 4


def test_a_run_whose_time_is_up_is_taken_over(books):
    sell(books, "INV-1")
    with books.open() as service:
        lease_of_another(books, service)
        books.sandbox.advance(120)
        assert service.sync().summary.status is RunStatus.SUCCESS
    assert numbers(books) == ["INV-1"]


def test_a_run_that_was_taken_over_while_it_slept_writes_nothing_more(books):
    """I11: the fence. The other run takes the lease just before this one would send."""
    sell(books, "INV-1")

    def step(name: str) -> None:
        if name == "intents planned":
            books.sandbox.advance(600)
            lease_of_another(books, service)

    with books.open(step) as service:
        since = books.logged
        summary = service.sync().summary
    assert summary.status is RunStatus.BUSY
    assert [e for e in books.writes(since) if e.system == "xero"] == []
    books.sandbox.advance(600)
    sync(books)
    assert numbers(books) == ["INV-1"]
    at_rest(books)
