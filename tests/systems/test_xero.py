"""The Xero client against a scripted Xero: what is asked, what is written, and what answers mean."""

from __future__ import annotations

import json
from decimal import Decimal
from urllib.parse import parse_qsl

import httpx
import pytest
from virtual import Script, VirtualClock, answer

from sync_core.errors import Configure, Rejected, Retryable, Unknown
from sync_core.model import Calls, Side, Verb
from sync_core.rules.entities import ORGANISATION, Stream
from sync_core.settings import Settings
from sync_core.systems.base import Write
from sync_core.systems.xero import Xero
from sync_core.systems.xero_operations import READING, WRITING

TENANT = "aaaaaaaa-2222-3333-4444-555555555555"
ID = "bbbbbbbb-2222-3333-4444-555555555555"
INVOICES = Stream(Side.XERO, "Invoices", "InvoiceID", where='Type=="ACCREC"', archived=True, tag="InvoiceNumber")
CONTACTS = Stream(Side.XERO, "Contacts", "ContactID", archived=True, tag="ContactNumber")
PAYMENTS = Stream(Side.XERO, "Payments", "PaymentID")
ITEMS = Stream(Side.XERO, "Items", "ItemID", paged=False)
THEMES = Stream(Side.XERO, "BrandingThemes", "BrandingThemeID", incremental=False, paged=False, optional=True)
CURRENCIES = Stream(Side.XERO, "Currencies", "Code", incremental=False, paged=False)
BATCHES = Stream(Side.XERO, "BatchPayments", "BatchPaymentID", paged=False)
ALLOCATIONS = Stream(Side.XERO, "CreditNotes", "AllocationID", within="Allocations", parent_key="CreditNoteID")


class Tokens:
    def token(self, force: bool = False, /) -> str:
        return "fresh" if force else "kept"


def xero_on(script, **changes):
    settings = Settings(_env_file=None, xero_tenant_id=TENANT, **changes)
    return Xero(settings, VirtualClock(), Tokens(), lambda: "run-1", script)


def query(request):
    return dict(parse_qsl(request.url.query.decode()))


def create(stream, *bodies):
    return [Write(stream, Verb.CREATE, body, f"key-{n}") for n, body in enumerate(bodies)]


# -- check ---------------------------------------------------------------------------------------------------------------


def connections(*tenants):
    return answer(200, [{"id": "1", "tenantId": t, "tenantType": "ORGANISATION", "tenantName": "Harbour"} for t in tenants])


def test_check_proves_the_connection_and_names_the_organisation():
    script = Script(
        connections(TENANT.upper()), answer(200, {"Organisations": [{"OrganisationID": ID, "Name": "Harbour Ltd"}]})
    )
    xero = xero_on(script)
    peer = xero.check()
    assert (peer.id, peer.name, peer.facts["Name"]) == (ID, "Harbour Ltd", "Harbour Ltd")
    assert script.seen == ["GET /connections", "GET /api.xro/2.0/Organisation"]
    assert xero.calls == Calls(read=2)


def test_an_organisation_that_is_not_connected_is_named():
    with pytest.raises(Configure, match=r"TIEOUT_XERO_TENANT_ID. It may reach: Harbour \(other\)"):
        xero_on(Script(connections("other"))).check()


def test_an_address_that_is_not_xeros_is_said():
    with pytest.raises(Configure, match=r"api\.xero\.com does not answer like Xero. Check TIEOUT_XERO_URL"):
        xero_on(Script(answer(404))).check()


def test_a_server_without_a_list_of_connections_is_known_by_its_organisation():
    script = Script(answer(404), answer(200, {"Organisations": [{"OrganisationID": ID, "Name": "Harbour Ltd"}]}))
    assert xero_on(script).check().name == "Harbour Ltd"


def test_a_missing_permission_is_said():
    with pytest.raises(Configure, match="has not given Tieout permission"):
        xero_on(Script(connections(TENANT), answer(403, {"Detail": "AuthenticationUnsuccessful"}))).check()


