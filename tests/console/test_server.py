"""The console as a process: what it answers, what it refuses, and how it ends."""

from __future__ import annotations

import base64
import csv
import hashlib
import hmac
import io
import socket
import time
import zipfile

import httpx
import pytest

from tests.console.synced import WEBHOOK_KEY

STREAM = "/_stcore/stream"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def get(served, path, **headers):
    return httpx.get(served.url + path, headers=headers, timeout=20)


def rows(answer):
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_it_says_that_it_lives_and_is_ready(served):
    assert get(served, "/api/live").json() == {"live": True}
    assert get(served, "/api/ready").json() == {"ready": True}
    assert get(served, "/_stcore/health").text == "ok"


def test_the_address_of_the_overview_that_people_guess_leads_there(served):
    answer = get(served, "/overview")
    assert (answer.status_code, answer.headers["location"]) == (307, "/")


@pytest.mark.parametrize("path", ["/", "/api/live", "/download/invoices.csv", "/static/nothing.js"])
def test_every_answer_carries_the_headers(served, path):
    headers = get(served, path).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-eval'" not in headers["content-security-policy"].replace("'wasm-unsafe-eval'", "")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers


@pytest.mark.parametrize("path", ["/", "/api/live", "/download/invoices.csv"])
def test_a_foreign_host_name_is_refused(served, path):
    assert get(served, path, host="evil.example").status_code == 400


def test_a_foreign_origin_gets_no_session(served):
    assert get(served, STREAM, origin="http://evil.example", **UPGRADE).status_code == 403


def test_streamlits_own_figures_are_hidden_and_ours_are_there(served):
    assert get(served, "/_stcore/metrics").status_code == 404
    figures = get(served, "/metrics").text
    assert "tieout_ready 1" in figures
    assert 'tieout_records{entity="invoices",status="Success"}' in figures


def test_the_file_holds_what_the_filter_leaves_and_the_control_file_proves_it(served):
    query = "status=Differs&search=HP-10&excel=1"
    answer, control = get(served, f"/download/invoices.csv?{query}"), get(served, f"/download/invoices.control.json?{query}")
    found = rows(answer)
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert {row["status"] for row in found} == {"Differs"}
    assert control.json()["rows"] == len(found) > 0
    assert control.json()["sha256"] == hashlib.sha256(answer.content).hexdigest()
    assert control.json()["filters"]["status"] == ["Differs"]


def test_the_plain_file_has_no_mark_and_guards_its_text(served):
    answer = get(served, "/download/invoices.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="invoices.csv"'
    assert not answer.content.startswith(b"\xef\xbb\xbf")
    assert "'=Cut & Sew Ltd" in {row["contact"] for row in rows(answer)}


@pytest.mark.parametrize(
    ("path", "code", "said"),
    [
        ("/download/secrets.csv", 404, "no file of secrets"),
        ("/download/invoices.csv?status=Great", 400, "no status called"),
        ("/download/invoices.csv?since=soon", 400, "2026-11-30"),
    ],
)
def test_a_download_that_means_nothing_says_so(served, path, code, said):
    answer = get(served, path)
    assert (answer.status_code, said in answer.text) == (code, True)


@pytest.mark.soak
def test_a_second_console_ends_with_one_sentence_and_sigterm_closes_everything(start, free_port):
    first = start().wait_until_ready()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        other = probe.getsockname()[1]
    for port, said in ((other, "Another Tieout process is using the cache"), (free_port, f"Port {free_port}")):
        second = start(port)
        second.process.wait(30)
        code, errors = second.end()
        assert (code, errors.count("\n")) == (4, 1)
        assert errors.startswith(said)
    assert first.end() == (0, "")
    start(free_port).wait_until_ready()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"TIEOUT_XERO_CLIENT_ID": ""}, "TIEOUT_XERO_CLIENT_ID is missing"),
        ({"TIEOUT_DYNAMICS_URL": "http://crm.example"}, "must begin with https://"),
        ({"TIEOUT_SYNC_MINUTES": "0"}, "TIEOUT_SYNC_MINUTES"),
        ({"STREAMLIT_SERVER_ADDRESS": "0.0.0.0"}, "127.0.0.1 only"),  # noqa: S104  # what must be refused
    ],
)
def test_a_wrong_setting_ends_it_with_one_sentence(start, changes, said):
    console = start(**changes)
    console.process.wait(30)
    code, errors = console.end()
    assert (code, errors.count("\n")) == (2, 1)
    assert said in errors


