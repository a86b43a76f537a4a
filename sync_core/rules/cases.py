"""Cases: differences that people work on. What a case is, what each act makes of it, and when it opens again. Pure.

A case stands under the row that it was opened on ("crm:<id>" or "xero:<id>") and is found by either record of that row later
on, so that it stays the same case when the pair gets linked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sync_core.errors import Rejected
from sync_core.model import Side


class CaseStatus(StrEnum):
    OPEN = "Open"
    IGNORED = "Ignored"
    RESOLVED = "Resolved"


class CaseAct(StrEnum):
    """What can be done with a case; the words stand in the history and in the audit trail."""

    ASSIGN = "assign"
    COMMENT = "comment"
    IGNORE = "ignore"
    RESOLVE = "resolve case"
    REOPEN = "reopen"
    LINK = "link"
    UNLINK = "unlink"

    @property
    def words(self) -> str:
        """What it is called where people read it."""
        return _WORDS[self]


_WORDS = {
    CaseAct.ASSIGN: "given to somebody",
    CaseAct.COMMENT: "comment",
    CaseAct.IGNORE: "set aside",
    CaseAct.RESOLVE: "called done",
    CaseAct.REOPEN: "opened again",
    CaseAct.LINK: "linked",
    CaseAct.UNLINK: "link taken apart",
}

QUIET = frozenset({CaseAct.COMMENT})
"""Acts that leave the case as it is: nobody's undo is hindered by them."""


@dataclass(frozen=True, slots=True)
class RowKey:
    """The two records of a row; None where the row has none."""

    crm_id: str | None
    xero_id: str | None

    @property
    def row_id(self) -> str:
        return f"{Side.CRM}:{self.crm_id}" if self.crm_id else f"{Side.XERO}:{self.xero_id}"

    @property
    def names(self) -> tuple[str, ...]:
        """Every row under which a case of these records may stand, the likelier first."""
        sides = ((Side.CRM, self.crm_id), (Side.XERO, self.xero_id))
        return tuple(f"{side}:{id_}" for side, id_ in sides if id_)

    @classmethod
    def of_row(cls, row_id: str) -> RowKey:
        """Of a row that is known by its id only. Raises Rejected for what is no row's id."""
        side, _, id_ = row_id.partition(":")
        if side not in tuple(Side) or not id_:
            raise Rejected(f"{row_id!r} is no row of the reconciliation. Reload the page and choose again.")
        return cls(id_, None) if side == Side.CRM else cls(None, id_)


@dataclass(frozen=True, slots=True)
class Case:
    """A difference that a person works on. ``row`` is the row that it was opened on, ``row_id`` the one it stands in.

    ``expires``: the last day on which it is ignored, None for ever. The prints are of what either record held when the case
    was ignored. ``opened_again`` says why a case that was ignored is open now, "" otherwise.
    """

    entity: str
    row: str
    crm_id: str | None
    xero_id: str | None
    status: CaseStatus
    assignee: str
    reason: str
    expires: date | None
    crm_print: str
    xero_print: str
    opened_at: datetime
    changed_at: datetime
    changed_by: str
    opened_again: str = ""

    @property
    def key(self) -> RowKey:
        return RowKey(self.crm_id, self.xero_id)

    @property
    def row_id(self) -> str:
        return self.key.row_id


@dataclass(frozen=True, slots=True)
class CaseEntry:
    """One act on a case. ``batch`` is shared by all rows of one act; ``undone_at`` is set when it was taken back."""

    number: int
    batch: str
    entity: str
    row: str
    who: str
    act: str
    note: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    at: datetime
    undone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the cache holds of a record now: its print, and the record that it is linked with ("" when it is not)."""

    print: str
    partner: str


def opened(entity: str, key: RowKey, who: str, at: datetime) -> Case:
    """A new case on a row."""
    return Case(entity, key.row_id, key.crm_id, key.xero_id, CaseStatus.OPEN, "", "", None, "", "", at, at, who)


def on_row(case: Case, key: RowKey) -> Case:
    """``case`` with the records that its row holds now."""
    return replace(case, crm_id=key.crm_id or case.crm_id, xero_id=key.xero_id or case.xero_id)


def why_open(case: Case, crm: Standing | None, xero: Standing | None, today: date) -> str:
    """Why an ignored case is open again; "" while it stays ignored.

    A record that the cache does not hold proves nothing: the cache may be new.
    """
    if case.status is not CaseStatus.IGNORED:
        return ""
    if case.expires is not None and today > case.expires:
        return f"It was ignored until {case.expires.isoformat()}."
    for side, standing, other in ((Side.CRM, crm, case.xero_id), (Side.XERO, xero, case.crm_id)):
        known = case.crm_print if side is Side.CRM else case.xero_print
        if standing is None:
            continue
        if standing.print != known:
            return f"It changed in {side.label} since it was set aside."
        if standing.partner and standing.partner != (other or ""):
            return f"Its record in {side.label} was linked with another one since it was set aside."
    return ""


def checked_note(text: str, what: str) -> str:
    """``text`` without outer spaces. Raises Rejected when nothing is left, or more than a note can be."""
    kept = text.strip()
    if not kept:
        raise Rejected(f"{what} is empty. Write a few words, so that others can follow.")
    if len(kept) > MOST_CHARACTERS:
        raise Rejected(f"{what} has {len(kept):,} characters; {MOST_CHARACTERS:,} is the most. Shorten it.")
    return kept


MOST_CHARACTERS = 4000


def checked_who(who: str) -> str:
    """The acting person's name. Raises Rejected when it is blank: every act is somebody's."""
    if not who.strip():
        raise Rejected("Nobody is named as the one who does this. Sign in, or say who you are.")
    return who.strip()
