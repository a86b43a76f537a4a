"""Contacts, master data and matching: every record with its status, its Xero details, and its link, made and taken apart."""

from __future__ import annotations

import pytest

from console import actions
from sync_core.model import Side, Status
from tests.pages.conftest import table_of


def select(at, prefix, row):
    key = next(k for k in at.session_state.keys() if k.startswith(prefix))  # noqa: SIM118  # AppTest has no other way
    at.session_state[key] = {"selection": {"rows": [row], "columns": []}}
    return at.run()


def click(at, label):
    next(b for b in at.button if b.label == label).click()
    return at.run()


def test_every_contact_has_a_line_with_status_type_and_remark(service, show):
    grid = show("contacts").dataframe[0].value
    found = service.record_list("contacts")
    assert grid["name"].tolist() == [line.name for line in found.lines]
    assert all(grid["status"])
    assert all(grid["remark"])
    assert set(grid["contact type"]) <= {"Customer", "Vendor", "Employee", "Contact"}
    assert len(grid) == sum(found.counts.values())


def test_a_status_of_the_address_filters_and_counts_follow_the_search(service, show):
    at = show("contacts", contacts_status="Conflict")
    assert at.dataframe[0].value["name"].tolist() == ["Coastal Kayaks Limited"]
    at = show("contacts", contacts_search="kayaks")
    assert at.segmented_control[0].options == ["All 1", "▲ conflict 1"]


def test_a_search_that_finds_nothing_says_so(service, show, words):
    assert "No contact is left by these filters." in words(show("contacts", contacts_search="no such thing"))


def test_a_contact_opens_with_its_xero_details_and_history(service, show, words):
    at = select(show("contacts", contacts_search="Maitai"), "contacts_list", 0)
    details = table_of(at, "what", "value").set_index("what")["value"]
    line = service.record_list("contacts", search="Maitai").lines[0]
    assert details["Xero id"] == line.xero_id
    assert details["Type"] == "Customer"
    assert details["Last synced"] != "never"
    history = at.dataframe[len(at.dataframe) - 1].value
    assert "linked by account number" in set(history["words"])


def test_a_contact_says_its_groups_and_what_xero_concludes(service, show):
    at = show("contacts", contacts_search="Maitai")
    details = table_of(at, "what", "value").set_index("what")["value"]
    assert details["Groups in Xero"] == "Customer"
    assert details["Xero says"] == "customer, no supplier"


def test_an_address_opens_a_record_and_a_run(service, show, words):
    line = service.record_list("contacts", search="Maitai").lines[0]
    assert "Maitai School" in words(show("contacts", contacts_row=line.row_id, contacts_search="Ltd"))
    run = service.runs(1)[0]
    assert f"Run {run.run}" in words(show("runs", run=run.run))


def test_a_link_that_was_taken_apart_is_taken_back(service, show, words):
    at = show("contacts", contacts_search="Maitai")
    at = click(at, "Take it apart")
    assert "It is not linked, so there are no two sides to compare." in words(at)
    at = click(at, "Take back")
    assert "Taken back\\: link taken apart" in words(at)
    assert service.record_list("contacts", search="Maitai").lines[0].xero_id


def test_a_record_is_verified_live(service, show, words):
    at = select(show("contacts", contacts_search="Maitai"), "contacts_list", 0)
    at = click(at, "Verify")
    assert "every field is the same. Fingerprint" in words(at)


def test_one_contact_is_resynced_below_itself_after_a_look_at_what_would_be_written(service, company, show, words, answer):
    line = service.record_list("contacts", search="Maitai").lines[0]
    company.edit("dataverse", "account", line.crm_id, telephone1="+64 3 555 0999")
    at = select(show("contacts", contacts_search="Maitai"), "contacts_list", 0)
    at = click(at, "Resync this contact…")
    answer(at.session_state[actions.ASKED][-1].id)
    at.run()
    assert "+64 3 555 0999" in table_of(at, "before", "after")["after"].tolist()
    at = click(at, "Write this one")
    asked = at.session_state[actions.ASKED][-1].id
    assert service.request(asked).args["plan"]
    answer(asked)
    at.run()
    assert "What came of it" in words(at)
    assert table_of(at, "status", "remark", "synced")["status"].tolist() == ["● in step"]


