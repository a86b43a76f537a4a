"""What follows every look at the systems: cases that are open again."""

from __future__ import annotations

from sync_core.flows.casework import open_again
from sync_core.flows.workspace import Workspace


def settle_desk(workspace: Workspace) -> None:
    """Bring what people work on up to what the cache holds now. Writes to the state only."""
    open_again(workspace)
