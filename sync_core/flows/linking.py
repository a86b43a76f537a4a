"""Links live in the state; the cache repeats them, so that compare needs no other database. Here the two are kept equal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

from sync_core.errors import TieoutError
from sync_core.flows.workspace import Workspace
from sync_core.rules.declaration import Entity
from sync_core.store import records

LINKS_LOADED = "links loaded"
STATE_ID = "state.id"
_CHUNK = 5000


def load_links(workspace: Workspace, entities: Sequence[Entity]) -> None:
    """Take all links from the state, unless the cache holds this state's links already.

    It does not when it is new, when it was filled beside another state, or when a change of links was cut off.
    """
    cache, state = workspace.cache, workspace.state
    known = _state_id(workspace)
    if cache.fact(LINKS_LOADED) == known:
        return
    records.clear_partners(cache)
    for entity in entities:
        links = state.all_links(entity.name)
        while chunk := list(islice(links, _CHUNK)):
            records.set_partners(cache, chunk)
    cache.set_fact(LINKS_LOADED, known)


@contextmanager
def changing_links(workspace: Workspace) -> Iterator[None]:
    """Around a change that reaches the state before the cache: cut off in between, the next run loads all links again."""
    before = workspace.cache.fact(LINKS_LOADED)
    workspace.cache.set_fact(LINKS_LOADED, "")
    yield
    workspace.cache.set_fact(LINKS_LOADED, before or "")


@contextmanager
def links_follow(workspace: Workspace) -> Iterator[None]:
    """Around links that reach the cache before the state: when the state does not take them, the next run loads all again."""
    try:
        yield
    except TieoutError:
        workspace.cache.set_fact(LINKS_LOADED, "")
        raise


def _state_id(workspace: Workspace) -> str:
    """What tells this state from one that was lost: made with the first run."""
    known = workspace.state.mapping(STATE_ID)
    if known is None:
        known = workspace.clock.now().isoformat()
        workspace.state.set_mapping(STATE_ID, known, "Tieout", workspace.clock.now())
    return known
