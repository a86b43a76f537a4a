"""The preview page and the schedule page: what is asked for, what is shown, what a click does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console import actions
from sync_core.errors import Rejected
from sync_core.model import RunStatus
from tests.pages.conftest import table_of


def click(at, label):
    next(b for b in at.button if b.label.startswith(label)).click()
    return at.run()


def asked_for(show, kind):
    """The page after one kind of record was chosen and its preview asked for, and the request's number."""
    at = show("resync")
    at.segmented_control(key="resync_what").set_value("One kind of record").run()
    at = click(at.selectbox(key="resync_entity").set_value(kind).run(), "Preview")
    return at.session_state[actions.ASKED][-1].id


def test_a_preview_is_asked_for_and_shown(service, show, words, answer):
    asked = asked_for(show, "contacts")
    assert service.request(asked).kind == "preview"
    assert "Both systems are being read." in words(show("resync", request=str(asked)))
    answer(asked)
    at = show("resync", request=str(asked))
    made = service.preview(service.request(asked).run)
    assert "more calls today" in words(at)
    remarks = table_of(at, "kind", "outcome", "remark")["remark"].tolist()
    assert remarks == [record.remark for record in made.left] != []


def test_everything_is_asked_for_where_nothing_else_is_chosen(service, show):
    at = click(show("resync"), "Preview")
    asked = service.request(at.session_state[actions.ASKED][-1].id)
    assert (asked.kind, asked.args["only"], asked.args["entities"]) == ("preview", None, [])


@pytest.mark.parametrize(
    ("scope", "asks"),
    [
        ("everything", {"entities": [], "only": None}),
        ("invoices, tax_rates", {"entities": ["invoices", "tax_rates"], "only": None}),
        ("invoices:b2, invoices:a1", {"entities": [], "only": {"invoices": ["a1", "b2"]}}),
        ("12 invoices", None),
    ],
)
def test_a_refused_sync_leads_to_its_plan_where_the_run_says_of_which_records(service, show, monkeypatch, scope, asks):
    last = replace(service.runs(1)[0], status=RunStatus.REFUSED, scope=scope)
    monkeypatch.setattr(service, "runs", lambda *_, **__: (last,))
    at = show("runs", run=last.run)
    assert ("Look at the plan…" in [b.label for b in at.button]) is (asks is not None)
    if asks is not None:
        asked = service.request(click(at, "Look at the plan").session_state[actions.ASKED][-1].id)
        assert (asked.kind, {name: asked.args[name] for name in asks}) == ("preview", asks)


def test_a_refusal_that_a_later_sync_made_good_leads_nowhere(service, show, monkeypatch):
    last = replace(service.runs(1)[0], status=RunStatus.SUCCESS)
    before = replace(last, run="before", status=RunStatus.REFUSED, scope="everything")
    monkeypatch.setattr(service, "runs", lambda *_, **__: (last, before))
    assert "Look at the plan…" not in [b.label for b in show("runs", run="before").button]


def test_what_was_agreed_to_shows_every_record_with_its_remark(service, show, words, answer):
    asked = asked_for(show, "contacts")
    answer(asked)
    made = service.preview(service.request(asked).run)
    done = service.enqueue_agreed(service.scope_of_request(asked), made.fingerprint, who="console")
    assert "The sync is under way." in words(show("resync", request=str(asked), done=str(done)))
    answer(done)
    at = show("resync", request=str(asked), done=str(done))
    assert "What came of it" in words(at)
    assert all(table_of(at, "status", "remark")["remark"])


@pytest.mark.parametrize("what", ["One kind of record", "A range of dates", "All that failed"])
def test_each_scope_draws(service, show, what):
    at = show("resync")
    at.segmented_control(key="resync_what").set_value(what).run()
    assert not at.exception
    assert not at.error


def test_nothing_that_failed_is_a_sentence(service, show, monkeypatch):
    def none():
        raise Rejected("No record failed, so there is nothing to try again.")

    monkeypatch.setattr(service, "scope_of_failed", none)
    at = show("resync")
    at.segmented_control(key="resync_what").set_value("All that failed").run()
    assert "No record failed" in click(at, "Preview").error[0].value


@pytest.mark.parametrize("request_id", ["999999", "none", "-1"])
def test_a_preview_that_is_not_known_is_said(service, show, request_id):
    assert not show("resync", request=request_id).exception


def test_the_schedule_says_how_often_and_a_click_changes_it(service, show, words):
    at = show("schedule")
    assert "No sync comes by itself while this console only looks" in words(at)
    at.selectbox[0].set_value(30).run()
    assert service.schedule().minutes == 30
    at = click(at, "Pause")
    assert "Paused: no sync comes by itself" in words(at)
    click(at, "Resume")
    assert not service.schedule().paused


def test_too_many_or_too_few_minutes_are_refused(service):
    for minutes in (0, -5, 100_000):
        with pytest.raises(Rejected, match="minutes between two syncs"):
            service.set_minutes(minutes, who="Ana")


@pytest.mark.parametrize(("label", "box"), [("Preview of everything", "info"), ("Sync of everything", "success")])
def test_a_preview_that_came_is_no_success(service, show, label, box):
    at = show("resync")
    at.session_state[actions.ANSWERED] = (f"{label}: Nothing was written.", False)
    at.run()
    assert [each.value.replace("\\", "") for each in getattr(at, box)] == [f"{label}: Nothing was written."]
