"""Accounts and contacts, and the tables of the organisation itself: users, units of business, solutions."""

from __future__ import annotations

from sync_core.sandbox.dataverse.standard import TERMS, Standard, address

RELATIONS = (
    "1:Competitor|2:Consultant|3:Customer|4:Investor|5:Partner|6:Influencer|7:Press|8:Prospect|9:Reseller|10:Supplier"
    "|11:Vendor|12:Other"
)

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
