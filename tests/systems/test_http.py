"""What the one way out promises: what is sent twice and what never, how long it waits, where it may go."""

from __future__ import annotations

import gzip
import json
import threading
import zlib
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest
from virtual import BASE, Script, VirtualClock, answer, http_on

from sync_core.errors import Configure, Retryable, Unknown
from sync_core.model import Calls
from sync_core.systems.budget import Budget
from sync_core.systems.http import Forbidden, Gate


@pytest.fixture
def clock():
    return VirtualClock()


def page(_request):
    return httpx.Response(200, text="<html>Sign in</html>")


def test_numbers_come_as_decimals(clock):
    http = http_on(Script(lambda _: httpx.Response(200, text='{"Total": 12345678901.123456}')), clock)
    assert http.request("GET", "Invoices").json() == {"Total": Decimal("12345678901.123456")}


def test_a_page_instead_of_data_is_said_so(clock):
    with pytest.raises(Retryable, match="Xero answered with a page instead of data"):
        http_on(Script(page), clock).request("GET", "Invoices")


def test_a_page_that_comes_once_is_asked_past(clock):
    """A proxy that shows its own page for a moment does not end a run."""
    http = http_on(Script(page, answer(200)), clock)
    assert http.request("GET", "Invoices").status == 200
    assert http.calls.read == 2


def test_a_page_after_a_change_leaves_the_change_unknown(clock):
    answered = http_on(Script(page), clock).request("PUT", "Invoices", content=b"{}")
    with pytest.raises(Unknown):
        answered.json()


@pytest.mark.parametrize("text", ["NaN", "Infinity", '{"a": -Infinity}'])
def test_numbers_that_are_none_are_not_data(clock, text):
    answered = http_on(Script(lambda _: httpx.Response(200, text=text)), clock).request("GET", "Invoices")
    with pytest.raises(Retryable):
        answered.json()


@pytest.mark.parametrize("status", [200, 204, 304, 400, 404, 409, 412, 501])
def test_what_clients_understand_comes_back(clock, status):
    http = http_on(Script(answer(status)), clock)
    assert http.request("PUT", "Invoices").status == status


@pytest.mark.parametrize("fault", [httpx.ReadTimeout("slow"), httpx.ReadError("reset"), answer(500), answer(502)])
def test_reading_is_tried_again(clock, fault):
    script = Script(fault, fault, answer(body={"ok": True}))
    assert http_on(script, clock).request("GET", "Invoices").json() == {"ok": True}
    assert len(script.requests) == 3
    assert clock.slept[0] < clock.slept[1]


@pytest.mark.parametrize("fault", [httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("gone"), answer(500), answer(503)])
def test_a_change_whose_answer_is_lost_is_never_sent_twice(clock, fault):
    script = Script(fault)
    with pytest.raises(Unknown, match="nobody knows yet whether it was made"):
        http_on(script, clock).request("PUT", "Invoices", content=b"{}", write=True)
    assert len(script.requests) == 1


def test_a_keyed_change_may_be_declared_safe(clock):
    script = Script(httpx.ReadError("reset"), answer(204))
    assert http_on(script, clock).request("PATCH", "accounts(1)", safe=True).status == 204


def test_nothing_was_sent_when_nobody_was_reached(clock):
    script = Script(httpx.ConnectError("refused"))
    with pytest.raises(Retryable, match=r"Xero could not be reached at api\.test"):
        http_on(script, clock).request("PUT", "Invoices", content=b"{}")
    assert len(script.requests) == 4


def test_a_system_that_keeps_failing_is_retryable(clock):
    with pytest.raises(Retryable, match="failing on its own side"):
        http_on(Script(answer(500)), clock).request("GET", "Invoices")


def test_a_refused_token_is_replaced_once_even_for_a_change(clock):
    asked: list[bool] = []

    def token(fresh: bool) -> str:
        asked.append(fresh)
        return "new" if any(asked) else "old"

    script = Script(answer(401), answer(200))
    assert http_on(script, clock, token=token).request("PUT", "Invoices").status == 200
    assert [r.headers["authorization"] for r in script.requests] == ["Bearer old", "Bearer new"]


