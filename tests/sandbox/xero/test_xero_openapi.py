"""Answers of the sandbox against Xero's public OpenAPI description, schema by schema.

The description is not part of the project: the tests look for it beside the repository (``shared/specs``) or where
``TIEOUT_XERO_SPEC`` says, and are skipped without it. Keys that it does not know are found as well.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft4Validator
from xero_api import draft, line

BESIDE = Path(__file__).resolve().parents[4] / "shared" / "specs" / "xero_accounting.yaml"
SPEC = Path(os.environ.get("TIEOUT_XERO_SPEC", BESIDE))

pytestmark = pytest.mark.skipif(not SPEC.is_file(), reason=f"Xero's OpenAPI description is not at {SPEC}")


@pytest.fixture(scope="module")
def document():
    with SPEC.open(encoding="utf-8") as file:
        return yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  both are safe loaders


@pytest.fixture(scope="module")
def check(document):
    """Validates an answer of an operation against the schema of its status."""

    def validate(path, method, answer):
        described = document["paths"][path][method]["responses"][str(answer.status_code)]
        if "$ref" in described:
            described = document["components"]["responses"][described["$ref"].rsplit("/", 1)[1]]
        schema = {**described["content"]["application/json"]["schema"], "components": document["components"]}
        errors = [f"{list(e.path)}: {e.message[:200]}" for e in Draft4Validator(schema).iter_errors(answer.json())]
        assert errors == []
        unknown = unknown_keys(document, schema, answer.json())
        assert unknown == set()

    return validate


def resolve(document, schema):
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


# Not described, but in the official examples.
COMPANIONS = {"DateString", "DueDateString", "DateUTCString", "ID", "HasValidationErrors", "ValidationErrors"}
ENVELOPE = {"Id", "Status", "ProviderName", "DateTimeUTC", "pagination"}


def unknown_keys(document, schema, value, path=""):
    """Keys of an answer that the description does not have, apart from those of its own examples.

    The elements of a refusal echo what was sent, so they are let be.
    """
    schema = resolve(document, schema)
    if isinstance(value, list):
        return {k for item in value for k in unknown_keys(document, schema.get("items", {}), item, path)}
    if not isinstance(value, dict) or "properties" not in schema:
        return set()
    known = schema["properties"]
    strange = {f"{path}.{key}" for key in value if key not in {*known, *COMPANIONS, *ENVELOPE}}
    inside = {key: item for key, item in value.items() if key in known and key != "Elements"}
    return strange.union(*(unknown_keys(document, known[k], v, f"{path}.{k}") for k, v in inside.items()))


LISTS = [
    "Invoices",
    "CreditNotes",
    "Contacts",
    "Prepayments",
    "Overpayments",
    "BatchPayments",
    "BankTransactions",
    "Accounts",
    "Items",
    "TaxRates",
    "Currencies",
    "BrandingThemes",
    "ContactGroups",
    "Organisation",
    "TrackingCategories",
    "Journals",
    "ManualJournals",
    "Users",
    "BankTransfers",
    "Budgets",
    "LinkedTransactions",
    "RepeatingInvoices",
    "ExpenseClaims",
    "Receipts",
    "Quotes",
    "PurchaseOrders",
    "PaymentServices",
    "InvoiceReminders/Settings",
    "Reports",
    "Reports/TrialBalance",
    "Reports/ProfitAndLoss",
    "Reports/BalanceSheet",
    "Reports/BankSummary",
    "Reports/ExecutiveSummary",
    "Reports/BudgetSummary",
    "Reports/TenNinetyNine",
]


@pytest.mark.parametrize("path", LISTS)
def test_lists(api, check, path):
    check(f"/{path}", "get", api.send("GET", path, page=1))


def test_payments_but_for_the_texts_of_a_nested_batch(api, check):
    check("/Payments", "get", api.send("GET", "Payments", where="BatchPaymentID==null", page=1))


@pytest.mark.parametrize("path", ["Invoices", "CreditNotes", "Contacts"])
def test_unpaged_lists_and_summaries(api, check, path):
    check(f"/{path}", "get", api.send("GET", path))
    check(f"/{path}", "get", api.send("GET", path, summaryOnly="true"))


def test_writes_of_invoices(api, check):
    check("/Invoices", "put", api.send("PUT", "Invoices", draft()))
    broken = {"Invoices": [draft(), draft(line("1", AccountCode="999"))]}
    check("/Invoices", "put", api.send("PUT", "Invoices", broken))
    check("/Invoices", "post", api.send("POST", "Invoices", broken, summarizeErrors="false"))


def test_the_life_of_an_invoice(api, check):
    made = api.invoice()
    where = f"Invoices/{made['InvoiceID']}"
    check("/Invoices/{InvoiceID}", "get", api.send("GET", where))
    api.pay(made, "5.00")
    check("/Invoices/{InvoiceID}", "get", api.send("GET", where))
    check("/Invoices/{InvoiceID}", "post", api.send("POST", where, {"Status": "VOIDED"}))
    check("/Invoices/{InvoiceID}/History", "put", api.send("PUT", f"{where}/History", {"Details": "x"}))
    check("/Invoices/{InvoiceID}/History", "get", api.send("GET", f"{where}/History"))


def test_money(api, check):
    made = api.invoice()
    body = {"Invoice": {"InvoiceID": made["InvoiceID"]}, "Account": {"Code": "090"}, "Amount": 5}
    check("/Payments", "put", api.send("PUT", "Payments", body))
    check("/BatchPayments", "put", api.send("PUT", "BatchPayments", batch(made)))
    note = api.one("PUT", "CreditNotes", draft("10", Type="ACCRECCREDIT"))
    where = f"CreditNotes/{note['CreditNoteID']}"
    part = {"Amount": 1, "Date": "2026-11-10", "Invoice": {"InvoiceID": made["InvoiceID"]}}
    allocated = api.send("PUT", f"{where}/Allocations", part)
    check("/CreditNotes/{CreditNoteID}/Allocations", "put", allocated)
    check("/CreditNotes/{CreditNoteID}", "get", api.send("GET", where))


def batch(invoice):
    payments = [{"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": 5}]
    return {"Account": {"Code": "090"}, "Date": "2026-11-20", "Payments": payments}


WRITES = [
    ("Contacts", "put", {"Name": "Kauri", "ContactNumber": "crm-7"}),
    ("Contacts", "post", {"Name": ""}),
    ("Accounts", "put", {"Code": "201", "Name": "Repairs", "Type": "SALES"}),
    ("Accounts", "put", {"Code": "200"}),
    ("Items", "put", {"Code": "T"}),
    ("TaxRates", "put", {"Name": "Old", "TaxComponents": [{"Name": "GST", "Rate": 12.5}]}),
    ("Currencies", "put", {"Code": "GBP"}),
    ("ContactGroups", "put", {"Name": "Vendors"}),
    ("TrackingCategories", "put", {"Name": "Region"}),
    ("CreditNotes", "put", draft(Type="ACCRECCREDIT")),
    ("Quotes", "put", {"Contact": {"Name": "K"}, "Date": "2026-11-02", "ExpiryDate": "2026-12-02", "LineItems": [line("5")]}),
    ("PurchaseOrders", "put", {"Contact": {"Name": "K"}, "Date": "2026-11-02", "LineItems": [line("5")]}),
    (
        "ManualJournals",
        "put",
        {"Narration": "x", "JournalLines": [{"LineAmount": a, "AccountCode": c} for a, c in ((5, "310"), (-5, "855"))]},
    ),
]


@pytest.mark.parametrize(("path", "method", "body"), WRITES)
def test_other_writes(api, check, path, method, body):
    check(f"/{path}", method, api.send(method.upper(), path, body))


def test_transfers_templates_and_links(api, check):
    from test_xero_linked import link, template, transfer

    check("/BankTransfers", "put", api.send("PUT", "BankTransfers", {"BankTransfers": [transfer()]}))
    check("/BankTransfers", "put", api.send("PUT", "BankTransfers", transfer(Amount="0")))
    check("/BankTransfers", "get", api.send("GET", "BankTransfers"))
    made = api.one("PUT", "RepeatingInvoices", template())
    check("/RepeatingInvoices", "put", api.send("PUT", "RepeatingInvoices", {"RepeatingInvoices": [template()]}))
    check("/RepeatingInvoices/{RepeatingInvoiceID}", "get", api.send("GET", f"RepeatingInvoices/{made['RepeatingInvoiceID']}"))
    check("/LinkedTransactions", "put", api.send("PUT", "LinkedTransactions", link(api)))
    check("/LinkedTransactions", "get", api.send("GET", "LinkedTransactions", page=1))


def test_actions(api, check):
    check("/Organisation/Actions", "get", api.send("GET", "Organisation/Actions"))
