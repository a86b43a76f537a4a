"""Why a row of the reconciliation stands as it does: one table of decisions, read here and, as CASE, by the cache.

A row is first described by findings (yes or no, each a column that the cache computes). The first rule whose findings all
hold gives its reason and words; a second table gives its match status. The cache renders both tables into its statement, so
that what :func:`decide` says of one row is what the statement says of a hundred thousand.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sync_core.model import MatchStatus


class Finding(StrEnum):
    """One thing that can be true of a row. The values are column names of the cache's statement."""

    IGNORED = "ignored"
    ONLY_CRM = "only_crm"
    ONLY_XERO = "only_xero"
    OTHER_CURRENCY = "other_currency"
    AMBIGUOUS = "ambiguous"
    DUPLICATE = "duplicate"
    TIMING = "timing"
    VOID_CRM = "void_crm"
    VOID_XERO = "void_xero"
    INACTIVE_CRM = "inactive_crm"
    INACTIVE_XERO = "inactive_xero"
    AMOUNT_DIFFERS = "amount_differs"
    WITHIN = "within"
    DETAIL_DIFFERS = "detail_differs"
    TAX_ROUNDING = "tax_rounding"
    PRICE_PRECISION = "price_precision"
    DISCOUNT = "discount"
    LINE_MISSING = "line_missing"
    LINES_DIFFER = "lines_differ"
    PAID_DIFFERS = "paid_differs"
    CREDITED_DIFFERS = "credited_differs"
    FROM_ADVANCE = "from_advance"
    TOTAL_DIFFERS = "total_differs"
    TAX_DIFFERS = "tax_differs"
    VALUE_DIFFERS = "value_differs"
    EDITED_CRM = "edited_crm"
    EDITED_XERO = "edited_xero"
    LOCKED = "locked"
    CONTACT_MERGED = "contact_merged"
    CONTACT_DIFFERS = "contact_differs"
    STATE_DIFFERS = "state_differs"
    DUE_DIFFERS = "due_differs"
    RATE_DIFFERS = "rate_differs"
    FIELD_DIFFERS = "field_differs"


class Reason(StrEnum):
    """The reason codes, as people read them. ``NONE`` is that of a row that ties out."""

    NONE = ""
    IGNORED = "ignored"
    CURRENCY = "wrong currency"
    AMBIGUOUS = "ambiguous"
    DUPLICATE = "duplicate"
    TIMING = "timing"
    MISSING_IN_CRM = "missing in Dynamics"
    MISSING_IN_XERO = "missing in Xero"
    VOID = "void"
    VOID_ONE_SIDE = "void one side"
    TAX_ROUNDING = "tax rounding"
    PRICE_PRECISION = "unit-price precision"
    DISCOUNT = "discount"
    EDITED = "edited after approval"
    LOCKED = "locked period"
    MISSING_LINE = "missing line"
    LINE_DIFFERS = "line differs"
    PART_PAYMENT = "part payment in flight"
    ADVANCE = "prepayment/overpayment"
    UNALLOCATED_CREDIT = "unallocated credit"
    CONTACT_MERGED = "contact merged"
    WRONG_CONTACT = "wrong contact"
    STATUS_ONLY = "status only"
    DUE_DATE = "due date differs"
    EXCHANGE_RATE = "exchange rate"
    FIELD = "field differs"
    OTHER = "other"


UNEXPLAINED = frozenset({Reason.NONE, Reason.OTHER})
"""Reasons that explain nothing: what stands under them is the unexplained part of a difference."""

LINE_CAUSES = frozenset({Reason.PRICE_PRECISION, Reason.DISCOUNT, Reason.MISSING_LINE, Reason.LINE_DIFFERS, Reason.OTHER})
"""Reasons of a total that is traced to lines: the row's difference is split over what each line contributes."""

OVERRULING = frozenset({Reason.EDITED, Reason.LOCKED})
"""Reasons that say where a difference comes from; the lines then say what differs."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The reason of a row for which all of ``when`` hold and no rule before it did. ``words`` are for people."""

    when: tuple[Finding, ...]
    reason: Reason
    words: str


