"""Who is whose partner, and what a record is called: asked of the cache in bulk, and remembered while one entity is decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sync_core.model import Record, Side
from sync_core.rules.declaration import Entity, Kind
from sync_core.store import records
from sync_core.store.cache import Cache

Key = tuple[str, Side, str]
ABSENT = "no longer listed"
"""How a record ended that is linked and that the cache does not know: deleted while no cache was kept, as a rule."""
MANY = 50_000
"""Answers that are remembered together, at most; more would grow with the company."""


class Partners:
    """``of`` is the :data:`~sync_core.rules.compare.Translate` that rules ask for."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._told: dict[tuple[str, Side], dict[str, str]] = {}
        self._known: dict[Key, str | None] = {}
        self._names: dict[Key, tuple[str, str]] = {}

    def of(self, side: Side, entity: str, row_id: str) -> str | None:
        """The id of the linked partner of a record of ``side``, None when it has none."""
        told = self.told(entity, side, row_id)
        if told is not None:
            return told
        key = (entity, side, row_id)
        if key not in self._known:
            self.fetch(side, {entity: [row_id]})
        return self._known[key]

    def tell(self, entity: str, crm_id: str, xero_id: str) -> None:
        """Two records are about to be linked."""
        self._told.setdefault((entity, Side.CRM), {})[crm_id] = xero_id
        self._told.setdefault((entity, Side.XERO), {})[xero_id] = crm_id

    def told(self, entity: str, side: Side, row_id: str) -> str | None:
        """The record that a record of ``side`` is about to be linked with."""
        return self._told.get((entity, side), {}).get(row_id)

    def forget(self) -> None:
        """Links or records moved: ask anew. What was told stays, until it is linked it is known nowhere else."""
        self._known.clear()
        self._names.clear()

    def fetch(self, side: Side, wanted: Mapping[str, Iterable[str]]) -> None:
        """Ask for the partners of these ids (by entity) in one question per entity."""
        if len(self._known) + len(self._names) > MANY:
            self.forget()
        for entity, ids in wanted.items():
            new = {i for i in ids if (entity, side, i) not in self._known}
            if new:
                found = records.partners(self._cache, entity, side, new)
                self._known.update({(entity, side, i): found.get(i) for i in new})

    def fetch_names(self, side: Side, wanted: Mapping[str, Iterable[str]]) -> None:
        for entity, ids in wanted.items():
            new = {i for i in ids if (entity, side, i) not in self._names}
            if new:
                found = records.names(self._cache, entity, side, new)
                self._names.update({(entity, side, i): found.get(i, (i, ABSENT)) for i in new})

    def named(self, entity: str, side: Side, row_id: str) -> tuple[str, str]:
        """What a record is called, and how it ended ("" when it is alive, :data:`ABSENT` when the cache does not know it)."""
        if (entity, side, row_id) not in self._names:
            self.fetch_names(side, {entity: [row_id]})
        return self._names[entity, side, row_id]

    def meet(self, entity: Entity, side: Side, some: Iterable[Record], *, names: bool = False) -> None:
        """Fetch the partners of all that these records refer to; with ``names``, what those partners are called."""
        wanted = references(entity, some)
        self.fetch(side, wanted)
        if names:
            partners = {e: {p for i in ids if (p := self.of(side, e, i)) is not None} for e, ids in wanted.items()}
            self.fetch_names(side.other, partners)


def references(entity: Entity, some: Iterable[Record]) -> dict[str, set[str]]:
    """The ids that records refer to, by the entity referred to."""
    specs = [s for s in entity.fields if s.kind is Kind.REF]
    wanted: dict[str, set[str]] = {}
    for record in some:
        for spec in specs:
            value = record.fields.get(spec.name)
            if isinstance(value, str):
                wanted.setdefault(spec.entity, set()).add(value)
    return wanted
