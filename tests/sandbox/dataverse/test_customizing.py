"""Tables, columns, lookups and keys made by a client, and how they are read back."""

from __future__ import annotations

from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest
from dataverse_client import GUID, Api
from starlette.applications import Starlette

from sync_core.sandbox import dataverse

CRM = "Microsoft.Dynamics.CRM."
INVOICE = "EntityDefinitions(LogicalName='invoice')"


def label(text):
    return {"@odata.type": f"{CRM}Label", "LocalizedLabels": [{"Label": text, "LanguageCode": 1033}]}


def attribute(kind, schema, **details):
    return {"@odata.type": f"{CRM}{kind}AttributeMetadata", "SchemaName": schema, "DisplayName": label(schema), **details}


def payment_table(**more):
    name = attribute("String", "tie_Name", IsPrimaryName=True, MaxLength=100, FormatName={"Value": "Text"})
    return {
        "@odata.type": f"{CRM}EntityMetadata",
        "SchemaName": "tie_Payment",
        "OwnershipType": "UserOwned",
        "ChangeTrackingEnabled": True,
        "DisplayName": label("Payment"),
        "DisplayCollectionName": label("Payments"),
        "Attributes": [name],
    } | more


def lookup_to_invoice(on_delete="RemoveLink"):
    return {
        "@odata.type": f"{CRM}OneToManyRelationshipMetadata",
        "SchemaName": "tie_invoice_tie_payment",
        "ReferencedEntity": "invoice",
        "ReferencedAttribute": "invoiceid",
        "ReferencingEntity": "tie_payment",
        "CascadeConfiguration": {"Delete": on_delete},
        "Lookup": attribute("Lookup", "tie_InvoiceId"),
    }


@pytest.fixture
def payments(api):
    answer = api.send("POST", "EntityDefinitions", payment_table())
    assert answer.status_code == 204
    assert GUID.search(answer.headers["OData-EntityId"])
    return api


def test_a_new_table_is_ready_to_use(payments):
    found = payments.get("EntityDefinitions(LogicalName='tie_payment')?$select=EntitySetName,PrimaryIdAttribute,IsCustomEntity")
    assert (found["EntitySetName"], found["PrimaryIdAttribute"]) == ("tie_payments", "tie_paymentid")
    row = payments.create("tie_payments", {"tie_name": "First"})
    read = payments.get(f"tie_payments({row})?$select=tie_name,statecode,_ownerid_value")
    assert (read["tie_name"], read["statecode"], read["_ownerid_value"]) == ("First", 0, payments.user)


OPTIONS = {
    "OptionSet": {
        "@odata.type": f"{CRM}OptionSetMetadata",
        "IsGlobal": False,
        "OptionSetType": "Picklist",
        "Options": [{"Value": 727000000, "Label": label("Success")}, {"Value": 727000001, "Label": label("Failure")}],
    }
}
FLAG = {"OptionSet": {"TrueOption": {"Value": 1, "Label": label("On")}, "FalseOption": {"Value": 0, "Label": label("Off")}}}


@pytest.mark.parametrize(
    ("kind", "details", "sent", "read"),
    [
        ("String", {"MaxLength": 36}, "x", "x"),
        ("Memo", {"MaxLength": 4000, "Format": "TextArea"}, "x\ny", "x\ny"),
        ("Integer", {"MinValue": 0, "MaxValue": 10}, 7, 7),
        ("BigInt", {}, 7_000_000_000, 7_000_000_000),
        ("Money", {"PrecisionSource": 2}, 12.345, Decimal("12.3500")),
        ("Decimal", {"MinValue": -10, "MaxValue": 10, "Precision": 4}, 1.23456, Decimal("1.2346")),
        ("Double", {"Precision": 5}, 0.1, Decimal("0.10000")),
        ("DateTime", {"Format": "DateOnly", "DateTimeBehavior": {"Value": "DateOnly"}}, "2026-01-02", "2026-01-02"),
        ("DateTime", {"Format": "DateAndTime", "DateTimeBehavior": {"Value": "UserLocal"}}, "2026-01-02T03:04:05Z", None),
        ("Boolean", FLAG, True, True),
        ("Picklist", OPTIONS, 727000001, 727000001),
    ],
)
def test_every_type_of_column(api, kind, details, sent, read):
    assert api.send("POST", f"{INVOICE}/Attributes", attribute(kind, "tie_Extra", **details)).status_code == 204
    row = api.id_of("invoices", "name eq 'Invoice HP-1'")
    api.patch(f"invoices({row})", {"tie_extra": sent})
    assert api.get(f"invoices({row})?$select=tie_extra")["tie_extra"] == (sent if read is None else read)
    found = api.get(f"{INVOICE}/Attributes(LogicalName='tie_extra')")
    assert (found["AttributeType"], found["IsCustomAttribute"]) == (kind, True)


