"""Closing and earlier days: prepared by one, signed by another, opened again with a reason; looked at as of a run."""

from __future__ import annotations

from datetime import date

import pytest

from console import actions, closing
from sync_core.model import Side
from sync_core.service import CloseStatus, LateChange

AMOUNTS = [
    LateChange("invoices", Side.CRM, "1", "HP-1", "Total", "1284.10", "2341.40", None, "r1", money=True),
    LateChange("invoices", Side.CRM, "1", "HP-1", "Reference", "1284.10", "PO 1", None, "r1"),
    LateChange("invoices", Side.CRM, "1", "HP-1", "Tax", "", "0.00", None, "r1", money=True),
]


def click(at, label):
    next(b for b in at.button if b.label == label).click()
    return at.run()


def named(at, name):
    at.text_input(key=actions.NAME).set_value(name)
    return at.run()


def pick(at, row=0):
    key = next(k for k in at.session_state.keys() if k.startswith("closes_"))  # noqa: SIM118  # AppTest has no other way
    at.session_state[key] = {"selection": {"rows": [row], "columns": []}}
    return at.run()


def test_a_period_is_prepared_signed_by_another_and_opened_again(service, show, words):
    at = show("close")
    assert "Locked in Xero: period" in words(at)
    at = click(at, "Prepare")
    assert "Write your name at the left first" in at.error[0].value
    at = named(at, "Ana")
    at.date_input(key="close_since").set_value(date(2026, 9, 1))
    at.date_input(key="close_until").set_value(date(2026, 9, 30))
    at = pick(click(at, "Prepare"))
    assert service.sign_offs()[0].status is CloseStatus.PREPARED
    totals = at.dataframe[1].value
    assert "Invoices" in totals["entity"].tolist()
    at = click(at, "Sign it")
    assert "Somebody else must sign it" in at.error[0].value
    at = pick(click(pick(named(at, "Ben")), "Sign it"))
    assert (service.sign_offs()[0].status, service.sign_offs()[0].reviewer) == (CloseStatus.SIGNED, "Ben")
    assert "Nothing in this period changed since." in words(at)
    at.text_input(key=f"reopen_why_{service.sign_offs()[0].number}").set_value("a late invoice")
    click(at, "Open it")
    assert service.sign_offs()[0].status is CloseStatus.REOPENED


def test_the_close_pack_is_offered_for_the_days_that_are_chosen(service, show):
    at = show("close")
    at.date_input(key="close_since").set_value(date(2026, 8, 1))
    at.date_input(key="close_until").set_value(date(2026, 8, 31))
    at.run()
    assert "/download/close-pack.zip?since=2026-08-01&until=2026-08-31" in [each.proto.url for each in at.get("link_button")]


def test_an_earlier_run_is_looked_at_and_nothing_can_be_done_there(service, show, words):
    run = service.runs(1)[0].run
    at = show("invoices", invoices_as_of=run)
    assert "This is how both sides stood then." in words(at)
    assert not any(b.label.startswith("Resync") for b in at.button)
    assert len(at.dataframe[1].value) == service.as_of(run).reconciliation("invoices").row_count
    urls = [each.proto.url for each in at.get("link_button")]
    assert all(f"as_of={run}" in url for url in urls)


def test_what_changed_in_a_signed_period_is_counted_and_shown_page_by_page(service, show, words, monkeypatch):
    monkeypatch.setattr(closing, "ON_A_PAGE", 2)
    number = service.prepare_close(date(2026, 8, 1), date(2026, 8, 31), who="Ana").number
    service.sign_close(number, who="Ben")
    cache = service._workspace.cache
    own = "entity = 'invoices' AND side = 'xero' AND doc_date BETWEEN '2026-08-01' AND '2026-08-31'"
    with cache.transaction() as transaction:
        transaction.run("CREATE TABLE before_it AS SELECT * FROM record")
        transaction.run(f"UPDATE record SET hash = 'other', due_date = due_date + 1 WHERE {own}")  # noqa: S608  # our own words
    try:
        documents = service.late_counts()[number]
        row = [each.number for each in service.sign_offs()].index(number)
        at = pick(show("close"), row)
        assert f"▲ {documents} documents" in at.dataframe[0].value["late"].tolist()
        assert f"{documents} documents of this period changed since it was prepared" in at.warning[0].value
        assert at.dataframe[2].value["label"].tolist() == ["Due date", "Due date"]
        assert [shown["before"] for shown in closing._change_lines(AMOUNTS)] == ["1,284.10", "1284.10", ""]
        assert f"/download/late-changes-{number}.csv" in [each.proto.url for each in at.get("link_button")]
        last = pick(show("close", **{f"late_{number}": str(-(-documents // 2))}), row)
        assert f"to {documents}" in words(last)
    finally:
        with cache.transaction() as transaction:
            transaction.run("DELETE FROM record")
            transaction.run("INSERT INTO record SELECT * FROM before_it")
            transaction.run("DROP TABLE before_it")
        service.reopen_close(number, "it was a test", who="Ana")


@pytest.mark.parametrize("moment", ["2020-01-01", "no-such-run"])
def test_a_moment_that_is_not_known_is_said_and_can_be_left(service, show, moment):
    at = show("invoices", invoices_as_of=moment)
    assert at.error
    assert not at.exception
    next(box for box in at.selectbox if box.label == "As of").set_value("").run()
    assert not at.error
    assert len(at.dataframe) > 1
