"""What a run reads before it decides: everything that changed, or, for single records, just what these need (R29).

A linked record is read by its key on both sides, with its lines and the records that it refers to. Of one that is not linked
the lists of its kind are read from their cursors on, on both sides: its twin, or a second record that would make a match
ambiguous, may have come since (I1). Cursors move only over what was read (I8).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sync_core.flows.by_key import read_by_key
from sync_core.flows.decide import record_from
from sync_core.flows.pull import UNREADABLE, Pulled, Unreadable, own_streams, pull, pull_streams, refresh
from sync_core.flows.scope import Scope
from sync_core.flows.workspace import Workspace
from sync_core.model import Link, Native, Side
from sync_core.rules.declaration import Entity, Kind, Stream
from sync_core.rules.entities import DETAILS, ORGANISATION, carried_by, completing
from sync_core.rules.entities import entity as entity_called
from sync_core.store import records, rows

READ_AGAIN = (UNREADABLE, "bank account")
"""Reasons that may be gone although the record did not move: our words for it did, or the chart of accounts."""
BY_KEY = 5
"""More records of a kind than these are read from the cursors on: that is a call per list, however many they are."""
LISTS_LIVE = timedelta(minutes=30)
"""How old accounts, tax rates, products and currencies may be: two intervals of the usual schedule. They change seldom, and
what is no longer allowed Xero refuses by itself. Lock dates are never older than the run: proving the connection brings them.
"""
_NEVER = datetime.min.replace(tzinfo=UTC)


def read_for(workspace: Workspace, entities: Sequence[Entity], scope: Scope, organisation: Native, run: str) -> Pulled:
    """Bring into the cache what a run of this scope needs. ``organisation``: Xero's own row of it, just read."""
    single = scope.only is not None and not scope.full
    pulled = _few(workspace, scope, organisation, run) if single else pull(workspace, entities, run, full=scope.full)
    for (name, side), ids in workspace.state.records_with_reason(READ_AGAIN).items():
        rows.read_again(workspace.cache, name, side, ids)
        if side is Side.CRM:  # the word of a pair, of which the other side may be the one that could not be read
            twins = [link.xero_id for link in workspace.state.links(name, side, ids).values()]
            rows.read_again(workspace.cache, name, side.other, twins)
    return pulled


def _few(workspace: Workspace, scope: Scope, organisation: Native, run: str) -> Pulled:
    if organisation.get(ORGANISATION.key):
        rows.merge_page(workspace.cache, ORGANISATION, [organisation], [], run, None)
    errand = _Errand(workspace, run)
    for name, ids in sorted((scope.only or {}).items()):
        errand.fetch(entity_called(name), ids)
    errand.lists([DETAILS])
    return errand.pulled


class _Errand:
    """Fetches each list and each record once."""

    def __init__(self, workspace: Workspace, run: str) -> None:
        self._workspace, self._run = workspace, run
        self._listed: set[str] = set()
        self._read: set[tuple[str, Side, str]] = set()
        self.pulled = Pulled([])

    def fetch(self, entity: Entity, ids: Collection[str]) -> None:
        """These records, the settings that they are written with, and what they refer to."""
        self.lists(self._old_lists(entity))
        self.lists(s for child in carried_by(entity.name) for s in child.crm)
        self.lists(s for child, _ in completing(entity.name) for s in child.crm)
        found = self._bring(entity, ids, lines=True)
        self._refresh(entity)
        for name, some in self._referred(entity, {*ids, *found}).items():
            self._bring(entity_called(name), some, lines=False)

    def lists(self, streams: Iterable[Stream]) -> None:
        """From their cursors on; whole where there is none."""
        wanted = [s for s in dict.fromkeys(streams) if s.name not in self._listed]
        self._listed |= {s.name for s in wanted}
        more = pull_streams(self._workspace, wanted, self._run) if wanted else Pulled([])
        self.pulled = replace(
            self.pulled, notes=[*self.pulled.notes, *more.notes], emptied=(*self.pulled.emptied, *more.emptied)
        )

    def _bring(self, entity: Entity, ids: Collection[str], *, lines: bool) -> set[str]:
        """Returns the ids of both sides that were read by key."""
        links = self._links(entity, ids)
        if links is None:
            self.lists(own_streams(entity))
            return set()
        keys = [(side, k.crm_id if side is Side.CRM else k.xero_id) for k in links for side in Side]
        for side, row_id in keys:
            if (entity.name, side, row_id) not in self._read:
                self._read.add((entity.name, side, row_id))
                read_by_key(self._workspace, entity, side, row_id, self._run, lines=lines)
        return {row_id for _, row_id in keys}

    def _links(self, entity: Entity, ids: Collection[str]) -> list[Link] | None:
        """The links of these records, None when one of them has none, is not in the cache, or they are many."""
        state, cache, some = self._workspace.state, self._workspace.cache, sorted(ids)
        links = {k.crm_id: k for side in Side for k in state.links(entity.name, side, some).values()}
        sides = {Side.CRM: [k.crm_id for k in links.values()], Side.XERO: [k.xero_id for k in links.values()]}
        cached = all(set(records.tables_of(cache, entity.name, side, own)) == set(own) for side, own in sides.items())
        linked = {i.lower() for own in sides.values() for i in own}
        few = len(links) <= BY_KEY and {i.lower() for i in ids} <= linked
        return list(links.values()) if few and cached else None

    def _refresh(self, entity: Entity) -> None:
        found: list[Unreadable] = refresh(self._workspace, entity, self._run)
        self.pulled = replace(self.pulled, unreadable=(*self.pulled.unreadable, *found))

    def _referred(self, entity: Entity, ids: Collection[str]) -> Mapping[str, set[str]]:
        """By entity, the records (of either side) that these refer to."""
        wanted: dict[str, set[str]] = {}
        for side in Side:
            for row_id, row in records.records(self._workspace.cache, entity.name, side, sorted(ids)).items():
                fields = record_from(entity, side, row_id, row).fields
                for spec in entity.fields:
                    value = fields.get(spec.name)
                    if spec.kind is Kind.REF and spec.entity and isinstance(value, str):
                        wanted.setdefault(spec.entity, set()).add(value)
        return wanted

    def _old_lists(self, entity: Entity) -> list[Stream]:
        """Lists that records of this kind are written with, never pulled or not for a while."""
        referred = {spec.entity for spec in entity.fields if spec.kind is Kind.REF}
        wanted = [s for name in entity.parents if name not in referred for s in own_streams(entity_called(name))]
        pulled = rows.pulled_at(self._workspace.cache)
        oldest = self._workspace.clock.now() - LISTS_LIVE
        return [s for s in (ORGANISATION, *wanted) if pulled.get(s.name, _NEVER) < oldest]
