"""From one total to the other, step by step."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from sync_core.model import MatchStatus
from sync_core.rules.bridge import variance_bridge
from sync_core.rules.reasons import Reason
from sync_core.rules.reconcile import Part, Share, reconciliation

MONEY = st.decimals(-(10**9), 10**9, places=2)
PARTS = st.lists(
    st.builds(
        Part,
        currency=st.just("NZD"),
        status=st.sampled_from(list(MatchStatus)),
        reason=st.sampled_from(list(Reason)),
        rows=st.integers(1, 9),
        crm_count=st.integers(0, 9),
        xero_count=st.integers(0, 9),
        crm=MONEY,
        xero=MONEY,
    ),
    min_size=1,
)
SHARES = st.lists(
    st.builds(
        Share,
        currency=st.just("NZD"),
        reason=st.sampled_from(list(Reason)),
        to=st.sampled_from(list(Reason)),
        amount=MONEY,
    )
)


@given(PARTS, SHARES)
def test_the_steps_lead_from_one_total_to_the_other(parts, shares):
    (total,) = reconciliation("invoices", parts, shares).totals
    assert total.difference == sum(total.by_reason.values()) == total.explained + total.unexplained
    bridge = variance_bridge(total)
    at = bridge.crm
    for step in bridge.steps:
        assert (step.before, step.after) == (at, at + step.amount)
        at = step.after
    assert at == bridge.xero == total.xero
    assert -sum(step.amount for step in bridge.steps if step.explained) == total.explained


def test_the_largest_step_comes_first_and_the_unexplained_last():
    told = {Reason.OTHER: "90.00", Reason.TAX_ROUNDING: "-0.02", Reason.MISSING_IN_XERO: "20.00"}
    parts = [Part("NZD", MatchStatus.DIFFERS, r, 1, 1, 1, Decimal(a), Decimal(0)) for r, a in told.items()]
    (total,) = reconciliation("invoices", parts).totals
    steps = variance_bridge(total).steps
    assert [(step.reason, step.amount) for step in steps] == [
        (Reason.MISSING_IN_XERO, -20),
        (Reason.TAX_ROUNDING, Decimal("0.02")),
        (Reason.OTHER, -90),
    ]
