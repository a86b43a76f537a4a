"""Lines that reached Dynamics only in part: a run ended in between, an answer was lost, or one of them was refused.

Dynamics then holds lines that it did not hold when both sides agreed, and nobody there changed them. They are taken for
agreed, so that the rest of the change in Xero is still brought, and is no conflict that a person would have to decide.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set

from sync_core.flows.decide import record_from
from sync_core.flows.images import image_row
from sync_core.flows.workspace import Workspace
from sync_core.model import Intent, Side
from sync_core.rules.declaration import Entity
from sync_core.rules.lines import half_written
from sync_core.rules.mapping import lines_of, loads
from sync_core.store import agreed_images, records


def lines_sent(entity: Entity, intents: Iterable[Intent]) -> dict[str, set[str]]:
    """By document, the ids of the Dynamics lines that these writes were for."""
    tables = {stream.table for stream in entity.children}
    sent: dict[str, set[str]] = defaultdict(set)
    for intent in intents:
        if intent.side is Side.CRM and intent.table in tables and intent.crm_id:
            sent[intent.crm_id].add(intent.tag)
    return sent


def take_for_agreed(workspace: Workspace, entity: Entity, sent: Mapping[str, Set[str]], run: str) -> None:
    """Call the lines of these documents agreed where they are no more than what was sent. The cache must be refreshed.

    Where Xero holds its lines as both agreed again, nothing would bring Dynamics back: then a person has to look.
    """
    cache, images = workspace.cache, []
    crm = records.with_images(cache, entity.name, Side.CRM, sorted(sent))
    partners = {i: row["partner"] for i, row in crm.items() if row["partner"] and row["agreed"]}
    xero = records.with_images(cache, entity.name, Side.XERO, sorted(set(partners.values())))
    for crm_id, xero_id in partners.items():
        twin = xero.get(xero_id)
        if twin is None or not twin["agreed"]:
            continue
        record, agreed = record_from(entity, Side.CRM, crm_id, crm[crm_id]), loads(entity, crm[crm_id]["agreed"])
        theirs, before = record_from(entity, Side.XERO, xero_id, twin), loads(entity, twin["agreed"])
        standing, wanted = lines_of(record.fields), lines_of(theirs.fields)
        cut_off = standing != lines_of(agreed) and wanted != lines_of(before)
        if cut_off and half_written(standing, lines_of(agreed), wanted, sent[crm_id]):
            images.append(image_row(record, {**agreed, "lines": standing}, xero_id, run))
    agreed_images.keep(cache, images)
