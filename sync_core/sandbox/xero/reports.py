"""Xero's reports, reckoned from the journal. One column each; comparisons over periods are not made.

Source of the shapes: the examples of the public description. Amounts are texts, as in Xero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero import wire
from sync_core.sandbox.xero.aged import aged
from sync_core.sandbox.xero.amounts import ZERO
from sync_core.sandbox.xero.errors import bad_query, not_found
from sync_core.sandbox.xero.journals import Ledger
from sync_core.sandbox.xero.listing import Query
from sync_core.sandbox.xero.report_rows import (
    amounts_section,
    header,
    line,
    long_date,
    money,
    section,
    short_date,
    summary,
    sums,
)
from sync_core.sandbox.xero.store import Store

EARNED = ("REVENUE", "SALES", "OTHERINCOME")
SPENT = ("DIRECTCOSTS", "EXPENSE", "OVERHEADS", "DEPRECIATN")
PARTS = {
    "Bank": ("BANK",),
    "Current Assets": ("CURRENT", "INVENTORY", "PREPAYMENT"),
    "Fixed Assets": ("FIXED",),
    "Non-current Assets": ("NONCURRENT",),
    "Current Liabilities": ("CURRLIAB",),
    "Non-current Liabilities": ("LIABILITY", "TERMLIAB"),
    "Equity": ("EQUITY",),
}
Moved = dict[str, Decimal]
"""What moved each account, by its id; debits above zero."""


@dataclass(frozen=True, slots=True)
class Books:
    """The ledger of one store, to be summed between days."""

    store: Store
    lines: list[tuple[date, str, Decimal]]

    @classmethod
    def of(cls, store: Store) -> Books:
        return cls(store, [(p.day, e.account, e.net) for p in Ledger(store).postings() for e in p.entries])

    def moved(self, first: date, last: date) -> Moved:
        """Both days included."""
        found: Moved = {}
        for day, account, net in self.lines:
            if first <= day <= last:
                found[account] = found.get(account, ZERO) + net
        return found

    def accounts(self, *types: str) -> list[Row]:
        chosen = (row for row in self.store["Accounts"].values() if row["Type"] in types)
        return sorted(chosen, key=lambda row: row.get("Code") or "")

    def total(self, moved: Moved, *types: str) -> Decimal:
        return sum((moved.get(row["AccountID"], ZERO) for row in self.accounts(*types)), ZERO)

    def profit(self, moved: Moved) -> Decimal:
        return -self.total(moved, *EARNED, *SPENT)

    def year_start(self, day: date) -> date:
        """The first day of the financial year that ``day`` is in."""
        month = int(self.store.organisation.get("FinancialYearEndMonth", 3)) % 12 + 1
        return date(day.year - (day.month < month), month, 1)


def _days(store: Store, query: Query) -> tuple[date, date]:
    """``fromDate`` and ``toDate``; this month when they are not given."""
    last = _day(query, "todate", store.today())
    return _day(query, "fromdate", last.replace(day=1)), last


def _day(query: Query, name: str, default: date) -> date:
    text = query.params.get(name, "")
    found = wire.parse_date(text) if text else default
    if found is None:
        raise bad_query(f"The value '{text}' of {name} is not a date")
    return found


def trial_balance(store: Store, query: Query) -> Row:
    """Debits and credits of this month and of the year to date; earlier years' profit is retained."""
    books, day = Books.of(store), _day(query, "date", store.today())
    month, start = day.replace(day=1), books.year_start(day)
    this_month, year, ever = books.moved(month, day), books.moved(start, day), books.moved(date.min, day)
    rows: list[Row] = [header("Account", "Debit", "Credit", "YTD Debit", "YTD Credit")]
    columns: list[list[Decimal]] = []
    titles = {"Revenue": EARNED, "Expenses": SPENT, **PARTS}
    for title, types in titles.items():
        lines = []
        for account in books.accounts(*types):
            key = account["AccountID"]
            to_date = (year if types in (EARNED, SPENT) else ever).get(key, ZERO)
            amounts = [*_sides(this_month.get(key, ZERO)), *_sides(to_date)]
            if any(amounts):
                columns.append(amounts)
                name = f"{account['Name']} ({account['Code']})" if account.get("Code") else account["Name"]
                lines.append(line([name, *(money(a) if a else "" for a in amounts)], ("account", key)))
        retained = -books.profit(ever) + books.profit(year) if title == "Equity" else ZERO
        if retained:
            columns.append([ZERO, ZERO, *_sides(retained)])
            lines.append(line(["Retained Earnings", "", "", *(money(a) if a else "" for a in _sides(retained))]))
        rows += [section(title, lines)] if lines else []
    rows.append(section("", [summary("Total", sums(columns, 4))]))
    return _report(store, "TrialBalance", "Trial Balance", f"As at {long_date(day)}", rows)


