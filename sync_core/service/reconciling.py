"""Both sides side by side: pages, sums, details and files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from sync_core.model import DataAge, RecordStatus, Side, Status
from sync_core.rules.bridge import variance_bridge
from sync_core.rules.deep_links import link_for
from sync_core.rules.downloads import CsvFile, Written, control_file
from sync_core.rules.reconcile import Filters, Reconciliation, as_json
from sync_core.service.answers import Download
from sync_core.service.desk import known
from sync_core.service.tolerances import Tolerances
from sync_core.store import reconciliation, reconciliation_detail, records
from sync_core.views import Gap, ReconciliationPage, RowDetail, VarianceBridge, XeroDetails

NO_FILTERS = Filters()


class Reconciling(Tolerances):
    """Reads the cache only."""

    def reconciliation(
        self, name: str, filters: Filters = NO_FILTERS, *, limit: int = 100, offset: int = 0
    ) -> ReconciliationPage:
        """One screen of both sides side by side, with the sums of everything that the filters leave."""
        known(name)
        return reconciliation.page(self._workspace.cache, name, filters, self._terms(name), limit=limit, offset=offset)

    def reconciliation_rows(
        self, name: str, filters: Filters = NO_FILTERS, *, limit: int | None = 100, offset: int = 0
    ) -> pa.Table:
        """The rows of one screen alone, for a caller that has their sums already. ``limit`` None means all."""
        known(name)
        cache = self._workspace.cache
        return reconciliation.rows(cache, name, filters, self._terms(name), limit=limit, offset=offset)

    def reconciliation_summary(self, name: str, filters: Filters = NO_FILTERS) -> Reconciliation:
        """Status counts and control totals of what the filters leave."""
        known(name)
        return reconciliation.summary(self._workspace.cache, name, filters, self._terms(name))

    def variance_bridge(self, name: str, filters: Filters = NO_FILTERS) -> tuple[VarianceBridge, ...]:
        """Per currency, the way from what Dynamics adds up to to what Xero adds up to, a step for each reason."""
        return tuple(variance_bridge(total) for total in self.reconciliation_summary(name, filters).totals)

    def gaps(self, name: str, filters: Filters = NO_FILTERS) -> tuple[Gap, ...]:
        """What is missing behind a reconciliation, and what to do about it; empty when nothing is."""
        known(name)
        with reconciliation.books(self._workspace.cache, name, self._terms(name)) as books:
            return books.gaps(filters, books.summary(filters).rows)

    def reconciliation_detail(self, name: str, row_id: str) -> RowDetail:
        """Everything about one row. Raises Rejected when it is not there any more."""
        return reconciliation_detail.detail(self._workspace.cache, name, row_id, self._terms(name))

    def reconciliation_csv(self, name: str, filters: Filters = NO_FILTERS, *, excel: bool = True) -> Download:
        """What the filters leave, as CSV with its control file."""
        rows, control = self._read_out(name, filters)
        file = CsvFile(rows, bom=excel)
        return Download(f"{name}.csv", file, f"{name}.control.json", lambda: control(file))

    def _read_out(self, name: str, filters: Filters) -> tuple[Iterator[pa.RecordBatch], Callable[[Written], str]]:
        """All rows that the filters leave, and the control file of the file that was made of them: both of one moment."""
        known(name)
        cache, terms = self._workspace.cache, self._terms(name)
        read: list[tuple[Reconciliation, DataAge, tuple[Gap, ...]]] = []
        last = self._workspace.state.runs(1)

        def batches() -> Iterator[pa.RecordBatch]:
            with reconciliation.books(cache, name, terms) as books:
                result = books.summary(filters)
                read.append((result, books.age(), books.gaps(filters, result.rows)))
                yield from books.batches(filters)

        def control(file: Written) -> str:
            result, age, missing = read[0]
            return control_file(
                file,
                result,
                filters,
                age,
                run=last[0].run if last else "",
                tolerance=terms.tolerance,
                made=self._workspace.clock.now(),
                missing=[gap.sentence for gap in missing],
            )

        return batches(), control

    def reconciliation_json(self, name: str) -> dict[str, Any]:
        """What ``reconcile --json`` prints: rows, counts per status, and control totals as text."""
        return dict(as_json(self.reconciliation_summary(name)))

    def link_to(self, side: Side, name: str, row_id: str) -> str:
        """The address that opens a record in its own system, "" where there is none."""
        table = records.tables_of(self._workspace.cache, name, side, [row_id]).get(row_id, "")
        organisation = self._workspace.surroundings.organisation
        return link_for(side, table, row_id, base_url=self.settings.dynamics_url, organisation=organisation)

    def xero_details(self, name: str, crm_id: str | None, xero_id: str | None) -> XeroDetails:
        """What is known of a record's twin in Xero and of the last sync of both, as Dynamics shows it too."""
        known(name)
        twin = records.typed(self._workspace.cache, name, Side.XERO, [xero_id]).get(xero_id, {}) if xero_id else {}
        standing = self.status_of(name, Side.CRM, crm_id) if crm_id else None
        if standing is None and xero_id:
            standing = self.status_of(name, Side.XERO, xero_id)
        return XeroDetails(
            crm_id or "",
            xero_id or "",
            str(twin.get("number") or twin.get("title") or ""),
            str(twin.get("kind") or twin.get("native_table") or ""),
            str(twin.get("state") or ""),
            standing,
            self.link_to(Side.CRM, name, crm_id) if crm_id else "",
            self.link_to(Side.XERO, name, xero_id) if xero_id else "",
        )

    def titles(self, name: str, side: Side, ids: list[str]) -> dict[str, str]:
        """What people call these records: their number, or their name. Ids that are not known are left out."""
        sql = (
            "SELECT id, coalesce(nullif(number, ''), title, '') AS name FROM record"
            " WHERE entity = $1 AND side = $2 AND list_contains($3::VARCHAR[], id)"
        )
        rows = self._workspace.cache.query(sql, name, side, ids).to_pylist()
        return {row["id"]: row["name"] for row in rows}

    def status_of(self, name: str, side: Side, row_id: str) -> RecordStatus | None:
        """Where one record stands, None when Tieout has not met it yet."""
        return self._workspace.state.statuses(name, side, [row_id]).get(row_id)

    def statuses_among(self, name: str, side: Side, ids: Sequence[str]) -> dict[str, RecordStatus]:
        """Where these records stand, by id; those that Tieout has not met yet are left out."""
        known(name)
        return self._workspace.state.statuses(name, side, ids)

    def statuses(
        self, name: str | None = None, status: Status | None = None, *, limit: int = 100, offset: int = 0
    ) -> list[RecordStatus]:
        return self._workspace.state.find_statuses(name, status, limit, offset)
