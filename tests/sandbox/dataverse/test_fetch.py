"""Queries in FetchXML."""

from __future__ import annotations

import json
from decimal import Decimal
from urllib.parse import quote, unquote
from xml.etree import ElementTree as ET

import pytest

ACME, BEE = "Acme Ltd", "Bee & Co's"
ALL = 'odata.include-annotations="*"'
SHOWN = "OData.Community.Display.V1.FormattedValue"


def fetched(api, table, inner, prefer="", **attributes):
    """The body of the answer to a query about ``table`` with ``inner`` in its entity element."""
    head = "".join(f" {name.replace('_', '-')}='{value}'" for name, value in attributes.items())
    xml = f"<fetch{head}><entity name='{table}'>{inner}</entity></fetch>"
    names = {"account": "accounts", "contact": "contacts", "invoice": "invoices", "invoicedetail": "invoicedetails"}
    return api.get(f"{names[table]}?fetchXml={quote(xml)}", **({"Prefer": prefer} if prefer else {}))


def conditions(*parts, kind="and"):
    return f"<filter type='{kind}'>{''.join(f'<condition {part} />' for part in parts)}</filter>"


NAME = "<attribute name='name' />"


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        (f"attribute='name' operator='eq' value='{ACME}'", [ACME]),
        ("attribute='name' operator='ne' value='acme ltd'", [BEE]),
        ("attribute='name' operator='like' value='%m_ l%'", [ACME]),
        ("attribute='name' operator='like' value='[a-b]%'", [ACME, BEE]),
        ("attribute='name' operator='not-like' value='a%'", [BEE]),
        ("attribute='name' operator='begins-with' value='bee'", [BEE]),
        ("attribute='name' operator='begins-with' value='%ee'", []),
        ("attribute='name' operator='ends-with' value='LTD'", [ACME]),
        ("attribute='name' operator='not-end-with' value='LTD'", [BEE]),
        ("attribute='accountnumber' operator='null'", [BEE]),
        ("attribute='accountnumber' operator='not-null'", [ACME]),
        ("attribute='customertypecode' operator='ge' value='3'", [ACME]),
        (
            (
                "attribute='customertypecode' operator='between'><value>1</value><value>5</value></condition><condition"
                " attribute='statecode' operator='eq' value='0'"
            ),
            [ACME],
        ),
        (
            (
                "attribute='name' operator='in'><value>ACME LTD</value><value>x</value></condition><condition"
                " attribute='statecode' operator='in'><value>0</value><value>1</value></condition><condition"
                " attribute='name' operator='not-null'"
            ),
            [ACME],
        ),
        ("attribute='merged' operator='eq' value='0'", [ACME, BEE]),
        ("attribute='createdon' operator='on-or-before' value='2026-01-01'", [ACME, BEE]),
        ("attribute='createdon' operator='on-or-after' value='2026-01-01'", []),
        ("attribute='createdon' operator='lt' value='2026-01-01T00:00:00Z'", [ACME, BEE]),
        ("attribute='createdon' operator='last-x-years' value='2'", [ACME, BEE]),
        ("attribute='createdon' operator='olderthan-x-days' value='30'", [ACME, BEE]),
        ("attribute='createdon' operator='olderthan-x-years' value='9'", []),
        ("attribute='createdon' operator='last-year'", [ACME, BEE]),
        ("attribute='createdon' operator='this-week'", []),
        ("attribute='createdon' operator='next-x-weeks' value='2'", []),
        ("attribute='createdon' operator='today'", []),
        ("attribute='createdby' operator='ne-userid'", [ACME, BEE]),
        ("attribute='createdon' operator='eq' valueof='modifiedon'", [ACME, BEE]),
        ("attribute='name' operator='gt' valueof='accountnumber'", [ACME]),
    ],
)
def test_conditions(company, condition, names):
    found = fetched(company, "account", NAME + conditions(condition))["value"]
    assert [row["name"] for row in sorted(found, key=lambda row: row["name"])] == names


