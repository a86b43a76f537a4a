"""Connecting an ordinary Xero app: a person agrees in the browser once, and every sync signs in with that."""

from __future__ import annotations

import json
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from sync_core.errors import Configure, Retryable, TieoutError
from sync_core.model import RunStatus
from sync_core.sandbox.identity import credentials
from sync_core.service import connect_xero, open_service
from sync_core.settings import Settings
from tests.flows.shop import numbers, sell
from tests.scenarios.books import Books
from tests.test_command_line import CommandLine

ELSEWHERE = "99999999-8888-4777-8666-555555555555"


def web_app(books: Books, **changes: Any) -> Settings:
    """The settings with an ordinary web app instead of the custom connection."""
    known = credentials(books.sandbox.kernel)
    app = {"xero_client_id": known.xero_web_client_id, "xero_client_secret": SecretStr(known.xero_web_client_secret)}
    return books.settings.model_copy(update=app | changes)


def agree(address: str) -> None:
    """A person's browser: Xero's page sends it back to this machine."""
    assert httpx.get(address, follow_redirects=True, timeout=10).status_code == 200


def back(address: str, **answer: str) -> None:
    """A browser that comes back with this answer, whatever Xero said."""
    (redirect,) = parse_qs(urlsplit(address).query)["redirect_uri"]
    httpx.get(f"{redirect}?{urlencode(answer)}", timeout=10)


def state_of(address: str) -> str:
    return parse_qs(urlsplit(address).query)["state"][0]


def connect(books: Books, settings: Settings, show: Any = agree, **more: Any) -> Any:
    return connect_xero(show, clock=books.clock, settings=settings, port=0, **more)


def refresh_tokens(books: Books, settings: Settings) -> str:
    with open_service(settings, clock=books.clock) as service:
        return str(service._workspace.state.load_credential("xero")["refresh_token"])


def doctor(books: Books, settings: Settings) -> tuple[bool, str]:
    with open_service(settings, clock=books.clock) as service:
        return next((c.good, c.message) for c in service.doctor() if c.name == "Xero")


def asked(books: Books, since: int) -> list[str]:
    return [e.path for e in books.sandbox.log() if e.number > since and e.path == "/connect/token"]


def test_a_web_app_is_connected_syncs_and_renews_its_sign_in(books: Books):
    settings = web_app(books)
    done = connect(books, settings)
    assert (done.tenant_id, done.name, done.to_set) == (settings.xero_tenant_id, "Takaka Tents Ltd", False)
    first = refresh_tokens(books, settings)
    sell(books, "INV-1")
    with open_service(settings, clock=books.clock) as service:
        assert service.sync().summary.status is RunStatus.SUCCESS
        books.sandbox.advance(31 * 60)
        since = books.logged
        sell(books, "INV-2")
        assert service.sync().summary.status is RunStatus.SUCCESS
    assert numbers(books) == ["INV-1", "INV-2"]
    assert len(asked(books, since)) == 1
    assert refresh_tokens(books, settings) != first
    good, message = doctor(books, settings)
    assert good
    assert message.startswith("Connected to Takaka Tents Ltd, signed in with the consent of 2026-11-23 that a person gave;")
    with closing(sqlite3.connect(books.data / "state.sqlite")) as state:
        assert state.execute("SELECT act, subject FROM audit").fetchall() == [("connect xero", settings.xero_tenant_id)]
        assert "sandbox-refresh" not in "\n".join(state.iterdump())


def test_an_app_without_a_secret_is_connected_by_proof_of_possession(books: Books):
    known = credentials(books.sandbox.kernel)
    settings = web_app(books, xero_client_id=known.xero_pkce_client_id, xero_client_secret=SecretStr(""))
    assert "run: python -m sync_core connect-xero" in doctor(books, settings)[1]
    connect(books, settings)
    books.sandbox.advance(31 * 60)
    assert doctor(books, settings)[0]


def test_a_consent_that_was_not_used_for_60_days_asks_for_a_new_one(books: Books):
    settings = web_app(books)
    connect(books, settings)
    books.sandbox.advance(timedelta(days=61).total_seconds())
    good, message = doctor(books, settings)
    assert not good
    assert "60 days" in message
    assert "Run connect-xero again" in message
    connect(books, settings)
    assert doctor(books, settings)[0]


def test_the_sign_in_of_another_app_is_left_alone(books: Books):
    connect(books, web_app(books))
    assert doctor(books, books.settings) == (True, "Connected to Takaka Tents Ltd, signed in as a custom connection.")
    assert "with the consent" in doctor(books, web_app(books))[1]


def test_the_only_organisation_is_taken_when_none_is_set(books: Books):
    done = connect(books, web_app(books, xero_tenant_id=""))
    assert (done.tenant_id, done.to_set) == (books.settings.xero_tenant_id, True)
    assert doctor(books, web_app(books))[0]


def one_more_organisation(books: Books) -> None:
    known = credentials(books.sandbox.kernel)
    rows = books.sandbox.kernel.collection("identity.connections")
    mine = next(r for r in rows.values() if r["app"] == known.xero_web_client_id)
    books.sandbox.run(lambda: rows.put("one more", mine | {"id": ELSEWHERE, "tenantId": ELSEWHERE}))


