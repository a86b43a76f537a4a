"""The part of a company that comes before its papers: organisation, currencies, tax, accounts, items,
contacts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sync_core.sandbox.identity import credentials
from sync_core.sandbox.kernel import Kernel, Row
from sync_core.sandbox.world import Company, LedgerAccount, Party, Product, TaxRate
from sync_core.sandbox.xero.amounts import places
from sync_core.sandbox.xero.settings import with_rates

Stamp = Callable[[], datetime]
REPORTED = {"OUTPUT": "OUTPUT", "INPUT": "INPUT", "TAX": "OUTPUT", "ZERO": "ZERORATEDOUTPUT"}


def account_id(kernel: Kernel, code: str) -> str:
    return kernel.stable_id("xero", "account", code)


def contact_id(kernel: Kernel, key: str) -> str:
    return kernel.stable_id("xero", "contact", key)


def item_id(kernel: Kernel, key: str) -> str:
    return kernel.stable_id("xero", "item", key)


def seed_settings(kernel: Kernel, company: Company, stamp: Stamp) -> None:
    """Put everything in that papers refer to."""

    def put(kind: str, key: str, row: Row) -> None:
        kernel.collection(f"xero.{kind}").put(row[key], row)

    put("Organisations", "OrganisationID", _organisation(kernel, company))
    for code, name, rate in company.currencies:
        put("Currencies", "Code", {"Code": code, "Description": name, "_rate": places(rate, 6)})
    for tax in company.tax_rates:
        put("TaxRates", "TaxType", _tax_rate(tax))
    for account in company.ledger_accounts:
        put("Accounts", "AccountID", _account(kernel, company, account) | {"UpdatedDateUTC": stamp()})
    for number, name in enumerate(company.branding_themes):
        put("BrandingThemes", "BrandingThemeID", _theme(kernel, number, name))
    for product in company.products:
        if product.in_xero:
            put("Items", "ItemID", _item(kernel, product) | {"UpdatedDateUTC": stamp()})
    in_xero = {party.key for party in company.parties if party.in_xero}
    for party in company.parties:
        if party.in_xero:
            put("Contacts", "ContactID", _contact(kernel, party) | {"UpdatedDateUTC": stamp()})
    for name, members in company.contact_groups:
        ids = [contact_id(kernel, key) for key in members if key in in_xero]
        group_id = kernel.stable_id("xero", "group", name)
        put("ContactGroups", "ContactGroupID", {"ContactGroupID": group_id, "Name": name, "Status": "ACTIVE", "Contacts": ids})


def _organisation(kernel: Kernel, company: Company) -> Row:
    return {
        "OrganisationID": credentials(kernel).xero_tenant_id,
        "Name": company.name,
        "LegalName": company.name,
        "PaysTax": True,
        "Version": "NZ",
        "OrganisationType": "COMPANY",
        "BaseCurrency": company.currencies[0][0],
        "CountryCode": "NZ",
        "IsDemoCompany": False,
        "OrganisationStatus": "ACTIVE",
        "FinancialYearEndDay": 31,
        "FinancialYearEndMonth": 3,
        "SalesTaxBasis": "INVOICE",
        "SalesTaxPeriod": "TWOMONTHS",
        "DefaultSalesTax": "Tax Exclusive",
        "DefaultPurchasesTax": "Tax Exclusive",
        "PeriodLockDate": company.period_lock_date,
        "CreatedDateUTC": kernel.clock.now() - timedelta(days=1000),
        "OrganisationEntityType": "COMPANY",
        "Timezone": "NEWZEALANDSTANDARDTIME",
        "ShortCode": company.organisation_short_code,
        "Edition": "BUSINESS",
        "Class": "PREMIUM",
        "Addresses": [],
        "Phones": [],
        "ExternalLinks": [],
        "PaymentTerms": {},
        "_zone": "Pacific/Auckland",
    }


def _tax_rate(tax: TaxRate) -> Row:
    reported = next((r for prefix, r in REPORTED.items() if tax.tax_type.startswith(prefix)), "NONE")
    component: Row = {
        "Name": "GST" if tax.rate else "Tax",
        "Rate": places(tax.rate, 4),
        "IsCompound": False,
        "IsNonRecoverable": False,
    }
    row: Row = {
        "Name": tax.name,
        "TaxType": tax.tax_type,
        "ReportTaxType": reported,
        "Status": "ARCHIVED" if tax.archived else "ACTIVE",
        "TaxComponents": [component],
    }
    return with_rates(row)


def _account(kernel: Kernel, company: Company, account: LedgerAccount) -> Row:
    row: Row = {
        "AccountID": account_id(kernel, account.code),
        "Code": account.code,
        "Name": account.name,
        "Status": "ARCHIVED" if account.archived else "ACTIVE",
        "Type": account.type,
        "TaxType": account.tax_type,
        "Class": account.klass,
        "EnablePaymentsToAccount": account.enable_payments,
        "ShowInExpenseClaims": False,
    }
    if account.system_account:
        row["SystemAccount"] = account.system_account
    if account.type == "BANK":
        row |= {"BankAccountNumber": "0209087654321050", "BankAccountType": "BANK", "CurrencyCode": company.currencies[0][0]}
    return row


def _theme(kernel: Kernel, number: int, name: str) -> Row:
    return {
        "BrandingThemeID": kernel.stable_id("xero", "theme", name),
        "Name": name,
        "Type": "INVOICE",
        "SortOrder": number,
        "CreatedDateUTC": kernel.clock.now() - timedelta(days=900),
    }


def _item(kernel: Kernel, product: Product) -> Row:
    sales: Row = {"UnitPrice": places(product.price, 4), "AccountCode": product.account_code, "TaxType": product.tax_type}
    return {
        "ItemID": item_id(kernel, product.key),
        "Code": product.code,
        "Name": product.name[:50],
        "Description": product.name,
        "IsSold": True,
        "IsPurchased": False,
        "IsTrackedAsInventory": False,
        "SalesDetails": {name: value for name, value in sales.items() if value is not None},
        "PurchaseDetails": {},
    }


def _contact(kernel: Kernel, party: Party) -> Row:
    given: Row = {
        "ContactID": contact_id(kernel, party.key),
        "Name": party.name_in_xero or party.name,
        "FirstName": party.first_name,
        "LastName": party.last_name,
        "EmailAddress": party.email,
        "AccountNumber": party.account_number,
        "DefaultCurrency": party.currency,
    }
    address = {"AddressLine1": party.street, "City": party.city, "PostalCode": party.postcode, "Country": party.country}
    return {
        **{name: value for name, value in given.items() if value},
        "ContactStatus": "ARCHIVED" if party.archived_in_xero else "ACTIVE",
        "ContactPersons": [],
        "Phones": {"DEFAULT": {"PhoneType": "DEFAULT", "PhoneNumber": party.phone}} if party.phone else {},
        "Addresses": {"STREET": {"AddressType": "STREET", **address}} if party.street else {},
        "IsCustomer": False,
        "IsSupplier": False,
    }
