"""The shapes in which an entity is declared: streams, fields, places. ``entities`` fills them in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from sync_core.model import Side, Value


class Kind(StrEnum):
    """How a field is read, compared and written (see ``mapping`` and ``compare``)."""

    TEXT = "text"
    NAME = "name"
    PHONE = "phone"
    EMAIL = "email"
    MONEY = "money"
    QUANTITY = "quantity"
    RATE = "rate"
    COUNT = "count"
    DATE = "date"
    FLAG = "flag"
    REF = "ref"
    CURRENCY = "currency"
    CHOICE = "choice"
    WORDS = "words"
    """Text of which a Dynamics id at its end is no part (see ``tags``)."""
    TAG = "tag"
    """That Dynamics id."""
    BANK = "bank"
    """An account that takes payments, by its id in Xero; people may write its code or name in Dynamics."""
    LINES = "lines"


class Owner(StrEnum):
    """Who wins when both sides hold different values and neither is plainly the newer."""

    CRM = "crm"
    XERO = "xero"
    NEWER = "newer"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of row that a system lists.

    ``table``: Dynamics logical name, or Xero's plural resource name. ``key``: the native name of its id.
    ``columns``: what is selected in Dynamics (Xero always answers whole rows). ``parent_key``: for child rows, the native
    name of the parent's id. ``within``: the array of the parent's row that holds these rows (Xero lines and allocations
    have no list of their own), "" for a stream that is pulled.
    ``incremental``: False where the system has no way to list changes. ``paged``: False where Xero ignores ``page``.
    ``where``: a fixed Xero filter. ``archived``: ask Xero for archived rows too. ``optional``: may be missing or switched off.
    ``own``: a table that Tieout provisions. ``tag``: the native field that carries the other side's id. ``unguarded``: the
    system takes a second copy of a record without complaint, so only looking tells whether a first one arrived.
    """

    side: Side
    table: str
    key: str
    columns: tuple[str, ...] = ()
    parent_key: str = ""
    within: str = ""
    incremental: bool = True
    paged: bool = True
    where: str = ""
    archived: bool = False
    optional: bool = False
    own: bool = False
    tag: str = ""
    unguarded: bool = False

    @property
    def name(self) -> str:
        """Unique name: "crm.account", "xero.Invoices", "xero.CreditNotes.LineItems"."""
        return f"{self.side}.{self.table}" + (f".{self.within}" if self.within else "")


@dataclass(frozen=True, slots=True)
class At:
    """Where a field stands in one side's native row.

    ``path``: dotted, with ``[Key=Value]`` to pick an element of an array: ``Phones[PhoneType=DEFAULT].PhoneNumber``.
    ``tables``: another path for rows of a certain table. ``limit``: characters that the system can hold.
    ``write``: the name to write under when it is not the name that is read. ``entity``: for references, what is referred to.
    ``values``: for choices and flags, native value -> canonical value.
    """

    path: str
    tables: tuple[tuple[str, str], ...] = ()
    limit: int | None = None
    write: str = ""
    values: tuple[tuple[object, object], ...] = ()

    def path_in(self, table: str) -> str:
        return dict(self.tables).get(table, self.path) if self.tables else self.path


@dataclass(frozen=True, slots=True)
class Field:
    """One canonical field of an entity and its place on either side.

    ``to``: the sides that Tieout may write it to. ``owner``: who wins a clash. ``once``: written when the record is made,
    never compared afterwards. ``entity``: what a reference refers to. ``required``: a record without it is not sent.
    ``hidden``: not for people. ``blocks``: a reference whose record is not linked yet holds this one back; otherwise it is
    left blank and filled in later. ``fallback``: the field whose value a new record is made with when this one is blank.
    ``makes``: sides where a new record is made with it, although it is never written there afterwards.
    """

    name: str
    label: str
    kind: Kind
    crm: At | None
    xero: At | None
    to: frozenset[Side] = frozenset()
    owner: Owner = Owner.ASK
    once: bool = False
    entity: str = ""
    required: bool = False
    hidden: bool = False
    blocks: bool = True
    fallback: str = ""
    makes: frozenset[Side] = frozenset()

    def at(self, side: Side) -> At | None:
        return self.crm if side is Side.CRM else self.xero


