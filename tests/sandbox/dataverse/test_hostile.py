"""What no honest client sends still gets an answer that says what is wrong, never a crash."""

from __future__ import annotations

import pytest

ACCOUNT = "EntityDefinitions(LogicalName='account')"
POSTS = [
    "accounts",
    "Merge",
    "RecalculatePrice",
    "DeleteOQOILineWithSkipPricingCalculation",
    "CreateEntities",
    "BulkDelete",
    "CreateCustomerRelationships",
    "EntityDefinitions",
    "RelationshipDefinitions",
    f"{ACCOUNT}/Attributes",
    f"{ACCOUNT}/Keys",
    "accounts/Microsoft.Dynamics.CRM.CreateMultiple",
    "accounts/Microsoft.Dynamics.CRM.UpdateMultiple",
    "accounts/Microsoft.Dynamics.CRM.UpsertMultiple",
]


@pytest.mark.parametrize(
    "body", ["[]", "5", '"x"', "null", "{", '{"@odata.type":5,"x":1}', '{"Targets":[5]}', '{"Entities":[5]}']
)
@pytest.mark.parametrize("path", POSTS)
def test_odd_bodies(api, path, body):
    answer = api.send("POST", path, body)
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "path",
    [
        "accounts(",
        "accounts()",
        "accounts(')",
        "accounts(name='x')",
        "accounts(a='b',c)",
        "accounts(x)/$ref",
        "EntityDefinitions()",
        "EntityDefinitions(5)",
        f"{ACCOUNT}/Nothing",
        f"{ACCOUNT}/Attributes()",
        "RelationshipDefinitions(SchemaName='x')",
        "accounts?$filter='",
        "accounts?$filter=((((",
        "accounts?$filter=name/x eq 1",
        "accounts?$expand=(",
        "accounts?$orderby=,",
        "accounts?$deltatoken=",
        "accounts?$skiptoken=%3Ccookie%20pagenumber=%22x%22%20/%3E&$filter=",
        "%00",
    ],
)
def test_odd_addresses(api, path):
    assert api.send("GET", path).status_code in (200, 400, 404)


@pytest.mark.parametrize("text", ["a\x00b", "\x1b[31m"])
def test_control_characters_are_refused(api, text):
    assert api.refused("POST", "accounts", {"name": text}) == (400, "0x80040216")


def test_half_a_surrogate_pair_is_refused(api):
    assert api.refused("POST", "accounts", '{"name": "\\ud83d"}') == (400, "0x80040216")


@pytest.mark.parametrize(
    "text", ["=HYPERLINK(1)", "<script>", "'; drop", "\u202eright to left", "tab\tand\nline", "100 % & + #"]
)
def test_hostile_text_is_just_text(api, text):
    row = api.create("accounts", {"name": text})
    assert api.get(f"accounts({row})?$select=name")["name"] == text


def test_length_is_counted_as_the_database_does(api):
    assert api.refused("POST", "accounts", {"name": "😀" * 81}) == (400, "0x80044331")
    api.create("accounts", {"name": "😀" * 80})


def test_users_stay_and_a_state_is_never_nothing(api):
    assert api.refused("DELETE", f"systemusers({api.user})") == (405, "0x80040800")
    acme = api.id_of("accounts", "name eq 'Acme Ltd'")
    assert api.refused("PATCH", f"accounts({acme})", {"statecode": None}) == (400, "0x80040203")
