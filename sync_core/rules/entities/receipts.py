"""What Xero receives and credits, copied into Tieout's own tables in Dynamics."""

from __future__ import annotations

from sync_core.rules.declaration import At, Entity, Field, Kind, Owner, Stream
from sync_core.rules.entities.builders import CURRENCY, CUSTOMER, TO_CRM, XERO, mirror, mirrored_reference, own, xero_id

batch_payments = Entity(
    "batch_payments",
    "Batch payments",
    "batch payment",
    crm=(own("tie_batchpayment"),),
    xero=(Stream(XERO, "BatchPayments", "BatchPaymentID", paged=False),),
    fields=(
        Field(
            "name", "Name", Kind.TEXT, At("tie_name", limit=300), At("Reference|Narrative|=Batch payment"), TO_CRM, Owner.XERO
        ),
        xero_id("BatchPaymentID"),
        mirror("date", "Date", Kind.DATE, "tie_date", "Date"),
        mirror("amount", "Amount", Kind.MONEY, "tie_amount", "TotalAmount"),
        mirror("reference", "Reference", Kind.TEXT, "tie_reference", "Reference", limit=255),
        mirror("bank_account", "Bank account", Kind.TEXT, "tie_bankaccount", "Account.AccountID", limit=100),
        mirror("status", "Status", Kind.TEXT, "tie_status", "Status", limit=50),
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
    crm=(own("tie_creditnote"),),
    xero=(Stream(XERO, "CreditNotes", "CreditNoteID", where='Type=="ACCRECCREDIT"', tag="CreditNoteNumber"),),
    fields=(
        Field("name", "Name", Kind.TEXT, At("tie_name", limit=300), At("CreditNoteNumber|CreditNoteID"), TO_CRM, Owner.XERO),
        xero_id("CreditNoteID"),
        mirror("number", "Number", Kind.TEXT, "tie_number", "CreditNoteNumber", limit=255),
        CUSTOMER,
        mirror("date", "Date", Kind.DATE, "tie_date", "Date"),
        CURRENCY,
        mirror("reference", "Reference", Kind.TEXT, "tie_reference", "Reference", limit=255),
        mirror("subtotal", "Subtotal", Kind.MONEY, "tie_subtotal", "SubTotal"),
        mirror("total_tax", "Tax", Kind.MONEY, "tie_totaltax", "TotalTax"),
        mirror("total", "Total", Kind.MONEY, "tie_total", "Total"),
        mirror("remaining", "Remaining credit", Kind.MONEY, "tie_remaining", "RemainingCredit"),
        mirror("rate", "Exchange rate", Kind.RATE, "tie_rate", "CurrencyRate"),
        mirror("state", "Status", Kind.TEXT, "tie_status", "Status", limit=50),
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
    crm=(own("tie_creditnoteline"),),
    xero=(Stream(XERO, "CreditNotes", "LineItemID", within="LineItems", parent_key="CreditNoteID"),),
    fields=(
        Field("name", "Name", Kind.TEXT, At("tie_name", limit=300), At("Description|ItemCode|=Line"), TO_CRM, Owner.XERO),
        xero_id("LineItemID"),
        mirrored_reference(
            "credit_note", "Credit note", "_tie_creditnoteid_value", "CreditNoteID", "credit_notes", required=True
        ),
        mirror("description", "Description", Kind.TEXT, "tie_description", "Description", limit=4000),
        mirror("quantity", "Quantity", Kind.QUANTITY, "tie_quantity", "Quantity"),
        mirror("unit_price", "Unit price", Kind.QUANTITY, "tie_unitprice", "UnitAmount"),
        mirror("amount", "Amount", Kind.MONEY, "tie_amount", "LineAmount"),
        mirror("tax", "Tax", Kind.MONEY, "tie_tax", "TaxAmount"),
        mirror("account_code", "Ledger account", Kind.TEXT, "tie_accountcode", "AccountCode", limit=20),
        mirror("tax_type", "Tax rate", Kind.TEXT, "tie_taxtype", "TaxType", limit=50),
        mirror("item_code", "Product", Kind.TEXT, "tie_itemcode", "ItemCode", limit=50),
        mirror("status", "Status", Kind.TEXT, "tie_status", "Status", limit=50),
    ),
    parents=("credit_notes",),
    create_in=TO_CRM,
    match=(("xero_id", "Xero id held by Dynamics"),),
)

payments = Entity(
    "payments",
    "Payments",
    "payment",
    crm=(own("tie_payment"),),
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
                "Reference|Invoice.InvoiceNumber|=Refund of {CreditNote.CreditNoteNumber}|=Refund",
                tables=(("Prepayments", "Reference|=Prepayment"), ("Overpayments", "Reference|=Overpayment")),
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
            At("_tie_accountid_value", tables=(("account", "_tie_accountid_value"), ("contact", "_tie_contactid_value"))),
            At(
                "Invoice.Contact.ContactID|CreditNote.Contact.ContactID|Prepayment.Contact.ContactID"
                "|Overpayment.Contact.ContactID|Contact.ContactID"
            ),
            TO_CRM,
            Owner.XERO,
            entity="contacts",
            blocks=False,
        ),
        mirrored_reference("invoice", "Invoice", "_tie_invoiceid_value", "Invoice.InvoiceID", "invoices"),
        mirrored_reference("credit_note", "Credit note", "_tie_creditnoteid_value", "CreditNote.CreditNoteID", "credit_notes"),
        mirrored_reference(
            "advance",
            "Prepayment or overpayment",
            "_tie_advanceid_value",
            "Prepayment.PrepaymentID|Overpayment.OverpaymentID",
            "payments",
        ),
        mirrored_reference(
            "batch",
            "Batch payment",
            "_tie_batchpaymentid_value",
            "BatchPaymentID|BatchPayment.BatchPaymentID",
            "batch_payments",
        ),
        mirror("date", "Date", Kind.DATE, "tie_date", "Date"),
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
        mirror("remaining", "Remaining credit", Kind.MONEY, "tie_remaining", "RemainingCredit"),
        mirror("reference", "Reference", Kind.TEXT, "tie_reference", "Reference", limit=255),
        mirror("rate", "Exchange rate", Kind.RATE, "tie_rate", "CurrencyRate"),
        mirror("bank_account", "Bank account", Kind.TEXT, "tie_bankaccount", "Account.AccountID", limit=100),
        mirror("state", "Status", Kind.TEXT, "tie_status", "Status", limit=50),
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
    crm=(own("tie_allocation"),),
    xero=(
        Stream(XERO, "CreditNotes", "AllocationID", within="Allocations", parent_key="CreditNoteID"),
        Stream(XERO, "Prepayments", "AllocationID", within="Allocations", parent_key="PrepaymentID"),
        Stream(XERO, "Overpayments", "AllocationID", within="Allocations", parent_key="OverpaymentID"),
    ),
    fields=(
        Field(
            "name", "Name", Kind.TEXT, At("tie_name", limit=300), At("Invoice.InvoiceNumber|=Allocation"), TO_CRM, Owner.XERO
        ),
        xero_id("AllocationID"),
        mirrored_reference("invoice", "Invoice", "_tie_invoiceid_value", "Invoice.InvoiceID", "invoices", required=True),
        mirrored_reference("credit_note", "Credit note", "_tie_creditnoteid_value", "CreditNoteID", "credit_notes"),
        mirrored_reference(
            "advance", "Prepayment or overpayment", "_tie_paymentid_value", "PrepaymentID|OverpaymentID", "payments"
        ),
        mirror("date", "Date", Kind.DATE, "tie_date", "Date"),
        CURRENCY,
        mirror("amount", "Amount", Kind.MONEY, "tie_amount", "Amount"),
        mirror("status", "Status", Kind.TEXT, "tie_status", "Status", limit=50),
    ),
    parents=("currencies", "invoices", "credit_notes", "payments"),
    create_in=TO_CRM,
    match=(("xero_id", "Xero id held by Dynamics"),),
)
