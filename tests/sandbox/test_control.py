"""The control routes, as a person with curl uses them."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pytest

from sync_core.sandbox.kernel import NAMESPACE

THINGS = "/api.xro/2.0/Things"
KAHU = {"name": "Kahu Guiding Co"}


def test_stable_ids_are_those_of_the_standard(shell):
    for key in (("xero", "contact", "kahu"), ("é", 5), ()):
        name = "/".join(map(str, (shell.kernel.seed, *key)))
        assert shell.kernel.stable_id(*key) == str(uuid.uuid5(NAMESPACE, name))


def test_the_log_tells_who_asked_what_and_what_was_answered(shell, xero, dynamics):
    xero.put(THINGS, json={"Things": []}, headers={"X-Tieout-Run": "run-7", "Idempotency-Key": "k1"})
    dynamics.get("/api/data/v9.2/Things?$top=1")
    first, second = xero.get("/_sandbox/log").json()["entries"]
    assert (first["system"], first["method"], first["path"], first["status"]) == ("xero", "PUT", THINGS, 200)
    assert (first["run"], first["detail"]["idempotency_key"]) == ("run-7", "k1")
    assert (second["system"], second["query"], second["run"]) == ("dataverse", "$top=1", None)


@pytest.mark.parametrize(
    ("query", "count"),
    [("system=xero", 2), ("method=put", 1), ("since=2", 1), ("run=a", 1), ("path=v9", 1), ("since=2000-01-01T00:00:00Z", 3)],
)
def test_the_log_is_filtered(shell, xero, dynamics, query, count):
    xero.put(THINGS, json={"Things": []})
    xero.get(THINGS, headers={"X-Tieout-Run": "a"})
    dynamics.get("/api/data/v9.2/Things")
    assert xero.get(f"/_sandbox/log?{query}").json()["count"] == count


def test_token_requests_are_logged_without_their_body(shell, xero):
    xero.post("/connect/token", data={"grant_type": "client_credentials", "client_secret": "canary"})
    assert "canary" not in xero.get("/_sandbox/log").text
    assert xero.get("/_sandbox/log?system=identity").json()["count"] == 1


def test_state_counts_and_pages_rows_with_exact_amounts(shell, xero):
    shell.run(lambda: shell.kernel.collection("xero.Things").put("x", {"price": Decimal("1.10")}))
    assert xero.get("/_sandbox/state").json()["collections"]["xero.Things"] == 5
    page = xero.get("/_sandbox/state?collection=xero.Things&offset=4&limit=2").json()
    assert (page["count"], page["rows"]) == (5, [{"_id": "x", "price": "1.10"}])


def test_reset_forgets_everything_and_seeds_again(shell, xero):
    xero.put(THINGS, json={"Things": [{"Name": "new"}]})
    xero.post("/_sandbox/faults", json={"kind": "html"})
    xero.post("/_sandbox/clock", json={"set": "2030-01-01T00:00:00Z", "frozen": True})
    assert xero.post("/_sandbox/reset").json() == {"seed": 1}
    state = xero.get("/_sandbox/state").json()
    assert (state["collections"]["xero.Things"], state["requests"]) == (4, 0)
    assert not state["now"].startswith("2030")
    assert xero.get("/_sandbox/faults").json() == {"faults": []}


def test_faults_are_ordered_counted_and_forgotten(shell, xero, dynamics):
    ordered = dynamics.post("/_sandbox/faults", json={"kind": "html", "system": "xero"}).json()
    assert (ordered["number"], ordered["fired"]) == (1, 0)
    xero.get(THINGS)
    assert xero.get("/_sandbox/faults").json()["faults"][0]["fired"] == 1
    assert xero.delete("/_sandbox/faults").json() == {"forgotten": 1}


def test_the_clock_is_set_frozen_and_advanced(shell, xero):
    xero.post("/_sandbox/clock", json={"set": "2027-03-01T10:00:00+13:00", "frozen": True})
    moved = xero.post("/_sandbox/clock", json={"advance_seconds": 90}).json()
    assert moved == {"now": "2027-02-28T21:01:30+00:00"}
    assert xero.get("/_sandbox/clock").json() == moved


def test_a_person_edits_a_row_found_by_what_it_holds(shell, xero):
    order = {"system": "dataverse", "table": "Things", "match": KAHU, "set": {"price": 1.10}}
    row_id = xero.post("/_sandbox/edit", json=order).json()["id"]
    assert shell.kernel.collection("dataverse.Things").get(row_id)["price"] == Decimal("1.1")


def test_a_person_merges_two_rows(shell, xero):
    loser, survivor = (shell.kernel.stable_id("xero", key) for key in ("kahu", "maitai"))
    order = {"system": "xero", "table": "Things", "loser": loser, "survivor": survivor}
    assert xero.post("/_sandbox/merge", json=order).json() == {"survivor": survivor}
    assert shell.kernel.collection("xero.Things").get(loser)["merged_into"] == survivor


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("faults", {"kind": "gremlins"}, "Unknown kind"),
        ("faults", {"kind": "edit_while_paging", "edit": {"system": "xero"}}, "An edit needs"),
        ("faults", [1], "not a JSON object"),
        ("clock", {}, "The clock takes"),
        ("clock", {"set": "2027-01-01T00:00:00"}, "with its offset"),
        ("clock", {"set": "soon"}, "takes an instant"),
        ("clock", {"advance_seconds": "9"}, "takes a number"),
        ("reset", {"invoices": -1}, "A reset takes"),
        ("edit", {"system": "sap", "table": "t", "id": "1", "set": {"a": 1}}, "Unknown system"),
        ("edit", {"system": "xero", "table": "Things", "id": "1", "set": {"a": 1}}, "has no row '1'"),
        ("edit", {"system": "xero", "table": "Things", "match": {"no": 1}, "set": {"a": 1}}, "0 rows"),
        ("edit", {"system": "xero", "id": "1", "set": {"a": 1}}, "'table' is missing"),
        ("edit", {"system": "xero", "table": "Things", "id": "1"}, "An edit needs"),
        ("merge", {"system": "xero", "table": "Things", "loser": "1", "survivor": "2"}, "The loser '1'"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(shell, xero, path, body, words):
    answer = xero.post(f"/_sandbox/{path}", json=body)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("state?collection=nothing", "Known collections: "),
        ("state?collection=xero.Things&limit=all", "limit takes a whole number"),
        ("log?since=yesterday", "since takes an instant"),
        ("log?path=(", "path is no regular expression"),
    ],
)
def test_bad_questions_are_refused_in_a_sentence(shell, xero, query, words):
    answer = xero.get(f"/_sandbox/{query}")
    assert (answer.status_code, words in answer.json()["error"]) == (400, True)


def test_a_body_that_is_no_json_is_refused(shell, xero):
    assert xero.post("/_sandbox/edit", content=b"{").json() == {"error": "The body is not JSON."}
