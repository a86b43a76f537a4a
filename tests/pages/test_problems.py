"""Problems: tabs with their counts, one kind at a time, work on a whole cause, what is set aside and what was solved today."""

from __future__ import annotations

import pytest

from console import actions
from console.problems import desk, grouped, risks
from sync_core.model import Status
from sync_core.service import CaseStatus, LineCodes, Service
from tests.pages.conftest import table_of


def switch(at, label):
    next(each for each in at.toggle if each.label.startswith(label)).set_value(True)
    return at.run()


def click(at, label):
    next(b for b in at.button if b.label.startswith(label)).click()
    return at.run()


def fill(at, label, value, beginning=""):
    """Types into the field with this label, of several the one whose key begins so."""
    next(each for each in at.text_input if each.label == label and (each.key or "").startswith(beginning)).set_value(value)
    return at


def tabs(at):
    return next(each.options for each in at.segmented_control if each.label == "Show")


def test_every_tab_says_how_many_and_they_add_up(service, show):
    counted = service.overview().statuses
    conflicts, blocked, review = (
        sum(by.get(status, 0) for by in counted.values()) for status in (Status.CONFLICT, Status.BLOCKED, Status.NEEDS_REVIEW)
    )
    assert tabs(show("problems"))[:5] == [
        f"Needs a person {conflicts + blocked + review}",
        "✕ failed 0",
        f"▲ conflict {conflicts}",
        f"■ blocked, waiting {blocked}",
        f"◆ needs review {review}",
    ]


@pytest.mark.parametrize(("tab", "shape"), [("Conflict", "▲"), ("Blocked", "■"), ("Needs review", "◆")])
def test_a_tab_shows_only_its_own(service, show, tab, shape):
    at = show("problems", show=tab)
    assert not at.exception
    heads = [each.value for each in at.subheader]
    assert heads
    assert all(head.startswith(shape) for head in heads)


def test_one_kind_of_record_at_a_time(service, show):
    at = show("problems", show="Conflict", kind="contacts")
    assert [each.value for each in at.subheader] == ["▲ conflict · 1 contact"]


def test_a_whole_cause_is_set_aside_and_opened_again(service, show, words):
    group = next(g for g in _groups() if len(g.records) > 1)
    before = len(desk().open[group.status])
    at = switch(show("problems", show=str(group.status)), "Work on these 2")
    at = click(fill(at, "Reason", "settled by phone"), "Set it aside (2 rows)")
    assert len(desk().open[group.status]) == before - 2
    assert [case.reason for case in desk().aside] == ["settled by phone"] * 2
    at = show("problems", show="aside")
    assert table_of(at, "until", "reason")["until"].tolist() == ["for good"] * 2
    key = next(k for k in at.session_state.keys() if k.startswith("aside_"))  # noqa: SIM118  # AppTest has no other way
    at.session_state[key] = {"selection": {"rows": [0, 1], "columns": []}}
    at = click(fill(at.run(), "Reason", "it was not", "reason_"), "Open it again (2 rows)")
    assert not desk().aside
    assert len(desk().open[group.status]) == before


def test_what_people_set_aside_needs_nobody_on_the_overview(service, show, words):
    def blocked():
        return next(line for line in words(show("overview")).splitlines() if "■ blocked" in line)

    before, rows = desk().counts[Status.BLOCKED], next(g for g in _groups() if g.status is Status.BLOCKED).row_ids
    assert f"■ blocked {before}" in blocked()
    service.ignore("invoices", service.rows_among("invoices", rows)[:1], "settled by phone", who="Ana")
    assert f"■ blocked {before - 1}" in blocked()
    assert "Set aside by people, and not counted here: 1 row." in words(show("overview"))
    service.undo(who="Ana")
    assert f"■ blocked {before}" in blocked()
    assert "Set aside by people" not in words(show("overview"))


