"""Xero's own Python client against the sandbox over a real socket: an independent reader of every answer."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import urllib3
from xero_api import Api, new_app, new_kernel
from xero_python.accounting import AccountingApi
from xero_python.accounting import models as m
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token, TokenApi
from xero_python.exceptions import AccountingBadRequestException, HTTPStatusException, NotFoundException, RateLimitException
from xero_python.identity import IdentityApi

from sync_core.sandbox.servers import HOST, Servers, bind, close
from sync_core.sandbox.xero import set_limits

DAY = dt.date(2026, 11, 2)


@pytest.fixture
def server():
    kernel = new_kernel()
    set_limits(kernel, minute=10_000)
    sockets = bind((0,))
    servers = Servers([new_app(kernel)], sockets, None)
    servers.start()
    yield kernel, f"http://{HOST}:{sockets[0].getsockname()[1]}"
    servers.stop()
    close(sockets)


@pytest.fixture
def client(server, monkeypatch):
    """The client with its own token handling, pointed at the sandbox; its hidden repeats are off."""
    kernel, url = server
    for name in ("refresh_token_url", "client_credentials_token_url", "revoke_token_url"):
        path = "/connect/revocation" if name == "revoke_token_url" else "/connect/token"
        monkeypatch.setattr(TokenApi, name, url + path)
    known = Api(kernel).known
    held = {}
    configuration = Configuration()
    configuration.oauth2_token = OAuth2Token(client_id=known.xero_client_id, client_secret=known.xero_client_secret)
    made = ApiClient(configuration, pool_threads=1)
    made.oauth2_token_getter(lambda: held)
    made.oauth2_token_saver(held.update)
    made.rest_client.pool_manager.connection_pool_kw["retries"] = urllib3.Retry(total=0, redirect=0, raise_on_status=False)
    made.get_client_credentials_token()
    yield made
    made.rest_client.pool_manager.clear()


@pytest.fixture
def api(server, client):
    return AccountingApi(client, base_url=f"{server[1]}/api.xro/2.0")


@pytest.fixture
def tenant(server):
    return Api(server[0]).known.xero_tenant_id


def invoice(**values):
    item = m.LineItem(description="Work", quantity=1.0, unit_amount=100.0, account_code="200")
    common = {"type": "ACCREC", "date": DAY, "due_date": dt.date(2026, 12, 1), "status": "AUTHORISED", "line_items": [item]}
    return m.Invoice(contact=m.Contact(name="Rimu Joinery"), **{**common, **values})


def test_every_list_can_be_read(api, tenant):
    read = {
        "invoices": api.get_invoices(tenant, page=1, page_size=1000).invoices,
        "unpaged": api.get_invoices(tenant).invoices,
        "credit_notes": api.get_credit_notes(tenant, page=1).credit_notes,
        "contacts": api.get_contacts(tenant, page=1, include_archived=True).contacts,
        # A payment in a batch cannot be read by this client: the flags of its nested batch are texts, as in Xero.
        "payments": api.get_payments(tenant, page=1, where="BatchPaymentID==null").payments,
        "prepayments": api.get_prepayments(tenant, page=1).prepayments,
        "overpayments": api.get_overpayments(tenant, page=1).overpayments,
        "batch_payments": api.get_batch_payments(tenant).batch_payments,
        "bank_transactions": api.get_bank_transactions(tenant, page=1).bank_transactions,
        "accounts": api.get_accounts(tenant).accounts,
        "items": api.get_items(tenant).items,
        "tax_rates": api.get_tax_rates(tenant).tax_rates,
        "currencies": api.get_currencies(tenant).currencies,
        "themes": api.get_branding_themes(tenant).branding_themes,
        "groups": api.get_contact_groups(tenant).contact_groups,
        "organisations": api.get_organisations(tenant).organisations,
    }
    assert [name for name, rows in read.items() if not rows] == []
    assert read["invoices"][0].total == sum(i.line_amount + i.tax_amount for i in read["invoices"][0].line_items)


def test_the_sale_from_contact_to_payment(api, tenant):
    made = api.create_invoices(tenant, m.Invoices(invoices=[invoice()]), summarize_errors=False).invoices[0]
    assert (made.status, made.amount_due, made.date) == ("AUTHORISED", Decimal("115.00"), DAY)
    paid = m.Payment(invoice=m.Invoice(invoice_id=made.invoice_id), account=m.Account(code="090"), amount=15.0, date=DAY)
    api.create_payments(tenant, m.Payments(payments=[paid]), summarize_errors=False)
    assert api.get_invoice(tenant, made.invoice_id).invoices[0].amount_due == Decimal("100.00")
    payment_id = api.get_invoice(tenant, made.invoice_id).invoices[0].payments[0].payment_id
    deleted = api.delete_payment(tenant, payment_id, m.PaymentDelete(status="DELETED")).payments[0]
    assert deleted.status == "DELETED"
    voided = api.update_invoice(tenant, made.invoice_id, m.Invoices(invoices=[m.Invoice(status="VOIDED")])).invoices[0]
    assert voided.status == "VOIDED"


def test_elements_report_their_errors(api, tenant):
    bad = invoice(line_items=[m.LineItem(description="x", quantity=1.0, unit_amount=1.0, account_code="999")])
    made = api.create_invoices(tenant, m.Invoices(invoices=[invoice(), bad]), summarize_errors=False).invoices
    assert [(i.status_attribute_string, i.has_errors) for i in made] == [("OK", False), ("ERROR", True)]
    assert "999" in made[1].validation_errors[0].message


def test_a_refusal_has_its_reason(api, tenant):
    with pytest.raises(AccountingBadRequestException) as caught:
        api.create_invoices(tenant, m.Invoices(invoices=[invoice(due_date=None)]), summarize_errors=True)
    assert caught.value.error_data["Elements"][0]["ValidationErrors"][0]["Message"] == "Due date cannot be empty"


def test_batches_credit_notes_and_allocations(api, tenant):
    made = api.create_invoices(tenant, m.Invoices(invoices=[invoice(), invoice()])).invoices
    single = [m.Payment(invoice=m.Invoice(invoice_id=i.invoice_id), amount=15.0) for i in made]
    body = m.BatchPayment(account=m.Account(account_id=bank(api, tenant)), date=DAY, payments=single)
    batch = api.create_batch_payment(tenant, m.BatchPayments(batch_payments=[body])).batch_payments[0]
    assert (batch.type, batch.total_amount) == ("RECBATCH", Decimal("30.00"))
    item = m.LineItem(description="Back", quantity=1.0, unit_amount=10.0, account_code="200", tax_type="NONE")
    contact = m.Contact(name="Rimu Joinery")
    note = m.CreditNote(type="ACCRECCREDIT", contact=contact, date=DAY, status="AUTHORISED", line_items=[item])
    note = api.create_credit_notes(tenant, m.CreditNotes(credit_notes=[note])).credit_notes[0]
    part = m.Allocation(amount=4.0, date=DAY, invoice=m.Invoice(invoice_id=made[0].invoice_id))
    body = m.Allocations(allocations=[part])
    allocation = api.create_credit_note_allocation(tenant, note.credit_note_id, body).allocations[0]
    assert (allocation.amount, bool(allocation.allocation_id)) == (Decimal("4.00"), True)
    assert api.get_credit_note(tenant, note.credit_note_id).credit_notes[0].remaining_credit == Decimal("6.00")


def bank(api, tenant):
    return next(a.account_id for a in api.get_accounts(tenant, where='Type=="BANK"').accounts)


def test_contacts_groups_and_history(api, tenant):
    person = m.Contact(name="Kauri Ltd", contact_number="crm-7", phones=[m.Phone(phone_type="MOBILE", phone_number="021")])
    made = api.create_contacts(tenant, m.Contacts(contacts=[person]), summarize_errors=False).contacts[0]
    assert api.get_contact_by_contact_number(tenant, "crm-7").contacts[0].contact_id == made.contact_id
    group = api.create_contact_group(tenant, m.ContactGroups(contact_groups=[m.ContactGroup(name="Vendor")])).contact_groups[0]
    members = m.Contacts(contacts=[m.Contact(contact_id=made.contact_id)])
    api.create_contact_group_contacts(tenant, group.contact_group_id, members)
    assert api.get_contact_group(tenant, group.contact_group_id).contact_groups[0].contacts[0].name == "Kauri Ltd"
    api.delete_contact_group_contact(tenant, group.contact_group_id, made.contact_id)
    note = m.HistoryRecords(history_records=[m.HistoryRecord(details="Linked")])
    api.create_contact_history(tenant, made.contact_id, note)
    assert api.get_contact_history(tenant, made.contact_id).history_records[0].details == "Linked"


def test_settings_are_written(api, tenant):
    account = m.Account(code="201", name="Repairs", type=m.AccountType.SALES, tax_type="OUTPUT2")
    account = api.create_account(tenant, account).accounts[0]
    assert (
        api.update_account(tenant, account.account_id, m.Accounts([m.Account(status="ARCHIVED")])).accounts[0].status
        == "ARCHIVED"
    )
    item = m.Item(code="TOOL", name="Tool", sales_details=m.Purchase(unit_price=12.3456, account_code="200"))
    item = api.create_items(tenant, m.Items(items=[item]), unitdp=4).items[0]
    assert item.sales_details.unit_price == Decimal("12.3456")
    api.delete_item(tenant, item.item_id)
    part = m.TaxComponent(name="GST", rate=12.5)
    rate = api.create_tax_rates(tenant, m.TaxRates(tax_rates=[m.TaxRate(name="Old", tax_components=[part])])).tax_rates[0]
    assert (rate.tax_type, rate.effective_rate) == ("TAX002", Decimal("12.5"))


def test_only_what_changed_since(api, tenant):
    first = api.create_invoices(tenant, m.Invoices(invoices=[invoice()])).invoices[0]
    since = first.updated_date_utc.replace(tzinfo=dt.UTC)
    assert [i.invoice_id for i in api.get_invoices(tenant, if_modified_since=since, page=1).invoices] == [first.invoice_id]


def test_errors_by_status(server, api, tenant):
    with pytest.raises(NotFoundException):
        api.get_invoice(tenant, "11111111-2222-3333-4444-555555555555")
    with pytest.raises(HTTPStatusException) as forbidden:
        api.get_organisations("11111111-2222-3333-4444-555555555555")
    assert forbidden.value.status == 403
    set_limits(server[0], minute=1)
    with pytest.raises(RateLimitException) as limited:
        api.get_organisations(tenant)
    assert limited.value.rate_limit == "minute"


def test_an_idempotency_key_creates_once(api, tenant):
    made = [api.create_invoices(tenant, m.Invoices(invoices=[invoice()]), idempotency_key="k").invoices[0] for _ in range(2)]
    assert made[0].invoice_id == made[1].invoice_id


def test_connections(server, client, tenant):
    (connection,) = IdentityApi(client, base_url=server[1]).get_connections()
    assert (connection.tenant_id, connection.tenant_type) == (tenant, "ORGANISATION")
    assert connection.tenant_name == Api(server[0]).get("Organisation")["Organisations"][0]["Name"]
