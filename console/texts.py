"""Words, numbers and instants as the pages write them. Pure; nothing here draws.

Shapes never stand without their word, and no colour says what a shape does not. Amounts carry their currency's own decimals
and a minus sign; instants are in the reader's zone, which is named.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.numbers import get_currency_precision

from sync_core.model import MatchStatus, RunStatus, Status

MATCH_WORDS: dict[MatchStatus, str] = {
    MatchStatus.MATCHED: "● ties out",
    MatchStatus.WITHIN_TOLERANCE: "◐ within tolerance",
    MatchStatus.DIFFERS: "▲ differs",
    MatchStatus.MISSING_IN_CRM: "◄ missing in Dynamics",
    MatchStatus.MISSING_IN_XERO: "► missing in Xero",
    MatchStatus.DUPLICATE: "◆ duplicate",
    MatchStatus.AMBIGUOUS: "◇ ambiguous",
    MatchStatus.TIMING: "◔ timing",
    MatchStatus.VOIDED_ONE_SIDE: "◧ void on one side",
    MatchStatus.IGNORED: "○ set aside",
}
SETTLED = frozenset({MatchStatus.MATCHED, MatchStatus.WITHIN_TOLERANCE, MatchStatus.IGNORED})
"""Rows that need nobody. All others are open."""

STATUS_WORDS: dict[Status, str] = {
    Status.NEVER_SYNCED: "○ never synced",
    Status.QUEUED: "… queued",
    Status.SYNCING: "… running",
    Status.SUCCESS: "● in step",
    Status.FAILED: "✕ failed",
    Status.SKIPPED: "○ skipped",
    Status.CONFLICT: "▲ conflict",
    Status.BLOCKED: "■ blocked",
    Status.EXCLUDED: "○ excluded",
    Status.MISSING_IN_CRM: "◄ missing in Dynamics",
    Status.MISSING_IN_XERO: "► missing in Xero",
    Status.NEEDS_REVIEW: "◆ needs review",
}
RUN_WORDS: dict[RunStatus, str] = {
    RunStatus.RUNNING: "… running",
    RunStatus.SUCCESS: "● success",
    RunStatus.PREVIEW: "○ preview",
    RunStatus.PARTIAL: "◐ partly",
    RunStatus.REFUSED: "■ stopped, not written",
    RunStatus.FAILED: "✕ failed",
    RunStatus.BUSY: "○ busy",
    RunStatus.CONFIGURE: "✕ a setting is wrong",
}
XERO_TYPES = {
    "ACCREC": "sales invoice",
    "ACCPAY": "bill",
    "ACCRECCREDIT": "sales credit note",
    "ACCPAYCREDIT": "supplier credit note",
    "ACCRECPAYMENT": "payment",
    "ACCPAYPAYMENT": "payment of a bill",
    "ARCREDITPAYMENT": "refund of a credit note",
    "AROVERPAYMENTPAYMENT": "refund of an overpayment",
    "ARPREPAYMENTPAYMENT": "refund of a prepayment",
    "RECEIVE-PREPAYMENT": "prepayment",
    "RECEIVE-OVERPAYMENT": "overpayment",
    "Invoices": "sales invoice",
    "CreditNotes": "sales credit note",
    "Payments": "payment",
    "Prepayments": "prepayment",
    "Overpayments": "overpayment",
    "BatchPayments": "batch payment",
    "Contacts": "contact",
}
"""What Xero calls a kind of record, as people call it (developer.xero.com: types of invoices, credit notes and payments)."""
_MARKDOWN = re.compile(r"([!-/:-@\[-`{-~])")
_LINKS = re.compile(r"(?<=[:@])(?=\S)|(?<=www)(?=\.)", re.IGNORECASE)
JOINER = "\u2060"
"""Takes no room. Addresses are made into links, and :words: into pictures, after Markdown's own escapes are read."""
_ONE_OF_MANY = re.compile(r"\b1 (\w[\w ]*?)(?:(ies)|s)(?=,|$)")
_BREAKS = re.compile(r"[\r\n\t]+")


def plain(text: str) -> str:
    """``text`` that was written elsewhere, so that Markdown draws it as it is: no link, picture, formula or emphasis in it."""
    apart = _LINKS.sub(JOINER, _BREAKS.sub(" ", text))
    return _MARKDOWN.sub(r"\\\1", apart)


def amount(value: Decimal | None, currency: str) -> str:
    """ "-1,284.10" with the currency's decimals, and more only where cutting them would change it; "" for no amount."""
    if value is None:
        return ""
    places = get_currency_precision(currency) if currency else 2
    rounded = round(value, places)
    return f"{rounded:,.{places}f}" if rounded == value else f"{value.normalize():,f}"


def signed(value: Decimal, currency: str) -> str:
    """ "+40.00", "-0.01": an amount that moves another one."""
    return f"{'+' if value > 0 else ''}{amount(value, currency)}"


def money(value: Decimal, currency: str) -> str:
    """ "NZD -1,284.10"."""
    return f"{currency} {amount(value, currency)}".strip()


def count(number: int, singular: str, plural: str = "") -> str:
    """ "1 invoice", "1,200 invoices"."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def scope_words(scope: str) -> str:
    """What a run looked at, as people say it: "invoices:4d99…, invoices:9a01…" are chosen invoices.

    A pair may be named by both its ids, so they are not counted.
    """
    kinds = [part.partition(":")[0] for part in scope.split(", ") if ":" in part]
    if not kinds:
        return _ONE_OF_MANY.sub(lambda one: f"1 {one[1]}{'y' if one[2] else ''}", scope.replace("_", " "))
    return f"chosen {listed([kind.replace('_', ' ') for kind in dict.fromkeys(kinds)])}"


def listed(parts: Sequence[str]) -> str:
    """ "a, b and c"."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1]))) if parts else ""


def lower_first(label: str) -> str:
    return label[:1].lower() + label[1:]


def reason_words(reason: str) -> str:
    """A reason of a difference as the pages call it."""
    return "set aside" if reason == "ignored" else reason


def state_words(state: str) -> str:
    """A document's own status. Xero shouts its statuses; Dynamics does not."""
    return state.capitalize() if state.isupper() else state


def ago(at: datetime | None, now: datetime) -> str:
    """How long ago, in the largest unit that says enough; "never" for None."""
    if at is None:
        return "never"
    minutes = int((now - at).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 120:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // 1440} days ago"


def lasting(time: timedelta) -> str:
    seconds = time.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def every(minutes: int) -> str:
    """ "every 15 minutes", "every hour"."""
    if minutes % 1440 == 0:
        return "every day" if minutes == 1440 else f"every {minutes // 1440} days"
    if minutes % 60 == 0:
        return "every hour" if minutes == 60 else f"every {minutes // 60} hours"
    return "every minute" if minutes == 1 else f"every {minutes} minutes"


def zone(name: str | None) -> tzinfo:
    """The reader's zone; UTC where the browser names none that is known."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def zone_name(where: tzinfo) -> str:
    return getattr(where, "key", "UTC")


def when(at: datetime | None, where: tzinfo) -> str:
    """ "2026-11-23 15:38" in the zone ``where``; "never" for None."""
    return f"{at.astimezone(where):%Y-%m-%d %H:%M}" if at is not None else "never"


def day(value: date | None) -> str:
    return value.isoformat() if value is not None else ""
