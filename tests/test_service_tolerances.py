"""Tolerances, bridges and gaps as the service gives them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sync_core.errors import Rejected
from sync_core.service import Tolerance


def test_a_tolerance_is_set_used_audited_and_taken_away(books):
    with books.open() as service:
        service.set_tolerance("nzd", Decimal("0.05"), Decimal("0.5"), who="Ana")
        assert service.tolerances() == (Tolerance("NZD", Decimal("0.05"), Decimal("0.5")),)
        assert (service._terms("invoices").tolerance, service._terms("invoices").percent) == (
            {"NZD": Decimal("0.05")},
            {"NZD": Decimal("0.5")},
        )
        (entry,) = service._workspace.state.audit(1)
        assert (entry.who, entry.act, entry.subject) == ("Ana", "tolerance", "NZD")
        service.set_tolerance("NZD", Decimal(0), who="Ana")
        assert service.tolerances() == ()
        for currency, amount, percent in (("Kiwi", "1", "0"), ("NZD", "-1", "0"), ("NZD", "0", "101"), ("NZD", "0.00001", "0")):
            with pytest.raises(Rejected):
                service.set_tolerance(currency, Decimal(amount), Decimal(percent), who="Ana")


def test_the_bridge_leads_to_xero_and_nothing_is_missing_after_a_sync(books):
    with books.open() as service:
        assert service.gaps("contacts") == service.reconciliation("contacts").gaps == ()
        assert [gap.words for gap in service.gaps("invoices")] == ["Neither system holds any invoices."]
        for bridge in service.variance_bridge("contacts"):
            assert bridge.crm + sum(step.amount for step in bridge.steps) == bridge.xero
