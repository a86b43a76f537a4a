"""Relationship types brought to Xero: after the contacts, each one's membership of its type's contact group (R17, R18).

Dynamics owns the type; who is in a group is what Xero said last. That is one call a run to see which groups there are; a
group is read whole when it is new, in a full run, when a contact that was pulled shows something else, and always before
it is written. So a crash, a lost answer or somebody's own work in Xero is seen before anything is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sync_core.errors import Rejected
from sync_core.flows.group_writes import CONTACTS, GroupWriter
from sync_core.flows.ledger import Key, RunLedger
from sync_core.flows.workspace import Workspace
from sync_core.model import Outcome, RecordStatus, Side, Status
from sync_core.rules import types
from sync_core.rules.types import GROUPED, ContactType, Moves, TypeMap
from sync_core.store import memberships
from sync_core.store.leases import Lease
from sync_core.store.memberships import Standing

SWITCH = "types"
ROUNDS = 2
FAILED_TYPE = "type"
SHUT_OUT = "contact groups not permitted"
"""The reason of contacts that are in step but for their group, which the app may not use."""
Only = frozenset[str] | None
Planned = list[tuple[Standing, Moves]]


@dataclass(frozen=True, slots=True)
class Brought:
    """What a run did about types. ``moved``: records that only this brought into the run's counts."""

    notes: tuple[str, ...] = ()
    moved: int = 0


def types_off(workspace: Workspace) -> bool:
    """Whether the whole feature is switched off: no call, no word of it in a remark."""
    return "off" in (workspace.options.get(SWITCH), workspace.state.mapping(SWITCH))


def read_type_map(workspace: Workspace) -> TypeMap:
    return types.type_map(workspace.state.mappings(types.PREFIX))


def preview_types(workspace: Workspace, only: Only = None) -> tuple[str, ...]:
    """What a run would do, from what is known of the groups; asks Xero nothing."""
    if types_off(workspace):
        return ()
    known = memberships.known_groups(workspace.cache)
    some = memberships.standings(workspace.cache, read_type_map(workspace), known, ())
    due = sum(1 for s in some if _covers(only, s) and not types.moves(s.type, s.present, s.agreed).none)
    return (types.preview_note(due),) if due else ()


def bring_types(workspace: Workspace, run: str, lease: Lease, ledger: RunLedger, *, full: bool, only: Only = None) -> Brought:
    """Bring every linked contact into its type's group and out of the one that it had. Raises what stops the run."""
    if types_off(workspace):
        return Brought(("Relationship types: Skipped (off)",))
    types_run = _TypeRun(workspace, run, lease, ledger, only)
    try:
        return types_run.work(full=full)
    except Rejected as error:
        if error.code == "not permitted":
            types_run.say_shut_out(error.message)
        return Brought((f"Relationship types: Skipped ({error.message})",))


def _covers(only: Only, one: Standing) -> bool:
    return only is None or one.crm_id in only or one.xero_id in only


