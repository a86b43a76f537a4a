"""Both sides side by side: filters, pages, selection by id, the row in full, and the resync of just that record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console import actions, answers
from console.decide import only_words, why_not
from console.filters import parse
from console.texts import STATUS_WORDS, amount
from sync_core.model import MatchStatus, Side
from sync_core.service import Filters, LinePair, Service, Sort
from tests.pages.conftest import table_of

GRID = 1
STATUS = ("", "Status and reason")
NUMBER = ("", "Number")
DIFFERENCE = ("Dynamics − Xero", "difference")


def grid(at):
    return at.dataframe[GRID].value


def select(at, *rows):
    key = next(k for k in at.session_state.keys() if k.startswith("invoices_grid_"))  # noqa: SIM118  # AppTest has no other way
    at.session_state[key] = {"selection": {"rows": list(rows), "columns": []}}
    return at.run()


def link_urls(at):
    return [each.proto.url for each in at.get("link_button")]


def test_the_grid_holds_every_row_of_the_service(service, show):
    at, found = show("invoices"), service.reconciliation("invoices")
    assert list(grid(at)[NUMBER]) == found.rows.column("number").to_pylist()
    assert f"**{found.row_count} invoices**" in [each.value for each in at.markdown]


def test_amounts_are_exact_text(service, show):
    cells = grid(show("invoices", invoices_search="HP-1021"))
    assert list(cells[DIFFERENCE]) == ["0.01"]
    assert list(cells["Dynamics "]["total"]) == ["87.75"]
    assert list(cells["Xero "]["total"]) == ["87.74"]
    assert list(cells[STATUS]) == ["▲ only the rounding of tax differs"]


@pytest.mark.parametrize("status", [MatchStatus.DIFFERS, MatchStatus.MISSING_IN_XERO, MatchStatus.MATCHED])
def test_the_status_of_the_address_filters(service, show, status):
    expected = service.reconciliation("invoices", Filters(statuses=(status,))).rows.column("number").to_pylist()
    assert list(grid(show("invoices", invoices_status=str(status)))[NUMBER]) == expected


def test_a_click_on_a_status_filters_and_stands_in_the_address(service, show):
    at = show("invoices")
    at.segmented_control[0].set_value("open").run()
    assert at.query_params["invoices_status"] == "open"
    assert all(not text.startswith("●") for text in grid(at)[STATUS])


def test_counts_follow_the_other_filters(service, show):
    at = show("invoices", invoices_search="HP-1021")
    assert at.segmented_control[0].options == ["All 1", "Does not tie out 1", "▲ differs 1"]


def test_the_currency_and_the_order_are_those_of_the_service(service, show):
    at = show("invoices")
    at.selectbox(key="invoices_currency").set_value("NZD").run()
    at.selectbox(key="invoices_sort").set_value("Difference, descending").run()
    expected = service.reconciliation("invoices", Filters(currency="NZD", sort=Sort.DIFFERENCE, descending=True))
    assert set(grid(at)[("", "Cur.")]) == {"NZD"}
    assert list(grid(at)[NUMBER]) == expected.rows.column("number").to_pylist()
    assert at.dataframe[0].value["currency"].tolist() == ["NZD"]


def test_nothing_left_is_said(service, show, words):
    assert "No invoice is left by these filters." in words(show("invoices", invoices_search="no such thing"))


def test_a_selected_row_opens_below_with_what_differs_first(service, show, words):
    at = select(show("invoices", invoices_search="HP-1040"), 0)
    assert "HP\\-1040 · Alpine Rescue Trust" in words(at)
    fields = table_of(at, "verdict", "agreed")
    assert {"Total", "Tax", "Lines"} <= set(fields["label"])
    assert "same" not in set(fields["verdict"])
    lines = table_of(at, "verdict", "crm net")
    assert "only in Dynamics" in set(lines["verdict"])


def test_all_fields_are_a_toggle_away(service, show):
    at = select(show("invoices", invoices_search="HP-1040"), 0)
    at.toggle[0].set_value(True).run()
    verdicts = list(table_of(at, "verdict", "agreed")["verdict"])
    assert "same" in verdicts
    assert verdicts[0] != "same"


def test_payments_stand_with_their_invoice(service, show):
    at = select(show("invoices", invoices_search="HP-1007"), 0)
    applied = table_of(at, "kind", "state")
    assert list(applied["kind"]) == ["payment"]
    assert list(applied["crm"]) == list(applied["xero"]) == ["2,088.75"]


def test_a_selection_never_moves_to_another_row(service, show, words):
    at = select(show("invoices"), 0)
    assert "HP\\-1001" in words(at)
    at.segmented_control[0].set_value("open").run()
    assert "Select a row" in words(at)


def row_of(service, number, name="invoices"):
    return service.reconciliation(name, Filters(search=number)).rows.to_pylist()[0]["row_id"]


def test_an_address_opens_one_row_whether_or_not_it_is_on_screen(service, show, words):
    row = row_of(service, "HP-1021")
    assert "HP\\-1021 · \\=Cut \\& Sew Ltd" in words(show("invoices", invoices_row=row))
    assert "HP\\-1021 · \\=Cut \\& Sew Ltd" in words(show("invoices", invoices_row=row, invoices_search="HP-100"))


def test_the_only_row_left_opens_without_a_click_and_the_address_names_it(service, show, words):
    at = show("invoices", invoices_search="HP-1036")
    assert "HP\\-1036 · Cook Strait Freight Ltd" in words(at)
    assert at.query_params["invoices_row"] == row_of(service, "HP-1036")


def test_another_filter_closes_the_row(service, show, words):
    at = select(show("invoices"), 0)
    assert at.query_params["invoices_row"] == row_of(service, "HP-1001")
    at.selectbox(key="invoices_currency").set_value("NZD").run()
    assert "invoices_row" not in at.query_params
    assert "Select a row" in words(at)


def test_a_payment_stands_with_the_others_of_its_batch_and_a_credit_note_with_its_invoice(service, show, words):
    at = show("payments", payments_search="HP-1031")
    together = table_of(at, "kind", "document", "crm")
    assert together["document"].tolist() == ["HP-1030", "HP-1031", "HP-1032"]
    assert "**One batch payment**, 3 payments, NZD 1\\,194\\.62 in all" in words(at)
    at = show("credit_notes", credit_notes_search="CN-202")
    assert table_of(at, "kind", "document")["document"].tolist() == ["HP-1033"]
    at = show("invoices", invoices_search="HP-1033")
    assert "CN-202" in table_of(at, "kind", "document")["document"].tolist()


def test_a_row_says_what_was_done_with_its_record(service, show):
    told = table_of(show("payments", payments_search="HP-1031"), "at", "who", "words")["words"].tolist()
    assert "linked when it was created" in told


def test_balances_stand_on_both_sides_with_the_difference_between(service, show):
    row = service.reconciliation("invoices", Filters(search="HP-1022")).rows.to_pylist()[0]
    at = select(show("invoices", invoices_search="HP-1022"), 0)
    held = table_of(at, "label", "crm", "difference", "xero").set_index("label")
    assert list(held.index) == ["Total", "of which tax", "Paid", "Credited", "Due"]
    paid = [amount(value, "NZD") for value in (row["crm_paid"], row["crm_paid"] - row["xero_paid"], row["xero_paid"])]
    assert list(held.loc["Paid"]) == paid
    assert held.loc["Due"]["xero"] == amount(row["xero_due"], "NZD")


@pytest.mark.parametrize("name", ["invoices", "payments", "credit_notes"])
def test_every_document_has_its_xero_details(service, show, words, name):
    at = show(name)
    row = service.reconciliation(name).rows.to_pylist()[0]
    key = next(k for k in at.session_state.keys() if k.startswith(f"{name}_grid_"))  # noqa: SIM118  # AppTest has no other way
    at.session_state[key] = {"selection": {"rows": [0], "columns": []}}
    details = table_of(at.run(), "what", "value").set_index("what")["value"]
    found = service.xero_details(name, row["crm_id"], row["xero_id"])
    assert details["Xero id"] == row["xero_id"]
    assert found.standing.remark in words(at)
    assert details["Sync status"] == STATUS_WORDS[found.standing.status]
    assert {"In Xero as", "Type", "Status in Xero", "Last synced", "Last attempt"} <= set(details.index)


def test_details_of_what_is_not_in_xero_say_so(service, show):
    at = select(show("invoices", invoices_status="Missing in Xero"), 0)
    details = table_of(at, "what", "value").set_index("what")["value"]
    assert details["In Xero as"] == "not in Xero yet"
    assert "Xero id" not in details.index


def test_a_resync_of_one_record_is_previewed_below_it_before_it_is_done(service, show, words):
    at = select(show("invoices", invoices_search="HP-1021"), 0)
    next(b for b in at.button if b.label == "Resync this invoice…").click().run()
    row = service.reconciliation("invoices", Filters(search="HP-1021")).rows.to_pylist()[0]
    asked = service.request(at.session_state[actions.ASKED][-1].id)
    assert asked.kind == "preview"
    assert asked.args["only"] == {"invoices": sorted([row["crm_id"], row["xero_id"]])}
    assert "Nothing is written." in words(at)
    next(b for b in at.button if b.label == "Close").click().run()
    assert "Nothing is written." not in words(at)


def test_both_systems_are_linked(service, show):
    at = select(show("invoices", invoices_search="HP-1021"), 0)
    urls = link_urls(at)
    assert any(url.startswith(service.settings.dynamics_url) for url in urls)
    assert any(url.startswith("https://go.xero.com/") for url in urls)


def test_downloads_ask_for_what_is_on_screen(service, show):
    at = show("invoices", invoices_status="Differs", invoices_search="HP-103")
    url = next(url for url in link_urls(at) if url.startswith("/download/invoices.csv") and "excel" in url)
    asked = dict(pair.split("=") for pair in url.partition("?")[2].split("&"))
    filters = parse(asked)
    assert filters.statuses == (MatchStatus.DIFFERS,)
    assert service.reconciliation("invoices", filters).row_count == len(grid(at))


def test_a_name_with_markdown_in_it_stays_a_name(service, show, words):
    at = select(show("invoices", invoices_search="HP-1025"), 0)
    assert "![logo](" not in "\n".join(each.value for each in (*at.subheader, *at.markdown, *at.caption))
    assert "Kōwhai Gifts" in words(at)


def test_codes_that_the_lines_of_an_invoice_wait_for_are_chosen_beside_them(service, show):
    at = select(show("invoices", invoices_search="HP-1025"), 0)
    assert {"Ledger account", "Tax rate"} <= {each.label for each in at.selectbox}
    at = select(show("invoices", invoices_search="HP-1021"), 0)
    assert "Ledger account" not in {each.label for each in at.selectbox}


def test_a_document_in_another_currency_says_its_rate_and_what_it_is_in_the_base_currency(service, show, words):
    at = select(show("invoices", invoices_currency="USD"), 0)
    balances = table_of(at, "label", "crm", "difference", "xero").set_index("label")
    assert balances.loc["Total in NZD", ["difference"]].tolist() == ["0.00"]
    assert "One NZD is" in words(at)
    at = select(show("invoices", invoices_search="HP-1021"), 0)
    assert "Total in NZD" not in table_of(at, "label", "crm", "difference", "xero")["label"].tolist()


def test_lines_that_are_booked_to_different_accounts_show_both(service, show, monkeypatch):
    told = Service.reconciliation_detail

    def recoded(self, name, row_id):
        found = told(self, name, row_id)
        crm, xero = {"description": "Tent", "account_code": "200"}, {"description": "Tent", "account_code": "205"}
        return replace(found, lines=(LinePair(crm, xero, ("Ledger account",)),))

    at = select(show("invoices", invoices_search="HP-1021"), 0)
    assert "crm account_code" not in table_of(at, "crm description").columns
    monkeypatch.setattr(Service, "reconciliation_detail", recoded)
    answers.forget()
    lines = table_of(select(show("invoices", invoices_search="HP-1022"), 0), "crm description")
    assert lines[["verdict", "crm account_code", "xero account_code"]].to_numpy().tolist() == [
        ["differs: Ledger account", "200", "205"]
    ]
    answers.forget()


@pytest.mark.parametrize("name", ["payments", "credit_notes"])
def test_other_documents_use_the_same_page(service, show, name):
    at = show(name)
    assert len(grid(at)) == service.reconciliation(name).row_count > 0


def decided(at):
    return [key for key in at.session_state.keys() if key.startswith("keep_")]  # noqa: SIM118  # AppTest has no other way


def test_a_conflict_is_decided_field_by_field(service, show, monkeypatch):
    told = []
    monkeypatch.setattr(service, "resolve", lambda *given, who: told.append((*given, who)))
    at = select(show("invoices", invoices_search="HP-1036"), 0)
    button = next(b for b in at.button if b.label == "Keep the chosen values")
    assert button.disabled
    at.segmented_control(key=next(k for k in decided(at) if k.endswith("_due_date"))).set_value("Dynamics").run()
    next(b for b in at.button if b.label == "Keep the chosen values").click().run()
    row = service.reconciliation("invoices", Filters(search="HP-1036")).rows.to_pylist()[0]
    assert told == [("invoices", row["crm_id"], {"due_date": Side.CRM}, "console")]
    assert service.request(at.session_state[actions.ASKED][-1].id).args["only"]["invoices"] == sorted(
        [row["crm_id"], row["xero_id"]]
    )


def test_a_value_that_cannot_be_written_is_not_offered_and_the_page_says_why(service, show, words):
    at = select(show("invoices", invoices_search="HP-1040"), 0)
    may_stay = service.may_stay("invoices")
    row = service.reconciliation("invoices", Filters(search="HP-1040")).rows.to_pylist()[0]["row_id"]
    differing = [line for line in service.reconciliation_detail("invoices", row).fields if not line.same]
    unwritable = [line for line in differing if not may_stay[line.name]]
    assert {"total", "state"} & {line.name for line in unwritable}
    offered = {key.removeprefix(f"keep_{row}_") for key in decided(at)}
    assert offered == {line.name for line in differing if may_stay[line.name]}
    assert all(line.label in words(at) for line in unwritable)
    assert "Tieout writes this to neither system" in words(at)


def test_only_the_value_that_has_a_way_is_offered():
    said = why_not(
        {"number": "Number", "due_date": "Due date", "state": "Status", "total": "Total"},
        {"number": {Side.CRM}, "due_date": set(Side), "state": frozenset()},
    )
    assert said == [
        "Not offered: Status and Total. Tieout writes this to neither system; where it is wrong, change it by hand.",
        "Number: only the value of Dynamics can stay, because Tieout does not write this field to Dynamics.",
    ]


def test_lines_that_differ_in_words_alone_are_not_offered_because_a_sync_leaves_them(service, show, words):
    at = select(show("invoices", invoices_search="HP-1036"), 0)
    assert {key.rsplit("_", 2)[-2:] == ["due", "date"] for key in decided(at)} == {True}
    assert "Not offered: Lines. Only their words differ" in words(at).replace("\\", "")
    assert not only_words("lines", [LinePair({"net": "1"}, None)])
    assert not only_words("lines", [LinePair({"net": "1"}, {"net": "2"}, ("Amount before tax",))])


def test_a_document_that_ties_out_is_taken_apart_shown_so_at_once_and_linked_again(service, show, words):
    at = select(show("invoices", invoices_search="HP-1007"), 0)
    next(b for b in at.button if b.label == "Take it apart").click().run()
    at = select(show("invoices", invoices_search="HP-1007"), 0)
    assert "matched by stored link" not in words(at)
    assert "Link it with a record of" in words(at)
    next(b for b in at.button if b.label == "Take back").click().run()
    assert "matched by stored link" in words(select(show("invoices", invoices_search="HP-1007"), 0))


def test_a_copy_of_what_xero_owns_is_not_taken_apart(service, show):
    at = show("payments", payments_search="HP-1030")
    assert "Take it apart" not in [b.label for b in at.button]


def test_what_a_candidate_refers_to_is_told_by_name(service):
    row = service.reconciliation("invoices", Filters(search="HP-1025")).rows.to_pylist()[0]
    [found, *_] = service.candidates("invoices", Side.CRM, row["crm_id"], "HP-1023A")
    assert found.cells["contact"] == "Upper Moutere Orchards"


def test_where_there_is_no_conflict_there_is_nothing_to_decide(service, show):
    assert decided(select(show("invoices", invoices_search="HP-1007"), 0)) == []


def test_pages_follow_each_other_and_a_filter_begins_at_the_first(service, show, monkeypatch):
    monkeypatch.setattr("console.tie_out.ROWS", 10)
    every = service.reconciliation("invoices").rows.column("number").to_pylist()
    at = show("invoices")
    at.pagination[0].set_value(2).run()
    assert list(grid(at)[NUMBER]) == every[10:20]
    assert at.query_params["invoices_page"] == "2"
    at.pagination[0].set_value(3).run()
    assert list(grid(at)[NUMBER]) == every[20:30]
    at.selectbox(key="invoices_currency").set_value("NZD").run()
    assert "invoices_page" not in at.query_params
    assert next(iter(grid(at)[NUMBER])) == every[0]


@pytest.mark.parametrize("asked", ["0", "99", "-1", "two", "2²"])
def test_a_page_that_is_not_there_is_not_drawn(service, show, monkeypatch, asked):
    monkeypatch.setattr("console.tie_out.ROWS", 10)
    at = show("invoices", invoices_page=asked)
    assert not at.exception
    assert 0 < len(grid(at)) <= 10


def test_selected_rows_are_verified_together_and_what_differs_is_named(service, show, words):
    at = show("invoices", invoices_search="HP-10")
    numbers = list(grid(at)[NUMBER])
    at = select(at, numbers.index("HP-1007"), numbers.index("HP-1036"))
    next(b for b in at.button if b.label == "Verify these").click().run()
    assert "2 pairs read in both systems" in words(at)
    assert "1 pair differs." in words(at)
    differing = table_of(at, "title", "field", "crm", "xero")
    assert set(differing["title"]) == {"HP-1036"}
    assert "Due date" in set(differing["field"])
    assert "Last verified" in words(show("invoices", invoices_search="HP-1036"))
    assert "Due date" in next(
        c.value for c in show("invoices", invoices_search="HP-1036").caption if "Last verified" in c.value
    )


def test_what_a_verification_found_is_in_the_list_at_once(service, show, monkeypatch):
    forgotten = []
    monkeypatch.setattr(answers, "forget", lambda: forgotten.append(True))
    at = show("invoices", invoices_search="HP-1007")
    next(b for b in at.button if b.label == "Verify").click().run()
    assert forgotten