def test_a_token_that_somebody_else_replaced_is_taken_over(clock):
    kept = ["old"]

    def token(fresh: bool) -> str:
        assert not fresh
        return kept[0]

    def refuse(_request):
        kept[0] = "newer"
        return httpx.Response(401)

    script = Script(refuse, answer(200))
    assert http_on(script, clock, token=token).request("GET", "Invoices").status == 200


def test_401_for_ever_is_a_setting_to_mend(clock):
    script = Script(answer(401))
    with pytest.raises(Configure, match="does not accept Tieout's sign-in"):
        http_on(script, clock, token=lambda fresh: f"token-{fresh}").request("GET", "Invoices")
    assert len(script.requests) == 2


@pytest.mark.parametrize(
    "refusal",
    [
        answer(401, {"Title": "Unauthorized", "Status": 401, "Detail": "AuthorizationUnsuccessful"}),
        answer(401, www_authenticate='Bearer error="insufficient_scope"'),
    ],
)
def test_401_that_says_a_permission_is_missing_is_like_403(clock, refusal):
    script = Script(refusal)
    with pytest.raises(Forbidden, match="lacks a scope"):
        http_on(script, clock, token=lambda fresh: f"token-{fresh}").request("GET", "Invoices")
    assert len(script.requests) == 2


def test_403_names_what_is_probably_missing(clock):
    with pytest.raises(Forbidden, match="lacks a scope") as caught:
        http_on(Script(answer(403, {"Title": "Forbidden"})), clock).request("GET", "Invoices")
    assert caught.value.answer.status == 403
    assert isinstance(caught.value, Configure)


def test_retry_after_is_waited_for_and_any_verb_is_sent_again(clock):
    start, script = clock.now(), Script(answer(429, retry_after="7"), answer(200))
    assert http_on(script, clock).request("PUT", "Invoices", content=b"{}").status == 200
    assert clock.now() - start == timedelta(seconds=7)


def test_retry_after_may_be_a_date(clock):
    script = Script(answer(429, retry_after="Mon, 23 Nov 2026 12:00:09 GMT"), answer(200))
    http_on(script, clock).request("PUT", "Invoices", content=b"{}")
    assert sum(clock.slept) == 9


def test_the_daily_limit_parks_the_call_and_says_when_it_resumes(clock):
    script = Script(answer(429, retry_after="7200", x_rate_limit_problem="DayLimit"))
    with pytest.raises(Retryable, match="of the day is used up; it resumes on 23 November 2026 14:00 UTC") as caught:
        http_on(script, clock).request("GET", "Invoices")
    assert caught.value.after == timedelta(hours=2)
    assert clock.slept == []


def test_nobody_sends_before_retry_after_ends(clock):
    script = Script(answer(429, retry_after="7200"))
    http = http_on(script, clock)
    for _ in range(3):
        with pytest.raises(Retryable):
            http.request("GET", "Invoices")
    assert len(script.requests) == 1
    clock.sleep(7200)
    with pytest.raises(Retryable):
        http.request("GET", "Invoices")
    assert len(script.requests) == 2


def test_the_gate_holds_across_threads_and_clients(clock):
    gate, sent = Gate(clock), []

    def play(request):
        sent.append(clock.now())
        return httpx.Response(429, headers={"retry-after": "30"}) if len(sent) == 1 else httpx.Response(200, json={})

    clients = [http_on(Script(play), clock, gate=gate) for _ in range(2)]
    clients[0].request("GET", "Invoices")
    threads = [threading.Thread(target=c.request, args=("GET", "Invoices")) for c in clients * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sent) == 8
    assert all(at >= sent[0] + timedelta(seconds=30) for at in sent[1:])


