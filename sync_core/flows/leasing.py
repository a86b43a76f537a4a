"""Taking the organisation's lease for a run, also from a process of this machine that died with it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sync_core.errors import Busy
from sync_core.flows.workspace import Workspace
from sync_core.store.leases import Lease

LEASE_LIVES = timedelta(seconds=90)


def holder_name() -> str:
    """Who holds a lease: this machine and process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def take_lease(workspace: Workspace) -> Lease:
    """The organisation's lease; one that a dead process of this machine left behind is taken over at once."""
    holder = holder_name()
    try:
        return workspace.state.acquire(holder, LEASE_LIVES)
    except Busy:
        present = workspace.state.current_lease()
        if present is None or not _is_dead(present[0]):
            raise
        return workspace.state.acquire(holder, LEASE_LIVES, over=present[0])


@contextmanager
def held_lease(workspace: Workspace) -> Iterator[Lease]:
    """The organisation's lease while a person changes what runs build on. Raises Busy while a sync is running."""
    lease = take_lease(workspace)
    try:
        yield lease
    finally:
        workspace.state.release(lease)


def _is_dead(holder: str) -> bool:
    host, _, pid = holder.rpartition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
