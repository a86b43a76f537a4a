"""Agreed images: what each side held when a pair last agreed, as the cache keeps it."""

from __future__ import annotations

from collections.abc import Sequence

from sync_core.flows.decide import record_from
from sync_core.flows.workspace import Workspace
from sync_core.model import Record, Side
from sync_core.rules.compare import image
from sync_core.rules.declaration import Entity
from sync_core.rules.mapping import Fields, loads, sealed
from sync_core.rules.plan import Decision
from sync_core.store import agreed_images, records


def image_row(record: Record, fields: Fields, partner: str, run: str) -> dict[str, str]:
    """An agreed image as a row of the cache. Its hash equals the record's own when nothing was left open."""
    digest, text = sealed(fields)
    return {
        "entity": record.entity,
        "side": str(record.side),
        "id": record.id,
        "partner": partner,
        "hash": f"{digest}{record.gone}",
        "fields": text,
        "run": run,
    }


def adopt(workspace: Workspace, entity: Entity, decisions: Sequence[Decision], run: str) -> None:
    """Take both sides of each pair as agreed; what a decision leaves open stays as it was.

    A side that moved since it was decided on is left for the next decision.
    """
    whole = [d for d in decisions if not d.open_fields]
    for side in Side:
        agreed_images.keep_as_they_stand(
            workspace.cache, entity.name, side, [(_own(d, side), _own(d, side.other), d.seen[side]) for d in whole], run
        )
    _adopt_partly(workspace, entity, [d for d in decisions if d.open_fields], run)


def _adopt_partly(workspace: Workspace, entity: Entity, decisions: Sequence[Decision], run: str) -> None:
    if not decisions:
        return
    images: list[dict[str, str]] = []
    for side in Side:
        pairs = {_own(d, side): d for d in decisions}
        for row_id, row in records.with_images(workspace.cache, entity.name, side, list(pairs)).items():
            decision = pairs[row_id]
            if row["hash"] != decision.seen[side]:
                continue
            before = loads(entity, row["agreed"]) if row["agreed"] else None
            record = record_from(entity, side, row_id, row)
            images.append(image_row(record, image(record, decision.open_fields, before), _own(decision, side.other), run))
    agreed_images.keep(workspace.cache, images)


def _own(decision: Decision, side: Side) -> str:
    return (decision.crm_id if side is Side.CRM else decision.xero_id) or ""
