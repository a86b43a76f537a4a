"""Each fault, seen by a plain HTTP client over a real socket; each test also shows that its fault fired."""

from __future__ import annotations

import time

import httpx
import pytest

from sync_core.sandbox.faults import KINDS, Faults

THINGS = "/api.xro/2.0/Things"
TABLE = "/api/data/v9.2/Things"
ONE = {"Things": [{"Name": "one"}]}


def names(shell):
    return [row["name"] for row in shell.kernel.collection("xero.Things").values()]


def test_status_replaces_the_answer_and_nothing_happens(shell, xero):
    fault = shell.fault("status", status=503, body="later", headers={"Retry-After": "7"}, method="put")
    answer = xero.put(THINGS, json=ONE)
    assert (answer.status_code, answer.text, answer.headers["retry-after"]) == (503, "later", "7")
    assert (fault.fired, "one" in names(shell)) == (1, False)
    assert xero.put(THINGS, json=ONE).status_code == 200


@pytest.mark.parametrize(("kind", "written"), [("drop_before", False), ("drop_after", True)])
def test_a_dropped_connection_before_or_after_the_write(shell, xero, kind, written):
    fault = shell.fault(kind, path="Things$")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        xero.put(THINGS, json=ONE)
    assert (fault.fired, "one" in names(shell)) == (1, written)
    assert shell.log("xero")[-1].detail["handled"] is written


def test_error_after_answers_500_though_the_write_was_applied(shell, xero):
    fault = shell.fault("error_after")
    assert xero.put(THINGS, json=ONE).status_code == 500
    assert (fault.fired, "one" in names(shell)) == (1, True)


@pytest.mark.parametrize(
    ("order", "retry_after"),
    [({}, "2"), ({"problem": "day"}, "40000"), ({"problem": "concurrent"}, None), ({"retry_after": None}, None)],
)
def test_rate_limits_of_xero(shell, xero, order, retry_after):
    fault = shell.fault("rate_limited", **order)
    answer = xero.get(THINGS)
    assert (answer.status_code, answer.headers.get("retry-after")) == (429, retry_after)
    assert answer.headers["x-rate-limit-problem"] == order.get("problem", "minute")
    assert fault.fired == 1


def test_rate_limits_of_dynamics_carry_their_code(shell, dynamics):
    shell.fault("rate_limited", system="dataverse", retry_after=13)
    answer = dynamics.get(TABLE)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "13")
    assert answer.json()["error"]["code"] == "0x80072322"


def test_an_html_page_with_status_200(shell, xero):
    shell.fault("html")
    answer = xero.get(THINGS)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_slow_answer_times_out_and_the_write_is_still_applied(shell, xero, when):
    fault = shell.fault("slow", seconds=0.3, when=when)
    with pytest.raises(httpx.ReadTimeout):
        xero.put(THINGS, json=ONE, timeout=0.05)
    deadline = time.monotonic() + 5
    while "one" not in names(shell) and time.monotonic() < deadline:
        xero.get("/_sandbox/state")
    assert (fault.fired, "one" in names(shell)) == (1, True)


def test_a_slow_body_dribbles(shell, xero):
    shell.fault("slow_body", seconds=0.2, pieces=4)
    began = time.monotonic()
    with xero.stream("GET", THINGS) as answer:
        pieces = list(answer.iter_raw())
    assert len(pieces) >= 3
    assert time.monotonic() - began >= 0.2


def test_a_reset_in_the_middle_of_a_body(shell, xero):
    fault = shell.fault("reset_mid_body")
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        xero.get(THINGS)
    assert fault.fired == 1
    assert xero.get(THINGS).status_code == 200


def test_tokens_expire_of_one_system_only(shell, xero):
    tokens = shell.kernel.collection("identity.tokens")
    shell.run(lambda: [tokens.put(name, {"audience": name}) for name in ("xero", "dataverse")])
    fault = shell.fault("expire_tokens", system="xero", after=1)
    xero.get(THINGS)
    assert (fault.seen, fault.fired, len(tokens)) == (1, 0, 2)
    assert xero.get(THINGS).status_code == 200
    assert [token for token, _ in tokens.items()] == ["dataverse"]


@pytest.mark.parametrize("path", ["/connect/token", "/tenant/oauth2/v2.0/token"])
def test_an_invalid_grant_strikes_token_requests_only(shell, xero, path):
    fault = shell.fault("invalid_grant", times=None)
    assert xero.get(THINGS).status_code == 200
    answer = xero.post(path, data={"grant_type": "refresh_token"})
    assert (answer.status_code, answer.json()["error"], fault.fired) == (400, "invalid_grant", 1)


def test_forbidden_in_the_words_of_each_system(shell, xero, dynamics):
    shell.fault("forbidden", times=2)
    assert xero.get(THINGS).json()["Detail"] == "AuthenticationUnsuccessful"
    assert dynamics.get(TABLE).json()["error"]["code"] == "0x80040220"


@pytest.mark.parametrize(("kind", "rows", "count"), [("empty_listing", 0, 0), ("short_listing", 2, 4)])
def test_listings_that_lose_rows(shell, xero, kind, rows, count):
    fault = shell.fault(kind)
    content = xero.get(THINGS).json()
    assert (len(content["Things"]), content["pagination"]["itemCount"], fault.fired) == (rows, count, 1)
    assert len(xero.get(THINGS).json()["Things"]) == 4


