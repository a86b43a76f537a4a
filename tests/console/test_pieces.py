"""The small parts: addresses of files, periods, the diagram, causes, kept answers, required settings."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace

import httpx
import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from streamlit import config

from console import browsers, hardening, sign_in
from console.answers import MOST, SECONDS, Answers
from console.checks import settings_lines
from console.diagram import flow_diagram
from console.filters import address, parse
from console.headers import SecurityHeaders
from console.nav import GROUPS, file_of
from console.periods import PERIODS, limits
from console.problems import grouped
from console.runs import folded, quiet_line, run_line
from console.sign_in import NEEDED
from console.widgets import cut_off, left, right
from sync_core.errors import Configure, Rejected
from sync_core.model import MatchStatus, RecordStatus, RunStatus, RunSummary, Side, Status
from sync_core.service import Filters, Flow, Sort

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    "filters",
    [
        Filters(),
        Filters(statuses=(MatchStatus.DIFFERS, MatchStatus.MISSING_IN_CRM), currency="NZD", search="a&b=c ü"),
        Filters(since=TODAY, until=TODAY, sort=Sort.DIFFERENCE, descending=True),
    ],
)
def test_an_address_says_all_of_the_filters(filters):
    from urllib.parse import parse_qsl, urlsplit

    assert parse(dict(parse_qsl(urlsplit(address("invoices", filters)).query))) == filters


@pytest.mark.parametrize("asked", [{"status": "Great"}, {"sort": "luck"}, {"since": "2026-13-01"}])
def test_a_filter_that_means_nothing_is_refused(asked):
    with pytest.raises(Rejected) as refused:
        parse(asked)
    assert refused.value.field == next(iter(asked))


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("This month", "2026-11-01", "2026-11-30"),
        ("Last month", "2026-10-01", "2026-10-31"),
        ("Last 90 days", "2026-08-26", "2026-11-23"),
        ("This year", "2026-01-01", "2026-12-31"),
        ("Last year", "2025-01-01", "2025-12-31"),
    ],
)
def test_periods_include_their_first_and_last_day(period, first, last):
    assert limits(period, TODAY) == (date.fromisoformat(first), date.fromisoformat(last))


def test_every_period_has_limits_but_the_open_one():
    assert [p for p in PERIODS if limits(p, TODAY) == (None, None)] == ["Any date"]
    assert limits("Last month", date(2026, 1, 31)) == (date(2025, 12, 1), date(2025, 12, 31))


def test_the_diagram_shows_ways_and_counts_and_trusts_no_name():
    flows = [Flow("a", 'A"]; evil [label="', True, False), Flow("b", "B", True, True), Flow("c", "C", False, False)]
    dot = flow_diagram(flows, {"a": {Status.SUCCESS: 1200}, "b": {Status.FAILED: 1}}, "light")
    assert '\\"]; evil [label=\\"' in dot
    assert "1,200 ●" in dot
    assert '"a":e -> xero:p0:w [dir=back]' in dot
    assert '"b":e -> xero:p1:w [dir=both]' in dot
    assert "#a34d00" in next(line for line in dot.splitlines() if line.startswith('"b" ['))
    assert "style=dashed" in dot


def status(number, remark, **changes):
    made = RecordStatus("invoices", Side.CRM, f"c{number}", Status.BLOCKED, "coded", remark, None, NOW, "r")
    return replace(made, **changes)


def test_remarks_that_differ_in_numbers_and_names_are_one_cause():
    found = grouped(
        [
            status(1, "Line 2 has no ledger account."),
            status(2, "Line 14 has no ledger account."),
            status(3, "Name: Dynamics “A”, Xero “B”.", status=Status.CONFLICT),
            status(4, "Name: Dynamics “C”, Xero “D”.", status=Status.CONFLICT),
            status(5, "Due on 2026-11-01.", status=Status.FAILED),
        ],
        {},
    )
    assert [(group.status, len(group.records)) for group in found] == [
        (Status.CONFLICT, 2),
        (Status.BLOCKED, 2),
        (Status.FAILED, 1),
    ]


def test_only_texts_that_do_not_fit_into_their_columns_are_cut_off():
    columns = {"name": left("Name", width=100), "remark": left("Remark", width=100), "size": right("Size")}
    row = {"name": "Short", "remark": "This is a long remark, and it goes on", "size": "12.00"}
    assert cut_off(row, columns) == {"Remark": row["remark"]}


def run(name, **counts):
    return RunSummary(name, RunStatus.SUCCESS, NOW, NOW, "schedule", "everything", counts, {})


def test_runs_in_which_nothing_changed_fold():
    lines = folded([run("5"), run("4", unchanged=9), run("3", updated=1), run("2"), run("1", conflict=1)])
    names = [[each.run for each in line] if isinstance(line, list) else line.run for line in lines]
    assert names == [["5", "4"], "3", ["2"], "1"]


def test_syncs_that_reached_nobody_for_one_reason_fold():
    out, secret = "Dynamics cannot be reached.", "The secret is wrong."
    runs = [
        replace(run(name), status=status, message=message)
        for name, status, message in (
            ("5", RunStatus.FAILED, out),
            ("4", RunStatus.FAILED, out),
            ("3", RunStatus.CONFIGURE, secret),
            ("2", RunStatus.SUCCESS, ""),
        )
    ]
    lines = folded([*runs, replace(run("1", created=1), status=RunStatus.FAILED, message=out)])
    names = [[each.run for each in line] if isinstance(line, list) else line.run for line in lines]
    assert names == [["5", "4"], ["3"], ["2"], "1"]
    said = quiet_line(lines[0], UTC)["message"]
    assert said.startswith("2 runs in a row failed in the same way")
    assert said.endswith(out)


def test_what_a_stopped_run_would_have_done_does_not_read_as_done():
    assert run_line(replace(run("1", updated=21), status=RunStatus.REFUSED), UTC)["updated"] == "(21)"


def test_a_preview_says_that_it_is_one_and_what_it_would_have_done():
    line = run_line(replace(run("1", created=1200), status=RunStatus.PREVIEW), UTC)
    assert (line["status"], line["created"], line["failed"]) == ("○ preview", "(1,200)", "0")
    assert run_line(run("2", created=1200), UTC)["created"] == "1,200"
    assert folded([replace(run("3"), status=RunStatus.PREVIEW)])[0].run == "3", "it is not folded away among quiet syncs"


def test_answers_are_kept_for_a_while_and_not_too_many():
    now, asked = [0.0], []
    answers = Answers(lambda: now[0])

    def ask(key):
        return answers.get(key, lambda: asked.append(key) or len(asked))

    assert [ask("a"), ask("a")] == [1, 1]
    now[0] = SECONDS
    assert ask("a") == 2
    for number in range(MOST):
        ask(number)
    assert ask("a") == len(asked)


def test_every_page_has_its_file_and_no_other_stands_there():
    named = {name for pages in GROUPS.values() for name, _, _ in pages}
    assert {path.stem for path in file_of("x").parent.glob("*.py")} == named


def test_the_settings_in_the_repository_are_hardened():
    hardening.assert_hardened()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("server.address", "0.0.0.0"),  # noqa: S104  # what must be refused
        ("server.enableXsrfProtection", False),
        ("server.enableAgentApi", True),
        ("client.showErrorDetails", "full"),
        ("server.maxUploadSize", 200),
        ("server.allowedHosts", []),
    ],
)
def test_a_softer_setting_is_refused_by_name(monkeypatch, name, value):
    really = st.get_option
    monkeypatch.setattr(st, "get_option", lambda asked: value if asked == name else really(asked))
    with pytest.raises(Configure, match="127.0.0.1" if name == "server.address" else name):
        hardening.assert_hardened()


def test_without_a_sign_in_no_other_address_is_served(monkeypatch):
    with pytest.raises(Configure, match=r"Without a sign-in the console serves 127\.0\.0\.1 only, and not 0\.0\.0\.0"):
        hardening.assert_hardened("0.0.0.0")  # noqa: S104  # what must be refused
    monkeypatch.setattr(sign_in, "_settings", lambda: dict.fromkeys(NEEDED, f"https://{'t' * 32}.example/oauth2callback"))
    monkeypatch.setattr(config, "set_option", lambda name, value: told.append((name, value)))
    told: list[tuple[str, list[str]]] = []
    hardening.assert_hardened("0.0.0.0")  # noqa: S104
    assert told == [("server.allowedHosts", ["127.0.0.1", "localhost", f"{'t' * 32}.example"])]


async def _answer_of(app, headers=None):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
        return await client.get("/", headers=headers)


@pytest.mark.parametrize("encrypted", [True, False])
def test_cookies_are_kept_to_https_where_browsers_come_by_it(encrypted):
    def answers(_request):
        answer = PlainTextResponse("")
        answer.set_cookie("_streamlit_user", "signed", httponly=True)
        return answer

    app = SecurityHeaders(Starlette(routes=[Route("/", answers)]), encrypted=encrypted)
    headers = asyncio.run(_answer_of(app)).headers
    assert ("; Secure" in headers["set-cookie"]) is encrypted
    assert ("strict-transport-security" in headers) is encrypted


@pytest.mark.parametrize(
    ("typed", "sent", "known"),
    [("text/html", {}, True), ("text/html", {"cookie": f"{browsers.COOKIE}=abc"}, False), ("text/csv", {}, False)],
    ids=["first page", "later page", "file"],
)
def test_a_browser_is_made_known_by_a_cookie_that_no_script_reads(typed, sent, known):
    app = SecurityHeaders(Starlette(routes=[Route("/", lambda _: Response("", media_type=typed))]), names_browsers=True)
    given = asyncio.run(_answer_of(app, sent)).headers.get("set-cookie", "")
    assert (browsers.COOKIE in given, "HttpOnly; SameSite=Strict" in given) == (known, known)


def test_a_name_is_kept_for_the_browser_that_it_was_typed_in(monkeypatch):
    here = {browsers.COOKIE: "one"}
    monkeypatch.setattr(browsers.st, "context", SimpleNamespace(cookies=here))
    browsers.keep_name("Ana")
    assert browsers.name() == "Ana"
    here[browsers.COOKIE] = "another"
    assert browsers.name() == ""
    del here[browsers.COOKIE]
    browsers.keep_name("Ben")
    assert browsers.name() == ""


def test_settings_are_shown_without_secrets(synced):
    from tests.console.synced import settings_of

    folder, environment = synced
    url = "postgresql+psycopg://tieout:hunter2@db.example/tieout?password=hunter2"
    settings = settings_of(environment, folder, state_url=url, secret_key="very secret")
    shown = str(settings_lines(SimpleNamespace(settings=settings)))
    assert "tieout:…@db.example" in shown
    for secret in ("hunter2", "very secret", environment["TIEOUT_XERO_CLIENT_SECRET"]):
        assert secret not in shown
