"""Money moved between bank accounts, templates of repeating invoices, and expenses that a customer is to pay again."""

from __future__ import annotations

from decimal import Decimal

from xero_api import draft, line

D = Decimal


def transfer(**values):
    both = {"FromBankAccount": {"Code": "090"}, "ToBankAccount": {"Code": "091"}}
    return {**both, "Amount": "50.00", "Date": "2026-11-20", "Reference": "To savings", **values}


def savings(api):
    account = {"Code": "091", "Name": "Savings", "Type": "BANK", "BankAccountNumber": "0209087654321051"}
    return api.one("PUT", "Accounts", account)


def template(**values):
    schedule = {"Period": 1, "Unit": "MONTHLY", "DueDate": 20, "DueDateType": "OFFOLLOWINGMONTH", "StartDate": "2026-12-01"}
    given = {"Type": "ACCREC", "Contact": {"Name": "Rimu Joinery"}, "Schedule": schedule, "Status": "AUTHORISED"}
    return {**given, "LineAmountTypes": "Exclusive", "LineItems": [line("100.00")], **values}


def bill(api, **values):
    return api.one("PUT", "Invoices", draft(line("40.00", AccountCode="310"), Type="ACCPAY", **values))


def link(api, source=None, **values):
    source = source or bill(api)
    ids = {"SourceTransactionID": source["InvoiceID"], "SourceLineItemID": source["LineItems"][0]["LineItemID"]}
    return {**ids, **values}


def test_a_transfer_moves_money_until_it_is_deleted(api):
    account = savings(api)
    made = api.one("PUT", "BankTransfers", {"BankTransfers": [transfer()]})
    assert (made["Amount"], made["Status"], made["DateString"]) == (D("50.00"), "AUTHORISED", "2026-11-20T00:00:00")
    assert made["ToBankAccount"] == {"AccountID": account["AccountID"], "Code": "091", "Name": "Savings"}
    assert api.get("BankTransfers", where="Amount==50.00")["BankTransfers"] == [made]
    (journal,) = [j for j in _journals(api) if j["SourceID"] == made["BankTransferID"]]
    assert [item["NetAmount"] for item in journal["JournalLines"]] == [D("-50.00"), D("50.00")]
    deletion = {"BankTransferID": made["BankTransferID"], "Status": "DELETED"}
    assert api.one("POST", "BankTransfers", {"BankTransfers": [deletion]})["Status"] == "DELETED"
    assert api.get("BankTransfers")["BankTransfers"] == []
    assert len(api.get("BankTransfers", includeDeleted="true")["BankTransfers"]) == 1
    assert "already" in api.refused("POST", f"BankTransfers/{made['BankTransferID']}", {"Status": "DELETED"})[0]


def test_a_transfer_shows_as_two_bank_transactions(api):
    savings(api)
    made = api.one("PUT", "BankTransfers", transfer(ToIsReconciled=True))
    where = 'Type=="SPEND-TRANSFER" OR Type=="RECEIVE-TRANSFER"'
    spent, received = api.get("BankTransactions", where=where, page=1)["BankTransactions"]
    assert (spent["BankTransactionID"], spent["Type"]) == (made["FromBankTransactionID"], "SPEND-TRANSFER")
    assert (received["BankAccount"]["Code"], received["IsReconciled"], received["Total"]) == ("091", True, D(50))
    assert (received["LineItems"], "Contact" in received, "Reference" in received) == ([], False, False)
    one = f"BankTransactions/{made['ToBankTransactionID']}"
    assert api.get(one)["BankTransactions"][0]["Type"] == "RECEIVE-TRANSFER"
    assert "through BankTransfers" in api.refused("POST", one, {"Status": "DELETED"})[0]
    assert len([j for j in _journals(api) if made["Date"] == j["JournalDate"] and j["SourceType"] == "TRANSFER"]) == 1
    api.one("POST", f"BankTransfers/{made['BankTransferID']}", {"Status": "DELETED"})
    assert {
        api.get(f"BankTransactions/{made[f'{s}BankTransactionID']}")["BankTransactions"][0]["Status"] for s in ("From", "To")
    } == {"DELETED"}


