"""The registry: what is kept in step, where it stands in either system, which way each field may flow and who owns it.

Adding an entity means adding it here (and to the sandbox, and a scenario); no page and no engine code knows their names.
Sources: Dataverse table reference and Xero's public OpenAPI description; the ``tie_`` tables are provisioned by Tieout.
"""

from __future__ import annotations

from sync_core.rules.declaration import Entity, Field, Stream
from sync_core.rules.entities.builders import with_columns
from sync_core.rules.entities.parties import contacts
from sync_core.rules.entities.receipts import allocations, batch_payments, credit_note_lines, credit_notes, payments
from sync_core.rules.entities.reference_data import (
    CONTACT_GROUPS,
    CURRENCIES,
    DETAILS,
    GROUP_MEMBERS,
    ORGANISATION,
    branding_themes,
    currencies,
    ledger_accounts,
    tax_rates,
)
from sync_core.rules.entities.sales import invoices, products

__all__ = [
    "CONTACT_GROUPS",
    "CURRENCIES",
    "DETAILS",
    "ENTITIES",
    "GROUP_MEMBERS",
    "ORGANISATION",
    "Entity",
    "Field",
    "Stream",
    "carried_by",
    "carrier",
    "completing",
    "entity",
    "in_parent_order",
]

ENTITIES: tuple[Entity, ...] = tuple(
    map(
        with_columns,
        (
            currencies,
            tax_rates,
            ledger_accounts,
            branding_themes,
            contacts,
            products,
            invoices,
            batch_payments,
            credit_notes,
            credit_note_lines,
            payments,
            allocations,
        ),
    )
)


def entity(name: str) -> Entity:
    """The entity called ``name``. Raises KeyError that lists the names there are."""
    for candidate in ENTITIES:
        if candidate.name == name:
            return candidate
    raise KeyError(f"There is no entity called {name}. There are: {', '.join(e.name for e in ENTITIES)}.")


def carried_by(name: str) -> tuple[Entity, ...]:
    """The entities whose records go to Xero inside a new record of the entity ``name``."""
    return tuple(e for e in ENTITIES if e.carried and e.field(e.carried).entity == name)


def completing(name: str) -> tuple[tuple[Entity, str], ...]:
    """Entities, and their reference, without whose records in Xero one of the entity ``name`` is only half done."""
    return tuple((e, f) for e in ENTITIES for f in e.completes if e.field(f).entity == name)


def carrier(stream: Stream) -> Stream:
    """The stream that brings the rows of ``stream``: itself, or the one whose rows they stand inside."""
    if not stream.within:
        return stream
    return next(s for e in ENTITIES for s in e.streams(stream.side) if s.table == stream.table and not s.within)


def in_parent_order(entities: tuple[Entity, ...] = ENTITIES) -> tuple[Entity, ...]:
    """Parents before children; stable. Raises ValueError on a circle."""
    ordered: list[Entity] = []
    waiting = list(entities)
    names = {e.name for e in entities}
    while waiting:
        placed = {e.name for e in ordered}
        ready = [e for e in waiting if all(p in placed or p not in names or p == e.name for p in e.parents)]
        if not ready:
            raise ValueError(f"These entities wait for each other: {', '.join(e.name for e in waiting)}")
        ordered.append(ready[0])
        waiting.remove(ready[0])
    return tuple(ordered)
