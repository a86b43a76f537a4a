"""The whole sandbox: the demo company stands in both systems as it was drawn, and people work in both."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import httpx
import pytest

from sync_core.sandbox.company import demo_company
from sync_core.sandbox.company_sales import total
from sync_core.sandbox.serve import Sandbox

COMPANY = demo_company(seed=1)
BOTH = [i for i in COMPANY.invoices if i.crm and i.xero and not i.trouble]


def rows(sandbox, name, field):
    return {row[field]: row for row in sandbox.kernel.collection(name).values()}


@pytest.mark.parametrize("invoice", BOTH, ids=lambda i: i.number)
def test_an_untroubled_pair_agrees_to_the_cent(sandbox_seeded, invoice):
    crm = rows(sandbox_seeded, "dataverse.invoice", "invoicenumber")[invoice.number]
    xero = rows(sandbox_seeded, "xero.Invoices", "InvoiceNumber")[invoice.number]
    assert crm["totalamount"] == xero["Total"] == total(invoice.lines)
    assert crm.get("totaltax", 0) == xero["TotalTax"]
    assert (crm["statecode"] == 2) == (xero["Status"] == "PAID")
    assert crm["duedate"] == xero["DueDate"]


@pytest.fixture(scope="module")
def sandbox_seeded(sandbox_server):
    sandbox_server.reset(seed=1, invoices=0)
    return sandbox_server


def test_papers_stand_where_they_were_put(sandbox_seeded):
    crm = rows(sandbox_seeded, "dataverse.invoice", "invoicenumber")
    xero = rows(sandbox_seeded, "xero.Invoices", "InvoiceNumber")
    assert set(crm) == {i.number for i in COMPANY.invoices if i.crm}
    assert set(xero) == {i.number_in_xero or i.number for i in COMPANY.invoices if i.xero}
    assert len(sandbox_seeded.kernel.collection("xero.CreditNotes")) == len(COMPANY.credit_notes)


def test_the_cent_of_tax_is_there(sandbox_seeded):
    crm = rows(sandbox_seeded, "dataverse.invoice", "invoicenumber")["HP-1021"]
    xero = rows(sandbox_seeded, "xero.Invoices", "InvoiceNumber")["HP-1021"]
    assert crm["totaltax"] - xero["TotalTax"] == Decimal("0.01")


def test_a_person_edits_in_dynamics_and_only_its_version_moves(sandbox):
    row_id = sandbox.kernel.stable_id("dataverse", "account", "maitai")
    before = sandbox.kernel.collection("dataverse.account").get(row_id)
    sandbox.edit("dataverse", "account", row_id, telephone1="+64 3 555 0999", creditlimit=Decimal("10.50"))
    after = sandbox.kernel.collection("dataverse.account").get(row_id)
    assert (after["telephone1"], after["creditlimit"]) == ("+64 3 555 0999", Decimal("10.50"))
    assert after["versionnumber"] > before["versionnumber"]
    assert sandbox.log() == []


def test_a_person_edits_in_xero_and_its_stamp_moves(sandbox):
    before = rows(sandbox, "xero.Invoices", "InvoiceNumber")["HP-1037"]
    sandbox.edit("xero", "Invoices", before["InvoiceID"], DueDate="2026-12-30")
    after = rows(sandbox, "xero.Invoices", "InvoiceNumber")["HP-1037"]
    assert after["DueDate"].isoformat() == "2026-12-30"
    assert after["UpdatedDateUTC"] > before["UpdatedDateUTC"]


def test_an_administrator_moves_the_lock_date(sandbox):
    (row_id, _), *_ = sandbox.kernel.collection("xero.Organisations").items()
    sandbox.edit("xero", "Organisations", row_id, PeriodLockDate="2026-08-31")
    assert sandbox.kernel.collection("xero.Organisations").get(row_id)["PeriodLockDate"].isoformat() == "2026-08-31"
    with pytest.raises(ValueError, match="PeriodLockDate takes a date"):
        sandbox.edit("xero", "Organisations", row_id, PeriodLockDate="soon")


def test_a_system_refuses_a_persons_edit_in_its_own_words(sandbox):
    paid = rows(sandbox, "dataverse.invoice", "invoicenumber")["HP-1001"]["invoiceid"]
    with pytest.raises(ValueError, match="read-only"):
        sandbox.edit("dataverse", "invoice", paid, description="late")


@pytest.mark.parametrize(
    ("system", "table", "field", "mark"),
    [("dataverse", "account", "name", "masterid"), ("xero", "Contacts", "Name", "MergedToContactID")],
)
def test_a_person_merges_customers(sandbox, system, table, field, mark):
    collection = sandbox.kernel.collection(f"{system}.{table}")
    ids = {row[field]: row_id for row_id, row in collection.items()}
    sandbox.merge(system, table, ids["Maitai School"], ids["Kahu Guiding Co"])
    assert collection.get(ids["Maitai School"])[mark] == ids["Kahu Guiding Co"]


@pytest.fixture
def client(sandbox):
    """The engine's place at Xero: signed in, JSON asked for."""
    known = sandbox.environment()
    login = (known["TIEOUT_XERO_CLIENT_ID"], known["TIEOUT_XERO_CLIENT_SECRET"])
    with httpx.Client(base_url=sandbox.xero_url, headers={"accept": "application/json"}) as signed_in:
        token = signed_in.post("/connect/token", data={"grant_type": "client_credentials"}, auth=login).json()
        signed_in.headers["authorization"] = f"Bearer {token['access_token']}"
        signed_in.headers["xero-tenant-id"] = known["TIEOUT_XERO_TENANT_ID"]
        yield signed_in


