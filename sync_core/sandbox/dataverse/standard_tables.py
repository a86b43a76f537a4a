"""The standard tables that Tieout can meet, and how they are related.

Names, lengths, precisions, choices and navigation names follow Microsoft's entity reference of Dynamics 365 Sales; the
tables carry the columns that a finance integration reads or writes, not every column of the real ones.
"""

from __future__ import annotations

from sync_core.sandbox.dataverse import standard_parties as parties
from sync_core.sandbox.dataverse import standard_sales as sales

TABLES = (
    sales.CURRENCY,
    parties.ORGANIZATION,
    parties.BUSINESS_UNIT,
    parties.USER,
    parties.PUBLISHER,
    parties.SOLUTION,
    sales.UNIT_SCHEDULE,
    sales.UNIT,
    sales.PRICE_LEVEL,
    parties.ACCOUNT,
    parties.CONTACT,
    sales.PRODUCT,
    sales.PRODUCT_PRICE,
    sales.SALES_ORDER,
    sales.INVOICE,
    sales.INVOICE_DETAIL,
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
