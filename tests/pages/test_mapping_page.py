"""The mapping page: types and settings are changed with a click, fields and rules are shown as the registry declares them."""

from __future__ import annotations

import pytest

from sync_core.service import ContactType

SECTIONS = ("Relationship types", "Settings", "Tolerance", "Fields", "What is sent")


def test_a_relationship_type_is_changed_and_put_back(service, show, words):
    at = show("mapping")
    labels = at.dataframe[0].value["label"].tolist()
    key = next(k for k in at.session_state.keys() if k.startswith("types_") and "on" not in k)  # noqa: SIM118  # AppTest has no other way
    at.session_state[key] = {"selection": {"rows": [labels.index("Partner")], "columns": []}}
    at.run()
    assert "**Account · Partner**" in words(at)
    at.segmented_control(key="type_account_5_Contact").set_value(ContactType.EMPLOYEE).run()
    assert next(line for line in service.type_mapping().lines if line.label == "Partner").type is ContactType.EMPLOYEE
    next(b for b in at.button if b.label == "Back to the default").click().run()
    assert not next(line for line in service.type_mapping().lines if line.label == "Partner").decided


def test_every_record_with_a_type_is_counted(service, show):
    held = [line.cells.get("type") for line in service.record_list("contacts", limit=1000).lines if line.crm_id]
    counted = show("mapping").dataframe[0].value["records"].tolist()
    assert sum(int(number) for number in counted) == len([code for code in held if code]) > len(counted)


def test_types_are_switched_off_and_on(service, show):
    at = show("mapping")
    at.toggle[0].set_value(False).run()
    assert not service.type_mapping().on
    at.toggle[0].set_value(True).run()
    assert service.type_mapping().on


def test_a_setting_is_chosen_from_what_xero_has_in_use(service, show):
    at = show("mapping", section="Settings")
    box = next(box for box in at.selectbox if box.label == "Ledger account of product lines")
    assert "200 · Sales" in box.options
    box.set_value("200").run()
    assert service.rule_settings()[0].value == "200"
    box = next(box for box in at.selectbox if box.label == "Ledger account of product lines")
    assert box.value == "200"
    box.set_value("").run()
    assert service.rule_settings()[0].value == ""


def test_fields_and_rules_are_those_of_the_registry(service, show):
    at = show("mapping", section="Fields")
    invoices = [rule.label for rule in service.field_rules() if rule.entity == "invoices"]
    assert at.dataframe[0].value["label"].tolist() == invoices
    at.selectbox(key="fields_of").set_value("Every entity").run()
    assert len(at.dataframe[0].value) == len(service.field_rules())
    rules = show("mapping", section="What is sent").dataframe[0].value
    assert len(rules) == len(service.eligibility_rules())


def test_what_does_not_fit_into_a_table_is_written_out_below_it(service, show, words):
    at = show("mapping", section="Fields")
    told = at.dataframe[0].value["words"].tolist()
    longest = max(range(len(told)), key=lambda row: len(told[row]))
    assert told[longest] not in words(at)
    assert "Select a row to read what does not fit into it." in words(at)
    key = next(k for k in at.session_state.keys() if k.startswith("Fields of Dynamics"))  # noqa: SIM118  # AppTest has no other way
    at.session_state[key] = {"selection": {"rows": [longest], "columns": []}}
    assert f"What is done with it: {told[longest]}" in words(at.run())


def test_a_tolerance_is_set_and_taken_away(service, show, words):
    at = show("mapping", section="Tolerance")
    at.text_input(key="tolerance_currency").set_value("EUR")
    at.text_input(key="tolerance_amount").set_value("much")
    next(b for b in at.button if b.label == "Keep it").click().run()
    assert "is no number" in at.error[0].value
    at.text_input(key="tolerance_amount").set_value("0.05")  # and at once, as a person does: no run between typing and clicking
    next(b for b in at.button if b.label == "Keep it").click().run()
    assert [(each.currency, f"{each.absolute:f}") for each in service.tolerances()] == [("EUR", "0.05")]
    at.text_input(key="tolerance_amount").set_value("0")
    next(b for b in at.button if b.label == "Keep it").click().run()
    assert service.tolerances() == ()


@pytest.mark.parametrize("section", ["", "no such section", *SECTIONS])
def test_every_section_draws_before_the_first_sync(fresh, show, section):
    at = show("mapping", section=section)
    assert not at.exception
    assert not at.error