def test_every_row_of_a_list_is_called_done_at_once_and_stands_under_solved_today(service, show, words):
    at = switch(show("problems", show="Blocked"), "Work on all 3 invoices")
    assert "Call it done (3 rows)" in [b.label for b in at.button]
    at = click(fill(at, "What was done", "asked the customer"), "Call it done (3 rows)")
    assert len(service.cases(status=CaseStatus.RESOLVED)) == 3
    at = show("problems", show="solved")
    assert table_of(at, "record", "who", "reason")["reason"].tolist() == ["asked the customer"] * 3
    service.undo(who=actions.WHO)
    assert not service.cases(status=CaseStatus.RESOLVED)


def test_the_most_money_at_risk_comes_first_and_stands_beside_the_count(service, show, words):
    groups = _groups()
    weights = [group.risk.weight for group in groups]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] > 0
    first = groups[0]
    noted = service.differences_on(first.entity, first.row_ids)
    assert first.risk.weight == sum(each.base_at_risk for each in dict.fromkeys(noted.values()))
    without = [len(group.records) for group in groups if not group.risk.amounts]
    assert without == sorted(without, reverse=True), "where no money is at risk, the largest group comes first"
    heads = [each.value for each in show("problems").subheader]
    assert len(heads) == len(groups)
    assert [head.endswith("at risk") for head in heads] == [bool(group.risk.amounts) for group in groups]


def test_the_whole_remark_of_the_selected_record_stands_below_its_group(service, show, words):
    group = next(g for g in _groups() if len(g.records) > 1 and len(g.records[0].remark) > 110)
    at = show("problems", show=str(group.status))
    assert f"Remark: {group.records[0].remark}" not in words(at)
    key = next(k for k in at.session_state.keys() if k.startswith(f"group_{group.entity}_{group.status}_{group.records[0].id}"))  # noqa: SIM118  # AppTest has no other way
    at.session_state[key] = {"selection": {"rows": [0], "columns": []}}
    assert f"Remark: {group.records[0].remark}" in words(at.run())


def test_one_record_is_previewed_in_its_place(service, show, words):
    at = click(show("problems", show="Conflict", kind="contacts"), "Try again…")
    asked = at.session_state[actions.ASKED][-1].id
    assert service.request(asked).kind == "preview"
    assert "Both systems are being read. Nothing is written." in words(at)


def test_all_rows_of_a_filter_are_worked_on_not_only_those_on_screen(service, show, monkeypatch):
    monkeypatch.setattr("console.tie_out.ROWS", 2)
    at = switch(show("invoices", invoices_status="Missing in Xero"), "Work on all 4")
    click(fill(at, "Person", "Ben"), "Give it (4 rows)")
    assert len(service.cases(assignee="Ben")) == 4
    service.undo(who=actions.WHO)


def test_too_many_rows_are_refused_before_anything_is_done(service, show, words, monkeypatch):
    monkeypatch.setattr("console.casework.MOST_AT_ONCE", 3)
    assert "At most 3 rows are worked on at once" in words(switch(show("invoices"), "Work on all"))


def _groups():
    records = [record for records in desk().open.values() for record in records]
    return grouped(records, risks(records))


def choose(at, label, value, place=0):
    [each for each in at.selectbox if each.label == label][place].set_value(value)
    return at.run()


def test_the_codes_that_lines_wait_for_are_chosen_once_for_lines_with_one_description(service, show, monkeypatch):
    asked = []
    monkeypatch.setattr(Service, "code_lines", lambda _, entity, chosen, who: asked.append((entity, chosen, who)) or 1)
    monkeypatch.setattr(actions, "resync", lambda entity, ids, label: asked.append((entity, ids, label)))
    at = switch(show("problems", show="Blocked"), "Choose ledger account")
    assert next(b for b in at.button if b.label == "Put on the lines and try again").disabled
    at = choose(at, "Ledger account", "200")
    assert [each.value for each in at.selectbox if each.label == "Tax rate"] == ["OUTPUT2", None]
    click(at, "Put on 1 line and try again")
    (entity, chosen, _), (again, documents, label) = asked
    ((document, lines),) = chosen.items()
    assert (entity, again, label) == ("invoices", "invoices", "2 invoices")
    assert list(lines.values()) == [LineCodes("200", "OUTPUT2")]
    assert document in documents
    assert len(documents) == 2
