"""Read single rows as they stand now. No cursor moves: the next pull brings them once more, and then they are known."""

from __future__ import annotations

from sync_core.flows.workspace import Workspace
from sync_core.model import Side
from sync_core.rules.declaration import Entity, Stream
from sync_core.rules.entities import carrier
from sync_core.store import records, rows


def read_by_key(workspace: Workspace, entity: Entity, side: Side, row_id: str, run: str, *, lines: bool = True) -> None:
    """One record, with its lines; what the system says is not there counts as deleted from now on."""
    tables = records.tables_of(workspace.cache, entity.name, side, [row_id])
    stream = entity.stream_of(side, tables[row_id]) if row_id in tables else entity.streams(side)[0]
    there = _read_row(workspace, stream, row_id, run)
    for child in entity.children if there and lines and side is Side.CRM else ():
        _read_lines(workspace, child, row_id, run)


def _read_row(workspace: Workspace, stream: Stream, row_id: str, run: str) -> bool:
    """Whether the row is there. One that stands inside another is read with that."""
    whole = carrier(stream)
    if whole != stream:
        kept = rows.native_rows(workspace.cache, stream, [row_id])
        if row_id not in kept:
            return False
        row_id = str(kept[row_id][0][stream.parent_key])
    native = workspace.systems[whole.side].get(whole, row_id)
    workspace.step(f"pulled {whole.name}")
    if native is None:
        rows.bury(workspace.cache, whole, [row_id], run)
    else:
        rows.merge_page(workspace.cache, whole, [native], [], run, None)
    return native is not None


def _read_lines(workspace: Workspace, child: Stream, parent: str, run: str) -> None:
    found = workspace.systems[child.side].find(child, child.parent_key, parent)
    workspace.step(f"pulled {child.name}")
    known = {rows.row_id(child, native) for native in rows.child_rows(workspace.cache, child, [parent]).get(parent, ())}
    gone = known - {rows.row_id(child, native) for native in found}
    rows.merge_page(workspace.cache, child, found, sorted(gone), run, None)
