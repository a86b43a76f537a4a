"""``$apply``, ``sql`` and saved queries: the engine of FetchXML answers them all."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import quote

import pytest

ACME, BEE = "Acme Ltd", "Bee & Co's"


@pytest.mark.parametrize(
    ("apply", "expected"),
    [
        ("aggregate($count as n)", [{"n": 3}]),
        (
            "filter(totalamount gt 60)/aggregate(totalamount with sum as t,totalamount with min as least)",
            [{"t": Decimal("630.03"), "least": Decimal("79.75")}],
        ),
        (
            "groupby((statecode),aggregate(totalamount with average as a,$count as n))&$orderby=n desc",
            [{"statecode": 0, "a": Decimal("315.015"), "n": 2}, {"statecode": 2, "a": Decimal("57.5"), "n": 1}],
        ),
        (
            "groupby((transactioncurrencyid/isocurrencycode),aggregate(_customerid_value with countdistinct as c))",
            [
                {"transactioncurrencyid": {"isocurrencycode": "NZD"}, "c": 2},
                {"transactioncurrencyid": {"isocurrencycode": "USD"}, "c": 1},
            ],
        ),
        ("groupby((statuscode))&$top=1&$orderby=statuscode", [{"statuscode": 4}]),
    ],
)
def test_apply(company, apply, expected):
    found = company.rows(f"invoices?$apply={quote(apply, safe='&$=')}")
    assert sorted(found, key=in_words) == sorted(expected, key=in_words)


def in_words(row):
    return sorted((name, str(value)) for name, value in row.items())


@pytest.mark.parametrize(
    "apply",
    [
        "",
        "compute(1)",
        "aggregate(x with sum as y)",
        "aggregate(totalamount with median as m)",
        "groupby(statecode)",
        "aggregate($count as n)/filter(n gt 1)",
        "groupby((x/name))",
    ],
)
def test_refusals_of_apply(company, apply):
    assert company.send("GET", f"invoices?$apply={apply}").status_code == 400


SQL = [
    ("SELECT TOP 1 name FROM account ORDER BY name DESC", [{"name": BEE}]),
    (
        "select a.name, c.fullname from account a left join contact c on a.accountid = c.parentcustomerid order by a.name",
        [{"name": ACME, "fullname": "Cara Day"}, {"name": BEE}],
    ),
    (
        "SELECT a.name AS who FROM account AS a JOIN contact c ON c.parentcustomerid = a.accountid WHERE c.fullname LIKE '%ay'",
        [{"who": ACME}],
    ),
    (
        "SELECT name FROM account WHERE (name = 'Bee & Co''s' OR name = 'x') AND statecode IN (0, 1) AND accountnumber IS NULL",
        [{"name": BEE}],
    ),
    (
        "SELECT name FROM account WHERE name NOT LIKE 'b%' AND customertypecode BETWEEN 1 AND 5 AND statecode <> 1",
        [{"name": ACME}],
    ),
    ("SELECT name FROM account ORDER BY name OFFSET 1 ROWS FETCH NEXT 5 ROWS ONLY", [{"name": BEE}]),
    (
        "SELECT statecode, COUNT(*) AS n, COUNT(DISTINCT name) names FROM account GROUP BY statecode ORDER BY n",
        [{"statecode": 0, "n": 2, "names": 2}],
    ),
]


@pytest.mark.parametrize(("text", "expected"), SQL)
def test_sql(company, text, expected):
    found = company.rows(f"accounts?sql={quote(text)}")
    assert [{k: v for k, v in row.items() if k not in ("@odata.etag", "accountid")} for row in found] == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "DELETE FROM account",
        "SELECT * FROM account",
        "SELECT name FROM account WHERE",
        "SELECT name FROM account x y",
        "SELECT name FROM account 'x'",
        "SELECT name, COUNT(*) FROM account",
        "SELECT nmae FROM account",
        "SELECT ; FROM x",
        "SELECT name FROM account JOIN contact ON x = y",
        "SELECT TOP x name FROM account",
    ],
)
def test_refusals_of_sql(company, text):
    assert company.send("GET", f"accounts?sql={quote(text)}").status_code == 400


def test_saved_queries(company):
    (view,) = company.rows("savedqueries?$select=name,fetchxml&$filter=returnedtypecode eq 'account'")
    assert view["name"] == "Active Accounts"
    found = company.rows(f"accounts?savedQuery={view['savedqueryid']}")
    assert [row["name"] for row in found] == [ACME, BEE]
    assert [row["name"] for row in company.rows(f"accounts?fetchXml={quote(view['fetchxml'])}")] == [ACME, BEE]
    assert company.get(f"savedqueries({view['savedqueryid']})?$select=name")["name"] == "Active Accounts"
    nobody = "11111111-2222-3333-4444-555555555555"
    for path in (
        f"accounts?savedQuery={nobody}",
        f"accounts?userQuery={nobody}",
        f"contacts?savedQuery={view['savedqueryid']}",
    ):
        assert company.refused("GET", path) == (404, "0x80040217")
    assert company.rows("userqueries") == []
    assert company.send("GET", f"savedqueries({nobody})").status_code == 404


def test_no_metadata_beside_the_values(company):
    body = company.get(
        "invoices?$select=name&$count=true&$expand=customerid_account($select=name)",
        Accept="application/json;odata.metadata=none",
    )
    assert set(body) == {"@odata.count", "value"}
    assert set(body["value"][0]) == {"name", "invoiceid", "customerid_account"}
    shown = company.rows(
        "invoices?$select=statecode&$top=1",
        Accept="application/json; odata.metadata=none",
        Prefer='odata.include-annotations="*"',
    )
    assert "statecode@OData.Community.Display.V1.FormattedValue" in shown[0]


def test_full_metadata_says_types_and_links(company):
    full = {"Accept": "application/json;odata.metadata=full"}
    query = "invoices?$select=name,totalamount,duedate&$filter=totalamount eq 550.28"
    query += "&$expand=customerid_account($select=name),invoice_details($select=quantity)"
    answer = company.send("GET", query, **full)
    assert answer.headers["Content-Type"] == "application/json; odata.metadata=full"
    assert b'"totalamount":550.2800' in answer.content
    (row,) = answer.json()["value"]
    assert (row["@odata.type"], row["@odata.editLink"]) == ("#Microsoft.Dynamics.CRM.invoice", f"invoices({row['invoiceid']})")
    types = [row[f"{name}@odata.type"] for name in ("totalamount", "duedate", "invoiceid", "_transactioncurrencyid_value")]
    assert types == ["#Decimal", "#Date", "#Guid", "#Guid"]
    assert row["pricelevelid@odata.navigationLink"].endswith(f"/invoices({row['invoiceid']})/pricelevelid")
    assert row["customerid_account"]["@odata.type"].endswith(".account")
    assert row["invoice_details"][0]["quantity@odata.type"] == "#Decimal"
    one = company.get(f"invoices({row['invoiceid']})?$select=name", **full)
    assert one["@odata.id"].endswith(one["@odata.editLink"])
    assert company.get("WhoAmI", **full)["UserId"]
    assert company.send("GET", "accounts?$filter=x", **full).status_code == 400