def test_money_columns_bring_base_currency_and_rate(payments):
    path = "EntityDefinitions(LogicalName='tie_payment')/Attributes"
    payments.send("POST", path, attribute("Money", "tie_Amount", PrecisionSource=2))
    usd = payments.id_of("transactioncurrencies", "isocurrencycode eq 'USD'")
    bind = {"transactioncurrencyid@odata.bind": f"/transactioncurrencies({usd})"}
    row = payments.create("tie_payments", {"tie_name": "x", "tie_amount": 10} | bind)
    read = payments.get(f"tie_payments({row})?$select=tie_amount,tie_amount_base,exchangerate")
    assert (read["tie_amount_base"], read["_transactioncurrencyid_value"]) == (Decimal(20), usd)
    own = payments.create("tie_payments", {"tie_name": "y", "tie_amount": 10})
    assert payments.get(f"tie_payments({own})")["exchangerate"] == 1


def test_a_lookup_comes_with_its_relationship(payments):
    assert payments.send("POST", "RelationshipDefinitions", lookup_to_invoice()).status_code == 204
    invoice = payments.id_of("invoices", "name eq 'Invoice HP-1'")
    row = payments.create("tie_payments", {"tie_name": "p", "tie_InvoiceId@odata.bind": f"/invoices({invoice})"})
    assert payments.refused("POST", "tie_payments", {"tie_invoiceid@odata.bind": f"/invoices({invoice})"})[0] == 400
    body = payments.get(f"tie_payments({row})?$select=_tie_invoiceid_value&$expand=tie_InvoiceId($select=name)")
    assert (body["_tie_invoiceid_value"], body["tie_InvoiceId"]["name"]) == (invoice, "Invoice HP-1")
    assert len(payments.rows(f"invoices({invoice})/tie_invoice_tie_payment")) == 1
    many = payments.rows("EntityDefinitions(LogicalName='tie_payment')/ManyToOneRelationships")
    assert "tie_InvoiceId" in [r["ReferencingEntityNavigationPropertyName"] for r in many]


@pytest.mark.parametrize(("on_delete", "status"), [("RemoveLink", 204), ("Cascade", 204), ("Restrict", 405)])
def test_what_a_delete_does_below(payments, on_delete, status):
    payments.send("POST", "RelationshipDefinitions", lookup_to_invoice(on_delete))
    invoice = payments.id_of("invoices", "name eq 'Invoice HP-1'")
    row = payments.create("tie_payments", {"tie_name": "p", "tie_InvoiceId@odata.bind": f"/invoices({invoice})"})
    assert payments.send("DELETE", f"invoices({invoice})").status_code == status
    answer = payments.send("GET", f"tie_payments({row})")
    assert answer.status_code == (404 if on_delete == "Cascade" else 200)
    if on_delete == "RemoveLink":
        assert answer.json()["_tie_invoiceid_value"] is None


