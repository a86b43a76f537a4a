"""Each page on a synced organisation and on an empty one: what it says, what a click does, and that it never fails aloud."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from console import actions
from console.door import DOOR
from sync_core.errors import Retryable
from sync_core.model import MatchStatus, RunStatus, RunSummary
from sync_core.service import Check
from sync_core.systems.provision import ProvisionReport
from tests.pages.conftest import table_of

ALL = (
    "overview",
    "problems",
    "invoices",
    "payments",
    "credit_notes",
    "contacts",
    "master_data",
    "match",
    "mapping",
    "runs",
    "connections",
)


def click(at, label):
    next(button for button in at.button if button.label == label).click()
    return at.run()


@pytest.mark.parametrize("name", ALL)
def test_every_page_draws_and_names_the_organisation(service, show, words, name):
    at = show(name)
    assert not at.exception
    assert not at.error
    assert "Harbour \\& Pine Outfitters Ltd" in words(at)


@pytest.mark.parametrize("name", ALL)
def test_every_page_has_words_for_an_organisation_that_never_synced(fresh, show, words, name):
    at = show(name)
    assert not at.exception
    assert not at.error
    if name not in ("connections", "mapping", "resync", "schedule"):
        assert any(phrase in words(at) for phrase in ("Nothing has been synced yet", "Nothing ran yet"))


@pytest.mark.parametrize("name", ["overview", "problems", "worklist", "match", "close", "invoices", "contacts"])
def test_where_the_first_sync_failed_no_page_is_reassuring_and_each_says_why(fresh, show, words, name):
    now, why = fresh.now(), "The secret of the Dynamics application is wrong."
    ended = RunSummary("r1", RunStatus.CONFIGURE, now, now, "schedule", "everything", {}, {}, why)
    fresh._workspace.state.finish_run(ended)
    at = show(name)
    assert not at.exception
    assert "Nothing has been synced yet" in words(at)
    assert "The secret of the Dynamics application is wrong" in words(at).replace("\\", "")
    assert "Check the connections" in str([each.proto for each in at.get("page_link")])
    for comfort in ("Nothing needs a person", "No difference is open", "Every record has its partner", "Nothing.\n"):
        assert comfort not in words(at)
    assert "begins by itself" not in words(at)


@pytest.mark.parametrize("name", ALL)
def test_no_page_ever_says_all_good_before_the_first_sync(fresh, show, words, name):
    assert "Everything ties out" not in words(show(name))


def test_the_overview_counts_what_does_not_tie_out(service, show, words):
    open_rows = service.reconciliation_summary("invoices")
    expected = sum(n for s, n in open_rows.statuses.items() if s not in (MatchStatus.MATCHED, MatchStatus.IGNORED))
    at = show()
    assert f"except {expected} invoices" in at.subheader[0].value
    assert [b.label for b in at.button if b.label.startswith("Review")] == [f"Review the {expected} invoices"]


def test_the_overview_draws_every_entity_of_the_registry(service, show):
    from sync_core.service import data_flows

    spec = show().get("graphviz_chart")[0].proto.spec
    assert all(f'"{flow.entity}"' in spec for flow in data_flows())


def test_sync_now_asks_once_and_is_followed(service, show, words):
    at = click(show(), "Sync now")
    assert "Sync of everything waits or runs" in words(at)
    asked = at.session_state[actions.ASKED][0].id
    assert service.request(asked).args["who"] == "console"
    assert len(at.session_state[actions.ASKED]) == 1


def test_the_schedule_is_paused_and_resumed(service, show, words):
    at = click(show(), "Pause the schedule")
    assert service.schedule().paused
    assert "The schedule is paused." in words(at)
    click(at, "Resume the schedule")
    assert not service.schedule().paused


def test_problems_give_the_remark_and_a_button(service, show, words):
    at = show("problems")
    assert "Line … has no ledger account and no tax rate" in words(at)
    assert "Both sides differ and nothing was overwritten." in words(at)
    at = click(at, next(b.label for b in at.button if b.label.startswith("Try all")))
    asked = service.request(at.session_state[actions.ASKED][0].id)
    assert asked.kind == "preview"
    assert len(asked.args["only"]["invoices"]) > 1


def test_runs_open_to_entities_and_outcomes(service, show, words):
    at = show("runs")
    key = next(k for k in at.session_state.keys() if k.startswith("runs_"))  # noqa: SIM118  # AppTest has no other way
    by_hand = next(n for n, run in enumerate(table_of(at, "trigger")["trigger"]) if run == "by hand")
    at.session_state[key] = {"selection": {"rows": [by_hand], "columns": []}}
    at.run()
    assert "asked by: by hand" in words(at)
    assert {"Invoices", "Contacts"} <= set(at.dataframe[1].value["entity"])
    records = at.dataframe[2].value
    assert "as this run left them" in words(at)
    assert list(records["status"][:1]) != ["● in step"]
    slow = table_of(at, "took", "system", "call")
    assert set(slow["system"]) == {"Dynamics", "Xero"}
    assert len(slow) == 10
    assert all(records["remark"])


def test_the_records_of_a_run_are_asked_for_once(service, show, monkeypatch):
    asked, kept = [], service.run_records
    monkeypatch.setattr(type(service), "run_records", lambda _, *given, **told: asked.append(told) or kept(*given, **told))
    run = next(each.run for each in service.runs(200) if each.trigger == "by hand")
    show("runs", run=run)
    assert [each["offset"] for each in asked] == [0]
    at = show("runs", run=run, **{f"records_{run}": "999"})
    assert len(table_of(at, "status", "entity", "remark")) > 0


def test_a_set_up_that_is_missing_is_made_from_the_page(service, show, words, monkeypatch):
    lacking = [
        Check("Dynamics set-up", False, "3 pieces are missing in Dynamics, column tie_x first."),
        Check("Xero", True, ""),
    ]
    found = iter([lacking, [replace(each, good=True) for each in lacking]])
    monkeypatch.setattr(type(service), "doctor", lambda _: next(found))
    monkeypatch.setattr(type(service), "set_up", lambda _, *_more: ProvisionReport(["column tie_x"], 121))
    at = show("connections")
    assert [each.value.replace("\\", "") for each in at.warning] == [lacking[0].message]
    at = click(at, "Set Dynamics up")
    assert not at.exception
    assert "Everything answers." in words(at)
    assert "Dynamics is set up: 1 piece made" in words(at).replace("\\", "")
    assert not [b for b in at.button if b.label == "Set Dynamics up"]


def test_connections_show_checks_and_no_secret(service, show, words):
    at = show("connections")
    assert "Everything answers." in words(at)
    secret = service.settings.xero_client_secret.get_secret_value()
    settings = at.dataframe[1].value
    assert "set, not shown" in set(settings["value"])
    assert secret not in settings.to_csv()
    assert [each.value for each in at.code] == ["python -m sync_core connect-xero"]


def test_a_closed_door_is_a_sentence(show, words):
    DOOR.shut("The state database does not answer.")
    from tests.pages.conftest import app

    at = app().run()
    assert [each.value for each in at.warning] == ["The state database does not answer\\."]
    assert not at.exception


def test_a_failure_of_the_service_is_a_sentence(service, show, monkeypatch):
    def fails(*_args):
        raise Retryable("Xero does not answer: ![x](http://evil.example/a.png)")

    monkeypatch.setattr(service, "runs", fails, raising=True)
    at = show("runs")
    assert not at.exception
    assert at.error[0].value.startswith("Xero does not answer")
    assert "![x]" not in at.error[0].value


def test_a_failed_action_is_a_sentence(service, show, monkeypatch):
    def fails(*_args, **_kwargs):
        raise Retryable("The state database does not answer.")

    at = show()
    monkeypatch.setattr(service, "enqueue_sync", fails)
    at = click(at, "Sync now")
    assert not at.exception
    assert [each.value for each in at.error] == ["The state database does not answer\\."]


def test_a_page_is_quick(service, show):
    at = show("invoices")
    began = time.perf_counter()
    at.run()
    assert time.perf_counter() - began < 5
