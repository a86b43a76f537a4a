"""Lists: filters, order, pages, counts, expansions and annotations."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import quote

import pytest
from dataverse_client import new_invoice

ACME, BEE = "Acme Ltd", "Bee & Co's"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"name eq '{ACME}'", [ACME]),
        ("name eq 'ACME LTD'", [ACME]),
        ("name ne 'Acme Ltd'", [BEE]),
        ("name eq 'Bee & Co''s'", [BEE]),
        ("contains(name,'ee')", [BEE]),
        ("startswith(name,'acm')", [ACME]),
        ("endswith(name,'LTD') eq true", [ACME]),
        ("not contains(name,'ee')", [ACME]),
        ("accountnumber eq null", [BEE]),
        ("accountnumber ne null", [ACME]),
        ("customertypecode eq 3", [ACME]),
        ("customertypecode ge 3 and customertypecode lt 4", [ACME]),
        ("name eq 'x' or (customertypecode gt 2 and statecode eq 0)", [ACME]),
        ("merged eq false or name eq 'x'", [ACME, BEE]),
        ("createdon le 2026-01-01T00:00:00Z", [ACME, BEE]),
        ("createdon gt 2026-01-01", []),
        ("transactioncurrencyid/isocurrencycode eq 'USD'", [BEE]),
        ("Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues=['acme ltd','x'])", [ACME]),
    ],
)
def test_filters(api, text, names):
    found = api.rows(f"accounts?$select=name&$filter={quote(text)}")
    assert sorted(row["name"] for row in found) == names


@pytest.mark.parametrize(
    "query",
    [
        "$filter=nmae eq 'x'",
        "$filter=name eq",
        "$filter=name eq 5",
        "$filter=statecode eq 'x'",
        "$filter=soundex(name) eq 'x'",
        "$filter=(name eq 'x'",
        "$select=nmae",
        "$expand=nothing",
        "$orderby=name sideways",
        "$skip=10",
        "$top=x",
        "$wrong=1",
        "$skiptoken=nonsense",
    ],
)
def test_bad_queries(api, query):
    assert api.send("GET", f"accounts?{query}").status_code == 400


def test_lookup_and_id_filters(api):
    acme = api.id_of("accounts", f"name eq '{ACME}'")
    assert [r["name"] for r in api.rows(f"invoices?$select=name&$filter=_customerid_value eq {acme}")] == ["Invoice HP-1"]
    assert len(api.rows(f"accounts?$filter=accountid eq {acme} and statecode eq 0")) == 1
    assert api.rows(f"accounts?$filter=accountid eq {acme} and statecode eq 1") == []


def test_order_and_top(api):
    query = "invoices?$select=name&$orderby=totalamount desc,name&$top=2"
    assert [row["name"] for row in api.rows(query)] == ["Invoice HP-1", "Invoice HP-3"]


def test_money_is_exact_with_four_decimals_and_brings_its_currency(api):
    answer = api.send("GET", "invoices?$select=totalamount&$filter=totalamount eq 550.28")
    assert b'"totalamount":550.2800' in answer.content
    assert set(answer.json()["value"][0]) == {"@odata.etag", "totalamount", "invoiceid", "_transactioncurrencyid_value"}


def test_formatted_values_only_on_request(api):
    query = "invoices?$filter=totalamount eq 550.28&$select=totalamount,statecode,duedate"
    assert "statecode@OData.Community.Display.V1.FormattedValue" not in api.rows(query)[0]
    prefer = 'odata.maxpagesize=5,odata.include-annotations="OData.Community.Display.V1.FormattedValue"'
    row = api.rows(query, Prefer=prefer)[0]
    shown = [row[f"{name}@OData.Community.Display.V1.FormattedValue"] for name in ("totalamount", "statecode", "duedate")]
    assert shown == ["$550.28", "Active", "12/2/2026"]


def all_pages(api, path, **headers):
    pages, link = [], path
    while link:
        body = api.get(link, **headers)
        pages.append([row["name"] for row in body["value"]])
        link = body.get("@odata.nextLink")
    return pages


@pytest.fixture
def many(api):
    for number in range(7):
        api.create("accounts", {"name": f"N{number}", "fax": "many"})
    return api


@pytest.mark.parametrize("order", ["", "&$orderby=name desc"])
def test_pages_hold_every_row_once(many, order):
    pages = all_pages(many, f"accounts?$select=name&$filter=fax eq 'many'{order}", Prefer="odata.maxpagesize=3")
    assert [len(page) for page in pages] == [3, 3, 1]
    names = [name for page in pages for name in page]
    assert sorted(names) == [f"N{n}" for n in range(7)]
    assert not order or names == sorted(names, reverse=True)


def test_top_is_ignored_beside_a_page_size(many):
    body = many.get("accounts?$select=name&$top=2", Prefer="odata.maxpagesize=4")
    assert (len(body["value"]), "@odata.nextLink" in body) == (4, True)
    assert len(many.rows("accounts?$select=name&$top=2")) == 2


def test_counts(many):
    assert many.get("accounts?$filter=fax eq 'many'&$count=true&$top=1")["@odata.count"] == 7
    assert many.send("GET", "accounts/$count").text.lstrip("\ufeff") == "9"


def test_a_row_added_or_deleted_while_paging_shifts_nothing(many):
    first = many.get("accounts?$select=name&$filter=fax eq 'many'", Prefer="odata.maxpagesize=3")
    many.send("DELETE", f"accounts({first['value'][0]['accountid']})")
    rest = all_pages(many, first["@odata.nextLink"], Prefer="odata.maxpagesize=3")
    assert sum(map(len, rest)) == 4


def test_expansions_nest(api):
    query = "accounts?$select=name&$filter=name eq 'Acme Ltd'&$expand=invoice_customer_accounts("
    query += "$select=name;$expand=invoice_details($select=quantity;$filter=quantity gt 1),customerid_account($select=name))"
    invoice = api.rows(query)[0]["invoice_customer_accounts"][0]
    assert invoice["invoice_details"][0]["quantity"] == Decimal(3)
    assert invoice["customerid_account"]["name"] == ACME


def test_plus_and_percent_are_blanks_alike(api):
    for blank in ("+", "%20"):
        assert len(api.rows(f"accounts?%24filter=name{blank}eq{blank}'Acme{blank}Ltd'")) == 1


def test_queries_that_the_sandbox_lacks_say_so(api):
    assert api.send("GET", "accounts?$apply=aggregate($count as n)").status_code == 501


def test_a_number_is_given_when_none_is_sent(api):
    invoice = new_invoice(api)
    assert api.get(f"invoices({invoice})?$select=invoicenumber")["invoicenumber"].startswith("INV-")


def test_rows_below_a_row_are_listed_paged_and_counted(many):
    parent = many.create("accounts", {"name": "Parent"})
    for row in many.rows("accounts?$filter=fax eq 'many'"):
        many.patch(f"accounts({row['accountid']})", {"parentaccountid@odata.bind": f"/accounts({parent})"})
    below = f"accounts({parent})/account_parent_account"
    assert many.send("GET", f"{below}/$count").text.lstrip("\ufeff") == "7"
    pages = all_pages(many, f"{below}?$select=name&$filter=name ne 'N0'", Prefer="odata.maxpagesize=4")
    assert [len(page) for page in pages] == [4, 2]