def test_a_customer_lookup_points_at_accounts_and_contacts(payments):
    relationships = [
        {"SchemaName": f"tie_payment_customer_{kind}", "ReferencedEntity": kind, "ReferencingEntity": "tie_payment"}
        for kind in ("account", "contact")
    ]
    body = {"OneToManyRelationships": relationships, "Lookup": attribute("ComplexLookup", "tie_CustomerId")}
    made = payments.send("POST", "CreateCustomerRelationships", body)
    assert (made.status_code, len(made.json()["RelationshipIds"])) == (200, 2)
    cara = payments.id_of("contacts", "lastname eq 'Day'")
    bind = {"tie_CustomerId_contact@odata.bind": f"/contacts({cara})"}
    row = payments.create("tie_payments", {"tie_name": "p"} | bind)
    prefer = 'odata.include-annotations="Microsoft.Dynamics.CRM.lookuplogicalname"'
    read = payments.get(f"tie_payments({row})", Prefer=prefer)
    assert read["_tie_customerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "contact"


def test_choices_are_read_through_a_cast(api):
    path = f"{INVOICE}/Attributes/{CRM}PicklistAttributeMetadata?$select=LogicalName&$expand=OptionSet($select=Options)"
    found = {row["LogicalName"]: row["OptionSet"]["Options"] for row in api.rows(path)}
    terms = {o["Value"]: o["Label"]["LocalizedLabels"][0]["Label"] for o in found["paymenttermscode"]}
    assert terms == {1: "Net 30", 2: "2% 10, Net 30", 3: "Net 45", 4: "Net 60"}
    one = api.get(f"{INVOICE}/Attributes(LogicalName='statuscode')/{CRM}StatusAttributeMetadata?$expand=OptionSet")
    assert {o["Value"]: o["State"] for o in one["OptionSet"]["Options"]}[100002] == 2


def test_definitions_are_filtered_selected_and_expanded(api):
    query = "EntityDefinitions?$filter=LogicalName eq 'invoice' or EntitySetName eq 'uoms'"
    found = api.rows(f"{query}&$select=LogicalName&$expand=Attributes($select=LogicalName;$filter=AttributeType eq 'Money')")
    assert [row["LogicalName"] for row in found] == ["uom", "invoice"]
    assert "totalamount" in [a["LogicalName"] for a in found[1]["Attributes"]]
    assert api.rows(f"{INVOICE}/Attributes?$filter=LogicalName eq 'duedate'")[0]["DateTimeBehavior"]["Value"] == "DateOnly"
    assert api.rows("EntityDefinitions?$filter=LogicalName eq 'nothing'") == []
    assert api.send("GET", "EntityDefinitions(LogicalName='nothing')").status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("EntityDefinitions", payment_table(SchemaName="Payment")),
        ("EntityDefinitions", payment_table(Attributes=[])),
        ("EntityDefinitions", payment_table(SchemaName="tie_payment")),
        (f"{INVOICE}/Attributes", {"SchemaName": "tie_x"}),
        (f"{INVOICE}/Attributes", attribute("Lookup", "tie_x")),
        (f"{INVOICE}/Keys", {"SchemaName": "tie_k", "KeyAttributes": ["nothing"]}),
        ("CreateCustomerRelationships", {"OneToManyRelationships": []}),
    ],
)
def test_bad_definitions(payments, path, body):
    assert payments.send("POST", path, body).status_code == 400


def test_what_a_client_made_survives_a_restart(payments, kernel):
    payments.send("POST", "RelationshipDefinitions", lookup_to_invoice())
    key = {"SchemaName": "tie_name_key", "KeyAttributes": ["tie_name"]}
    payments.send("POST", "EntityDefinitions(LogicalName='tie_payment')/Keys", key)
    row = payments.create("tie_payments", {"tie_name": "kept"})
    link = payments.get("tie_payments?$select=tie_name", Prefer="odata.track-changes")["@odata.deltaLink"]
    kernel.rebuild()
    kernel.clock.advance(60)
    again = Api(kernel, Starlette(routes=dataverse.routes(kernel)))
    assert again.get("tie_payments(tie_name='kept')")["tie_paymentid"] == row
    assert again.get(link)["value"] == []
    again.patch(f"tie_payments({row})", {"tie_name": "kept too"})
    assert [r["tie_name"] for r in again.get(link)["value"]] == ["kept too"]


def test_parts_can_be_deleted(payments):
    payments.send("POST", "RelationshipDefinitions", lookup_to_invoice())
    payments.send("POST", f"{INVOICE}/Attributes", attribute("Money", "tie_Due"))
    for path in (
        "RelationshipDefinitions(SchemaName='tie_invoice_tie_payment')",
        f"{INVOICE}/Attributes(LogicalName='tie_due')",
        "EntityDefinitions(LogicalName='tie_payment')",
    ):
        assert payments.send("DELETE", path).status_code == 204
    assert payments.send("GET", "tie_payments").status_code == 404
    assert payments.send("GET", "invoices?$select=tie_due").status_code == 400
    assert payments.send("DELETE", INVOICE).status_code == 400


def test_a_column_can_be_widened(api):
    api.send("POST", f"{INVOICE}/Attributes", attribute("String", "tie_Note", MaxLength=5))
    path = f"{INVOICE}/Attributes(LogicalName='tie_note')"
    assert api.send("PUT", path, attribute("String", "tie_Note", MaxLength=50)).status_code == 204
    assert api.get(path)["MaxLength"] == 50


