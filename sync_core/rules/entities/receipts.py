"""What Xero receives and credits, copied into Tieout's own tables in Dynamics."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from sync_core.rules.declaration import At, Entity, Field, Kind, Owner, Rule, Stream, Switch
from sync_core.rules.entities.builders import (
    CURRENCY,
    CUSTOMER,
    INACTIVE,
    TO_CRM,
    TO_XERO,
    XERO,
    mirror,
    mirrored_reference,
    own,
    xero_id,
)

PAYMENTS_OUT = Switch("payments.to_xero", "Payments from Dynamics to Xero", XERO)
CREDITS_OUT = Switch("credit_notes.to_xero", "Credit notes and allocations from Dynamics to Xero", XERO)
_IN_USE = Rule("in use", "in_use", "It is inactive in Dynamics. Activate it to send it.")
_NEW = Rule("new", "new", "It holds a Xero id that Xero does not know.")
_COMPLETE = Rule("complete", "required", "A field that Xero needs is empty.")
_UNLOCKED = Rule("unlocked", "unlocked", "Its date is in a period that is locked in Xero.")
_ON_ACCOUNT = Rule(
    "documents",
    "settles_one",
    "It names no invoice and no credit note and no prepayment or overpayment. Choose what it is set against. Money received in "
    "advance is entered in Xero, as a prepayment or overpayment, and comes to Dynamics from there.",
)
_ABOVE_ZERO = Rule("above zero", "above_zero", "Its amount must be more than nothing.")
_ONE_EACH = Rule("documents", "settles_one", "It must say what it is set against.")
_OPEN = Rule("open documents", "documents_open", "What it is set against is not approved, or closed already, in Xero.")
_COVERED = Rule("covered", "covered", "Its amount is more than what is still open.")
_ONE_CURRENCY = Rule("one currency", "one_currency", "Its currency is another one than that of the document.")
_ADVANCE_TABLES = (("Prepayments", "Prepayment.PrepaymentID"), ("Overpayments", "Overpayment.OverpaymentID"))


def _name(xero: At) -> Field:
    """What a row is called in Dynamics: given when it is made, or by the person who enters it, and theirs from then on."""
    return Field("name", "Name", Kind.WORDS, At("tie_name", limit=300), xero, TO_CRM, Owner.XERO, once=True)


batch_payments = Entity(
    "batch_payments",
    "Batch payments",
    "batch payment",
    crm=(own("tie_batchpayment"),),
    xero=(Stream(XERO, "BatchPayments", "BatchPaymentID", paged=False, optional=True),),
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
        _name(At("CreditNoteNumber|CreditNoteID")),
        xero_id("CreditNoteID"),
        mirror("number", "Number", Kind.TEXT, "tie_number", "CreditNoteNumber", limit=255, makes=TO_XERO, required=True),
        replace(CUSTOMER, makes=TO_XERO, required=True),
        mirror("date", "Date", Kind.DATE, "tie_date", "Date", makes=TO_XERO, required=True),
        replace(CURRENCY, makes=TO_XERO, required=True),
        mirror("reference", "Reference", Kind.TEXT, "tie_reference", "Reference", limit=255, makes=TO_XERO),
        mirror("subtotal", "Subtotal", Kind.MONEY, "tie_subtotal", "SubTotal"),
        mirror("total_tax", "Tax", Kind.MONEY, "tie_totaltax", "TotalTax"),
        mirror("total", "Total", Kind.MONEY, "tie_total", "Total", required=True),
        mirror("remaining", "Remaining credit", Kind.MONEY, "tie_remaining", "RemainingCredit"),
        mirror("rate", "Exchange rate", Kind.RATE, "tie_rate", "CurrencyRate", makes=TO_XERO),
        mirror("state", "Status", Kind.TEXT, "tie_status", "Status", limit=50),
        INACTIVE,
    ),
    parents=("currencies", "tax_rates", "ledger_accounts", "contacts"),
    create_in=TO_CRM,
    match=(("xero_id", "Xero id held by Dynamics"), ("number", "document number")),
    accept=((XERO, "Type", ("ACCRECCREDIT",)),),
    rules=(
        _IN_USE,
        _NEW,
        _COMPLETE,
        Rule("lines", "carried_lines", "Its lines are not complete, or do not add up to its total."),
        Rule("positive", "positive", "Its total is negative. Send an invoice instead."),
        _UNLOCKED,
        Rule("currency", "subscribed", "Its currency is not switched on in Xero."),
    ),
    title="number",
    constants=((XERO, "Type", "ACCRECCREDIT"), (XERO, "Status", "AUTHORISED"), (XERO, "LineAmountTypes", "Exclusive")),
    switch=CREDITS_OUT,
)

credit_note_lines = Entity(
    "credit_note_lines",
    "Credit note lines",
    "credit note line",
    crm=(own("tie_creditnoteline"),),
    xero=(Stream(XERO, "CreditNotes", "LineItemID", within="LineItems", parent_key="CreditNoteID"),),
    fields=(
        _name(At("Description|ItemCode|=Line")),
        xero_id("LineItemID"),
        mirrored_reference(
            "credit_note", "Credit note", "_tie_creditnoteid_value", "CreditNoteID", "credit_notes", required=True
        ),
        mirror("description", "Description", Kind.TEXT, "tie_description", "Description", limit=4000, makes=TO_XERO),
        mirror("quantity", "Quantity", Kind.QUANTITY, "tie_quantity", "Quantity", makes=TO_XERO),
        mirror("unit_price", "Unit price", Kind.QUANTITY, "tie_unitprice", "UnitAmount", makes=TO_XERO, fallback="amount"),
        mirror("amount", "Amount", Kind.MONEY, "tie_amount", "LineAmount"),
        mirror("tax", "Tax", Kind.MONEY, "tie_tax", "TaxAmount", makes=TO_XERO),
        mirror("account_code", "Ledger account", Kind.TEXT, "tie_accountcode", "AccountCode", limit=20, makes=TO_XERO),
        mirror("tax_type", "Tax rate", Kind.TEXT, "tie_taxtype", "TaxType", limit=50, makes=TO_XERO),
        mirror("item_code", "Product", Kind.TEXT, "tie_itemcode", "ItemCode", limit=50, makes=TO_XERO),
        mirror("status", "Status", Kind.TEXT, "tie_status", "Status", limit=50),
        INACTIVE,
    ),
    parents=("credit_notes",),
    create_in=TO_CRM,
    match=(("xero_id", "Xero id held by Dynamics"),),
    constants=((XERO, "Quantity", Decimal(1)),),
    switch=CREDITS_OUT,
    carried="credit_note",
    alike=("credit_note", "description", "quantity", "unit_price", "amount", "tax", "account_code", "tax_type", "item_code"),
)

payments = Entity(
    "payments",
    "Payments",
    "payment",
    crm=(own("tie_payment"),),
    xero=(
        Stream(XERO, "Payments", "PaymentID", tag="Reference", unguarded=True),
        Stream(XERO, "Prepayments", "PrepaymentID", optional=True),
        Stream(XERO, "Overpayments", "OverpaymentID", optional=True),
    ),
    fields=(
        _name(
            At(
                "Reference|Invoice.InvoiceNumber|=Refund of {CreditNote.CreditNoteNumber}|=Refund",
                tables=(("Prepayments", "Reference|=Prepayment"), ("Overpayments", "Reference|=Overpayment")),
            )
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
        mirrored_reference("invoice", "Invoice", "_tie_invoiceid_value", "Invoice.InvoiceID", "invoices", makes=TO_XERO),
        mirrored_reference(
            "credit_note", "Credit note", "_tie_creditnoteid_value", "CreditNote.CreditNoteID", "credit_notes", makes=TO_XERO
        ),
        mirrored_reference(
            "advance",
            "Prepayment or overpayment",
            "_tie_advanceid_value",
            "Prepayment.PrepaymentID|Overpayment.OverpaymentID",
            "payments",
            makes=TO_XERO,
            tables=_ADVANCE_TABLES,
        ),
        mirrored_reference(
            "batch",
            "Batch payment",
            "_tie_batchpaymentid_value",
            "BatchPaymentID|BatchPayment.BatchPaymentID",
            "batch_payments",
        ),
        mirror("date", "Date", Kind.DATE, "tie_date", "Date", makes=TO_XERO, required=True),
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
            makes=TO_XERO,
            required=True,
        ),
        mirror("remaining", "Remaining credit", Kind.MONEY, "tie_remaining", "RemainingCredit"),
        mirror("reference", "Reference", Kind.WORDS, "tie_reference", "Reference", limit=255, makes=TO_XERO),
        Field(
            "crm_id",
            "Dynamics id",
            Kind.TAG,
            At("tie_paymentid"),
            At("Reference", limit=255),
            hidden=True,
            once=True,
            makes=TO_XERO,
        ),
        mirror("rate", "Exchange rate", Kind.RATE, "tie_rate", "CurrencyRate", makes=TO_XERO),
        mirror(
            "bank_account",
            "Bank account",
            Kind.BANK,
            "tie_bankaccount",
            "Account.AccountID",
            limit=100,
            makes=TO_XERO,
            required=True,
        ),
        mirror("state", "Status", Kind.TEXT, "tie_status", "Status", limit=50),
        INACTIVE,
    ),
    parents=("currencies", "ledger_accounts", "contacts", "invoices", "credit_notes", "batch_payments"),
    create_in=TO_CRM,
    match=(("xero_id", "Xero id held by Dynamics"), ("crm_id", "Dynamics id held by Xero")),
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
    rules=(
        _IN_USE,
        _NEW,
        _COMPLETE,
        _ON_ACCOUNT,
        _ABOVE_ZERO,
        Rule("bank account", "takes_payments", "Its bank account is none that takes payments in Xero."),
        _OPEN,
        _ONE_CURRENCY,
        Rule("rate", "rate_known", "It needs an exchange rate."),
        _COVERED,
        _UNLOCKED,
        Rule("distinct", "distinct", "Xero has the same payment already."),
    ),
    title="name",
    switch=PAYMENTS_OUT,
    settles=(("invoice", "credit_note", "advance"),),
    moves=("invoices", "credit_notes", "payments"),
)

allocations = Entity(
    "allocations",
    "Allocations",
    "allocation",
    crm=(own("tie_allocation"),),
    xero=(
        Stream(XERO, "CreditNotes", "AllocationID", within="Allocations", parent_key="CreditNoteID", unguarded=True),
        Stream(XERO, "Prepayments", "AllocationID", within="Allocations", parent_key="PrepaymentID", unguarded=True),
        Stream(XERO, "Overpayments", "AllocationID", within="Allocations", parent_key="OverpaymentID", unguarded=True),
    ),
    fields=(
        _name(At("Invoice.InvoiceNumber|=Allocation")),
        xero_id("AllocationID"),
        mirrored_reference(
            "invoice",
            "Invoice",
            "_tie_invoiceid_value",
            "Invoice.InvoiceID",
            "invoices",
            required=True,
            makes=TO_XERO,
        ),
        mirrored_reference(
            "credit_note", "Credit note", "_tie_creditnoteid_value", "CreditNoteID", "credit_notes", makes=TO_XERO
        ),
        mirrored_reference(
            "advance",
            "Prepayment or overpayment",
            "_tie_paymentid_value",
            "PrepaymentID|OverpaymentID",
            "payments",
            makes=TO_XERO,
            tables=(("Prepayments", "PrepaymentID"), ("Overpayments", "OverpaymentID")),
        ),
        mirror("date", "Date", Kind.DATE, "tie_date", "Date", makes=TO_XERO, required=True),
        CURRENCY,
        mirror("amount", "Amount", Kind.MONEY, "tie_amount", "Amount", makes=TO_XERO, required=True),
        mirror("status", "Status", Kind.TEXT, "tie_status", "Status", limit=50),
        INACTIVE,
    ),
    parents=("currencies", "invoices", "credit_notes", "payments"),
    create_in=TO_CRM,
    match=(("xero_id", "Xero id held by Dynamics"),),
    rules=(
        _IN_USE,
        _NEW,
        _COMPLETE,
        _ONE_EACH,
        _ABOVE_ZERO,
        _OPEN,
        _ONE_CURRENCY,
        Rule("one customer", "one_customer", "The credit belongs to another customer than the invoice."),
        _COVERED,
        _UNLOCKED,
    ),
    switch=CREDITS_OUT,
    settles=(("invoice",), ("credit_note", "advance")),
    alike=("invoice", "credit_note", "advance", "date", "amount"),
    moves=("invoices", "credit_notes", "payments"),
    completes=("credit_note", "advance"),
)
