"""The chart of the bridge: it places the service's steps end to end, and its words are exact."""

from __future__ import annotations

from decimal import Decimal

from console.bridge import bars
from sync_core.model import ControlTotal
from sync_core.service import variance_bridge


def bridge(crm, by_reason):
    apart = sum(by_reason.values(), Decimal(0))
    return variance_bridge(ControlTotal("NZD", 1, 1, crm, crm - apart, apart, apart, Decimal(0), by_reason))


def test_bars_follow_the_steps_and_say_the_exact_amounts():
    made = bars(bridge(Decimal("100.00"), {"tax rounding": Decimal("-0.01"), "missing in Xero": Decimal("40.00")}))
    assert [(bar["label"], bar["words"]) for bar in made] == [
        ("Dynamics", "100.00"),
        ("missing in Xero", "-40.00"),
        ("tax rounding", "+0.01"),
        ("Xero", "60.01"),
    ]
    assert [(bar["from"], bar["to"]) for bar in made[1:-1]] == [(60.0, 100.0), (60.0, 60.01)]
    assert made[0]["from"] == made[-1]["from"] < 60


def test_amounts_beyond_what_a_float_can_hold_stay_exact_in_words():
    made = bars(bridge(Decimal("90071992547409930.01"), {"other": Decimal("0.01")}))
    assert [bar["words"] for bar in made] == ["90,071,992,547,409,930.01", "-0.01", "90,071,992,547,409,930.00"]
    assert (made[1]["label"], made[1]["kind"]) == ("unexplained (other)", "unexplained")
