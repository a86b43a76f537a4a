"""Bring both systems' rows into the cache, and make canonical records of those that moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from sync_core.errors import Expired, Rejected, TieoutError
from sync_core.flows.surroundings import CODES
from sync_core.flows.workspace import Workspace
from sync_core.model import Link, Native, Record, Side
from sync_core.rules.dates import parse_xero_instant
from sync_core.rules.declaration import Entity, Stream
from sync_core.rules.entities import DETAILS, ORGANISATION, carrier
from sync_core.rules.mapping import Context, accepted, gone, read, sealed
from sync_core.rules.rails import FEW_GONE
from sync_core.store import records, rows
from sync_core.systems.base import Page

CHUNK = 2000
LITTLE = 200
"""Rows of a page that may wait for those of other streams, at most."""
ASKED_ONE_BY_ONE = 20
WHOLE_EVERY = timedelta(days=1)
"""How old the last whole listing of a stream may be. Xero's changes are not all in its list of changes: a due date of an
invoice that is part paid, or a contact that becomes a customer, does not move UpdatedDateUTC.
"""
UNREADABLE = "unreadable"
"""The reason of a record that is an :class:`Unreadable`."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record whose row holds a value that cannot be understood; the others go on (I15)."""

    entity: str
    side: Side
    id: str
    error: Rejected


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull came to: a note for each optional stream that was left out, and the names of lists that came back empty.

    ``unreadable``: of records that were made canonical on the way.
    """

    notes: list[str]
    emptied: tuple[str, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()


def streams_of(entities: Sequence[Entity]) -> list[Stream]:
    """Everything that is pulled for ``entities``, once each, settings first."""
    wanted = [ORGANISATION]
    for entity in entities:
        for stream in (*entity.crm, *entity.children, *entity.xero):
            whole = stream if not stream.within else None
            if whole is not None and all(s.name != whole.name for s in wanted):
                wanted.append(whole)
    return [*wanted, DETAILS]


def own_streams(entity: Entity) -> list[Stream]:
    """The streams that bring the records of ``entity``, its lines included."""
    return list(dict.fromkeys(carrier(s) for s in (*entity.crm, *entity.children, *entity.xero)))


def pull(workspace: Workspace, entities: Sequence[Entity], run: str, *, full: bool = False) -> Pulled:
    """Pull every stream of ``entities``."""
    return pull_streams(workspace, streams_of(entities), run, full=full)


def pull_streams(workspace: Workspace, streams: Sequence[Stream], run: str, *, full: bool = False) -> Pulled:
    """Pull these, each from its cursor on; ``full``, and whatever was not listed whole for a day, from the beginning."""
    notes: list[str] = []
    emptied: list[str] = []
    lists = rows.alive(workspace.cache, [s.name for s in streams if not s.incremental])
    start = Start({} if full else rows.cursors(workspace.cache, workspace.clock.now() - WHOLE_EVERY), lists)
    try:
        for stream in streams:
            if stream.optional and workspace.options.get(stream.table.lower()) == "off":
                notes.append(f"{stream.table}: Skipped (off)")
                continue
            try:
                if not pull_stream(workspace, stream, run, start=start):
                    emptied.append(stream.name)
            except Rejected as error:
                if not (stream.optional and error.code in ("not supported", "not permitted")):
                    raise
                notes.append(f"{stream.table}: Skipped ({error.code})")
    except TieoutError:
        rows.merge_pages(workspace.cache, start.few, start.quiet, run)
        raise
    rows.merge_pages(workspace.cache, start.few, start.quiet, run)
    return Pulled(notes, tuple(emptied))


@dataclass(frozen=True, slots=True)
class Start:
    """Where a pull of many streams begins: cursors by stream, and the rows of those that are listed whole each time.

    ``quiet``: how far streams that brought nothing new were pulled; ``few``: what others brought that was little. Both are
    kept together at the end.
    """

    cursors: Mapping[str, str]
    lists: Mapping[str, Mapping[str, tuple[str, str]]]
    quiet: dict[str, rows.Reached] = field(default_factory=dict)
    few: list[rows.SmallPage] = field(default_factory=list)

    def brings_nothing(self, stream: Stream, page: Page) -> bool:
        """Whether one page, the only one of its stream, holds nothing but what the cache holds."""
        if stream.incremental:
            return not page.rows and not page.gone
        known = self.lists.get(stream.name, {})
        return len(known) == len(page.rows) and {rows.row_id(stream, r): rows.spelled(stream, r) for r in page.rows} == known


def pull_stream(workspace: Workspace, stream: Stream, run: str, *, full: bool = False, start: Start | None = None) -> bool:
    """One stream from its cursor on; from the beginning when the cursor is too old.

    False when a whole listing brought nothing although many rows are known: it is then listed whole again next time.
    """
    known = start.cursors.get(stream.name) if start is not None else rows.cursor_of(workspace.cache, stream)
    try:
        return _pages(workspace, stream, None if full else known, run, start)
    except Expired:
        log.info("cursor expired, pulling everything", stream=stream.name, run=run)
        rows.forget_cursor(workspace.cache, stream)
        return _pages(workspace, stream, None, run, None)


def _pages(workspace: Workspace, stream: Stream, cursor: str | None, run: str, start: Start | None) -> bool:
    """Merge page after page; after a whole listing, look at what it no longer shows. False when that is everything."""
    whole = cursor is None or not stream.incremental
    known = start.lists.get(stream.name, {}) if start is not None and not stream.incremental else None
    watched = whole and (rows.any_alive(workspace.cache, stream) if known is None else bool(known))
    seen: set[str] = set()
    listed = 0
    for number, page in enumerate(workspace.systems[stream.side].changed_since(stream, cursor)):
        workspace.step(f"pulled {stream.name}")
        reached = rows.Reached(page.cursor, workspace.clock.now(), whole) if page.cursor is not None else None
        alone = number == 0 and cursor is not None
        if start is not None and alone and reached is not None and start.brings_nothing(stream, page):
            start.quiet[stream.name] = reached
            return True
        if watched:
            seen.update(rows.row_id(stream, native) for native in page.rows)
        listed += len(page.rows)
        if alone and reached is not None and 0 < len(page.rows) <= LITTLE:
            little = rows.SmallPage(stream, page.rows, page.gone, reached)
            if start is not None:
                start.few.append(little)
            else:
                rows.merge_pages(workspace.cache, [little], {}, run)
        else:
            rows.merge_page(workspace.cache, stream, page.rows, page.gone, run, reached)
    left = _look_for(workspace, stream, _unseen(workspace, stream, known, seen), run) if watched else 0
    if listed or left <= FEW_GONE:
        return True
    rows.forget_cursor(workspace.cache, stream)
    return False


def _unseen(workspace: Workspace, stream: Stream, known: Mapping[str, object] | None, seen: set[str]) -> list[str]:
    return rows.unseen(workspace.cache, stream, seen) if known is None else sorted(set(known) - seen)


def _look_for(workspace: Workspace, stream: Stream, unseen: list[str], run: str) -> int:
    """A row that a whole listing does not show may be deleted, or the listing was short: only its own absence proves it (I6).

    A few are asked for each time; the others keep standing until a later listing. Returns how many are left standing.
    """
    if unseen:
        log.info("rows no longer listed", stream=stream.name, rows=len(unseen), run=run)
    system = workspace.systems[stream.side]
    absent = [row_id for row_id in unseen[:ASKED_ONE_BY_ONE] if system.get(stream, row_id) is None]
    if absent:
        rows.bury(workspace.cache, stream, absent, run)
    return len(unseen) - len(absent)


def refresh(workspace: Workspace, entity: Entity, run: str) -> list[Unreadable]:
    """Make canonical records of the entity's rows that moved, a chunk at a time."""
    moved = records.dirty_sides(workspace.cache)
    sides = [s for s in Side if (entity.name, s) in moved]
    if not sides:
        return []
    context = workspace.surroundings.context
    unreadable: list[Unreadable] = []
    for side in sides:
        while ids := records.dirty_ids(workspace.cache, entity.name, side, CHUNK):
            _refresh(workspace, entity, side, ids, context, run, unreadable)
            if len(ids) < CHUNK:
                break
    if entity.name in CODES:
        workspace.surroundings.forget()
    return unreadable