def test_a_gate_that_closes_while_a_call_waits_for_the_budget_holds_it(clock):
    gate, sent = Gate(clock), []

    class Late(Budget):
        def acquire(self):
            if not sent and not clock.slept:
                gate.close(timedelta(seconds=30))
            return super().acquire()

    def play(_request):
        sent.append(clock.now())
        return httpx.Response(200, json={})

    start = clock.now()
    http_on(Script(play), clock, gate=gate, budget=Late(clock)).request("GET", "Invoices")
    assert sent == [start + timedelta(seconds=30)]


def test_waits_that_keep_coming_end_in_an_answer_to_the_caller(clock):
    script = Script(answer(429, retry_after="50"))
    with pytest.raises(Retryable, match="asked to be left alone"):
        http_on(script, clock).request("GET", "Invoices")
    assert sum(clock.slept) == 100


def test_too_many_at_once_backs_off_within_bounds(clock):
    script = Script(answer(429, x_rate_limit_problem="concurrent"))
    with pytest.raises(Retryable, match="too many requests at once"):
        http_on(script, clock).request("PUT", "Invoices")
    assert 4 < len(script.requests) < 10
    assert sum(clock.slept) < 120


def test_503_with_retry_after_keeps_reading_waiting_but_loses_a_change(clock):
    script = Script(answer(503, retry_after="20"), answer(200))
    assert http_on(script, clock).request("GET", "Invoices").status == 200
    assert sum(clock.slept) >= 20


class Dribble(httpx.SyncByteStream):
    def __init__(self, clock: VirtualClock, seconds: float) -> None:
        self._clock, self._seconds = clock, seconds

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(10):
            self._clock.sleep(self._seconds / 10)
            yield b" "


def test_a_body_that_dribbles_meets_the_deadline(clock):
    script = Script(lambda _: httpx.Response(200, stream=Dribble(clock, 400)))
    with pytest.raises(Retryable, match="did not answer completely"):
        http_on(script, clock).request("GET", "Invoices")
    assert len(script.requests) == 1
    with pytest.raises(Unknown):
        http_on(script, clock).request("PUT", "Invoices")


def gzipped(body: bytes, cut: int | None = None):
    return encoded(gzip.compress(body)[:cut], "gzip")


def encoded(packed: bytes, encoding: str):
    stream = lambda: httpx.ByteStream(packed)  # noqa: E731 - a fresh stream for each answer
    return lambda _request: httpx.Response(200, stream=stream(), headers={"content-encoding": encoding})


