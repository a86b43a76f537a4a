"""What is missing behind a reconciliation, and what to do about it: sentences for the page and the control file. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from sync_core.model import Side
from sync_core.rules.declaration import Entity
from sync_core.rules.reconcile import Filters


class Missing(StrEnum):
    """What can be missing."""

    CACHE_BEGUN_ANEW = "cache begun anew"
    NEVER_READ = "never read"
    CUT_OFF = "cut off"
    NOT_TAKEN_IN = "not taken in"
    NO_BASE_CURRENCY = "no base currency"
    NO_RATE = "no rate"
    NO_RECORDS = "no records"
    NO_DATA_IN_PERIOD = "no data in period"


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that is missing. ``words`` say what, and what it means; ``remedy`` what to do. ``partial``: the rows that are
    shown are not the whole truth while it lasts.
    """

    missing: Missing
    words: str
    remedy: str
    side: Side | None = None
    partial: bool = False

    @property
    def sentence(self) -> str:
        return f"{self.words} {self.remedy}".strip()


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the cache holds for an entity. ``read`` and ``lists``: lists read to their end, of how many. ``waiting``: records
    whose rows were read but are not taken in. ``unrated``: documents per foreign currency without a rate. ``first`` and
    ``last``: the dates between which documents stand, None when there is none.
    """

    read: Mapping[Side, int]
    lists: Mapping[Side, int]
    records: Mapping[Side, int]
    waiting: int = 0
    unrated: Mapping[str, int] = field(default_factory=dict)
    base_currency: str = ""
    first: date | None = None
    last: date | None = None
    begun_anew: bool = False


SYNC = "Run a sync."


def gaps(entity: Entity, filters: Filters, held: Holdings, rows: int) -> tuple[Gap, ...]:
    """Everything that is missing behind the ``rows`` that ``filters`` leave; empty when nothing is."""
    return tuple(_unread(entity, held)) + tuple(_unrated(entity, held)) + tuple(_empty(entity, filters, held, rows))


def _unread(entity: Entity, held: Holdings) -> Iterator[Gap]:
    sides = [side for side in Side if held.read[side] < held.lists[side]]
    if sides and held.begun_anew:
        words = "The cache could not be read and was begun anew; it is not filled again yet."
        yield Gap(Missing.CACHE_BEGUN_ANEW, words, "Run a full sync. Nothing is lost.", partial=True)
    for side in sides:
        name = entity.label.lower()
        if held.read[side] or held.records[side]:
            words = f"Reading the {name} of {side.label} was cut off, so some look as if they were missing there."
            yield Gap(Missing.CUT_OFF, words, "Run a sync; it goes on where it stopped.", side, partial=True)
        else:
            words = f"The {name} of {side.label} were never read, so those of {side.other.label} look as if they were missing."
            yield Gap(Missing.NEVER_READ, words, SYNC, side, partial=True)
    if held.waiting:
        records = f"{held.waiting:,} record" + ("" if held.waiting == 1 else "s")
        words = f"{records} of the last pull " + ("is" if held.waiting == 1 else "are") + " not taken in yet."
        yield Gap(Missing.NOT_TAKEN_IN, words, "Run a sync, or wait for the one at work.", partial=True)


def _unrated(entity: Entity, held: Holdings) -> Iterator[Gap]:
    if not any(spec.name == "rate" for spec in entity.fields):
        return
    if held.read[Side.XERO] and not held.base_currency:
        words = "Xero's base currency is not known, so no amount can be shown in it."
        yield Gap(Missing.NO_BASE_CURRENCY, words, SYNC, Side.XERO)
    for currency, count in sorted(held.unrated.items()):
        number = f"{count:,} {entity.singular if count == 1 else entity.label.lower()}"
        words = (
            f"{number} in {currency} without an exchange rate in Xero: shown in {currency} only, not in {held.base_currency}."
        )
        yield Gap(Missing.NO_RATE, words, f"Set the rate of {currency} in Xero and sync.", Side.XERO)


def _empty(entity: Entity, filters: Filters, held: Holdings, rows: int) -> Iterator[Gap]:
    name = entity.label.lower()
    if rows:
        return
    if not any(held.records.values()):
        if all(held.read.values()):
            yield Gap(Missing.NO_RECORDS, f"Neither system holds any {name}.", "")
    elif (filters.since or filters.until) and held.first and held.last:
        between = " ".join(_bounds(filters))
        words = f"No {name} dated {between}; there are some from {held.first.isoformat()} to {held.last.isoformat()}."
        yield Gap(Missing.NO_DATA_IN_PERIOD, words, "Choose another period, or clear the other filters.")


def _bounds(filters: Filters) -> Iterable[str]:
    if filters.since:
        yield f"from {filters.since.isoformat()}"
    if filters.until:
        yield f"to {filters.until.isoformat()}"