def test_of_several_organisations_the_one_in_the_settings_is_taken(books: Books):
    one_more_organisation(books)
    with pytest.raises(Configure, match=rf"several organisations: .*{books.settings.xero_tenant_id}.*{ELSEWHERE}"):
        connect(books, web_app(books, xero_tenant_id=""))
    assert connect(books, web_app(books)).tenant_id == books.settings.xero_tenant_id


WRONG_ANSWERS = (
    ({"state": "somebody-elses", "code": "made-up"}, "answer to another request"),
    ({"code": "made-up"}, "answer to another request"),
    ({"error": "access_denied"}, "answer to another request"),
    ({"state": "", "error": "access_denied"}, "Consent was not given"),
    ({"state": "", "error": "invalid_scope"}, "--broad-scopes"),
    ({"state": "", "error": "<b>odd</b>"}, "did not give its consent"),
    ({"state": ""}, "did not give its consent"),
    ({"state": "", "code": "made-up"}, "good for five minutes and for one use"),
)
"""What a browser may bring, and what is said of it. State "": the one that was asked with."""


def test_an_answer_that_is_not_the_one_asked_for_connects_nothing(books: Books):
    settings = web_app(books)
    for brought, words in WRONG_ANSWERS:

        def show(address: str, brought: dict[str, str] = brought) -> None:
            own = {"state": brought["state"] or state_of(address)} if "state" in brought else {}
            back(address, **brought | own)

        with pytest.raises(TieoutError, match=words) as refused:
            connect(books, settings, show)
        assert (type(refused.value), "\n" in refused.value.message) == (Configure, False)
    with open_service(settings, clock=books.clock) as service:
        assert service._workspace.state.load_credential("xero") is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"secret_key": SecretStr("")}, "TIEOUT_SECRET_KEY is missing"),
        ({"xero_client_id": ""}, "TIEOUT_XERO_CLIENT_ID is missing"),
        ({"xero_client_secret": SecretStr("wrong")}, "does not know this app or its secret"),
        ({"xero_tenant_id": ELSEWHERE}, "does not reach the organisation of TIEOUT_XERO_TENANT_ID"),
    ],
)
def test_a_wrong_setting_is_named(books: Books, changes: dict[str, Any], words: str):
    with pytest.raises(Configure, match=words):
        connect(books, web_app(books, **changes))


def test_a_taken_port_and_a_person_who_never_comes_back(books: Books):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.raises(Configure, match=f"Port {taken} of this machine"):
            connect_xero(agree, clock=books.clock, settings=web_app(books), port=taken)
    with pytest.raises(Retryable, match="No answer came from Xero's page"):
        connect(books, web_app(books), lambda _address: None, within=timedelta(milliseconds=20))


def test_nothing_but_the_callback_is_answered_and_its_page_shows_nothing(books: Books):
    seen: list[httpx.Response] = []

    def show(address: str) -> None:
        (redirect,) = parse_qs(urlsplit(address).query)["redirect_uri"]
        assert urlsplit(redirect).hostname == "localhost"
        seen.append(httpx.get(redirect.replace("/callback", "/favicon.ico")))
        seen.append(httpx.get(address, follow_redirects=True))

    connect(books, web_app(books), show)
    assert [r.status_code for r in seen] == [404, 200]
    assert seen[1].headers["cache-control"] == "no-store"
    (code,) = parse_qs(urlsplit(str(seen[1].url)).query)["code"]
    assert code not in seen[1].text


@pytest.mark.parametrize(("broad", "scope"), [(False, "accounting.invoices"), (True, "accounting.transactions")])
def test_the_scopes_are_those_of_the_app(books: Books, broad: bool, scope: str):
    addresses: list[str] = []

    def show(address: str) -> None:
        addresses.append(address)
        agree(address)

    connect(books, web_app(books), show, broad=broad)
    asked_for = parse_qs(urlsplit(addresses[0]).query)
    assert {"offline_access", scope, "accounting.contacts"} <= set(asked_for["scope"][0].split())
    assert asked_for["code_challenge_method"] == ["S256"]


def test_the_command_prints_the_address_and_then_who_it_reached(books: Books):
    command, settings = CommandLine(books), web_app(books)
    more = {
        "TIEOUT_XERO_CLIENT_ID": settings.xero_client_id,
        "TIEOUT_XERO_CLIENT_SECRET": settings.xero_client_secret.get_secret_value(),
    }
    words = [sys.executable, "-m", "sync_core", "connect-xero", "--port", "0", "--json"]
    with subprocess.Popen(words, cwd=books.data, env=command.environment | more, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        running.stdout.readline()
        agree(running.stdout.readline().strip())
        last = running.stdout.read().splitlines()[-1]
    assert running.returncode == 0
    assert json.loads(last) == {"status": "success", "tenant": settings.xero_tenant_id, "organisation": "Takaka Tents Ltd"}
    assert doctor(books, settings)[0]


def test_the_command_refuses_with_one_sentence_and_code_2(books: Books):
    done = CommandLine(books).run("connect-xero", "--port", "0", TIEOUT_SECRET_KEY="")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "TIEOUT_SECRET_KEY" in done.stderr