def test_gzip_is_read(clock):
    script = Script(gzipped(json.dumps({"rows": ["x"] * 100_000}).encode()))
    assert len(http_on(script, clock).request("GET", "Invoices").json()["rows"]) == 100_000
    assert script.requests[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("wbits", [15, -15])
def test_deflate_is_read_in_both_of_its_forms(clock, wbits):
    machine = zlib.compressobj(wbits=wbits)
    packed = machine.compress(json.dumps({"rows": ["x"] * 1000}).encode()) + machine.flush()
    assert len(http_on(Script(encoded(packed, "deflate")), clock).request("GET", "Invoices").json()["rows"]) == 1000
    with pytest.raises(Retryable):
        http_on(Script(encoded(packed[:-3], "deflate")), clock).request("GET", "Invoices")


def test_a_small_answer_that_inflates_beyond_the_cap_is_dropped(clock):
    script = Script(gzipped(b" " * 5_000_000))
    with pytest.raises(Retryable, match="more than 1 MB"):
        http_on(script, clock, byte_cap=1024 * 1024).request("GET", "Invoices")
    assert len(script.requests) == 1


def test_half_a_compressed_body_counts_as_lost(clock):
    script = Script(gzipped(b"x" * 9000, cut=20), gzipped(b'{"ok": 1}'))
    assert http_on(script, clock).request("GET", "Invoices").json() == {"ok": 1}


def test_a_next_link_goes_out_as_it_came(clock):
    link = f"{BASE}/accounts?$skiptoken=%3ccookie pagenumber='2'%20a=\"%253c\"/%3e".replace(" ", "%20")
    script = Script(answer())
    http_on(script, clock).request("GET", link)
    assert script.requests[0].extensions["target"] == link.removeprefix(BASE).encode()


@pytest.mark.parametrize(
    "link",
    ["https://evil.test/accounts", "http://api.test/accounts", "https://api.test:444/a", "https://u:p@api.test/a"],
)
def test_links_to_other_places_are_refused(clock, link):
    script = Script(answer())
    with pytest.raises(Configure, match=r"only talks to api\.test"):
        http_on(script, clock).request("GET", link)
    assert script.requests == []


def test_redirects_are_not_followed(clock):
    script = Script(answer(302, location="https://evil.test/"))
    with pytest.raises(Configure, match="redirect"):
        http_on(script, clock).request("GET", "Invoices")
    assert len(script.requests) == 1


@pytest.mark.parametrize(("url", "switch"), [("http://api.test", True), ("http://127.0.0.1:1", False), ("ftp://x", True)])
def test_plain_http_only_for_this_machine_and_with_the_switch(clock, url, switch):
    with pytest.raises(Configure, match="https://"):
        http_on(Script(answer()), clock, base_url=url, allow_loopback=switch)


def test_the_run_is_told_to_the_sandbox_only(clock):
    far, near = Script(answer()), Script(answer())
    http_on(far, clock).request("GET", "Invoices")
    http_on(near, clock, base_url="http://127.0.0.1:9").request("GET", "Invoices")
    assert "x-tieout-run" not in far.requests[0].headers
    assert near.requests[0].headers["x-tieout-run"] == "run-1"


def test_every_attempt_is_counted(clock):
    http = http_on(Script(answer(500), answer(200)), clock)
    http.request("GET", "Invoices")
    http.request("PUT", "Invoices", write=True)
    assert http.calls == Calls(read=2, write=1)


def test_the_slowest_calls_of_a_run_are_kept_without_their_query(clock):
    runs, took = ["first"], iter((3, 0, 1, 7, 2, 5, 4, 6))

    def later(request):
        clock.sleep(next(took))
        return answer()(request)

    http = http_on(Script(later), clock, run_id=lambda: runs[-1])
    for number in range(7):
        http.request("GET", f"Invoices/{number}", params={"where": "secret"})
    kept = http.calls.slowest
    assert [(call.path.rpartition("/")[2], call.milliseconds) for call in kept] == [
        ("3", 7000), ("5", 5000), ("6", 4000), ("0", 3000), ("4", 2000)
    ]  # fmt: skip
    assert "secret" not in str(kept)
    runs.append("second")
    http.request("PUT", "Invoices", write=True)
    assert [(call.method, call.milliseconds) for call in http.calls.slowest] == [("PUT", 6000)]


def test_cookies_are_not_kept(clock):
    script = Script(answer(set_cookie="ARRAffinity=1; Path=/"), answer())
    http = http_on(script, clock)
    http.request("GET", "WhoAmI")
    http.request("GET", "WhoAmI")
    assert "cookie" not in script.requests[1].headers


def test_no_secret_in_an_error(clock):
    body = {"error": "Bearer abcdef123456", "refresh_token": "rt-1234567"}
    with pytest.raises(Retryable) as caught:
        http_on(Script(answer(500, body)), clock, token=lambda _: "planted-canary").request("GET", "planted-canary")
    assert "abcdef123456" not in caught.value.detail
    assert "rt-1234567" not in caught.value.detail


def test_the_log_has_neither_query_nor_token_nor_body(clock, caplog):
    caplog.set_level("DEBUG", logger="sync_core.systems")
    http = http_on(Script(answer(body={"a": "canary-body"}, xero_correlation_id="c-1")), clock, token=lambda _: "canary-token")
    http.request("GET", "Contacts", params={"where": "canary-query"}, content=b"canary-sent")
    assert "canary" not in caplog.text
    assert "path='/Contacts' status=200" in caplog.text
    assert "request='c-1'" in caplog.text