def test_the_table_that_was_refused_is_named():
    with pytest.raises(Configure, match=r"refused access to Invoices\. Probably the app lacks a scope"):
        next(xero_on(Script(answer(403, {"Detail": "AuthorizationUnsuccessful"}))).changed_since(INVOICES, None))


@pytest.mark.parametrize("url", ["https://api.xero.com", "https://api.xero.com/api.xro/2.0/"])
def test_either_form_of_the_address_is_taken(url):
    script = Script(answer(200, {"Organisations": []}))
    next(xero_on(script, xero_url=url).changed_since(ORGANISATION, None))
    assert script.seen == ["GET /api.xro/2.0/Organisation"]


# -- get and find --------------------------------------------------------------------------------------------------------


def test_one_row_is_asked_for_with_all_its_decimals():
    script = Script(lambda _: httpx.Response(200, text='{"Invoices":[{"InvoiceID":"1","Total":0.10}]}'))
    assert xero_on(script).get(INVOICES, ID) == {"InvoiceID": "1", "Total": Decimal("0.10")}
    request = script.requests[0]
    assert (request.url.path, query(request)) == (f"/api.xro/2.0/Invoices/{ID}", {"unitdp": "4"})
    assert request.headers["xero-tenant-id"] == TENANT
    assert request.headers["accept"] == "application/json"
    assert request.headers["authorization"] == "Bearer kept"


def test_a_row_that_is_not_there_is_none():
    assert xero_on(Script(answer(404))).get(CONTACTS, ID) is None
    assert xero_on(Script(answer(200, {"Currencies": [{"Code": "GBP"}]}))).get(CURRENCIES, "EUR") is None


def test_rows_inside_others_have_no_address():
    with pytest.raises(Rejected, match="get its parent"):
        xero_on(Script(answer())).get(ALLOCATIONS, ID)


def test_find_compares_again_what_xero_found():
    rows = [{"InvoiceNumber": "INV-1"}, {"InvoiceNumber": " inv-1 "}, {"InvoiceNumber": "INV-10"}, {}]
    script = Script(answer(200, {"Invoices": rows}))
    assert xero_on(script).find(INVOICES, "InvoiceNumber", "INV-1") == rows[:2]
    asked = query(script.requests[0])
    assert asked["where"] == '(Type=="ACCREC") AND (InvoiceNumber=="INV-1")'
    assert (asked["page"], asked["includeArchived"]) == ("1", "true")


@pytest.mark.parametrize(
    ("field", "value", "where"),
    [
        ("ContactNumber", ID, f'ContactNumber=="{ID}"'),
        ("ContactID", ID, f'ContactID==Guid("{ID}")'),
        ("Name", "O'Neil & Söhne + Co", 'Name=="O\'Neil & Söhne + Co"'),
        ("Name", 'The "Best" Ltd', 'Name!=null AND Name.StartsWith("The ")'),
        ("Name", '"Best" Limited', 'Name!=null AND Name.Contains(" Limited")'),
        ("Name", 'a" OR Name!="b', 'Name!=null AND Name.StartsWith("a")'),
        ("Name", "back\\slash", 'Name!=null AND Name.StartsWith("back")'),
    ],
)
def test_values_cannot_break_out_of_a_filter(field, value, where):
    script = Script(answer(200, {"Contacts": [{field: value}, {field: "other"}]}))
    assert xero_on(script).find(CONTACTS, field, value) == [{field: value}]
    assert query(script.requests[0])["where"] == where


def test_nothing_is_found_by_nothing():
    script = Script(answer())
    assert xero_on(script).find(CONTACTS, "ContactNumber", "") == []
    assert script.requests == []


@pytest.mark.parametrize(("status", "code"), [(403, "not permitted"), (404, "not supported")])
def test_an_optional_table_may_be_missing_or_shut(status, code):
    with pytest.raises(Rejected) as caught:
        list(xero_on(Script(answer(status))).changed_since(THEMES, None))
    assert caught.value.code == code


def test_a_list_that_is_not_there_is_not_called_a_record():
    with pytest.raises(Rejected, match="This Xero organisation does not offer Invoices"):
        list(xero_on(Script(answer(404))).changed_since(INVOICES, None))


