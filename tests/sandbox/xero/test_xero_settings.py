"""Contacts, groups, accounts, items, tax rates, currencies, tracking, and what people do by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from xero_api import line

from sync_core.sandbox.xero import merge_contacts

D = Decimal


def contact(api, name="Kauri Ltd", **values):
    return api.one("PUT", "Contacts", {"Contacts": [{"Name": name, **values}]})


def test_a_contact_is_found_by_its_number(api):
    made = contact(api, ContactNumber="crm-7")
    assert api.row("Contacts", "CRM-7")["ContactID"] == made["ContactID"]


def test_post_updates_by_number_then_by_name(api):
    made = contact(api, ContactNumber="crm-7")
    by_number = api.one("POST", "Contacts", {"ContactNumber": "crm-7", "Name": "Kauri 2"})
    by_name = api.one("POST", "Contacts", {"Name": "kauri 2", "FirstName": "Ana"})
    assert by_number["ContactID"] == by_name["ContactID"] == made["ContactID"]
    assert (by_name["Name"], by_name["FirstName"], by_name["ContactNumber"]) == ("kauri 2", "Ana", "crm-7")


REFUSED = [
    ({"Name": ""}, "contact name must be specified"),
    ({"Name": "KAURI ltd"}, "already assigned to another contact"),
    ({"Name": "New", "ContactNumber": "CRM-7"}, "already linked to another contact"),
    ({"Name": "New", "EmailAddress": "not an address"}, "Email address must be valid"),
    ({"Name": "x" * 256}, "Name field cannot be longer than 255"),
    ({"Name": "New", "Phones": [{"PhoneType": "PIGEON"}]}, "PhoneType 'PIGEON' is not valid"),
    ({"Name": "New", "DefaultCurrency": "GBP"}, "not subscribed to currency GBP"),
]


@pytest.mark.parametrize(("body", "text"), REFUSED)
def test_a_contact_that_breaks_a_rule_is_refused(api, body, text):
    contact(api, ContactNumber="crm-7")
    assert text in api.refused("PUT", "Contacts", body)[0]


def test_a_name_is_free_again_once_its_contact_is_archived(api):
    first = contact(api)
    archived = api.one("POST", f"Contacts/{first['ContactID']}", {"ContactStatus": "ARCHIVED"})
    assert archived["ContactStatus"] == "ARCHIVED"
    contact(api)
    text = api.refused("POST", f"Contacts/{first['ContactID']}", {"ContactStatus": "ACTIVE"})[0]
    assert "already assigned" in text


def test_phones_and_addresses_keep_their_places(api):
    made = contact(api, Phones=[{"PhoneType": "MOBILE", "PhoneNumber": "021 1"}])
    after = api.one("POST", f"Contacts/{made['ContactID']}", {"Phones": [{"PhoneType": "FAX", "PhoneNumber": "03 2"}]})
    assert [(p["PhoneType"], p["PhoneNumber"]) for p in after["Phones"]] == [
        ("DEFAULT", ""),
        ("DDI", ""),
        ("FAX", "03 2"),
        ("MOBILE", "021 1"),
    ]
    assert [a["AddressType"] for a in after["Addresses"]] == ["STREET", "POBOX"]


def test_flags_follow_the_first_document_and_move_no_stamp(api):
    made = contact(api)
    api.invoice(Contact={"ContactID": made["ContactID"]})
    api.invoice(Contact={"ContactID": made["ContactID"]}, Type="ACCPAY", InvoiceNumber="S-1")
    after = api.row("Contacts", made["ContactID"])
    assert (after["IsCustomer"], after["IsSupplier"]) == (True, True)
    assert (made["IsCustomer"], after["UpdatedDateUTC"]) == (False, made["UpdatedDateUTC"])


def test_groups_hold_contacts_and_show_them_one_at_a_time(api):
    members = [{"ContactID": contact(api, name)["ContactID"]} for name in ("A", "B")]
    group = api.one("PUT", "ContactGroups", {"ContactGroups": [{"Name": "Vendors"}]})
    where = f"ContactGroups/{group['ContactGroupID']}"
    assert len(api.good("PUT", f"{where}/Contacts", {"Contacts": members})["Contacts"]) == 2
    listed = next(g for g in api.get("ContactGroups")["ContactGroups"] if g["Name"] == "Vendors")
    assert listed["Contacts"] == []
    assert [c["Name"] for c in api.one("GET", where)["Contacts"]] == ["A", "B"]
    assert api.row("Contacts", members[0]["ContactID"])["ContactGroups"][0]["Name"] == "Vendors"
    assert api.send("DELETE", f"{where}/Contacts/{members[0]['ContactID']}").status_code == 204
    assert api.send("DELETE", f"{where}/Contacts/{members[0]['ContactID']}").status_code == 404
    assert [c["Name"] for c in api.one("GET", where)["Contacts"]] == ["B"]
    assert api.send("DELETE", f"{where}/Contacts").status_code == 204
    assert api.one("GET", where)["Contacts"] == []


def test_a_deleted_group_is_no_longer_listed_and_frees_its_name(api):
    group = api.one("PUT", "ContactGroups", {"Name": "Vendors"})
    assert "already exists" in api.refused("PUT", "ContactGroups", {"Name": "vendors"})[0]
    api.one("POST", f"ContactGroups/{group['ContactGroupID']}", {"Status": "DELETED"})
    assert "Vendors" not in {g["Name"] for g in api.get("ContactGroups")["ContactGroups"]}
    assert api.one("PUT", "ContactGroups", {"Name": "Vendors"})["Status"] == "ACTIVE"


def test_merged_contacts_point_to_the_one_that_stays(api):
    loser, survivor = contact(api, "Old"), contact(api, "New")
    made = api.invoice(Contact={"ContactID": loser["ContactID"]})
    merge_contacts(api.kernel, loser["ContactID"], survivor["ContactID"])
    gone = api.row("Contacts", loser["ContactID"])
    assert (gone["ContactStatus"], gone["MergedToContactID"]) == ("ARCHIVED", survivor["ContactID"])
    assert api.row("Invoices", made["InvoiceID"])["Contact"]["ContactID"] == survivor["ContactID"]
    assert api.row("Contacts", survivor["ContactID"])["IsCustomer"] is True


def test_accounts(api):
    made = api.one("PUT", "Accounts", {"Code": "201", "Name": "Repairs", "Type": "SALES", "TaxType": "OUTPUT2"})
    assert (made["Class"], made["Status"]) == ("REVENUE", "ACTIVE")
    assert api.refused("PUT", "Accounts", {"Code": "201", "Name": "Repairs", "Type": "SALES"}) == [
        "Please enter a unique Code.",
        "Please enter a unique Name.",
    ]
    where = f"Accounts/{made['AccountID']}"
    assert api.one("POST", where, {"Status": "ARCHIVED"})["Status"] == "ARCHIVED"
    assert "Account code '201' has been archived" in api.refused("PUT", "Invoices", _invoice("201"))[0]
    assert api.one("POST", where, {"Status": "ACTIVE"})["Status"] == "ACTIVE"
    assert api.one("DELETE", where)["Status"] == "DELETED"


def _invoice(code):
    body = {"Type": "ACCREC", "Contact": {"Name": "R"}, "DueDate": "2026-12-01", "Status": "AUTHORISED"}
    return {**body, "LineItems": [line("1", AccountCode=code)]}


def test_accounts_in_use_and_system_accounts_stay(api):
    by_code = {row["Code"]: row["AccountID"] for row in api.get("Accounts")["Accounts"]}
    assert "in use" in api.refused("DELETE", f"Accounts/{by_code['200']}")[0]
    assert "system account" in api.refused("POST", f"Accounts/{by_code['610']}", {"Status": "ARCHIVED"})[0]


def test_a_bank_account_needs_a_number(api):
    assert "bank account number" in api.refused("PUT", "Accounts", {"Code": "091", "Name": "Till", "Type": "BANK"})[0]


def test_items_come_and_go_without_a_trace(api):
    body = {"Code": "TOOL", "Name": "Tool", "SalesDetails": {"UnitPrice": "12.3456", "AccountCode": "200"}}
    made = api.one("PUT", "Items", body, unitdp=4)
    assert str(api.one("GET", "Items/tool")["SalesDetails"]["UnitPrice"]) == "12.35"
    assert str(api.one("GET", "Items/tool", unitdp=4)["SalesDetails"]["UnitPrice"]) == "12.3456"
    assert "already exists" in api.refused("PUT", "Items", body)[0]
    assert api.one("POST", "Items", {"Code": "TOOL", "Name": "Better"})["ItemID"] == made["ItemID"]
    assert api.send("DELETE", f"Items/{made['ItemID']}").status_code == 204
    assert api.send("GET", "Items/TOOL").status_code == 404
    assert len(api.get("Items")["Items"]) == len(api.store["Items"])


@pytest.mark.parametrize(("field", "length"), [("Code", 31), ("Name", 51)])
def test_item_texts_have_their_length(api, field, length):
    body = {"Code": "T", "Name": "T", field: "x" * length}
    assert f"{field} field cannot be longer" in api.refused("PUT", "Items", body)[0]


def test_tax_rates_of_the_organisation_are_numbered(api):
    parts = [{"Name": "State", "Rate": 5}, {"Name": "City", "Rate": 10, "IsCompound": True}]
    made = api.one("PUT", "TaxRates", {"Name": "Both", "ReportTaxType": "OUTPUT", "TaxComponents": parts})
    assert (made["TaxType"], made["EffectiveRate"]) == ("TAX002", D("15.5"))
    assert (made["CanApplyToRevenue"], made["CanApplyToExpenses"]) == (True, False)
    assert api.invoice(line("100.00", TaxType="TAX002"))["TotalTax"] == D("15.50")
    gone = api.one("POST", "TaxRates", {"TaxType": "TAX002", "Name": "Both", "Status": "DELETED"})
    assert gone["Status"] == "DELETED"
    assert "does not exist" in api.refused("PUT", "Invoices", _taxed("TAX002"))[0]
    assert "Only tax rates" in api.refused("POST", "TaxRates", {"TaxType": "OUTPUT2", "Status": "DELETED"})[0]


def _taxed(kind):
    body = _invoice("200")
    body["LineItems"][0]["TaxType"] = kind
    return body


def test_currencies_are_subscribed_once(api):
    assert api.one("PUT", "Currencies", {"Code": "GBP"})["Description"] == "British Pound"
    assert "already subscribed" in api.refused("PUT", "Currencies", {"Code": "GBP"})[0]
    assert api.invoice(CurrencyCode="GBP")["CurrencyCode"] == "GBP"


def test_tracking(api):
    region = api.one("PUT", "TrackingCategories", {"Name": "Region"})
    where = f"TrackingCategories/{region['TrackingCategoryID']}"
    option = api.one("PUT", f"{where}/Options", {"Name": "North"})
    made = api.invoice(line("5", Tracking=[{"Name": "Region", "Option": "North"}]))
    assert made["LineItems"][0]["Tracking"][0]["TrackingOptionID"] == option["TrackingOptionID"]
    assert "could not be found" in api.refused("PUT", "Invoices", _tracked("South"))[0]
    renamed = api.one("POST", f"{where}/Options/{option['TrackingOptionID']}", {"Name": "Northern"})
    assert renamed["Name"] == "Northern"
    api.one("PUT", "TrackingCategories", {"Name": "Team"})
    assert "two active" in api.refused("PUT", "TrackingCategories", {"Name": "Third"})[0]
    assert api.one("DELETE", where)["Status"] == "DELETED"


def test_every_option_of_a_category_has_a_name_of_its_own(api):
    for options, said in [([{"Status": "ACTIVE"}], "must be specified"), ([{"Name": "A"}, {"Name": "A"}], "exists")]:
        assert said in api.refused("PUT", "TrackingCategories", {"Name": "Region", "Options": options})[0]
    made = api.one("PUT", "TrackingCategories", {"Name": "Region", "Options": [{"Name": "A"}, {"Name": "B"}]})
    refused = api.refused("PUT", f"TrackingCategories/{made['TrackingCategoryID']}/Options", {"Name": "B"})
    assert "exists" in refused[0]


def _tracked(option):
    body = _invoice("200")
    body["LineItems"][0]["Tracking"] = [{"Name": "Region", "Option": option}]
    return body


def test_branding_themes_are_read_only(api):
    themes = api.get("BrandingThemes")["BrandingThemes"]
    assert [theme["SortOrder"] for theme in themes] == list(range(len(themes)))
    assert api.invoice(BrandingThemeID=themes[0]["BrandingThemeID"])["BrandingThemeID"] == themes[0]["BrandingThemeID"]


def test_seeded_contacts_carry_no_link(api):
    assert all("ContactNumber" not in row for row in api.get("Contacts", page=1)["Contacts"])
