"""Values that both systems spell in their own way, in one spelling, for the oracles and for what a person entered."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sync_core.sandbox.kernel import Kernel, Row


def crm_lines(kernel: Kernel, invoice: str) -> str:
    """The lines of a Dynamics invoice: quantity and amount before tax of each, in no order."""
    rows = (r for _, r in kernel.collection("dataverse.invoicedetail").items() if r["invoiceid"] == invoice)
    return _spelled((r["quantity"], _net(r)) for r in rows)


def xero_lines(invoice: Row) -> str:
    """The lines of a Xero invoice, in the same spelling."""
    return _spelled((x["Quantity"], x["LineAmount"]) for x in invoice["LineItems"])


def xero_city(row: Row) -> str:
    return next((a["City"] for a in row["Addresses"].values() if a.get("City")), "")


def _net(line: Row) -> Decimal:
    """A price may be a cent off where no price in Dynamics gives Xero's amount: then a discount makes up for it."""
    amount = Decimal(str(line["quantity"])) * Decimal(str(line["priceperunit"]))
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP) - Decimal(str(line.get("manualdiscountamount") or 0))


def _spelled(lines: Iterable[tuple[Any, Any]]) -> str:
    return " and ".join(sorted(f"{_short(quantity)} for {_short(amount)}" for quantity, amount in lines))


def _short(value: Any) -> str:
    return f"{Decimal(str(value or 0)).normalize():f}"