def test_lines_that_a_list_leaves_out_are_fetched_by_id():
    short, empty = {"InvoiceID": ID, "Total": 1.5}, {"InvoiceID": "other", "Total": 0.0, "LineItems": []}
    full = {**short, "LineItems": [{"LineItemID": "l1"}]}
    counted = {"pagination": {"page": 1, "pageCount": 1, "itemCount": 2}}
    script = Script(answer(200, {"Invoices": [short, empty], **counted}), answer(200, {"Invoices": [full]}))
    (page,) = xero_on(script).changed_since(INVOICES, None)
    assert [row.get("LineItems") for row in page.rows] == [[{"LineItemID": "l1"}], []]
    assert script.seen[1:] == [f"GET /api.xro/2.0/Invoices/{ID}"]


# -- write ---------------------------------------------------------------------------------------------------------------


def ok(**row):
    return {"StatusAttributeString": "OK", "HasErrors": False, "ValidationErrors": [], **row}


def failed(*texts, **row):
    errors = [{"Message": text} for text in texts]
    return {"StatusAttributeString": "ERROR", "HasErrors": True, "ValidationErrors": errors, **row}


def test_a_batch_is_put_once_with_numbers_as_they_are():
    echo = [ok(InvoiceID=f"i{n}", InvoiceNumber=f"INV-{n}") for n in (1, 2)]
    script = Script(answer(200, {"Invoices": echo}))
    xero = xero_on(script)
    bodies = [{"InvoiceNumber": f"INV-{n}", "Total": Decimal("12345678901.123456")} for n in (1, 2)]
    receipts = xero.write(create(INVOICES, *bodies))
    request = script.requests[0]
    assert (request.method, request.url.path) == ("PUT", "/api.xro/2.0/Invoices")
    assert query(request) == {"summarizeErrors": "false", "unitdp": "4"}
    assert request.headers["idempotency-key"] == "key-0"
    assert json.loads(request.content, parse_float=Decimal) == {"Invoices": bodies}
    assert [(r.id, r.error) for r in receipts] == [("i1", None), ("i2", None)]
    assert xero.calls == Calls(write=1)


def test_one_refused_element_stops_no_other():
    echo = [
        ok(ContactID="c1", ContactNumber="1", Warnings=[{"Message": "Rate is unusual"}]),
        failed("The contact number is already linked to another contact", ContactNumber="2"),
        failed(ContactNumber="3"),
    ]
    receipts = xero_on(Script(answer(200, {"Contacts": echo}))).write(
        create(CONTACTS, *({"ContactNumber": str(n)} for n in (1, 2, 3)))
    )
    assert receipts[0].warnings == ("Rate is unusual",)
    refused = receipts[1].error
    assert isinstance(refused, Rejected)
    assert (refused.field, refused.code) == ("ContactNumber", "exists")
    assert refused.message == (
        "Xero refused this record: The contact number is already linked to another contact. "
        "Choose another one, or link this record to the one in Xero that has it."
    )
    assert "gave no reason" in receipts[2].error.message


def test_errors_of_lines_and_odd_spellings_are_heard():
    row = failed() | {"LineItems": [{"ValidationErrors": [{"Description": "Account code '999' is not a valid code"}]}]}
    receipt = xero_on(Script(answer(200, {"Invoices": [row]}))).write(create(INVOICES, {}))[0]
    assert (receipt.error.field, receipt.error.code) == ("AccountCode", "archived")


@pytest.mark.parametrize(
    "echo",
    [
        [ok(InvoiceID="i2", InvoiceNumber="INV-2"), ok(InvoiceID="i1", InvoiceNumber="INV-1")],
        [ok(InvoiceID="i1", InvoiceNumber="INV-1")],
        [ok(InvoiceNumber="INV-1"), ok(InvoiceNumber="INV-2")],
        "nothing",
    ],
)
def test_an_answer_that_does_not_fit_leaves_all_unknown(echo):
    script = Script(answer(200, {"Invoices": echo}))
    with pytest.raises(Unknown):
        xero_on(script).write(create(INVOICES, {"InvoiceNumber": "INV-1"}, {"InvoiceNumber": "INV-2"}))


