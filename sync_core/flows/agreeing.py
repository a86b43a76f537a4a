"""What both sides hold for agreed once a system has taken a write: its answer there, and what was read here."""

from __future__ import annotations

from collections.abc import Sequence

from sync_core.flows.decide import record_from
from sync_core.flows.images import image_row
from sync_core.flows.jobs import Job
from sync_core.flows.line_writes import brings_lines
from sync_core.flows.workspace import Workspace
from sync_core.model import Record, Side, Verb
from sync_core.rules.compare import blank, image
from sync_core.rules.declaration import Entity
from sync_core.rules.mapping import loads
from sync_core.store import agreed_images, records
from sync_core.systems.base import Receipt


def agree(workspace: Workspace, entity: Entity, taken: Sequence[tuple[Job, Receipt]], run: str) -> None:
    """Keep both sides' new images: the answer's words for the written side, what was read for the other.

    A pair that is written on both sides is left to the next round, which compares what then stands there.
    """
    single = [(j, r) for j, r in taken if len(j.decision.writes) == 1]
    if not single:
        return
    side = single[0][0].side
    answered = records.records(workspace.cache, entity.name, side, [_row_id(side, r) for _, r in single])
    images: list[dict[str, str]] = []
    for job, receipt in single:
        row = answered.get(_row_id(side, receipt))
        if row is not None:
            images += _images(entity, job, record_from(entity, side, row["id"], row), run)
    agreed_images.keep(workspace.cache, images)


def _images(entity: Entity, job: Job, answered: Record, run: str) -> list[dict[str, str]]:
    open_fields = [*job.decision.open_fields, *(["lines"] if brings_lines(job.decision) else [])]
    if job.verb is Verb.CREATE:
        # Blank on the source and still to be filled from the new twin: its id, above all.
        open_fields += [s.name for s in entity.fields if job.source.side in s.to and blank(job.source.fields.get(s.name))]
    there = [*open_fields, *_moved_unseen(entity, job, answered)]
    before = {side: loads(entity, text) for side, text in job.before.items()} if there else {}
    return [
        image_row(record, image(record, still_open, before.get(record.side)), partner, run)
        for record, partner, still_open in ((job.source, answered.id, open_fields), (answered, job.source.id, there))
    ]


def _moved_unseen(entity: Entity, job: Job, answered: Record) -> list[str]:
    """Fields that Xero answers otherwise than they were read, although this write does not carry them.

    Somebody changed them between the last look and the write, which nothing guards: not agreed, but for the next round.
    """
    if job.verb is not Verb.UPDATE or job.side is not Side.XERO or job.target is None:
        return []
    read, written = job.target.fields, job.decision.changes[Side.XERO]
    both = [s.name for s in entity.fields if s.to and s.crm is not None and s.xero is not None and s.name not in written]
    return [name for name in both if answered.fields.get(name) != read.get(name)]


def _row_id(side: Side, receipt: Receipt) -> str:
    return (receipt.id or "").lower() if side is Side.CRM else receipt.id or ""