def _sides(net: Decimal) -> tuple[Decimal, Decimal]:
    return max(net, ZERO), max(-net, ZERO)


def profit_and_loss(store: Store, query: Query) -> Row:
    """Income less costs between two days."""
    books, (first, last) = Books.of(store), _days(store, query)
    moved = books.moved(first, last)
    income, earned = _accounts(books, moved, "Income", ("REVENUE", "SALES"), -1)
    costs, direct = _accounts(books, moved, "Less Cost of Sales", ("DIRECTCOSTS",), 1)
    other, more = _accounts(books, moved, "Plus Other Income", ("OTHERINCOME",), -1)
    expenses, spent = _accounts(books, moved, "Less Operating Expenses", ("EXPENSE", "OVERHEADS", "DEPRECIATN"), 1)
    gross = section("", [line(["Gross Profit", money(earned - direct)])])
    net = section("", [line(["Net Profit", money(earned - direct + more - spent)])])
    rows = [header("", short_date(last)), income, costs, gross, other, expenses, net]
    return _report(store, "ProfitAndLoss", "Profit and Loss", f"{long_date(first)} to {long_date(last)}", rows)


def _accounts(books: Books, moved: Moved, title: str, types: tuple[str, ...], sign: int) -> tuple[Row, Decimal]:
    named = {
        a["AccountID"]: (a["Name"], [sign * moved[a["AccountID"]]]) for a in books.accounts(*types) if moved.get(a["AccountID"])
    }
    found, (total,) = amounts_section(title, named, f"Total {title.removeprefix('Less ').removeprefix('Plus ')}")
    return found, total


def balance_sheet(store: Store, query: Query) -> Row:
    """What is owned and owed on a day; the profit of this year and of earlier ones is equity."""
    books, day = Books.of(store), _day(query, "date", store.today())
    ever = books.moved(date.min, day)
    this_year = books.profit(books.moved(books.year_start(day), day))
    rows, totals = [header("", short_date(day)), section("Assets", [])], dict[str, Decimal]()
    for title, types in PARTS.items():
        sign = 1 if title.endswith("Assets") or title == "Bank" else -1
        if title == "Current Liabilities":
            assets = sum(totals.values(), ZERO)
            rows += [section("", [summary("Total Assets", [assets])]), section("Liabilities", [])]
        if title == "Equity":
            liabilities = sum((totals[t] for t in totals if t.endswith("Liabilities")), ZERO)
            rows += [section("", [summary("Total Liabilities", [liabilities])])]
            rows += [section("", [line(["Net Assets", money(assets - liabilities)])])]
        found, totals[title] = _accounts(books, ever, title, types, sign)
        rows.append(found)
    earnings = [line(["Current Year Earnings", money(this_year)])]
    earnings.append(line(["Retained Earnings", money(books.profit(ever) - this_year)]))
    rows[-1]["Rows"][-1:] = [*earnings, summary("Total Equity", [totals["Equity"] + books.profit(ever)])]
    return _report(store, "BalanceSheet", "Balance Sheet", f"As at {long_date(day)}", rows)


