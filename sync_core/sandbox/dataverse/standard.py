"""The standard tables that Tieout can meet, in the notation of ``schema``.

Names, lengths, precisions, choices and navigation names follow Microsoft's entity reference of Dynamics 365 Sales; the
tables carry the columns that a finance integration reads or writes, not every column of the real ones.
"""

from __future__ import annotations

from dataclasses import dataclass

ACTIVE = "0:Active=1:Active|1:Inactive=2:Inactive"
TERMS = "1:Net 30|2:2% 10, Net 30|3:Net 45|4:Net 60"
RELATIONS = (
    "1:Competitor|2:Consultant|3:Customer|4:Investor|5:Partner|6:Influencer|7:Press|8:Prospect|9:Reseller|10:Supplier"
    "|11:Vendor|12:Other"
)
SKIPS = "0:DoPriceCalcAlways|1:SkipPriceCalcOnCreate|2:SkipPriceCalcOnUpdate|3:SkipPriceCalcOnUpSert"
PRICING_ERRORS = (
    "0:None|1:Detail Error|2:Missing Price Level|3:Inactive Price Level|4:Missing Quantity|5:Missing Unit Price"
    "|6:Missing Product|10:Missing UOM|11:Product Not In Price Level|34:Invalid Price Level Currency"
)


@dataclass(frozen=True, slots=True)
class Standard:
    """A standard table; ``states`` is ``statecode:label=statuscode:label,...`` with | between states."""

    schema: str
    set_name: str
    primary_id: str
    primary_name: str
    columns: str
    states: str = ACTIVE
    ownership: str = "UserOwned"
    trackable: bool = True
    type_code: int = 0
    plural: str = ""


def address(prefix: str) -> str:
    """The columns of one postal address."""
    rows = ["Line1 250", "Line2 250", "Line3 250", "City 80", "StateOrProvince 50", "PostalCode 20", "Country 80"]
    return "\n".join(f"{prefix}_{row.split()[0]} string length={row.split()[1]}" for row in rows)


ACCOUNT = Standard(
    "Account",
    "accounts",
    "accountid",
    "name",
    f"""
Name string length=160 ~
AccountNumber string length=20
CustomerTypeCode choice options={RELATIONS}
EMailAddress1 string length=100
Telephone1 string length=50
Fax string length=50
WebSiteURL string length=200
{address("Address1")}
{address("Address2")}
Description memo length=2000
CreditLimit money source=2 min=0 max=100000000000000
CreditOnHold bool
PaymentTermsCode choice options={TERMS}
PrimaryContactId lookup to=contact
ParentAccountId lookup to=account
TransactionCurrencyId lookup to=transactioncurrency
Merged bool ro
MasterId lookup to=account ro
""",
    type_code=1,
)

CONTACT = Standard(
    "Contact",
    "contacts",
    "contactid",
    "fullname",
    f"""
FirstName string length=50
LastName string length=50 ~
FullName string length=160 ro
Salutation string length=100
JobTitle string length=100
CustomerTypeCode choice default=1 options=1:Default Value
EMailAddress1 string length=100
MobilePhone string length=50
Telephone1 string length=50
Fax string length=50
{address("Address1")}
{address("Address2")}
{address("Address3")}
Description memo length=2000
CreditLimit money source=2 min=0 max=100000000000000
CreditOnHold bool
PaymentTermsCode choice options={TERMS}
ParentCustomerId lookup customer to=account,contact
TransactionCurrencyId lookup to=transactioncurrency
Merged bool ro
MasterId lookup to=contact ro
""",
    type_code=2,
)

