"""The registry: what is kept in step, where it stands in either system, which way each field may flow and who owns it.

Adding an entity means adding it here (and to the sandbox, and a scenario); no page and no engine code knows their names.
Sources: Dataverse table reference and Xero's public OpenAPI description; the ``tie_`` tables are provisioned by Tieout.
"""

from __future__ import annotations

from sync_core.model import Side
from sync_core.rules.declaration import At, Entity, Field, Gone, Kind, Owner, Rule, Stream

__all__ = [
    "CONTACT_GROUPS",
    "CURRENCIES",
    "DETAILS",
    "ENTITIES",
    "GROUP_MEMBERS",
    "ORGANISATION",
    "Entity",
    "Field",
    "Stream",
    "entity",
    "in_parent_order",
]

CRM, XERO = Side.CRM, Side.XERO
BOTH = frozenset({CRM, XERO})
TO_CRM = frozenset({CRM})
TO_XERO = frozenset({XERO})


def _mirror(name: str, label: str, kind: Kind, crm: str, xero: str, *, limit: int | None = None) -> Field:
    """A field that Xero owns and Tieout copies into one of its own tables in Dynamics."""
    return Field(name, label, kind, At(crm, limit=limit), At(xero), TO_CRM, Owner.XERO)


def _xero_id(key: str) -> Field:
    return Field("xero_id", "Xero id", Kind.TEXT, At("tie_xeroid", limit=100), At(key), TO_CRM, Owner.XERO, hidden=True)


def _own(table: str, *columns: str, parent_key: str = "") -> Stream:
    every = ("tie_name", "tie_xeroid", "modifiedon", "statecode", *columns)
    return Stream(CRM, table, f"{table}id", every, own=True, tag="tie_xeroid", parent_key=parent_key)


_REFERENCE_COLUMNS = ("_tie_accountid_value", "_tie_contactid_value")
_CUSTOMER = Field(
    "contact",
    "Contact",
    Kind.REF,
    At(
        "_tie_accountid_value",
        tables=(("account", "_tie_accountid_value"), ("contact", "_tie_contactid_value")),
    ),
    At("Contact.ContactID"),
    TO_CRM,
    Owner.XERO,
    entity="contacts",
    blocks=False,
)


def _mirrored_reference(name: str, label: str, crm: str, xero: str, target: str, *, required: bool = False) -> Field:
    return Field(name, label, Kind.REF, At(crm), At(xero), TO_CRM, Owner.XERO, entity=target, required=required)


_CURRENCY = Field(
    "currency",
    "Currency",
    Kind.CURRENCY,
    At("_transactioncurrencyid_value"),
    At("CurrencyCode"),
    TO_CRM,
    Owner.XERO,
)

ORGANISATION = Stream(XERO, "Organisation", "OrganisationID", incremental=False, paged=False)
CURRENCIES = Stream(
    CRM,
    "transactioncurrency",
    "transactioncurrencyid",
    ("isocurrencycode", "currencyname", "currencyprecision", "exchangerate", "statecode", "modifiedon"),
    incremental=False,
)
CONTACT_GROUPS = Stream(XERO, "ContactGroups", "ContactGroupID", incremental=False, paged=False, optional=True)
GROUP_MEMBERS = Stream(XERO, "ContactGroups", "ContactID", within="Contacts", parent_key="ContactGroupID", optional=True)
DETAILS = Stream(
    CRM,
    "tie_xerodetail",
    "tie_xerodetailid",
    (
        "tie_name",
        "tie_recordkey",
        "tie_entity",
        "tie_xeroid",
        "tie_xeronumber",
        "tie_xerotype",
        "tie_xerostatus",
        "tie_syncstatus",
        "tie_reason",
        "tie_lastsyncedon",
        "tie_remark",
        "tie_link",
        "tie_amountdue",
        "tie_amountpaid",
        "tie_amountcredited",
        "modifiedon",
    ),
    own=True,
    tag="tie_recordkey",
)