def test_tokens_that_expire_in_the_middle_of_a_run(sandbox, client):
    fault = sandbox.fault("expire_tokens", system="xero", after=1)
    answers = [client.get("/api.xro/2.0/Invoices?page=1").status_code for _ in range(3)]
    assert (answers, fault.fired) == ([200, 401, 401], 1)


def test_rejected_elements_beside_created_ones(sandbox, client):
    sandbox.fault("reject_elements", match="Beta", message="Refused here")
    contacts = {"Contacts": [{"Name": name} for name in ("Alpha", "Beta", "Gamma")]}
    made = client.put("/api.xro/2.0/Contacts?summarizeErrors=false", json=contacts).json()["Contacts"]
    assert [contact["Name"] for contact in made] == ["Alpha", "Beta", "Gamma"]
    assert [contact["StatusAttributeString"] for contact in made] == ["OK", "ERROR", "OK"]
    assert "Beta" not in rows(sandbox, "xero.Contacts", "Name")


def test_a_batch_in_part_refused_is_replayed_under_its_key(sandbox, client):
    sandbox.fault("reject_elements", match="Beta")
    contacts = {"Contacts": [{"Name": name} for name in ("Alpha", "Beta")]}
    ask = {"url": "/api.xro/2.0/Contacts?summarizeErrors=false", "json": contacts, "headers": {"Idempotency-Key": "k"}}
    first = client.put(**ask).json()
    assert client.put(**ask).json() == first
    sandbox.advance(7 * 60)
    again = client.put(**ask).json()["Contacts"]
    assert [contact["StatusAttributeString"] for contact in again] == ["ERROR", "OK"]


def test_the_company_survives_a_restart_in_every_row(tmp_path):
    def everything(sandbox):
        both = (*sandbox.kernel.collections("dataverse."), *sandbox.kernel.collections("xero."))
        return {rows.name: dict(rows.items()) for rows in both if len(rows)}

    with Sandbox(seed=4, invoices=20, state=tmp_path) as first:
        before = everything(first)
    with Sandbox(state=tmp_path) as second:
        assert everything(second) == before
        second.edit("xero", "Contacts", next(iter(before["xero.Contacts"])), EmailAddress="new@example.com")


def test_a_sixth_call_at_once_is_refused_by_xero(sandbox, client):
    sandbox.fault("slow", system="xero", seconds=0.5, times=None)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: client.get("/api.xro/2.0/Currencies"), range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [429]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["x-rate-limit-problem"] == "concurrent"
    assert "retry-after" not in refused.headers


@pytest.fixture
def dynamics(sandbox):
    """The engine's place at Dynamics: signed in with its application user."""
    known = sandbox.environment()
    form = {
        "grant_type": "client_credentials",
        "client_id": known["TIEOUT_DYNAMICS_CLIENT_ID"],
        "client_secret": known["TIEOUT_DYNAMICS_CLIENT_SECRET"],
        "scope": f"{sandbox.dynamics_url}/.default",
    }
    with httpx.Client(base_url=sandbox.dynamics_url, headers={"accept": "application/json"}) as signed_in:
        token = signed_in.post(f"/{known['TIEOUT_DYNAMICS_TENANT_ID']}/oauth2/v2.0/token", data=form).json()
        signed_in.headers["authorization"] = f"Bearer {token['access_token']}"
        yield signed_in


def test_change_tracking_tokens_that_are_too_old_stay_too_old(sandbox, dynamics):
    definition = "/api/data/v9.2/EntityDefinitions(LogicalName='account')"
    dynamics.put(definition, json={**dynamics.get(definition).json(), "ChangeTrackingEnabled": True})
    tracked = {"Prefer": "odata.track-changes"}
    first = dynamics.get("/api/data/v9.2/accounts?$select=name", headers=tracked).json()
    fault = sandbox.fault("expire_delta_tokens")
    codes = [dynamics.get(first["@odata.deltaLink"]).json()["error"]["code"] for _ in range(2)]
    assert (codes, fault.fired) == (["0x80044352"] * 2, 1)


def test_a_row_changed_between_read_and_write_is_a_412(sandbox, dynamics):
    row_id = sandbox.kernel.stable_id("dataverse", "account", "maitai")
    path = f"/api/data/v9.2/accounts({row_id})"
    etag = dynamics.get(f"{path}?$select=name").json()["@odata.etag"]
    edit = {"system": "dataverse", "table": "account", "id": row_id, "set": {"fax": "1"}}
    sandbox.fault("edit_before", method="PATCH", edit=edit)
    answer = dynamics.patch(path, json={"telephone1": "2"}, headers={"If-Match": etag})
    assert (answer.status_code, answer.json()["error"]["code"]) == (412, "0x80060882")


def test_an_edit_that_the_system_refuses_by_then_strikes_nobody(sandbox, dynamics):
    """A fault that plays a person is not the caller's business when that person may not do it."""
    row_id = sandbox.kernel.stable_id("dataverse", "account", "maitai")
    edit = {"system": "dataverse", "table": "account", "id": row_id, "set": {"fax": 5}}
    fault = sandbox.fault("edit_before", method="PATCH", edit=edit)
    answer = dynamics.patch(f"/api/data/v9.2/accounts({row_id})", json={"telephone1": "2"})
    assert (answer.status_code, fault.fired, fault.in_vain) == (204, 1, 1)
