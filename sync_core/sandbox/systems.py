"""The two sandboxed APIs as the shell round them needs them."""

from __future__ import annotations

from sync_core.sandbox import dataverse, xero
from sync_core.sandbox.edits import Desk, System, Systems
from sync_core.sandbox.kernel import Row
from sync_core.sandbox.person import edit_dataverse, edit_xero, merge_dataverse, settings_by_hand


def default_systems() -> Systems:
    """Dynamics 365 (Dataverse) and Xero."""
    return {
        "dataverse": System(
            "dataverse", dataverse.routes, dataverse.seed, edit_dataverse, merge_dataverse, dataverse.expire_tokens
        ),
        "xero": System("xero", xero.routes, xero.seed, _edit_xero, _merge_xero),
    }


async def _edit_xero(desk: Desk, table: str, row_id: str, values: Row) -> None:
    if table == "Organisations":
        xero.change_organisation(desk.kernel, **settings_by_hand(values))
    else:
        await edit_xero(desk, table, row_id, values)


async def _merge_xero(desk: Desk, _table: str, loser: str, survivor: str) -> None:
    xero.merge_contacts(desk.kernel, loser, survivor)