def test_the_first_sync_comes_by_itself_with_no_browser_open_and_sigterm_lets_it_come_to_its_end(start, tmp_path):
    console = start(TIEOUT_DATA_DIR=str(tmp_path / "empty")).wait_until_ready()
    give_up = time.monotonic() + 30
    while "tieout_run_under_way 1" not in get(console, "/metrics").text:
        assert time.monotonic() < give_up
        time.sleep(0.05)
    code, errors = console.end()
    assert (code, "Traceback" in errors) == (0, False)
    again = start(TIEOUT_DATA_DIR=str(tmp_path / "empty")).wait_until_ready()
    assert 'status="running"' not in get(again, "/metrics").text
    assert 'tieout_records{entity="invoices"' in get(again, "/metrics").text
    assert rows(get(again, "/download/invoices.csv"))


def test_an_unreachable_system_is_told_and_nothing_falls_over(start, tmp_path):
    console = start(TIEOUT_DATA_DIR=str(tmp_path / "empty"), TIEOUT_XERO_CLIENT_SECRET="wrong").wait_until_ready()
    assert "tieout_ready 1" in get(console, "/metrics").text
    assert get(console, "/download/invoices.csv").status_code == 200
    code, errors = console.end()
    assert (code, "wrong" in errors) == (0, False)


def test_a_workbook_and_a_close_pack_are_files_that_open(served):
    book, pack = get(served, "/download/invoices.xlsx?currency=NZD"), get(served, "/download/close-pack.zip?until=2026-10-31")
    with zipfile.ZipFile(io.BytesIO(book.content)) as opened:
        assert "xl/workbook.xml" in opened.namelist()
    with zipfile.ZipFile(io.BytesIO(pack.content)) as opened:
        assert opened.testzip() is None
        assert any(name.endswith("MANIFEST.sha256") for name in opened.namelist())
    assert "close-pack-2026-10-31.zip" in pack.headers["content-disposition"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/download/close-pack.zip?since=soon", "2026-11-30"),
        ("/download/close-pack.zip?since=2026-02-01&until=2026-01-01", "ends"),
        ("/download/invoices.csv?as_of=2020-01-01", "is not known"),
        ("/download/invoices.csv?as_of=nobody", "no finished run"),
        ("/download/late-changes-99.csv", "no sign-off"),
    ],
)
def test_a_file_that_cannot_be_made_says_why(served, path, said):
    answer = get(served, path)
    assert answer.status_code == 400
    assert said in answer.text


def test_a_notice_of_xero_is_taken_only_with_its_signature(served):
    """Xero tries a new address with right and wrong signatures, and expects 200 and 401 without a body."""
    body = b'{"events": [], "firstEventSequence": 0, "lastEventSequence": 0, "entropy": "S0m3"}'
    right = base64.b64encode(hmac.new(WEBHOOK_KEY.encode(), body, hashlib.sha256).digest()).decode()
    for signature, status in ((right, 200), (right[::-1], 401), ("", 401)):
        answer = httpx.post(f"{served.url}/webhook/xero", content=body, headers={"x-xero-signature": signature}, timeout=20)
        assert (answer.status_code, answer.content) == (status, b"")
        assert "set-cookie" not in answer.headers
    assert httpx.post(f"{served.url}/webhook/xero", content=b" " * (1024 * 1024 + 1), timeout=20).status_code == 413
