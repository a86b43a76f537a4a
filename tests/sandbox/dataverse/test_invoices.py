"""States of invoices: closed ones are read-only until they are opened again."""

from __future__ import annotations

import pytest
from dataverse_client import new_invoice, write_in

PAID = {"statecode": 2, "statuscode": 100001}
CANCELED = {"statecode": 3, "statuscode": 100003}
OPEN = {"statecode": 0, "statuscode": 4}


@pytest.fixture
def invoice(api):
    return new_invoice(api, invoice_details=[write_in(None, 100, 1, tax=15)])


def state(api, invoice):
    row = api.get(f"invoices({invoice})?$select=statecode,statuscode")
    return row["statecode"], row["statuscode"]


def test_a_new_invoice_is_active(api, invoice):
    assert state(api, invoice) == (0, 1)


@pytest.mark.parametrize(
    "body", [PAID, {"statuscode": 100001}, {"statecode": 0, "statuscode": 100003}], ids=["paid", "reason", "mixed"]
)
def test_an_invoice_cannot_be_created_closed(api, body):
    acme = api.id_of("accounts", "name eq 'Acme Ltd'")
    full = {"name": "x", "customerid_account@odata.bind": f"/accounts({acme})"} | body
    assert api.refused("POST", "invoices", full) == (400, "0x80048408")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [({"statecode": 2}, (2, 100001)), ({"statecode": 2, "statuscode": 100002}, (2, 100002)), ({"statuscode": 4}, (0, 4))],
)
def test_a_patch_sets_state_and_reason(api, invoice, sent, expected):
    api.patch(f"invoices({invoice})", sent)
    assert state(api, invoice) == expected


def test_a_reason_of_another_state_is_refused(api, invoice):
    assert api.refused("PATCH", f"invoices({invoice})", {"statecode": 2, "statuscode": 4}) == (400, "0x80048408")


@pytest.mark.parametrize("closed", [PAID, CANCELED], ids=["paid", "canceled"])
def test_a_closed_invoice_and_its_lines_are_read_only(api, invoice, closed):
    line = api.rows(f"invoices({invoice})/invoice_details")[0]["invoicedetailid"]
    api.patch(f"invoices({invoice})", closed)
    attempts = [
        ("PATCH", f"invoices({invoice})", {"description": "x"}),
        ("PATCH", f"invoices({invoice})", OPEN | {"description": "x"}),
        ("PATCH", f"invoicedetails({line})", {"quantity": 2}),
        ("DELETE", f"invoicedetails({line})", None),
        ("POST", "invoicedetails", write_in(invoice, 1)),
        ("POST", "RecalculatePrice", {"entityLogicalName": "invoice", "entityId": invoice}),
    ]
    for method, path, body in attempts:
        answer = api.send(method, path, body)
        assert answer.status_code == 400, path
        assert "read" in answer.json()["error"]["message"]
    assert api.get(f"invoices({invoice})")["totalamount"] == 115


def test_reopen_write_close(api, invoice):
    for body in (PAID, OPEN, {"description": "now"}, PAID):
        api.patch(f"invoices({invoice})", body)
    row = api.get(f"invoices({invoice})")
    assert (row["statecode"], row["description"]) == (2, "now")


def test_paid_over_paid_and_canceled_to_paid_are_refused(api, invoice):
    api.patch(f"invoices({invoice})", PAID)
    assert "read-only" in api.send("PATCH", f"invoices({invoice})", PAID).json()["error"]["message"]
    api.patch(f"invoices({invoice})", OPEN)
    api.patch(f"invoices({invoice})", CANCELED)
    message = api.send("PATCH", f"invoices({invoice})", PAID).json()["error"]["message"]
    assert message == "The invoice cannot be paid because it is not in active state."


def test_lines_show_their_invoices_state(api, invoice):
    api.patch(f"invoices({invoice})", PAID)
    assert api.rows(f"invoices({invoice})/invoice_details?$select=invoicestatecode")[0]["invoicestatecode"] == 2


def test_inactive_accounts_can_still_be_edited(api):
    acme = api.id_of("accounts", "name eq 'Acme Ltd'")
    api.patch(f"accounts({acme})", {"statecode": 1})
    api.patch(f"accounts({acme})", {"telephone1": "03 555"})
    row = api.get(f"accounts({acme})?$select=statecode,statuscode,telephone1")
    assert (row["statecode"], row["statuscode"], row["telephone1"]) == (1, 2, "03 555")


@pytest.mark.parametrize(
    ("drop", "code"),
    [("quantity", "0x80040203"), ("invoiceid@odata.bind", "0x80040203"), ("isproductoverridden", "0x80040265")],
)
def test_a_line_needs_quantity_invoice_and_something_sold(api, invoice, drop, code):
    line = write_in(invoice, 5)
    del line[drop]
    assert api.refused("POST", "invoicedetails", line) == (400, code)


def test_an_invoice_needs_a_customer(api):
    assert api.refused("POST", "invoices", {"name": "nobody"}) == (400, "0x80040203")


def test_deleting_an_invoice_takes_its_lines_along(api, invoice):
    line = api.rows(f"invoices({invoice})/invoice_details")[0]["invoicedetailid"]
    assert api.send("DELETE", f"invoices({invoice})").status_code == 204
    assert api.refused("GET", f"invoicedetails({line})") == (404, "0x80040217")


def test_a_customer_with_invoices_cannot_be_deleted(api):
    acme = api.id_of("accounts", "name eq 'Acme Ltd'")
    assert api.refused("DELETE", f"accounts({acme})") == (405, "0x80040227")


def test_merge_deactivates_the_loser_and_moves_its_papers(api):
    acme, bee = api.id_of("accounts", "name eq 'Acme Ltd'"), api.id_of("accounts", "startswith(name,'Bee')")
    kind = "Microsoft.Dynamics.CRM.account"
    body = {
        "Target": {"@odata.type": kind, "accountid": bee},
        "Subordinate": {"@odata.type": kind, "accountid": acme},
        "UpdateContent": {"@odata.type": kind, "telephone1": "09 1"},
        "PerformParentingChecks": False,
    }
    assert api.send("POST", "Merge", body).status_code == 204
    loser = api.get(f"accounts({acme})?$select=merged,statecode,_masterid_value")
    assert (loser["merged"], loser["statecode"], loser["_masterid_value"]) == (True, 1, bee)
    assert api.rows(f"invoices?$filter=_customerid_value eq {acme}") == []
    assert len(api.rows(f"accounts({bee})/contact_customer_accounts")) == 1
    assert api.get(f"accounts({bee})")["telephone1"] == "09 1"
