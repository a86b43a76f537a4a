"""What Dynamics cannot take of a change just now, and why, where a person has to know. Pure."""

from __future__ import annotations

from sync_core.model import Record, Status, Value
from sync_core.rules import remarks
from sync_core.rules.books import Hindrance
from sync_core.rules.declaration import Entity, Kind
from sync_core.rules.whole_amounts import has_whole_amounts


def not_to_crm(entity: Entity, crm: Record, to_crm: dict[str, Value]) -> Hindrance | None:
    """Drop what Dynamics cannot take now; say why where a person has to know."""
    return _read_only_in_crm(entity, crm, to_crm) or _whole_in_crm(entity, crm, to_crm)


def _read_only_in_crm(entity: Entity, crm: Record, to_crm: dict[str, Value]) -> Hindrance | None:
    """Drop what a paid or canceled document in Dynamics cannot take; its link is then in its Xero details only."""
    name, values = entity.read_only
    if not name or str(crm.fields.get(name)) not in values:
        return None
    stuck = [n for n in to_crm if entity.field(n).kind is not Kind.FLAG]
    for field in stuck:
        del to_crm[field]
    labels = [entity.field(n).label for n in stuck if not entity.field(n).hidden]
    return Hindrance("locked", Status.SKIPPED, remarks.read_only(entity, labels)) if labels else None


def _whole_in_crm(entity: Entity, crm: Record, to_crm: dict[str, Value]) -> Hindrance | None:
    """Xero's lines hold what Dynamics has on the whole document: written there, it would count twice."""
    lines = [n for n in to_crm if entity.field(n).kind is Kind.LINES]
    if not lines or entity.whole is None or not has_whole_amounts(crm.fields):
        return None
    for name in lines:
        del to_crm[name]
    return Hindrance("whole", Status.SKIPPED, remarks.whole_amounts(entity, entity.field(lines[0]).label))


def state_last(entity: Entity, to_crm: dict[str, Value]) -> None:
    """A document is closed in a write of its own, after everything else was written: closed, it takes no change."""
    states = [n for n in to_crm if entity.field(n).kind is Kind.FLAG]
    if len(to_crm) > len(states):
        for name in states:
            del to_crm[name]