def bank_summary(store: Store, query: Query) -> Row:
    """What each bank account held at first, took in, gave out, and held at last."""
    books, (first, last) = Books.of(store), _days(store, query)
    titles = ("Bank Accounts", "Opening Balance", "Cash Received", "Cash Spent", "FX Gain", "Closing Balance")
    columns, lines = list[list[Decimal]](), list[Row]()
    for account in books.accounts("BANK"):
        key = account["AccountID"]
        own = [(day, net) for day, place, net in books.lines if place == key and day <= last]
        before = sum((net for day, net in own if day < first), ZERO)
        taken = sum((net for day, net in own if day >= first and net > 0), ZERO)
        given = -sum((net for day, net in own if day >= first and net < 0), ZERO)
        columns.append([before, taken, given, ZERO, before + taken - given])
        lines.append(line([account["Name"], *map(money, columns[-1])], ("accountID", key)))
    rows = [header(*titles), section("", [*lines, summary("Total", sums(columns, 5))])]
    return _report(store, "BankSummary", "Bank Summary", f"From {long_date(first)} to {long_date(last)}", rows)


def executive_summary(store: Store, query: Query) -> Row:
    """Cash, profit and the balance sheet of a month in a few lines."""
    books, last = Books.of(store), _day(query, "date", store.today())
    moved, ever = books.moved(last.replace(day=1), last), books.moved(date.min, last)
    earned, direct = -books.total(moved, "REVENUE", "SALES"), books.total(moved, "DIRECTCOSTS")
    owed = {"Debtors": books.total(ever, "CURRENT"), "Creditors": -books.total(ever, "CURRLIAB")}
    rows = [
        header("", f"{last:%b %Y}"),
        section("Cash", [line(["Cash surplus (deficit)", money(books.total(moved, "BANK"))])]),
        section("Profitability", [
            line(["Income", money(earned)]),
            line(["Direct costs", money(direct)]),
            line(["Gross profit (loss)", money(earned - direct)]),
            line(["Profit (loss)", money(books.profit(moved))]),
        ]),
        section("Balance Sheet", [line([name, money(amount)]) for name, amount in owed.items()]),
    ]  # fmt: skip
    return _report(store, "ExecutiveSummary", "Executive Summary", f"For the month of {last:%B %Y}", rows)


def budget_summary(store: Store, query: Query) -> Row:
    """There are no budgets: a header and nothing below."""
    day = _day(query, "date", store.today())
    return _report(store, "BudgetSummary", "Budget Summary", f"{day:%B %Y}", [header("Account", f"{day:%b-%y}")])


def _report(store: Store, kind: str, name: str, when: str, rows: list[Row]) -> Row:
    now = store.kernel.clock.now()
    return {
        "ReportID": kind,
        "ReportName": name,
        "ReportType": kind,
        "ReportTitles": [name, store.organisation.get("Name", ""), when],
        "ReportDate": long_date(store.today()),
        "UpdatedDateUTC": wire.ms_instant(now),
        "Fields": [],
        "Rows": rows,
    }


def _aged_receivables(store: Store, query: Query) -> Row:
    return _report(store, "AgedReceivablesByContact", "Aged Receivables By Contact", *aged(store, query, "ACCREC"))


def _aged_payables(store: Store, query: Query) -> Row:
    return _report(store, "AgedPayablesByContact", "Aged Payables By Contact", *aged(store, query, "ACCPAY"))


REPORTS: dict[str, Callable[[Store, Query], Row]] = {
    "trialbalance": trial_balance,
    "profitandloss": profit_and_loss,
    "balancesheet": balance_sheet,
    "banksummary": bank_summary,
    "executivesummary": executive_summary,
    "budgetsummary": budget_summary,
    "agedreceivablesbycontact": _aged_receivables,
    "agedpayablesbycontact": _aged_payables,
}


def report(store: Store, name: str, query: Query) -> list[Row]:
    """The report of this name; none for 1099s, which are filed in the United States alone, and a 404 for others."""
    if name.lower() == "tenninetynine":
        return []
    found = REPORTS.get(name.lower())
    if found is None:
        raise not_found()
    return [found(store, query)]
