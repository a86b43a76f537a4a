"""No table is wider than a window of 1280 pixels leaves room for: an amount at its edge would be cut in two."""

from __future__ import annotations

import json

import pytest

from console.nav import GROUPS
from console.runs import COLUMNS, columns_of
from console.widgets import WIDTHS

ROOM = 930
"""Pixels between the list of pages and the right margin, in a window of 1280."""
BOX = 33
"""What the box takes by which a row is selected."""
BEYOND = ("open", "with", "Work", "Remark", "Took", "Calls", "Message")
"""Columns that may stand wholly beyond the edge: they say nothing of money, and a row that is opened says them again."""
SLIVER = 120
"""Of such a column no more than this may stand before the edge: then it says that there is more to the right."""
PAGES = [name for pages in GROUPS.values() for name, _, _ in pages]


def cut(each):
    """The heading of the column that the edge cuts in two or hides, "" when there is none."""
    at = BOX if each.proto.selection_mode else 0
    for form in json.loads(each.proto.columns).values():
        begins, at = at, at + (WIDTHS.get(form.get("width"), form.get("width")) or 0)
        if at > ROOM and (form.get("label") not in BEYOND or begins < ROOM - SLIVER):
            return form.get("label", "")
    return ""


def too_wide(at):
    return {each.proto.alt: cut(each) for each in at.dataframe if cut(each)}


@pytest.mark.parametrize("name", PAGES)
def test_every_table_fits_into_a_small_window(service, show, name):
    at = show(name)
    assert not at.exception
    assert too_wide(at) == {}


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("invoices", {"invoices_search": "HP-1021"}),
        ("invoices", {"invoices_search": "HP-1022"}),
        ("invoices", {"invoices_search": "HP-1023A"}),
        ("invoices", {"invoices_search": "HP-1025"}),
        ("invoices", {"invoices_search": "HP-1036"}),
        ("payments", {"payments_search": "HP-1030"}),
        ("credit_notes", {"credit_notes_search": "CN-202"}),
        ("mapping", {"section": "fields"}),
        ("mapping", {"section": "what"}),
        ("problems", {"show": "Conflict"}),
        ("master_data", {"list": "ledger_accounts"}),
    ],
)
def test_what_opens_below_a_row_fits_too(service, show, name, query):
    assert too_wide(show(name, **query)) == {}


def test_runs_that_came_to_every_outcome_fit_too():
    row = dict.fromkeys(COLUMNS, "1")
    shown = [form["width"] for name, form in columns_of([row]).items() if form["label"] not in BEYOND]
    assert BOX + sum(shown) <= ROOM


def test_an_opened_run_fits_too(service, show):
    assert too_wide(show("runs", run=service.runs(1)[0].run)) == {}