F, R, S = Finding, Reason, MatchStatus

REASONS: tuple[Rule, ...] = (
    Rule((F.IGNORED,), R.IGNORED, "Set aside by a person"),
    Rule((F.ONLY_CRM, F.VOID_CRM), R.VOID, "Void in Dynamics and not in Xero: counts nothing"),
    Rule((F.ONLY_XERO, F.VOID_XERO), R.VOID, "Void in Xero and not in Dynamics: counts nothing"),
    Rule((F.OTHER_CURRENCY,), R.CURRENCY, "Its twin is in another currency"),
    Rule((F.AMBIGUOUS,), R.AMBIGUOUS, "Could belong to more than one record, or to one with another number"),
    Rule((F.DUPLICATE,), R.DUPLICATE, "Looks like a record that is there already"),
    Rule((F.ONLY_CRM, F.TIMING), R.TIMING, "Made in Dynamics after Xero was last read"),
    Rule((F.ONLY_XERO, F.TIMING), R.TIMING, "Made in Xero after Dynamics was last read"),
    Rule((F.ONLY_CRM, F.INACTIVE_CRM), R.VOID, "Inactive in Dynamics and not in Xero"),
    Rule((F.ONLY_XERO, F.INACTIVE_XERO), R.VOID, "Archived in Xero and not in Dynamics"),
    Rule((F.ONLY_CRM, F.LOCKED), R.LOCKED, "Not in Xero, where its period is locked"),
    Rule((F.ONLY_CRM,), R.MISSING_IN_XERO, "Not in Xero"),
    Rule((F.ONLY_XERO,), R.MISSING_IN_CRM, "Not in Dynamics"),
    Rule((F.VOID_CRM, F.VOID_XERO), R.NONE, "Void on both sides: counts nothing"),
    Rule((F.VOID_CRM,), R.VOID_ONE_SIDE, "Void in Dynamics, alive in Xero"),
    Rule((F.VOID_XERO,), R.VOID_ONE_SIDE, "Void in Xero, alive in Dynamics"),
    Rule((F.TIMING, F.AMOUNT_DIFFERS), R.TIMING, "Changed after the other side was last read"),
    Rule((F.TIMING, F.DETAIL_DIFFERS), R.TIMING, "Changed after the other side was last read"),
    Rule((F.TAX_ROUNDING,), R.TAX_ROUNDING, "Only the rounding of tax differs"),
    Rule((F.TOTAL_DIFFERS, F.PRICE_PRECISION), R.PRICE_PRECISION, "Unit prices differ beyond the cent"),
    Rule((F.TOTAL_DIFFERS, F.DISCOUNT), R.DISCOUNT, "A discount or freight stands on one side only"),
    Rule((F.VALUE_DIFFERS, F.LOCKED, F.EDITED_CRM), R.LOCKED, "Changed in Dynamics, and its period is locked in Xero"),
    Rule((F.VALUE_DIFFERS, F.EDITED_CRM, F.EDITED_XERO), R.EDITED, "Changed on both sides after it was approved in Xero"),
    Rule((F.VALUE_DIFFERS, F.EDITED_CRM), R.EDITED, "Changed in Dynamics after it was approved in Xero"),
    Rule((F.VALUE_DIFFERS, F.EDITED_XERO), R.EDITED, "Changed in Xero after it was approved there"),
    Rule((F.VALUE_DIFFERS, F.LINE_MISSING), R.MISSING_LINE, "One side has more lines"),
    Rule((F.VALUE_DIFFERS, F.LINES_DIFFER), R.LINE_DIFFERS, "A line differs"),
    Rule((F.TOTAL_DIFFERS,), R.OTHER, "Totals differ for a reason that is not known"),
    Rule((F.TAX_DIFFERS,), R.OTHER, "Tax differs, the total does not"),
    Rule((F.PAID_DIFFERS,), R.PART_PAYMENT, "A payment has not reached the other side"),
    Rule((F.CREDITED_DIFFERS, F.FROM_ADVANCE), R.ADVANCE, "A prepayment or overpayment is allocated on one side only"),
    Rule((F.CREDITED_DIFFERS,), R.UNALLOCATED_CREDIT, "A credit is allocated on one side only"),
    Rule((F.CONTACT_MERGED,), R.CONTACT_MERGED, "Its contact was merged into another"),
    Rule((F.CONTACT_DIFFERS,), R.WRONG_CONTACT, "It stands against another contact"),
    Rule((F.INACTIVE_CRM, F.INACTIVE_XERO, F.DETAIL_DIFFERS), R.FIELD, "A field differs"),
    Rule((F.INACTIVE_CRM, F.INACTIVE_XERO), R.NONE, "Inactive on both sides"),
    Rule((F.INACTIVE_CRM,), R.STATUS_ONLY, "Inactive in Dynamics, active in Xero"),
    Rule((F.INACTIVE_XERO,), R.STATUS_ONLY, "Archived in Xero, active in Dynamics"),
    Rule((F.STATE_DIFFERS,), R.STATUS_ONLY, "Only the status differs"),
    Rule((F.DETAIL_DIFFERS, F.LOCKED, F.EDITED_CRM), R.LOCKED, "Changed in Dynamics, and its period is locked in Xero"),
    Rule((F.DUE_DIFFERS,), R.DUE_DATE, "Due on different days"),
    Rule((F.LINE_MISSING,), R.MISSING_LINE, "One side has more lines, the total is the same"),
    Rule((F.LINES_DIFFER,), R.LINE_DIFFERS, "A line differs, the total does not"),
    Rule((F.RATE_DIFFERS,), R.EXCHANGE_RATE, "Exchange rates differ"),
    Rule((F.FIELD_DIFFERS,), R.FIELD, "A field differs"),
    Rule((), R.NONE, ""),
)

