"""Why a record may not be sent yet: the checks behind the registry's rules (R21, R23), each with its own words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sync_core.model import Record, Side, Status
from sync_core.rules import outgoing
from sync_core.rules.books import Books, Hindrance
from sync_core.rules.compare import blank
from sync_core.rules.declaration import Entity
from sync_core.rules.mapping import lines_of
from sync_core.rules.outgoing import Around

Check = Callable[[Entity, Record, Books, Around], Hindrance | str | None]
ALONE = Around()


def hindrance(
    entity: Entity, record: Record, books: Books, changed: Collection[str] | None = None, around: Around = ALONE
) -> Hindrance | None:
    """The first of the entity's rules that ``record`` breaks, None when it may be sent. ``around``: what stands around it.

    ``changed``: for a record that is linked already, the fields that are to be sent; only rules about these count.
    """
    for rule in entity.rules:
        if changed is not None and not set(rule.also) & set(changed):
            continue
        failed = CHECKS[rule.test](entity, record, books, around)
        if isinstance(failed, Hindrance):
            return failed
        if failed is not None:
            status = Status.EXCLUDED if rule.test in ("open", "alive", "in_use") else Status.BLOCKED
            return Hindrance(rule.name, status, failed or rule.remark)
    return None


def _alive(_entity: Entity, record: Record, _books: Books, _around: Around) -> str | None:
    return "" if record.gone else None


def _open(_entity: Entity, record: Record, _books: Books, _around: Around) -> str | None:
    return None if str(record.fields.get("state")) == "0" else ""


def _required(entity: Entity, record: Record, _books: Books, _around: Around) -> str | None:
    missing = [f.label for f in entity.fields if f.required and blank(record.fields.get(f.name))]
    return (
        f"{missing[0]} is empty in {record.side.label}. Fill it in; the {entity.singular} then goes by itself."
        if missing
        else None
    )


def _priced(_entity: Entity, record: Record, _books: Books, _around: Around) -> str | None:
    return None if str(record.fields.get("pricing_error") or "0") == "0" else ""


def _whole(_entity: Entity, record: Record, books: Books, _around: Around) -> str | None:
    fields = record.fields
    freight = fields.get("freight")
    if isinstance(freight, Decimal) and freight and not (books.freight_account and books.freight_tax):
        return (
            f"It has freight of {freight:,.2f}. Choose the ledger account and the tax rate that freight is booked to in Xero "
            "(the settings freight.account and freight.tax); it then goes by itself."
        )
    if (fields.get("header_discount") or fields.get("header_discount_percentage")) and any(map(_overdone, lines_of(fields))):
        return "Its discount on the whole invoice is larger than its lines. Correct the discount in Dynamics."
    return None


def _overdone(line: Mapping[str, Any]) -> bool:
    """Whether a line that sells something was brought below zero."""
    return (line.get("quantity") or 0) * (line.get("unit_price") or 0) > 0 > (line.get("net") or 0)


def _adds_up(_entity: Entity, record: Record, _books: Books, _around: Around) -> str | None:
    total, lines = record.fields.get("total"), lines_of(record.fields)
    if not isinstance(total, Decimal) or any(line.get("net") is None for line in lines):
        return None
    summed = sum((line["net"] + (line.get("tax") or 0) for line in lines), Decimal(0))
    if summed == total:
        return None
    return (
        f"Its lines come to {summed:,.2f} in Dynamics, its total says {total:,.2f}. Open the invoice in Dynamics and "
        "recalculate it."
    )


def _positive(_entity: Entity, record: Record, _books: Books, _around: Around) -> str | None:
    total = record.fields.get("total")
    return "" if isinstance(total, Decimal) and total < 0 else None


def _unlocked(_entity: Entity, record: Record, books: Books, _around: Around) -> Hindrance | None:
    day = record.fields.get("date")
    if books.locked_until is None or not isinstance(day, date) or day > books.locked_until:
        return None
    return Hindrance(
        "unlocked",
        Status.SKIPPED,
        f"Its date {day.isoformat()} is in a period that is locked in Xero until {books.locked_until.isoformat()}. "
        "Change the date, or move the lock date in Xero.",
    )


def _subscribed(_entity: Entity, record: Record, books: Books, _around: Around) -> str | None:
    currency = str(record.fields.get("currency"))
    if not books.currencies or currency in books.currencies:
        return None
    return f"The currency {currency} is not switched on in Xero. Add it there under Settings, Currencies."


def codes_of(line: Mapping[str, object], books: Books) -> tuple[str, str]:
    """The ledger account and tax rate that a line is sent with, "" where there is none.

    A line's own choice comes first. A product line falls back to the product in Xero, then to the defaults; a write-in
    line has only its own choice (R23).
    """
    if line.get("freight"):
        return books.freight_account, books.freight_tax
    account, tax = str(line.get("account_code") or ""), str(line.get("tax_type") or "")
    product = str(line.get("product") or "")
    if product:
        of_item = books.items.get(product, ("", ""))
        account = account or of_item[0] or books.default_account
        tax = tax or of_item[1] or books.default_tax
    return account, tax


@dataclass(frozen=True, slots=True)
class UncodedLine:
    """A line without a ledger account or a tax rate that Xero has in use.

    ``net``: in ``currency``, before tax. ``account`` and ``tax``: those of both that can stay, else "".
    """

    document: str
    id: str
    position: int
    description: str
    currency: str
    net: Decimal | None
    account: str
    tax: str
    trouble: str


def _coded(_entity: Entity, record: Record, books: Books, _around: Around) -> str | None:
    return next((each.trouble for each in uncoded(record, books)), None)


def uncoded(record: Record, books: Books) -> Iterator[UncodedLine]:
    """The lines of a document that cannot be sent for want of a code that Xero has in use, each with why."""
    for position, line in enumerate(lines_of(record.fields), start=1):
        account, tax = codes_of(line, books)
        text = str(line.get("description") or line.get("product") or "no description")
        lacking = [word for word, code in (("ledger account", account), ("tax rate", tax)) if not code]
        dead = [
            (word, code)
            for word, code, known in (("Ledger account", account, books.accounts), ("Tax rate", tax, books.taxes))
            if code and known and code not in known
        ]
        if lacking:
            what = f"Line {position} “{text}” has no {' and no '.join(lacking)}."
            trouble = f"{what} Choose from the lists on the line in Dynamics, or in Tieout under Problems."
        elif dead:
            word, code = dead[0]
            trouble = f"Line {position} “{text}”: {word.lower()} {code} is archived or missing in Xero. Choose another one."
        else:
            continue
        gone = {code for _, code in dead}
        yield UncodedLine(
            record.id,
            str(line.get("id") or ""),
            position,
            text,
            str(record.fields.get("currency") or ""),
            line.get("net"),
            "" if account in gone else account,
            "" if tax in gone else tax,
            trouble,
        )


CHECKS: dict[str, Check] = {
    "alive": _alive,
    "open": _open,
    "required": _required,
    "priced": _priced,
    "whole": _whole,
    "adds_up": _adds_up,
    "positive": _positive,
    "unlocked": _unlocked,
    "subscribed": _subscribed,
    "coded": _coded,
    "in_use": outgoing.in_use,
    "new": outgoing.new,
    "settles_one": outgoing.settles_one,
    "above_zero": outgoing.above_zero,
    "takes_payments": outgoing.takes_payments,
    "documents_open": outgoing.documents_open,
    "covered": outgoing.covered,
    "one_currency": outgoing.one_currency,
    "one_customer": outgoing.one_customer,
    "rate_known": outgoing.rate_known,
    "distinct": outgoing.distinct,
    "carried_lines": outgoing.carried_lines,
}


def locked_document(record: Record, xero: Record, books: Books) -> str | None:
    """Why an existing Xero document cannot take a change, None when it can."""
    if xero.gone:
        return f"The document is {xero.gone} in Xero. Set the change back in Dynamics, or enter a new document."
    if record.side is Side.CRM and any(xero.fields.get(n) for n in ("amount_paid", "amount_credited")):
        return "A payment or credit note stands on it in Xero. Remove that first, or issue a credit note."
    day = xero.fields.get("date")
    if books.locked_until and isinstance(day, date) and day <= books.locked_until:
        locked = f"Its date {day.isoformat()} is in a period that is locked in Xero until {books.locked_until.isoformat()}."
        return f"{locked} Move the lock date in Xero, or set the change back in Dynamics."
    return None