def test_filters_nest(company):
    text = conditions("attribute='name' operator='eq' value='x'", f"attribute='name' operator='eq' value='{ACME}'", kind="or")
    inside = conditions("attribute='statecode' operator='eq' value='0'").replace("</filter>", f"{text}</filter>")
    assert [row["name"] for row in fetched(company, "account", NAME + inside)["value"]] == [ACME]


def test_a_plain_query_leaves_empty_columns_out_and_brings_keys_and_currencies(company):
    inner = (
        "<attribute name='totalamount' /><attribute name='description' /><order attribute='totalamount' descending='true' />"
    )
    body = fetched(company, "invoice", inner)
    assert body["@odata.context"].endswith("#invoices(totalamount,description,invoiceid,_transactioncurrencyid_value)")
    assert set(body["value"][0]) == {"@odata.etag", "totalamount", "invoiceid", "_transactioncurrencyid_value"}
    assert [row["totalamount"] for row in body["value"]] == [Decimal("550.2800"), Decimal("79.7500"), Decimal("57.5000")]


def test_without_attributes_all_columns_come(company):
    row = fetched(company, "account", conditions(f"attribute='name' operator='eq' value='{ACME}'"))["value"][0]
    assert {"name", "accountnumber", "statecode", "_ownerid_value", "createdon"} <= set(row)
    only = fetched(company, "account", "<no-attrs />")["value"][0]
    assert set(only) == {"@odata.etag", "accountid"}


def test_orders_go_by_names_of_lookups_and_labels_of_choices(company):
    by_currency = fetched(company, "account", NAME + "<order attribute='transactioncurrencyid' descending='true' />")
    assert [row["name"] for row in by_currency["value"]] == [BEE, ACME]


CONTACTS = "<link-entity name='contact' from='parentcustomerid' to='accountid' link-type='{}' alias='c'>{}</link-entity>"


def test_links(company):
    inner = fetched(company, "account", NAME + CONTACTS.format("inner", "<attribute name='fullname' />"), ALL)
    assert inner["@odata.context"].endswith("#accounts(name,c_x002e_fullname,accountid)")
    (row,) = inner["value"]
    assert (row["name"], row["c.fullname"]) == (ACME, "Cara Day")
    assert row["c.fullname@OData.Community.Display.V1.AttributeName"] == "fullname"
    outer = CONTACTS.format(
        "outer", "<attribute name='fullname' alias='who' />" + conditions("attribute='fullname' operator='null'")
    )
    assert [set(row) & {"who"} for row in fetched(company, "account", NAME + outer)["value"]] == [set(), set()]
    assert len(fetched(company, "account", NAME + CONTACTS.format("exists", ""))["value"]) == 1
    absent = f"<filter>{CONTACTS.format('not any', '')}</filter>"
    assert [row["name"] for row in fetched(company, "account", NAME + absent)["value"]] == [BEE]


def test_links_of_links_and_conditions_on_them(company):
    link = (
        "<link-entity name='invoice' from='invoiceid' to='invoiceid'><attribute name='name' />"
        "<link-entity name='account' from='accountid' to='customerid' alias='a'><attribute name='name' />"
        "<attribute name='transactioncurrencyid' /></link-entity></link-entity>"
        "<filter><condition entityname='a' attribute='name' operator='eq' value='Acme Ltd' /></filter>"
        "<order entityname='a' attribute='name' />"
    )
    (row,) = fetched(company, "invoicedetail", "<attribute name='quantity' />" + link, ALL)["value"]
    assert (row["invoice1.name"], row["a.name"], row["quantity"]) == ("Invoice HP-1", ACME, 3)
    assert row[f"a.transactioncurrencyid@{SHOWN}"] == "New Zealand Dollar"


