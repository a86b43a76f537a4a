"""The bridge from Dynamics to Xero: every step begins where the one before it ended, to the cent."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as some

from console.bridge import steps
from sync_core.model import ControlTotal

CENTS = some.decimals(-10_000_000, 10_000_000, places=2, allow_nan=False)


def total(crm, by_reason):
    apart = sum(by_reason.values(), Decimal(0))
    return ControlTotal("NZD", 1, 1, crm, crm - apart, apart, apart, Decimal(0), by_reason)


@given(CENTS, some.dictionaries(some.sampled_from(["tax rounding", "missing in Xero", "duplicate", "other"]), CENTS))
def test_the_steps_lead_from_one_total_to_the_other(crm, by_reason):
    made = steps(total(crm, by_reason))
    assert (made[0].start, made[-1].end) == (crm, crm - sum(by_reason.values(), Decimal(0)))
    between = made[1:-1]
    assert [step.start for step in between] == [crm, *(step.end for step in between[:-1])][: len(between)]
    assert not between or between[-1].end == made[-1].end


def test_the_largest_step_comes_first_and_signs_lead_to_xero():
    made = steps(total(Decimal("100.00"), {"tax rounding": Decimal("-0.01"), "missing in Xero": Decimal("40.00")}))
    assert [(step.label, step.words) for step in made] == [
        ("Dynamics", "100.00"),
        ("missing in Xero", "-40.00"),
        ("tax rounding", "+0.01"),
        ("Xero", "60.01"),
    ]
