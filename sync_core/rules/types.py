"""Relationship types: which type a Dynamics record has in Xero, what that moves there, and the words for it (R17, R18).

Xero sets IsCustomer and IsSupplier by itself, so a type is a contact group of that name. Pure: the mapping as people set it
up comes in, decisions and sentences go out. Standard values of ``customertypecode``: Dataverse table reference of both tables.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sync_core.errors import Rejected

TABLES = ("account", "contact")
PREFIX = "type."


class ContactType(StrEnum):
    """What a record is in Xero. All but CONTACT are a contact group of exactly that name."""

    CUSTOMER = "Customer"
    VENDOR = "Vendor"
    EMPLOYEE = "Employee"
    CONTACT = "Contact"


GROUPED: tuple[ContactType, ...] = tuple(t for t in ContactType if t is not ContactType.CONTACT)
STANDARD: dict[str, dict[str, str]] = {
    "account": {
        "1": "Competitor",
        "2": "Consultant",
        "3": "Customer",
        "4": "Investor",
        "5": "Partner",
        "6": "Influencer",
        "7": "Press",
        "8": "Prospect",
        "9": "Reseller",
        "10": "Supplier",
        "11": "Vendor",
        "12": "Other",
    },
    # Every new contact has this one; organisations add their own values beside it.
    "contact": {"1": "Default Value"},
}
DEFAULTS = {"3": ContactType.CUSTOMER, "10": ContactType.VENDOR, "11": ContactType.VENDOR}


@dataclass(frozen=True, slots=True)
class TypeMap:
    """``chosen``: (Dynamics table, value of ``customertypecode``) -> type, where people decided otherwise than the default."""

    chosen: Mapping[tuple[str, str], ContactType] = field(default_factory=dict)

    def of(self, table: str, code: str | None) -> ContactType:
        """The type of a record; CONTACT for no, a blank, an unknown or an unmapped value."""
        if not code:
            return ContactType.CONTACT
        return self.chosen.get((table, code)) or DEFAULTS.get(code, ContactType.CONTACT)

    def knows(self, table: str, code: str) -> bool:
        """Whether a value is one of Dynamics' own, or somebody decided what it means."""
        return code in STANDARD[table] or (table, code) in self.chosen

    def grouped(self) -> dict[tuple[str, str], ContactType]:
        """Every (table, value) whose records belong to a group."""
        keys = {(table, code) for table in TABLES for code in DEFAULTS} | set(self.chosen)
        return {key: kind for key in sorted(keys) if (kind := self.of(*key)) is not ContactType.CONTACT}


def type_key(table: str, code: str) -> str:
    """The name under which the mapping of one value is kept: "type.account.3"."""
    return f"{PREFIX}{table}.{code}"


def type_map(kept: Mapping[str, str]) -> TypeMap:
    """The mapping from what is kept (see :func:`type_key`). A value that is no type counts as unmapped."""
    chosen = {}
    for key, text in kept.items():
        table, _, code = key.removeprefix(PREFIX).partition(".")
        if table in TABLES and code:
            chosen[table, code] = ContactType(text) if text in set(ContactType) else ContactType.CONTACT
    return TypeMap(chosen)


@dataclass(frozen=True, slots=True)
class Moves:
    """What one contact's membership needs. ``left``: type groups that somebody else put it in; they are not touched."""

    add: ContactType | None = None
    remove: tuple[ContactType, ...] = ()
    left: tuple[ContactType, ...] = ()

    @property
    def none(self) -> bool:
        return self.add is None and not self.remove


def moves(wanted: ContactType, present: Collection[str], agreed: Collection[str]) -> Moves:
    """From the type in Dynamics, the type groups that Xero shows, and those that Tieout put or found it in before.

    Dynamics owns the type. A group that was never this record's type as far as Tieout knows is somebody's own doing in Xero.
    """
    others = [t for t in GROUPED if t is not wanted and t in present]
    add = wanted if wanted is not ContactType.CONTACT and wanted not in present else None
    return Moves(add, tuple(t for t in others if t in agreed), tuple(t for t in others if t not in agreed))


