"""Small answers of the service: frozen values for the console and the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sync_core.model import DataAge, RunSummary, Side, Status
from sync_core.rules.entities import ENTITIES


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's report."""

    name: str
    good: bool
    message: str


@dataclass(frozen=True, slots=True)
class Overview:
    """What the first page says: how many records stand how, per entity; how old the data is; the last runs."""

    organisation: str
    statuses: dict[str, dict[Status, int]]
    age: DataAge
    runs: tuple[RunSummary, ...]
    demo: bool


@dataclass(frozen=True, slots=True)
class Flow:
    """Which way the records of an entity go, as the registry declares it."""

    entity: str
    label: str
    to_crm: bool
    to_xero: bool
    singular: str = ""


@dataclass(frozen=True, slots=True)
class Download:
    """A file to be streamed, and the control file that goes beside it ("" where there is none).

    Read ``chunks`` to the end before ``control``.
    """

    name: str
    chunks: Iterable[bytes]
    control_name: str
    control: Callable[[], str]


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Whether the audit trail is whole. ``head`` is the hash of its last entry: written down elsewhere, it proves that no
    later entry was cut off. ``broken``: positions that are missing, changed or out of line; ``first`` tells of the first.
    """

    entries: int
    head: str
    broken: tuple[int, ...] = ()
    first: str = ""

    @property
    def whole(self) -> bool:
        return not self.broken


def data_flows() -> list[Flow]:
    """Every entity and the ways its records go, parents first."""
    ways = [(e, {s for f in e.fields if not f.hidden for s in f.to} | e.create_in) for e in ENTITIES]
    return [Flow(e.name, e.label, Side.CRM in sides, Side.XERO in sides, e.singular) for e, sides in ways]


def entities() -> list[tuple[str, str]]:
    """Every entity's name and label, parents first."""
    return [(e.name, e.label) for e in ENTITIES]
