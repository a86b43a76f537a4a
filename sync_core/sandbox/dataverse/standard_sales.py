"""Sales papers, what is sold, and at which prices."""

from __future__ import annotations

from sync_core.sandbox.dataverse.standard import TERMS, Standard, address

SKIPS = "0:DoPriceCalcAlways|1:SkipPriceCalcOnCreate|2:SkipPriceCalcOnUpdate|3:SkipPriceCalcOnUpSert"
PRICING_ERRORS = (
    "0:None|1:Detail Error|2:Missing Price Level|3:Inactive Price Level|4:Missing Quantity|5:Missing Unit Price"
    "|6:Missing Product|10:Missing UOM|11:Product Not In Price Level|34:Invalid Price Level Currency"
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
