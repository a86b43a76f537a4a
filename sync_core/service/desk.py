"""The ground that the parts of the service stand on."""

from __future__ import annotations

import copy
import threading
from collections import Counter
from datetime import datetime
from typing import Self

from sync_core.errors import Configure, TieoutError
from sync_core.flows.workspace import Workspace
from sync_core.rules.entities import entity
from sync_core.rules.people import AT_THIS_MACHINE, Person
from sync_core.settings import Settings


class RunningRun:
    """The run under way: its id, for the clients' request headers, how far it is, and whether a person wants it to end."""

    id: str | None = None
    passed: Counter[str]
    stopped_by: str = ""

    def begin(self, run: str) -> None:
        self.id, self.passed, self.stopped_by = run, Counter(), ""

    def step(self, name: str) -> None:
        """A numbered point of the run. Raises TieoutError once when a person wants it to end; what was sent stays."""
        self.passed[name.partition(" ")[0]] += 1
        if self.stopped_by:
            who, self.stopped_by = self.stopped_by, ""
            raise TieoutError(f"Stopped by {who}. What was written stays; the next sync goes on from there.")


class Desk:
    """What every part of the service works with: one organisation, opened, and who asks."""

    person: Person = AT_THIS_MACHINE

    def __init__(self, settings: Settings, workspace: Workspace, running: RunningRun) -> None:
        self.settings = settings
        self._workspace = workspace
        self._running = running
        self._one_run = threading.Lock()

    def as_person(self, person: Person) -> Self:
        """The same service, asked by ``person``: it does only what their role may. Everything behind it is shared."""
        theirs = copy.copy(self)
        theirs.person = person
        return theirs

    def now(self) -> datetime:
        return self._workspace.clock.now()


def known(name: str) -> None:
    """Raise Configure when no entity is called ``name``."""
    try:
        entity(name)
    except KeyError as error:
        raise Configure(str(error.args[0])) from None