STATUSES: tuple[tuple[tuple[Finding, ...], MatchStatus], ...] = (
    ((F.IGNORED,), S.IGNORED),
    ((F.ONLY_CRM, F.VOID_CRM), S.IGNORED),
    ((F.ONLY_XERO, F.VOID_XERO), S.IGNORED),
    ((F.OTHER_CURRENCY,), S.DIFFERS),
    ((F.AMBIGUOUS,), S.AMBIGUOUS),
    ((F.DUPLICATE,), S.DUPLICATE),
    ((F.ONLY_CRM, F.TIMING), S.TIMING),
    ((F.ONLY_XERO, F.TIMING), S.TIMING),
    ((F.ONLY_CRM, F.INACTIVE_CRM), S.IGNORED),
    ((F.ONLY_XERO, F.INACTIVE_XERO), S.IGNORED),
    ((F.ONLY_CRM,), S.MISSING_IN_XERO),
    ((F.ONLY_XERO,), S.MISSING_IN_CRM),
    ((F.VOID_CRM, F.VOID_XERO), S.MATCHED),
    ((F.VOID_CRM,), S.VOIDED_ONE_SIDE),
    ((F.VOID_XERO,), S.VOIDED_ONE_SIDE),
    ((F.TIMING, F.AMOUNT_DIFFERS), S.TIMING),
    ((F.TIMING, F.DETAIL_DIFFERS), S.TIMING),
    ((F.DETAIL_DIFFERS,), S.DIFFERS),
    ((F.AMOUNT_DIFFERS, F.WITHIN), S.WITHIN_TOLERANCE),
    ((F.AMOUNT_DIFFERS,), S.DIFFERS),
    ((), S.MATCHED),
)


def decide(findings: Collection[Finding]) -> tuple[MatchStatus, Reason, str]:
    """Status, reason and words of a row of which exactly ``findings`` are true."""
    held = set(findings)
    rule = next(rule for rule in REASONS if held.issuperset(rule.when))
    status = next(status for when, status in STATUSES if held.issuperset(when))
    return status, rule.reason, rule.words
