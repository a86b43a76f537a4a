"""The demo company: the same for a seed, equal where it should be, and troubled where it says so."""

from __future__ import annotations

import time
from collections import Counter
from decimal import Decimal

import pytest

from sync_core.sandbox.company import TROUBLES, demo_company
from sync_core.sandbox.company_sales import TODAY, cents, total

COMPANY = demo_company(seed=1)
INVOICES = {invoice.key: invoice for invoice in COMPANY.invoices}
PARTIES = {party.key: party for party in COMPANY.parties}
RATE = {rate.tax_type: rate.rate for rate in COMPANY.tax_rates}
RECEIVED = Counter()
for _payment in COMPANY.payments:
    RECEIVED[_payment.document] += 0 if _payment.deleted else _payment.amount
for _paper in (*COMPANY.credit_notes, *COMPANY.advances):
    RECEIVED.update(dict(_paper.allocations))


def test_the_same_seed_gives_the_same_company_and_another_seed_another():
    assert demo_company(1, 200) == demo_company(1, 200)
    assert demo_company(2) != COMPANY


def test_it_has_the_size_of_a_small_firm():
    kinds = Counter(party.kind for party in COMPANY.parties)
    assert 14 <= kinds["account"] <= 18
    assert kinds["contact"] == 6
    assert 38 <= len(COMPANY.invoices) <= 46
    assert len(COMPANY.products) == 9


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda t: t.name)
def test_each_trouble_is_planted_on_something_that_exists(trouble):
    papers = (*COMPANY.invoices, *COMPANY.payments, *COMPANY.credit_notes, *COMPANY.advances)
    keys = {paper.key for paper in papers} | set(PARTIES) | set(COMPANY.batches)
    assert trouble.key in keys
    assert trouble.sentence.endswith(".")


def test_keys_and_numbers_are_unique():
    for things in (COMPANY.invoices, COMPANY.payments, COMPANY.parties, COMPANY.products):
        assert len({thing.key for thing in things}) == len(things)
    numbers = [invoice.number_in_xero or invoice.number for invoice in COMPANY.invoices]
    assert len(set(numbers)) == len(numbers)


def test_names_are_unique_and_parents_come_first():
    seen = set()
    for party in COMPANY.parties:
        assert party.parent is None or party.parent in seen
        seen.add(party.key)
    assert len({party.name for party in COMPANY.parties}) == len(COMPANY.parties)


def test_whatever_is_referred_to_exists():
    products, codes = {p.key for p in COMPANY.products}, {a.code for a in COMPANY.ledger_accounts}
    for invoice in COMPANY.invoices:
        assert invoice.party in PARTIES
        for line in (*invoice.lines, *(invoice.lines_in_xero or ())):
            assert line.product is None or line.product in products
            assert line.account_code is None or line.account_code in codes
            assert line.tax_type is None or line.tax_type in RATE


@pytest.mark.parametrize("key", [i.key for i in COMPANY.invoices if not i.trouble and i.crm and i.xero])
def test_tax_of_an_untroubled_pair_is_the_sum_of_tax_rounded_per_line(key):
    for line in INVOICES[key].lines:
        net = cents(line.quantity * line.unit_price) - line.discount
        assert line.tax == cents(net * RATE[line.tax_type] / 100)


def test_the_cent_of_tax_rounding_is_one_cent():
    invoice = INVOICES["inv-1021"]
    assert sum(line.tax for line in invoice.lines) == Decimal("11.45")
    assert sum(line.tax for line in invoice.lines_in_xero) == Decimal("11.44")


@pytest.mark.parametrize("invoice", COMPANY.invoices, ids=lambda i: i.number)
def test_no_invoice_is_overpaid_and_paid_ones_are_paid_but_for_their_trouble(invoice):
    due = total(invoice.lines_in_xero or invoice.lines)
    assert RECEIVED[invoice.key] <= due
    if invoice.crm == "paid" and invoice.trouble not in ("missing payment", "deleted payment"):
        assert RECEIVED[invoice.key] == due


def test_everything_in_xero_is_dated_after_the_locked_period_and_before_today():
    dates = [i.date for i in COMPANY.invoices if i.xero] + [p.date for p in COMPANY.payments]
    dates += [paper.date for paper in (*COMPANY.credit_notes, *COMPANY.advances)]
    assert COMPANY.period_lock_date < min(dates) <= max(dates) <= TODAY
    assert INVOICES["inv-1035"].date <= COMPANY.period_lock_date


def test_foreign_papers_carry_the_currency_and_rate_of_their_customer():
    rates = {code: rate for code, _, rate in COMPANY.currencies}
    for invoice in COMPANY.invoices:
        assert invoice.currency == PARTIES[invoice.party].currency
        assert invoice.rate == rates[invoice.currency]


def test_generated_pairs_keep_their_shares():
    more = demo_company(1, 4000)
    bulk = [i for i in more.invoices if i.key.startswith("bulk")]
    assert len(bulk) == 4000
    assert len([p for p in more.parties if p.key.startswith("bulk")]) == 200
    assert sum(i.crm == "paid" for i in bulk) / 4000 == pytest.approx(0.60, abs=0.03)
    assert sum(i.xero is None for i in bulk) / 4000 == pytest.approx(0.02, abs=0.01)
    assert sum(bool(i.due_in_xero or i.lines_in_xero) for i in bulk) / 4000 == pytest.approx(0.03, abs=0.01)


def test_generated_payments_pay_their_invoices_exactly():
    more = demo_company(1, 300)
    owed = {i.key: total(i.lines) for i in more.invoices}
    bulk = [p for p in more.payments if p.key.startswith("bulk")]
    assert bulk
    assert all(p.amount == owed[p.document] for p in bulk)


def test_a_hundred_thousand_pairs_take_seconds():
    began = time.process_time()
    assert len(demo_company(1, 100_000).invoices) > 100_000
    assert time.process_time() - began < 8