INVOICE = Standard(
    "Invoice",
    "invoices",
    "invoiceid",
    "name",
    f"""
Name string length=300 ~
InvoiceNumber string length=100
CustomerId lookup customer to=account,contact !
PriceLevelId lookup to=pricelevel ~
TransactionCurrencyId lookup to=transactioncurrency ~
SalesOrderId lookup to=salesorder
AccountId lookup to=account ro
ContactId lookup to=contact ro
DueDate date
DateDelivered localdate
LastBackofficeSubmit localdate
Description memo length=2000
{address("BillTo")}
{address("ShipTo")}
BillTo_Name string length=200
ShipTo_Name string length=200
EMailAddress string length=100
PaymentTermsCode choice options={TERMS}
DiscountAmount money source=2 min=0 max=1000000000000
DiscountPercentage decimal precision=2 min=0 max=100
FreightAmount money source=2 min=0 max=1000000000000
TotalLineItemAmount money source=2
TotalLineItemDiscountAmount money source=2
TotalDiscountAmount money source=2
TotalAmountLessFreight money source=2
TotalTax money source=2
TotalAmount money source=2
IsPriceLocked bool ro
SkipPriceCalculation choice default=0 options=0:DoPriceCalcAlways|1:SkipPriceCalcOnRetrieve
PricingErrorCode choice default=0 options={PRICING_ERRORS}
""",
    states=(
        "0:Active=1:New,2:Partially Shipped,4:Billed,5:Booked (applies to services),6:Installed (applies to services)"
        "|1:Closed (deprecated)=3:Canceled (deprecated),7:Paid in Full (deprecated)"
        "|2:Paid=100001:Complete,100002:Partial|3:Canceled=100003:Canceled"
    ),
    type_code=1090,
)

INVOICE_DETAIL = Standard(
    "InvoiceDetail",
    "invoicedetails",
    "invoicedetailid",
    "invoicedetailname",
    f"""
InvoiceDetailName string length=850
InvoiceId lookup to=invoice create !
IsProductOverridden bool create
ProductDescription string length=850
ProductId lookup to=product
UoMId lookup to=uom
IsPriceOverridden bool
PricePerUnit money source=1
Quantity decimal precision=5 min=-100000000000 !
ManualDiscountAmount money source=2 min=0 max=1000000000000
VolumeDiscountAmount money source=2 ro
Tax money source=2 min=-1000000000000 max=1000000000000
BaseAmount money source=2
ExtendedAmount money source=2
LineItemNumber int min=0 max=1000000000
SequenceNumber int
Description memo length=2000
SkipPriceCalculation choice default=0 options={SKIPS}
PricingErrorCode choice default=0 options={PRICING_ERRORS}
TransactionCurrencyId lookup to=transactioncurrency
InvoiceStateCode choice ro options=0:Active|1:Closed|2:Paid|3:Canceled
InvoiceIsPriceLocked bool ro
ProductNumber string length=100 ro
IsCopied bool
WillCall bool
ShipTo_Name string length=200
""",
    states="",
    ownership="None",
    type_code=1091,
)

PRODUCT = Standard(
    "Product",
    "products",
    "productid",
    "name",
    """
Name string length=100 ~
ProductNumber string length=100 !
ProductStructure choice default=1 options=1:Product|2:Product Family|3:Product Bundle
Description memo length=2000
DefaultUoMId lookup to=uom !
DefaultUoMScheduleId lookup to=uomschedule !
QuantityDecimal int min=0 max=5 default=0
Price money source=1 min=0 max=1000000000000
StandardCost money source=1 min=0 max=1000000000000
CurrentCost money source=1 min=0 max=1000000000000
PriceLevelId lookup to=pricelevel
TransactionCurrencyId lookup to=transactioncurrency
""",
    states="2:Draft=0:Draft|0:Active=1:Active|1:Retired=2:Retired|3:Under Revision=3:Under Revision",
    ownership="OrganizationOwned",
    type_code=1024,
)

PRICE_LEVEL = Standard(
    "PriceLevel",
    "pricelevels",
    "pricelevelid",
    "name",
    """
Name string length=100 !
Description memo length=2000
BeginDate date
EndDate date
TransactionCurrencyId lookup to=transactioncurrency !
""",
    states="0:Active=100001:Active|1:Inactive=100002:Inactive",
    ownership="OrganizationOwned",
    type_code=1022,
)

