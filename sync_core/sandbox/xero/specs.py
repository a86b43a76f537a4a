"""The fields that each resource takes, with their greatest lengths, as data.

Source: the public description's request schemas and the lengths that it and the facts name.
"""

from __future__ import annotations

from sync_core.sandbox.xero.fields import DATE, FLAG, ID, NUMBER, Spec, choice, many, one, text

LINE: Spec = {
    "LineItemID": ID,
    "Description": text(4000),
    "Quantity": NUMBER,
    "UnitAmount": NUMBER,
    "ItemCode": text(30),
    "AccountCode": text(10),
    "AccountID": ID,
    "TaxType": text(50),
    "TaxAmount": NUMBER,
    "LineAmount": NUMBER,
    "DiscountRate": NUMBER,
    "DiscountAmount": NUMBER,
    "Tracking": many({"TrackingCategoryID": ID, "TrackingOptionID": ID, "Name": text(100), "Option": text(100)}),
}
PHONE: Spec = {
    "PhoneType": choice("DEFAULT", "DDI", "MOBILE", "FAX", "OFFICE"),
    "PhoneNumber": text(50),
    "PhoneAreaCode": text(10),
    "PhoneCountryCode": text(20),
}
ADDRESS: Spec = {
    "AddressType": choice("POBOX", "STREET"),
    **{f"AddressLine{n}": text(500) for n in range(1, 5)},
    "City": text(255),
    "Region": text(255),
    "PostalCode": text(50),
    "Country": text(50),
    "AttentionTo": text(255),
}
_TERM: Spec = {
    "Day": NUMBER,
    "Type": choice("DAYSAFTERBILLDATE", "DAYSAFTERBILLMONTH", "OFCURRENTMONTH", "OFFOLLOWINGMONTH"),
}
CONTACT: Spec = {
    "ContactID": ID,
    "ContactNumber": text(50),
    "AccountNumber": text(50),
    "ContactStatus": choice("ACTIVE", "ARCHIVED"),
    "Name": text(255),
    "FirstName": text(255),
    "LastName": text(255),
    "CompanyNumber": text(50),
    "EmailAddress": text(255),
    "ContactPersons": many(
        {
            "FirstName": text(255),
            "LastName": text(255),
            "EmailAddress": text(255),
            "IncludeInEmails": FLAG,
        }
    ),
    "BankAccountDetails": text(),
    "TaxNumber": text(50),
    "AccountsReceivableTaxType": text(),
    "AccountsPayableTaxType": text(),
    "Addresses": many(ADDRESS),
    "Phones": many(PHONE),
    "DefaultCurrency": text(3),
    "SalesDefaultAccountCode": text(10),
    "PurchasesDefaultAccountCode": text(10),
    "SalesDefaultLineAmountType": choice("INCLUSIVE", "EXCLUSIVE", "NONE"),
    "PurchasesDefaultLineAmountType": choice("INCLUSIVE", "EXCLUSIVE", "NONE"),
    "XeroNetworkKey": text(),
    "PaymentTerms": one({"Bills": one(_TERM), "Sales": one(_TERM)}),
}
ACCOUNT_REF: Spec = {"AccountID": ID, "Code": text(10)}
STATUSES = ("DRAFT", "SUBMITTED", "AUTHORISED", "DELETED", "VOIDED", "PAID")
_DOCUMENT: Spec = {
    "Contact": one(CONTACT),
    "LineItems": many(LINE),
    "Date": DATE,
    "DueDate": DATE,
    "LineAmountTypes": choice("Exclusive", "Inclusive", "NoTax"),
    "Reference": text(255),
    "BrandingThemeID": ID,
    "CurrencyCode": text(3),
    "CurrencyRate": NUMBER,
    "Status": choice(*STATUSES),
    "SentToContact": FLAG,
}
INVOICE: Spec = {
    "InvoiceID": ID,
    "InvoiceNumber": text(255),
    "Type": choice("ACCREC", "ACCPAY"),
    **_DOCUMENT,
    "Url": text(2083),
    "ExpectedPaymentDate": DATE,
    "PlannedPaymentDate": DATE,
}
CREDIT_NOTE: Spec = {
    "CreditNoteID": ID,
    "CreditNoteNumber": text(255),
    "Type": choice("ACCRECCREDIT", "ACCPAYCREDIT"),
    **_DOCUMENT,
}
_INVOICE_REF: Spec = {"InvoiceID": ID, "InvoiceNumber": text(255)}
PAYMENT: Spec = {
    "PaymentID": ID,
    "Invoice": one(_INVOICE_REF),
    "CreditNote": one({"CreditNoteID": ID, "CreditNoteNumber": text(255)}),
    "Prepayment": one({"PrepaymentID": ID}),
    "Overpayment": one({"OverpaymentID": ID}),
    "InvoiceNumber": text(255),
    "CreditNoteNumber": text(255),
    "Account": one(ACCOUNT_REF),
    "Code": text(10),
    "Date": DATE,
    "CurrencyRate": NUMBER,
    "Amount": NUMBER,
    "BankAmount": NUMBER,
    "Reference": text(255),
    "IsReconciled": FLAG,
    "Status": choice("AUTHORISED", "DELETED"),
}
BATCH: Spec = {
    "BatchPaymentID": ID,
    "Account": one(ACCOUNT_REF),
    "Reference": text(255),
    "Particulars": text(12),
    "Code": text(12),
    "Details": text(),
    "Narrative": text(18),
    "Date": DATE,
    "Status": choice("AUTHORISED", "DELETED"),
    "Payments": many({"Invoice": one(_INVOICE_REF), "Amount": NUMBER, "Reference": text(255), "Details": text()}),
}
ALLOCATION: Spec = {"Amount": NUMBER, "AppliedAmount": NUMBER, "Date": DATE, "Invoice": one(_INVOICE_REF)}
BANK_TRANSACTION: Spec = {
    "BankTransactionID": ID,
    "Type": choice(
        "RECEIVE",
        "RECEIVE-PREPAYMENT",
        "RECEIVE-OVERPAYMENT",
        "SPEND",
        "SPEND-PREPAYMENT",
        "SPEND-OVERPAYMENT",
    ),
    "Contact": one(CONTACT),
    "LineItems": many(LINE),
    "BankAccount": one(ACCOUNT_REF),
    "IsReconciled": FLAG,
    "Date": DATE,
    "Reference": text(255),
    "CurrencyCode": text(3),
    "CurrencyRate": NUMBER,
    "Url": text(2083),
    "Status": choice("AUTHORISED", "DELETED", "VOIDED"),
    "LineAmountTypes": choice("Exclusive", "Inclusive", "NoTax"),
}
ACCOUNT_TYPES = (
    "BANK",
    "CURRENT",
    "CURRLIAB",
    "DEPRECIATN",
    "DIRECTCOSTS",
    "EQUITY",
    "EXPENSE",
    "FIXED",
    "INVENTORY",
    "LIABILITY",
    "NONCURRENT",
    "OTHERINCOME",
    "OVERHEADS",
    "PREPAYMENT",
    "REVENUE",
    "SALES",
    "TERMLIAB",
)
GROUP: Spec = {"ContactGroupID": ID, "Name": text(255), "Status": choice("ACTIVE", "DELETED")}
GROUP_MEMBER: Spec = {"ContactID": ID}
ACCOUNT: Spec = {
    "AccountID": ID,
    "Code": text(10),
    "Name": text(150),
    "Type": choice(*ACCOUNT_TYPES),
    "BankAccountNumber": text(30),
    "BankAccountType": choice("BANK", "CREDITCARD", "PAYPAL", "NONE"),
    "CurrencyCode": text(3),
    "Description": text(4000),
    "TaxType": text(),
    "EnablePaymentsToAccount": FLAG,
    "ShowInExpenseClaims": FLAG,
    "AddToWatchlist": FLAG,
    "Status": choice("ACTIVE", "ARCHIVED", "DELETED"),
}
_PRICE: Spec = {"UnitPrice": NUMBER, "AccountCode": text(10), "COGSAccountCode": text(10), "TaxType": text()}
ITEM: Spec = {
    "ItemID": ID,
    "Code": text(30),
    "Name": text(50),
    "IsSold": FLAG,
    "IsPurchased": FLAG,
    "Description": text(4000),
    "PurchaseDescription": text(4000),
    "InventoryAssetAccountCode": text(10),
    "SalesDetails": one(_PRICE),
    "PurchaseDetails": one(_PRICE),
}
TAX_RATE: Spec = {
    "Name": text(50),
    "TaxType": text(50),
    "ReportTaxType": text(),
    "Status": choice("ACTIVE", "DELETED", "ARCHIVED"),
    "TaxComponents": many({"Name": text(50), "Rate": NUMBER, "IsCompound": FLAG, "IsNonRecoverable": FLAG}),
}
CURRENCY: Spec = {"Code": text(3), "Description": text()}
OPTION: Spec = {"TrackingOptionID": ID, "Name": text(100), "Status": choice("ACTIVE", "ARCHIVED", "DELETED")}
TRACKING: Spec = {
    "TrackingCategoryID": ID,
    "Name": text(100),
    "Status": choice("ACTIVE", "ARCHIVED", "DELETED"),
    "Options": many(OPTION),
}
MANUAL_JOURNAL: Spec = {
    "ManualJournalID": ID,
    "Narration": text(4000),
    "JournalLines": many(
        {
            "LineAmount": NUMBER,
            "AccountCode": text(10),
            "AccountID": ID,
            "Description": text(4000),
            "TaxType": text(50),
            "TaxAmount": NUMBER,
            "Tracking": many({"TrackingCategoryID": ID, "TrackingOptionID": ID, "Name": text(100), "Option": text(100)}),
        }
    ),
    "Date": DATE,
    "LineAmountTypes": choice("Exclusive", "Inclusive", "NoTax"),
    "Status": choice("DRAFT", "POSTED", "DELETED", "VOIDED"),
    "Url": text(2083),
    "ShowOnCashBasisReports": FLAG,
}
_TRACKED = many({"TrackingCategoryID": ID, "TrackingOptionID": ID, "Name": text(100), "Option": text(100)})
BANK_TRANSFER: Spec = {
    "BankTransferID": ID,
    "FromBankAccount": one(ACCOUNT_REF),
    "ToBankAccount": one(ACCOUNT_REF),
    "Amount": NUMBER,
    "Date": DATE,
    "Reference": text(255),
    "FromIsReconciled": FLAG,
    "ToIsReconciled": FLAG,
    "FromTracking": _TRACKED,
    "ToTracking": _TRACKED,
    "Status": choice("AUTHORISED", "DELETED"),
}
REPEATING_INVOICE: Spec = {
    "RepeatingInvoiceID": ID,
    "Type": choice("ACCREC", "ACCPAY"),
    "Contact": one(CONTACT),
    "Schedule": one(
        {
            "Period": NUMBER,
            "Unit": choice("WEEKLY", "MONTHLY"),
            "DueDate": NUMBER,
            "DueDateType": choice(
                "DAYSAFTERBILLDATE",
                "DAYSAFTERBILLMONTH",
                "DAYSAFTERINVOICEDATE",
                "DAYSAFTERINVOICEMONTH",
                "OFCURRENTMONTH",
                "OFFOLLOWINGMONTH",
            ),
            "StartDate": DATE,
            "NextScheduledDate": DATE,
            "EndDate": DATE,
        }
    ),
    "LineItems": many(LINE),
    "LineAmountTypes": choice("Exclusive", "Inclusive", "NoTax"),
    "Reference": text(255),
    "BrandingThemeID": ID,
    "CurrencyCode": text(3),
    "Status": choice("DRAFT", "AUTHORISED", "DELETED"),
    **dict.fromkeys(("ApprovedForSending", "SendCopy", "MarkAsSent", "IncludePDF"), FLAG),
}
LINKED_TRANSACTION: Spec = {
    "LinkedTransactionID": ID,
    "SourceTransactionID": ID,
    "SourceLineItemID": ID,
    "ContactID": ID,
    "TargetTransactionID": ID,
    "TargetLineItemID": ID,
}
_OFFER: Spec = {
    "Contact": one(CONTACT),
    "LineItems": many(LINE),
    "Date": DATE,
    "LineAmountTypes": choice("Exclusive", "Inclusive", "NoTax"),
    "Reference": text(4000),
    "BrandingThemeID": ID,
    "CurrencyCode": text(3),
    "CurrencyRate": NUMBER,
}
QUOTE: Spec = {
    "QuoteID": ID,
    "QuoteNumber": text(255),
    **_OFFER,
    "LineAmountTypes": choice("EXCLUSIVE", "INCLUSIVE", "NOTAX", "Exclusive", "Inclusive", "NoTax"),
    "Status": choice("DRAFT", "SENT", "ACCEPTED", "DECLINED", "INVOICED", "DELETED"),
    "ExpiryDate": DATE,
    "Terms": text(4000),
    "Title": text(100),
    "Summary": text(3000),
}
PURCHASE_ORDER: Spec = {
    "PurchaseOrderID": ID,
    "PurchaseOrderNumber": text(255),
    **_OFFER,
    "Status": choice("DRAFT", "SUBMITTED", "AUTHORISED", "BILLED", "DELETED"),
    "DeliveryDate": DATE,
    "ExpectedArrivalDate": DATE,
    "SentToContact": FLAG,
    "DeliveryAddress": text(4000),
    "AttentionTo": text(255),
    "Telephone": text(50),
    "DeliveryInstructions": text(500),
}
HISTORY: Spec = {"Details": text(2500)}