def _refresh(
    workspace: Workspace, entity: Entity, side: Side, ids: list[str], context: Context, run: str, unreadable: list[Unreadable]
) -> None:
    links = _late_links(workspace, entity, side, ids)
    made = [
        records.as_row(r, entity.title, *sealed(r.fields), run, links.get(r.id))
        for r in _canonical(workspace, entity, side, ids, context, unreadable)
    ]
    done = [(entity.name, str(side), i) for i in ids]
    records.merge_records(workspace.cache, made, done, at=workspace.clock.now())


def _late_links(workspace: Workspace, entity: Entity, side: Side, ids: list[str]) -> dict[str, Link]:
    """Links of records that the cache does not know as linked, by id; their partners are told of them at once.

    A record that comes in late may be linked long since: its list was cut short, its cache was lost, or another runner
    linked it.
    """
    links = workspace.state.links(entity.name, side, ids)
    known = records.partners(workspace.cache, entity.name, side, links) if links else {}
    late = {row_id: link for row_id, link in links.items() if row_id not in known}
    records.set_partners(workspace.cache, list(late.values()))
    return late


def _canonical(
    workspace: Workspace, entity: Entity, side: Side, ids: list[str], context: Context, unreadable: list[Unreadable]
) -> Iterator[Record]:
    children: dict[str, list[Native]] = {}
    if side is Side.CRM:
        for stream in entity.children:
            children.update(rows.child_rows(workspace.cache, stream, ids))
    for stream in entity.streams(side):
        for row_id, (native, version, lost) in rows.native_rows(workspace.cache, stream, ids).items():
            if not accepted(entity, side, native):
                continue
            seen = {**native, "Status": "DELETED"} if lost and stream.within else native
            try:
                fields = read(entity, side, stream.table, seen, context, children.get(row_id, ()))
            except Rejected as error:
                unreadable.append(Unreadable(entity.name, side, row_id, error))
                continue
            means = "deleted" if lost else gone(entity, side, native)
            yield Record(side, entity.name, row_id, stream.table, version, fields, means, _modified(side, native))


def _modified(side: Side, native: Native) -> datetime | None:
    text = native.get("modifiedon") if side is Side.CRM else native.get("UpdatedDateUTC")
    if not text:
        return None
    return datetime.fromisoformat(str(text)).astimezone(UTC) if side is Side.CRM else parse_xero_instant(text)