@pytest.mark.parametrize(
    "fault", [httpx.ReadTimeout("lost"), answer(500), lambda _: httpx.Response(200, text="<html>"), httpx.ReadError("reset")]
)
def test_a_lost_answer_leaves_all_unknown_and_is_sent_once(fault):
    script = Script(fault)
    with pytest.raises(Unknown):
        xero_on(script).write(create(PAYMENTS, {"Reference": "x"}))
    assert len(script.requests) == 1


def test_an_update_names_its_record():
    script = Script(answer(200, {"Contacts": [ok(ContactID=ID)]}))
    write = Write(CONTACTS, Verb.UPDATE, {"Name": "New"}, "k", id=ID)
    assert xero_on(script).write([write])[0].id == ID
    assert script.seen == ["POST /api.xro/2.0/Contacts"]
    assert json.loads(script.requests[0].content) == {"Contacts": [{"Name": "New", "ContactID": ID}]}


def test_an_update_of_another_record_is_noticed():
    script = Script(answer(200, {"Contacts": [ok(ContactID=TENANT)]}))
    with pytest.raises(Unknown, match="ContactID differs"):
        xero_on(script).write([Write(CONTACTS, Verb.UPDATE, {"Name": "New"}, "k", id=ID)])


@pytest.mark.parametrize(("stream", "table"), [(PAYMENTS, "Payments"), (BATCHES, "BatchPayments")])
def test_money_is_deleted_by_status_and_nothing_else(stream, table):
    script = Script(answer(200, {table: [{stream.key: ID, "Status": "DELETED"}]}))
    receipt = xero_on(script).write([Write(stream, Verb.DELETE, {}, "k", id=ID)])[0]
    assert receipt.native["Status"] == "DELETED"
    assert script.seen == [f"POST /api.xro/2.0/{table}/{ID}"]
    assert json.loads(script.requests[0].content) == {"Status": "DELETED"}


def test_an_item_is_deleted_without_a_body():
    script = Script(lambda _: httpx.Response(204))
    assert xero_on(script).write([Write(ITEMS, Verb.DELETE, {}, "k", id=ID)])[0].id == ID
    assert (script.seen, script.requests[0].content) == ([f"DELETE /api.xro/2.0/Items/{ID}"], b"")


def test_an_allocation_goes_under_its_parent():
    script = Script(answer(200, {"Allocations": [{"AllocationID": "a1", "Amount": 5}]}))
    write = Write(ALLOCATIONS, Verb.CREATE, {"Amount": Decimal("5.00"), "Invoice": {"InvoiceID": TENANT}}, "k", id=ID)
    assert xero_on(script).write([write])[0].id == "a1"
    assert script.seen == [f"PUT /api.xro/2.0/CreditNotes/{ID}/Allocations"]
    assert script.requests[0].content == f'{{"Allocations":[{{"Amount":5.00,"Invoice":{{"InvoiceID":"{TENANT}"}}}}]}}'.encode()


def test_an_allocation_is_deleted_under_its_parent():
    script = Script(answer(200, {"AllocationId": "a1", "IsDeleted": True}))
    write = Write(ALLOCATIONS, Verb.DELETE, {"CreditNoteID": ID}, "k", id="a1")
    assert xero_on(script).write([write])[0].native["IsDeleted"] is True
    assert script.seen == [f"DELETE /api.xro/2.0/CreditNotes/{ID}/Allocations/a1"]


def test_a_single_refusal_carries_xeros_words():
    body = {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": [{"ValidationErrors": [{"Message": "The document date cannot be before the period lock date"}]}],
    }
    receipt = xero_on(Script(answer(400, body))).write([Write(PAYMENTS, Verb.DELETE, {}, "k", id=ID)])[0]
    assert (receipt.error.code, receipt.error.field) == ("locked period", "Date")


