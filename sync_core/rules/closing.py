"""Periods that are signed off: what was signed, and what changed in it since, field by field. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sync_core.errors import Rejected
from sync_core.model import Side, Value
from sync_core.rules.declaration import Entity, Field, Kind
from sync_core.rules.reconcile import CRM_INVOICE_STATES, amount_text
from sync_core.rules.side_by_side import pair_lines

Fields = Mapping[str, Value]
NameOf = Callable[[str], str]
_SHOWN_THOUGH_HIDDEN = ("total", "total_tax", "state")


class CloseStatus(StrEnum):
    PREPARED = "Prepared"
    SIGNED = "Signed"
    REOPENED = "Reopened"


@dataclass(frozen=True, slots=True)
class LockDates:
    """Xero's lock dates, both included; None: nothing is locked."""

    period: date | None
    end_of_year: date | None

    @property
    def until(self) -> date | None:
        """The last day that takes no change."""
        return max((day for day in (self.period, self.end_of_year) if day is not None), default=None)


@dataclass(frozen=True, slots=True)
class SignOff:
    """A period that somebody prepared, and that another one signed. Both days are included.

    ``totals``: entity -> its control totals, amounts as text. ``about``: age of the data, lock dates, number of records, and
    the head of the audit trail, as they were when it was prepared. ``digest``: of all of that and of every record's hash.
    """

    number: int
    starts: date
    ends: date
    status: CloseStatus
    preparer: str
    prepared_at: datetime
    reviewer: str
    signed_at: datetime | None
    reopened_by: str
    reopened_at: datetime | None
    note: str
    run: str
    totals: Mapping[str, Sequence[Mapping[str, Any]]]
    about: Mapping[str, Any]
    digest: str

    @property
    def label(self) -> str:
        return f"{self.starts.isoformat()} to {self.ends.isoformat()}"

    def overlaps(self, starts: date, ends: date) -> bool:
        return self.starts <= ends and starts <= self.ends


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that holds something else than before, as files write it; "" is blank. ``money``: both are amounts."""

    label: str
    before: str
    after: str
    money: bool = False


@dataclass(frozen=True, slots=True)
class Changed:
    """A document of a signed period that changed since. ``later``: the period did not have it then."""

    entity: str
    side: Side
    id: str
    later: bool

    @property
    def key(self) -> tuple[str, Side, str]:
        return self.entity, self.side, self.id


@dataclass(frozen=True, slots=True)
class LateChange:
    """One field of a document in a signed period that changed since: when Tieout read it, and in which run.

    ``money``: before and after are amounts, which people read with thousands apart and files hold without.
    """

    entity: str
    side: Side
    id: str
    number: str
    label: str
    before: str
    after: str
    at: datetime | None
    run: str
    money: bool = False


LATE_COLUMNS = tuple(field.name for field in fields(LateChange) if field.name != "money")


def checked_reviewer(sign_off: SignOff, who: str) -> str:
    """Raises Rejected when the one who signs is the one who prepared, or when there is nothing to sign."""
    if sign_off.status is not CloseStatus.PREPARED:
        raise Rejected(f"The period {sign_off.label} is {sign_off.status.lower()} already. Reload the page.")
    if " ".join(who.casefold().split()) == " ".join(sign_off.preparer.casefold().split()):
        raise Rejected(f"{sign_off.preparer} prepared this period. Somebody else must sign it.", field="reviewer")
    return who


def checked_period(starts: date, ends: date, today: date, others: Iterable[SignOff]) -> None:
    """Raises Rejected when the days are no period, or another sign-off stands on one of them."""
    if starts > ends:
        raise Rejected(f"The period ends ({ends}) before it begins ({starts}). Turn the days round.", field="ends")
    if ends > today:
        raise Rejected(f"The period is not over before {ends.isoformat()}. Choose an earlier end.", field="ends")
    for other in others:
        if other.status is not CloseStatus.REOPENED and other.overlaps(starts, ends):
            raise Rejected(
                f"The period {other.label} is {other.status.lower()}. Open it again first, or choose days outside of it.",
                field="starts",
            )


def digest(totals: str, records: Iterable[tuple[str, str, str, str]]) -> str:
    """SHA-256 over the totals (as canonical JSON) and every (entity, side, id, hash), in their order."""
    made = hashlib.sha256(totals.encode())
    for record in records:
        made.update("\x1f".join(record).encode() + b"\n")
    return made.hexdigest()


def field_changes(entity: Entity, before: Fields, after: Fields, name_of: NameOf) -> Iterator[FieldChange]:
    """What people would see change between two versions of a record; of lines, each field of each line."""
    currency = str(after.get("currency") or before.get("currency") or "")
    for spec in entity.fields:
        was, now = before.get(spec.name), after.get(spec.name)
        if was == now or (spec.hidden and spec.name not in _SHOWN_THOUGH_HIDDEN):
            continue
        if spec.kind is Kind.LINES:
            yield from _line_changes(entity, _lines(was), _lines(now), currency)
        else:
            texts = [_text(entity, spec, value, currency, name_of) for value in (was, now)]
            if texts[0] != texts[1]:
                yield FieldChange(spec.label, texts[0], texts[1], spec.kind is Kind.MONEY)


def _lines(value: Value) -> tuple[Mapping[str, Any], ...]:
    return value if isinstance(value, tuple) else ()


def _line_changes(
    entity: Entity, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], currency: str
) -> Iterator[FieldChange]:
    names = {spec.label: spec.name for spec in entity.lines} | {"Amount before tax": "net"}
    amounts = {spec.name for spec in entity.lines if spec.kind is Kind.MONEY} | {"net"}
    for number, pair in enumerate(pair_lines(entity, before, after), 1):
        if pair.crm is None or pair.xero is None:
            yield FieldChange(f"Line {number}", _line(pair.crm), _line(pair.xero))
            continue
        for label in pair.differing:
            name = names.get(label, label)
            texts = [side.get(name, "") for side in (pair.crm, pair.xero)]
            if name in amounts:
                texts = [amount_text(Decimal(text), currency) if text else "" for text in texts]
            yield FieldChange(f"Line {number}: {label}", texts[0], texts[1], name in amounts)


def _line(values: Mapping[str, str] | None) -> str:
    if values is None:
        return ""
    return ", ".join(values[name] for name in ("description", "quantity", "net") if values.get(name))


def _text(entity: Entity, spec: Field, value: Value, currency: str, name_of: NameOf) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, Decimal):
        return amount_text(value, currency) if spec.kind is Kind.MONEY else f"{value.normalize():f}"
    if isinstance(value, date):
        return value.isoformat()
    text = name_of(str(value)) if spec.kind is Kind.REF else str(value)
    return CRM_INVOICE_STATES.get(text, text) if entity.name == "invoices" and spec.name == "state" else text