def all_pages(api, inner, **attributes):
    """Follow the cookies as the documentation says."""
    pages, more, extra = [], True, {"page": 1}
    while more:
        body = fetched(api, "invoice", "<attribute name='name' />" + inner, ALL, **attributes, **extra)
        pages.append([row["name"] for row in body["value"]])
        more = body["@Microsoft.Dynamics.CRM.morerecords"]
        outer = body.get("@Microsoft.Dynamics.CRM.fetchxmlpagingcookie")
        extra = {"page": len(pages) + 1}
        if outer:
            cookie = unquote(unquote(ET.fromstring(outer).get("pagingcookie")))  # noqa: S314 - the sandbox wrote it
            extra["paging_cookie"] = "".join(f"&#{ord(letter)};" for letter in cookie)
    return pages


@pytest.mark.parametrize("order", ["<order attribute='totalamount' />", "<order attribute='name' descending='true' />", ""])
def test_pages_and_cookies(company, order):
    pages = all_pages(company, order, count=1)
    assert [len(page) for page in pages] == [1, 1, 1]
    assert len({name for page in pages for name in page}) == 3


def test_pages_of_an_order_by_a_link_have_no_cookie(company):
    link = "<link-entity name='transactioncurrency' from='transactioncurrencyid' to='transactioncurrencyid' alias='t' />"
    assert [len(p) for p in all_pages(company, f"{link}<order entityname='t' attribute='isocurrencycode' />", count=2)] == [
        2,
        1,
    ]


def test_a_page_size_asked_for_in_the_header_brings_a_next_link(company):
    body, names = fetched(company, "invoice", NAME, "odata.maxpagesize=2"), []
    while True:
        names.append([row["name"] for row in body["value"]])
        if "@odata.nextLink" not in body:
            break
        body = company.get(body["@odata.nextLink"], Prefer="odata.maxpagesize=2")
    assert [len(page) for page in names] == [2, 1]


def test_counts_top_and_distinct(company):
    body = fetched(company, "invoice", NAME, ALL, count=1, returntotalrecordcount="true")
    assert (body["@odata.count"], body["@Microsoft.Dynamics.CRM.totalrecordcount"], len(body["value"])) == (3, 3, 1)
    assert len(fetched(company, "invoice", NAME, top=2)["value"]) == 2
    distinct = fetched(company, "invoice", "<attribute name='transactioncurrencyid' />", distinct="true")["value"]
    assert [set(row) for row in distinct] == [{"_transactioncurrencyid_value"}] * 2


def test_aggregates(company):
    inner = (
        "<attribute name='totalamount' alias='total' aggregate='sum' />"
        "<attribute name='totalamount' alias='most' aggregate='max' />"
        "<attribute name='totalamount' alias='average' aggregate='avg' />"
        "<attribute name='invoiceid' alias='n' aggregate='count' />"
        "<attribute name='statecode' alias='states' aggregate='countcolumn' distinct='true' />"
        "<attribute name='transactioncurrencyid' alias='money' groupby='true' /><order alias='total' descending='true' />"
    )
    first, second = fetched(company, "invoice", inner, ALL, aggregate="true")["value"]
    assert [first[name] for name in ("total", "most", "average", "n", "states")] == [
        Decimal("607.78"),
        Decimal("550.28"),
        Decimal("303.89"),
        2,
        2,
    ]
    assert (first[f"money@{SHOWN}"], first[f"total@{SHOWN}"]) == ("New Zealand Dollar", "$607.78")
    assert (second[f"total@{SHOWN}"], "@odata.etag" in second) == ("US$79.75", False)


def test_aggregates_of_nothing_and_by_parts_of_dates(company):
    none = conditions("attribute='name' operator='eq' value='x'")
    count = "<attribute name='invoiceid' alias='n' aggregate='count' />"
    assert fetched(company, "invoice", count + none, aggregate="true")["value"] == [{"n": 0}]
    parts = "".join(
        f"<attribute name='duedate' alias='{p}' groupby='true' dategrouping='{p}' />"
        for p in ("day", "week", "month", "quarter", "year")
    )
    (row,) = fetched(company, "invoice", count + parts, aggregate="true")["value"]
    assert row == {"n": 3, "day": 2, "week": 49, "month": 12, "quarter": 4, "year": 2026}


def account(inner, head=""):
    return f"<fetch{head}><entity name='account'>{inner}</entity></fetch>"