@pytest.mark.parametrize(
    ("text", "field", "code"),
    [
        ("The ContactNumber field cannot be longer than 50 characters", "ContactNumber", "too long"),
        ("The contact name Acme is already assigned to another contact. The contact name must be unique", "Name", "exists"),
        ("Invoice # must be unique.", "InvoiceNumber", "exists"),
        ("This document cannot be edited as it has a payment or credit note allocated to it.", "Status", "not editable"),
        ("The contact Acme has been archived. The contact must be un-archived before", "Contact", "archived"),
        ("The TaxType code 'X' does not exist or cannot be used", "TaxType", "validation"),
        ("Organisation is not subscribed to currency EUR", "CurrencyCode", "currency"),
        ("The line total 1 does not match the expected line total 2", "LineItems", "amounts"),
        ("The payment has already been deleted", "Status", "already deleted"),
        ("Due date cannot be empty", "DueDate", "validation"),
        ("Something nobody has seen", "", "validation"),
    ],
)
def test_complaints_are_recognised(text, field, code):
    receipt = xero_on(Script(answer(200, {"Invoices": [failed(text)]}))).write(create(INVOICES, {}))[0]
    assert (receipt.error.field, receipt.error.code) == (field, code)
    assert text.rstrip(".") in receipt.error.message


def test_a_payload_that_xero_cannot_read_refuses_every_element():
    body = {"ErrorNumber": 14, "Type": "PostDataInvalidException", "Message": "Invalid Json data"}
    receipts = xero_on(Script(answer(400, body))).write(create(INVOICES, {}, {}))
    refusal = "Xero refused this record: Invalid Json data. Correct it; the next sync sends it again."
    assert [r.error.message for r in receipts] == [refusal] * 2


@pytest.mark.parametrize("silent", [[{"InvoiceNumber": "1", "ValidationErrors": []}], []])
def test_a_400_that_hides_what_was_saved_refuses_only_those_it_complains_of(silent):
    """The others were saved or not: only looking tells."""
    body = {"Elements": [*silent, {"InvoiceNumber": "2", "ValidationErrors": [{"Message": "Bad"}]}]}
    some = create(INVOICES, {"InvoiceNumber": "1"}, {"InvoiceNumber": "2"})
    receipts = xero_on(Script(answer(400, body))).write(some)
    assert [type(r.error) for r in receipts] == [Unknown, Rejected]


def test_a_400_about_nobody_in_particular_leaves_all_unknown():
    body = {"Elements": [{"ValidationErrors": [{"Message": "Bad"}]}]}
    with pytest.raises(Unknown):
        xero_on(Script(answer(400, body))).write(create(INVOICES, {}, {}))


def test_a_record_that_vanished_is_refused_as_missing():
    receipt = xero_on(Script(answer(404))).write([Write(PAYMENTS, Verb.DELETE, {}, "k", id=ID)])[0]
    assert receipt.error.code == "missing"


def test_batches_are_as_large_as_their_endpoint_allows():
    xero = xero_on(Script(answer()))
    assert (xero.batch_size, xero.batch_size_for(INVOICES), xero.batch_size_for(ALLOCATIONS)) == (50, 50, 1)
    assert xero.batch_size_for(PAYMENTS, Verb.DELETE) == 1
    with pytest.raises(ValueError, match="one call takes 50"):
        xero.write(create(INVOICES, *({} for _ in range(51))))


def test_a_payment_cannot_be_edited():
    script = Script(answer())
    xero = xero_on(script)
    assert xero.batch_size_for(PAYMENTS, Verb.UPDATE) == 1
    receipt = xero.write([Write(PAYMENTS, Verb.UPDATE, {"Amount": 1}, "k", id=ID)])[0]
    assert "no way to update Payments" in receipt.error.message
    assert script.requests == []


def test_a_float_is_never_sent():
    with pytest.raises(TypeError):
        xero_on(Script(answer())).write(create(INVOICES, {"Total": 0.1}))


def test_members_of_one_group_are_refused_whole():
    """The refusal names the group, which tells nothing of a single member; none of them was put in."""
    group = Stream(Side.XERO, "ContactGroups", "ContactID", within="Contacts", parent_key="ContactGroupID")
    refused = {"ContactGroupID": TENANT, "ValidationErrors": [{"Message": "An archived contact cannot be added."}]}
    script = Script(answer(400, {"ErrorNumber": 10, "Type": "ValidationException", "Elements": [refused]}))
    writes = [Write(group, Verb.CREATE, {"ContactID": ID}, f"k{n}", id=TENANT) for n in range(2)]
    assert [type(r.error) for r in xero_on(script).write(writes)] == [Rejected, Rejected]


