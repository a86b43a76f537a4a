"""What is missing behind a reconciliation is said, with what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from sync_core.model import Side
from sync_core.rules.entities import entity
from sync_core.rules.gaps import Holdings, Missing, gaps
from sync_core.rules.reconcile import Filters

M = Missing
INVOICES = entity("invoices")
ALL = {Side.CRM: 2, Side.XERO: 1}
WHOLE = Holdings(ALL, ALL, {Side.CRM: 10, Side.XERO: 9}, base_currency="NZD", first=date(2026, 1, 5), last=date(2026, 11, 2))
NOVEMBER = Filters(since=date(2026, 12, 1), until=date(2026, 12, 31))


def told(held=WHOLE, filters=Filters(), rows=10, of=INVOICES):  # noqa: B008  # frozen
    return gaps(of, filters, held, rows)


def test_nothing_is_missing():
    assert told() == ()


@pytest.mark.parametrize(
    ("held", "missing", "words"),
    [
        ({"read": ALL | {Side.XERO: 0}, "records": {Side.CRM: 10, Side.XERO: 0}}, M.NEVER_READ,
         "The invoices of Xero were never read, so those of Dynamics look as if they were missing. Run a sync."),
        ({"read": ALL | {Side.CRM: 1}}, M.CUT_OFF,
         ("Reading the invoices of Dynamics was cut off, so some look as if they were missing there."
          " Run a sync; it goes on where it stopped.")),
        ({"waiting": 1}, M.NOT_TAKEN_IN,
         "1 record of the last pull is not taken in yet. Run a sync, or wait for the one at work."),
        ({"unrated": {"FJD": 2}}, M.NO_RATE,
         ("2 invoices in FJD without an exchange rate in Xero: shown in FJD only, not in NZD."
         " Set the rate of FJD in Xero and sync.")),
        ({"base_currency": ""}, M.NO_BASE_CURRENCY,
         "Xero's base currency is not known, so no amount can be shown in it. Run a sync."),
    ],
)  # fmt: skip
def test_each_gap_has_its_words(held, missing, words):
    (gap,) = told(replace(WHOLE, **held))
    assert (gap.missing, gap.sentence) == (missing, words)


def test_a_cache_begun_anew_says_so_until_it_is_filled():
    anew = replace(WHOLE, begun_anew=True)
    assert told(anew) == ()
    filling = replace(anew, read={Side.CRM: 2, Side.XERO: 0}, records={Side.CRM: 10, Side.XERO: 0})
    assert [gap.missing for gap in told(filling)] == [M.CACHE_BEGUN_ANEW, M.NEVER_READ]
    assert all(gap.partial for gap in told(filling))


def test_an_empty_period_names_the_period_that_is_not():
    (gap,) = told(filters=NOVEMBER, rows=0)
    assert gap.missing is M.NO_DATA_IN_PERIOD
    assert gap.words == "No invoices dated from 2026-12-01 to 2026-12-31; there are some from 2026-01-05 to 2026-11-02."


def test_no_record_at_all_is_no_silence():
    (gap,) = told(replace(WHOLE, records={Side.CRM: 0, Side.XERO: 0}, first=None, last=None), rows=0)
    assert gap.sentence == "Neither system holds any invoices."


def test_rates_are_asked_of_documents_only():
    assert told(replace(WHOLE, unrated={"FJD": 2}), of=entity("contacts")) == ()