PRODUCT_PRICE = Standard(
    "ProductPriceLevel",
    "productpricelevels",
    "productpricelevelid",
    "productidname",
    """
PriceLevelId lookup to=pricelevel !
ProductId lookup to=product !
UoMId lookup to=uom !
UoMScheduleId lookup to=uomschedule
ProductIdName string length=100 ro
Amount money source=1 min=0 max=1000000000000
PricingMethodCode choice default=1 options=1:Currency Amount|2:Percent of List
QuantitySellingCode choice default=1 options=1:No Control|2:Whole|3:Whole and Fractional
RoundingPolicyCode choice default=1 options=1:None|2:Up|3:Down|4:To Nearest
TransactionCurrencyId lookup to=transactioncurrency
""",
    states="",
    ownership="None",
    type_code=1026,
)

UNIT = Standard(
    "UoM",
    "uoms",
    "uomid",
    "name",
    """
Name string length=100 !
Quantity decimal precision=10 min=0 default=1
BaseUoM lookup to=uom
UoMScheduleId lookup to=uomschedule !
IsScheduleBaseUoM bool ro
""",
    states="",
    ownership="None",
    type_code=1055,
)

UNIT_SCHEDULE = Standard(
    "UoMSchedule",
    "uomschedules",
    "uomscheduleid",
    "name",
    """
Name string length=200 !
BaseUoMName string length=100
Description memo length=2000
""",
    ownership="OrganizationOwned",
    type_code=1056,
)

CURRENCY = Standard(
    "TransactionCurrency",
    "transactioncurrencies",
    "transactioncurrencyid",
    "currencyname",
    """
CurrencyName string length=100 !
ISOCurrencyCode string length=5 ! create
CurrencySymbol string length=10
CurrencyPrecision int min=0 max=4 default=2
ExchangeRate decimal precision=10 min=0.0000000001 !
""",
    ownership="OrganizationOwned",
    type_code=9105,
)

SALES_ORDER = Standard(
    "SalesOrder",
    "salesorders",
    "salesorderid",
    "name",
    """
Name string length=300 ~
OrderNumber string length=100
CustomerId lookup customer to=account,contact
PriceLevelId lookup to=pricelevel
TransactionCurrencyId lookup to=transactioncurrency
TotalAmount money source=2
""",
    states=(
        "0:Active=1:New,2:Pending|1:Submitted=3:In Progress|2:Canceled=4:No Money|3:Fulfilled=100001:Complete"
        "|4:Invoiced=100003:Invoiced"
    ),
    type_code=1088,
)

USER = Standard(
    "SystemUser",
    "systemusers",
    "systemuserid",
    "fullname",
    """
FullName string length=200 ro
FirstName string length=256
LastName string length=256
DomainName string length=1024
InternalEMailAddress string length=100
ApplicationId guid
AzureActiveDirectoryObjectId guid
BusinessUnitId lookup to=businessunit
IsDisabled bool ro
IsIntegrationUser bool
AccessMode choice default=0 options=0:Read-Write|1:Administrative|2:Read|3:Support User|4:Non-interactive|5:Delegated Admin
""",
    states="",
    ownership="BusinessOwned",
    type_code=8,
)

ORGANIZATION = Standard(
    "Organization",
    "organizations",
    "organizationid",
    "name",
    """
Name string length=160 ro
BaseCurrencyId lookup to=transactioncurrency create
PricingDecimalPrecision int min=0 max=4 default=2
CurrencyDecimalPrecision int min=0 max=4 default=2
LanguageCode int ro default=1033
LocaleId int default=5129
IsSOPIntegrationEnabled bool
OOBPriceCalculationEnabled choice default=1 options=0:No|1:Yes
ExpireChangeTrackingInDays int min=0 max=365 default=7
InvoicePrefix string length=20
""",
    states="",
    ownership="None",
    trackable=False,
    type_code=1019,
)

