"""Many-to-many relationships: made, described, and bringing rows together and apart."""

from __future__ import annotations

import pytest

NAME = "tie_account_contact"
BODY = {
    "@odata.type": "Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata",
    "SchemaName": NAME,
    "Entity1LogicalName": "account",
    "Entity2LogicalName": "contact",
    "IntersectEntityName": NAME,
}
KEY = f"RelationshipDefinitions(SchemaName='{NAME}')"


@pytest.fixture
def joined(api):
    """The API with the relationship, an account and two contacts."""
    assert api.send("POST", "RelationshipDefinitions", BODY).status_code == 204
    contacts = [f"contacts({api.create('contacts', {'lastname': name})})" for name in ("Day", "Night")]
    return api, f"accounts({api.create('accounts', {'name': 'Both'})})", contacts


def names(api, path):
    return [row["lastname"] for row in api.rows(path)]


def test_rows_are_brought_together_and_apart(joined):
    api, account, contacts = joined
    for contact in contacts:
        body = {"@odata.id": f"http://testserver/api/data/v9.2/{contact}"}
        assert [api.send("POST", f"{account}/{NAME}/$ref", body).status_code for _ in range(2)] == [204, 204]
    assert names(api, f"{account}/{NAME}?$select=lastname&$orderby=lastname") == ["Day", "Night"]
    assert names(api, f"{account}/{NAME}?$filter=lastname eq 'Day'") == ["Day"]
    assert api.send("GET", f"{account}/{NAME}/$count").text.lstrip("\ufeff") == "2"
    assert [row["@odata.id"].rpartition("/")[2] for row in api.rows(f"{account}/{NAME}/$ref")] == sorted(contacts)
    assert [row["name"] for row in api.rows(f"{contacts[0]}/{NAME}?$select=name")] == ["Both"]
    shown = api.get(f"{account}?$select=name&$expand={NAME}($select=lastname;$orderby=lastname)")
    assert [row["lastname"] for row in shown[NAME]] == ["Day", "Night"]
    inside = contacts[0].removeprefix("contacts")
    assert api.send("DELETE", f"{account}/{NAME}{inside}/$ref").status_code == 204
    assert api.send("DELETE", f"{contacts[1]}/{NAME}/$ref?$id={account}").status_code == 204
    assert names(api, f"{account}/{NAME}") == []


def test_a_deleted_row_is_no_longer_there(joined):
    api, account, contacts = joined
    api.send("POST", f"{account}/{NAME}/$ref", {"@odata.id": f"/{contacts[0]}"})
    assert api.send("DELETE", contacts[0]).status_code == 204
    assert names(api, f"{account}/{NAME}") == []


def test_the_definition(joined):
    api, account, _ = joined
    found = api.get(KEY)
    assert (found["@odata.type"].rpartition(".")[2], found["IntersectEntityName"]) == ("ManyToManyRelationshipMetadata", NAME)
    assert (found["Entity1LogicalName"], found["Entity2IntersectAttribute"]) == ("account", "contactid")
    cast = "RelationshipDefinitions/Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata"
    assert [row["SchemaName"] for row in api.rows(cast)] == [NAME]
    below = "EntityDefinitions(LogicalName='contact')/ManyToManyRelationships?$select=SchemaName"
    assert [row["SchemaName"] for row in api.rows(below)] == [NAME]
    assert api.send("DELETE", f"RelationshipDefinitions({found['MetadataId']})").status_code == 204
    assert api.send("GET", KEY).status_code == api.send("GET", f"{account}/{NAME}").status_code == 404


def test_refused_relationships(joined):
    api, account, contacts = joined
    assert api.refused("POST", "RelationshipDefinitions", BODY) == (400, "0x80044362")
    assert api.refused("POST", "RelationshipDefinitions", {**BODY, "SchemaName": "tie_x", "Entity1LogicalName": "x"})[0] == 404
    assert (
        api.refused("POST", "RelationshipDefinitions", {**BODY, "SchemaName": "tie_x", "IntersectEntityName": "account"})[0]
        == 400
    )
    assert api.refused("POST", f"{account}/{NAME}/$ref", {"@odata.id": f"/{account}"})[0] == 400
    assert api.refused("POST", f"{account}/{NAME}", {"lastname": "x"})[0] == 405
    assert api.refused("PUT", f"{account}/{NAME}/$ref", {"@odata.id": f"/{contacts[0]}"})[0] == 405
