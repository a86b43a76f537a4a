"""The demo company as Dynamics holds it."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from dataverse_client import Api
from small_company import COMPANY
from starlette.applications import Starlette

from sync_core.sandbox import dataverse
from sync_core.sandbox.company import demo_company
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.invoicing import set_totals
from sync_core.sandbox.journal import FileJournal
from sync_core.sandbox.kernel import Collection, Kernel

D = Decimal


def test_only_what_stands_in_dynamics_is_there(api):
    assert {row["name"] for row in api.rows("accounts")} == {"Acme Ltd", "Bee & Co's"}
    assert len(api.rows("invoices")) == sum(invoice.crm is not None for invoice in COMPANY.invoices)


def test_an_invoice_with_its_states_customer_and_totals(api):
    query = "invoices?$filter=invoicenumber eq 'HP-2'&$expand=customerid_contact($select=fullname),invoice_details"
    row = api.rows(query)[0]
    assert (row["statecode"], row["statuscode"], row["duedate"]) == (2, 100001, "2026-12-02")
    assert (row["totallineitemamount"], row["totaltax"], row["totalamount"]) == (D(50), D("7.5"), D("57.5"))
    assert row["customerid_contact"]["fullname"] == "Cara Day"
    line = row["invoice_details"][0]
    assert (line["isproductoverridden"], line["productdescription"], line["extendedamount"]) == (True, "Advice", D("57.5"))


def test_products_are_published_with_a_price_in_every_list(api):
    products = api.rows("products?$select=name&$filter=statecode eq 0&$expand=product_price_levels($select=amount)")
    assert [sorted(p["amount"] for p in row["product_price_levels"]) for row in products if row["name"] == "Day pack"] == [
        [D("79.75"), D("159.5"), D("14355")]
    ]


def test_product_lines_are_overridden_only_where_the_price_differs(api):
    lines = api.rows("invoicedetails?$select=ispriceoverridden,priceperunit&$filter=productid ne null&$orderby=priceperunit")
    assert [line["ispriceoverridden"] for line in lines] == [False, False]


def test_parents_and_currencies(api):
    row = api.rows("contacts?$expand=parentcustomerid_account($select=name),transactioncurrencyid($select=isocurrencycode)")[0]
    assert row["parentcustomerid_account"]["name"] == "Acme Ltd"
    assert row["transactioncurrencyid"]["isocurrencycode"] == "NZD"


def test_seeded_amounts_are_what_the_api_would_compute():
    kernel = Kernel(seed=1)
    dataverse.seed(kernel, demo_company(1, 200))
    env = Environment.of(kernel)
    for row in list(kernel.collection("dataverse.invoice").values()):
        again = {name: value for name, value in row.items() if not name.startswith("total")}
        set_totals(env, again)
        assert {**again, "pricingerrorcode": 0} == {**row, "pricingerrorcode": 0}


def test_the_same_seed_gives_the_same_rows():
    kernels = [Kernel(seed=3), Kernel(seed=3)]
    for kernel in kernels:
        dataverse.seed(kernel, COMPANY)
    first, second = (dict(kernel.collection("dataverse.invoicedetail").items()) for kernel in kernels)
    assert first == second


def test_everything_survives_a_restart(tmp_path):
    journal = FileJournal(tmp_path)
    kernel = Kernel(seed=1, journal=journal)
    dataverse.seed(kernel, COMPANY)
    api = Api(kernel, Starlette(routes=dataverse.routes(kernel)))
    path = "EntityDefinitions(LogicalName='invoice')"
    column = {"@odata.type": "Microsoft.Dynamics.CRM.MoneyAttributeMetadata", "SchemaName": "tie_Due"}
    api.send("POST", f"{path}/Attributes", column)
    api.send("PUT", path, api.get(path) | {"ChangeTrackingEnabled": True})
    invoice = api.id_of("invoices", "name eq 'Invoice HP-1'")
    api.patch(f"invoices({invoice})", {"tie_due": 12.5})
    link = api.get("invoices?$select=tie_due", Prefer="odata.track-changes")["@odata.deltaLink"]
    kernel.save()
    before = api.get(f"invoices({invoice})")
    journal.close()
    journal = FileJournal(tmp_path)
    again = Kernel(seed=1, journal=journal)
    reborn = Api(again, Starlette(routes=dataverse.routes(again)))
    assert reborn.get(f"invoices({invoice})") == before
    assert reborn.get(link)["value"] == []
    journal.close()


@pytest.fixture
def busy(monkeypatch):
    """Counts the rows that are looked at."""
    seen = Counter()
    real = Collection.get

    def get(self, row_id):
        seen[self.name] += 1
        return real(self, row_id)

    monkeypatch.setattr(Collection, "get", get)
    return seen


def test_pages_and_deltas_look_at_no_more_rows_than_they_give(busy):
    kernel = Kernel(seed=1)
    dataverse.seed(kernel, demo_company(1, 1000))
    api = Api(kernel, Starlette(routes=dataverse.routes(kernel)))
    path = "EntityDefinitions(LogicalName='invoicedetail')"
    api.send("PUT", path, api.get(path) | {"ChangeTrackingEnabled": True})
    total, link, given = len(kernel.collection("dataverse.invoicedetail")), "invoicedetails?$select=quantity", 0
    busy.clear()
    while True:
        body = api.get(link, Prefer="odata.track-changes,odata.maxpagesize=100")
        given += len(body["value"])
        if "@odata.deltaLink" in body:
            break
        link = body["@odata.nextLink"]
    assert (given, busy["dataverse.invoicedetail"] <= total + 40) == (total, True)
    busy.clear()
    assert api.get(body["@odata.deltaLink"])["value"] == []
    assert busy["dataverse.invoicedetail"] == 0