def _journals(api):
    found, offset = [], 0
    while page := api.get("Journals", offset=offset)["Journals"]:
        found, offset = [*found, *page], page[-1]["JournalNumber"]
    return found


def test_refused_transfers(api):
    savings(api)
    for values, said in [
        ({"ToBankAccount": {"Code": "090"}}, "two different"),
        ({"ToBankAccount": {"Code": "200"}}, "bank account"),
        ({"Amount": "0"}, "greater than zero"),
        ({"Date": "2020-01-01"}, "lock date"),
    ]:
        assert said in api.refused("PUT", "BankTransfers", transfer(**values))[0], values
    assert "not be found" in api.refused("POST", "BankTransfers", transfer())[0]


def test_a_template_is_made_found_and_deleted(api):
    made = api.one("PUT", "RepeatingInvoices", {"RepeatingInvoices": [template(Reference="[Month]")]})
    assert (made["SubTotal"], made["TotalTax"], made["Total"], made["CurrencyCode"]) == (D(100), D(15), D(115), "NZD")
    assert made["Schedule"]["NextScheduledDate"] == made["Schedule"]["StartDate"] == "/Date(1796083200000+0000)/"
    assert (made["Schedule"]["Period"], made["IncludePDF"], "UpdatedDateUTC" in made) == (1, False, False)
    (listed,) = api.get("RepeatingInvoices", where='Status=="AUTHORISED"')["RepeatingInvoices"]
    assert listed["LineItems"] == made["LineItems"]
    where = f"RepeatingInvoices/{made['RepeatingInvoiceID']}"
    assert "only be deleted" in api.refused("POST", where, template())[0]
    assert api.one("POST", where, {"Status": "DELETED"})["Status"] == "DELETED"
    assert api.get("RepeatingInvoices", where='Status=="AUTHORISED"')["RepeatingInvoices"] == []
    assert any("DueDateType" in text for text in api.refused("PUT", "RepeatingInvoices", template(Schedule={"Period": 1})))


def test_a_billable_expense_follows_bill_and_invoice(api):
    source = bill(api)
    made = api.one("PUT", "LinkedTransactions", {"LinkedTransactions": [link(api, source)]})
    assert (made["Status"], made["Type"], made["SourceTransactionTypeCode"]) == ("APPROVED", "BILLABLEEXPENSE", "ACCPAY")
    where = f"LinkedTransactions/{made['LinkedTransactionID']}"
    target = api.invoice(Status="DRAFT")
    changed = api.one("POST", where, {"TargetTransactionID": target["InvoiceID"]})
    assert (changed["Status"], changed["ContactID"]) == ("ONDRAFT", target["Contact"]["ContactID"])
    customer = {"ContactID": target["Contact"]["ContactID"]}
    assert api.get("LinkedTransactions", Status="ONDRAFT", **customer)["LinkedTransactions"] == [changed]
    assert api.get("LinkedTransactions", SourceTransactionID=target["InvoiceID"])["LinkedTransactions"] == []
    api.good("POST", f"Invoices/{target['InvoiceID']}", {"Status": "AUTHORISED"})
    assert api.one("GET", where)["Status"] == "BILLED"
    assert "been billed" in api.refused("DELETE", where)[0]
    assert api.get("LinkedTransactions", Status="ONDRAFT")["LinkedTransactions"] == []
    api.good("POST", f"Invoices/{target['InvoiceID']}", {"Status": "VOIDED"})
    assert api.one("GET", where)["Status"] == "APPROVED"
    api.good("DELETE", where)
    api.refused("GET", where, status=404)


def test_refused_links(api):
    source = bill(api)
    assert "do not match" in api.refused("PUT", "LinkedTransactions", link(api, api.invoice()))[0]
    stranger = api.one("PUT", "Contacts", {"Name": "Somebody else"})["ContactID"]
    target = {"TargetTransactionID": api.invoice()["InvoiceID"], "ContactID": stranger}
    assert "TargetTransaction ContactID" in api.refused("PUT", "LinkedTransactions", link(api, source, **target))[0]