currencies = Entity(
    "currencies",
    "Currencies",
    "currency",
    crm=(CURRENCIES,),
    xero=(Stream(XERO, "Currencies", "Code", incremental=False, paged=False),),
    fields=(
        Field("name", "Code", Kind.TEXT, At("isocurrencycode"), At("Code")),
        Field("description", "Name", Kind.TEXT, At("currencyname"), None, hidden=True),
    ),
    match=(("name", "currency code"),),
)

tax_rates = Entity(
    "tax_rates",
    "Tax rates",
    "tax rate",
    crm=(_own("tie_taxrate", "tie_taxtype", "tie_rate", "tie_status"),),
    xero=(Stream(XERO, "TaxRates", "TaxType", incremental=False, paged=False),),
    fields=(
        _mirror("name", "Name", Kind.TEXT, "tie_name", "Name", limit=300),
        _xero_id("TaxType"),
        _mirror("tax_type", "Tax type", Kind.TEXT, "tie_taxtype", "TaxType", limit=50),
        _mirror("rate", "Rate (%)", Kind.RATE, "tie_rate", "EffectiveRate"),
        _mirror("status", "Status", Kind.TEXT, "tie_status", "Status", limit=50),
    ),
    create_in=TO_CRM,
    match=(("xero_id", "Xero id held by Dynamics"),),
)

ledger_accounts = Entity(
    "ledger_accounts",
    "Ledger accounts",
    "ledger account",
    crm=(_own("tie_ledgeraccount", "tie_code", "tie_type", "tie_class", "tie_taxtype", "tie_status"),),
    xero=(Stream(XERO, "Accounts", "AccountID", paged=False),),
    fields=(
        _mirror("name", "Name", Kind.TEXT, "tie_name", "Name", limit=300),
        _xero_id("AccountID"),
        _mirror("code", "Code", Kind.TEXT, "tie_code", "Code", limit=20),
        _mirror("type", "Type", Kind.TEXT, "tie_type", "Type", limit=50),
        _mirror("class", "Class", Kind.TEXT, "tie_class", "Class", limit=50),
        _mirror("tax_type", "Tax type", Kind.TEXT, "tie_taxtype", "TaxType", limit=50),
        _mirror("status", "Status", Kind.TEXT, "tie_status", "Status", limit=50),
    ),
    create_in=TO_CRM,
    match=(("xero_id", "Xero id held by Dynamics"),),
)

branding_themes = Entity(
    "branding_themes",
    "Branding themes",
    "branding theme",
    crm=(_own("tie_brandingtheme", "tie_sortorder"),),
    xero=(Stream(XERO, "BrandingThemes", "BrandingThemeID", incremental=False, paged=False, optional=True),),
    fields=(
        _mirror("name", "Name", Kind.TEXT, "tie_name", "Name", limit=300),
        _xero_id("BrandingThemeID"),
        _mirror("sort_order", "Order", Kind.COUNT, "tie_sortorder", "SortOrder"),
    ),
    create_in=TO_CRM,
    match=(("xero_id", "Xero id held by Dynamics"),),
    optional=True,
)

_ADDRESS = "Addresses[AddressType=POBOX]"
_TRUE = ((True, True),)


def _shared(name: str, label: str, crm: At, xero: At, kind: Kind = Kind.TEXT, *, required: bool = False) -> Field:
    return Field(name, label, kind, crm, xero, BOTH, required=required)


