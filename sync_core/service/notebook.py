"""The notebook door: the reconciliation as Arrow or pandas, exactly as the console shows it, for an analyst to work on.

It reads a copy of the cache that it makes when it is opened, so nothing that is done here reaches Tieout or either system.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from sync_core.errors import Busy
from sync_core.flows.surroundings import Surroundings
from sync_core.flows.workspace import Workspace
from sync_core.rules.reconcile import Filters, Reconciliation
from sync_core.service.answers import entities
from sync_core.service.asking import ask_elsewhere
from sync_core.service.closing import Closing
from sync_core.service.desk import RunningRun
from sync_core.service.opening import SystemClock
from sync_core.service.questions import COPY
from sync_core.service.reconciling import NO_FILTERS, Reconciling
from sync_core.settings import Settings, load_settings
from sync_core.store.cache_opening import copy_cache, open_cache
from sync_core.store.state import open_state
from sync_core.systems.base import Clock

When = datetime | date | str
"""An instant, a day (its end), or the id of a run."""


class Notebook:
    """One organisation, to be read. Use it with ``with``, or close it when done."""

    def __init__(self, desk: Closing, opened: ExitStack) -> None:
        self._desk, self._opened = desk, opened

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._opened.close()

    def entities(self) -> list[str]:
        """What can be reconciled."""
        return [name for name, _ in entities()]

    def reconciliation(self, name: str = "invoices", filters: Filters = NO_FILTERS, *, as_of: When | None = None) -> pa.Table:
        """Every row, both sides beside each other. Amounts are decimals in the document's currency, instants UTC."""
        return self._at(as_of).reconciliation_rows(name, filters, limit=None)

    def frame(self, name: str = "invoices", filters: Filters = NO_FILTERS, *, as_of: When | None = None) -> Any:
        """The same rows as a pandas DataFrame with Arrow types, so that amounts stay decimals."""
        import pandas as pd  # heavy, and not everybody who opens a workspace wants it

        return self.reconciliation(name, filters, as_of=as_of).to_pandas(types_mapper=pd.ArrowDtype)

    def summary(self, name: str = "invoices", filters: Filters = NO_FILTERS, *, as_of: When | None = None) -> Reconciliation:
        """Status counts and control totals per currency."""
        return self._at(as_of).reconciliation_summary(name, filters)

    def _at(self, when: When | None) -> Reconciling:
        return self._desk if when is None else self._desk.as_of(when)


def open_workspace(settings: Settings | None = None, *, clock: Clock | None = None) -> Notebook:
    """Open the organisation that the settings name (environment or ``.env``), for reading only.

    While the console or a worker has the cache open, that process makes the copy. Raises Configure when there is no cache yet,
    Busy while a process has it open that takes no requests.
    """
    chosen = settings if settings is not None else load_settings()
    ticking = clock or SystemClock()
    with ExitStack() as opened:
        folder = Path(opened.enter_context(TemporaryDirectory(prefix="tieout-notebook-")))
        try:
            copy_cache(chosen.cache_path, folder / "cache.duckdb")
        except Busy:
            ask_elsewhere(COPY, {"to": str(folder / "cache.duckdb")}, chosen, ticking)
        cache = open_cache(folder / "cache.duckdb")
        opened.callback(cache.close)
        secret = chosen.secret_key.get_secret_value() or None
        state = open_state(chosen.state_address, chosen.organisation, secret, chosen.data_dir, now=ticking.now)
        opened.callback(state.close)
        workspace = Workspace(chosen.organisation, cache, state, {}, ticking, Surroundings(cache, state))
        desk = Closing(chosen.model_copy(update={"data_dir": folder}), workspace, RunningRun())
        opened.callback(desk.close_pasts)
        return Notebook(desk, opened.pop_all())
