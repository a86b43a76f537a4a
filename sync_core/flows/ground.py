"""What the last run stood on: who answered on either side, and the rules by which fields are carried over.

Another environment behind the same address (a copy, a restored backup), or another field map, can turn a quiet run into one
that rewrites a company. Both are kept in the state after a run that went through, and compared before the next one writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sync_core.flows.workspace import Workspace
from sync_core.model import Side
from sync_core.rules.entities import ENTITIES
from sync_core.rules.mapping import content_hash
from sync_core.systems.base import Peer

PREFIX = "ground."
RULES = f"{PREFIX}rules"
CHOSEN = ("default.", "field.", "freight.", "tax.")
"""Settings of people that change what existing records are written with."""


@dataclass(frozen=True, slots=True)
class Ground:
    """``strangers``: names of systems that are another one than last time. ``rules_changed``: fields are carried otherwise."""

    strangers: tuple[str, ...] = ()
    rules_changed: bool = False


def look(workspace: Workspace, peers: Mapping[Side, Peer]) -> Ground:
    """What is not as it was after the last run that went through. Nothing kept: nothing has changed."""
    kept, now = workspace.state.mappings(PREFIX), _as_kept(workspace, peers)
    moved = {key for key, value in now.items() if kept.get(key, value) != value}
    return Ground(tuple(peers[side].name for side in peers if _key(side) in moved), RULES in moved)


def keep(workspace: Workspace, peers: Mapping[Side, Peer]) -> None:
    """Remember what this run stood on."""
    kept = workspace.state.mappings(PREFIX)
    for key, value in _as_kept(workspace, peers).items():
        if kept.get(key) != value:
            workspace.state.set_mapping(key, value, "Tieout", workspace.clock.now())


def _as_kept(workspace: Workspace, peers: Mapping[Side, Peer]) -> dict[str, str]:
    return {_key(side): peer.id for side, peer in peers.items()} | {RULES: _rules(workspace)}


def _key(side: Side) -> str:
    return f"{PREFIX}{side}"


def _rules(workspace: Workspace) -> str:
    fields = {
        e.name: [[f.name, str(f.crm), str(f.xero), sorted(f.to), f.owner] for f in (*e.fields, *e.lines)] for e in ENTITIES
    }
    chosen = {key: value for key, value in workspace.state.mappings().items() if key.startswith(CHOSEN)}
    return content_hash({"fields": str(fields), "chosen": str(chosen)})
