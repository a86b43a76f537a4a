"""Bulk messages and batches: all or nothing, in order, and what comes back."""

from __future__ import annotations

import json

import pytest
from dataverse_client import GUID, ROOT, new_invoice, write_in

KIND = "Microsoft.Dynamics.CRM.account"
BULK = "accounts/Microsoft.Dynamics.CRM."


def targets(*bodies):
    return {"Targets": [{"@odata.type": KIND, **body} for body in bodies]}


def names(api):
    return sorted(row["name"] for row in api.rows("accounts?$select=name&$filter=fax eq 'bulk'"))


def test_create_and_update_multiple(api):
    made = api.send("POST", f"{BULK}CreateMultiple", targets(*({"name": n, "fax": "bulk"} for n in "ab")))
    first, second = made.json()["Ids"]
    body = targets({"accountid": first, "name": "A"}, {"accountid": second, "name": "B"})
    assert api.send("POST", f"{BULK}UpdateMultiple", body).status_code == 204
    assert names(api) == ["A", "B"]


def test_one_bad_target_undoes_all(api):
    bad = targets({"name": "a", "fax": "bulk"}, {"name": "b" * 200, "fax": "bulk"})
    assert api.refused("POST", f"{BULK}CreateMultiple", bad) == (400, "0x80044331")
    assert names(api) == []


@pytest.mark.parametrize("body", [{}, {"Targets": []}, {"Targets": [{"name": "x"}]}, {"Targets": [{"@odata.type": "x.y"}]}])
def test_targets_need_their_type(api, body):
    assert api.refused("POST", f"{BULK}CreateMultiple", body) == (400, "0x80048d19")


def test_upsert_multiple_by_key(api, kernel):
    key = {"SchemaName": "tie_fax_key", "KeyAttributes": ["fax"]}
    api.send("POST", "EntityDefinitions(LogicalName='account')/Keys", key)
    kernel.clock.advance(60)
    rows = [{"@odata.id": f"accounts(fax='{n}')", "name": f"first {n}"} for n in (1, 2)]
    assert api.send("POST", f"{BULK}UpsertMultiple", targets(*rows)).status_code == 204
    rows = [{"@odata.id": f"accounts(fax='{n}')", "name": f"second {n}"} for n in (2, 3)]
    assert api.send("POST", f"{BULK}UpsertMultiple", targets(*rows)).status_code == 204
    found = [row["name"] for row in api.rows("accounts?$filter=fax ne null&$orderby=fax")]
    assert found == ["first 1", "second 2", "second 3"]


def test_many_lines_at_once_make_one_new_version_of_their_invoice(api):
    invoice = new_invoice(api)
    before = api.get(f"invoices({invoice})")["versionnumber"]
    kind = {"@odata.type": "Microsoft.Dynamics.CRM.invoicedetail"}
    body = {"Targets": [write_in(invoice, 10) | kind for _ in range(50)]}
    api.send("POST", "invoicedetails/Microsoft.Dynamics.CRM.CreateMultiple", body)
    after = api.get(f"invoices({invoice})")
    assert (after["totalamount"], after["versionnumber"] - before) == (500, 51)


def part(method, url, body=None, content_id=None, **headers):
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    lines += [f"Content-ID: {content_id}"] if content_id else []
    inner = [f"{method} {url} HTTP/1.1", *(f"{k.replace('_', '-')}: {v}" for k, v in headers.items())]
    inner += ["Content-Type: application/json", "", json.dumps(body)] if body is not None else ["", ""]
    return "\r\n".join([*lines, "", *inner])


def change_set(*parts):
    inner = "".join(f"--cs\r\n{text}\r\n" for text in parts)
    return f"Content-Type: multipart/mixed; boundary=cs\r\n\r\n{inner}--cs--"


def send(api, *parts, **headers):
    body = "".join(f"--b\r\n{text}\r\n" for text in parts) + "--b--\r\n"
    return api.send("POST", "$batch", body, **{"Content-Type": 'multipart/mixed; boundary="b"'}, **headers)


def statuses(answer):
    return [int(line.split()[1]) for line in answer.text.splitlines() if line.startswith("HTTP/1.1")]


def test_a_change_set_holds_references_by_content_id(api):
    contact = part("POST", f"{ROOT}/contacts", {"lastname": "New"}, "1")
    account = part("POST", f"{ROOT}/accounts", {"name": "X", "fax": "bulk", "primarycontactid@odata.bind": "$1"}, "2")
    rename = part("PATCH", "$2", {"name": "Y"}, "3")
    answer = send(api, change_set(contact, account, rename))
    assert (answer.status_code, statuses(answer)) == (200, [204, 204, 204])
    assert answer.headers["content-type"].startswith("multipart/mixed; boundary=batchresponse_")
    row = api.rows("accounts?$filter=fax eq 'bulk'&$expand=primarycontactid($select=fullname)")[0]
    assert (row["name"], row["primarycontactid"]["fullname"]) == ("Y", "New")


def test_a_failed_change_set_leaves_nothing_and_answers_once(api):
    good, bad = part("POST", "accounts", {"name": "a", "fax": "bulk"}, "1"), part("POST", "accounts", {"nmae": "b"}, "2")
    answer = send(api, change_set(good, bad), Prefer="odata.continue-on-error")
    assert (answer.status_code, statuses(answer), names(api)) == (200, [400], [])


@pytest.mark.parametrize(
    ("prefer", "status", "parts"), [("", 400, [204, 400]), ("odata.continue-on-error", 200, [204, 400, 200])]
)
def test_an_error_stops_a_batch_unless_told_to_go_on(api, prefer, status, parts):
    good, bad = part("POST", "accounts", {"name": "a", "fax": "bulk"}), part("POST", "accounts", {"nmae": "b"})
    answer = send(api, good, bad, part("GET", f"{ROOT}/accounts?$select=name"), Prefer=prefer)
    assert (answer.status_code, statuses(answer)) == (status, parts)


def test_parts_carry_their_own_headers(api):
    acme = api.id_of("accounts", "name eq 'Acme Ltd'")
    patch = part("PATCH", f"http://testserver{ROOT}/accounts({acme})", {"fax": "1"}, If_Match='W/"1"')
    full = part("POST", "accounts?$select=name", {"name": "R"}, Prefer="return=representation")
    answer = send(api, patch, full, Prefer="odata.continue-on-error")
    assert statuses(answer) == [412, 201]
    assert '"name":"R"' in answer.text


def test_gets_do_not_belong_in_a_change_set(api):
    assert statuses(send(api, change_set(part("GET", "accounts")))) == [400]


def test_a_batch_has_at_most_a_thousand_requests(api):
    answer = send(api, *[part("GET", "WhoAmI")] * 1001)
    assert answer.status_code == 400
    assert len(statuses(send(api, *[part("GET", "WhoAmI")] * 1000))) == 1000


def test_a_batch_needs_its_boundary(api):
    assert api.refused("POST", "$batch", "x", **{"Content-Type": "text/plain"}) == (400, "0x80048d19")
    assert api.send("GET", "$batch").status_code == 405


def test_addresses_in_answers_can_be_followed(api):
    answer = send(api, change_set(part("POST", "accounts", {"name": "a", "fax": "bulk"}, "1")))
    row_id = GUID.findall(answer.text.split("OData-EntityId")[1])[0]
    assert api.get(f"accounts({row_id})")["name"] == "a"
