"""Create, read, update, upsert and delete of single rows, and the conditions a caller may attach."""

from __future__ import annotations

import pytest
from dataverse_client import GUID, SERVICE, exact, new_invoice, write_in

NEW = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def keyed(api):
    """Accounts with an alternate key ``tie_xeroid`` that is ready."""
    attribute = {"@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata", "SchemaName": "tie_XeroId"}
    path = "EntityDefinitions(LogicalName='account')"
    assert api.send("POST", f"{path}/Attributes", attribute | {"MaxLength": 36}).status_code == 204
    key = {"SchemaName": "tie_xeroid_key", "KeyAttributes": ["tie_xeroid"]}
    assert api.send("POST", f"{path}/Keys", key).status_code == 204
    statuses = [api.rows(f"{path}/Keys")[0]["EntityKeyIndexStatus"] for _ in range(2)]
    assert statuses == ["Pending", "Active"]
    return api


def test_create_answers_with_the_address_or_the_row(api):
    bare = api.send("POST", "accounts", {"name": "New"})
    assert (bare.status_code, bare.content) == (204, b"")
    assert bare.headers["OData-EntityId"].startswith(f"{SERVICE}accounts(")
    full = api.send("POST", "accounts?$select=name", {"name": "New"}, Prefer="return=representation")
    assert (full.status_code, full.json()["name"]) == (201, "New")
    assert "OData-EntityId" not in full.headers


def test_deep_insert_creates_lines_with_their_invoice(api):
    invoice = new_invoice(api, invoice_details=[write_in(None, 10), write_in(None, 5, 2)])
    body = api.get(f"invoices({invoice})?$select=totalamount&$expand=invoice_details($select=quantity)")
    assert (body["totalamount"], len(body["invoice_details"])) == (20, 2)


def test_a_bad_nested_line_undoes_the_invoice(api):
    before = api.get("invoices?$count=true")["@odata.count"]
    acme = api.id_of("accounts", "name eq 'Acme Ltd'")
    bad = {"name": "x", "customerid_account@odata.bind": f"/accounts({acme})", "invoice_details": [{"quantity": 1}]}
    assert api.refused("POST", "invoices", bad) == (400, "0x80040265")
    assert api.get("invoices?$count=true")["@odata.count"] == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"nmae": "x"}, "0x80048d19"),
        ({"Name": "x"}, "0x80048d19"),
        ({"name": "x" * 161}, "0x80044331"),
        ({"name": 5}, "0x80048d19"),
        ({"creditlimit": "5"}, "0x80048d19"),
        ({"creditlimit": -1}, "0x80044330"),
        ({"creditonhold": 1}, "0x80048d19"),
        ({"paymenttermscode": 9}, "0x8004431a"),
        ({"primarycontactid": NEW}, "0x80048d19"),
        ({"_primarycontactid_value": NEW}, "0x80048d19"),
        ({"PrimaryContactId@odata.bind": None}, "0x80048d19"),
        ({"primarycontactid@odata.bind": "/accounts(x)"}, "0x80060888"),
        ("{not json", "0x80048d19"),
        ('{"creditlimit": NaN}', "0x80048d19"),
        ([], "0x80048d19"),
    ],
)
def test_bad_bodies(api, body, code):
    acme = api.id_of("accounts", "name eq 'Acme Ltd'")
    assert api.refused("PATCH", f"accounts({acme})", body) == (400, code)