def test_a_conflict_of_a_contact_is_decided_here(service, show, monkeypatch):
    told = []
    monkeypatch.setattr(service, "resolve", lambda *given, who: told.append(given))
    at = select(show("contacts", contacts_search="kayaks"), "contacts_list", 0)
    at.segmented_control(key=next(k for k in at.session_state.keys() if k.startswith("keep_"))).set_value("Xero").run()  # noqa: SIM118
    click(at, "Keep the chosen values")
    assert told[0][0] == "contacts"
    assert told[0][2] == {"name": Side.XERO}


@pytest.mark.parametrize(
    ("chosen", "name"), [("Tax rates", "15% GST on Income"), ("Ledger accounts", "Sales"), ("Currencies", "NZD")]
)
def test_master_data_are_mirrored_with_their_state(service, show, chosen, name):
    grid = show("master_data", list=chosen).dataframe[0].value
    assert name in grid["name"].tolist()


def test_prices_and_rates_have_as_many_decimals_each(service, show):
    prices = show("master_data", list="Products").dataframe[0].value["price"].tolist()
    assert prices
    assert {price.partition(".")[2] for price in prices} <= {f"{cents:02}" for cents in range(100)}
    assert "12.50" in show("master_data", list="Tax rates").dataframe[0].value["rate"].tolist()


def test_an_archived_account_is_shown_as_archived(service, show):
    grid = show("master_data", list="Ledger accounts").dataframe[0].value
    states = dict(zip(grid["name"], grid["state"], strict=True))
    assert states["Sales - Picton Shop (closed)"].startswith("archived in Xero")
    assert states["Sales"] == ""


def test_a_pair_is_taken_apart_offered_again_and_kept_apart(service, show, words, monkeypatch):
    line = service.record_list("contacts", search="Maitai").lines[0]
    at = select(show("contacts", contacts_search="Maitai"), "contacts_list", 0)
    at = click(at, "Take it apart")
    [apart] = service.kept_apart()
    assert (apart.crm_id, apart.xero_id, apart.crm_name) == (line.crm_id, line.xero_id, "Maitai School")
    assert "Maitai School in Dynamics and Maitai School in Xero" in words(show("match"))
    click(show("match"), "Let them match")
    assert service.kept_apart() == []

    [candidate] = service.candidates("contacts", Side.CRM, line.crm_id)[:1]
    assert candidate.id == line.xero_id
    assert {"same name", "same email"} <= set(candidate.reasons)
    assert candidate.score > 80
    at = select(show("contacts", contacts_search="Maitai"), "contacts_list", 0)
    at = select(at, "candidates_contacts", 0)
    monkeypatch.setattr(actions, "resync", lambda *_: None)
    click(at, "Link these two")
    assert service.record("contacts", line.row_id).xero_id == line.xero_id


def test_matching_lists_what_has_no_clear_partner(service, show, words):
    at = select(show("match", entity="invoices"), "match_invoices", 0)
    expected = service.record_list("invoices", (Status.NEEDS_REVIEW, Status.MISSING_IN_CRM, Status.MISSING_IN_XERO))
    assert at.dataframe[0].value["name"].tolist() == [line.name for line in expected.lines]
    assert "Link it with a record of Dynamics" in words(at)


def test_a_name_with_markdown_in_it_stays_a_name(service, show, words):
    at = select(show("contacts", contacts_search="Kōwhai"), "contacts_list", 0)
    assert "![logo](" not in "\n".join(each.value for each in (*at.subheader, *at.markdown, *at.caption))
