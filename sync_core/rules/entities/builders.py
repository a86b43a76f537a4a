"""Short ways to declare what many entities have in common, and the columns that follow from an entity's fields."""

from __future__ import annotations

from dataclasses import replace

from sync_core.model import Side
from sync_core.rules.declaration import At, Entity, Field, Kind, Owner, Stream

CRM, XERO = Side.CRM, Side.XERO
BOTH = frozenset({CRM, XERO})
TO_CRM = frozenset({CRM})
TO_XERO = frozenset({XERO})
ALWAYS = ("modifiedon", "statecode")
"""Columns that are read of every Dynamics record, whatever its fields."""


NOWHERE: frozenset[Side] = frozenset()
Sides = frozenset[Side]


def mirror(
    name: str,
    label: str,
    kind: Kind,
    crm: str,
    xero: str,
    *,
    limit: int | None = None,
    makes: Sides = NOWHERE,
    required: bool = False,
    fallback: str = "",
) -> Field:
    """A field that Xero owns and Tieout copies into one of its own tables in Dynamics."""
    at = At(crm, limit=limit), At(xero)
    return Field(name, label, kind, *at, TO_CRM, Owner.XERO, makes=makes, required=required, fallback=fallback)


def mirrored_reference(
    name: str,
    label: str,
    crm: str,
    xero: str,
    target: str,
    *,
    required: bool = False,
    makes: Sides = NOWHERE,
    tables: tuple[tuple[str, str], ...] = (),
) -> Field:
    """The same for a reference to a record of the entity ``target``; ``tables``: where it stands for one of a certain table."""
    at = At(crm), At(xero, tables=tables)
    return Field(name, label, Kind.REF, *at, TO_CRM, Owner.XERO, entity=target, required=required, makes=makes)


def xero_id(key: str) -> Field:
    """The id of the Xero twin, noted on the Dynamics record."""
    return Field("xero_id", "Xero id", Kind.TEXT, At("tie_xeroid", limit=100), At(key), TO_CRM, Owner.XERO, hidden=True)


def shared(name: str, label: str, crm: At, xero: At, kind: Kind = Kind.TEXT, *, required: bool = False) -> Field:
    """A field that people may edit on either side."""
    return Field(name, label, kind, crm, xero, BOTH, required=required)


def own(table: str) -> Stream:
    """One of Tieout's own tables."""
    return Stream(CRM, table, f"{table}id", own=True, tag="tie_xeroid")


INACTIVE = Field("inactive", "Inactive", Kind.FLAG, At("statecode", values=((1, True),)), None, hidden=True)
"""Whether people took a row of Tieout's own tables out of use."""
CUSTOMER = Field(
    "contact",
    "Contact",
    Kind.REF,
    At("_tie_accountid_value", tables=(("account", "_tie_accountid_value"), ("contact", "_tie_contactid_value"))),
    At("Contact.ContactID"),
    TO_CRM,
    Owner.XERO,
    entity="contacts",
    blocks=False,
)
CURRENCY = Field(
    "currency", "Currency", Kind.CURRENCY, At("_transactioncurrencyid_value"), At("CurrencyCode"), TO_CRM, Owner.XERO
)
TRUE = ((True, True),)


def with_columns(entity: Entity) -> Entity:
    """``entity`` with every Dynamics stream selecting exactly the columns that its fields are read from."""
    crm = tuple(replace(s, columns=_columns(s, (*ALWAYS, *s.columns), _paths(entity, s))) for s in entity.crm)
    lines = tuple(p for f in entity.lines if f.crm is not None for p in f.crm.path.split("|"))
    children = tuple(replace(s, columns=_columns(s, ("modifiedon", s.parent_key, *s.columns), lines)) for s in entity.children)
    return replace(entity, crm=crm, children=children)


def _columns(stream: Stream, always: tuple[str, ...], paths: tuple[str, ...]) -> tuple[str, ...]:
    wanted = (*paths, *always, *([stream.tag] if stream.tag else []))
    return tuple(dict.fromkeys(name for name in wanted if name and name != stream.key))


def _paths(entity: Entity, stream: Stream) -> tuple[str, ...]:
    found: list[str] = []
    for spec in entity.fields:
        if spec.crm is None or spec.kind is Kind.LINES:
            continue
        refers = spec.kind is Kind.REF
        found += [spec.crm.path, *(p for _, p in spec.crm.tables)] if refers else spec.crm.path_in(stream.table).split("|")
    return (*found, *(gone.path for side, gone in entity.gone if side is CRM))
