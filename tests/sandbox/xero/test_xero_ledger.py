"""The journal and what is reckoned from it: debits equal credits, whatever happens, and nothing posted ever changes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from test_xero_books import Bookkeeper
from xero_api import draft, line

D = Decimal


def journals(api, **params):
    """All journals, page by page."""
    found, offset = [], 0
    while page := api.get("Journals", offset=offset, **params)["Journals"]:
        found += page
        offset = page[-1]["JournalNumber"]
    return found


def of(api, source):
    return [j for j in journals(api) if j["SourceID"] == source]


def moved(journal):
    """What each account of a journal moved, by its code."""
    found = {}
    for entry in journal["JournalLines"]:
        found[entry["AccountCode"]] = found.get(entry["AccountCode"], D(0)) + entry["NetAmount"]
    return found


def report(api, name, **params):
    (found,) = api.get(f"Reports/{name}", **params)["Reports"]
    return found


def amounts(found):
    """The lines of a report by their first cell."""
    below = [row for part in found["Rows"] for row in part.get("Rows", [])]
    return {row["Cells"][0]["Value"]: [cell["Value"] for cell in row["Cells"][1:]] for row in below}


def test_every_journal_balances_and_is_numbered_without_a_gap(api, monkeypatch):
    monkeypatch.setattr("sync_core.sandbox.xero.journals.PAGE", 20)
    assert [len(api.get("Journals", offset=offset)["Journals"]) for offset in (0, 7, 9999)] == [20, 20, 0]
    every = journals(api)
    assert [j["JournalNumber"] for j in every] == list(range(1, len(every) + 1))
    assert len(every) > len(api.store["Payments"])
    assert all(sum(moved(j).values()) == 0 for j in every)
    assert {"ACCREC", "ACCRECCREDIT", "ACCRECPAYMENT", "ARPREPAYMENT"} <= {j["SourceType"] for j in every}


def test_an_invoice_is_posted_reversed_and_posted_again(api):
    made = api.one("PUT", "Invoices", draft(line("100.00"), Status="DRAFT"))
    assert of(api, made["InvoiceID"]) == []
    api.one("POST", f"Invoices/{made['InvoiceID']}", {"Status": "AUTHORISED"})
    (first,) = of(api, made["InvoiceID"])
    assert moved(first) == {"610": D("115.00"), "200": D("-100.00"), "820": D("-15.00")}
    sale = first["JournalLines"][1]
    assert (sale["GrossAmount"], sale["TaxAmount"], sale["TaxName"]) == (D("-115.00"), D("-15.00"), "15% GST on Income")
    api.one("POST", f"Invoices/{made['InvoiceID']}", {"LineItems": [line("40.00")]})
    assert len(of(api, made["InvoiceID"])) == 3
    api.one("POST", f"Invoices/{made['InvoiceID']}", {"Status": "VOIDED"})
    every = of(api, made["InvoiceID"])
    assert [moved(j)["610"] for j in every] == [D("115.00"), D("-115.00"), D("46.00"), D("-46.00")]
    assert every[0] == first
    assert api.one("GET", f"Journals/{first['JournalNumber']}") == api.one("GET", f"Journals/{first['JournalID']}") == first


def test_payments_move_the_bank_and_what_is_owed(api):
    made = api.invoice()
    paid = api.pay(made, "15.00")
    (journal,) = of(api, paid["PaymentID"])
    assert (journal["SourceType"], moved(journal)) == ("ACCRECPAYMENT", {"090": D("15.00"), "610": D("-15.00")})
    assert all(j["SourceType"] != "ACCREC" for j in journals(api, paymentsOnly="true"))
    since = {"If-Modified-Since": journal["CreatedDateUTC"]}
    assert journal in api.get("Journals", since)["Journals"]
    assert api.get("Journals", {"If-Modified-Since": "2026-12-01T00:00:00"})["Journals"] == []
    for nothing in ("99999", "11111111-2222-3333-4444-555555555555", "x"):
        api.refused("GET", f"Journals/{nothing}", status=404)
    api.refused("PUT", "Journals", {"Journals": [{}]}, status=403)


def test_a_foreign_payment_at_another_rate_makes_a_gain(api):
    made = api.invoice(line("100.00", TaxType="NONE"), CurrencyCode="USD", CurrencyRate="0.5")
    paid = api.pay(made, "100.00", BankAmount="190.00")
    (sold,), (journal,) = of(api, made["InvoiceID"]), of(api, paid["PaymentID"])
    assert moved(sold)["610"] == D("200.00")
    assert moved(journal) == {"090": D("190.00"), "610": D("-200.00"), "499": D("10.00")}


@pytest.mark.parametrize("seed", range(2))
def test_the_trial_balance_balances_whatever_happens(api, seed):
    keeper = Bookkeeper(api, seed)
    for _ in range(60):
        keeper.work()
    total = amounts(report(api, "TrialBalance"))["Total"]
    assert total[0] == total[1]
    assert total[2] == total[3] != "0.00"
    assert all(sum(moved(j).values()) == 0 for j in journals(api))


def test_profit_and_loss_agrees_with_the_balance_sheet(api):
    whole = amounts(report(api, "ProfitAndLoss", fromDate="2026-04-01", toDate="2026-11-23"))
    sheet = amounts(report(api, "BalanceSheet", date="2026-11-23"))
    assert whole["Net Profit"] == sheet["Current Year Earnings"] != ["0.00"]
    assert sheet["Net Assets"] == sheet["Total Equity"]
    bank = amounts(report(api, "BankSummary", fromDate="2026-04-01", toDate="2026-11-23"))
    assert bank["Total"][-1] == sheet["Total Bank"][0]
    assert amounts(report(api, "ExecutiveSummary"))["Income"] == amounts(report(api, "ProfitAndLoss"))["Total Income"]


def alike(api, name, asked, *alone):
    """Each column of a report is what the report says when it is asked for that period alone."""
    found = report(api, name, **asked)
    compared, single = amounts(found), [amounts(report(api, name, **days)) for days in alone]
    for title, shown in compared.items():
        assert shown == [one.get(title, ["0.00"])[0] for one in single], title
    return [cell["Value"] for cell in found["Rows"][0]["Cells"][1:]]


def test_reports_compare_with_earlier_periods(api):
    for day in ("2026-10-30", "2026-10-31"):
        api.invoice(line("7.00"), Date=day, DueDate="2026-12-20")
    spans = [{"fromDate": f"2026-{m}-01", "toDate": f"2026-{m}-30"} for m in ("11", "10", "09")]
    compare = {"periods": 2, "timeframe": "MONTH"}
    titles = alike(api, "ProfitAndLoss", {**spans[0], **compare}, *spans)
    assert titles == ["30 Nov 2026", "30 Oct 2026", "30 Sep 2026"]
    days = [{"date": day} for day in ("2026-11-30", "2026-10-31", "2026-09-30")]
    assert alike(api, "BalanceSheet", {**days[0], **compare}, *days) == ["30 Nov 2026", "31 Oct 2026", "30 Sep 2026"]
    quarter = {"periods": 1, "timeframe": "QUARTER", "date": "2026-05-31"}
    assert alike(api, "BalanceSheet", quarter, {"date": "2026-05-31"}, {"date": "2026-02-28"}) == ["31 May 2026", "28 Feb 2026"]


@pytest.mark.parametrize(
    "asked", [{"periods": 13}, {"periods": 1, "timeframe": "DAY"}, {"periods": 12, "timeframe": "YEAR", "date": "0005-01-01"}]
)
def test_comparisons_that_no_report_makes(api, asked):
    api.refused("GET", "Reports/BalanceSheet", **asked)


def test_what_a_contact_owes(api):
    made = api.invoice(Contact={"Name": "Kauri Ltd"}, InvoiceNumber="K-1")
    api.pay(made, "15.00")
    found = report(api, "AgedReceivablesByContact", contactID=made["Contact"]["ContactID"])
    (row,) = found["Rows"][1]["Rows"][:-1]
    assert [cell["Value"] for cell in row["Cells"]][1:] == [
        "K-1",
        "2026-11-30T00:00:00",
        "",
        "115.00",
        "15.00",
        "0.00",
        "100.00",
    ]
    assert amounts(report(api, "AgedPayablesByContact", contactId=made["Contact"]["ContactID"]))["Total"][-1] == "0.00"
    api.refused("GET", "Reports/AgedReceivablesByContact")
    api.refused("GET", "Reports/TrialBalance", date="soon")
    api.refused("GET", "Reports/Nothing", status=404)


def manual(**values):
    lines = [{"LineAmount": "60.00", "AccountCode": "310"}, {"LineAmount": "-60.00", "AccountCode": "855"}]
    return {"Narration": "Shrinkage", "Date": "2026-11-20", "Status": "POSTED", "JournalLines": lines, **values}


def test_manual_journals(api):
    made = api.one("PUT", "ManualJournals", {"ManualJournals": [manual()]})
    (journal,) = of(api, made["ManualJournalID"])
    assert (journal["SourceType"], moved(journal)) == ("MANJOURNAL", {"310": D("60.00"), "855": D("-60.00")})
    assert api.row("ManualJournals", made["ManualJournalID"])["Narration"] == "Shrinkage"
    assert len(api.get("ManualJournals", page=1)["ManualJournals"]) == 1
    api.one("POST", f"ManualJournals/{made['ManualJournalID']}", {"Status": "VOIDED"})
    assert len(of(api, made["ManualJournalID"])) == 2
    taxed = manual(LineAmountTypes="Inclusive")
    taxed["JournalLines"][0] |= {"TaxType": "OUTPUT2"}
    found = of(api, api.one("PUT", "ManualJournals", taxed)["ManualJournalID"])[0]
    assert moved(found) == {"310": D("52.17"), "855": D("-60.00"), "820": D("7.83")}


REFUSED = [
    ({"Narration": ""}, "narration"),
    ({"JournalLines": [{"LineAmount": 1, "AccountCode": "310"}, {"LineAmount": -2, "AccountCode": "855"}]}, "total debits"),
    ({"JournalLines": [{"LineAmount": 0, "AccountCode": "310"}]}, "two lines"),
    ({"JournalLines": [{"LineAmount": 1, "AccountCode": "999"}, {"LineAmount": -1, "AccountCode": "855"}]}, "'999'"),
    ({"Date": "2020-01-01"}, "lock date"),
]


def test_refused_manual_journals(api):
    for values, said in REFUSED:
        assert any(said in text for text in api.refused("PUT", "ManualJournals", manual(**values))), values


EMPTY = [
    "Employees",
    "Budgets",
    "ExpenseClaims",
    "PaymentServices",
    "Receipts",
]


def test_what_this_organisation_has_none_of(api):
    for name in EMPTY:
        assert api.get(name)[name] == []
        api.refused("GET", f"{name}/11111111-2222-3333-4444-555555555555", status=404)
        api.refused("PUT", name, {name: [{}]}, status=405)


def test_users_reminders_services_and_printed_papers(api):
    (user,) = api.get("Users")["Users"]
    assert api.one("GET", f"Users/{user['UserID']}") == user
    api.refused("GET", "Users/11111111-2222-3333-4444-555555555555", status=404)
    assert api.get("InvoiceReminders/Settings")["InvoiceReminders"] == [{"Enabled": False}]
    api.refused("GET", "InvoiceReminders", status=404)
    theme = api.get("BrandingThemes")["BrandingThemes"][0]["BrandingThemeID"]
    assert api.get(f"BrandingThemes/{theme}/PaymentServices")["PaymentServices"] == []
    organisation = api.get("Organisation")["Organisations"][0]["OrganisationID"]
    assert api.get(f"Organisation/{organisation}/CISSettings")["CISSettings"] == []
    api.refused("GET", f"Organisation/{organisation}/PaymentServices", status=404)
    made = api.invoice()
    assert api.send("GET", f"Invoices/{made['InvoiceID']}/pdf").content.startswith(b"%PDF")


def test_scopes_of_journals_and_reports(kernel, api):
    api.sign_in("accounting.invoices")
    for path in ("Journals", "Reports/TrialBalance", "Users"):
        api.refused("GET", path, status=403)
    api.sign_in("accounting.reports.trialbalance.read accounting.journals.read")
    assert report(api, "TrialBalance")
    assert api.get("Journals")["Journals"]
