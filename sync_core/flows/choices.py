"""What people decided about single pairs: which side's value to keep, and which records are no pair at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from sync_core.flows.workspace import Workspace
from sync_core.model import Side
from sync_core.rules.compare import Kept

KEEP, APART = "keep.", "apart."
Pair = tuple[str, str, str]
"""Entity, Dynamics id, Xero id."""


@dataclass(frozen=True, slots=True)
class Choices:
    """``keep``: (entity, Dynamics id) -> field -> whose value stays, over which. ``apart``: pairs that must not be linked."""

    keep: Mapping[tuple[str, str], Mapping[str, Kept]] = field(default_factory=dict)
    apart: frozenset[Pair] = frozenset()


def read_choices(settings: Mapping[str, str]) -> Choices:
    """Everything that is still to be honoured, of all that people set up."""
    keep = {}
    for key, text in settings.items():
        if key.startswith(KEEP):
            entity, _, crm_id = key.removeprefix(KEEP).partition(".")
            keep[entity, crm_id] = {name: _kept(value) for name, value in json.loads(text).items()}
    pairs = (key.removeprefix(APART).split(".", 2) for key in settings if key.startswith(APART))
    return Choices(keep, frozenset((e, c, x) for e, c, x in pairs))


def kept_text(keep: Mapping[str, Kept]) -> str:
    """Decisions by field, as they are kept under :func:`keep_key`."""
    return json.dumps({name: {"side": str(kept.side), "over": kept.over} for name, kept in keep.items()})


def _kept(value: str | Mapping[str, str]) -> Kept:
    # Before, only the side was kept: what it was chosen over is not known, so the person is asked again.
    return Kept(Side(value), "") if isinstance(value, str) else Kept(Side(value["side"]), value["over"])


def keep_key(entity: str, crm_id: str) -> str:
    return f"{KEEP}{entity}.{crm_id}"


def parted(workspace: Workspace, entity: str) -> frozenset[tuple[str, str]]:
    """The pairs of ``entity`` (Dynamics id, Xero id) that people took apart."""
    apart = read_choices(workspace.state.mappings(APART)).apart
    return frozenset((crm_id, xero_id) for name, crm_id, xero_id in apart if name == entity)


def apart_key(entity: str, crm_id: str, xero_id: str) -> str:
    return f"{APART}{entity}.{crm_id}.{xero_id}"