@pytest.mark.parametrize(
    ("column", "sent", "read"),
    [
        ("duedate", "2026-01-02", "2026-01-02"),
        ("datedelivered", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("datedelivered", "2026-01-02T03:04:05.678+13:00", "2026-01-01T14:04:05Z"),
        ("datedelivered", "2026-01-02", "2026-01-02T00:00:00Z"),
        ("duedate", "2026-01-02T00:00:00Z", 400),
        ("duedate", "2026-02-30", 400),
        ("datedelivered", "1066-10-14T00:00:00Z", 400),
        ("description", "", None),
        ("description", "Ünïcode <b>=1+1", "Ünïcode <b>=1+1"),
    ],
)
def test_values_as_they_come_back(api, column, sent, read):
    invoice = new_invoice(api)
    answer = api.send("PATCH", f"invoices({invoice})", {column: sent})
    if read == 400:
        assert answer.status_code == 400
    else:
        assert api.get(f"invoices({invoice})?$select={column}")[column] == read


def test_a_full_name_is_built_and_cannot_be_written(api):
    cara = api.id_of("contacts", "lastname eq 'Day'")
    api.patch(f"contacts({cara})", {"firstname": "Zoe", "fullname": "Somebody Else"})
    assert api.get(f"contacts({cara})?$select=fullname")["fullname"] == "Zoe Day"


def test_a_write_of_equal_values_still_makes_a_version(api, kernel):
    acme = api.id_of("accounts", "name eq 'Acme Ltd'")
    before = api.get(f"accounts({acme})")
    kernel.clock.advance(60)
    api.patch(f"accounts({acme})", {"name": "Acme Ltd"})
    after = api.get(f"accounts({acme})")
    assert after["versionnumber"] > before["versionnumber"]
    assert (after["modifiedon"], after["_modifiedby_value"]) == ("2026-11-20T09:01:00Z", api.user)
    assert after["createdon"] == before["createdon"]


def test_lookups_are_bound_read_and_cleared(api):
    acme, cara = api.id_of("accounts", "name eq 'Acme Ltd'"), api.id_of("contacts", "lastname eq 'Day'")
    clearings = [
        ("PATCH", f"accounts({acme})", {"primarycontactid@odata.bind": None}),
        ("PATCH", f"accounts({acme})", {"primarycontactid": None}),
        ("DELETE", f"accounts({acme})/primarycontactid/$ref", None),
    ]
    for method, path, body in clearings:
        api.patch(f"accounts({acme})", {"primarycontactid@odata.bind": f"{SERVICE}contacts({cara})"})
        assert api.get(f"accounts({acme})/primarycontactid?$select=fullname")["fullname"] == "Cara Day"
        assert api.send(method, path, body).status_code == 204
        assert api.get(f"accounts({acme})")["_primarycontactid_value"] is None


def test_references_are_read_and_taken_away_by_address(api):
    """As dynamics-web-api does: the address of the other row is in ``$id``."""
    acme, cara = api.id_of("accounts", "name eq 'Acme Ltd'"), api.id_of("contacts", "lastname eq 'Day'")
    below, address = f"accounts({acme})/contact_customer_accounts", f"{SERVICE}contacts({cara})"
    api.patch(f"accounts({acme})", {"primarycontactid@odata.bind": address})
    assert api.get(f"accounts({acme})/primarycontactid/$ref")["@odata.id"] == address
    assert api.get(f"{below}/$ref")["value"] == [{"@odata.id": address}]
    assert api.send("DELETE", f"{below}/$ref?$id={address}").status_code == 204
    assert api.get(f"{below}/$ref")["value"] == []
    assert api.send("POST", f"accounts({acme})/primarycontactid/$ref", {"@odata.id": address}).status_code == 405


def test_a_reference_to_nothing_is_not_found(api):
    body = {"name": "x", "primarycontactid@odata.bind": f"/contacts({NEW})"}
    assert api.refused("POST", "accounts", body) == (404, "0x80040217")


def test_a_polymorphic_lookup_shows_its_table(api):
    prefer = 'odata.include-annotations="*"'
    row = api.rows("invoices?$filter=name eq 'Invoice HP-2'&$select=_customerid_value", Prefer=prefer)[0]
    assert row["_customerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "contact"
    assert row["_customerid_value@Microsoft.Dynamics.CRM.associatednavigationproperty"] == "customerid_contact"
    assert row["_customerid_value@OData.Community.Display.V1.FormattedValue"] == "Cara Day"


def test_single_properties(api):
    acme = api.id_of("accounts", "name eq 'Acme Ltd'")
    assert api.send("PUT", f"accounts({acme})/name", {"value": "Acme 2"}).status_code == 204
    assert api.get(f"accounts({acme})/name")["value"] == "Acme 2"
    assert api.send("DELETE", f"accounts({acme})/telephone1").status_code == 204
    assert api.send("GET", f"accounts({acme})/telephone1").status_code == 204


def test_delete_then_not_found(api):
    new = api.create("accounts", {"name": "Brief"})
    assert api.send("DELETE", f"accounts({new})").status_code == 204
    for method in ("GET", "DELETE"):
        assert api.refused(method, f"accounts({new})") == (404, "0x80040217")


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "accounts"), ("DELETE", "accounts"), ("GET", "Merge"), ("POST", "WhoAmI")]
)
def test_verbs_that_do_not_fit(api, method, path):
    assert api.send(method, path, {}).status_code == 405


@pytest.mark.parametrize("path", ["acounts", "Accounts", f"accounts({NEW})/nothing", "DoSomething"])
def test_unknown_paths(api, path):
    assert api.send("GET", path).status_code == 404


def test_a_client_may_choose_the_id(api):
    assert api.create("accounts", {"accountid": NEW, "name": "Mine"}) == NEW
    assert api.refused("POST", "accounts", {"accountid": NEW, "name": "Again"}) == (412, "0x80040237")


def test_patch_on_a_free_id_creates_unless_told_not_to(api):
    assert api.refused("PATCH", f"accounts({NEW})", {"name": "x"}, If_Match="*") == (404, "0x80040217")
    api.patch(f"accounts({NEW})", {"name": "Mine"}, If_None_Match="*")
    assert api.refused("PATCH", f"accounts({NEW})", {"name": "y"}, If_None_Match="*") == (412, "0x80060892")
    assert api.get(f"accounts({NEW})")["name"] == "Mine"


