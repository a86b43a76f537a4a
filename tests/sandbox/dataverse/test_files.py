"""File columns and the deletion of many rows, as Microsoft's clients use them."""

from __future__ import annotations

import base64

import pytest

BODY = "tie_contract"
FILE = {
    "@odata.type": "Microsoft.Dynamics.CRM.FileAttributeMetadata",
    "SchemaName": "tie_Contract",
    "MaxSizeInKB": 1,
    "DisplayName": {"LocalizedLabels": [{"Label": "Contract", "LanguageCode": 1033}]},
}


@pytest.fixture
def place(api):
    """The file column of one account."""
    answer = api.send("POST", "EntityDefinitions(LogicalName='account')/Attributes", FILE)
    assert answer.status_code == 204, answer.text
    return f"accounts({api.create('accounts', {'name': 'With a file'})})/{BODY}"


def named(name="contract.txt", **more):
    return {"x_ms_file_name": name, "Content_Type": "application/octet-stream", **more}


def test_a_file_in_one_piece(api, place):
    assert api.send("GET", place).status_code == 204
    assert api.send("PATCH", place, b"signed", **named()).status_code == 204
    row = api.get(f"{place.partition('/')[0]}?$select={BODY},{BODY}_name")
    assert (row[f"{BODY}_name"], len(row[BODY])) == ("contract.txt", 36)
    raw = api.send("GET", f"{place}/$value")
    assert (raw.content, raw.headers["x-ms-file-name"], raw.headers["x-ms-file-size"]) == (b"signed", "contract.txt", "6")
    part, coded = (api.send("GET", path, Range="bytes=2-90") for path in (f"{place}/$value", place))
    assert (part.status_code, part.content, part.headers["Content-Range"]) == (206, b"gned", "bytes 2-5/6")
    assert (coded.status_code, base64.b64decode(coded.json()["value"])) == (206, b"gned")
    assert base64.b64decode(api.get(place)["value"]) == b"signed"
    assert api.send("DELETE", place).status_code == 204
    assert api.send("GET", f"{place}/$value").status_code == 204


def test_a_file_in_blocks(api, place):
    begun = api.send("PATCH", f"{place}?x-ms-file-name=a%20b.txt", b"", x_ms_transfer_mode="chunked")
    where = begun.headers["Location"]
    assert int(begun.headers["x-ms-chunk-size"]) > 0
    first = api.send("PATCH", where, b"sig", **named(Content_Range="bytes 0-2/6"))
    wrong = api.send("PATCH", where, b"ned", **named(Content_Range="bytes 4-6/6"))
    last = api.send("PATCH", where, b"ned", **named(Content_Range="bytes 3-5/6"))
    assert [answer.status_code for answer in (first, wrong, last)] == [206, 400, 204]
    assert api.send("GET", f"{place}/$value").content == b"signed"
    assert api.send("PATCH", where, b"x", **named(Content_Range="bytes 0-0/1")).status_code == 404


def test_refused_files(api, place):
    assert api.send("PATCH", place, b"x" * 2000, **named()).status_code == 400
    assert api.send("PATCH", place, b"x").status_code == 400
    assert api.send("POST", place, b"x", **named()).status_code == 405
    account = place.partition("/")[0]
    api.patch(account, {f"{BODY}_name": "x"})
    assert api.get(f"{account}?$select={BODY}_name")[f"{BODY}_name"] is None


def test_the_definition_of_a_file_column(api, place):
    column = api.get(f"EntityDefinitions(LogicalName='account')/Attributes(LogicalName='{BODY}')")
    assert (column["AttributeType"], column["AttributeTypeName"]["Value"], column["MaxSizeInKB"]) == ("Virtual", "FileType", 1)
    assert api.send("DELETE", f"EntityDefinitions(LogicalName='account')/Attributes(LogicalName='{BODY}')").status_code == 204
    assert api.refused("GET", f"accounts?$select={BODY}_name")[0] == 400


def query(*conditions, **more):
    return {
        "QuerySet": [{"EntityName": "account", "Criteria": {"FilterOperator": "And", "Conditions": list(conditions)}, **more}]
    }


def test_many_rows_are_deleted_at_once(api):
    ids = [api.create("accounts", {"name": f"Gone {n}"}) for n in range(3)]
    wanted = [{"Value": i, "Type": "System.Guid"} for i in ids[:2]]
    answer = api.send("POST", "BulkDelete", query({"AttributeName": "accountid", "Operator": "In", "Values": wanted}))
    assert (answer.status_code, len(answer.json()["JobId"])) == (200, 36)
    assert [row["name"] for row in api.rows("accounts?$filter=startswith(name,'Gone')")] == ["Gone 2"]
    begins = {"AttributeName": "name", "Operator": "BeginsWith", "Values": [{"Value": "Gone"}]}
    assert api.send("POST", "BulkDelete", query(begins)).status_code == 200
    assert api.rows("accounts?$filter=startswith(name,'Gone')") == []


def test_refused_deletions_change_nothing(api):
    count = len(api.rows("accounts"))
    everybody = {"AttributeName": "name", "Operator": "NotNull", "Values": []}
    assert api.refused("POST", "BulkDelete", query(everybody))[0] == 405
    for wrong in ({}, {"QuerySet": [5]}, query(5), query(everybody, Criteria=5), query({**everybody, "Values": 5})):
        assert 400 <= api.refused("POST", "BulkDelete", wrong)[0] < 500
    assert api.refused("POST", "BulkDelete", query({**everybody, "AttributeName": "nmae"}))[0] == 400
    assert len(api.rows("accounts")) == count