def test_publisher_and_solution(api):
    publisher = {
        "uniquename": "tie",
        "friendlyname": "Tieout",
        "customizationprefix": "tie",
        "customizationoptionvalueprefix": 72700,
    }
    made = api.send("POST", "publishers", publisher).headers["OData-EntityId"]
    solution = {"uniquename": "Tieout", "friendlyname": "Tieout", "version": "1.0.0.0", "publisherid@odata.bind": made}
    header = {"MSCRM.SolutionUniqueName": "Tieout"}
    assert api.send("POST", "EntityDefinitions", payment_table(), **header).status_code == 404
    assert api.send("POST", "solutions", solution).status_code == 204
    assert api.send("POST", "EntityDefinitions", payment_table(), **header).status_code == 204
    assert api.rows("solutions?$filter=uniquename eq 'Tieout'&$expand=publisherid($select=customizationprefix)")
    assert api.send("POST", "PublishXml", {"ParameterXml": "<importexportxml/>"}).status_code == 204


def test_the_service_describes_itself(payments):
    payments.send("POST", "RelationshipDefinitions", lookup_to_invoice())
    tree = ET.fromstring(payments.send("GET", "$metadata").content)  # noqa: S314 - our own document
    types = {node.get("Name") for node in tree.iter("{http://docs.oasis-open.org/odata/ns/edm}EntityType")}
    assert {"invoice", "tie_payment"} <= types
    assert {"name": "tie_payments", "kind": "EntitySet", "url": "tie_payments"} in payments.rows("")


def test_definitions_know_every_property_that_clients_select(api):
    """dataverse-api selects the image column of each table; the service knows it, set or not."""
    account = "EntityDefinitions(LogicalName='account')"
    table = api.get(f"{account}?$select=PrimaryImageAttribute,IsAuditEnabled,TableType")
    assert (table["PrimaryImageAttribute"], table["IsAuditEnabled"]["Value"], table["TableType"]) == (None, False, "Standard")
    column = api.get(f"{account}/Attributes(LogicalName='name')?$select=IsSecured,IntroducedVersion,IsCustomizable")
    assert (column["IsSecured"], column["IsCustomizable"]["Value"]) == (False, True)
    assert api.rows(f"{account}/OneToManyRelationships?$select=SecurityTypes,IsHierarchical")[0]["SecurityTypes"] == "Append"


def test_clients_can_ask_which_bulk_messages_a_table_takes(api):
    asked = "$select=sdkmessagefilterid&$expand=sdkmessageid($select=name)&$filter=(sdkmessageid/name eq 'CreateMultiple' or "
    asked += "sdkmessageid/name eq 'UpdateMultiple') and primaryobjecttypecode eq 'invoice'"
    found = api.rows(f"sdkmessagefilters?{asked}")
    assert [entry["sdkmessageid"]["name"] for entry in found] == ["CreateMultiple", "UpdateMultiple"]
    assert "primaryobjecttypecode" not in found[0]
    assert api.get("RetrieveAvailableLanguages()")["LocaleIds"] == [1033]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("EntityDefinitions", {"SchemaName": 5}),
        ("EntityDefinitions", {"SchemaName": "new_x", "Attributes": 1.5}),
        ("EntityDefinitions", {"SchemaName": "new_x", "Attributes": ["x"]}),
        (f"{INVOICE}/Attributes", {"SchemaName": "new_x", "AttributeType": "Picklist", "OptionSet": "a"}),
        (f"{INVOICE}/Attributes", {"SchemaName": "new_x", "AttributeType": "Picklist", "OptionSet": {"Options": [{}]}}),
        (f"{INVOICE}/Attributes", {"SchemaName": "new_x", "AttributeType": "Decimal", "MinValue": "x"}),
        (f"{INVOICE}/Attributes", {"SchemaName": "new_x", "AttributeType": "Money", "Precision": 99}),
        (f"{INVOICE}/Keys", {"SchemaName": "new_k", "KeyAttributes": 1.5}),
        ("RelationshipDefinitions", {"SchemaName": "new_r", "Lookup": 1}),
        ("CreateEntities", {"Entities": 5}),
        ("CreateCustomerRelationships", {"OneToManyRelationships": [5]}),
    ],
)
def test_definitions_of_another_shape_are_refused(api, path, body):
    assert api.refused("POST", path, body) == (400, "0x80048d19")


def test_a_new_table_cannot_take_the_address_of_another(api):
    refused = api.refused("POST", "EntityDefinitions", payment_table(EntitySetName="accounts"))
    assert refused == (400, "0x80044355")
    assert api.rows("accounts?$filter=name eq 'Acme Ltd'&$select=name")


def test_a_standard_attribute_cannot_be_changed_here_and_the_answer_says_so(api):
    name = api.get("EntityDefinitions(LogicalName='account')/Attributes(LogicalName='name')")
    assert api.refused("PUT", "EntityDefinitions(LogicalName='account')/Attributes(LogicalName='name')", name)[0] == 501