MANY_LINKS = "<link-entity name='contact' from='contactid' to='primarycontactid'/>" * 16
COUNTED = "<attribute name='name' alias='n' aggregate='{}'/>"
TOTALS = " aggregate='true'"
REFUSED = [
    ("<fetch", "0x80040201"),
    ("<!DOCTYPE x><fetch><entity name='account'/></fetch>", "0x80040201"),
    ("<fetch/>", "0x80040201"),
    ("<fetch><entity/></fetch>", "0x80040201"),
    ("<fetch><entity name='acount'/></fetch>", "0x80041102"),
    ("<fetch><entity name='contact'/></fetch>", "0x80060888"),
    (account("<attribute name='nmae'/>"), "0x80041103"),
    (account("<atribute name='name'/>"), "0x8004111c"),
    (account("<order attribute='nmae'/>"), "0x80041103"),
    (account("<order alias='n'/>"), "0x80040203"),
    (account("", " top='2' page='1'"), "0x80040203"),
    (account("", " count='x'"), "0x80040203"),
    (account("", " paging-cookie='x' count='1'"), "0x80040203"),
    (account("<attribute name='name'/>", TOTALS), "0x8004110b"),
    (account("<attribute name='name' alias='n'/>", TOTALS), "0x80041107"),
    (account(COUNTED.format("sum"), TOTALS), "0x80040203"),
    (account(COUNTED.format("count"), TOTALS + " aggregatelimit='1'"), "0x8004e023"),
    (account("<attribute name='name' alias='a b'/>"), "0x80041109"),
    (account(MANY_LINKS), "0x8004430d"),
    (account(conditions("attribute='name' operator='sounds-like' value='x'")), "0x80041106"),
    (account(conditions("attribute='name' operator='eq'")), "0x80041106"),
    (account(conditions("attribute='createdon' operator='last-x-days'")), "0x80041106"),
    (account(conditions("attribute='createdon' operator='like' value='x'")), "0x80041106"),
    (account(conditions("attribute='name' operator='like' value='[z-a]'")), "0x80041106"),
    (account(conditions("attribute='statecode' operator='eq' value='Active'")), "0x80041108"),
    (account(conditions("attribute='createdon' operator='eq' value='soon'")), "0x80041108"),
    (account(conditions("attribute='accountid' operator='eq' value='5'")), "0x80041108"),
    (account(conditions("entityname='x' attribute='name' operator='null'")), "0x8004110a"),
    (account(conditions("attribute='createdon' operator='gt' valueof='name'")), "0x80041106"),
]


@pytest.mark.parametrize(("xml", "code"), REFUSED)
def test_refusals_of_fetchxml(company, xml, code):
    assert company.refused("GET", f"accounts?fetchXml={quote(xml)}") == (400, code)


def test_a_query_with_conditions_without_end_is_refused(company):
    for query in ("$filter=" + "(" * 20_000, "sql=" + quote("SELECT name FROM account WHERE ") + "(" * 20_000):
        assert company.send("GET", f"accounts?{query}").status_code == 400


def test_derived_lookups_are_found_by(company):
    acme = company.id_of("accounts", f"name eq '{ACME}'")
    assert len(company.rows(f"invoices?$filter=_accountid_value eq {acme}")) == 1
    inner = NAME + conditions(f"attribute='accountid' operator='eq' value='{{{acme.upper()}}}'")
    assert len(fetched(company, "invoice", inner)["value"]) == 1


def test_fetchxml_in_a_batch(company):
    xml = quote("<fetch top='1'><entity name='account'><attribute name='name'/><order attribute='name'/></entity></fetch>")
    head = "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    part = f"{head}GET /api/data/v9.2/accounts?fetchXml={xml} HTTP/1.1\r\nAccept: application/json\r\n\r\n--b--\r\n"
    answer = company.send("POST", "$batch", part, Content_Type='multipart/mixed; boundary="b"')
    assert json.loads(answer.text[answer.text.index("{") : answer.text.rindex("}") + 1])["value"][0]["name"] == ACME
