"""Work on differences: one row and many, taken back, kept under the name of who sits there; the worklist and the bridge."""

from __future__ import annotations

import pytest

from console import actions
from sync_core.service import CaseStatus, Filters
from tests.pages.conftest import table_of


@pytest.fixture
def row(service):
    return service.reconciliation("invoices", Filters(search="HP-1021")).rows.to_pylist()[0]["row_id"]


def select(at, prefix, *rows):
    key = next(k for k in at.session_state.keys() if k.startswith(prefix))  # noqa: SIM118  # AppTest has no other way
    at.session_state[key] = {"selection": {"rows": list(rows), "columns": []}}
    return at.run()


def click(at, label):
    next(b for b in at.button if b.label == label).click()
    return at.run()


def fill(at, label, value, kind="text_input"):
    next(each for each in getattr(at, kind) if each.label == label).set_value(value)
    return at


def test_a_row_is_set_aside_under_the_persons_name_and_taken_back(service, show, words, row):
    at = show("invoices", invoices_search="HP-1021")
    at = fill(at, "Your name", "Ana").run()
    at = select(at, "invoices_grid_", 0)
    at = click(fill(at, "Reason", "a cent of rounding"), "Set it aside")
    case = service.case("invoices", row)
    assert (case.status, case.reason, case.changed_by) == (CaseStatus.IGNORED, "a cent of rounding", "Ana")
    assert "Set aside\\: 1 row" in words(at)
    assert "○ set aside" in "".join(at.dataframe[1].value[("", "Status and reason")])
    click(at, "Take back")
    assert service.case("invoices", row) is None or service.case("invoices", row).status is CaseStatus.OPEN


def test_what_was_typed_is_gone_after_the_act_and_the_page_says_what_came_of_it(service, show):
    at = show("worklist", work_search="HP-1021")
    at = select(at, "worklist_", 0)
    at = click(fill(at, "Reason", "a cent of rounding"), "Set it aside")
    assert [each.value for each in at.toast] == ["Set aside\\: 1 row\\."]
    at = select(show("invoices", invoices_search="HP-1021"), "invoices_grid_", 0)
    assert [each.value for each in at.text_input if each.label == "Reason"] == ["", ""]
    click(at, "Take back")


def test_a_reason_that_is_missing_is_asked_for(service, show, words, row):
    at = select(show("invoices", invoices_search="HP-1021"), "invoices_grid_", 0)
    at = click(at, "Set it aside")
    assert at.error
    assert service.case("invoices", row) is None


def test_several_rows_are_given_to_somebody_at_once(service, show):
    at = select(show("invoices", invoices_status="open"), "invoices_grid_", 0, 1, 2)
    assert "3 invoices selected" in [each.value for each in at.subheader]
    at = click(fill(at, "Person", "Ben"), "Give it (3 rows)")
    assert len(service.cases(assignee="Ben")) == 3
    grid = show("invoices", invoices_status="open").dataframe[1].value
    assert list(grid[("Work", "with")][:3]) == ["Ben", "Ben", "Ben"]
    assert len(show("worklist", work_with="Ben").dataframe[1].value) == 3
    click(at, "Take back")
    assert service.cases(assignee="Ben") == []


def test_a_comment_stands_in_the_history_of_the_row(service, show, row):
    at = select(show("invoices", invoices_search="HP-1021"), "invoices_grid_", 0)
    at = click(fill(at, "Comment", "asked the bank", "text_area"), "Keep it")
    assert [entry.note for entry in service.case_history("invoices", row)][-1] == "asked the bank"
    click(at, "Take back")


def test_the_worklist_is_sorted_by_money_at_risk_and_opens_a_row(service, show, words):
    at = show("worklist")
    expected = [item.difference.number for item in service.worklist().items]
    assert at.dataframe[1].value["number"].tolist() == expected
    assert "since it was due" in at.dataframe[0].value["what"].tolist()[0]
    assert "Changed since yesterday" in words(at)
    at = select(at, "worklist_", 0)
    assert any(b.label == "Open it in full" for b in at.button)


def test_the_worklist_has_pages_and_a_filter_begins_at_the_first(service, show, monkeypatch):
    monkeypatch.setattr("console.worklist.ROWS", 5)
    every = [item.difference.number for item in service.worklist().items]
    at = show("worklist")
    at.pagination[0].set_value(2).run()
    assert table_of(at, "risk", "kind")["number"].tolist() == every[5:10]
    fill(at, "Search", "HP-10").run()
    assert "work_page" not in at.query_params


def test_the_overview_names_what_is_most_at_risk(service, show):
    expected = [item.difference.number for item in service.worklist(limit=5).items]
    assert table_of(show(), "risk", "number")["number"].tolist() == expected


def test_the_bridge_is_drawn_where_the_sides_differ(service, show):
    assert show("invoices").get("vega_lite_chart")
    assert not show("invoices", invoices_status="Matched").get("vega_lite_chart")


def test_selected_rows_are_previewed_together(service, show):
    at = select(show("invoices", invoices_status="open"), "invoices_grid_", 0, 1)
    at = click(at, "Resync these…")
    asked = service.request(at.session_state[actions.ASKED][-1].id)
    assert asked.kind == "preview"
    assert len(asked.args["only"]["invoices"]) == 2
