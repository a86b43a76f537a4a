"""Xero's reports, reckoned from the journal. Two of them compare with earlier periods; tracking and layouts change none.

Source of the shapes: the examples of the public description. Amounts are texts, as in Xero.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import MINYEAR, date
from decimal import Decimal

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero import wire
from sync_core.sandbox.xero.aged import aged
from sync_core.sandbox.xero.amounts import ZERO
from sync_core.sandbox.xero.errors import bad_query, not_found
from sync_core.sandbox.xero.journals import Ledger
from sync_core.sandbox.xero.listing import Query
from sync_core.sandbox.xero.report_rows import (
    Values,
    amounts_section,
    header,
    less,
    line,
    long_date,
    money,
    section,
    short_date,
    summary,
    sums,
)
from sync_core.sandbox.xero.store import Store

MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
MOST_PERIODS = 12
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


def _compared(query: Query, *days: date, ends: bool) -> list[tuple[date, ...]]:
    """These days, and the same ones of as many earlier periods as ``periods`` asks for, of the length ``timeframe``.

    With ``ends`` the last day of a month stays one: a balance sheet compares 30 April with 31 March. Profit and loss does
    not, and leaves out the 31st when it starts from a month of 30 days, as integrators report of Xero.
    """
    periods, name = query.whole("periods", 0), query.params.get("timeframe", "").upper() or "MONTH"
    if name not in MONTHS or not 0 <= periods <= MOST_PERIODS:
        raise bad_query(f"periods is a number up to {MOST_PERIODS}, and timeframe one of {', '.join(MONTHS)}")
    return [tuple(_months_before(day, n * MONTHS[name], ends=ends) for day in days) for n in range(periods + 1)]


def _months_before(day: date, months: int, *, ends: bool) -> date:
    at = day.year * 12 + day.month - 1 - months
    if at // 12 < MINYEAR:
        raise bad_query("The compared periods lie before the first year")
    first = date(at // 12, at % 12 + 1, 1)
    length = monthrange(first.year, first.month)[1]
    last = ends and day.day == monthrange(day.year, day.month)[1]
    return first.replace(day=length if last else min(day.day, length))


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
    """Income less costs between two days, and between those of earlier periods."""
    books, (first, last) = Books.of(store), _days(store, query)
    spans = _compared(query, first, last, ends=False)
    moved = [books.moved(*span) for span in spans]
    income, earned = _accounts(books, moved, "Income", ("REVENUE", "SALES"), -1)
    costs, direct = _accounts(books, moved, "Less Cost of Sales", ("DIRECTCOSTS",), 1)
    other, more = _accounts(books, moved, "Plus Other Income", ("OTHERINCOME",), -1)
    expenses, spent = _accounts(books, moved, "Less Operating Expenses", ("EXPENSE", "OVERHEADS", "DEPRECIATN"), 1)
    gross = less(earned, direct)
    net = less(sums([gross, more], len(spans)), spent)
    rows = [header("", *(short_date(end) for _, end in spans)), income, costs]
    rows += [section("", [line(["Gross Profit", *map(money, gross)])]), other, expenses]
    rows += [section("", [line(["Net Profit", *map(money, net)])])]
    return _report(store, "ProfitAndLoss", "Profit and Loss", f"{long_date(first)} to {long_date(last)}", rows)


def _accounts(books: Books, moved: list[Moved], title: str, types: tuple[str, ...], sign: int) -> tuple[Row, Values]:
    """What moved the accounts of these types, one column for each of ``moved``, and the sums."""
    named = {}
    for account in books.accounts(*types):
        amounts = [sign * one.get(account["AccountID"], ZERO) for one in moved]
        if any(amounts):
            named[account["AccountID"]] = (account["Name"], amounts)
    return amounts_section(title, named, f"Total {title.removeprefix('Less ').removeprefix('Plus ')}", len(moved))


def balance_sheet(store: Store, query: Query) -> Row:
    """What is owned and owed on a day and on earlier ones; the profit of the year and of years before is equity."""
    books, day = Books.of(store), _day(query, "date", store.today())
    days = [end for (end,) in _compared(query, day, ends=True)]
    ever = [books.moved(date.min, end) for end in days]
    earned = [books.profit(moved) for moved in ever]
    this_year = [books.profit(books.moved(books.year_start(end), end)) for end in days]
    rows, totals = [header("", *map(short_date, days)), section("Assets", [])], dict[str, Values]()
    for title, types in PARTS.items():
        sign = 1 if title.endswith("Assets") or title == "Bank" else -1
        if title == "Current Liabilities":
            assets = sums(totals.values(), len(days))
            rows += [section("", [summary("Total Assets", assets)]), section("Liabilities", [])]
        if title == "Equity":
            liabilities = sums((totals[t] for t in totals if t.endswith("Liabilities")), len(days))
            rows += [section("", [summary("Total Liabilities", liabilities)])]
            rows += [section("", [line(["Net Assets", *map(money, less(assets, liabilities))])])]
        found, totals[title] = _accounts(books, ever, title, types, sign)
        rows.append(found)
    earnings = [line(["Current Year Earnings", *map(money, this_year)])]
    earnings.append(line(["Retained Earnings", *map(money, less(earned, this_year))]))
    rows[-1]["Rows"][-1:] = [*earnings, summary("Total Equity", sums([totals["Equity"], earned], len(days)))]
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