BUSINESS_UNIT = Standard(
    "BusinessUnit",
    "businessunits",
    "businessunitid",
    "name",
    "Name string length=160 !\nParentBusinessUnitId lookup to=businessunit\n",
    states="",
    ownership="BusinessOwned",
    type_code=10,
)

PUBLISHER = Standard(
    "Publisher",
    "publishers",
    "publisherid",
    "friendlyname",
    """
UniqueName string length=256 ! create
FriendlyName string length=256 !
CustomizationPrefix string length=8
CustomizationOptionValuePrefix int min=10000 max=99999
Description memo length=2000
""",
    states="",
    ownership="OrganizationOwned",
    trackable=False,
    type_code=7101,
)

SOLUTION = Standard(
    "Solution",
    "solutions",
    "solutionid",
    "friendlyname",
    """
UniqueName string length=65 ! create
FriendlyName string length=256 !
Version string length=256
PublisherId lookup to=publisher !
Description memo length=2000
IsManaged bool ro
IsVisible bool ro default=true
""",
    states="",
    ownership="OrganizationOwned",
    trackable=False,
    type_code=7100,
)

TABLES = (
    CURRENCY,
    ORGANIZATION,
    BUSINESS_UNIT,
    USER,
    PUBLISHER,
    SOLUTION,
    UNIT_SCHEDULE,
    UNIT,
    PRICE_LEVEL,
    ACCOUNT,
    CONTACT,
    PRODUCT,
    PRODUCT_PRICE,
    SALES_ORDER,
    INVOICE,
    INVOICE_DETAIL,
)

# (schema, referenced, referencing, lookup, collection on the one side, what a delete of the one side does)
RELATIONSHIPS = (
    ("account_primary_contact", "contact", "account", "primarycontactid", "account_primary_contact", "RemoveLink"),
    ("account_parent_account", "account", "account", "parentaccountid", "account_parent_account", "RemoveLink"),
    ("account_master_account", "account", "account", "masterid", "account_master_account", "RemoveLink"),
    ("contact_master_contact", "contact", "contact", "masterid", "contact_master_contact", "RemoveLink"),
    ("contact_customer_accounts", "account", "contact", "parentcustomerid", "contact_customer_accounts", "RemoveLink"),
    ("contact_customer_contacts", "contact", "contact", "parentcustomerid", "contact_customer_contacts", "RemoveLink"),
    ("invoice_customer_accounts", "account", "invoice", "customerid", "invoice_customer_accounts", "Restrict"),
    ("invoice_customer_contacts", "contact", "invoice", "customerid", "invoice_customer_contacts", "Restrict"),
    ("invoice_details", "invoice", "invoicedetail", "invoiceid", "invoice_details", "Cascade"),
    ("price_level_invoices", "pricelevel", "invoice", "pricelevelid", "price_level_invoices", "Restrict"),
    ("order_invoices", "salesorder", "invoice", "salesorderid", "order_invoices", "RemoveLink"),
    ("product_invoice_details", "product", "invoicedetail", "productid", "product_invoice_details", "Restrict"),
    (
        "unit_of_measurement_invoice_details",
        "uom",
        "invoicedetail",
        "uomid",
        "unit_of_measurement_invoice_details",
        "Restrict",
    ),
    ("product_price_levels", "product", "productpricelevel", "productid", "product_price_levels", "Cascade"),
    (
        "price_level_product_price_levels",
        "pricelevel",
        "productpricelevel",
        "pricelevelid",
        "price_level_product_price_levels",
        "Cascade",
    ),
    ("unit_of_measurement_schedule_units", "uomschedule", "uom", "uomscheduleid", "uom_schedule_units", "Cascade"),
    ("publisher_solution", "publisher", "solution", "publisherid", "publisher_solution", "Restrict"),
)
