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
        ("Microsoft.Dynamics.CRM.NotIn(PropertyName='name',PropertyValues=['acme ltd','x'])", [BEE]),
        ("Microsoft.Dynamics.CRM.Between(PropertyName='customertypecode',PropertyValues=['1','5'])", [ACME]),
        ("Microsoft.Dynamics.CRM.OnOrAfter(PropertyName='createdon',PropertyValue='2026-01-01')", []),
        ("Microsoft.Dynamics.CRM.LastXDays(PropertyName='createdon',PropertyValue=3)", []),
        ("Microsoft.Dynamics.CRM.LastXDays(PropertyName='createdon',PropertyValue=900) and statecode eq 0", [ACME, BEE]),
        ("Microsoft.Dynamics.CRM.LastYear(PropertyName='createdon')", [ACME, BEE]),
        ("Microsoft.Dynamics.CRM.ThisMonth(PropertyName='createdon')", []),
        ("contact_customer_accounts/any(c:c/lastname eq 'Day')", [ACME]),
        ("contact_customer_accounts/any(c:c/lastname eq 'Night' or contains(c/firstname,'x'))", []),
        ("contact_customer_accounts/any()", [ACME]),
        ("not invoice_customer_accounts/any(i:i/invoice_details/any(d:d/quantity gt 2))", [BEE]),
        ("invoice_customer_accounts/all(i:i/transactioncurrencyid/isocurrencycode eq 'USD')", [BEE]),
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
        "$filter=contains(createdon,'x')",
        "$filter=invoices/any(i:i/name eq 'x')",
        "$filter=contact_customer_accounts/any(c:lastname eq 'x')",
        "$filter=contact_customer_accounts/any(c:c/lastname eq 'x'",
        "$filter=Microsoft.Dynamics.CRM.EqualSomething(PropertyName='name')",
        "$filter=Microsoft.Dynamics.CRM.Between(PropertyName='name',PropertyValues=['1'])",
        "$filter=Microsoft.Dynamics.CRM.On(PropertyName='createdon',PropertyValue='soon')",
        "$filter=Microsoft.Dynamics.CRM.LastXMonths(PropertyName='createdon',PropertyValue=999999)",
        "$filter=Microsoft.Dynamics.CRM.Today(Wrong='createdon')",
        "$filter=name eq @nothing",
    ],
)
def test_bad_queries(api, query):
    assert api.send("GET", f"accounts?{query}").status_code == 400


def test_amounts_among_others(api):
    among = "Microsoft.Dynamics.CRM.{}(PropertyName='totalamount',PropertyValues=['550.28','1'])"
    assert [len(api.rows(f"invoices?$filter={among.format(name)}")) for name in ("In", "NotIn")] == [1, 2]


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
    answer = api.get(query)
    assert answer["@odata.context"].endswith(
        "#accounts(name,invoice_customer_accounts(name,invoice_details(quantity),customerid_account(name)))"
    )
    invoice = answer["value"][0]["invoice_customer_accounts"][0]
    assert invoice["invoice_details"][0]["quantity"] == Decimal(3)
    assert invoice["customerid_account"]["name"] == ACME


def test_filters_on_who_asks(api, person):
    crm = "Microsoft.Dynamics.CRM."
    own = f"{crm}EqualUserId(PropertyName='ownerid')"
    among = f"contact_customer_accounts/any(c:{crm}EqualUserId(PropertyName='c/ownerid'))"
    for text, found_by in [
        (own, [0, 2]),
        (f"not {own}", [2, 0]),
        (f"{crm}NotEqualUserId(PropertyName='createdby')", [2, 0]),
        (among, [0, 1]),
        (f"{crm}EqualBusinessId(PropertyName='owningbusinessunit')", [2, 2]),
        (f"{crm}NotEqualBusinessId(PropertyName='owningbusinessunit')", [0, 0]),
    ]:
        assert [len(asking.rows(f"accounts?$select=name&$filter={text}")) for asking in (api, person)] == found_by, text
    grouped = f"accounts?$apply=filter({own})/aggregate($count as n)"
    assert [asking.rows(grouped)[0]["n"] for asking in (api, person)] == [0, 2]
    shown = person.rows(f"accounts?$select=name&$expand=contact_customer_accounts($filter={own})&$filter=name eq 'Acme Ltd'")
    assert len(shown[0]["contact_customer_accounts"]) == 1


def test_plus_and_percent_are_blanks_alike(api):
    for blank in ("+", "%20"):
        assert len(api.rows(f"accounts?%24filter=name{blank}eq{blank}'Acme{blank}Ltd'")) == 1


def test_queries_that_the_sandbox_lacks_say_so(api):
    assert api.send("GET", "accounts?$search=x").status_code == 501


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


def test_a_parameter_alias_stands_for_its_value_outside_of_quotes(api):
    assert [r["name"] for r in api.rows("accounts?$select=name&$filter=name eq @who&@who='Acme Ltd'")] == [ACME]
    assert api.rows("accounts?$select=name&$filter=name eq '@who'&@who='Acme Ltd'") == []


def test_the_size_of_tables(api):
    for names in ("EntityNames=['account','contact']", 'EntityNames=@p1)?@p1=["account","contact"]'):
        counted = api.get(f"RetrieveTotalRecordCount({names}" + ("" if "@" in names else ")"))
        found = counted["EntityRecordCountCollection"]
        assert (found["Count"], found["Keys"], found["Values"]) == (2, ["account", "contact"], [2, 1])
    assert api.send("GET", "RetrieveTotalRecordCount(EntityNames=['nothing'])").status_code in (400, 404)


def test_metadata_is_counted_and_neither_ordered_nor_cut_short(api):
    """As the service answers: such options are refused, not passed over."""
    some = api.get("EntityDefinitions?$select=LogicalName&$count=true&$filter=LogicalName eq 'account'")
    assert (some["@odata.count"], len(some["value"])) == (1, 1)
    assert int(api.send("GET", "EntityDefinitions/$count").text.lstrip("\ufeff")) > 5
    assert int(api.send("GET", "EntityDefinitions(LogicalName='account')/Attributes/$count").text.lstrip("\ufeff")) > 20
    for option in ("$top=1", "$orderby=LogicalName"):
        assert api.refused("GET", f"EntityDefinitions?{option}") == (400, "0x80060888")
    assert api.rows("GlobalOptionSetDefinitions") == []
