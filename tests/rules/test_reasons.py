"""The table of decisions: which status and reason a row gets for what was found of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_core.model import MatchStatus
from sync_core.rules.reasons import REASONS, STATUSES, UNEXPLAINED, Finding, Reason, decide

F, R, S = Finding, Reason, MatchStatus
AMOUNT = {F.AMOUNT_DIFFERS, F.VALUE_DIFFERS, F.TOTAL_DIFFERS}
DETAIL = {F.DETAIL_DIFFERS, F.DUE_DIFFERS}


@pytest.mark.parametrize(
    ("findings", "status", "reason"),
    [
        (set(), S.MATCHED, R.NONE),
        (AMOUNT, S.DIFFERS, R.OTHER),
        (AMOUNT | {F.TAX_DIFFERS, F.TAX_ROUNDING}, S.DIFFERS, R.TAX_ROUNDING),
        (AMOUNT | {F.TAX_DIFFERS, F.TAX_ROUNDING, F.WITHIN}, S.WITHIN_TOLERANCE, R.TAX_ROUNDING),
        (AMOUNT | {F.WITHIN, F.DETAIL_DIFFERS, F.DUE_DIFFERS}, S.DIFFERS, R.OTHER),
        (AMOUNT | {F.LINE_MISSING, F.LINES_DIFFER}, S.DIFFERS, R.MISSING_LINE),
        (AMOUNT | {F.TIMING}, S.TIMING, R.TIMING),
        ({F.AMOUNT_DIFFERS, F.PAID_DIFFERS, F.STATE_DIFFERS, F.DETAIL_DIFFERS}, S.DIFFERS, R.PART_PAYMENT),
        ({F.DETAIL_DIFFERS, F.STATE_DIFFERS}, S.DIFFERS, R.STATUS_ONLY),
        ({F.DETAIL_DIFFERS, F.CONTACT_DIFFERS, F.CONTACT_MERGED}, S.DIFFERS, R.CONTACT_MERGED),
        ({F.VOID_CRM, F.VOID_XERO}, S.MATCHED, R.NONE),
        ({F.VOID_XERO}, S.VOIDED_ONE_SIDE, R.VOID_ONE_SIDE),
        ({F.ONLY_XERO, F.VOID_XERO, F.DUPLICATE}, S.IGNORED, R.VOID),
        ({F.ONLY_XERO}, S.MISSING_IN_CRM, R.MISSING_IN_CRM),
        ({F.ONLY_CRM, F.AMBIGUOUS}, S.AMBIGUOUS, R.AMBIGUOUS),
        ({F.ONLY_CRM, F.DUPLICATE}, S.DUPLICATE, R.DUPLICATE),
        ({F.IGNORED, *AMOUNT}, S.IGNORED, R.IGNORED),
        ({F.TIMING}, S.MATCHED, R.NONE),
        (AMOUNT | {F.EDITED_CRM, F.LINES_DIFFER}, S.DIFFERS, R.EDITED),
        (AMOUNT | {F.EDITED_CRM, F.EDITED_XERO}, S.DIFFERS, R.EDITED),
        (AMOUNT | {F.EDITED_XERO, F.LOCKED}, S.DIFFERS, R.EDITED),
        (AMOUNT | {F.EDITED_CRM, F.LOCKED}, S.DIFFERS, R.LOCKED),
        (AMOUNT | {F.EDITED_CRM, F.TAX_DIFFERS, F.TAX_ROUNDING}, S.DIFFERS, R.TAX_ROUNDING),
        (AMOUNT | {F.EDITED_CRM, F.DISCOUNT}, S.DIFFERS, R.DISCOUNT),
        (AMOUNT | {F.LOCKED}, S.DIFFERS, R.OTHER),
        (DETAIL | {F.EDITED_CRM, F.LOCKED}, S.DIFFERS, R.LOCKED),
        (DETAIL | {F.EDITED_CRM}, S.DIFFERS, R.DUE_DATE),
        ({F.ONLY_CRM, F.LOCKED}, S.MISSING_IN_XERO, R.LOCKED),
        ({F.ONLY_XERO, F.LOCKED}, S.MISSING_IN_CRM, R.MISSING_IN_CRM),
        ({F.RATE_DIFFERS}, S.MATCHED, R.EXCHANGE_RATE),
        ({F.RATE_DIFFERS, F.DETAIL_DIFFERS}, S.DIFFERS, R.EXCHANGE_RATE),
    ],
)
def test_decisions(findings, status, reason):
    assert decide(findings)[:2] == (status, reason)


@given(st.sets(st.sampled_from(list(Finding))))
def test_every_row_gets_a_status_and_differences_get_words(findings):
    status, reason, words = decide(findings)
    assert isinstance(status, MatchStatus)
    assert words or reason is R.NONE


def test_every_rule_can_be_reached():
    for table in ([rule.when for rule in REASONS], [when for when, _ in STATUSES]):
        assert [next(when for when in table if set(held).issuperset(when)) for held in table] == table


def test_every_reason_is_given_by_some_rule():
    assert {rule.reason for rule in REASONS} == set(Reason)
    assert set(UNEXPLAINED) == {R.NONE, R.OTHER}
