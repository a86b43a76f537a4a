"""Customers and suppliers: accounts and contacts in Dynamics, contacts in Xero."""

from __future__ import annotations

from sync_core.rules.declaration import At, Entity, Field, Gone, Kind, Owner, Rule, Stream
from sync_core.rules.entities.builders import BOTH, CRM, TO_XERO, TRUE, XERO, shared, xero_id

_ADDRESS = "Addresses[AddressType=POBOX]"

contacts = Entity(
    "contacts",
    "Contacts",
    "contact",
    crm=(
        Stream(CRM, "account", "accountid", ("_masterid_value",), tag="tie_xeroid"),
        Stream(CRM, "contact", "contactid", ("_masterid_value",), tag="tie_xeroid"),
    ),
    xero=(Stream(XERO, "Contacts", "ContactID", archived=True, tag="ContactNumber"),),
    fields=(
        shared(
            "name",
            "Name",
            At("name", tables=(("contact", "fullname"),), limit=160),
            At("Name", limit=255),
            Kind.NAME,
            required=True,
        ),
        Field(
            "crm_id",
            "Dynamics id",
            Kind.TEXT,
            At("accountid", tables=(("contact", "contactid"),)),
            At("ContactNumber", limit=50),
            TO_XERO,
            Owner.CRM,
            hidden=True,
            once=True,
        ),
        xero_id("ContactID"),
        shared("email", "Email", At("emailaddress1", limit=100), At("EmailAddress", limit=255), Kind.EMAIL),
        shared("phone", "Phone", At("telephone1", limit=50), At("Phones[PhoneType=DEFAULT].PhoneNumber", limit=50), Kind.PHONE),
        shared(
            "account_number",
            "Account number",
            At("accountnumber", tables=(("contact", ""),), limit=20),
            At("AccountNumber", limit=50),
        ),
        shared("street", "Street", At("address1_line1", limit=250), At(f"{_ADDRESS}.AddressLine1", limit=500)),
        shared("city", "City", At("address1_city", limit=80), At(f"{_ADDRESS}.City", limit=255)),
        shared("region", "Region", At("address1_stateorprovince", limit=50), At(f"{_ADDRESS}.Region", limit=255)),
        shared("postcode", "Postcode", At("address1_postalcode", limit=20), At(f"{_ADDRESS}.PostalCode", limit=50)),
        shared("country", "Country", At("address1_country", limit=80), At(f"{_ADDRESS}.Country", limit=50)),
        Field("type", "Relationship type", Kind.CHOICE, At("customertypecode"), None, hidden=True),
        Field("is_customer", "Customer in Xero", Kind.FLAG, None, At("IsCustomer", values=TRUE), hidden=True),
        Field("is_supplier", "Supplier in Xero", Kind.FLAG, None, At("IsSupplier", values=TRUE), hidden=True),
    ),
    create_in=BOTH,
    on_create="contacts.on_create",
    match=(
        ("xero_id", "Xero id held by Dynamics"),
        ("crm_id", "Dynamics id held by Xero"),
        ("account_number", "account number"),
        ("name", "name"),
    ),
    gone=(
        (CRM, Gone("merged", True, "merged")),
        (CRM, Gone("statecode", 1, "archived")),
        (XERO, Gone("MergedToContactID", ..., "merged")),
        (XERO, Gone("ContactStatus", "ARCHIVED", "archived")),
        (XERO, Gone("ContactStatus", "GDPRREQUEST", "archived")),
    ),
    rules=(
        Rule("active", "alive", "It is not active in Dynamics."),
        Rule("named", "required", "It has no name. Xero needs one."),
    ),
)
