"""XML, Xero's older form: what pyxero writes, and the answer to whoever does not ask for JSON."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

AS_XML = {"Content-Type": "application/xml", "Accept": "application/json"}


def put(api, path, text, **headers):
    sent = {**api.headers, **AS_XML, **headers}
    return api.client.request("PUT", f"/api.xro/2.0/{path}", content=text.encode(), headers=sent)


def read(answer):
    return ET.fromstring(answer.content)  # noqa: S314 - the sandbox's own answer


def test_an_invoice_in_xml_is_the_same_as_in_json(api):
    """One bare element, as pyxero sends it: lists by their plural names, dates in ISO form, text as it stands."""
    answer = put(
        api,
        "Invoices",
        "<Invoice><Type>ACCREC</Type><Contact><Name>Rimu &amp; Sons</Name><Phones><Phone><PhoneType>DEFAULT</PhoneType>"
        "<PhoneNumber>123</PhoneNumber></Phone></Phones><Addresses><Address><AddressType>STREET</AddressType>"
        "<City>Nelson</City></Address></Addresses></Contact><Date>2026-11-02T00:00:00</Date><DueDate>2026-11-30</DueDate>"
        "<ExpectedPaymentDate /><SentToContact>true</SentToContact><Status>AUTHORISED</Status><LineItems><LineItem>"
        "<Description>Work</Description><Quantity>2</Quantity><UnitAmount>10.50</UnitAmount><AccountCode>200</AccountCode>"
        "</LineItem></LineItems></Invoice>",
    )
    made = answer.json()["Invoices"][0]
    contact = api.row("Contacts", made["Contact"]["ContactID"])
    assert (made["SubTotal"], made["DateString"], made["SentToContact"]) == (21.0, "2026-11-02T00:00:00", True)
    assert contact["Name"] == "Rimu & Sons"
    assert [a["City"] for a in contact["Addresses"] if a["AddressType"] == "STREET"] == ["Nelson"]
    assert [p["PhoneNumber"] for p in contact["Phones"] if p["PhoneType"] == "DEFAULT"] == ["123"]


def test_several_elements_stand_under_the_plural_name(api):
    answer = put(api, "Contacts", "<Contacts><Contact><Name>A1</Name></Contact><Contact><Name>A2</Name></Contact></Contacts>")
    assert [c["Name"] for c in answer.json()["Contacts"]] == ["A1", "A2"]


@pytest.mark.parametrize("text", ["<Contacts><Contact>", "<!DOCTYPE x [<!ENTITY a 'b'>]><Contact><Name>&a;</Name></Contact>"])
def test_xml_that_is_broken_or_has_a_document_type_is_refused(api, text):
    refused = put(api, "Contacts", text).json()
    assert (refused["ErrorNumber"], refused["Message"].split(",")[0]) == (14, "XML for post data was invalid")


def test_an_answer_in_xml_has_iso_dates_and_singular_names(api):
    made = api.invoice()
    root = read(api.send("GET", f"Invoices/{made['InvoiceID']}", headers={"Accept": "*/*"}))
    shown = root.find("Invoices/Invoice")
    assert (shown.findtext("Date"), shown.find("DateString")) == ("2026-11-02T00:00:00", None)
    assert shown.findtext("LineItems/LineItem/LineAmount") == "100.00"
    assert root.findtext("DateTimeUTC").startswith("2026-11-2")
    contact = read(api.send("GET", f"Contacts/{made['Contact']['ContactID']}", headers={"Accept": "*/*"}))
    assert contact.find("Contacts/Contact/Addresses/Address/AddressType") is not None


def test_a_validation_error_in_xml_has_the_elements_of_the_service(api):
    answer = put(api, "Contacts", "<Contact><Name /></Contact>", Accept="text/xml")
    root = read(answer)
    assert (answer.status_code, root.tag, root.findtext("ErrorNumber")) == (400, "ApiException", "10")
    assert root.findtext("Elements/DataContractBase/ValidationErrors/ValidationError/Message")


def test_ids_without_dashes_are_ids(api):
    """pyxero joins ids as bare hexadecimal digits; .NET reads them so as well."""
    made = api.invoice()
    bare = made["InvoiceID"].replace("-", "")
    assert [i["InvoiceID"] for i in api.get("Invoices", IDs=bare)["Invoices"]] == [made["InvoiceID"]]
    assert api.row("Invoices", bare)["InvoiceNumber"] == made["InvoiceNumber"]


def test_an_allocation_may_name_its_amount_as_applied(api):
    invoice = api.invoice()
    note = {"Type": "ACCRECCREDIT", "Contact": {"Name": "Rimu Joinery"}, "Date": "2026-11-03", "Status": "AUTHORISED"}
    note["LineItems"] = [{"Description": "Back", "Quantity": 1, "UnitAmount": "10.00", "AccountCode": "200"}]
    credit = api.one("PUT", "CreditNotes", note)
    text = f"<Allocation><Invoice><InvoiceID>{invoice['InvoiceID']}</InvoiceID></Invoice><Date>2026-11-04</Date>"
    text += "<AppliedAmount>4.00</AppliedAmount></Allocation>"
    answer = put(api, f"CreditNotes/{credit['CreditNoteID']}/Allocations", text)
    assert answer.json()["Allocations"][0]["Amount"] == 4.0
