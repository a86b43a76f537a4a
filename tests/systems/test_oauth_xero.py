"""Xero's tokens: refreshed early, once at a time, saved before use, and never lost."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from datetime import timedelta
from urllib.parse import parse_qs

import httpx
import pytest
from virtual import Script, VirtualClock, answer

from sync_core.errors import Configure, Retryable
from sync_core.settings import Settings
from sync_core.systems.oauth import XeroTokens


class Store:
    """A credential store in memory; ``log`` tells the order of what was done to it."""

    def __init__(self, credential=None):
        self.credential, self.log = credential, []
        self._lock = threading.Lock()

    def load(self):
        return None if self.credential is None else dict(self.credential)

    def save(self, credential):
        self.log.append("save")
        self.credential = dict(credential)

    @contextmanager
    def lock(self):
        with self._lock:
            yield


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def settings():
    return Settings(_env_file=None, xero_client_id="app", xero_client_secret="canary-secret")


def granted(access="access-1", refresh=None):
    body = {"access_token": access, "expires_in": 1800, "token_type": "Bearer"}
    return answer(200, body | ({"refresh_token": refresh} if refresh else {}))


def form(request):
    return {key: value[0] for key, value in parse_qs(request.content.decode()).items()}


def test_a_custom_connection_signs_in_and_keeps_its_token(clock, settings):
    script = Script(granted())
    tokens = XeroTokens(settings, clock, None, script)
    assert [tokens.token(), tokens.token()] == ["access-1", "access-1"]
    assert script.seen == ["POST /connect/token"]
    assert form(script.requests[0])["scope"].startswith("accounting.invoices accounting.payments")
    assert script.requests[0].headers["authorization"] == "Basic YXBwOmNhbmFyeS1zZWNyZXQ="


def test_the_other_scope_family_is_tried_and_remembered(clock, settings):
    script = Script(answer(400, {"error": "invalid_scope"}), granted("a"), granted("b"))
    tokens = XeroTokens(settings, clock, None, script)
    assert [tokens.token(), tokens.token(True)] == ["a", "b"]
    assert ["accounting.transactions" in form(r)["scope"] for r in script.requests] == [False, True, True]


def test_a_minute_before_its_end_a_token_is_replaced(clock, settings):
    tokens = XeroTokens(settings, clock, None, Script(granted("a"), granted("b")))
    tokens.token()
    clock.sleep(1800 - 61)
    assert tokens.token() == "a"
    clock.sleep(2)
    assert tokens.token() == "b"


def test_a_refresh_is_saved_before_it_is_used(clock, settings):
    store = Store({"refresh_token": "rt-0001", "connection": "kept"})
    tokens = XeroTokens(settings, clock, store, Script(granted("a", "rt-0002")))
    assert tokens.token() == "a"
    assert store.credential["refresh_token"] == "rt-0002"
    assert store.credential["connection"] == "kept"
    assert store.credential["expires_at"] == (clock.now() + timedelta(seconds=1800)).isoformat()


def test_a_token_that_cannot_be_saved_is_not_used(clock, settings):
    store = Store({"refresh_token": "rt-0001"})
    script = Script(granted("a", "rt-0002"), granted("b", "rt-0003"))
    save, store.save = store.save, lambda credential: (_ for _ in ()).throw(OSError("disk full"))
    with pytest.raises(OSError, match="disk full"):
        XeroTokens(settings, clock, store, script).token()
    store.save = save
    assert XeroTokens(settings, clock, store, script).token() == "b"
    assert [form(r)["refresh_token"] for r in script.requests] == ["rt-0001", "rt-0001"]


def test_a_lost_answer_is_asked_for_with_the_same_token(clock, settings):
    store = Store({"refresh_token": "rt-0001"})
    script = Script(httpx.ReadTimeout("lost"), granted("a", "rt-0002"))
    assert XeroTokens(settings, clock, store, script).token() == "a"
    assert [form(r)["refresh_token"] for r in script.requests] == ["rt-0001", "rt-0001"]


def test_threads_and_processes_refresh_once(clock, settings):
    store, everybody = Store({"refresh_token": "rt-0001"}), threading.Barrier(3)
    load, reads = store.load, iter(range(100))

    def load_together():
        found = load()
        if next(reads) < 3:
            everybody.wait(timeout=10)
        return found

    def grant_slowly(request):
        with suppress(threading.BrokenBarrierError):
            others.wait(timeout=0.1)
        return granted("a", "rt-0002")(request)

    store.load, others = load_together, threading.Barrier(2)
    script = Script(grant_slowly)
    processes, found = [XeroTokens(settings, clock, store, script) for _ in range(3)], []
    threads = [threading.Thread(target=lambda p=p: found.append(p.token())) for p in processes * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["a"] * 12
    assert len(script.requests) == 1


def test_a_refused_token_is_not_taken_from_the_store_again(clock, settings):
    store = Store({"refresh_token": "rt-0001"})
    tokens = XeroTokens(settings, clock, store, Script(granted("a", "rt-0002"), granted("b", "rt-0003")))
    assert [tokens.token(), tokens.token(True)] == ["a", "b"]
    assert store.credential["refresh_token"] == "rt-0003"


def test_withdrawn_consent_asks_for_a_person(clock, settings):
    store = Store({"refresh_token": "rt-0001"})
    tokens = XeroTokens(settings, clock, store, Script(answer(400, {"error": "invalid_grant"})))
    with pytest.raises(Configure, match="Reconnect Xero"):
        tokens.token()


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, "invalid_client", "TIEOUT_XERO_CLIENT_SECRET"),
        (400, "invalid_grant", "authorise it for your organisation again"),
        (400, "unauthorized_client", "custom connection"),
        (400, "invalid_scope", "lacks scopes"),
        (400, "something_new", "refused to sign Tieout in"),
    ],
)
def test_each_refusal_says_what_to_mend(clock, settings, status, error, words):
    tokens = XeroTokens(settings, clock, None, Script(answer(status, {"error": error})))
    with pytest.raises(Configure, match=words):
        tokens.token()


def test_an_unreachable_sign_in_is_retryable(clock, settings):
    with pytest.raises(Retryable, match=r"Xero sign-in could not be reached at identity\.xero\.com"):
        XeroTokens(settings, clock, None, Script(httpx.ConnectError("no route"))).token()


def test_no_secret_shows(clock, settings):
    body = {"error": "x", "error_description": "canary-secret and rt-canary-9"}
    tokens = XeroTokens(settings, clock, Store({"refresh_token": "rt-canary-9"}), Script(answer(400, body)))
    with pytest.raises(Configure) as caught:
        tokens.token()
    assert "canary" not in caught.value.detail + caught.value.message + repr(tokens) + repr(tokens.__dict__)