def test_calls_stay_within_the_minute():
    xero = xero_on(Script(answer(200, {"Items": []}, x_daylimit_remaining="4000")))
    for _ in range(61):
        xero.find(ITEMS, "Code", "x")
    assert xero.budget.remaining_today() == 4000
    assert sum(xero.budget._clock.slept) >= 59


def test_a_list_that_is_a_page_is_tried_later():
    with pytest.raises(Retryable, match="page instead of data"):
        list(xero_on(Script(lambda _: httpx.Response(200, text="<html>"))).changed_since(INVOICES, None))


# -- the catalogue -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "verb"), sorted(WRITING, key=str))
def test_every_way_to_write_uses_the_verb_that_is_safe(name, verb):
    """Creating is PUT, changing is POST; deleting is DELETE, or POST of a status where Xero has no DELETE."""
    table, _, within = name.partition(".")
    stream = Stream(Side.XERO, table, "Id", within=within, parent_key="ParentID")
    script = Script(lambda _: httpx.Response(400, json={"Message": "No"}))
    body = {"ParentID": TENANT} if within and verb is Verb.DELETE else {"Status": "X"}
    receipt = xero_on(script).write([Write(stream, verb, body, "k", id=None if verb is Verb.CREATE and not within else ID)])[0]
    assert isinstance(receipt.error, Rejected)
    methods = {Verb.CREATE: {"PUT"}, Verb.UPDATE: {"POST"}, Verb.DELETE: {"DELETE", "POST"}}
    assert script.requests[0].method in methods[verb]
    assert script.requests[0].url.path.startswith(f"/api.xro/2.0/{table}")


@pytest.mark.parametrize("table", sorted(READING))
def test_every_table_can_be_listed(table):
    script = Script(answer(200, {READING[table].array or table: []}))
    stream = Stream(Side.XERO, table, "Id", incremental=False, paged=False)
    assert next(xero_on(script).changed_since(stream, None)).rows == []
    assert script.seen == [f"GET /api.xro/2.0/{table}"]


# -- more than one call takes ---------------------------------------------------------------------------------------------


def taken(request):
    sent = json.loads(request.content)["Invoices"]
    return httpx.Response(200, json={"Invoices": [{**row, "InvoiceID": f"id {row['InvoiceNumber']}"} for row in sent]})


def numbered(count, text=""):
    return create(INVOICES, *({"InvoiceNumber": f"I-{n}", "Reference": text} for n in range(count)))


def test_a_batch_that_xero_finds_too_large_is_sent_in_parts():
    def strict(request):
        large = len(json.loads(request.content)["Invoices"]) > 2
        return httpx.Response(413, text="<html>Request Entity Too Large</html>") if large else taken(request)

    script = Script(strict)
    receipts = xero_on(script).write(numbered(5))
    assert [r.id for r in receipts] == [f"id I-{n}" for n in range(5)]
    keys = [request.headers["Idempotency-Key"] for request in script.requests]
    assert len(set(keys)) == len(keys), "no key goes out with two bodies"


def test_a_batch_of_more_than_xero_advises_is_not_even_tried():
    script = Script(taken)
    receipts = xero_on(script).write(numbered(4, "x" * 1_000_000))
    assert [r.id for r in receipts] == [f"id I-{n}" for n in range(4)]
    assert [len(json.loads(request.content)["Invoices"]) for request in script.requests] == [2, 2]


def test_one_record_that_is_too_large_says_so():
    (receipt,) = xero_on(Script(answer(413))).write(numbered(1))
    assert receipt.error.code == "too large"
    assert "larger than what Xero takes at once" in receipt.error.message


def test_a_part_that_was_taken_is_looked_up_when_the_rest_could_not_be_sent():
    script = Script(answer(413), taken, answer(429, x_rate_limit_problem="day", retry_after="40000"))
    with pytest.raises(Unknown, match="must be looked up"):
        xero_on(script).write(numbered(2))