def standing_remark(mapped: TypeMap, table: str, code: str | None, left: Collection[ContactType] = ()) -> str:
    """How a contact stands by its type, as one sentence."""
    kind = mapped.of(table, code)
    if kind is not ContactType.CONTACT:
        return f"In Xero's contact group {kind}{_beside(left)}."
    if not code:
        why = "No relationship type in Dynamics"
    elif not mapped.knows(table, code):
        why = f"Relationship type {code} is not in the type mapping"
    else:
        named = STANDARD[table].get(code, code)
        why = f"Relationship type {named} has no group of its own"
    where = f"{_beside(left)[2:]}" if left else "in no contact group"
    return f"{why}: a plain contact in Xero, {where}."


def _beside(left: Collection[ContactType]) -> str:
    return f", left in the group {' and '.join(left)} where somebody put it" if left else ""


def moved_remark(wanted: ContactType, done: Moves) -> str:
    """What was done to a contact's membership, "" when nothing was."""
    parts = [f"put into Xero's contact group {wanted}"] if done.add else []
    parts += [f"taken out of the group {kind}" for kind in done.remove]
    return f"Relationship type brought to Xero: {' and '.join(parts)}." if parts else ""


def refused_remark(still: Moves, message: str) -> str:
    """Why a contact is not in its type's group, or still in an old one."""
    if still.add is not None:
        return f"It could not be put into Xero's contact group {still.add}, where its relationship type belongs. {message}"
    return f"It could not be taken out of Xero's contact group {' and '.join(still.remove)}. {message}"


_SHUT_OUT = "Its contact group in Xero ("


def shut_out_remark(kind: ContactType, message: str) -> str:
    """What is said behind a contact's remark when the app may not use contact groups at all; ``message`` names the right."""
    return f"{_SHUT_OUT}{kind}) could not be read or written. {message}"


def let_in(remark: str) -> str:
    """A remark without that."""
    return remark.partition(_SHUT_OUT)[0].rstrip()


def preview_note(count: int) -> str:
    """What a dry run says of memberships that would change."""
    return f"Relationship types: {count} contact{'s' if count != 1 else ''} would change contact group in Xero."


@dataclass(frozen=True, slots=True)
class TypeLine:
    """One line of the mapping page. ``label``: Dynamics' own word, "" for a value that was added there.

    ``decided``: somebody chose the type, it is not the default. ``records``: how many records of the table hold the value.
    """

    table: str
    code: str
    label: str
    type: ContactType
    decided: bool
    records: int


@dataclass(frozen=True, slots=True)
class TypeMapping:
    """The mapping page: whether types are brought to Xero at all, and every value that Dynamics has or that was mapped."""

    on: bool
    lines: tuple[TypeLine, ...]


def type_lines(mapped: TypeMap, in_use: Mapping[tuple[str, str], int]) -> tuple[TypeLine, ...]:
    """A line per table and value, in the order of the values."""
    keys = {(table, code) for table in TABLES for code in STANDARD[table]} | set(mapped.chosen) | set(in_use)
    ordered = sorted(keys, key=lambda key: (key[0], len(key[1]), key[1]))
    return tuple(
        TypeLine(t, c, STANDARD[t].get(c, ""), mapped.of(t, c), (t, c) in mapped.chosen, in_use.get((t, c), 0))
        for t, c in ordered
    )


def checked(table: str, code: str, kind: str) -> ContactType:
    """The type that a person chose for a value. Raises Rejected naming what cannot be."""
    if table not in TABLES:
        raise Rejected(f"Types are mapped for {' and '.join(TABLES)}, not for {table}. Choose one of these.", field="table")
    if not code.isdecimal():
        raise Rejected("A relationship type is a whole number, as Dynamics keeps it. Choose from the list.", field="code")
    if kind not in set(ContactType):
        raise Rejected(f"Choose one of {', '.join(ContactType)}.", field="type")
    return ContactType(kind)


@dataclass(frozen=True, slots=True)
class Relationship:
    """One contact's type beside what Xero concludes from its documents. Flags and ``groups`` are None, () when unlinked."""

    code: str | None
    type: ContactType
    is_customer: bool | None = None
    is_supplier: bool | None = None
    groups: tuple[str, ...] = ()