@dataclass(frozen=True, slots=True)
class Gone:
    """Which native value says that a record no longer counts as alive, and how people call that."""

    path: str
    value: object
    means: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One eligibility rule, shown to the user. ``test`` names a check in ``rules.eligibility``; ``remark`` says what failed.

    ``also``: fields whose change on a record that is linked already must pass the rule as well.
    """

    name: str
    test: str
    remark: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Switch:
    """A setting, off by default, under which new records are made on a further side. ``label``: what people call it."""

    setting: str
    label: str
    side: Side


@dataclass(frozen=True, slots=True)
class WholeAmounts:
    """Columns of a Dynamics document for what stands on the whole of it and on no line.

    ``discount`` is an amount, ``percentage`` is of ``lines`` (the sum of the lines); ``less_discount`` is that sum after both.
    """

    discount: str
    percentage: str
    freight: str
    lines: str
    less_discount: str


@dataclass(frozen=True, slots=True)
class Entity:
    """One kind of record that is kept in step. There is one algorithm; everything that differs is said here.

    ``crm`` and ``xero``: the tables that hold it; new records are made in the first. ``children``: the Dynamics table of its
    lines. ``parents``: entities that come before it. ``create_in``: sides where a missing twin is made.
    ``match``: canonical fields that make an exact pair, in order, with the name of the pass. ``accept``: native values per
    side that belong to this entity at all; others are not Tieout's business. ``gone``: per side. ``read_only``: the field
    and its values with which Dynamics refuses every change but one of that state. ``constants``: native values that every
    new record of a side is made with where no field says otherwise. ``whole``: amounts of a Dynamics document that Xero can
    only hold on lines. ``switch``: what makes people's own records in Dynamics go to Xero. ``carried``: the reference to the
    record that these go to Xero inside of. ``settles``: references to the documents that an amount is set against, exactly
    one of each group. ``alike``: fields by which unlinked records that carry no tag are known for the same, the documents
    first. ``on_create``: the setting that, being off, leaves it to people which new records of Dynamics are sent. ``moves``:
    entities whose Xero records change when one of these is made there. ``completes``: references to
    records that are only half done while one of these is not in Xero yet.
    """

    name: str
    label: str
    singular: str
    crm: tuple[Stream, ...]
    xero: tuple[Stream, ...]
    fields: tuple[Field, ...]
    children: tuple[Stream, ...] = ()
    lines: tuple[Field, ...] = ()
    parents: tuple[str, ...] = ()
    create_in: frozenset[Side] = frozenset()
    match: tuple[tuple[str, str], ...] = ()
    accept: tuple[tuple[Side, str, tuple[str, ...]], ...] = ()
    gone: tuple[tuple[Side, Gone], ...] = ()
    rules: tuple[Rule, ...] = ()
    title: str = "name"
    optional: bool = False
    read_only: tuple[str, tuple[str, ...]] = ("", ())
    constants: tuple[tuple[Side, str, Value], ...] = ()
    whole: WholeAmounts | None = None
    switch: Switch | None = None
    carried: str = ""
    settles: tuple[tuple[str, ...], ...] = ()
    alike: tuple[str, ...] = ()
    on_create: str = ""
    moves: tuple[str, ...] = ()
    completes: tuple[str, ...] = ()

    def streams(self, side: Side) -> tuple[Stream, ...]:
        return self.crm if side is Side.CRM else self.xero

    def stream_of(self, side: Side, table: str) -> Stream:
        for stream in self.streams(side):
            if stream.table == table:
                return stream
        raise KeyError(f"{self.name} has no table {table} in {side.label}")

    @property
    def tag(self) -> str:
        """The field whose place in Xero is the stream's tag: the number of an invoice, the Dynamics id of a contact."""
        path = self.xero[0].tag
        held = (f for f in self.fields if f.xero is not None and f.xero.path == path and f.kind is not Kind.WORDS)
        return next((f.name for f in held), "")

    def field(self, name: str) -> Field:
        for candidate in self.fields:
            if candidate.name == name:
                return candidate
        raise KeyError(f"{self.name} has no field {name}")


_SWITCHED: dict[int, tuple[Entity, Entity]] = {}
"""By the identity of an entity as declared: itself, so that no other can have the same, and what it is with its switch on."""


def switched(entity: Entity, on: Collection[str]) -> Entity:
    """``entity`` under the settings that are ``on``: it makes records on a further side, and what people wrote into them is
    not overwritten any more without asking.
    """
    switch = entity.switch
    if switch is None or switch.setting not in on:
        return entity
    if id(entity) not in _SWITCHED:
        fields = tuple(replace(f, owner=Owner.ASK) if switch.side in f.makes and not f.hidden else f for f in entity.fields)
        made_in = entity.create_in if entity.carried else entity.create_in | {switch.side}
        _SWITCHED[id(entity)] = entity, replace(entity, create_in=made_in, fields=fields)
    return _SWITCHED[id(entity)][1]
