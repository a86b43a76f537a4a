"""What people decided about single pairs: which side's value to keep, and which records are no pair at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from sync_core.model import Side

KEEP, APART = "keep.", "apart."
Pair = tuple[str, str, str]
"""Entity, Dynamics id, Xero id."""


@dataclass(frozen=True, slots=True)
class Choices:
    """``keep``: (entity, Dynamics id) -> field -> the side whose value stays. ``apart``: pairs that must not be linked."""

    keep: Mapping[tuple[str, str], Mapping[str, Side]] = field(default_factory=dict)
    apart: frozenset[Pair] = frozenset()


def read_choices(settings: Mapping[str, str]) -> Choices:
    """Everything that is still to be honoured, of all that people set up."""
    keep = {}
    for key, text in settings.items():
        if key.startswith(KEEP):
            entity, _, crm_id = key.removeprefix(KEEP).partition(".")
            keep[entity, crm_id] = {name: Side(side) for name, side in json.loads(text).items()}
    pairs = (key.removeprefix(APART).split(".", 2) for key in settings if key.startswith(APART))
    return Choices(keep, frozenset((e, c, x) for e, c, x in pairs))


def keep_key(entity: str, crm_id: str) -> str:
    return f"{KEEP}{entity}.{crm_id}"


def apart_key(entity: str, crm_id: str, xero_id: str) -> str:
    return f"{APART}{entity}.{crm_id}.{xero_id}"