contacts = Entity(
    "contacts",
    "Contacts",
    "contact",
    crm=(
        Stream(
            CRM,
            "account",
            "accountid",
            (
                "name",
                "accountnumber",
                "emailaddress1",
                "telephone1",
                "address1_line1",
                "address1_city",
                "address1_stateorprovince",
                "address1_postalcode",
                "address1_country",
                "customertypecode",
                "statecode",
                "merged",
                "_masterid_value",
                "modifiedon",
                "tie_xeroid",
            ),
            tag="tie_xeroid",
        ),
        Stream(
            CRM,
            "contact",
            "contactid",
            (
                "fullname",
                "firstname",
                "lastname",
                "emailaddress1",
                "telephone1",
                "address1_line1",
                "address1_city",
                "address1_stateorprovince",
                "address1_postalcode",
                "address1_country",
                "customertypecode",
                "_parentcustomerid_value",
                "statecode",
                "merged",
                "_masterid_value",
                "modifiedon",
                "tie_xeroid",
            ),
            tag="tie_xeroid",
        ),
    ),
    xero=(Stream(XERO, "Contacts", "ContactID", archived=True, tag="ContactNumber"),),
    fields=(
        _shared(
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
        _xero_id("ContactID"),
        _shared("email", "Email", At("emailaddress1", limit=100), At("EmailAddress", limit=255)),
        _shared(
            "phone",
            "Phone",
            At("telephone1", limit=50),
            At("Phones[PhoneType=DEFAULT].PhoneNumber", limit=50),
            Kind.PHONE,
        ),
        _shared(
            "account_number",
            "Account number",
            At("accountnumber", tables=(("contact", ""),), limit=20),
            At("AccountNumber", limit=50),
        ),
        _shared("street", "Street", At("address1_line1", limit=250), At(f"{_ADDRESS}.AddressLine1", limit=500)),
        _shared("city", "City", At("address1_city", limit=80), At(f"{_ADDRESS}.City", limit=255)),
        _shared("region", "Region", At("address1_stateorprovince", limit=50), At(f"{_ADDRESS}.Region", limit=255)),
        _shared(
            "postcode",
            "Postcode",
            At("address1_postalcode", limit=20),
            At(f"{_ADDRESS}.PostalCode", limit=50),
        ),
        _shared("country", "Country", At("address1_country", limit=80), At(f"{_ADDRESS}.Country", limit=50)),
        Field("type", "Relationship type", Kind.CHOICE, At("customertypecode"), None, hidden=True),
        Field("is_customer", "Customer in Xero", Kind.FLAG, None, At("IsCustomer", values=_TRUE), hidden=True),
        Field("is_supplier", "Supplier in Xero", Kind.FLAG, None, At("IsSupplier", values=_TRUE), hidden=True),
    ),
    create_in=BOTH,
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

products = Entity(
    "products",
    "Products",
    "product",
    crm=(
        Stream(
            CRM,
            "product",
            "productid",
            (
                "name",
                "productnumber",
                "description",
                "price",
                "productstructure",
                "statecode",
                "modifiedon",
                "tie_xeroid",
                "_tie_ledgeraccountid_value",
                "_tie_taxrateid_value",
                "_defaultuomid_value",
            ),
            tag="tie_xeroid",
        ),
    ),
    xero=(Stream(XERO, "Items", "ItemID", paged=False, tag="Code"),),
    fields=(
        Field("code", "Code", Kind.TEXT, At("productnumber"), At("Code", limit=30), TO_XERO, required=True),
        Field("name", "Name", Kind.TEXT, At("name", limit=100), At("Name", limit=50), TO_XERO, Owner.CRM),
        _xero_id("ItemID"),
        Field(
            "price",
            "Sales price",
            Kind.QUANTITY,
            At("price"),
            At("SalesDetails.UnitPrice"),
            TO_XERO,
            once=True,
        ),
        Field(
            "account_code",
            "Ledger account",
            Kind.CHOICE,
            At("_tie_ledgeraccountid_value"),
            At("SalesDetails.AccountCode"),
            TO_XERO,
            once=True,
        ),
        Field(
            "tax_type",
            "Tax rate",
            Kind.CHOICE,
            At("_tie_taxrateid_value"),
            At("SalesDetails.TaxType"),
            TO_XERO,
            once=True,
        ),
        Field("unit", "Unit", Kind.REF, At("_defaultuomid_value"), None, hidden=True, blocks=False),
    ),
    parents=("ledger_accounts", "tax_rates"),
    create_in=TO_XERO,
    match=(("xero_id", "Xero id held by Dynamics"), ("code", "product code")),
    gone=((CRM, Gone("statecode", 1, "archived")), (CRM, Gone("statecode", 2, "draft"))),
    rules=(
        Rule("published", "alive", "It is a draft or retired in Dynamics. Publish it to send it."),
        Rule("code", "required", "It has no product number. Give it one of at most 30 characters."),
    ),
)

invoices = Entity(
    "invoices",
    "Invoices",
    "invoice",
    crm=(
        Stream(
            CRM,
            "invoice",
            "invoiceid",
            (
                "invoicenumber",
                "name",
                "_customerid_value",
                "_transactioncurrencyid_value",
                "duedate",
                "datedelivered",
                "createdon",
                "tie_invoicedate",
                "statecode",
                "statuscode",
                "discountamount",
                "discountpercentage",
                "freightamount",
                "totaltax",
                "totalamount",
                "pricingerrorcode",
                "exchangerate",
                "modifiedon",
                "tie_xeroid",
            ),
            tag="tie_xeroid",
        ),
    ),
    children=(
        Stream(
            CRM,
            "invoicedetail",
            "invoicedetailid",
            (
                "_invoiceid_value",
                "lineitemnumber",
                "productdescription",
                "invoicedetailname",
                "description",
                "isproductoverridden",
                "_productid_value",
                "quantity",
                "priceperunit",
                "volumediscountamount",
                "manualdiscountamount",
                "tax",
                "baseamount",
                "extendedamount",
                "modifiedon",
                "_tie_ledgeraccountid_value",
                "_tie_taxrateid_value",
                "tie_xerolineid",
            ),
            parent_key="_invoiceid_value",
        ),
    ),
    xero=(Stream(XERO, "Invoices", "InvoiceID", where='Type=="ACCREC"', archived=True, tag="InvoiceNumber"),),
    fields=(
        Field(
            "number",
            "Number",
            Kind.TEXT,
            At("invoicenumber", limit=100),
            At("InvoiceNumber", limit=255),
            TO_XERO,
            required=True,
        ),
        _xero_id("InvoiceID"),
        Field(
            "contact",
            "Contact",
            Kind.REF,
            At("_customerid_value"),
            At("Contact.ContactID"),
            TO_XERO,
            entity="contacts",
            required=True,
        ),
        Field(
            "date",
            "Invoice date",
            Kind.DATE,
            At("tie_invoicedate|datedelivered|createdon", write="tie_invoicedate"),
            At("Date"),
            TO_XERO,
            required=True,
        ),
        Field("due_date", "Due date", Kind.DATE, At("duedate"), At("DueDate"), BOTH, required=True),
        Field(
            "currency",
            "Currency",
            Kind.CURRENCY,
            At("_transactioncurrencyid_value"),
            At("CurrencyCode"),
            TO_XERO,
            required=True,
        ),
        Field("reference", "Reference", Kind.TEXT, At("name"), At("Reference", limit=255), TO_XERO, once=True),
        Field("lines", "Lines", Kind.LINES, At("invoicedetail"), At("LineItems"), BOTH, required=True),
        Field(
            "settled",
            "Paid in full",
            Kind.FLAG,
            At("statecode", values=((2, True),), write="statecode=2,statuscode=100001|statecode=0,statuscode=4"),
            At("Status", values=(("PAID", True),)),
            TO_CRM,
        ),
        Field("total_tax", "Tax", Kind.MONEY, At("totaltax"), At("TotalTax"), hidden=True),
        Field("total", "Total", Kind.MONEY, At("totalamount"), At("Total"), hidden=True),
        Field("state", "Status", Kind.CHOICE, At("statecode"), At("Status"), hidden=True),
        Field("amount_paid", "Paid", Kind.MONEY, None, At("AmountPaid"), hidden=True),
        Field("amount_credited", "Credited", Kind.MONEY, None, At("AmountCredited"), hidden=True),
        Field("amount_due", "Due", Kind.MONEY, None, At("AmountDue"), hidden=True),
        Field("rate", "Exchange rate", Kind.RATE, None, At("CurrencyRate"), hidden=True),
        Field(
            "header_discount",
            "Discount on the whole invoice",
            Kind.MONEY,
            At("discountamount"),
            None,
            hidden=True,
        ),
        Field(
            "header_discount_percentage",
            "Discount in percent",
            Kind.RATE,
            At("discountpercentage"),
            None,
            hidden=True,
        ),
        Field("freight", "Freight", Kind.MONEY, At("freightamount"), None, hidden=True),
        Field("pricing_error", "Pricing error", Kind.CHOICE, At("pricingerrorcode"), None, hidden=True),
    ),
    lines=(
        Field("id", "Line id", Kind.TEXT, At("invoicedetailid"), At("LineItemID"), hidden=True),
        Field("xero_line_id", "Xero line id", Kind.TEXT, At("tie_xerolineid"), At("LineItemID"), hidden=True),
        Field(
            "description",
            "Description",
            Kind.TEXT,
            At("productdescription|description|invoicedetailname"),
            At("Description", limit=4000),
            TO_XERO,
        ),
        Field("product", "Product", Kind.CHOICE, At("_productid_value"), At("ItemCode"), TO_XERO),
        Field("quantity", "Quantity", Kind.QUANTITY, At("quantity"), At("Quantity"), TO_XERO),
        Field("unit_price", "Unit price", Kind.QUANTITY, At("priceperunit"), At("UnitAmount"), TO_XERO),
        Field("discount", "Discount", Kind.MONEY, At("manualdiscountamount"), At("DiscountAmount"), TO_XERO),
        Field("tax", "Tax", Kind.MONEY, At("tax"), At("TaxAmount"), TO_XERO),
        Field(
            "account_code",
            "Ledger account",
            Kind.CHOICE,
            At("_tie_ledgeraccountid_value"),
            At("AccountCode"),
            TO_XERO,
        ),
        Field("tax_type", "Tax rate", Kind.CHOICE, At("_tie_taxrateid_value"), At("TaxType"), TO_XERO),
    ),
    parents=("currencies", "tax_rates", "ledger_accounts", "contacts", "products"),
    create_in=TO_XERO,
    match=(("xero_id", "Xero id held by Dynamics"), ("number", "document number")),
    gone=(
        (CRM, Gone("statecode", 3, "canceled")),
        (XERO, Gone("Status", "VOIDED", "voided")),
        (XERO, Gone("Status", "DELETED", "deleted")),
    ),
    rules=(
        Rule("open", "open", "Only active invoices are sent; this one is already paid or canceled in Dynamics."),
        Rule("complete", "required", "A field that Xero needs is empty."),
        Rule("priced", "priced", "Dynamics could not price it. Open the invoice and correct its price list."),
        Rule(
            "whole",
            "no_header_amounts",
            "It has a discount or freight on the whole invoice. Put them on lines.",
        ),
        Rule("positive", "positive", "Its total is negative. Send a credit note instead."),
        Rule("coded", "coded", "A line has no ledger account or tax rate."),
        Rule("unlocked", "unlocked", "Its date is in a period that is locked in Xero."),
        Rule("currency", "subscribed", "Its currency is not switched on in Xero."),
    ),
    title="number",
    read_only=("state", ("2", "3")),
    constants=((XERO, "Type", "ACCREC"), (XERO, "Status", "AUTHORISED"), (XERO, "LineAmountTypes", "Exclusive")),
)

batch_payments = Entity(
    "batch_payments",
    "Batch payments",
    "batch payment",
    crm=(
        _own(
            "tie_batchpayment",
            "tie_date",
            "tie_amount",
            "tie_reference",
            "tie_status",
            "tie_bankaccount",
            "_transactioncurrencyid_value",
        ),
    ),
    xero=(Stream(XERO, "BatchPayments", "BatchPaymentID", paged=False),),
    fields=(
        Field(
            "name",
            "Name",
            Kind.TEXT,
            At("tie_name", limit=300),
            At("Reference|BatchPaymentID"),
            TO_CRM,
            Owner.XERO,
        ),
        _xero_id("BatchPaymentID"),
        _mirror("date", "Date", Kind.DATE, "tie_date", "Date"),
        _mirror("amount", "Amount", Kind.MONEY, "tie_amount", "TotalAmount"),
        _mirror("reference", "Reference", Kind.TEXT, "tie_reference", "Reference", limit=255),
        _mirror("bank_account", "Bank account", Kind.TEXT, "tie_bankaccount", "Account.AccountID", limit=100),
        _mirror("status", "Status", Kind.TEXT, "tie_status", "Status", limit=50),
    ),
    create_in=TO_CRM,
    match=(("xero_id", "Xero id held by Dynamics"),),
    accept=((XERO, "Type", ("RECBATCH",)),),
    title="name",
)

credit_notes = Entity(
    "credit_notes",
    "Credit notes",
    "credit note",
    crm=(
        _own(
            "tie_creditnote",
            "tie_number",
            "tie_date",
            "tie_reference",
            "tie_status",
            "tie_subtotal",
            "tie_totaltax",
            "tie_total",
            "tie_remaining",
            "tie_rate",
            "_transactioncurrencyid_value",
            *_REFERENCE_COLUMNS,
        ),
    ),
    xero=(Stream(XERO, "CreditNotes", "CreditNoteID", where='Type=="ACCRECCREDIT"', tag="CreditNoteNumber"),),
    fields=(
        Field(
            "name",
            "Name",
            Kind.TEXT,
            At("tie_name", limit=300),
            At("CreditNoteNumber|CreditNoteID"),
            TO_CRM,
            Owner.XERO,
        ),
        _xero_id("CreditNoteID"),
        _mirror("number", "Number", Kind.TEXT, "tie_number", "CreditNoteNumber", limit=255),
        _CUSTOMER,
        _mirror("date", "Date", Kind.DATE, "tie_date", "Date"),
        _CURRENCY,
        _mirror("reference", "Reference", Kind.TEXT, "tie_reference", "Reference", limit=255),
        _mirror("subtotal", "Subtotal", Kind.MONEY, "tie_subtotal", "SubTotal"),
        _mirror("total_tax", "Tax", Kind.MONEY, "tie_totaltax", "TotalTax"),
        _mirror("total", "Total", Kind.MONEY, "tie_total", "Total"),
        _mirror("remaining", "Remaining credit", Kind.MONEY, "tie_remaining", "RemainingCredit"),
        _mirror("rate", "Exchange rate", Kind.RATE, "tie_rate", "CurrencyRate"),
        _mirror("state", "Status", Kind.TEXT, "tie_status", "Status", limit=50),
    ),
    parents=("currencies", "contacts"),
    create_in=TO_CRM,
    match=(("xero_id", "Xero id held by Dynamics"), ("number", "document number")),
    accept=((XERO, "Type", ("ACCRECCREDIT",)),),
    title="number",
)

credit_note_lines = Entity(
    "credit_note_lines",
    "Credit note lines",
    "credit note line",
    crm=(
        _own(
            "tie_creditnoteline",
            "_tie_creditnoteid_value",
            "tie_description",
            "tie_quantity",
            "tie_unitprice",
            "tie_amount",
            "tie_tax",
            "tie_accountcode",
            "tie_taxtype",
            "tie_itemcode",
            "tie_status",
            "_transactioncurrencyid_value",
        ),
    ),
    xero=(Stream(XERO, "CreditNotes", "LineItemID", within="LineItems", parent_key="CreditNoteID"),),
    fields=(
        Field(
            "name",
            "Name",
            Kind.TEXT,
            At("tie_name", limit=300),
            At("Description|LineItemID"),
            TO_CRM,
            Owner.XERO,
        ),
        _xero_id("LineItemID"),
        _mirrored_reference(
            "credit_note",
            "Credit note",
            "_tie_creditnoteid_value",
            "CreditNoteID",
            "credit_notes",
            required=True,
        ),
        _mirror("description", "Description", Kind.TEXT, "tie_description", "Description", limit=4000),
        _mirror("quantity", "Quantity", Kind.QUANTITY, "tie_quantity", "Quantity"),
        _mirror("unit_price", "Unit price", Kind.QUANTITY, "tie_unitprice", "UnitAmount"),
        _mirror("amount", "Amount", Kind.MONEY, "tie_amount", "LineAmount"),
        _mirror("tax", "Tax", Kind.MONEY, "tie_tax", "TaxAmount"),
        _mirror("account_code", "Ledger account", Kind.TEXT, "tie_accountcode", "AccountCode", limit=20),
        _mirror("tax_type", "Tax rate", Kind.TEXT, "tie_taxtype", "TaxType", limit=50),
        _mirror("item_code", "Product", Kind.TEXT, "tie_itemcode", "ItemCode", limit=50),
        _mirror("status", "Status", Kind.TEXT, "tie_status", "Status", limit=50),
    ),
    parents=("credit_notes",),
    create_in=TO_CRM,
    match=(("xero_id", "Xero id held by Dynamics"),),
)

payments = Entity(
    "payments",
    "Payments",
    "payment",
    crm=(
        _own(
            "tie_payment",
            "tie_kind",
            "tie_date",
            "tie_amount",
            "tie_remaining",
            "tie_reference",
            "tie_status",
            "tie_rate",
            "tie_bankaccount",
            "_tie_invoiceid_value",
            "_tie_creditnoteid_value",
            "_tie_advanceid_value",
            "_tie_batchpaymentid_value",
            "_transactioncurrencyid_value",
            *_REFERENCE_COLUMNS,
        ),
    ),
    xero=(
        Stream(XERO, "Prepayments", "PrepaymentID"),
        Stream(XERO, "Overpayments", "OverpaymentID"),
        Stream(XERO, "Payments", "PaymentID"),
    ),
    fields=(
        Field(
            "name",
            "Name",
            Kind.TEXT,
            At("tie_name", limit=300),
            At(
                "Reference|Invoice.InvoiceNumber|PaymentID",
                tables=(
                    ("Prepayments", "Reference|PrepaymentID"),
                    ("Overpayments", "Reference|OverpaymentID"),
                ),
            ),
            TO_CRM,
            Owner.XERO,
        ),
        Field(
            "xero_id",
            "Xero id",
            Kind.TEXT,
            At("tie_xeroid", limit=100),
            At("PaymentID", tables=(("Prepayments", "PrepaymentID"), ("Overpayments", "OverpaymentID"))),
            TO_CRM,
            Owner.XERO,
            hidden=True,
        ),
        Field(
            "kind",
            "Kind",
            Kind.TEXT,
            At("tie_kind", limit=40),
            At("PaymentType", tables=(("Prepayments", "Type"), ("Overpayments", "Type"))),
            TO_CRM,
            Owner.XERO,
        ),
        Field(
            "contact",
            "Contact",
            Kind.REF,
            At(
                "_tie_accountid_value",
                tables=(("account", "_tie_accountid_value"), ("contact", "_tie_contactid_value")),
            ),
            At(
                "Invoice.Contact.ContactID|CreditNote.Contact.ContactID|Prepayment.Contact.ContactID"
                "|Overpayment.Contact.ContactID|Contact.ContactID"
            ),
            TO_CRM,
            Owner.XERO,
            entity="contacts",
            blocks=False,
        ),
        _mirrored_reference("invoice", "Invoice", "_tie_invoiceid_value", "Invoice.InvoiceID", "invoices"),
        _mirrored_reference("credit_note", "Credit note", "_tie_creditnoteid_value", "CreditNote.CreditNoteID", "credit_notes"),
        _mirrored_reference(
            "advance",
            "Prepayment or overpayment",
            "_tie_advanceid_value",
            "Prepayment.PrepaymentID|Overpayment.OverpaymentID",
            "payments",
        ),
        _mirrored_reference(
            "batch",
            "Batch payment",
            "_tie_batchpaymentid_value",
            "BatchPaymentID|BatchPayment.BatchPaymentID",
            "batch_payments",
        ),
        _mirror("date", "Date", Kind.DATE, "tie_date", "Date"),
        Field(
            "currency",
            "Currency",
            Kind.CURRENCY,
            At("_transactioncurrencyid_value"),
            At("Invoice.CurrencyCode|CreditNote.CurrencyCode|Prepayment.CurrencyCode|Overpayment.CurrencyCode|CurrencyCode"),
            TO_CRM,
            Owner.XERO,
        ),
        Field(
            "amount",
            "Amount",
            Kind.MONEY,
            At("tie_amount"),
            At("Amount", tables=(("Prepayments", "Total"), ("Overpayments", "Total"))),
            TO_CRM,
            Owner.XERO,
        ),
        _mirror("remaining", "Remaining credit", Kind.MONEY, "tie_remaining", "RemainingCredit"),
        _mirror("reference", "Reference", Kind.TEXT, "tie_reference", "Reference", limit=255),
        _mirror("rate", "Exchange rate", Kind.RATE, "tie_rate", "CurrencyRate"),
        _mirror("bank_account", "Bank account", Kind.TEXT, "tie_bankaccount", "Account.AccountID", limit=100),
        _mirror("state", "Status", Kind.TEXT, "tie_status", "Status", limit=50),
    ),
    parents=("currencies", "contacts", "invoices", "credit_notes", "batch_payments"),
    create_in=TO_CRM,
    match=(("xero_id", "Xero id held by Dynamics"),),
    accept=(
        (
            XERO,
            "PaymentType|Type",
            (
                "ACCRECPAYMENT",
                "ARCREDITPAYMENT",
                "AROVERPAYMENTPAYMENT",
                "ARPREPAYMENTPAYMENT",
                "RECEIVE-PREPAYMENT",
                "RECEIVE-OVERPAYMENT",
                "ARPREPAYMENT",
                "AROVERPAYMENT",
            ),
        ),
    ),
    title="name",
)

allocations = Entity(
    "allocations",
    "Allocations",
    "allocation",
    crm=(
        _own(
            "tie_allocation",
            "tie_date",
            "tie_amount",
            "tie_status",
            "_tie_invoiceid_value",
            "_tie_creditnoteid_value",
            "_tie_paymentid_value",
            "_transactioncurrencyid_value",
        ),
    ),
    xero=(
        Stream(XERO, "CreditNotes", "AllocationID", within="Allocations", parent_key="CreditNoteID"),
        Stream(XERO, "Prepayments", "AllocationID", within="Allocations", parent_key="PrepaymentID"),
        Stream(XERO, "Overpayments", "AllocationID", within="Allocations", parent_key="OverpaymentID"),
    ),
    fields=(
        Field(
            "name",
            "Name",
            Kind.TEXT,
            At("tie_name", limit=300),
            At("Invoice.InvoiceNumber|AllocationID"),
            TO_CRM,
            Owner.XERO,
        ),
        _xero_id("AllocationID"),
        _mirrored_reference("invoice", "Invoice", "_tie_invoiceid_value", "Invoice.InvoiceID", "invoices", required=True),
        _mirrored_reference("credit_note", "Credit note", "_tie_creditnoteid_value", "CreditNoteID", "credit_notes"),
        _mirrored_reference(
            "advance",
            "Prepayment or overpayment",
            "_tie_paymentid_value",
            "PrepaymentID|OverpaymentID",
            "payments",
        ),
        _mirror("date", "Date", Kind.DATE, "tie_date", "Date"),
        _CURRENCY,
        _mirror("amount", "Amount", Kind.MONEY, "tie_amount", "Amount"),
        _mirror("status", "Status", Kind.TEXT, "tie_status", "Status", limit=50),
    ),
    parents=("currencies", "invoices", "credit_notes", "payments"),
    create_in=TO_CRM,
    match=(("xero_id", "Xero id held by Dynamics"),),
)

ENTITIES: tuple[Entity, ...] = (
    currencies,
    tax_rates,
    ledger_accounts,
    branding_themes,
    contacts,
    products,
    invoices,
    batch_payments,
    credit_notes,
    credit_note_lines,
    payments,
    allocations,
)


def entity(name: str) -> Entity:
    """The entity called ``name``. Raises KeyError that lists the names there are."""
    for candidate in ENTITIES:
        if candidate.name == name:
            return candidate
    raise KeyError(f"There is no entity called {name}. There are: {', '.join(e.name for e in ENTITIES)}.")


def in_parent_order(entities: tuple[Entity, ...] = ENTITIES) -> tuple[Entity, ...]:
    """Parents before children; stable. Raises ValueError on a circle."""
    ordered: list[Entity] = []
    waiting = list(entities)
    names = {e.name for e in entities}
    while waiting:
        placed = {e.name for e in ordered}
        ready = [e for e in waiting if all(p in placed or p not in names or p == e.name for p in e.parents)]
        if not ready:
            raise ValueError(f"These entities wait for each other: {', '.join(e.name for e in waiting)}")
        ordered.append(ready[0])
        waiting.remove(ready[0])
    return tuple(ordered)
