"""The ground that the parts of the service stand on."""

from __future__ import annotations

import threading

from sync_core.errors import Configure
from sync_core.flows.workspace import Workspace
from sync_core.rules.entities import entity
from sync_core.settings import Settings
from sync_core.systems.dataverse import Dataverse


class RunningRun:
    """The id of the run under way, for the clients' request headers."""

    id: str | None = None


class Desk:
    """What every part of the service works with: one organisation, opened."""

    def __init__(self, settings: Settings, workspace: Workspace, dynamics: Dataverse, running: RunningRun) -> None:
        self.settings = settings
        self._workspace = workspace
        self._dynamics = dynamics
        self._running = running
        self._one_run = threading.Lock()


def known(name: str) -> None:
    """Raise Configure when no entity is called ``name``."""
    try:
        entity(name)
    except KeyError as error:
        raise Configure(str(error.args[0])) from None
