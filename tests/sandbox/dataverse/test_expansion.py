"""``$expand`` as Microsoft's page on joining tables tells it: links, pages, references and refused options."""

from __future__ import annotations

import pytest

ONE = "accounts?$select=name&$filter=name eq 'Acme Ltd'&$expand="
ONLY = "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship or nested"


def people(api, count=3):
    parent = api.id_of("accounts", "name eq 'Acme Ltd'")
    for number in range(count):
        api.create("contacts", {"lastname": f"P{number}", "parentcustomerid_account@odata.bind": f"/accounts({parent})"})
    return parent


def test_an_expanded_collection_comes_whole_with_a_link_to_itself(api):
    parent = people(api)
    asked = "contact_customer_accounts($select=lastname;$filter=startswith(lastname,'P');$orderby=lastname desc)"
    row = api.get(ONE + asked, Prefer="odata.maxpagesize=1")["value"][0]
    shown = row["contact_customer_accounts"]
    assert [member["lastname"] for member in shown] == ["P2", "P1", "P0"]
    assert {member["_parentcustomerid_value"] for member in shown} == {parent}
    link = row["contact_customer_accounts@odata.nextLink"]
    assert f"accounts({parent})/contact_customer_accounts?$select=lastname&$filter=" in link
    assert [member["lastname"] for member in api.rows(link)] == ["P2", "P1", "P0"]


def test_a_nested_expansion_pages_the_collections(api):
    people(api)
    asked = "contact_customer_accounts($select=lastname;$filter=startswith(lastname,'P');$expand=owninguser($select=fullname))"
    row = api.get(ONE + asked, Prefer="odata.maxpagesize=2")["value"][0]
    first, link = row["contact_customer_accounts"], row["contact_customer_accounts@odata.nextLink"]
    assert "$skiptoken=" in link
    second = api.get(link, Prefer="odata.maxpagesize=2")
    assert "@odata.nextLink" not in second
    assert [sorted(member) for member in first] == [["contactid", "lastname", "owninguser"]] * 2
    assert sorted(member["lastname"] for member in [*first, *second["value"]]) == ["P0", "P1", "P2"]


def test_a_single_row_has_no_etag_and_may_be_a_reference(api):
    contact = api.id_of("contacts", "lastname eq 'Day'")
    account = api.id_of("accounts", "name eq 'Acme Ltd'")
    api.patch(f"accounts({account})", {"primarycontactid@odata.bind": f"/contacts({contact})"})
    row = api.rows(f"{ONE}primarycontactid($select=lastname),createdby/$ref")[0]
    assert row["primarycontactid"] == {"lastname": "Day", "contactid": contact}
    assert row["createdby"]["@odata.id"].endswith(f"/systemusers({row['_createdby_value']})")
    assert api.rows("accounts?$filter=name ne 'Acme Ltd'&$expand=primarycontactid/$ref")[0]["primarycontactid"] is None


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("contact_customer_accounts/$ref", "Expand with $ref is only supported on lookup type navigation property."),
        ("primarycontactid($top=1)", ONLY),
        ("contact_customer_accounts($orderby=lastname;$expand=owninguser)", ONLY),
        ("contact_customer_accounts($top=1),primarycontactid($expand=owninguser)", ONLY),
        ("primarycontactid($levels=2)", "$levels"),
        ("contact_customer_accounts($skip=1)", "$skip"),
    ],
)
def test_options_that_an_expansion_does_not_take(api, asked, says):
    response = api.send("GET", ONE + asked)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "0x80060888")
    assert says in response.json()["error"]["message"]


def test_columns_of_one_row_are_compared(api):
    for last in ("Kai", "Moana"):
        api.create("contacts", {"firstname": "kai", "lastname": last})
    assert [r["lastname"] for r in api.rows("contacts?$select=lastname&$filter=firstname eq lastname")] == ["Kai"]
    found = api.rows("contacts?$select=lastname&$filter=firstname lt lastname and firstname eq 'kai'")
    assert [r["lastname"] for r in found] == ["Moana"]
    assert api.refused("GET", "contacts?$filter=firstname eq statecode")[0] == 400
    assert api.refused("GET", "contacts?$filter=firstname eq nothing")[0] == 400
    assert api.rows("accounts?$filter=creditlimit gt 1.5E3 or name eq 'Acme Ltd'&$select=name")