def test_versions_guard_updates_and_deletes(api):
    acme = api.id_of("accounts", "name eq 'Acme Ltd'")
    old = api.get(f"accounts({acme})")["@odata.etag"]
    api.patch(f"accounts({acme})", {"fax": "1"}, If_Match=old)
    for method in ("PATCH", "DELETE"):
        assert api.refused(method, f"accounts({acme})", {"fax": "2"}, If_Match=old) == (412, "0x80060882")
    fresh = api.send("GET", f"accounts({acme})").headers["ETag"]
    assert api.send("GET", f"accounts({acme})", If_None_Match=fresh).status_code == 304
    assert api.send("GET", f"accounts({acme})", If_None_Match="null").status_code == 200


def test_upsert_by_alternate_key(keyed):
    path = "accounts(tie_xeroid='AB-1')"
    assert keyed.refused("GET", path) == (404, "0x80060891")
    keyed.patch(path, {"name": "From Xero"})
    again = keyed.send("PATCH", f"{path}?$select=name", {"name": "Twice", "tie_xeroid": "zz"}, Prefer="return=representation")
    assert (again.status_code, again.json()["name"]) == (200, "Twice")
    other = keyed.send("PATCH", "accounts(tie_xeroid='c')?$select=name", {"name": "C"}, Prefer="return=representation")
    assert other.status_code == 201
    assert keyed.get("accounts(tie_xeroid='ab-1')?$select=tie_xeroid")["tie_xeroid"] == "AB-1"


def test_a_key_in_the_body_wins_at_create(keyed):
    keyed.patch("accounts(tie_xeroid='url')", {"name": "x", "tie_xeroid": "body"})
    assert keyed.get("accounts(tie_xeroid='body')")["name"] == "x"


def test_a_taken_key_is_refused_with_its_own_code(keyed):
    keyed.create("accounts", {"name": "a", "tie_xeroid": "1"})
    assert keyed.refused("POST", "accounts", {"name": "b", "tie_xeroid": "1"}) == (412, "0x80060892")
    other = keyed.create("accounts", {"name": "c"})
    assert keyed.refused("PATCH", f"accounts({other})", {"tie_xeroid": "1"}) == (412, "0x80060892")
    assert keyed.send("DELETE", "accounts(tie_xeroid='1')").status_code == 204
    keyed.patch(f"accounts({other})", {"tie_xeroid": "1"})


def test_a_bind_by_alternate_key(keyed):
    parent = keyed.create("accounts", {"name": "Parent", "tie_xeroid": "p1"})
    child = keyed.create("accounts", {"name": "Child", "parentaccountid@odata.bind": "/accounts(tie_xeroid='p1')"})
    assert keyed.get(f"accounts({child})")["_parentaccountid_value"] == parent


def test_a_key_over_existing_duplicates_fails(api):
    path = "EntityDefinitions(LogicalName='account')/Keys"
    for _ in range(2):
        api.create("accounts", {"name": "Same", "fax": "1"})
    api.send("POST", path, {"SchemaName": "tie_fax_key", "KeyAttributes": ["fax"]})
    assert api.rows(path)[0]["EntityKeyIndexStatus"] == "Failed"
    assert api.send("GET", "accounts(fax='1')").status_code == 400
    extra = api.id_of("accounts", "fax eq '1'")
    api.send("DELETE", f"accounts({extra})")
    again = {"EntityLogicalName": "account", "EntityKeyLogicalName": "tie_fax_key"}
    assert api.send("POST", "ReactivateEntityKey", again).status_code == 204
    assert [api.rows(path)[0]["EntityKeyIndexStatus"] for _ in range(2)] == ["Pending", "Active"]
    assert api.get("accounts(fax='1')?$select=name")["name"] == "Same"


def test_error_details_on_request(api):
    answer = exact(api.send("GET", f"accounts({NEW})", Prefer='odata.include-annotations="*"'))
    assert "@Microsoft.PowerApps.CDS.InnerError.Message" in answer["error"]
    assert GUID.search(answer["error"]["message"])


@pytest.mark.parametrize("value", ["INV/1", "a@b:c", "50%25", "x%26y", "1%2B1", "c%5Cd"])
def test_keys_that_a_web_server_stops(keyed, value):
    answer = keyed.send("PATCH", f"accounts(tie_xeroid='{value}')", {"name": "x"})
    assert answer.status_code == 400
    assert "potentially dangerous" in answer.json()["error"]["message"]


def test_a_required_value_cannot_be_emptied(api):
    line = api.rows("invoicedetails")[0]["invoicedetailid"]
    assert api.refused("PATCH", f"invoicedetails({line})", {"quantity": None}) == (400, "0x80040203")