def test_rejected_elements_keep_their_places(shell, xero):
    fault = shell.fault("reject_elements", count=2, match="bad", message="No.")
    batch = {"Things": [{"Name": n, "Price": 1.10} for n in ("a", "bad 1", "b", "bad 2", "bad 3")]}
    answer = xero.put(f"{THINGS}?summarizeErrors=false", json=batch)
    marks = [thing.get("StatusAttributeString", "OK") for thing in answer.json()["Things"]]
    assert (answer.status_code, marks) == (200, ["OK", "ERROR", "OK", "ERROR", "OK"])
    assert answer.json()["Things"][1]["ValidationErrors"] == [{"Message": "No."}]
    assert (names(shell)[-3:], fault.fired) == (["a", "b", "bad 3"], 1)


def test_rejected_elements_hide_what_was_written_when_errors_are_summarised(shell, xero):
    shell.fault("reject_elements", match="bad")
    answer = xero.put(THINGS, json={"Things": [{"Name": "good"}, {"Name": "bad"}]})
    assert (answer.status_code, [e["Name"] for e in answer.json()["Elements"]]) == (400, ["bad"])
    assert names(shell)[-1] == "good"


def test_a_batch_of_which_every_element_is_rejected(shell, xero):
    shell.fault("reject_elements", count=9)
    answer = xero.put(f"{THINGS}?summarizeErrors=false", json=ONE)
    assert [thing["HasErrors"] for thing in answer.json()["Things"]] == [True]
    assert "one" not in names(shell)


def test_a_person_edits_while_pages_are_read(shell, xero):
    row_id = shell.kernel.stable_id("xero", "kahu")
    edit = {"system": "xero", "table": "Things", "id": row_id, "set": {"name": "edited"}}
    fault = shell.fault("edit_while_paging", page=2, edit=edit)
    pages = [xero.get(THINGS).json()["Things"][0] for _ in range(3)]
    assert pages == ["Kahu Guiding Co", "Kahu Guiding Co", "edited"]
    assert fault.fired == 1


def test_a_person_edits_between_a_read_and_the_write(shell, dynamics):
    row_id = shell.kernel.stable_id("dataverse", "kahu")
    edit = {"system": "dataverse", "table": "Things", "id": row_id, "set": {"name": "edited"}}
    fault = shell.fault("edit_before", method="PUT", edit=edit)
    assert dynamics.put(TABLE, json=ONE).status_code == 200
    things = shell.kernel.collection("dataverse.Things")
    assert (things.get(row_id)["name"], fault.fired) == ("edited", 1)


def test_an_edit_of_a_row_that_has_vanished_does_nothing(shell, dynamics, capsys):
    row_id = shell.kernel.stable_id("dataverse", "kahu")
    named = {"system": "dataverse", "table": "Things", "set": {"name": "edited"}}
    faults = [
        shell.fault("edit_before", method="PUT", edit={**named, **which})
        for which in ({"id": row_id}, {"match": {"name": "Kahu Guiding Co"}})
    ]
    shell.kernel.collection("dataverse.Things").remove(row_id)
    assert [dynamics.put(TABLE, json=ONE).status_code for _ in faults] == [200, 200]
    assert [(fault.fired, fault.in_vain) for fault in faults] == [(1, 1), (1, 1)]
    assert capsys.readouterr().err == ""


def test_a_change_tracking_token_that_is_too_old(shell, dynamics):
    fault = shell.fault("expire_delta_tokens")
    assert dynamics.get(TABLE).status_code == 200
    answer = dynamics.get(f"{TABLE}?$deltatoken=919042")
    assert (answer.status_code, answer.json()["error"]["code"], fault.fired) == (400, "0x80044352", 1)


def test_times_after_and_for_ever():
    faults = Faults()
    twice = faults.add({"kind": "html", "system": "xero", "after": 1, "times": 2})
    ever = faults.add({"kind": "status", "system": "xero", "times": None})
    struck = [faults.take("xero", "GET", "/x") for _ in range(5)]
    assert struck == [ever, twice, twice, ever, ever]
    assert faults.take("dataverse", "GET", "/x") is None
    assert (twice.seen, twice.fired, faults.fired(), faults.fired("html")) == (5, 2, 5, 2)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({}, "Unknown kind of fault None"),
        ({"kind": "gremlins"}, "Known kinds: status, drop_before"),
        ({"kind": "html", "tims": 2}, "has no key 'tims'"),
        ({"kind": "html", "times": 0}, "'times' takes a whole number of 1 or more"),
        ({"kind": "html", "after": -1}, "'after' takes a whole number of 0 or more"),
        ({"kind": "html", "system": "sap"}, "Unknown system 'sap'"),
        ({"kind": "html", "path": "("}, "'path' is no regular expression"),
        ({"kind": "html", "method": 1}, "'method' takes text"),
        ({"kind": "slow", "seconds": -1}, "'seconds' takes a number"),
        ({"kind": "slow", "seconds": float("nan")}, "'seconds' takes a number"),
        ({"kind": "edit_while_paging"}, "needs the key 'edit'"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_in_a_sentence(order, words):
    with pytest.raises(ValueError, match=r"^[A-Z'].*\.$") as refused:
        Faults().add(order)
    assert words in str(refused.value)


def test_the_old_name_of_rejected_elements_works():
    assert Faults().add({"kind": "partial_rejects"}).kind == "reject_elements"
    assert all(kind.does for kind in KINDS.values())