class _TypeRun:
    """The types of one run."""

    def __init__(self, workspace: Workspace, run: str, lease: Lease, ledger: RunLedger, only: Only) -> None:
        self._workspace, self._run, self._ledger, self._only = workspace, run, ledger, only
        self._cache = workspace.cache
        self._mapped = read_type_map(workspace)
        self._writer = GroupWriter(workspace, run, lease)
        self._groups: dict[ContactType, str] = {}
        self._names: list[str] = []
        self._fresh: set[ContactType] = set()
        self._failed = 0
        self._touched = [i for e, side, i in ledger.stamped() if e == CONTACTS and side is Side.CRM]
        if self._cache.fact(SHUT_OUT) == "yes":
            self._touched += workspace.state.records_with_reason([SHUT_OUT], well=True).get((CONTACTS, Side.CRM), [])

    def work(self, *, full: bool) -> Brought:
        if self._in_use():
            self._look(full=full)
        before = due = self._due()
        for _ in range(ROUNDS):
            if all(m.none for _, m in due):
                break
            self._write(due)
            self._touched += [s.crm_id for s, _ in due]
            due = self._due()
        moved = self._settle(before, due)
        if self._only is None and self._cache.fact(SHUT_OUT) == "yes":
            self._cache.set_fact(SHUT_OUT, "")
        return Brought(moved=moved)

    def say_shut_out(self, message: str) -> None:
        """A word on each contact whose type is a group that it is not known to be in. They are in step otherwise."""
        state, now = self._workspace.state, self._workspace.clock.now()
        some = memberships.standings(self._cache, self._mapped, self._groups, ())
        grouped = {s.crm_id: s for s in some if s.type is not ContactType.CONTACT and _covers(self._only, s)}
        told = []
        for row_id, known in state.statuses(CONTACTS, Side.CRM, sorted(grouped)).items():
            text = f"{types.let_in(known.remark)} {types.shut_out_remark(grouped[row_id].type, message)}"
            if known.status is Status.SUCCESS and text != known.remark:
                told.append(replace(known, reason=SHUT_OUT, remark=text, last_attempt=now, run=self._run))
        self._cache.set_fact(SHUT_OUT, "yes")
        state.set_statuses(told)
        self._ledger.stamp((CONTACTS, Side.CRM, status.id) for status in told)

    def _in_use(self) -> bool:
        """Whether anybody's type is a group, or was: else Xero is not asked for its groups at all."""
        if memberships.known_groups(self._cache):
            return True
        return any(self._mapped.of(*key) is not ContactType.CONTACT for key in memberships.codes_in_use(self._cache))

    def _look(self, *, full: bool) -> None:
        listed = self._writer.listed()
        self._names = list(listed)
        self._groups = {kind: listed[kind] for kind in GROUPED if kind in listed}
        known = memberships.known_groups(self._cache)
        for kind, group in known.items():
            if self._groups.get(kind) != group:
                memberships.forget_group(self._cache, group)
        same = {kind: group for kind, group in known.items() if self._groups.get(kind) == group}
        doubtful = memberships.contradicted(self._cache, same, self._run)
        for kind in [k for k in self._groups if full or k not in same or k in doubtful]:
            self._read(kind)

    def _read(self, kind: ContactType) -> None:
        self._fresh.add(kind)
        if not self._writer.read(kind, self._groups[kind]):
            del self._groups[kind]

    def _due(self) -> Planned:
        """Everybody who needs a look, decided on groups that were read just now wherever something is to be written."""
        while True:
            some = memberships.standings(self._cache, self._mapped, self._groups, self._touched)
            planned = [(s, types.moves(s.type, s.present, s.agreed)) for s in some if _covers(self._only, s)]
            concerned = {k for _, m in planned for k in (m.add, *m.remove) if k is not None}
            stale = [k for k in self._groups if k in concerned and k not in self._fresh]
            if not stale:
                return planned
            for kind in stale:
                self._read(kind)

    def _write(self, due: Planned) -> None:
        for kind in GROUPED:
            joining = [s for s, m in due if m.add is kind and s.xero_id not in self._writer.refused]
            group = self._group(kind) if joining else None
            if group is not None:
                self._writer.join(kind, group, joining)
        joined = {kind: set(memberships.members(self._cache, group)) for kind, group in self._groups.items()}
        for one, move in due:
            # Out of the old group only once it is in the new one: cut off in between, it stands in both and not in none.
            there = move.add is None or one.xero_id in joined.get(move.add, ())
            for old in move.remove if there and one.xero_id not in self._writer.refused else ():
                self._writer.leave(old, self._groups[old], one)

    def _group(self, kind: ContactType) -> str | None:
        if kind not in self._groups and str(kind) not in self._writer.refused:
            made = self._writer.make(kind, self._names)
            if made is not None:
                self._groups[kind] = made
                self._fresh.add(kind)
        return self._groups.get(kind)

    def _settle(self, before: Planned, after: Planned) -> int:
        """Agreed types, and a word about each; answers with how many records the run did not count so far."""
        now = {s.crm_id: m for s, m in after}
        self._fail([(s, now[s.crm_id], why) for s, _ in before if (why := self._refusal(s, now[s.crm_id]))])
        good = [(s, m, now[s.crm_id]) for s, m in before if now[s.crm_id].none and not self._refusal(s, now[s.crm_id])]
        memberships.agree_types(self._cache, [s for s, _, _ in good if s.before != s.mark], self._run)
        self._workspace.step("types agreed")
        statuses = self._workspace.state.statuses(CONTACTS, Side.CRM, [s.crm_id for s, _, _ in good])
        told = [self._told(s, m, left.left, statuses.get(s.crm_id)) for s, m, left in good]
        self._workspace.state.set_statuses([status for status in told if status is not None])
        return sum(self._count(s, Outcome.UPDATED) for s, m, _ in good if not m.none) + self._failed

    def _refusal(self, one: Standing, still: Moves) -> str:
        if still.none:
            return ""
        of_group = self._writer.refused.get(str(still.add), "") if still.add is not None else ""
        return self._writer.refused.get(one.xero_id) or of_group

    def _fail(self, some: Sequence[tuple[Standing, Moves, str]]) -> None:
        now = self._workspace.clock.now()
        texts = [(s, types.refused_remark(still, why)) for s, still, why in some]
        self._ledger.keep([RecordStatus(*_key(s), Status.FAILED, FAILED_TYPE, text, None, now, self._run) for s, text in texts])
        self._failed = sum(self._count(s, Outcome.FAILED) for s, _ in texts)

    def _count(self, one: Standing, outcome: Outcome) -> int:
        """1 when the run had no outcome for the record yet. What made it says more than what moved it."""
        known = self._ledger.outcome(_key(one))
        made = known is Outcome.CREATED and outcome is not Outcome.FAILED
        self._ledger.note(_key(one), Outcome.CREATED if made else outcome)
        return int(known is None)

    def _told(
        self, one: Standing, done: Moves, left: tuple[ContactType, ...], known: RecordStatus | None
    ) -> RecordStatus | None:
        """The record's new status, None when there is nothing new to say. Only a record in step has room for it."""
        mended = known is not None and (known.status, known.reason) == (Status.FAILED, FAILED_TYPE)
        if known is None or not (known.status is Status.SUCCESS or mended):
            return None
        standing = types.standing_remark(self._mapped, one.table, one.code, left)
        moved = types.moved_remark(one.type, done)
        said = types.let_in(known.remark)
        if not mended and (known.run == self._run or (one.before is None and not moved)):
            remark = said if standing in said else f"{said} {standing}"
        elif moved:
            remark = f"{moved} {standing}" if one.type is ContactType.CONTACT else moved
        else:
            remark = standing if mended or one.before != one.mark else said
        if remark == known.remark and not moved:
            return None
        now = self._workspace.clock.now()
        self._ledger.stamp([_key(one)])
        return RecordStatus(*_key(one), Status.SUCCESS, "", remark, now if moved or mended else None, now, self._run)


def _key(one: Standing) -> Key:
    return CONTACTS, Side.CRM, one.crm_id
