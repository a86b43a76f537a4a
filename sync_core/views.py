"""What the console and the command line show: frozen answers, ready to be drawn. Rows are Arrow tables, so that amounts stay
decimals (pyarrow is imported for its types only). Left is Dynamics, right is Xero, a difference is Dynamics minus Xero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from sync_core.model import ControlTotal, DataAge, MatchStatus, RecordStatus
from sync_core.rules.balances import Balance
from sync_core.rules.bridge import BridgeStep, VarianceBridge
from sync_core.rules.gaps import Gap, Missing
from sync_core.rules.side_by_side import FieldLine, LinePair

if TYPE_CHECKING:
    import pyarrow as pa

    from sync_core.rules.reasons import Reason


__all__ = [
    "Applied",
    "Balance",
    "BridgeStep",
    "FieldLine",
    "Gap",
    "LinePair",
    "Missing",
    "Neighbour",
    "ReconciliationPage",
    "RowDetail",
    "VarianceBridge",
    "XeroDetails",
]


@dataclass(frozen=True, slots=True)
class ReconciliationPage:
    """One screen of the reconciliation. Counts and totals are those of all rows that the filters leave, not of the page.

    ``gaps`` say what is missing behind it; empty when nothing is.
    """

    entity: str
    rows: pa.Table
    row_count: int
    status_counts: Mapping[MatchStatus, int]
    reason_counts: Mapping[Reason, int]
    totals: tuple[ControlTotal, ...]
    age: DataAge
    offset: int = 0
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Applied:
    """A payment or allocation on a document or part of one, on one side or on both. Amounts are positive, None where it is not
    there. ``document`` is what people call the record at its other end: on a credit note the invoice, on an invoice the credit
    note, the advance or the batch.
    """

    entity: str
    kind: str
    crm_id: str | None
    xero_id: str | None
    date: date | None
    reference: str
    state: str
    crm: Decimal | None
    xero: Decimal | None
    document: str = ""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another record that a row could belong to, or that it looks like. ``amount`` has its sign as in the rows.

    ``why`` says why it could be meant, with its score where it was scored.
    """

    row_id: str
    number: str
    contact: str
    date: date | None
    currency: str
    amount: Decimal | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class RowDetail:
    """Everything about one row. ``row`` is the row as the page shows it; differing fields come first.

    ``crm_balance`` and ``xero_balance``: how much of the document is used by ``applied`` and what is open; None for records
    that are not spread over others, and for a side where it is not there.

    ``together`` are all payments of the batch that a payment is part of, itself too.

    ``crm_run`` and ``xero_run`` are the runs that last touched the cached records, "" where there is none.
    """

    entity: str
    row: Mapping[str, object]
    fields: tuple[FieldLine, ...]
    lines: tuple[LinePair, ...]
    applied: tuple[Applied, ...]
    alternatives: tuple[Neighbour, ...]
    crm_run: str
    xero_run: str
    crm_balance: Balance | None = None
    xero_balance: Balance | None = None
    together: tuple[Applied, ...] = ()


@dataclass(frozen=True, slots=True)
class XeroDetails:
    """What Tieout's row beside a record in Dynamics says of its twin in Xero (R20), and the addresses that open either.

    ``type`` and ``state`` are Xero's own words. Everything of Xero is "" while the record is not there; ``standing`` is None
    when no sync has met it yet.
    """

    crm_id: str
    xero_id: str
    number: str
    type: str
    state: str
    standing: RecordStatus | None
    crm_link: str
    xero_link: str
